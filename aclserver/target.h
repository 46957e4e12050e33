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
	uint8_t sections;   /* SECTION_* of match.h */
	const char *table;  /* the only table that takes it, or NULL */
	const char *chains; /* the only chains, separated by blanks, or NULL */
	bool in_nat;        /* table nat takes it: it sees the first packet of each
			       connection only */
};

/** All targets; ends with NULL. */
extern const struct target *const targets[];

/** Find by exact name for @section; NULL if there is none. */
const struct target *target_find(const char *name, enum policy_section section);

/** The target of @section whose name differs from @name in case only, or NULL. */
const char *target_other_case(const char *name, enum policy_section section);

/** What is known of a target that cannot be used: "not supported", and what to use
 * instead; NULL if the name is unknown. */
const char *target_why_not(const char *name, enum policy_section section);

extern const struct target target_accept, target_drop;
extern const struct target target_log, target_eb_log, target_ulog, target_nflog;
extern const struct target target_dscp, target_setqos, target_eb_setqos,
	target_setclass, target_eb_setclass;
extern const struct target target_police, target_eb_police, target_tricolorpolice,
	target_eb_tricolorpolice;
extern const struct target target_span, target_erspan;
extern const struct target target_mark, target_eb_mark;
extern const struct target target_snat, target_dnat, target_eb_snat, target_eb_dnat;
