/*
 * test_report.c - a report survives the way from one process to the other.
 */
#include "aclserver/report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aclserver/channel.h"
#include "aclserver/commit.h"
#include "common/cleanup.h"

static void
encodes_one_form(void **state)
{
	struct diags d;
	AUTO_FREE char *text = NULL;
	size_t len;

	(void)state;
	diags_init(&d);
	diags_add(&d, DIAG_WARNING, "b", 0, NULL, "w");
	diags_add(&d, DIAG_ERROR, "/a\\b.rules", 3, "-A \xc3\xa4 \"x\" \xff",
		"unknown option \"%s\"", "--dprt");
	text = report_encode(1, &d, 4096, &len);
	assert_non_null(text);
	assert_string_equal(text,
		"{\"returncode\":1,\"errors\":1,\"warnings\":1,\"omitted\":0,"
		"\"problems\":[{\"file\":\"/a\\\\b.rules\",\"line\":3,\"severity\":"
		"\"error\",\"reason\":\"unknown option \\\"--dprt\\\"\",\"rule\":"
		"\"-A \xc3\xa4 \\\"x\\\" \\ufffd\"},{\"file\":\"b\",\"line\":0,"
		"\"severity\":\"warning\",\"reason\":\"w\"}]}");
	assert_int_equal(len, strlen(text));
	diags_done(&d);
}

static void
report_survives_the_round_trip(void **state)
{
	struct diags d;
	struct report report;
	AUTO_FREE char *text = NULL;
	size_t len;

	(void)state;
	diags_init(&d);
	diags_add(&d, DIAG_ERROR, "/a", 2147483647, "\"q\" \\ \xff", "no \"%s\"", "x");
	diags_add(&d, DIAG_ERROR, "", 0, "", "%s", "");
	diags_add(&d, DIAG_WARNING, "/b", 7, NULL, "careful");
	text = report_encode(-2147483647 - 1, &d, 4096, &len);
	assert_int_equal(report_decode(text, len, &report), 0);
	assert_int_equal(report.returncode, -2147483647 - 1);
	assert_int_equal(report.diags.n, 3);
	assert_int_equal(report.diags.errors, 2);
	assert_int_equal(report.diags.warnings, 1);
	assert_int_equal(report.diags.omitted, 0);
	assert_string_equal(report.diags.items[0].file, "/a");
	assert_int_equal(report.diags.items[0].line, 2147483647);
	assert_string_equal(report.diags.items[0].reason, "no \"x\"");
	assert_string_equal(report.diags.items[0].rule, "\"q\" \\ \xef\xbf\xbd");
	assert_string_equal(report.diags.items[1].rule, "");
	assert_int_equal(report.diags.items[2].severity, DIAG_WARNING);
	assert_null(report.diags.items[2].rule);
	report_done(&report);
	diags_done(&d);
}

static void
empty_report_survives_the_round_trip(void **state)
{
	struct diags d;
	struct report report;
	AUTO_FREE char *text = NULL;
	size_t len;

	(void)state;
	diags_init(&d);
	text = report_encode(0, &d, REPORT_SIZE_MIN, &len);
	assert_string_equal(text, "{\"returncode\":0,\"errors\":0,\"warnings\":0,"
				  "\"omitted\":0,\"problems\":[]}");
	assert_int_equal(report_decode(text, len, &report), 0);
	assert_int_equal(report.returncode, 0);
	assert_int_equal(report.diags.n, 0);
	report_done(&report);
}

static void
what_does_not_fit_is_counted_as_omitted(void **state)
{
	struct diags d;
	size_t last = 0;

	(void)state;
	diags_init(&d);
	for (int i = 0; i < DIAGS_MAX + 10; i++)
		diags_add(&d, i % 2 ? DIAG_ERROR : DIAG_WARNING, "/file", i,
			"-A FORWARD -j DROP", "reason %d", i);
	for (size_t max = REPORT_SIZE_MIN; max < 30000; max += 97) {
		struct report report;
		size_t len;
		AUTO_FREE char *text = report_encode(1, &d, max, &len);

		assert_true(len <= max);
		assert_int_equal(report_decode(text, len, &report), 0);
		assert_int_equal(report.diags.n + report.diags.omitted, DIAGS_MAX + 10);
		assert_int_equal(report.diags.errors, DIAGS_MAX / 2 + 5);
		assert_true(report.diags.n >= last);
		last = report.diags.n;
		/* Warnings wait until all errors are in. */
		for (size_t i = 0; i < report.diags.n && i < DIAGS_MAX / 2; i++)
			assert_int_equal(report.diags.items[i].severity, DIAG_ERROR);
		report_done(&report);
	}
	assert_true(last > 200);
	diags_done(&d);
}

