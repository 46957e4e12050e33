/*
 * tokens.h - the file of those who may use the REST interface. Pure.
 *
 * One line each, fields separated by blanks; '#' at its begin makes a line a comment:
 *
 *     NAME SCOPES sha256:HEX     who sends the token with this SHA-256
 *     NAME SCOPES cert:SUBJECT   whose verified client certificate has this common name
 *                                or subject alternative name (DNS, e-mail, URI)
 *
 * SCOPES are those of scopes.h, separated by commas. NAME is for messages; it may be
 * there more than once, so that a token can be replaced without a gap. Tokens are 256
 * random bits: there is nothing to guess, so that a hash without salt is enough.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "aclserver/scopes.h"
#include "common/conf.h"
#include "common/err.h"

enum {
	TOKENS_MAX = 1024,        /* entries */
	TOKEN_HASH_SIZE = 32,     /* SHA-256 */
	TOKEN_TEXT_MAX = 256,     /* bytes of a token that is sent */
	TOKEN_NAME_SIZE = 33,     /* with NUL */
	TOKEN_SUBJECT_SIZE = 256, /* with NUL */
	TOKEN_NEW_BYTES = 32,     /* random, in a new token */
	TOKEN_NEW_SIZE = 3 + 44,  /* text of a new token, with NUL */
};

struct tokens;

/** One who may. */
struct tokens_entry {
	char name[TOKEN_NAME_SIZE];
	int line; /* of the file */
	uint8_t hash[TOKEN_HASH_SIZE];
	char subject[TOKEN_SUBJECT_SIZE]; /* "" = it is the hash that counts */
	struct scopes scopes;
};

/**
 * Parse the file's text. Every problem is reported, with its line.
 * @file    name for messages
 * Returns  0 and @ret for tokens_free(); -EINVAL when problems were reported, -ENOMEM
 */
int tokens_parse(const char *file, const char *text, size_t len, struct tokens **ret,
	conf_problem_fn problem, void *user_data);

/** Accepts NULL. */
void tokens_free(struct tokens *tokens);

/** Number of entries. */
size_t tokens_count(const struct tokens *tokens);

/** The entry of a token, or NULL. Takes the same time wherever it is in the file, and
 * however much of its hash is right. */
const struct tokens_entry *tokens_find(
	const struct tokens *tokens, const char *token, size_t len);

/** The entry of a certificate, or NULL. @names: one after another, each with its NUL,
 * an empty one ends them. The first entry of the file that has one of them counts. */
const struct tokens_entry *tokens_find_subject(
	const struct tokens *tokens, const char *names);

/** The token in the value of an Authorization header, "Bearer TOKEN"; NULL if it is of
 * another form or longer than TOKEN_TEXT_MAX. Points into @value; its length is
 * @ret_len. */
const char *tokens_from_header(const char *value, size_t *ret_len);

/** SHA-256 of a token. */
void tokens_hash(const char *token, size_t len, uint8_t ret[TOKEN_HASH_SIZE]);

/** The text of a new token made of random bytes. */
void tokens_format_new(const uint8_t random[TOKEN_NEW_BYTES], char ret[TOKEN_NEW_SIZE]);

/** The line of the file for a token. Returns 0, or -EINVAL if name or scopes are wrong.
 * @ret is cut at @size, which never happens with 256 bytes more than @scopes has. */
int tokens_format_line(const char *name, const char *scopes, const char *token,
	char *ret, size_t size, struct err *err);
