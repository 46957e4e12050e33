/*
 * last_good.h - copies of the policy files as they were last installed without error.
 *
 * STATE_DIR/last-good/policy.conf includes the directories 0000, 0001, … beside it, one
 * for each include of the policy, so that order and variables are kept and "tapgate-acl
 * -i --last-good" is an ordinary install from there. Written without waiting for the
 * disk: the policy files themselves are what is durable. Acting module.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/policy_load.h"
#include "common/err.h"

/** Path of the policy.conf of the copies below @state_dir; newly allocated, NULL when
 * out of memory. */
char *last_good_conf_path(const char *state_dir);

/** Path of the copy of the file with @key; newly allocated, NULL when out of memory. */
char *last_good_path(const char *state_dir, const struct policy_key *key);

/** Make the directories, and write policy.conf with the variables of @load. 0 or
 * negative errno with @err. */
int last_good_prepare(
	const char *state_dir, const struct policy_load *load, struct err *err);

/** Keep @len bytes of @text as the copy of @key. 0 or negative errno with @err. */
int last_good_put(const char *state_dir, const struct policy_key *key, const char *text,
	size_t len, struct err *err);

/** Forget the copy of @key; fine when there is none. */
void last_good_remove(const char *state_dir, const struct policy_key *key);

/** Does the policy have this file? */
typedef bool (*last_good_known_fn)(const struct policy_key *key, void *user_data);

/** Forget the copies of files that @known says no to. */
void last_good_prune(const char *state_dir, const struct policy_load *load,
	last_good_known_fn known, void *user_data);
