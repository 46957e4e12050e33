/*
 * utf8.c - one UTF-8 sequence, by the table of RFC 3629 section 4.
 */
#include "aclserver/utf8.h"

#include <stdint.h>

/* Sequences by their first byte; second_* bound the second one, all others are
 * 80..bf. */
struct shape {
	uint8_t first_lo, first_hi;
	uint8_t second_lo, second_hi;
	uint8_t len;
};

static const struct shape shapes[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static size_t
match_shape(const struct shape *shape, const uint8_t *p, size_t len)
{
	if (len < shape->len || p[1] < shape->second_lo || p[1] > shape->second_hi)
		return 0;
	for (size_t i = 2; i < shape->len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return shape->len;
}

size_t
utf8_sequence(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (p[0] >= shapes[i].first_lo && p[0] <= shapes[i].first_hi)
			return match_shape(&shapes[i], p, len);
	return 0;
}
