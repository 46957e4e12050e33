/*
 * problem.h - problem details for HTTP APIs (RFC 9457) as JSON. Pure.
 *
 * {"title":"Unprocessable Content","status":422,"detail":"…",
 *  "errors":[{"file":"/etc/…/50rest-x.rules","line":3,"reason":"…","rule":"…"}]}
 * "line" and "rule" are left out where they are not known, "errors" where there are
 * none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/diag.h"

#define PROBLEM_CONTENT_TYPE "application/problem+json"

/** The reason phrase of an HTTP status; "Error" for one that we never send. */
const char *problem_title(int status);

/** Says whether @d belongs into the answer. */
typedef bool (*problem_filter_fn)(const struct diag *d, void *user_data);

/** What to encode. */
struct problem {
	int status;
	const char *detail;        /* for a person, one sentence */
	const struct diags *diags; /* errors among them are listed; may be NULL */
	problem_filter_fn filter;  /* which of them; NULL = all */
	void *user_data;           /* for filter */
};

/** Newly allocated text, *@ret_len bytes; NULL when out of memory. */
char *problem_encode(const struct problem *problem, size_t *ret_len);
