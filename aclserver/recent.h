/*
 * recent.h - the sets behind -m recent. Pure.
 *
 * iptables keeps time stamps of an address and looks at them; nftables can only ask
 * whether an element is still there. So a table of recent is a set for each number of
 * seconds that a rule of the file asks for, and whoever writes writes into all of them.
 * For a number of hits there are two more: who is being counted, by a bucket that
 * starts with the first packet, and who has reached the number. A table belongs to one
 * file.
 */
#pragma once

#include "aclserver/ruleset.h"

/** Some rules of a file, in its order. */
struct recent_rules {
	struct ruleset_rule *items; /* the arena's */
	size_t n;
};

/**
 * Replace every TERM_RECENT of @rules by meters; a rule that counts hits gets another
 * one in front of it.
 * @file     its name (without directories) tells tables of the same name apart
 * @ret_bad  index of the rule that is refused
 * Returns   1 if there were any, 0 if not; -E2BIG when the rules of one table ask for
 * too many different numbers; -ENOMEM
 */
int recent_resolve(const char *file, struct arena *arena, struct recent_rules *rules,
	size_t *ret_bad);

enum { RECENT_KINDS_MAX = 8 }; /* different numbers that rules of one table ask for */
