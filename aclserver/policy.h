/*
 * policy.h - the policy language, first half: text of one file -> rules as token lists.
 *
 * Three pure steps, each in its own file:
 *   policy_conf.c    text of policy.conf    -> include patterns and variables
 *   policy_parse.c   text of one rule file  -> rules: section, line, tokens
 *   policy_expand.c  one rule               -> simple rules: chain, interface and
 *                                              address lists as their cross product
 *
 * The language is that of Cumulus Linux ACL policy files. All memory is taken from the
 * caller's arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/diag.h"
#include "common/arena.h"

enum policy_section {
	POLICY_SECTION_IPTABLES,
	POLICY_SECTION_IP6TABLES,
	POLICY_SECTION_EBTABLES,
};

enum {
	POLICY_FILE_MAX = 4 << 20,  /* bytes of one file */
	POLICY_LINE_MAX = 16 << 10, /* bytes of a line, before and after substitution */
	POLICY_TEXT_MAX = 16 << 20, /* bytes of a file after substitution */
	POLICY_VARS_MAX = 4096,     /* variables assigned in one file */
	POLICY_TOKENS_MAX = 512,    /* tokens of one rule */
	POLICY_EXPANDED_MAX = 100000,         /* simple rules out of one file */
	POLICY_EXPANDED_TOKENS_MAX = 4 << 20, /* tokens of all of them */
};

/** Variables; a later assignment of the same name wins. */
struct policy_vars {
	struct policy_var *items; /* sorted by name in byte order; the arena's */
	size_t n;
};

struct policy_var {
	const char *name;
	const char *value; /* quotes removed, variables substituted; NULL inside the
			      parser only: the assignment was an error */
};

struct policy_token {
	const char *text; /* never NULL; may be "" when it was written as "" */
	bool quoted;      /* begins in quotes: never an option or "!". The list options
			     are split at commas even so: no interface, chain or address
			     contains one */
};

/** One rule, as written (policy_parse) or simple (policy_expand). */
struct policy_rule {
	enum policy_section section;
	int line;         /* 1-based, in the file */
	const char *text; /* the rule as written, trimmed, comments kept out */
	struct policy_token *tokens; /* n_tokens of them */
	size_t n_tokens;
};

struct policy_rules {
	struct policy_rule *items;
	size_t n;
	size_t size;     /* rules that items has room for */
	size_t n_tokens; /* of all rules together */
};

/** What policy.conf says. */
struct policy_conf {
	struct policy_include *includes; /* in the order written */
	size_t n_includes;
	struct policy_vars vars; /* visible in every rule file (decision: accepted) */
};

struct policy_include {
	const char *pattern; /* path or glob as written; relative ones are taken from
				the including file's directory by the loader */
	int line;
	bool is_glob; /* contains one of * ? [ */
};

/** True for a name of a variable: [A-Za-z_][A-Za-z0-9_]*. */
bool policy_is_var_name(const char *name, size_t len);

/**
 * Parse policy.conf. Errors (anything that is not blank, comment, assignment or
 * include) go to @diags with @file and line. Returns 0, -EINVAL when errors were added,
 * or -ENOMEM.
 */
int policy_conf_parse(const char *file, const char *text, size_t len,
	struct arena *arena, struct policy_conf *ret, struct diags *diags);

/**
 * Parse one rule file. Inside "[section]" tags every line is a rule: words separated by
 * blanks, with single and double quotes ('\' takes the next byte literally in the
 * latter), "$NAME" and "${NAME}" substituted everywhere but in single quotes. Blanks
 * beside a comma do not separate. A variable has to be assigned above its use; one that
 * is not, or that is empty, is an error.
 *
 * @inherited  variables of policy.conf; may be NULL
 * @ret        every rule that could be parsed, in file order; also valid when -EINVAL
 * Returns     0, -EINVAL when errors were added to @diags (all of them), or -ENOMEM
 */
int policy_parse(const char *file, const char *text, size_t len,
	const struct policy_vars *inherited, struct arena *arena,
	struct policy_rules *ret, struct diags *diags);

/**
 * Expand one rule into simple rules: "-A INPUT,FORWARD -i swp1,swp2 -s a,b" gives 2*2*2
 * rules, the leftmost list varying slowest. Lists are those after -A, -i, -o, -s, -d in
 * iptables and ip6tables, after -A, -i, -o in ebtables; in every form that getopt_long
 * takes, of which the simple rules keep one only: the short option and its value as two
 * tokens, "!" in front of the option.
 *
 * Errors: no -A or another command than -A; one of the options twice; an option without
 * value; an empty list item; a negated list ("! -s a,b"): its cross product would not
 * mean what it says.
 *
 * @ret     appended to, and never only in part; starts as { 0 } for each file
 * Returns  0, -EINVAL (in @diags), -E2BIG (more than POLICY_EXPANDED_MAX rules or
 *          POLICY_EXPANDED_TOKENS_MAX tokens in @ret; in @diags), or -ENOMEM
 */
int policy_expand(const char *file, const struct policy_rule *rule, struct arena *arena,
	struct policy_rules *ret, struct diags *diags);
