/*
 * json_acl.c - see json_acl.h. Grammar: RFC 8259.
 */
#include "aclserver/json_acl.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/json_out.h"
#include "aclserver/utf8.h"
#include "common/cleanup.h"

struct reader {
	const char *p, *end; /* what is left of the JSON text */
	const char *start;
	char *out;      /* next byte of the policy text; there is always room: a string
			   is shorter decoded than written, and its quotes make room for
			   the newline */
	size_t element; /* number of the present one, from 1 */
	struct err *err;
};

static void
skip_blanks(struct reader *r)
{
	while (r->p < r->end &&
		(*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool
next_is(const struct reader *r, char c)
{
	return r->p < r->end && *r->p == c;
}

static int
refuse_element(struct reader *r, const char *reason)
{
	return err_set(r->err, -EINVAL, "element %zu %s", r->element, reason);
}

static int
refuse_at(struct reader *r, const char *reason)
{
	return err_set(r->err, -EINVAL, "%s at byte %zu", reason,
		(size_t)(r->p - r->start) + 1);
}

/* Why a control character cannot be part of a line, or NULL if it can. */
static const char *
control_reason(uint32_t c)
{
	if (c == 0)
		return "contains a NUL character";
	if (c == '\n' || c == '\r')
		return "contains a line break; each line is an element of its own";
	if ((c < 0x20 && c != '\t') || c == 0x7f || (c >= 0x80 && c < 0xa0))
		return "contains a control character";
	return NULL;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four digits behind "\u"; false if there are none. */
static bool
read_hex4(struct reader *r, uint32_t *ret)
{
	uint32_t value = 0;

	if (r->end - r->p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(r->p[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	r->p += 4;
	*ret = value;
	return true;
}

/* One character, not above U+10FFFF, as UTF-8. */
static void
put_utf8(struct reader *r, uint32_t c)
{
	if (c < 0x80) {
		*r->out++ = (char)c;
		return;
	}
	if (c < 0x800) {
		*r->out++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*r->out++ = (char)(0xe0 | c >> 12);
		*r->out++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*r->out++ = (char)(0xf0 | c >> 18);
		*r->out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*r->out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*r->out++ = (char)(0x80 | (c & 0x3f));
}

/* Behind "\u": one or, for a character outside the basic plane, two groups of digits.
 */
static int
read_unicode(struct reader *r)
{
	uint32_t c, low;
	const char *reason;

	if (!read_hex4(r, &c))
		return refuse_element(r, "has \\u without four hexadecimal digits");
	if (c >= 0xdc00 && c < 0xe000)
		return refuse_element(r, "has half a surrogate pair");
	if (c >= 0xd800 && c < 0xdc00) {
		if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
			return refuse_element(r, "has half a surrogate pair");
		r->p += 2;
		if (!read_hex4(r, &low) || low < 0xdc00 || low >= 0xe000)
			return refuse_element(r, "has half a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	reason = control_reason(c);
	if (reason)
		return refuse_element(r, reason);
	put_utf8(r, c);
	return 0;
}

/* Behind a backslash. */
static int
read_escape(struct reader *r)
{
	static const char plain[] = "\"\\/";
	char c = r->p < r->end ? *r->p++ : '\0';

	switch (c) {
	case 'u':
		return read_unicode(r);
	case 't':
		*r->out++ = '\t';
		return 0;
	case 'n':
	case 'r':
		return refuse_element(r, control_reason('\n'));
	case 'b':
	case 'f':
		return refuse_element(r, control_reason('\b'));
	default:
		if (c == '\0' || !strchr(plain, c))
			return refuse_element(r, "has an unknown escape sequence");
		*r->out++ = c;
		return 0;
	}
}

/* A character that is written as it is. */
static int
read_char(struct reader *r)
{
	unsigned char c = (unsigned char)*r->p;
	size_t n = utf8_sequence(r->p, (size_t)(r->end - r->p));

	if (n == 0)
		return refuse_element(r, "is not UTF-8");
	/* U+0080 to U+009F are control characters, too. */
	if (n == 2 && c == 0xc2 && (unsigned char)r->p[1] < 0xa0)
		c = (unsigned char)r->p[1];
	if (n <= 2 && c < 0xc0 && control_reason(c))
		return refuse_element(r, control_reason(c));
	memcpy(r->out, r->p, n);
	r->out += n;
	r->p += n;
	return 0;
}

static int
read_string(struct reader *r)
{
	if (!next_is(r, '"'))
		return refuse_element(r, "is not a string");
	r->p++;
	while (r->p < r->end && *r->p != '"') {
		int result;

		if (*r->p == '\\') {
			r->p++;
			result = read_escape(r);
		} else {
			result = read_char(r);
		}
		if (result < 0)
			return result;
	}
	if (r->p == r->end)
		return refuse_element(r, "is not closed: the text ends inside it");
	r->p++;
	*r->out++ = '\n';
	return 0;
}

/* Behind "[", up to and with "]". */
static int
read_elements(struct reader *r, size_t max_lines)
{
	skip_blanks(r);
	if (next_is(r, ']')) {
		r->p++;
		return 0;
	}
	for (r->element = 1;; r->element++) {
		int result;

		if (r->element > max_lines)
			return err_set(r->err, -E2BIG,
				"the array has more than %zu lines", max_lines);
		skip_blanks(r);
		if (r->p == r->end)
			return refuse_at(r, "the array is not closed");
		result = read_string(r);
		if (result < 0)
			return result;
		skip_blanks(r);
		if (next_is(r, ']'))
			break;
		if (!next_is(r, ','))
			return refuse_at(r, r->p == r->end ? "the array is not closed"
							   : "',' or ']' expected");
		r->p++;
	}
	r->p++;
	return 0;
}

int
json_acl_decode(const char *json, size_t len, size_t max_lines, char **ret_text,
	size_t *ret_len, struct err *err)
{
	AUTO_FREE char *text = malloc(len + 1);
	struct reader r = { json, json + len, json, text, 0, err };
	int result;

	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	skip_blanks(&r);
	if (!next_is(&r, '['))
		return err_set(err, -EINVAL, "the body is not a JSON array of strings");
	r.p++;
	result = read_elements(&r, max_lines);
	if (result < 0)
		return result;
	skip_blanks(&r);
	if (r.p != r.end)
		return refuse_at(&r, "there is text behind the array");
	*r.out = '\0';
	*ret_len = (size_t)(r.out - text);
	*ret_text = take_ptr(text);
	return 0;
}

char *
json_acl_encode(const char *text, size_t len, size_t *ret_len)
{
	const char *p = text, *end = text + len;
	struct json_out out = { 0 };

	json_out_raw(&out, "[");
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *line_end = newline ? newline : end;

		if (p != text)
			json_out_raw(&out, ",");
		json_out_string(&out, p, (size_t)(line_end - p));
		p = newline ? newline + 1 : end;
	}
	json_out_raw(&out, "]");
	return json_out_take(&out, ret_len);
}

char *
json_acl_encode_names(const char *const *names, size_t n, size_t *ret_len)
{
	struct json_out out = { 0 };

	json_out_raw(&out, "[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			json_out_raw(&out, ",");
		json_out_string(&out, names[i], strlen(names[i]));
	}
	json_out_raw(&out, "]");
	return json_out_take(&out, ret_len);
}
