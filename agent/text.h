/*
 * text.h - bounded walk over text: lines, words, numbers. Pure.
 *
 * For the files of /proc, which are read into one buffer and are not closed by a NUL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of text. */
struct text {
	const char *at; /* borrowed */
	size_t len;     /* bytes */
};

/** The first line of @t, without its newline; @t moves behind it. False at the end. */
bool text_line(struct text *t, struct text *ret);

/** The first word of @t, blanks and tabs around it skipped; @t moves behind it. False
 * if there is none. */
bool text_word(struct text *t, struct text *ret);

/** As text_word(), and the word must be a decimal number of 64 bits; else false. */
bool text_u64(struct text *t, uint64_t *ret);

/** The decimal number that @t begins with, of 64 bits; @t moves behind it. */
bool text_digits(struct text *t, uint64_t *ret);

/** As text_digits(), with an optional fraction that is cut off behind the
 * second digit, as hundredths: "0.1" is 10. */
bool text_hundredths(struct text *t, uint64_t *ret);

/** Skip @n words; false if there are fewer. */
bool text_skip(struct text *t, unsigned n);

/** Skip one character; false if it is not there. */
bool text_char(struct text *t, char c);

/** True if @t is @s, or begins with @prefix. */
bool text_equals(const struct text *t, const char *s);
bool text_starts(const struct text *t, const char *prefix);
