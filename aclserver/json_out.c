/*
 * json_out.c - see json_out.h. Strings follow RFC 8259 section 7.
 */
#include "aclserver/json_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/utf8.h"
#include "common/cleanup.h"

enum { FIRST_SIZE = 256 };

static void
put(struct json_out *out, const char *text, size_t len)
{
	if (out->failed)
		return;
	if (out->size - out->len < len) {
		size_t size = out->size ? out->size : FIRST_SIZE;
		char *data;

		while (size - out->len < len)
			size *= 2;
		data = realloc(out->data, size);
		if (!data) {
			out->failed = true;
			return;
		}
		out->data = data;
		out->size = size;
	}
	memcpy(out->data + out->len, text, len);
	out->len += len;
}

void
json_out_done(struct json_out *out)
{
	free(out->data);
	*out = (struct json_out){ 0 };
}

void
json_out_raw(struct json_out *out, const char *text)
{
	put(out, text, strlen(text));
}

void
json_out_int(struct json_out *out, long long value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", value); /* always fits */
	json_out_raw(out, text);
}

/* A character that may not stand in a string as it is. */
static void
put_escaped(struct json_out *out, unsigned char c)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char text[8];

	for (const char *p = shorts; *p; p += 2)
		if ((unsigned char)p[0] == c) {
			put(out, (const char[]){ '\\', p[1] }, 2);
			return;
		}
	(void)snprintf(text, sizeof(text), "\\u%04x", c); /* always fits */
	json_out_raw(out, text);
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void
json_out_string(struct json_out *out, const char *text, size_t len)
{
	size_t i = 0;

	put(out, "\"", 1);
	while (i < len) {
		size_t start = i, n;

		while (i < len && is_plain((unsigned char)text[i]))
			i++;
		put(out, text + start, i - start);
		if (i == len)
			break;
		n = utf8_sequence(text + i, len - i);
		if (n > 1)
			put(out, text + i, n);
		else if (n == 1)
			put_escaped(out, (unsigned char)text[i]);
		else
			json_out_raw(out, "\\ufffd");
		i += n ? n : 1;
	}
	put(out, "\"", 1);
}

char *
json_out_take(struct json_out *out, size_t *ret_len)
{
	size_t len = out->len;
	char *data;

	put(out, "", 1);
	if (out->failed) {
		json_out_done(out);
		return NULL;
	}
	data = take_ptr(out->data);
	json_out_done(out);
	*ret_len = len;
	return data;
}
