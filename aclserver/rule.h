/*
 * rule.h - one simple rule on its way from tokens to kernel terms.
 *
 * rule_parse.c finds out which module (the basic options, a match, the target) each
 * option belongs to; the modules then add tests and statements with the functions
 * below, in the order in which the kernel shall run them. policy_compile.c copies the
 * result to each place. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/policy.h"
#include "aclserver/ruleset.h"
#include "common/arena.h"
#include "common/err.h"

enum {
	RULE_TERMS_MAX = 32,     /* tests of one rule; the kernel takes 128 expressions,
				    and a test can need three */
	RULE_STATEMENTS_MAX = 6, /* of its target */
	RULE_PARTS_MAX = 6,      /* kernel rules that its target takes */
	RULE_PART_TERMS_MAX = 8, /* of each of them */
	RULE_SPLITS_MAX = 2,     /* each doubles the kernel rules */
	RULE_WARNINGS_MAX = 4,   /* kinds of warning of one rule */
	OPTION_ARGS_MAX = 2,     /* values of one option */
	OPTION_NAMES_MAX = 4,    /* long forms of one option */
	OPTION_NAME_SIZE = 32,   /* with dashes and NUL */
	MODULE_OPTIONS_MAX = 40, /* options of one module */
};

/** Families that a term is for. */
enum {
	RULE_INET = 1,
	RULE_BRIDGE = 2,
	RULE_EARLY = 4, /* of bridge, ahead of all other bases there: parts only */
	RULE_EARLY_FORWARD = 8, /* likewise, where the way out is known */
	RULE_PORT_IN = 16,      /* where a frame enters a port; parts only */
	RULE_PORT_OUT = 32,     /* where it leaves one */
	RULE_ROUTED = 64,       /* of bridge, for what was routed: tests only; parts and
				   statements are those of RULE_BRIDGE */
};

/** One side of a rule_split: all of its tests. */
struct rule_branch {
	struct ruleset_test tests[2];
	size_t n_tests;
};

/** "This or that", which one kernel rule cannot say: one kernel rule for each branch.
 * No packet may match both. */
struct rule_split {
	struct rule_branch branches[2];
	bool alternates; /* of one interface only one branch ever sees packets */
};

struct rule_term {
	struct ruleset_term term; /* TERM_TEST or TERM_LIMIT, unless split is set */
	const struct rule_split *split; /* the arena's; NULL = term counts */
	uint8_t families;               /* RULE_INET, RULE_BRIDGE */
};

/** One of several kernel rules that a target takes: the rule's tests come first. */
struct rule_part {
	uint8_t families; /* RULE_INET, RULE_BRIDGE: where it stands */
	size_t n_terms;
	struct ruleset_term terms[RULE_PART_TERMS_MAX]; /* more tests, the counter,
							   statements */
};

struct rule {
	struct arena *arena;         /* borrowed; all pointers below point into it */
	struct err *err;             /* borrowed; the reason why the rule is refused */
	enum policy_section section; /* of the file */
	const char *table;           /* "filter" unless -t says otherwise */
	const char *chain;           /* NULL until -A was read */
	bool has_proto;              /* -p was given and is not "all" */
	bool proto_negated;          /* ! -p */
	uint16_t proto;              /* IP protocol; in [ebtables] the EtherType */
	bool has_l4proto; /* it is tested which transport protocol it is, not inverted
			   */
	uint8_t l4proto;
	bool names_in;         /* -i names an interface, not inverted, not "+" */
	bool names_out;        /* likewise -o */
	const char *ports[2];  /* names behind -i and -o as written, "+" included */
	const char *no_bridge; /* not NULL: no half in the bridge family; the text is a
				  warning unless empty */
	bool no_inet;          /* no half in the inet family */
	const char *warnings[RULE_WARNINGS_MAX]; /* borrowed for ever or the arena's */
	size_t n_warnings;
	const char *text; /* canonical form; the arena's */
	size_t n_terms;
	size_t n_splits; /* without those of interfaces */
	size_t n_statements;
	size_t n_parts;  /* 0 = one kernel rule: a counter, then the statements */
	bool has_bucket; /* the target has one, for all packets of the rule */
	struct rule_term terms[RULE_TERMS_MAX];
	struct ruleset_term statements[RULE_STATEMENTS_MAX]; /* verdict last */
	struct rule_part parts[RULE_PARTS_MAX]; /* in the order of the kernel; a packet
						   is counted by one of them */
};

/** True for [ip6tables]. */
static inline bool
rule_is_ip6(const struct rule *rule)
{
	return rule->section == POLICY_SECTION_IP6TABLES;
}

/*
 * All functions below return 0, -EINVAL with the reason in rule->err, or -ENOMEM.
 * Numbers are put into the field in network order.
 */

/** A test as it is; what it points to is the arena's. */
int rule_add_test(struct rule *rule, const struct ruleset_test *test);

/** @field is (not) in @lo..@hi; an empty interval is a test that never is (always is)
 * true. */
int rule_add_number(
	struct rule *rule, enum field field, bool negate, uint64_t lo, uint64_t hi);

