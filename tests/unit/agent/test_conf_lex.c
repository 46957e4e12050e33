/*
 * test_conf_lex.c - how hsflowd.conf is cut into tokens.
 */
#include "agent/conf_lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Tokens as "line:text", bad ones as "line!reason", separated by '|'. */
static const char *
tokens(const char *text, size_t len)
{
	static char out[4096];
	struct conf_lex lex;
	struct conf_token token;
	size_t used = 0;

	conf_lex_init(&lex, text, len);
	out[0] = '\0';
	for (conf_lex_next(&lex, &token); token.kind != CONF_TOKEN_END;
		conf_lex_next(&lex, &token))
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%d%c%s",
			used ? "|" : "", token.line,
			token.kind == CONF_TOKEN_BAD ? '!' : ':', token.text);
	return out;
}

static void
equals_and_semicolon_are_blanks(void **state)
{
	(void)state;
	assert_string_equal(tokens("a=b;c = d\r\n\te", 13), "1:a|1:b|1:c|1:d|2:e");
}

static void
braces_need_no_blank(void **state)
{
	(void)state;
	assert_string_equal(tokens("sflow{x{}}", 10), "1:sflow|1:{|1:x|1:{|1:}|1:}");
}

static void
a_comment_runs_to_the_end_of_the_line(void **state)
{
	static const char text[] = "a # b { \"\nc#d\n#";

	(void)state;
	assert_string_equal(tokens(text, sizeof(text) - 1), "1:a|2:c");
}

static void
quotes_protect_everything_but_the_line_end(void **state)
{
	static const char text[] = "x=\"^e{1} #=;\" \"\" \"open\nnext";

	(void)state;
	assert_string_equal(tokens(text, sizeof(text) - 1),
		"1:x|1:^e{1} #=;|1:|1!closing '\"' missing on this line|2:next");
}

static void
odd_words_are_bad_and_reading_goes_on(void **state)
{
	static const char text[] = "a\"b c\0d \x01 ok \xff";
	char longer[300];

	(void)state;
	assert_string_equal(tokens(text, sizeof(text) - 1),
		"1!'\"' inside a word|1!control character in a word|"
		"1!control character in a word|1:ok|1:\xff");
	memset(longer, 'x', sizeof(longer));
	assert_string_equal(
		tokens(longer, sizeof(longer)), "1!word longer than 255 bytes");
	assert_int_equal(strlen(tokens(longer, 255)), 257);
}

static void
the_end_stays_the_end(void **state)
{
	struct conf_lex lex;
	struct conf_token token;

	(void)state;
	conf_lex_init(&lex, "", 0);
	for (int i = 0; i < 3; i++) {
		conf_lex_next(&lex, &token);
		assert_int_equal(token.kind, CONF_TOKEN_END);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_and_semicolon_are_blanks),
		cmocka_unit_test(braces_need_no_blank),
		cmocka_unit_test(a_comment_runs_to_the_end_of_the_line),
		cmocka_unit_test(quotes_protect_everything_but_the_line_end),
		cmocka_unit_test(odd_words_are_bad_and_reading_goes_on),
		cmocka_unit_test(the_end_stays_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
