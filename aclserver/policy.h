/*
 * policy.h - the policy language, first half: text of one file -> rules as token lists.
 *
 * Three pure steps, each in its own file:
 *   policy_conf.c    text of policy.conf     -> include patterns and variables
 *   policy_parse.c   text of one rule file   -> struct policy_rule (section, line,
 * tokens; variables substituted, quotes removed) policy_expand.c  one struct
 * policy_rule  -> simple rules: chain, interface and address lists become their cross
 * product Grammar: reference "cl-acltool" §1.3. All memory is taken from the caller's
 * arena.
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
	POLICY_FILE_MAX = 4 << 20, /* bytes of one file */
	POLICY_LINE_MAX =
		16 << 10,        /* bytes of one line, before and after substitution */
	POLICY_TOKENS_MAX = 512, /* tokens of one rule */
	POLICY_EXPANDED_MAX = 100000, /* simple rules out of one file */
};

/** Variables; a later assignment of the same name wins. */
struct policy_vars {
	struct policy_var *items; /* borrowed from the arena */
	size_t n;
};

struct policy_var {
	const char *name;
	const char *value; /* quotes removed, blanks around commas removed */
};

struct policy_token {
	const char *text; /* never NULL; may be "" when it was written as "" */
	bool quoted; /* some part stood in quotes: not split at commas, never an option
		      */
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
 * Parse one rule file.
 * @inherited  variables of policy.conf; may be NULL
 * @ret        every rule that could be parsed, in file order; also valid when -EINVAL
 * Returns     0, -EINVAL when errors were added to @diags (all of them), or -ENOMEM
 */
int policy_parse(const char *file, const char *text, size_t len,
	const struct policy_vars *inherited, struct arena *arena,
	struct policy_rules *ret, struct diags *diags);

/**
 * Expand one rule into simple rules: "-A INPUT,FORWARD -i swp1,swp2 -s a,b" gives 2*2*2
 * rules, the leftmost list varying slowest. Lists are those after -A/--append, -i, -o,
 * -s, -d (short and long forms) in iptables and ip6tables, after -A, -i, -o in
 * ebtables. Negated lists ("! -s a,b") become an error: their cross product would not
 * mean what it says. Empty list items are an error. Appends to @ret. Returns 0, -EINVAL
 * (in @diags), -E2BIG (more than POLICY_EXPANDED_MAX; in @diags), or -ENOMEM.
 */
int policy_expand(const char *file, const struct policy_rule *rule, struct arena *arena,
	struct policy_rules *ret, struct diags *diags);
