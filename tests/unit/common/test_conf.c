/*
 * test_conf.c - a table of keys against files that are right, and wrong in every way;
 * the whole list of problems is compared.
 */
#include "common/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct settings {
	uint32_t port;
	uint32_t any;
	_Bool strict;
	char *name;
	int64_t timeout_ms;
	uint64_t limit;
};

static const struct conf_key keys[] = {
	{ "port", conf_parse_u32, offsetof(struct settings, port), 1, 65535 },
	{ "any", conf_parse_u32, offsetof(struct settings, any), 0, 0 },
	{ "strict", conf_parse_bool, offsetof(struct settings, strict), 0, 0 },
	{ "name", conf_parse_string, offsetof(struct settings, name), 1, 20 },
	{ "timeout", conf_parse_ms, offsetof(struct settings, timeout_ms), 100, 60000 },
	{ "limit", conf_parse_size, offsetof(struct settings, limit), 1024, 0 },
	{ NULL, NULL, 0, 0, 0 },
};

struct problems {
	char text[4096]; /* "LINE: reason\n" each */
	size_t len;
};

static void
note(const char *file, int line, const char *reason, void *user_data)
{
	struct problems *p = user_data;

	assert_string_equal(file, "x.conf");
	p->len += (size_t)snprintf(
		p->text + p->len, sizeof(p->text) - p->len, "%d: %s\n", line, reason);
	assert_true(p->len < sizeof(p->text));
}

/* Parse @text into @s and compare all problems with @expected. */
static void
check_bytes(const char *text, size_t len, struct settings *s, const char *expected)
{
	struct problems p = { .len = 0 };
	char *copy = malloc(len + 1); /* exact size, so that reads behind it are seen */
	int n, lines = 0;

	memcpy(copy, text, len);
	copy = realloc(copy, len ? len : 1);
	n = conf_parse("x.conf", copy, len, keys, s, note, &p);
	free(copy);
	assert_string_equal(p.text, expected);
	for (const char *c = expected; *c; c++)
		lines += *c == '\n';
	assert_int_equal(n, lines);
}

static void
check(const char *text, struct settings *s, const char *expected)
{
	check_bytes(text, strlen(text), s, expected);
}

static void
every_type_is_stored(void **state)
{
	struct settings s = { 0 };

	(void)state;
	check("# comment\n"
	      "\n"
	      "   \t\n"
	      "port = 8080\n"
	      "any=0xffffffff\n"
	      "  strict\t=\tyes   # why\n"
	      "name = \"edge # 1\" # comment\n"
	      "timeout = 1500ms\n"
	      "limit = 64KiB\n",
		&s, "");
	assert_int_equal(s.port, 8080);
	assert_int_equal(s.any, UINT32_MAX);
	assert_true(s.strict);
	assert_string_equal(s.name, "edge # 1");
	assert_int_equal(s.timeout_ms, 1500);
	assert_int_equal(s.limit, 65536);
	free(s.name);
}

static void
last_line_needs_no_newline(void **state)
{
	struct settings s = { 0 };

	(void)state;
	check("any = 1\nport = 2", &s, "");
	assert_int_equal(s.port, 2);
	check("port = 3#", &s, "");
	assert_int_equal(s.port, 3);
	check("#", &s, "");
	check("", &s, "");
}

static void
windows_line_ends_are_taken(void **state)
{
	struct settings s = { 0 };

	(void)state;
	check("port = 5\r\n\r\nname = \"x\"\r\n", &s, "");
	assert_int_equal(s.port, 5);
	assert_string_equal(s.name, "x");
	free(s.name);
}

static void
all_problems_are_reported_with_their_lines(void **state)
{
	struct settings s = { .port = 1 };

	(void)state;
	check("colour = red\n"
	      "port 8080\n"
	      "port = 0\n"
	      "= 5\n"
	      "strict = maybe\n"
	      "any = 7\n"
	      "limit =\n",
		&s,
		"1: unknown key \"colour\"\n"
		"2: '=' is missing in \"port 8080\"\n"
		"3: port: \"0\" is out of range 1 to 65535\n"
		"4: no key before '='\n"
		"5: strict: \"maybe\" is neither yes nor no\n"
		"7: limit: \"\" is not a size such as 4096, 10K, 64KiB or 1GiB\n");
	assert_int_equal(s.any, 7);
	assert_int_equal(s.port, 1);
}

static void
duplicate_key_names_the_first_line(void **state)
{
	struct settings s = { 0 };

	(void)state;
	check("any = 1\n\nany = 2\nport = x\nport = 3\n", &s,
		"3: any: already set in line 1\n"
		"4: port: \"x\" is not a number\n"
		"5: port: already set in line 4\n");
	assert_int_equal(s.any, 1);
	assert_int_equal(s.port, 0);
}

static void
keys_are_compared_whole_and_with_case(void **state)
{
	struct settings s = { 0 };

	(void)state;
	check("por = 1\nports = 1\nPORT = 1\nport x = 1\n", &s,
		"1: unknown key \"por\"\n"
		"2: unknown key \"ports\"\n"
		"3: unknown key \"PORT\"\n"
		"4: unknown key \"port x\"\n");
}

