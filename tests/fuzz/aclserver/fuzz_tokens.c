/*
 * fuzz_tokens.c - the tokens file, and an Authorization header against it: whatever is
 * accepted is within its limits, and is found again by what it says.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/tokens.h"
#include "tests/fuzz/fuzz.h"

static void
on_problem(const char *file, int line, const char *reason, void *user_data)
{
	require(strcmp(file, "fuzz") == 0 && line > 0 && reason[0] != '\0');
	++*(int *)user_data;
}

/* The first line is the header, too. */
static void
check_header(const char *text, const struct tokens *tokens)
{
	const struct tokens_entry *entry;
	size_t len = 0;
	const char *token = tokens_from_header(text, &len);

	if (!token)
		return;
	require(len > 0 && len <= TOKEN_TEXT_MAX);
	require(token >= text && token + len <= text + strlen(text));
	entry = tokens_find(tokens, token, len);
	if (entry) {
		uint8_t hash[TOKEN_HASH_SIZE];

		tokens_hash(token, len, hash);
		require(memcmp(hash, entry->hash, sizeof(hash)) == 0);
		require(entry->subject[0] == '\0');
	}
}

static void
check_subject(const char *text, const struct tokens *tokens)
{
	char names[TOKEN_SUBJECT_SIZE + 1] = "";
	const struct tokens_entry *entry;

	memcpy(names, text, strnlen(text, TOKEN_SUBJECT_SIZE - 1));
	entry = tokens_find_subject(tokens, names);
	require(!entry || strcmp(entry->subject, names) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct tokens *tokens = NULL;
	int n_problems = 0;
	int result = tokens_parse(
		"fuzz", (const char *)data, size, &tokens, on_problem, &n_problems);

	require(text != NULL);
	require((result == 0) == (n_problems == 0));
	require((result == 0) == (tokens != NULL));
	if (tokens) {
		require(tokens_count(tokens) <= TOKENS_MAX);
		text[strcspn(text, "\n")] = '\0';
		check_header(text, tokens);
		check_subject(text, tokens);
	}
	tokens_free(tokens);
	free(text);
	return 0;
}
