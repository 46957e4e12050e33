/*
 * front.h - listens where the HTTP library cannot, on IPv6 addresses and for TLS, and
 * where it should not: on addresses that others reach.
 *
 * One thread ends TLS and passes bytes, which it does not interpret, between clients
 * and the HTTP server of this process, on its internal port. A client costs a thread
 * there only from its first byte on. Reading order: front.c (who is let in),
 * front_relay.c (one connection), front_stream.c (plain or TLS), front_peers.c (how the
 * HTTP server knows who it is).
 */
#pragma once

#include <stdint.h>

#include "aclserver/front_peers.h"
#include "aclserver/front_tls.h"
#include "aclserver/server_conf_listen.h"
#include "common/err.h"

struct front;

struct front_options {
	const struct listen_list *listen; /* those that are not direct; borrowed for
					     the call */
	const struct prefix_list *allow;  /* clients beside this machine's, empty = all;
					     borrowed for ever */
	struct front_tls *take_tls;       /* taken; NULL where nothing is https */
	struct front_peers *peers;        /* borrowed for ever */
	uint32_t max_connections;
	int64_t timeout_ms; /* for a handshake, the first byte, to take an answer */
};

/** Listen. The TLS configuration is taken in any case. 0; -EADDRINUSE, -EADDRNOTAVAIL,
 * -EACCES (cannot listen); other negative errno. */
int front_new(const struct front_options *options, struct front **ret, struct err *err);

/** Only before front_start(), and with NULL. */
void front_free(struct front *front);

/** Where it listens, with the ports that the kernel gave for 0. */
const struct listen_list *front_listen(const struct front *front);

/** Serve, in a thread of its own until the process ends: connections are passed to
 * @http_port on 127.0.0.1. 0 or negative errno. */
int front_start(struct front *front, uint16_t http_port, struct err *err);

/** From now on new connections get this one; those that exist keep theirs, and are
 * closed after one more answer. Any thread may call. @take_tls is taken. */
void front_use_tls(struct front *front, struct front_tls *take_tls);
