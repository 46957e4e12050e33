/*
 * dnssd_txt.c - strict reading of key=value strings (RFC 6763 §6): a bad one is named
 * and left out, and never spoils the others.
 */
#include "agent/dnssd_txt.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/rbuf.h"

enum { STRING_MAX = 255 };

struct problems {
	dnssd_txt_problem_fn fn;
	void *user_data;
};

static void
report(const struct problems *problems, enum dnssd_txt_fault fault,
	const struct err *err)
{
	problems->fn(fault, err->text, problems->user_data);
}

/* A key that is not ours, or a string without one, leaves every setting as it would be.
 */
static enum dnssd_txt_fault
fault_of(int code)
{
	return code == -ENOENT || code == -EOPNOTSUPP || code == 1
		       ? DNSSD_TXT_FOREIGN
		       : DNSSD_TXT_BAD_VALUE;
}

/* Printable ASCII only: nothing else is a key or value of ours. */
static bool
is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

/* One string, "key=value" with a NUL behind it; true if it was used. */
static bool
apply_pair(char *text, struct settings *settings, const struct problems *problems)
{
	char *value = strchr(text, '=');
	struct err err = { 0 };
	int rc;

	if (!value || value == text) {
		err_set(&err, -EINVAL, "\"%s\" is not of the form key=value", text);
		report(problems, DNSSD_TXT_FOREIGN, &err);
		return false;
	}
	*value++ = '\0';
	if (strcasecmp(text, "txtvers") == 0) {
		if (strcmp(value, "1") == 0)
			return true;
		err_set(&err, -EINVAL, "txtvers=%s is not 1", value);
		report(problems, DNSSD_TXT_FOREIGN, &err);
		return false;
	}
	rc = settings_put(settings, text, value, &err);
	if (rc == 1)
		err_set(&err, -EINVAL, "%s is given more than once", text);
	if (rc != 0)
		report(problems, fault_of(rc), &err);
	return rc >= 0;
}

unsigned
dnssd_txt_apply(const uint8_t *rdata, size_t len, struct settings *settings,
	dnssd_txt_problem_fn problem, void *user_data)
{
	const struct problems problems = { problem, user_data };
	char text[STRING_MAX + 1];
	unsigned used = 0;
	struct rbuf r;

	rbuf_init(&r, rdata, len);
	while (rbuf_left(&r) > 0) {
		size_t n = rbuf_get_u8(&r);
		const uint8_t *bytes = rbuf_get_bytes(&r, n);

		if (!bytes) {
			problem(DNSSD_TXT_BAD_VALUE, "the last string is cut off",
				user_data);
			break;
		}
		memcpy(text, bytes, n);
		text[n] = '\0';
		if (!is_printable(text, n))
			problem(DNSSD_TXT_BAD_VALUE, "a string holds binary data",
				user_data);
		else if (n > 0)
			used += apply_pair(text, settings, &problems);
	}
	return used;
}
