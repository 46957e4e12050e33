/*
 * text.c - bounded walk over text: lines, words, numbers.
 */
#include "agent/text.h"

#include <string.h>

static void
move(struct text *t, size_t n)
{
	t->at += n;
	t->len -= n;
}

bool
text_line(struct text *t, struct text *ret)
{
	const char *end;

	if (t->len == 0)
		return false;
	end = memchr(t->at, '\n', t->len);
	*ret = (struct text){ t->at, end ? (size_t)(end - t->at) : t->len };
	move(t, ret->len + (end != NULL));
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
text_word(struct text *t, struct text *ret)
{
	size_t n = 0;

	while (t->len > 0 && is_blank(*t->at))
		move(t, 1);
	while (n < t->len && !is_blank(t->at[n]))
		n++;
	*ret = (struct text){ t->at, n };
	move(t, n);
	return n > 0;
}

bool
text_digits(struct text *t, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < t->len && t->at[n] >= '0' && t->at[n] <= '9'; n++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(
				value, (unsigned)(t->at[n] - '0'), &value))
			return false;
	}
	if (n == 0)
		return false;
	move(t, n);
	*ret = value;
	return true;
}

bool
text_u64(struct text *t, uint64_t *ret)
{
	struct text word;

	return text_word(t, &word) && text_digits(&word, ret) && word.len == 0;
}

bool
text_hundredths(struct text *t, uint64_t *ret)
{
	uint64_t value, unit = 10;

	if (!text_digits(t, &value) || __builtin_mul_overflow(value, 100, &value))
		return false;
	if (text_char(t, '.')) {
		for (; t->len > 0 && *t->at >= '0' && *t->at <= '9'; move(t, 1)) {
			if (__builtin_add_overflow(
				    value, unit * (unsigned)(*t->at - '0'), &value))
				return false;
			unit /= 10;
		}
	}
	*ret = value;
	return true;
}

bool
text_skip(struct text *t, unsigned n)
{
	struct text word;

	while (n-- > 0) {
		if (!text_word(t, &word))
			return false;
	}
	return true;
}

bool
text_char(struct text *t, char c)
{
	if (t->len == 0 || *t->at != c)
		return false;
	move(t, 1);
	return true;
}

bool
text_equals(const struct text *t, const char *s)
{
	return strlen(s) == t->len && memcmp(t->at, s, t->len) == 0;
}

bool
text_starts(const struct text *t, const char *prefix)
{
	size_t n = strlen(prefix);

	return n <= t->len && memcmp(t->at, prefix, n) == 0;
}
