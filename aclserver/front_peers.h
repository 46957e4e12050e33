/*
 * front_peers.h - who is behind the connections that the front makes to the HTTP
 * server of its own process.
 *
 * Nothing that a client can send says who it is: the connection does. Each comes from a
 * source of its own in 127.0.0.0/8, address and port, and its client stands in this
 * table under it. Nobody can tell which one comes next, out of 2^38: a request that is
 * still being read when its connection has ended is not taken for that of a client that
 * came later, be it another client's or that of a stranger on this machine, who may
 * use any address of the loopback. Whoever else connects is not in the table.
 *
 * Any thread may call.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "aclserver/front_tls.h"

/** A client. */
struct front_peer {
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	char names[FRONT_NAMES_SIZE]; /* as of front_tls_names() */
	uint32_t generation;          /* front_peers_generation() as it connected */
};

struct front_peers;

/** Room for @max clients; NULL without memory. */
struct front_peers *front_peers_new(uint32_t max);

/** Accepts NULL. */
void front_peers_free(struct front_peers *peers);

/**
 * Bind the unconnected socket @fd to a source that nobody else has, and enter @peer,
 * borrowed until front_peers_remove(), under it. To be connected afterwards.
 * @ret     what to remove it by
 * Returns  0 or negative errno; -EMFILE if the table is full
 */
int front_peers_add(struct front_peers *peers, int fd, const struct front_peer *peer,
	uint32_t *ret);

/** What is asked of clients changes: those that are connected already had to show
 * something else. */
void front_peers_renew(struct front_peers *peers);

/** How often it has changed. */
uint32_t front_peers_generation(struct front_peers *peers);

/** Forget what was entered; to be called before the socket is closed, as then its port
 * is free. */
void front_peers_remove(struct front_peers *peers, uint32_t source);

/** The client behind the connection from this source; false if there is none. */
bool front_peers_find(struct front_peers *peers, const char *address, uint16_t port,
	struct front_peer *ret);
