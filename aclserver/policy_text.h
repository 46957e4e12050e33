/*
 * policy_text.h - what policy.conf and rule files have in common: lines, comments,
 * quotes, variables. Internal to the policy_*.c files; implemented in policy_text.c and
 * policy_vars.c.
 *
 * Pure. Problems go to the diagnostics with file, line and the line as written; the
 * caller goes on with the next line and returns policy_text_result() in the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/policy.h"
#include "common/wbuf.h"

/** A piece of the file's text, without NUL. */
struct policy_span {
	const char *text;
	size_t len;
};

struct policy_assigned; /* private: where a name is assigned */

/** Reader of one file. */
struct policy_text {
	const char *file;                    /* for messages; borrowed */
	struct policy_span all;              /* the whole text; borrowed */
	size_t pos;                          /* where the next line begins */
	int line;                            /* number of the present line; 1-based */
	struct policy_span written;          /* the present line, for messages */
	struct policy_vars vars;             /* assigned so far */
	size_t vars_size;                    /* variables that vars has room for */
	const struct policy_vars *inherited; /* from policy.conf; NULL = none */
	struct policy_assigned *assigned; /* all assignments of the file, sorted; owned;
					     made when an error message needs it */
	size_t n_assigned;
	struct wbuf out;     /* owned; the present line after substitution */
	size_t substituted;  /* bytes that came out of all lines so far */
	struct arena *arena; /* borrowed; owns the results */
	struct diags *diags; /* borrowed */
	bool failed;         /* an error was reported */
	bool out_of_memory;
};

/** Begin reading @all, named @file. Returns 0, -EINVAL (too large; in @diags), or
 * -ENOMEM. In any case policy_text_done() is due. */
int policy_text_init(struct policy_text *t, const char *file, struct policy_span all,
	struct arena *arena, struct diags *diags);

/** Free what the reader owns; results stay in the arena. */
void policy_text_done(struct policy_text *t);

/** 0, -EINVAL when errors were reported, or -ENOMEM. */
int policy_text_result(const struct policy_text *t);

/** Report an error in the present line. */
__attribute__((format(printf, 2, 3))) void policy_text_error(
	struct policy_text *t, const char *fmt, ...);

/**
 * The next line that is neither blank nor a whole-line comment, trimmed. Lines with
 * control characters and over-long ones are reported and left out. False at the end,
 * out of memory, and when POLICY_TEXT_MAX was exceeded.
 */
bool policy_text_next(struct policy_text *t, struct policy_span *ret);

/** The line at *@pos as it stands, without its end; moves *@pos behind it. False at the
 * end of the file. */
bool policy_text_raw_next(
	const struct policy_text *t, size_t *pos, struct policy_span *ret);

/** Space or tab. */
bool policy_text_is_blank(char c);

/** Without the blanks at both ends. */
struct policy_span policy_span_trim(struct policy_span s);

/** True if @s is exactly @text. */
bool policy_span_equals(struct policy_span s, const char *text);

/** Cut a trailing comment ('#' behind a blank, outside quotes) and trim. False when a
 * quote is not closed, then @s is as before. */
bool policy_span_strip_comment(struct policy_span *s);

/** Split "NAME = VALUE"; false when @line is no assignment. */
bool policy_text_split_assignment(struct policy_span line, struct policy_span *ret_name,
	struct policy_span *ret_value);

/** Carry out an assignment of the present line. Errors are reported. */
void policy_text_assign(
	struct policy_text *t, struct policy_span name, struct policy_span value);

/**
 * A value: the rest of a line with comment, optional quotes around the whole of it, and
 * variables. NULL when an error was reported or memory ran out, else the arena's.
 */
const char *policy_text_value(struct policy_text *t, struct policy_span written);

/**
 * Substitute the variable at @s->text[@pos], which is '$'.
 * @in_quotes   a '$' that no name follows stands for itself
 * @ret_value   what to put in its place; NULL when an error was reported
 * Returns      how many bytes of @s it takes, at least 1
 */
size_t policy_text_substitute(struct policy_text *t, struct policy_span s, size_t pos,
	bool in_quotes, const char **ret_value);

/** Account for the text in t->out. False when it did not fit; reported. */
bool policy_text_account(struct policy_text *t);

/** Make room for @n more rules behind those of @rules. False when out of memory. */
bool policy_rules_reserve(struct policy_rules *rules, size_t n, struct arena *arena);
