/*
 * err.h - an error that can be shown to a person.
 *
 * Functions return 0 or a negative errno. Where the reason must reach a person, the
 * last parameter is a struct err: the text says what was attempted, on which object,
 * and why it failed.
 */
#pragma once

#include <stdarg.h>

enum { ERR_TEXT_SIZE = 512 };

struct err {
	int code;                 /* negative errno; 0 = no error */
	char text[ERR_TEXT_SIZE]; /* one line without newline, "" when code is 0 */
};

/**
 * Fill @err and return @code, so that a failing function can write "return err_set(…)".
 *
 * @err   may be NULL: then only the code is returned
 * @code  negative errno
 * Text   formatted from @fmt; cut at ERR_TEXT_SIZE; control characters become '?'
 */
__attribute__((format(printf, 3, 4))) int err_set(
	struct err *err, int code, const char *fmt, ...);

/** As err_set(), and ": " plus the C library's text for -@code is added. */
__attribute__((format(printf, 3, 4))) int err_sys(
	struct err *err, int code, const char *fmt, ...);

/** Put "@fmt: " in front of the text @err already has and return its code. For callers
 * that know the object (file, line, port) that the callee did not. Nothing changes when
 * @err holds no error; NULL gives -EINVAL, so that a failure never turns into success.
 */
__attribute__((format(printf, 2, 3))) int err_prefix(
	struct err *err, const char *fmt, ...);

/** Forget the error; accepts NULL. */
void err_clear(struct err *err);