static void
huge_problem_does_not_hide_the_others(void **state)
{
	struct diags d;
	struct report report;
	AUTO_FREE char *text = NULL;
	size_t len;

	(void)state;
	diags_init(&d);
	diags_add(&d, DIAG_ERROR, "/a", 1, NULL, "%05000d", 0);
	diags_add(&d, DIAG_ERROR, "/b", 2, NULL, "small");
	text = report_encode(1, &d, 1024, &len);
	assert_int_equal(report_decode(text, len, &report), 0);
	assert_int_equal(report.diags.n, 1);
	assert_int_equal(report.diags.omitted, 1);
	assert_string_equal(report.diags.items[0].file, "/b");
	report_done(&report);
	diags_done(&d);
}

/* @text is refused and the result left alone. */
static void
assert_refused(const char *text)
{
	struct report report = { .returncode = 77 };
	char *exact = memcpy(malloc(strlen(text) + 1), text, strlen(text));

	assert_int_equal(report_decode(exact, strlen(text), &report), -EBADMSG);
	assert_int_equal(report.returncode, 77);
	free(exact);
}

#define HEAD                                                                           \
	"{\"returncode\":1,\"errors\":1,\"warnings\":0,\"omitted\":0,\"problems\":["
#define PROBLEM "{\"file\":\"f\",\"line\":1,\"severity\":\"error\",\"reason\":\"r\"}"

static void
only_the_one_form_is_read(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		" " HEAD PROBLEM "]}",
		HEAD PROBLEM "]}\n",
		HEAD PROBLEM ",]}",
		HEAD PROBLEM PROBLEM "]}",
		HEAD "," PROBLEM "]}",
		HEAD "]}",
		HEAD PROBLEM "," PROBLEM "]}",
		"{\"returncode\":01,\"errors\":0,\"warnings\":0,\"omitted\":0,"
		"\"problems\":[]}",
		"{\"returncode\":-0,\"errors\":0,\"warnings\":0,\"omitted\":0,"
		"\"problems\":[]}",
		"{\"returncode\":2147483648,\"errors\":0,\"warnings\":0,\"omitted\":0,"
		"\"problems\":[]}",
		"{\"returncode\":-2147483649,\"errors\":0,\"warnings\":0,\"omitted\":0,"
		"\"problems\":[]}",
		"{\"returncode\":,\"errors\":0,\"warnings\":0,\"omitted\":0,"
		"\"problems\":[]}",
		"{\"returncode\":0,\"errors\":9007199254740993,\"warnings\":0,"
		"\"omitted\":"
		"9007199254740993,\"problems\":[]}",
		"{\"returncode\":0,\"errors\":1,\"warnings\":0,\"omitted\":0,"
		"\"problems\":[]}",
		HEAD "{\"file\":\"f\",\"line\":-1,\"severity\":\"error\",\"reason\":"
		     "\"r\"}]}",
		HEAD
		"{\"file\":\"f\",\"line\":1,\"severity\":\"fatal\",\"reason\":\"r\"}]}",
		HEAD "{\"file\":\"f\",\"line\":1,\"severity\":\"warning\",\"reason\":"
		     "\"r\"}]}",
		HEAD
		"{\"file\":null,\"line\":1,\"severity\":\"error\",\"reason\":\"r\"}]}",
		HEAD
		"{\"file\":\"f\",\"line\":1,\"severity\":\"error\",\"reason\":\"r\","
		"\"rule\":null}]}",
		HEAD "{\"file\":\"f\",\"line\":1,\"severity\":\"error\",\"reason\":"
		     "\"r\",}]}",
		HEAD "{\"file\":\"\\n\",\"line\":1,\"severity\":\"error\",\"reason\":"
		     "\"r\"}]}",
		HEAD "{\"file\":\"\n\",\"line\":1,\"severity\":\"error\",\"reason\":"
		     "\"r\"}]}",
		HEAD "{\"file\":\"\x7f\",\"line\":1,\"severity\":\"error\",\"reason\":"
		     "\"r\"}]}",
		HEAD "{\"file\":\"\xff\",\"line\":1,\"severity\":\"error\",\"reason\":"
		     "\"r\"}]}",
		HEAD "{\"file\":\"f\",\"line\":1,\"severity\":\"error\",\"reason\":\"r",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_refused(texts[i]);
}

