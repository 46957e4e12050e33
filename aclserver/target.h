/*
 * target.h - the contract of one target ("-j NAME").
 *
 * To add a target: a struct target with its options in a target_*.c file, and a row in
 * targets.c. Its finish function adds statements to the rule, see rule.h.
 */
#pragma once

#include <stdint.h>

#include "aclserver/match.h"
#include "aclserver/rule.h"

struct target {
	struct rule_module module;
	uint8_t sections;  /* SECTION_* of match.h */
	const char *table; /* the only table that takes it, or NULL */
};

/** All targets; ends with NULL. */
extern const struct target *const targets[];

/** Find by exact name for @section; NULL if there is none. */
const struct target *target_find(const char *name, enum policy_section section);

/** What is known of a target that cannot be used: "not supported yet" or "not
 * supported"; NULL if the name is unknown. */
const char *target_why_not(const char *name, enum policy_section section);

extern const struct target target_accept, target_drop, target_log, target_dscp,
	target_setqos;
extern const struct target target_setclass, target_eb_setclass, target_eb_mark;
