/* test_tokens.c - the tokens file: every refusal with its line; who is found by what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/access.h"
#include "aclserver/tokens.h"

/* SHA-256 of "abc" (FIPS 180) and of "tg_x". */
#define HASH_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HASH_XYZ "6a818fa0a930490c5ab015802a3b7e793d21830e4a1e9ca6dc2570da52cf4d49"

struct seen {
	int n;
	int line;
	char text[600];
};

static void
on_problem(const char *file, int line, const char *reason, void *user_data)
{
	struct seen *seen = user_data;

	assert_string_equal(file, "tokens");
	if (seen->n++ > 0)
		return;
	seen->line = line;
	snprintf(seen->text, sizeof(seen->text), "%s", reason);
}

static struct tokens *
parse(const char *text)
{
	struct tokens *tokens = NULL;
	struct seen seen = { 0 };

	assert_int_equal(
		tokens_parse("tokens", text, strlen(text), &tokens, on_problem, &seen),
		0);
	assert_int_equal(seen.n, 0);
	return tokens;
}

static void
assert_refused(const char *text, int line, const char *reason)
{
	struct tokens *tokens = NULL;
	struct seen seen = { 0 };

	assert_int_equal(
		tokens_parse("tokens", text, strlen(text), &tokens, on_problem, &seen),
		-EINVAL);
	assert_null(tokens);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.line, line);
	if (!strstr(seen.text, reason))
		fail_msg("\"%s\" is not in \"%s\"", reason, seen.text);
}

static void
a_token_is_found_by_its_hash(void **state)
{
	struct tokens *tokens = parse("# who may\n\n"
				      "noc\tread,admin  sha256:" HASH_XYZ "\n"
				      "  bot write:ban_ sha256:" HASH_ABC "\r\n");
	const struct tokens_entry *entry = tokens_find(tokens, "abc", 3);

	(void)state;
	assert_int_equal(tokens_count(tokens), 2);
	assert_non_null(entry);
	assert_string_equal(entry->name, "bot");
	assert_int_equal(entry->line, 4);
	assert_null(tokens_find(tokens, "abd", 3));
	assert_null(tokens_find(tokens, "", 0));
	tokens_free(tokens);
}

static void
a_certificate_is_found_by_any_of_its_names(void **state)
{
	static const char names[] = "Some Body\0noc.example.net\0";
	struct tokens *tokens = parse("a read cert:noc.example.com\n"
				      "b read cert:noc.example.net \n"
				      "c read cert:Some Body\n");
	const struct tokens_entry *entry = tokens_find_subject(tokens, names);

	(void)state;
	assert_non_null(entry);
	assert_string_equal(entry->name, "b");
	assert_string_equal(tokens_find_subject(tokens, "Some Body\0")->name, "c");
	assert_null(tokens_find_subject(tokens, "noc.example\0"));
	assert_null(tokens_find_subject(tokens, ""));
	/* The name of a certificate is no token, whatever its hash. */
	assert_null(tokens_find(tokens, "Some Body", 9));
	tokens_free(tokens);
}

static void
wrong_lines_are_refused(void **state)
{
	(void)state;
	assert_refused("a", 1, "none of the scopes");
	assert_refused("\na/b read sha256:" HASH_ABC, 2, "a name has 1 to 32");
	assert_refused("a root sha256:" HASH_ABC, 1, "\"root\" is none of the scopes");
	assert_refused("a read, sha256:" HASH_ABC, 1, "\"\" is none of the scopes");
	assert_refused("a write:ban- sha256:" HASH_ABC, 1, "a-z, 0-9 and _");
	assert_refused("a write: sha256:" HASH_ABC, 1, "a-z, 0-9 and _");
	assert_refused("a writer sha256:" HASH_ABC, 1, "none of the scopes");
	assert_refused("a read", 1, "is missing");
	assert_refused("a read md5:00", 1, "is missing");
	assert_refused("a read sha256:00", 1, "64 hexadecimal digits");
	assert_refused("a read sha256:" HASH_ABC "0", 1, "64 hexadecimal digits");
	assert_refused("a read sha256:" HASH_ABC " # bot", 1, "text behind the hash");
	assert_refused("a read cert: ", 1, "a name of the certificate");
	assert_refused("a read sha256:" HASH_ABC "\nb read sha256:" HASH_ABC, 2,
		"line 1 has the same");
	assert_refused("a read cert:x\nb read cert:x", 2, "line 1 has the same");
}

static void
a_line_that_is_too_long_or_has_a_nul_is_refused(void **state)
{
	static const char nul[] = "a read cert:x\0y";
	struct tokens *tokens = NULL;
	struct seen seen = { 0 };
	char text[4096];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_refused(text, 1, "longer than");
	assert_int_equal(tokens_parse("tokens", nul, sizeof(nul) - 1, &tokens,
				 on_problem, &seen),
		-EINVAL);
	assert_int_equal(seen.n, 1);
}

static void
more_entries_than_the_limit_are_refused(void **state)
{
	char *text = malloc((TOKENS_MAX + 1) * 32 + 1), *to = text;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < TOKENS_MAX; i++)
		to += snprintf(to, 32, "a read cert:%d\n", i);
	tokens_free(parse(text));
	snprintf(to, 32, "a read cert:x\n");
	assert_refused(text, TOKENS_MAX + 1, "more than 1024");
	free(text);
}

