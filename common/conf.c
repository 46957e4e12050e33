/*
 * conf.c - reader for "key = value" files, bound to a table of keys.
 *
 * One line at a time: cut, check, split at '=', unquote, hand to the key's parser. A
 * line that fails at any step is reported and the next one is read.
 */
#include "common/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/parse.h"

enum {
	LINE_MAX_BYTES = 1024,
	SHOWN_MAX = 64, /* of text of the file that is repeated in a reason */
};

struct reader {
	const char *file;            /* name for problems; borrowed */
	const struct conf_key *keys; /* ends with name NULL; borrowed */
	int *seen_line;              /* per key: line that set it, 0 = none; owned */
	void *conf;                  /* struct that is filled; borrowed */
	conf_problem_fn problem;
	void *user_data; /* for problem */
	int line;        /* present line, 1-based */
	int n_problems;
};

static void
report(struct reader *r, int line, const char *reason)
{
	r->n_problems++;
	r->problem(r->file, line, reason, r->user_data);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *
skip_blanks(char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* End the string behind its last byte that is not blank. */
static void
trim_end(char *start)
{
	char *end = start + strlen(start);

	while (end > start && is_blank(end[-1]))
		end--;
	*end = '\0';
}

/* Copy a line into @out; it must be text: no NUL, no other control character. */
static int
copy_line(const char *line, size_t len, char out[LINE_MAX_BYTES + 1], struct err *err)
{
	if (len > LINE_MAX_BYTES)
		return err_set(
			err, -E2BIG, "line is longer than %d bytes", LINE_MAX_BYTES);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c < 0x20 && !is_blank(line[i])) || c == 0x7f)
			return err_set(err, -EINVAL,
				"control character 0x%02x at byte %zu of the line", c,
				i + 1);
	}
	memcpy(out, line, len);
	out[len] = '\0';
	return 0;
}

/* Turn "a \"b\" c" at @text (the opening quote) into its content, in place. */
static int
unquote(char *text, struct err *err)
{
	char *from = text + 1, *to = text;

	while (*from != '"') {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		else if (*from == '\\')
			return err_set(err, -EINVAL,
				"only \\\" and \\\\ may follow a backslash in quotes");
		if (*from == '\0')
			return err_set(err, -EINVAL, "closing quote is missing");
		*to++ = *from++;
	}
	from = skip_blanks(from + 1);
	*to = '\0';
	if (*from && *from != '#')
		return err_set(err, -EINVAL, "text after the closing quote: %.*s",
			SHOWN_MAX, from);
	return 0;
}

/* The value at @text, without quotes, comment and blanks around it, in place. */
static int
take_value(char *text, struct err *err)
{
	if (*text == '"')
		return unquote(text, err);
	text[strcspn(text, "#")] = '\0';
	trim_end(text);
	if (strchr(text, '"'))
		return err_set(
			err, -EINVAL, "a quote must stand at both ends of the value");
	return 0;
}

static const struct conf_key *
find_key(const struct conf_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

/* Store @value under the key @name. */
static int
assign(struct reader *r, const char *name, const char *value, struct err *err)
{
	const struct conf_key *key = find_key(r->keys, name);
	int *seen_line;
	int result;

	if (!key)
		return err_set(err, -ENOENT, "unknown key \"%.*s\"", SHOWN_MAX, name);
	seen_line = &r->seen_line[key - r->keys];
	if (*seen_line)
		return err_set(
			err, -EEXIST, "%s: already set in line %d", name, *seen_line);
	*seen_line = r->line;
	result = key->parse(value, (char *)r->conf + key->offset, key, err);
	if (result < 0)
		(void)err_prefix(err, "%s", name); /* result is the code */
	return result;
}

/* One line that is neither blank nor a comment. */
static int
parse_assignment(struct reader *r, char *name, struct err *err)
{
	char *equals = strchr(name, '=');
	char *value;
	int result;

	if (!equals)
		return err_set(
			err, -EINVAL, "'=' is missing in \"%.*s\"", SHOWN_MAX, name);
	value = skip_blanks(equals + 1);
	*equals = '\0';
	trim_end(name);
	if (!*name)
		return err_set(err, -EINVAL, "no key before '='");
	result = take_value(value, err);
	if (result < 0) {
		(void)err_prefix(err, "%.*s", SHOWN_MAX, name);
		return result;
	}
	return assign(r, name, value, err);
}

static int
parse_line(struct reader *r, const char *text, size_t len, struct err *err)
{
	char line[LINE_MAX_BYTES + 1];
	char *start;
	int result;

	if (len > 0 && text[len - 1] == '\r') /* written on another system */
		len--;
	result = copy_line(text, len, line, err);
	if (result < 0)
		return result;
	start = skip_blanks(line);
	if (*start == '\0' || *start == '#')
		return 0;
	return parse_assignment(r, start, err);
}

int
conf_parse(const char *file, const char *text, size_t len, const struct conf_key *keys,
	void *conf, conf_problem_fn problem, void *user_data)
{
	struct reader r = { file, keys, NULL, conf, problem, user_data, 0, 0 };
	AUTO_FREE int *seen_line = NULL;
	size_t n_keys = 0;

	while (keys[n_keys].name)
		n_keys++;
	r.seen_line = seen_line = calloc(n_keys + 1, sizeof(*seen_line));
	if (!seen_line) {
		report(&r, 0, "out of memory");
		return r.n_problems;
	}
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t line_len = newline ? (size_t)(newline - text) : len;
		struct err err;

		r.line++;
		if (parse_line(&r, text, line_len, &err) < 0)
			report(&r, r.line, err.text);
		line_len += newline != NULL;
		text += line_len;
		len -= line_len;
	}
	return r.n_problems;
}

