/*
 * acl_list.h - the listings of tapgate-acl -L: as iptables and ebtables print theirs,
 * as rules, as a policy file, or as JSON. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "aclserver/acl_known.h"
#include "aclserver/acl_line.h"
#include "aclserver/json_out.h"
#include "aclserver/kernel_rules.h"
#include "aclserver/policy.h"

enum acl_list_form {
	ACL_LIST_TABLES, /* columns, for each chain of each table; acl_list_tables.c */
	ACL_LIST_RULES,  /* "pkts bytes rule" */
	ACL_LIST_SAVE,   /* a policy file that installs the same rules */
	ACL_LIST_JSON,   /* an array of objects; acl_list_json.c */
};

struct acl_list_options {
	enum acl_list_form form;
	bool exact;   /* plain numbers, no K, M, G */
	bool verbose; /* name the policy file and line behind each rule */
	bool numeric; /* no names of ports, "any" or "anywhere" */
	const struct acl_known *known; /* where long rules are found whole; may be
					  zeroed */
};

/**
 * Print the rules of @kinds (bits 1 << section), in the order in which packets meet
 * them. A simple rule that needs several kernel rules (one for routed and one for
 * bridged packets, say) is one line with the sum of their counters.
 * @rules  as read from the kernel
 * Returns 0; -ESTALE in form ACL_LIST_SAVE when a rule is not known whole, which is
 * then a comment; -ENOMEM
 */
int acl_list_print(FILE *out, const struct kernel_rules *rules, unsigned kinds,
	const struct acl_list_options *options);

/** Print the lines of one section in form ACL_LIST_TABLES. 0 or -ENOMEM. */
int acl_list_tables(FILE *out, enum policy_section section,
	const struct acl_line *lines, size_t n, const struct acl_list_options *options);

/** Append the lines of one section as JSON objects, a comma ahead of each that is not
 * the first in @out. 0 or -ENOMEM. */
int acl_list_json(struct json_out *out, enum policy_section section,
	const struct acl_line *lines, size_t n);

enum { ACL_LIST_COUNT_SIZE = 24 };

/** A counter as iptables prints it: five columns, K, M, G or T from 100,000 on unless
 * @exact. */
void acl_list_count(char buf[ACL_LIST_COUNT_SIZE], uint64_t count, bool exact);