static void
every_beginning_of_a_report_is_refused(void **state)
{
	const char text[] =
		HEAD "{\"file\":\"f\\\\\",\"line\":1,\"severity\":\"error\",\"reason\":"
		     "\"\\ufffd\",\"rule\":\"x\"}]}";
	struct report report;
	char part[sizeof(text)];

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		memcpy(part, text, len);
		part[len] = '\0';
		assert_refused(part);
	}
	assert_int_equal(report_decode(text, sizeof(text) - 1, &report), 0);
	assert_string_equal(report.diags.items[0].file, "f\\");
	report_done(&report);
}

static void
more_problems_than_a_list_holds_are_refused(void **state)
{
	const char head[] = "{\"returncode\":1,\"errors\":1001,\"warnings\":0,"
			    "\"omitted\":0,\"problems\":[";
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	fputs(head, out);
	for (int i = 0; i <= DIAGS_MAX; i++)
		fputs(i ? "," PROBLEM : PROBLEM, out);
	fputs("]}", out);
	fclose(out);
	assert_refused(text);
	free(text);
}

/* @d reaches the other end with all its counts. */
static void
assert_arrives(const struct diags *d, size_t max)
{
	struct report report;
	size_t len;
	AUTO_FREE char *text = report_encode(1, d, max, &len);

	assert_non_null(text);
	assert_true(len <= max);
	assert_int_equal(report_decode(text, len, &report), 0);
	assert_int_equal(report.diags.errors, d->errors);
	assert_int_equal(report.diags.warnings, d->warnings);
	assert_int_equal(
		report.diags.n + report.diags.omitted, d->errors + d->warnings);
	report_done(&report);
}

/* A committer keeps the problems of each file and copies them into each result. */
static void
any_number_of_problems_arrives(void **state)
{
	static const int counts[] = { 0, 1, 2, 999, 1000, 1001, 1002, 5000, 100000 };
	char rule[2000];

	(void)state;
	memset(rule, '"', sizeof(rule) - 1);
	rule[sizeof(rule) - 1] = '\0';
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct diags file, result;

		diags_init(&file);
		diags_init(&result);
		diags_add(&result, DIAG_WARNING, "/general", 0, NULL, "w");
		for (int n = 0; n < counts[i]; n++)
			diags_add(&file, n % 3 ? DIAG_ERROR : DIAG_WARNING,
				"/etc/cumulus/acl/policy.d/50rest-x.rules", n + 2, rule,
				"unknown option \"%d\"", n);
		commit_copy_diags(&result, &file);
		assert_int_equal(result.errors + result.warnings, counts[i] + 1);
		assert_int_equal(result.errors, file.errors);
		assert_arrives(&result, CHANNEL_REPORT_MAX);
		diags_done(&result);
		diags_done(&file);
	}
}

static unsigned
next_random(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Several lists, some overfull, become one by moving and copying. */
static void
counts_agree_after_any_joining(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct diags result;

		diags_init(&result);
		for (unsigned part = 0; part < 4; part++) {
			unsigned n = next_random(&seed) % (2 * DIAGS_MAX);
			struct diags file;

			diags_init(&file);
			for (unsigned i = 0; i < n; i++)
				diags_add(&file,
					next_random(&seed) % 2 ? DIAG_ERROR
							       : DIAG_WARNING,
					"f", 1, NULL, "%*s",
					(int)(next_random(&seed) % 300), "r");
			if (next_random(&seed) % 2)
				diags_move(&result, &file);
			else
				commit_copy_diags(&result, &file);
			diags_done(&file);
		}
		assert_arrives(&result, REPORT_SIZE_MIN + next_random(&seed) % 100000);
		assert_arrives(&result, CHANNEL_REPORT_MAX);
		diags_done(&result);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_one_form),
		cmocka_unit_test(report_survives_the_round_trip),
		cmocka_unit_test(empty_report_survives_the_round_trip),
		cmocka_unit_test(what_does_not_fit_is_counted_as_omitted),
		cmocka_unit_test(huge_problem_does_not_hide_the_others),
		cmocka_unit_test(only_the_one_form_is_read),
		cmocka_unit_test(every_beginning_of_a_report_is_refused),
		cmocka_unit_test(more_problems_than_a_list_holds_are_refused),
		cmocka_unit_test(any_number_of_problems_arrives),
		cmocka_unit_test(counts_agree_after_any_joining),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
