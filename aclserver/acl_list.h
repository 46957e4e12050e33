/*
 * acl_list.h - the listing of tapgate-acl -L: rules by section, table and chain with
 * their counters. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "aclserver/kernel_rules.h"
#include "aclserver/policy.h"

struct acl_list_options {
	bool exact;   /* plain numbers, no K, M, G */
	bool verbose; /* name the policy file and line behind each rule */
};

/**
 * Print the rules of @section, in the order in which packets meet them. A simple rule
 * that needs several kernel rules (one for routed and one for bridged packets, say) is
 * one line with the sum of their counters.
 * @rules  as read from the kernel; their order is changed
 * Returns 0, or -ENOMEM
 */
int acl_list_print(FILE *out, struct kernel_rules *rules, enum policy_section section,
	const struct acl_list_options *options);

enum { ACL_LIST_COUNT_SIZE = 24 };

/** A counter as iptables prints it: five columns, K, M, G or T from 100,000 on unless
 * @exact. */
void acl_list_count(char buf[ACL_LIST_COUNT_SIZE], uint64_t count, bool exact);
