/*
 * outcome.c - see outcome.h. Files made over REST that do not compile are left out by
 * themselves; an error in any other file fails the whole commit.
 */
#include "aclserver/outcome.h"

#include <string.h>

#include "aclserver/acl_name.h"

/* The name of the ACL whose file @d is about; false if REST did not make it. */
static bool
rest_name(const struct diag *d, char ret_name[ACL_NAME_SIZE])
{
	const char *file = d->file ? d->file : "";
	const char *slash = strrchr(file, '/');

	return acl_name_from_file(slash ? slash + 1 : file, ret_name);
}

bool
outcome_is_own(const struct diag *d, const char *name)
{
	char found[ACL_NAME_SIZE];

	return name && rest_name(d, found) && strcmp(found, name) == 0;
}

bool
outcome_is_foreign(const struct diag *d)
{
	char found[ACL_NAME_SIZE];

	return !rest_name(d, found);
}

enum outcome
outcome_judge(const struct report *report, const char *name)
{
	const struct diags *diags = &report->diags;
	size_t n_errors = 0;
	bool foreign = false;

	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *d = &diags->items[i];

		if (d->severity != DIAG_ERROR)
			continue;
		if (outcome_is_own(d, name))
			return OUTCOME_OWN_ERROR;
		foreign |= outcome_is_foreign(d);
		n_errors++;
	}
	if (report->returncode == 0)
		return OUTCOME_INSTALLED;
	if (foreign || diags->errors == 0)
		return OUTCOME_COMMIT_FAILED;
	/* The sender left errors out: ours may be among them. */
	return diags->errors > n_errors ? OUTCOME_UNKNOWN : OUTCOME_INSTALLED;
}
