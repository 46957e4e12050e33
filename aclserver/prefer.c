/*
 * prefer.c - see prefer.h. Grammar (RFC 7240 section 2, RFC 9110 section 5.6):
 *
 *     Prefer     = preference *( OWS "," OWS preference ), empty items allowed
 *     preference = pair *( OWS ";" [ OWS pair ] )
 *     pair       = token [ BWS "=" BWS ( token | quoted-string ) ]
 */
#include "aclserver/prefer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { VALUE_SIZE = 32 };

struct pair {
	const char *name; /* borrowed from the header */
	size_t name_len;
	char value[VALUE_SIZE]; /* quotes removed; "" if there is none */
	bool cut;               /* the value is longer */
};

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static size_t
token_len(const char *p)
{
	return strspn(p, "!#$%&'*+-.^_`|~0123456789"
			 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static void
add_to_value(struct pair *pair, size_t *len, char c)
{
	if (*len + 1 < sizeof(pair->value))
		pair->value[(*len)++] = c;
	else
		pair->cut = true;
}

/* Behind the opening quote; returns what follows the closing one, NULL if it is not
 * there. */
static const char *
read_quoted(const char *p, struct pair *pair, size_t *len)
{
	for (; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return NULL;
		add_to_value(pair, len, *p);
	}
	return p + 1;
}

/* One pair at @p; returns what follows it, NULL if there is none. */
static const char *
read_pair(const char *p, struct pair *ret)
{
	size_t len = 0, n = token_len(p);

	if (n == 0)
		return NULL;
	*ret = (struct pair){ .name = p, .name_len = n };
	p = skip_blanks(p + n);
	if (*p != '=')
		return p;
	p = skip_blanks(p + 1);
	if (*p == '"')
		return read_quoted(p + 1, ret, &len);
	n = token_len(p);
	for (size_t i = 0; i < n; i++)
		add_to_value(ret, &len, p[i]);
	return n > 0 ? p + n : NULL;
}

/* Parameters behind a preference mean nothing for "wait"; returns what follows them. */
static const char *
skip_parameters(const char *p)
{
	struct pair parameter;

	for (p = skip_blanks(p); *p == ';'; p = skip_blanks(p)) {
		p = skip_blanks(p + 1);
		if (*p == ';' || *p == ',' || *p == '\0')
			continue;
		p = read_pair(p, &parameter);
		if (!p)
			return NULL;
	}
	return p;
}

static int
parse_wait(const struct pair *pair, int *ret_wait_s, struct err *err)
{
	int seconds = 0;

	if (pair->cut || pair->value[0] == '\0' ||
		pair->value[strspn(pair->value, "0123456789")] != '\0')
		return err_set(err, -EINVAL,
			"Prefer: wait is a whole number of seconds, as in \"wait=5\"");
	for (const char *p = pair->value; *p; p++) {
		seconds = seconds * 10 + (*p - '0');
		if (seconds > PREFER_WAIT_MAX_S)
			seconds = PREFER_WAIT_MAX_S;
	}
	*ret_wait_s = seconds;
	return 0;
}

static bool
is_wait(const struct pair *pair)
{
	return pair->name_len == 4 && strncasecmp(pair->name, "wait", 4) == 0;
}

int
prefer_parse(const char *header, int *ret_wait_s, struct err *err)
{
	const char *p = header ? skip_blanks(header) : "";
	int wait_s = -1;

	while (*p) {
		struct pair pair;

		if (*p == ',') {
			p = skip_blanks(p + 1);
			continue;
		}
		p = read_pair(p, &pair);
		p = p ? skip_parameters(p) : NULL;
		if (!p || (*p && *p != ','))
			return err_set(err, -EINVAL,
				"the Prefer header is not of the form of RFC 7240");
		if (wait_s < 0 && is_wait(&pair)) {
			int result = parse_wait(&pair, &wait_s, err);

			if (result < 0)
				return result;
		}
	}
	*ret_wait_s = wait_s;
	return 0;
}