static void
scopes_hold_for_what_they_name(void **state)
{
	struct scopes scopes;
	struct err err;

	(void)state;
	assert_int_equal(scopes_parse("read,write:ban_,write:x", &scopes, &err), 0);
	assert_true(scopes_have(&scopes, SCOPE_READ, ""));
	assert_true(scopes_have(&scopes, SCOPE_WRITE, "ban_1"));
	assert_true(scopes_have(&scopes, SCOPE_WRITE, "x"));
	assert_false(scopes_have(&scopes, SCOPE_WRITE, "ban"));
	assert_false(scopes_have(&scopes, SCOPE_ADMIN, ""));
	assert_int_equal(scopes_parse("write", &scopes, &err), 0);
	assert_true(scopes_have(&scopes, SCOPE_WRITE, "anything"));
	assert_false(scopes_have(&scopes, SCOPE_READ, ""));
	assert_false(scopes_have(&scopes, SCOPE_ADMIN, ""));
	assert_int_equal(scopes_parse("admin", &scopes, &err), 0);
	assert_true(scopes_have(&scopes, SCOPE_READ, ""));
	assert_true(scopes_have(&scopes, SCOPE_WRITE, "anything"));
	assert_true(scopes_have(&scopes, SCOPE_ADMIN, ""));
	assert_int_equal(scopes_parse("write:a,write:a,write:a,write:a,write:a,write:a,"
				      "write:a,write:a,write:a,write:a,write:a,write:a,"
				      "write:a,write:a,write:a,write:a,write:a",
				 &scopes, &err),
		-EINVAL);
}

static void
only_a_bearer_token_is_taken_from_the_header(void **state)
{
	static const char *const wrong[] = { "", "Bearer", "Bearer ", "Bearerabc",
		"Basic YTpi", "Bearer a b", "Bearer a,b", "Bearer =", "Bearer \"a\"" };
	char longest[TOKEN_TEXT_MAX + 9] = "Bearer ";
	const char *token;
	size_t len;

	(void)state;
	token = tokens_from_header("bearer  tg_a-Z~+/.9== ", &len);
	assert_non_null(token);
	assert_int_equal(len, strlen("tg_a-Z~+/.9=="));
	assert_memory_equal(token, "tg_a-Z~+/.9==", len);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_null(tokens_from_header(wrong[i], &len));
	memset(longest + 7, 'a', TOKEN_TEXT_MAX);
	assert_non_null(tokens_from_header(longest, &len));
	assert_int_equal(len, TOKEN_TEXT_MAX);
	longest[7 + TOKEN_TEXT_MAX] = 'a';
	assert_null(tokens_from_header(longest, &len));
}

static void
a_new_token_fits_to_its_line(void **state)
{
	uint8_t random[TOKEN_NEW_BYTES];
	char token[TOKEN_NEW_SIZE], line[512];
	const struct tokens_entry *entry;
	struct tokens *tokens;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)(i * 37 + 250);
	tokens_format_new(random, token);
	assert_string_equal(token, "tg_-h9EaY6z2P0iR2yRttsAJUpvlLneAyhNcpe84QYrUHU");
	assert_int_equal(tokens_format_line("bot", "read,write:a_", token, line,
				 sizeof(line), &err),
		0);
	tokens = parse(line);
	entry = tokens_find(tokens, token, strlen(token));
	assert_non_null(entry);
	assert_string_equal(entry->name, "bot");
	tokens_free(tokens);
	assert_int_equal(
		tokens_format_line("b t", "read", token, line, sizeof(line), &err),
		-EINVAL);
	assert_int_equal(
		tokens_format_line("b", "all", token, line, sizeof(line), &err),
		-EINVAL);
}

static void
callers_are_told_apart(void **state)
{
	struct access *access = access_new();
	struct caller caller;

	(void)state;
	assert_non_null(access);
	assert_int_equal(access_identify(access, NULL, "", &caller), ACCESS_GRANTED);
	assert_false(caller.is_limited);
	access_use(access, parse("bot write sha256:" HASH_ABC "\nnoc read cert:noc\n"));
	assert_int_equal(
		access_identify(access, NULL, "", &caller), ACCESS_NO_CREDENTIAL);
	assert_int_equal(
		access_identify(access, NULL, "no\0", &caller), ACCESS_NO_CREDENTIAL);
	assert_int_equal(
		access_identify(access, "Bearer abd", "", &caller), ACCESS_UNKNOWN);
	/* A token that is sent counts alone, even beside a good certificate. */
	assert_int_equal(access_identify(access, "Bearer abd", "noc\0", &caller),
		ACCESS_UNKNOWN);
	assert_int_equal(access_identify(access, "Basic abc", "noc\0", &caller),
		ACCESS_MALFORMED);
	assert_int_equal(
		access_identify(access, NULL, "noc\0", &caller), ACCESS_GRANTED);
	assert_true(caller.is_limited && caller.scopes.read);
	assert_int_equal(access_identify(access, "Bearer abc", "noc\0", &caller),
		ACCESS_GRANTED);
	assert_string_equal(caller.name, "bot");
	assert_false(caller.scopes.read);
	/* From one request to the next. */
	access_use(access, parse("# nobody\n"));
	assert_int_equal(
		access_identify(access, "Bearer abc", "", &caller), ACCESS_UNKNOWN);
	access_free(access);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_found_by_its_hash),
		cmocka_unit_test(a_certificate_is_found_by_any_of_its_names),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(a_line_that_is_too_long_or_has_a_nul_is_refused),
		cmocka_unit_test(more_entries_than_the_limit_are_refused),
		cmocka_unit_test(scopes_hold_for_what_they_name),
		cmocka_unit_test(only_a_bearer_token_is_taken_from_the_header),
		cmocka_unit_test(a_new_token_fits_to_its_line),
		cmocka_unit_test(callers_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
