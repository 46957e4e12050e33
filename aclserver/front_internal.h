/*
 * front_internal.h - what front.c and front_relay.c share. All of it belongs to the
 * front's thread, but for the TLS configuration.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "aclserver/front.h"
#include "common/loop.h"
#include "common/ratelimit.h"

struct front_conn;

struct front_listener {
	struct front *front;
	int fd; /* owned; -1 = none */
	bool tls;
	struct loop_source *source;
};

struct front {
	struct loop *loop;
	struct front_listener listeners[LISTEN_MAX];
	struct listen_list listen; /* one for each listener */
	const struct prefix_list *allow;
	struct front_peers *peers;
	uint32_t max_connections, n_connections;
	int64_t timeout_ms;
	uint16_t http_port;
	struct front_conn *silent, **silent_end; /* that sent nothing, oldest first */
	struct loop_source *pause; /* ends a time in which nobody is let in */
	struct ratelimit log_limit;
	pthread_t thread;

	pthread_mutex_t lock; /* guards all below */
	struct front_tls *tls;
};

/** Take over the connected socket @fd of @peer, which is copied. 0, or negative errno
 * and @fd is the caller's. */
int front_conn_open(struct front *front, int fd, const struct front_listener *listener,
	const struct front_peer *peer);

/** End a connection at once. */
void front_conn_close(struct front_conn *conn);

/** True if one more line about clients may be logged. */
bool front_may_log(struct front *front);
