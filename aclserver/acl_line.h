/*
 * acl_line.h - installed rules as lines of a listing: kernel rules that are one rule of
 * the policy are added up, and lines stand in the order in which packets meet them.
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/acl_known.h"
#include "aclserver/kernel_rules.h"
#include "aclserver/policy.h"

enum { ACL_LINE_NAME_SIZE = 32 };

struct acl_line {
	const struct kernel_rule_info *rule; /* one of those that were added up */
	const char *text; /* of the rule: "-t mangle -A FORWARD …" */
	bool is_cut;      /* the text's end is not known */
	char table[ACL_LINE_NAME_SIZE];
	char chain[ACL_LINE_NAME_SIZE];
	size_t order; /* in the kernel's list, of the first place */
	size_t nth;   /* of the rules that read the same there */
	uint64_t packets, bytes;
	bool polices; /* it may drop what exceeds a rate: */
	uint64_t dropped_packets, dropped_bytes;
};

/**
 * The lines of @section, by table, chain and order.
 * @known  where texts that were cut are found whole; may be zeroed
 * @ret    to be freed; borrows from @rules and @known
 * Returns 0, or -ENOMEM
 */
int acl_lines_make(const struct kernel_rules *rules, enum policy_section section,
	const struct acl_known *known, struct acl_line **ret, size_t *ret_n);

/** Was the text of any of @rules cut when it was installed? */
bool acl_lines_cut(const struct kernel_rules *rules);

/** The rule without "-t TABLE -A CHAIN ". */
const char *acl_line_body(const struct acl_line *line);
