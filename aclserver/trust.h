/*
 * trust.h - the files that say who may come in: tokens, certificate, key, CA of the
 * clients.
 *
 * The committer reads and checks them, when it reads the configuration, and hands them
 * on together with it: the HTTP process needs no right to read a key, and an error
 * leaves what runs as it is.
 */
#pragma once

#include <stddef.h>

#include "aclserver/server_conf.h"

enum trust_part {
	TRUST_TOKENS,
	TRUST_CERTIFICATE,
	TRUST_KEY,
	TRUST_CLIENT_CA,
	TRUST_PARTS, /* number of them */
};

/** Of a configuration with what it names, more than four files of 1 MiB. */
enum { TRUST_TEXT_MAX = 6 << 20 };

struct trust {
	char *text[TRUST_PARTS]; /* owned, with a NUL behind; NULL = not configured */
	size_t len[TRUST_PARTS];
};

/** Wipe and free; accepts a zeroed struct. */
void trust_done(struct trust *trust);

/**
 * Read and check the files that @conf names, and append them to *@text, the text of the
 * configuration, which moves. Nothing is appended if it names none.
 *
 * @problem  called once per problem, with the file in question
 * Returns   0, or negative errno after problems; *@text is then as before
 */
int trust_load(const struct server_conf *conf, char **text, size_t *len,
	conf_problem_fn problem, void *user_data);

/** True if two texts of trust_load() differ at most in what was appended. */
bool trust_has_same_conf(const char *a, size_t a_len, const char *b, size_t b_len);

/**
 * The other end: find what trust_load() appended.
 *
 * @text          as it came, borrowed for the call
 * @ret_conf_len  length of the text of the configuration, the first part of @text
 * Returns        0 and @ret for trust_done(); -EBADMSG, -ENOMEM
 */
int trust_take(const char *text, size_t len, size_t *ret_conf_len, struct trust *ret);
