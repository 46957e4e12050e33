/*
 * front_tls.h - one configuration of TLS, and what it tells of a client. With
 * front_stream.c the only files that know OpenSSL's connections.
 *
 * TLS 1.2 and 1.3 with forward secrecy only; no renegotiation, no resumption (a client
 * certificate is looked at each time); ALPN http/1.1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/trust.h"
#include "common/err.h"

struct front_tls; /* owned by who made it */
struct ssl_st;

enum { FRONT_NAMES_SIZE = 1024 };

/**
 * Take over certificate (its chain behind it), key, and the CA of the clients, all PEM.
 * The text of @trust is borrowed for the call.
 *
 * @client_required  with a CA: refuse clients without a certificate of it
 * Returns           0, or -EINVAL with @err: which part is wrong, and why
 */
int front_tls_new(const struct trust *trust, bool client_required,
	struct front_tls **ret, struct err *err);

/** Connections go on with it until they end. Accepts NULL. */
void front_tls_free(struct front_tls *tls);

/** A server's end for a connected socket, or NULL without memory. SSL_free() it. */
struct ssl_st *front_tls_open(const struct front_tls *tls, int fd);

/**
 * The names in the verified certificate of the client: common name, and alternative
 * names (DNS, e-mail, URI), one after another, each with its NUL; an empty one ends
 * them.
 * Returns  0, also if there is no certificate; -E2BIG if they do not fit
 */
int front_tls_names(struct ssl_st *ssl, char ret[FRONT_NAMES_SIZE]);
