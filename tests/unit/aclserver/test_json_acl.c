/* test_json_acl.c - the body of a PUT and of its GET: what is taken, what is refused
 * and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/json_acl.h"
#include "aclserver/json_out.h"

enum { MAX_LINES = 5 };

static void
assert_decodes(const char *json, const char *expected)
{
	struct err err = { 0 };
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(
		json_acl_decode(json, strlen(json), MAX_LINES, &text, &len, &err), 0);
	assert_int_equal(len, strlen(expected));
	assert_string_equal(text, expected);
	free(text);
}

static void
assert_refused_bytes(const char *json, size_t len, int code, const char *reason)
{
	struct err err = { 0 };
	char *text = NULL;
	size_t text_len = 0;

	assert_int_equal(
		json_acl_decode(json, len, MAX_LINES, &text, &text_len, &err), code);
	assert_null(text);
	if (!strstr(err.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
}

static void
assert_refused(const char *json, const char *reason)
{
	assert_refused_bytes(json, strlen(json), -EINVAL, reason);
}

static void
each_string_becomes_a_line(void **state)
{
	(void)state;
	assert_decodes("[\"[iptables]\",\"-A FORWARD -j DROP\"]",
		"[iptables]\n-A FORWARD -j DROP\n");
	assert_decodes(" [ \"a\" ,\r\n\t\"b\" ] \n", "a\nb\n");
	assert_decodes("[]", "");
	assert_decodes("[\"\"]", "\n");
	assert_decodes("[\"\",\"\"]", "\n\n");
}

static void
escapes_are_decoded(void **state)
{
	(void)state;
	assert_decodes("[\"a\\\"b\\\\c\\/d\\te\"]", "a\"b\\c/d\te\n");
	assert_decodes("[\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\"]",
		"A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n");
	assert_decodes("[\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"]",
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n");
	assert_decodes("[\"tab\there\"]", "tab\there\n");
}

static void
what_is_no_array_of_strings_is_refused(void **state)
{
	(void)state;
	assert_refused("", "not a JSON array");
	assert_refused("{}", "not a JSON array");
	assert_refused("\"a\"", "not a JSON array");
	assert_refused("null", "not a JSON array");
	assert_refused("[\"a\",\"b\",3]", "element 3 is not a string");
	assert_refused("[null]", "element 1 is not a string");
	assert_refused("[[\"a\"]]", "element 1 is not a string");
	assert_refused("[{}]", "element 1 is not a string");
	assert_refused("[\"a\",]", "element 2 is not a string");
	assert_refused("[,\"a\"]", "element 1 is not a string");
	assert_refused("['a']", "element 1 is not a string");
}

static void
what_is_not_finished_or_goes_on_is_refused(void **state)
{
	(void)state;
	assert_refused("[", "not closed");
	assert_refused("[\"a\"", "not closed");
	assert_refused("[\"a\",", "not closed");
	assert_refused("[\"a", "element 1 is not closed");
	assert_refused("[\"a\\", "element 1 has an unknown escape");
	assert_refused("[\"a\\u12", "four hexadecimal digits");
	assert_refused("[\"a\" \"b\"]", "',' or ']' expected at byte 6");
	assert_refused("[\"a\"]]", "text behind the array at byte 6");
	assert_refused("[\"a\"] x", "text behind the array at byte 7");
	assert_refused_bytes("[]\0", 3, -EINVAL, "text behind the array");
}

static void
control_characters_name_their_element(void **state)
{
	(void)state;
	assert_refused("[\"a\",\"b\\nc\"]", "element 2 contains a line break");
	assert_refused("[\"a\\r\"]", "element 1 contains a line break");
	assert_refused("[\"a\nb\"]", "element 1 contains a line break");
	assert_refused("[\"\\u000a\"]", "line break");
	assert_refused("[\"\\u000D\"]", "line break");
	assert_refused("[\"\\u0000\"]", "element 1 contains a NUL");
	assert_refused_bytes("[\"a\0b\"]", 7, -EINVAL, "element 1 contains a NUL");
	assert_refused("[\"\\b\"]", "control character");
	assert_refused("[\"\\u001b\"]", "control character");
	assert_refused("[\"\x7f\"]", "control character");
	assert_refused("[\"\\u0085\"]", "control character");
	assert_refused("[\"\xc2\x85\"]", "control character");
}

static void
bad_encodings_are_refused(void **state)
{
	(void)state;
	assert_refused("[\"\xff\"]", "not UTF-8");
	assert_refused("[\"\xc3\"]", "not UTF-8");
	assert_refused("[\"\xc0\xaf\"]", "not UTF-8");         /* overlong */
	assert_refused("[\"\xe0\x80\xaf\"]", "not UTF-8");     /* overlong */
	assert_refused("[\"\xed\xa0\x80\"]", "not UTF-8");     /* surrogate */
	assert_refused("[\"\xf4\x90\x80\x80\"]", "not UTF-8"); /* above U+10FFFF */
	assert_refused("[\"\x80\"]", "not UTF-8");
	assert_refused("[\"\\ud800\"]", "surrogate");
	assert_refused("[\"\\ud800\\u0041\"]", "surrogate");
	assert_refused("[\"\\ude00\"]", "surrogate");
	assert_refused("[\"\\x41\"]", "unknown escape");
	assert_refused("[\"\\u+123\"]", "four hexadecimal digits");
}

