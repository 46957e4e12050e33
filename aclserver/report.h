/*
 * report.h - the outcome of a commit as JSON, for "lasterror" and for problem details.
 *
 * {"returncode":1,"omitted":0,"problems":[{"file":"/etc/…/50rest-x.rules","line":3,"severity":"error",
 *  "reason":"unknown option \"--dprt\"","rule":"-A FORWARD -p tcp --dprt 80 -j DROP"}]}
 * Pure: text in, values out.
 */
#pragma once

#include <stddef.h>

#include "aclserver/diag.h"

/**
 * The report of a commit, at most @max bytes (problems that do not fit are added to
 * "omitted"). Returns newly allocated text, *@ret_len bytes, or NULL when out of
 * memory.
 */
char *report_encode(
	int returncode, const struct diags *diags, size_t max, size_t *ret_len);

struct report {
	int returncode;
	struct diags diags; /* diags.omitted counts what the sender left out */
};

/** Read what report_encode() wrote. 0, -EBADMSG (not of that form), -ENOMEM. */
int report_decode(const char *text, size_t len, struct report *ret);

void report_done(struct report *report);
