/*
 * acl_tool.h - the actions of tapgate-acl. They work whether or not the server runs:
 * the commit lock keeps the two apart, and the server notices that the kernel was
 * changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "aclserver/acl_list.h"
#include "aclserver/policy.h"

/** Exit status of tapgate-acl. */
enum acl_exit {
	ACL_EXIT_OK = 0,
	ACL_EXIT_POLICY = 1, /* a policy file is wrong; see stderr */
	ACL_EXIT_USAGE = 2,
	ACL_EXIT_KERNEL = 3, /* the kernel refused; everything is as it was before */
};

/** Bits of enum policy_section. */
enum acl_kind {
	ACL_KIND_IP = 1 << POLICY_SECTION_IPTABLES,
	ACL_KIND_IP6 = 1 << POLICY_SECTION_IP6TABLES,
	ACL_KIND_EB = 1 << POLICY_SECTION_EBTABLES,
	ACL_KIND_ALL = ACL_KIND_IP | ACL_KIND_IP6 | ACL_KIND_EB,
};

struct acl_tool {
	const char *policy_conf; /* borrowed, as all below */
	const char *run_dir;
	const char *state_dir;
	uid_t http_uid;           /* see committer.h */
	const char *const *files; /* -p; n_files of them */
	size_t n_files;
	const char *dir;         /* -P, or NULL */
	bool last_good;          /* --last-good */
	bool dry_run;            /* -n */
	bool strict;             /* --strict */
	bool verbose;            /* -v */
	bool exact;              /* -x */
	bool numeric;            /* -N */
	enum acl_list_form form; /* -S, --save, --json */
};

/** -i: make the kernel equal to the policy. Problems go to stderr, progress to stdout.
 */
enum acl_exit acl_tool_install(const struct acl_tool *tool);

/** True for -n --strict: the policy is checked for a Cumulus switch, without the kernel
 * and without privileges. */
bool acl_tool_is_offline(const struct acl_tool *tool);

/** -F: remove the rules of @kinds (bits of enum acl_kind). */
enum acl_exit acl_tool_flush(const struct acl_tool *tool, unsigned kinds);

/** -Z: set the counters of the rules of @kinds to zero, all in one transaction. */
enum acl_exit acl_tool_zero(const struct acl_tool *tool, unsigned kinds);

/** -L: print the installed rules of @kinds with their counters. */
enum acl_exit acl_tool_list(const struct acl_tool *tool, unsigned kinds);
