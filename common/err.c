/*
 * err.c - formats the one line of text in struct err.
 */
#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The text ends up in a log line, on a terminal or in JSON: it must stay one line. */
static void
hide_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

__attribute__((format(printf, 2, 0))) static void
format_text(struct err *err, const char *fmt, va_list args)
{
	if (vsnprintf(err->text, sizeof(err->text), fmt, args) < 0)
		err->text[0] = '\0';
	hide_controls(err->text);
}

/* Add @text behind what is there, cut at the end of the buffer. */
static void
append(struct err *err, const char *text)
{
	size_t len = strlen(err->text);

	snprintf(err->text + len, sizeof(err->text) - len, "%s", text);
}

int
err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	format_text(err, fmt, args);
	va_end(args);
	err->code = code;
	return code;
}

int
err_sys(struct err *err, int code, const char *fmt, ...)
{
	char reason[128];
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	format_text(err, fmt, args);
	va_end(args);
	append(err, ": ");
	append(err, strerror_r(-code, reason, sizeof(reason)));
	err->code = code;
	return code;
}

int
err_prefix(struct err *err, const char *fmt, ...)
{
	char old[ERR_TEXT_SIZE];
	va_list args;

	if (!err)
		return -EINVAL;
	if (err->code == 0)
		return 0;
	snprintf(old, sizeof(old), "%s", err->text);
	va_start(args, fmt);
	format_text(err, fmt, args);
	va_end(args);
	append(err, ": ");
	append(err, old);
	return err->code;
}

void
err_clear(struct err *err)
{
	if (!err)
		return;
	err->code = 0;
	err->text[0] = '\0';
}
