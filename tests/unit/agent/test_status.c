/*
 * test_status.c - the status as JSON and back, and what people read.
 */
#include "agent/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every text and number of @fields gets a value of its own. */
static void
fill_fields(const struct status_field *fields, char *base, uint64_t *counter)
{
	const bool yes = true;

	for (const struct status_field *f = fields; f->name; f++) {
		uint64_t number = ++*counter;

		if (f->type == STATUS_TEXT)
			snprintf(base + f->offset, f->size, "text %d", (int)number);
		else if (f->type == STATUS_NUMBER)
			memcpy(base + f->offset, &number, sizeof(number));
		else
			memcpy(base + f->offset, &yes, sizeof(yes));
	}
}

/* All members of all parts, and lists of 0, 1, 2, … elements. */
static void
fill_all(struct status *s)
{
	uint64_t counter = 1000;
	int n = 0;

	memset(s, 0, sizeof(*s));
	for (const struct status_part *p = status_parts; p->name; p++)
		fill_fields(p->fields, (char *)s + p->offset, &counter);
	for (const struct status_list *l = status_lists; l->name; l++, n++)
		for (int i = 0; i < n; i++)
			fill_fields(l->fields, status_add(s, l), &counter);
}

static void
decode(const char *text, struct status *ret)
{
	struct err err;

	assert_int_equal(status_json_decode(text, strlen(text), ret, &err), 0);
}

static void
expect_refused(const char *text, const char *reason)
{
	struct status s;
	struct err err;

	assert_int_equal(status_json_decode(text, strlen(text), &s, &err), -22);
	assert_non_null(strstr(err.text, reason));
	assert_null(s.ports);
}

static void
everything_survives_json(void **state)
{
	struct status before, after;
	char *text, *again;

	(void)state;
	fill_all(&before);
	text = status_json_encode(&before);
	decode(text, &after);
	again = status_json_encode(&after);
	assert_string_equal(text, again);
	assert_int_equal(after.n_sources, before.n_sources);
	assert_memory_equal(&after.agent, &before.agent, sizeof(after.agent));
	assert_memory_equal(
		after.ports, before.ports, before.n_ports * sizeof(*before.ports));
	free(text);
	free(again);
	status_done(&before);
	status_done(&after);
}

static void
large_numbers_are_written_exactly(void **state)
{
	struct status s = { .samples.received = UINT64_MAX };
	char *text = status_json_encode(&s);

	(void)state;
	assert_non_null(strstr(text, "18446744073709551615"));
	free(text);
}

static void
ok_is_true_without_warnings_only(void **state)
{
	struct status s = { 0 };
	char *text = status_json_encode(&s);

	(void)state;
	assert_non_null(strstr(text, "\"ok\":\ttrue"));
	free(text);
	status_warn(&s, "no %s", "collector");
	text = status_json_encode(&s);
	assert_non_null(strstr(text, "\"ok\":\tfalse"));
	assert_non_null(strstr(text, "\"warnings\":\t[\"no collector\"]"));
	free(text);
	status_done(&s);
}

static void
unknown_and_missing_members_are_fine(void **state)
{
	struct status s;

	(void)state;
	decode("{\"future\": [1, {}], \"agent\": {\"pid\": 7, \"new\": null}}", &s);
	assert_int_equal(s.agent.pid, 7);
	assert_int_equal(s.n_ports, 0);
	status_done(&s);
}

static void
what_is_of_another_type_is_refused(void **state)
{
	(void)state;
	expect_refused("", "not a JSON object");
	expect_refused("[]", "not a JSON object");
	expect_refused("{\"agent\": {\"pid\": \"7\"}}", "pid");
	expect_refused("{\"agent\": {\"pid\": -1}}", "pid");
	expect_refused("{\"agent\": {\"pid\": 1e300}}", "pid");
	expect_refused("{\"agent\": {\"version\": 1}}", "version");
	expect_refused("{\"ports\": [{}, {\"up\": 1}]}", "up");
	expect_refused("{\"warnings\": [{}]}", "warnings");
}

static void
long_texts_are_cut(void **state)
{
	char text[2000];
	struct status s;

	(void)state;
	snprintf(text, sizeof(text), "{\"agent\": {\"version\": \"%01000d\"}}", 0);
	decode(text, &s);
	assert_int_equal(strlen(s.agent.version), STATUS_WORD_SIZE - 1);
	status_done(&s);
}

static char *
print(struct status *s)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	status_print(s, out);
	fclose(out);
	return text;
}

static void
the_first_line_says_ok(void **state)
{
	struct status s = { 0 };
	struct status_port *port;
	char *text;

	(void)state;
	status_add_collector(&s);
	for (int i = 0; i < 3; i++) {
		port = status_add_port(&s);
		port->rate = i > 0 ? 1000 : 0;
		snprintf(port->source, sizeof(port->source), "nflog");
	}
	text = print(&s);
	assert_int_equal(
		strncmp(text, "OK: 2 of 3 ports sampled, 1 collector\n", 38), 0);
	free(text);
	status_done(&s);
}

static void
the_first_line_says_what_is_wrong(void **state)
{
	struct status s = { 0 };
	char *text;

	(void)state;
	status_warn(&s, "no collector");
	status_warn(&s, "no packet sampling: \033[2J");
	text = print(&s);
	assert_int_equal(
		strncmp(text,
			"NOT OK: no collector\nalso:   no packet sampling: ?[2J\n", 53),
		0);
	free(text);
	status_done(&s);
}

static void
a_port_is_one_line(void **state)
{
	struct status s = { 0 };
	struct status_port *p = status_add_port(&s);
	char *text;

	(void)state;
	*p = (struct status_port){ .name = "swp1",
		.ifindex = 3,
		.up = true,
		.speed_bps = 2500000000,
		.rate = 2500,
		.source = "nflog",
		.samples = 12,
		.pool = 30000,
		.polling_s = 30,
		.counters_sample = 2,
		.module = "QSFP28, 4 lanes" };
	text = print(&s);
	assert_non_null(strstr(text,
		"\nswp1                  3 up     2.5G     1 in "
		"2500 nflog              12 "
		"      30000        0   30 s         2 QSFP28, 4 lanes\n"));
	free(text);
	status_done(&s);
}

static void
a_list_beyond_its_limit_is_incomplete(void **state)
{
	struct status s = { 0 };

	(void)state;
	for (int i = 0; i < STATUS_LIST_MAX; i++)
		assert_non_null(status_add_source(&s));
	assert_false(s.incomplete);
	assert_null(status_add_source(&s));
	assert_true(s.incomplete);
	assert_int_equal(s.n_sources, STATUS_LIST_MAX);
	status_done(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_survives_json),
		cmocka_unit_test(large_numbers_are_written_exactly),
		cmocka_unit_test(ok_is_true_without_warnings_only),
		cmocka_unit_test(unknown_and_missing_members_are_fine),
		cmocka_unit_test(what_is_of_another_type_is_refused),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(the_first_line_says_ok),
		cmocka_unit_test(the_first_line_says_what_is_wrong),
		cmocka_unit_test(a_port_is_one_line),
		cmocka_unit_test(a_list_beyond_its_limit_is_incomplete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