/** @field & @mask is (not) @value. */
int rule_add_masked(struct rule *rule, enum field field, bool negate, uint64_t mask,
	uint64_t value);

/** As rule_add_masked() for @field of any size; a mask of ones means no mask. */
int rule_add_bytes(struct rule *rule, enum field field, bool negate,
	const uint8_t *mask, const uint8_t *value);

/** @field is (not) in one of @ranges (the arena's; sorted and merged here). */
int rule_add_ranges(struct rule *rule, enum field field, bool negate,
	struct ruleset_range *ranges, size_t n);

/** An interface: @name of at most 15 bytes, "swp+" for a prefix. */
int rule_add_ifname(struct rule *rule, enum field field, bool negate, const char *name);

/** The test that rule_add_ifname() would add, not inverted; for a branch. */
int rule_make_ifname(struct rule *rule, enum field field, const char *name,
	struct ruleset_test *ret);

/** One kernel rule for each branch of @split (the arena's) from here on. */
int rule_add_split(struct rule *rule, const struct rule_split *split);

/** A bucket, which takes a packet for which all tests so far were true. */
int rule_add_limit(struct rule *rule, const struct ruleset_limit *limit);

/** A meter; it sees a packet for which all tests so far were true. */
int rule_add_meter(struct rule *rule, const struct ruleset_meter *meter);

/** Likewise, to be made meters of later. */
int rule_add_recent(struct rule *rule, const struct ruleset_recent *recent);

/** A statement, behind those already there. */
int rule_add_statement(struct rule *rule, const struct ruleset_term *statement);

/** One kernel rule more, in places of @families; to be filled with
 * rule_part_add(). A rule with parts has no statements. */
struct rule_part *rule_add_part(struct rule *rule, uint8_t families);

/** A term behind those that @part has. */
void rule_part_add(struct rule_part *part, const struct ruleset_term *term);

/** A test behind those that @part has: @field == @value. 0 or -ENOMEM. */
int rule_part_test(
	struct rule *rule, struct rule_part *part, enum field field, uint64_t value);

/** Say @text once, with the rule; borrowed for ever or the arena's. */
int rule_warn(struct rule *rule, const char *text);

/** Restrict the term added last to RULE_INET or RULE_BRIDGE. */
void rule_restrict_last(struct rule *rule, uint8_t families);

/** Write @value big endian into the first bytes of a value of @field. */
void rule_put_number(enum field field, uint64_t value, uint8_t ret[FIELD_SIZE_MAX]);

/** Sort @ranges of @field and merge those that overlap or touch; returns how many are
 * left. */
size_t rule_merge_ranges(enum field field, struct ruleset_range *ranges, size_t n);

/* ---- options ---- */

struct option_use;
struct module_use;

/** Take one option: add what it tests, and set use->text if its canonical form differs
 * from what was written. */
typedef int (*option_parse_fn)(struct rule *rule, struct option_use *use);

enum option_flags {
	OPTION_INVERTIBLE = 1, /* "!" is allowed */
	OPTION_REFUSED = 2,    /* known, not supported: refused by name */
	OPTION_REPEATED = 4,   /* may be given more than once */
};

struct rule_option {
	const char *names[OPTION_NAMES_MAX]; /* long names without dashes; the canonical
						one first */
	char letter;                         /* short form, or 0 */
	uint8_t n_args;                      /* how many values follow */
	uint8_t flags;                       /* enum option_flags */
	option_parse_fn parse;               /* NULL: the module's finish takes it */
};

/** One option as it stands in a rule. */
struct option_use {
	const struct rule_option *option;
	char written[OPTION_NAME_SIZE]; /* for messages: "--dport", "-s" */
	const char *args[OPTION_ARGS_MAX];
	const char *text; /* canonical values; NULL = args as they are */
	bool negate;
	bool omit; /* says nothing, left out of the canonical text ("-s 0.0.0.0/0") */
};

/** What matches, targets and the basic options have in common. */
struct rule_module {
	const char *name;                  /* as after -m or -j */
	const struct rule_option *options; /* n_options of them */
	size_t n_options;
	int (*finish)(struct rule *rule, struct module_use *use); /* after all options,
								     or NULL */
};

/** A module as it stands in a rule. */
struct module_use {
	const struct rule_module *module;
	struct option_use *uses[MODULE_OPTIONS_MAX]; /* by index of option; NULL = not
							given */
	size_t n_uses;
};

/** The use of option number @index, or NULL. */
static inline struct option_use *
module_use_at(const struct module_use *use, size_t index)
{
	return use->uses[index];
}

/** For error texts: refuse the first value of @use, "--ttl-eq \"300\": @reason". */
int option_refuse(struct rule *rule, const struct option_use *use, const char *reason);

/** Read the first value of @use as a number; refuses it with the range in the text. */
int option_number(struct rule *rule, const struct option_use *use, uint32_t min,
	uint32_t max, uint32_t *ret);

#define RULE_OPTIONS(array)                                                            \
	.options = (array), .n_options = sizeof(array) / sizeof((array)[0])
