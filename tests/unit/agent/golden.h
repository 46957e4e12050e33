/*
 * golden.h - bytes of the files in tests/golden, and the comparison with them.
 *
 * A file has pairs of hexadecimal digits; '#' starts a comment.
 */
#pragma once

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct golden {
	uint8_t data[2048];
	size_t len;
};

static inline void
golden_add_line(struct golden *g, const char *line)
{
	unsigned byte;
	int used;

	while (isspace((unsigned char)*line))
		line++;
	while (*line && *line != '#') {
		assert_int_equal(sscanf(line, "%2x%n", &byte, &used), 1);
		assert_true(g->len < sizeof(g->data));
		g->data[g->len++] = (uint8_t)byte;
		for (line += used; isspace((unsigned char)*line);)
			line++;
	}
}

static inline void
golden_read(const char *name, struct golden *ret)
{
	char path[512];
	char line[512];
	FILE *file;

	snprintf(path, sizeof(path), TEST_DATA "/golden/%s.hex", name);
	file = fopen(path, "re");
	assert_non_null(file);
	ret->len = 0;
	while (fgets(line, sizeof(line), file))
		golden_add_line(ret, line);
	fclose(file);
	assert_true(ret->len > 0);
}

/* Says where the first difference is. */
static inline void
golden_compare(const uint8_t *data, size_t len, const uint8_t *want, size_t want_len)
{
	size_t i = 0;

	while (i < len && i < want_len && data[i] == want[i])
		i++;
	if (i != len || i != want_len)
		fail_msg("differs at offset 0x%zx: %zu bytes instead of %zu", i, len,
			want_len);
}
