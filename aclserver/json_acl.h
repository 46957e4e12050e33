/*
 * json_acl.h - the body of a PUT: a JSON array of strings <-> the lines of a policy
 * file.
 *
 * A reader of its own, for one shape only: it is as strict as a check in front of a
 * general JSON library would have to be (which let bad UTF-8, raw control characters
 * and text behind the value pass, and cut strings at \u0000), so the library would
 * only read the same bytes a second time. Nothing nests, so depth needs no limit. Pure.
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

/**
 * Turn @json (@len bytes) into the text of a policy file: each string and "\n".
 *
 * @max_lines  more strings are refused
 * @ret_text   owned by the caller, *@ret_len bytes, NUL behind them; [] gives ""
 * @err        the reason, naming the element (counted from 1) or the byte
 * Returns     0; -EINVAL (no array of strings, or a string that is no line: only TAB is
 *             accepted of the control characters); -E2BIG (too many); -ENOMEM
 */
int json_acl_decode(const char *json, size_t len, size_t max_lines, char **ret_text,
	size_t *ret_len, struct err *err);

/** The opposite: an array with one string per line of @text, the last one may lack its
 * newline. Newly allocated, *@ret_len bytes; NULL when out of memory. */
char *json_acl_encode(const char *text, size_t len, size_t *ret_len);

/** An array of @n NUL-terminated strings; as json_acl_encode(). */
char *json_acl_encode_names(const char *const *names, size_t n, size_t *ret_len);
