/*
 * json_out.h - builds JSON text: a buffer that grows, with sticky failure, and quoting.
 *
 * Only what our answers need. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_out {
	char *data; /* owned; not NUL-terminated before json_out_take() */
	size_t len;
	size_t size;
	bool failed; /* out of memory; nothing was written since */
};

/** Free the text and start anew; a zeroed struct is an empty text. */
void json_out_done(struct json_out *out);

/** Literal text: punctuation, names that need no quoting. */
void json_out_raw(struct json_out *out, const char *text);

/**
 * @len bytes of @text as a JSON string with its quotes. Control characters, quotes and
 * backslashes are escaped; bytes that are no UTF-8 become U+FFFD.
 */
void json_out_string(struct json_out *out, const char *text, size_t len);

/** A number. */
void json_out_int(struct json_out *out, long long value);

/** Give up the text, NUL behind its last byte, owned by the caller; NULL when memory
 * ran out. @out is empty afterwards. */
char *json_out_take(struct json_out *out, size_t *ret_len);
