/*
 * fuzz_conf.c - conf_parse() on arbitrary bytes: every problem has a line of the file
 * and a reason of one line, and as many are reported as are counted.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "tests/fuzz/fuzz.h"

struct settings {
	uint32_t number;
	_Bool flag;
	char *text;
	int64_t ms;
	uint64_t size;
};

struct seen {
	int problems;
	int last_line;
};

static const struct conf_key keys[] = {
	{ "number", conf_parse_u32, offsetof(struct settings, number), 1, 65535 },
	{ "flag", conf_parse_bool, offsetof(struct settings, flag), 0, 0 },
	{ "text", conf_parse_string, offsetof(struct settings, text), 1, 15 },
	{ "time", conf_parse_ms, offsetof(struct settings, ms), 100, 60000 },
	{ "size", conf_parse_size, offsetof(struct settings, size), 0, 1 << 30 },
	{ NULL, NULL, 0, 0, 0 },
};

static void
on_problem(const char *file, int line, const char *reason, void *user_data)
{
	struct seen *seen = user_data;

	if (strcmp(file, "fuzz") != 0 || line <= seen->last_line || !*reason ||
		strchr(reason, '\n'))
		abort();
	seen->problems++;
	seen->last_line = line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s = { .number = 1, .ms = 100 };
	struct seen seen = { 0, 0 };
	int n = conf_parse(
		"fuzz", (const char *)data, size, keys, &s, on_problem, &seen);

	if (n != seen.problems || s.number < 1 || s.number > 65535 || s.ms < 100 ||
		s.ms > 60000 || s.size > 1 << 30 || (s.text && strlen(s.text) > 15))
		abort();
	free(s.text);
	return 0;
}
