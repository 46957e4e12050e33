/*
 * http_guard.h - ends connections whose client sends or takes bytes too slowly.
 *
 * civetweb limits the time between two bytes of a body or an answer, but not the whole:
 * a client that moves one byte now and then would hold its thread for ever. It also
 * keeps the socket to itself, so an overdue one is found by the address of its client.
 */
#pragma once

#include <stdint.h>

#include "common/mono.h"

struct http_guard;

/** One transfer that is watched. */
struct http_transfer {
	struct http_transfer *next; /* in the guard */
	struct mono deadline;
	const char *address; /* of the client, IPv4; borrowed until http_guard_end() */
	uint16_t port;       /* of the client, host order */
	bool reads;          /* from the client: it can still be answered afterwards */
};

/** NULL when out of memory. */
struct http_guard *http_guard_new(void);

/** Nothing may be watched any more. Accepts NULL. */
void http_guard_free(struct http_guard *guard);

/** The transfer @t (its address, port and deadline are set) begins. */
void http_guard_begin(struct http_guard *guard, struct http_transfer *t);

/** It has ended: its connection is not touched from now on. */
void http_guard_end(struct http_guard *guard, struct http_transfer *t);

/** Shut down the sockets of all transfers whose deadline is before @now, those that
 * read for reading only; number of them. To be called now and then. */
unsigned http_guard_check(struct http_guard *guard, struct mono now);