static void
more_lines_than_allowed_are_refused(void **state)
{
	(void)state;
	assert_decodes("[\"1\",\"2\",\"3\",\"4\",\"5\"]", "1\n2\n3\n4\n5\n");
	assert_refused_bytes("[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]", 25, -E2BIG,
		"more than 5 lines");
}

static void
assert_encodes(const char *text, size_t text_len, const char *expected)
{
	size_t len;
	char *json = json_acl_encode(text, text_len, &len);

	assert_non_null(json);
	assert_string_equal(json, expected);
	assert_int_equal(len, strlen(expected));
	free(json);
}

static void
lines_are_encoded_as_they_were_sent(void **state)
{
	(void)state;
	assert_encodes("", 0, "[]");
	assert_encodes("\n", 1, "[\"\"]");
	assert_encodes("a\nb\n", 4, "[\"a\",\"b\"]");
	assert_encodes("a\n\nb", 4, "[\"a\",\"\",\"b\"]");
	assert_encodes("x\"\\\t\r\x01\n", 7, "[\"x\\\"\\\\\\t\\r\\u0001\"]");
	assert_encodes("\xc3\xa4\xff\n", 4, "[\"\xc3\xa4\\ufffd\"]");
	assert_encodes("a\0b\n", 4, "[\"a\\u0000b\"]");
}

static void
a_long_text_survives_the_round_trip(void **state)
{
	struct err err = { 0 };
	char text[4000], *json, *back = NULL;
	size_t json_len, back_len = 0;

	(void)state;
	memset(text, '"', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	json = json_acl_encode(text, sizeof(text), &json_len);
	assert_non_null(json);
	assert_int_equal(
		json_acl_decode(json, json_len, MAX_LINES, &back, &back_len, &err), 0);
	assert_int_equal(back_len, sizeof(text));
	assert_memory_equal(back, text, sizeof(text));
	free(back);
	free(json);
}

static void
names_are_encoded_in_their_order(void **state)
{
	const char *const names[] = { "a", "b_2" };
	size_t len;
	char *json = json_acl_encode_names(names, 2, &len);

	(void)state;
	assert_string_equal(json, "[\"a\",\"b_2\"]");
	free(json);
	json = json_acl_encode_names(NULL, 0, &len);
	assert_string_equal(json, "[]");
	free(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_string_becomes_a_line),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(what_is_no_array_of_strings_is_refused),
		cmocka_unit_test(what_is_not_finished_or_goes_on_is_refused),
		cmocka_unit_test(control_characters_name_their_element),
		cmocka_unit_test(bad_encodings_are_refused),
		cmocka_unit_test(more_lines_than_allowed_are_refused),
		cmocka_unit_test(lines_are_encoded_as_they_were_sent),
		cmocka_unit_test(a_long_text_survives_the_round_trip),
		cmocka_unit_test(names_are_encoded_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
