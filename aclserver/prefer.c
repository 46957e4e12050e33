/*
 * prefer.c - see prefer.h. Grammar (RFC 7240 section 2, RFC 9110 section 5.6):
 *
 *     Prefer     = preference *( OWS "," OWS preference ), empty items allowed
 *     preference = pair *( OWS ";" [ OWS pair ] )
 *     pair       = token [ BWS "=" BWS ( token | quoted-string ) ]
 */
#include "aclserver/prefer.h"

#include <stdbool.h>
#include <stddef.h>
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

/* -1 if it is no whole number of seconds. */
static int
wait_of(const struct pair *pair)
{
	int seconds = 0;

	if (pair->cut || pair->value[0] == '\0' ||
		pair->value[strspn(pair->value, "0123456789")] != '\0')
		return -1;
	for (const char *p = pair->value; *p; p++) {
		seconds = seconds * 10 + (*p - '0');
		if (seconds > PREFER_WAIT_MAX_S)
			seconds = PREFER_WAIT_MAX_S;
	}
	return seconds;
}

static bool
is_wait(const struct pair *pair)
{
	return pair->name_len == 4 && strncasecmp(pair->name, "wait", 4) == 0;
}

/* One preference at @p; returns what follows it, NULL if it is malformed. */
static const char *
read_preference(const char *p, struct pair *ret)
{
	p = read_pair(p, ret);
	p = p ? skip_parameters(p) : NULL;
	return p && (*p == ',' || *p == '\0') ? p : NULL;
}

int
prefer_wait_s(const char *header)
{
	const char *p = header ? header : "";

	while (*p) {
		const char *start = p = p + strspn(p, " \t,");
		struct pair pair;

		p = read_preference(start, &pair);
		if (p && is_wait(&pair))
			return wait_of(&pair);
		if (!p)
			p = start + strcspn(start, ",");
	}
	return -1;
}
