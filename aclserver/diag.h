/*
 * diag.h - a bounded list of problems, each tied to file, line and the rule as written.
 *
 * The parser, the compiler and the committer add to it; tapgate-acl prints it, the
 * server turns it into "lasterror" and problem details. State module: no I/O, no log.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum diag_severity {
	DIAG_WARNING, /* installed, but not as the author may expect */
	DIAG_ERROR,   /* not installed */
};

struct diag {
	enum diag_severity severity;
	char *file;   /* path as named by policy.conf or the directory; "" = words of
			 another program, of no file; owned */
	int line;     /* 1-based; 0 = the file as a whole */
	char *reason; /* one line, no newline; owned */
	char *rule;   /* the rule as written, or NULL; owned */
};

struct diags {
	struct diag *items; /* owned; in order of discovery */
	size_t n;
	size_t errors;   /* errors among all reported, those left out included */
	size_t warnings; /* likewise */
	size_t omitted;  /* reported but not kept: over DIAGS_MAX or out of memory */
};

/** More problems than this are counted, not kept. */
enum { DIAGS_MAX = 1000 };

/** Make @d an empty list. */
void diags_init(struct diags *d);
/** Free all items; @d is as after diags_init(). */
void diags_done(struct diags *d);

/** Add one problem. @rule may be NULL. Control characters in the texts become '?'. */
__attribute__((format(printf, 6, 7))) void diags_add(struct diags *d,
	enum diag_severity severity, const char *file, int line, const char *rule,
	const char *fmt, ...);

/** Move every item of @from behind those of @to; @from is then empty. */
void diags_move(struct diags *to, struct diags *from);

/** "file:line: reason: rule", for a warning "file:line: warning: reason: rule", as
 * newly allocated text; without ":line" when 0. NULL when out of memory. */
char *diag_format(const struct diag *d);
