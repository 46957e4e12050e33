/*
 * access.h - who asks: finds out by token or client certificate, in the tokens that
 * hold at present. State; any thread may call.
 */
#pragma once

#include <stdbool.h>

#include "aclserver/scopes.h"
#include "aclserver/tokens.h"

struct access;

/** Who asks. */
struct caller {
	char name[TOKEN_NAME_SIZE]; /* "" where nobody is asked */
	bool is_limited;            /* to these scopes: */
	struct scopes scopes;
	bool is_last; /* request that is answered on this connection */
};

enum access_result {
	ACCESS_GRANTED,
	ACCESS_NO_CREDENTIAL, /* neither a token nor a certificate that is known */
	ACCESS_MALFORMED,     /* the Authorization header is no "Bearer TOKEN" */
	ACCESS_UNKNOWN,       /* the token is not known */
};

/** Asks nobody, before access_use(). NULL without memory. */
struct access *access_new(void);

/** Accepts NULL. */
void access_free(struct access *access);

/** From now on these tokens count; they are taken. */
void access_use(struct access *access, struct tokens *take_tokens);

/**
 * @authorization  value of the header, NULL if there is none. If there is one, it alone
 *                 counts
 * @names          of the client's certificate, as of front_tls_names()
 * Returns         ACCESS_GRANTED and @ret, or why not
 */
enum access_result access_identify(struct access *access, const char *authorization,
	const char *names, struct caller *ret);