static void
quotes_must_close_and_stand_at_both_ends(void **state)
{
	struct settings s = { 0 };

	(void)state;
	check("name = \"abc\n", &s, "1: name: closing quote is missing\n");
	check("name = \"abc\\\"\n", &s, "1: name: closing quote is missing\n");
	check("name = \"abc\\", &s,
		"1: name: only \\\" and \\\\ may follow a backslash in quotes\n");
	check("name = \"a\\n\"\n", &s,
		"1: name: only \\\" and \\\\ may follow a backslash in quotes\n");
	check("name = \"a\" b\n", &s, "1: name: text after the closing quote: b\n");
	check("name = a\"b\"\n", &s,
		"1: name: a quote must stand at both ends of the value\n");
	assert_null(s.name);
	check("name = \"a \\\"b\\\" \\\\ \"\n", &s, "");
	assert_string_equal(s.name, "a \"b\" \\ ");
	free(s.name);
}

static void
nul_and_control_bytes_are_refused(void **state)
{
	static const char nul[] = "any = 1\nname = a\0b\nport = 2\n";
	struct settings s = { 0 };

	(void)state;
	check_bytes(nul, sizeof(nul) - 1, &s,
		"2: control character 0x00 at byte 9 of the line\n");
	assert_int_equal(s.port, 2);
	check("name = \x1b[31m\nname = a\rb\n", &s,
		"1: control character 0x1b at byte 8 of the line\n"
		"2: control character 0x0d at byte 9 of the line\n");
	assert_null(s.name);
}

static void
line_length_is_limited(void **state)
{
	char text[2000];
	struct settings s = { 0 };

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "port=1", 6);
	text[1024] = '\n';
	check_bytes(text, 1025, &s, "");
	assert_int_equal(s.port, 1);
	text[1024] = ' ';
	text[1025] = '\n';
	memcpy(text + 1026, "any=9\n", 6);
	check_bytes(text, 1032, &s, "1: line is longer than 1024 bytes\n");
	assert_int_equal(s.any, 9);
}

static void
numbers_have_limits(void **state)
{
	struct settings s = { 0 };

	(void)state;
	check("port = 65536\nany = 4294967296\ntimeout = 99ms\nlimit = 1023\n", &s,
		"1: port: \"65536\" is out of range 1 to 65535\n"
		"2: any: \"4294967296\" is out of range, from 0\n"
		"3: timeout: \"99ms\" is out of range 100 ms to 60000 ms\n"
		"4: limit: \"1023\" is out of range, from 1024\n");
	check("port = -1\nany = +1\ntimeout = 5 s\nlimit = 1TiB\n", &s,
		"1: port: \"-1\" is not a number\n"
		"2: any: \"+1\" is not a number\n"
		"3: timeout: \"5 s\" is not a duration such as 500ms, 30s, 5min or 1h\n"
		"4: limit: \"1TiB\" is not a size such as 4096, 10K, 64KiB or 1GiB\n");
}

static void
sizes_are_decimal_or_binary(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "limit=4096", 4096 },
		{ "limit=10K", 10000 },
		{ "limit=10KiB", 10240 },
		{ "limit=3MiB", 3 << 20 },
		{ "limit=17179869183GiB", UINT64_C(17179869183) << 30 },
	};
	static const char *const bad[] = { "limit=17179869184GiB", "limit=KiB",
		"limit=1kiB", "limit=1KIB", "limit=1KKiB", "limit=1iB", "limit=1XiB",
		"limit=99999999999999999999KiB", "limit=000000000000000000000000001KiB",
		"limit=0x1KiB", "limit=1\xc0iB" };
	struct problems p;
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		check(good[i].text, &s, "");
		assert_int_equal(s.limit, good[i].value);
	}
	s.limit = 77;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p.len = 0;
		if (conf_parse("x.conf", bad[i], strlen(bad[i]), keys, &s, note, &p) !=
			1)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(s.limit, 77);
	}
}

static void
string_replaces_the_default_and_is_limited(void **state)
{
	struct settings s = { .name = strdup("default") };

	(void)state;
	check("name = \"\"\n", &s, "1: name: text has 0 bytes, allowed are 1 to 20\n");
	check("name = abcdefghijklmnopqrstu\n", &s,
		"1: name: text has 21 bytes, allowed are 1 to 20\n");
	assert_string_equal(s.name, "default");
	check("name = a b\tc \n", &s, "");
	assert_string_equal(s.name, "a b\tc");
	free(s.name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_stored),
		cmocka_unit_test(last_line_needs_no_newline),
		cmocka_unit_test(windows_line_ends_are_taken),
		cmocka_unit_test(all_problems_are_reported_with_their_lines),
		cmocka_unit_test(duplicate_key_names_the_first_line),
		cmocka_unit_test(keys_are_compared_whole_and_with_case),
		cmocka_unit_test(quotes_must_close_and_stand_at_both_ends),
		cmocka_unit_test(nul_and_control_bytes_are_refused),
		cmocka_unit_test(line_length_is_limited),
		cmocka_unit_test(numbers_have_limits),
		cmocka_unit_test(sizes_are_decimal_or_binary),
		cmocka_unit_test(string_replaces_the_default_and_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
