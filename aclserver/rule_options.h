/*
 * rule_options.h - which module each option of a rule belongs to. Between rule_parse.c,
 * which runs the modules, and rule_options.c, which sorts the tokens. Pure.
 */
#pragma once

#include "aclserver/match.h"
#include "aclserver/rule_parse.h"
#include "aclserver/target.h"

/** A module that a rule has. */
struct loaded {
	struct module_use use;
	const struct match *match;   /* NULL for the basic options and the target */
	const struct target *target; /* NULL for all others */
	size_t at; /* index of the token that names it; LOADED_BY_PROTO; 0 for the basic
		      options */
};

#define LOADED_BY_PROTO SIZE_MAX

/** All options of a rule by module. */
struct rule_options {
	const struct policy_rule *source; /* borrowed */
	struct err *err;                  /* borrowed */
	const char *table;                /* "filter" if not given */
	const char *chain;
	const char *proto; /* behind -p, or NULL */
	bool proto_negated;
	const struct match *implicit; /* match of that protocol, loaded when an option
					 asks for it; or NULL */
	size_t n_loaded;
	size_t n_uses;
	struct loaded loaded[RULE_MODULES_MAX]; /* the first is that of the basic
						   options */
	struct option_use uses[RULE_OPTIONS_MAX];
};

/**
 * Sort the tokens of @source into @ret.
 * Returns 0, or -EINVAL with the reason in @err: no such table or chain; options that
 * are unknown, repeated, refused or lack a value; modules that are unknown or not
 * supported.
 */
int rule_options_parse(
	const struct policy_rule *source, struct rule_options *ret, struct err *err);

/** An option as written, without its value. */
struct option_word {
	const char *name; /* without dashes; NULL for the short form; not terminated */
	size_t name_len;
	char letter;       /* 0 for the long form */
	const char *value; /* attached ("-ivalue", "--opt=value"), or NULL */
	const char *token; /* the whole */
};

/** True if @option is the one that @word names. */
bool rule_option_is(const struct rule_option *option, const struct option_word *word);

/** Say in @options->err why no module of the rule takes @word. Returns -EINVAL. */
int rule_explain_unknown(
	const struct rule_options *options, const struct option_word *word);
