/*
 * report.h - the outcome of a commit on its way from the committer to the HTTP process.
 *
 * JSON in one form only, members in this order and without blanks; "rule" is left out
 * when there is none:
 *
 *     {"returncode":1,"errors":1,"warnings":0,"omitted":0,"problems":[{"file":
 *     "/etc/cumulus/acl/policy.d/50rest-x.rules","line":3,"severity":"error","reason":
 *     "unknown option \"--dprt\"","rule":"-A FORWARD -p tcp --dprt 80 -j DROP"}]}
 *
 * Pure: values to text, text to values.
 */
#pragma once

#include <stddef.h>

#include "aclserver/diag.h"

enum { REPORT_SIZE_MIN = 256 };

/**
 * The report of a commit, at most @max bytes (REPORT_SIZE_MIN or more). Problems that
 * do not fit are added to "omitted"; errors come before warnings, so that a flood of
 * the latter leaves room for the former. Bytes that are no UTF-8 become U+FFFD.
 *
 * Returns newly allocated text, *@ret_len bytes and a NUL; NULL when out of memory.
 */
char *report_encode(
	int returncode, const struct diags *diags, size_t max, size_t *ret_len);

struct report {
	int returncode;
	struct diags diags; /* diags.omitted counts what the sender left out, too */
};

/**
 * Read what report_encode() wrote, and nothing else.
 * @ret     filled on success only; then report_done() is due
 * Returns  0, -EBADMSG (not of that form), or -ENOMEM
 */
int report_decode(const char *text, size_t len, struct report *ret);

/** Accepts a zeroed report. */
void report_done(struct report *report);