/* The limits of @key; its max of 0 stands for that of the type. */
static uint64_t
lower_limit(const struct conf_key *key)
{
	return key->min > 0 ? (uint64_t)key->min : 0;
}

static uint64_t
upper_limit(const struct conf_key *key, uint64_t type_max)
{
	return key->max > 0 && (uint64_t)key->max < type_max ? (uint64_t)key->max
							     : type_max;
}

/* The reason why @value is not a number of the wanted form or size. */
static int
bad_number(const char *value, int code, const char *form, const struct conf_key *key,
	struct err *err)
{
	if (code != -ERANGE)
		return err_set(err, code, "\"%.*s\" is not %s", SHOWN_MAX, value, form);
	if (key->max > 0)
		return err_set(err, code, "\"%.*s\" is out of range %lld to %lld",
			SHOWN_MAX, value, key->min, key->max);
	return err_set(err, code, "\"%.*s\" is out of range, from %lld", SHOWN_MAX,
		value, key->min);
}

int
conf_parse_u32(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	uint32_t *ret = field;
	uint64_t number;
	int result = parse_u64(
		value, lower_limit(key), upper_limit(key, UINT32_MAX), &number);

	if (result < 0)
		return bad_number(value, result, "a number", key, err);
	*ret = (uint32_t)number;
	return 0;
}

int
conf_parse_bool(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	(void)key; /* has no limits for this type */
	if (parse_bool(value, field) < 0)
		return err_set(err, -EINVAL, "\"%.*s\" is neither yes nor no",
			SHOWN_MAX, value);
	return 0;
}

int
conf_parse_string(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	char **ret = field;
	size_t len = strlen(value);
	char *copy;

	if (len < lower_limit(key) || len > upper_limit(key, SIZE_MAX))
		return err_set(err, -ERANGE,
			"text has %zu bytes, allowed are %lld to %lld", len, key->min,
			key->max);
	copy = strdup(value);
	if (!copy)
		return err_set(err, -ENOMEM, "out of memory");
	free(*ret);
	*ret = copy;
	return 0;
}

int
conf_parse_ms(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	static const char form[] = "a duration such as 500ms, 30s, 5min or 1h";
	int64_t *ret = field;
	int64_t ms = 0;
	int result = parse_duration_ms(value, &ms);

	if (result == 0 && ((uint64_t)ms < lower_limit(key) ||
				   (uint64_t)ms > upper_limit(key, INT64_MAX)))
		result = -ERANGE;
	if (result == -ERANGE && key->max > 0)
		return err_set(err, result,
			"\"%.*s\" is out of range %lld ms to %lld ms", SHOWN_MAX, value,
			key->min, key->max);
	if (result < 0)
		return bad_number(value, result, form, key, err);
	*ret = ms;
	return 0;
}

/* Digits and KiB, MiB or GiB; -EINVAL for all else. */
static int
parse_binary_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMG";
	char digits[24];
	size_t len = strlen(text);
	const char *unit;
	uint64_t number;
	int result;

	if (len < 4 || len - 3 >= sizeof(digits) || strcmp(text + len - 2, "iB") != 0)
		return -EINVAL;
	if (strspn(text, "0123456789") != len - 3)
		return -EINVAL;
	unit = strchr(units, text[len - 3]);
	if (!unit)
		return -EINVAL;
	memcpy(digits, text, len - 3);
	digits[len - 3] = '\0';
	result = parse_u64(digits, 0, UINT64_MAX, &number);
	if (result < 0)
		return result;
	if (number > UINT64_MAX >> (10 * (unit - units + 1)))
		return -ERANGE;
	*ret = number << (10 * (unit - units + 1));
	return 0;
}

int
conf_parse_size(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	static const char form[] = "a size such as 4096, 10K, 64KiB or 1GiB";
	uint64_t *ret = field;
	uint64_t size = 0;
	int result = parse_binary_size(value, &size);

	if (result == -EINVAL)
		result = parse_u64_scaled(value, 0, UINT64_MAX, &size);
	if (result == 0 &&
		(size < lower_limit(key) || size > upper_limit(key, UINT64_MAX)))
		result = -ERANGE;
	if (result < 0)
		return bad_number(value, result, form, key, err);
	*ret = size;
	return 0;
}
