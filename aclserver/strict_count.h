/*
 * strict_count.h - what a policy would take of the memory of a Cumulus switch, and
 * which switches have so much of it, by the documents of Cumulus Linux. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/ruleset.h"

enum { STRICT_MIRRORS_MAX = 16 };

struct strict_count {
	size_t ip_in, ip6_in; /* entries of ingress: IPv4 and MAC, IPv6 */
	size_t out;           /* of egress */
	const char *spans[STRICT_MIRRORS_MAX]; /* ports of SPAN, each once; texts of the
						  compiled files, up to a blank */
	size_t n_spans;
	const char *erspans[STRICT_MIRRORS_MAX]; /* likewise the options of ERSPAN */
	size_t n_erspans;
};

/** What a switch has room for while rules are replaced atomically. */
struct strict_switch {
	const char *name;
	size_t ip_in;
	size_t ip6_in; /* 0 with shares: in the same memory as ip_in */
	size_t out;    /* 0 = not documented */
	bool shares;
};

/** Known switches, the largest last. */
extern const struct strict_switch strict_switches[];
extern const size_t strict_n_switches;

/**
 * Add the rules of @file. A simple rule takes one entry, or one for each element of its
 * lists of ports; those that only the kernel of a switch can match take none.
 * Returns 0, or -ENOMEM. @count borrows from @file.
 */
int strict_count_add(struct strict_count *count, const struct ruleset_file *file);

/** Has @sw room for them? */
bool strict_count_fits(
	const struct strict_count *count, const struct strict_switch *sw);

/** Why no switch takes so many mirrors; NULL when one does. */
const char *strict_count_mirrors(const struct strict_count *count);
