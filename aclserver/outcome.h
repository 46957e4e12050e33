/*
 * outcome.h - what the report of a commit means for the one who asked for a change.
 * Pure.
 */
#pragma once

#include "aclserver/diag.h"
#include "aclserver/report.h"

enum outcome {
	OUTCOME_INSTALLED,     /* the change is in the kernel */
	OUTCOME_OWN_ERROR,     /* its own file has errors and was left out */
	OUTCOME_COMMIT_FAILED, /* nothing was installed, because of another file or of
				  none in particular */
	OUTCOME_UNKNOWN, /* the report is cut: the answer may be in what is missing */
};

/** Judge @report for the ACL @name; NULL when the change was to remove them all. */
enum outcome outcome_judge(const struct report *report, const char *name);

/** True if @d is about the file of the ACL @name. */
bool outcome_is_own(const struct diag *d, const char *name);

/** True if @d is about a file that REST did not make: its errors fail a whole commit.
 */
bool outcome_is_foreign(const struct diag *d);
