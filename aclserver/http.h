/*
 * http.h - HTTP/1.1 in front of api.h; http.c is the only file that knows civetweb.
 *
 * Requests run in civetweb's threads, one per open connection. Keep-alive and pipelined
 * requests work; bodies need a Content-Length; what civetweb refuses by itself is
 * answered in our form, too.
 */
#pragma once

#include <stdint.h>

#include "aclserver/access.h"
#include "aclserver/api.h"
#include "aclserver/front_peers.h"
#include "aclserver/server_conf_listen.h"
#include "common/err.h"

struct http;

struct http_options {
	const struct listen_list *listen; /* direct ones, may be empty; port 0: the
					     kernel picks one; borrowed for the call */
	const struct prefix_list *allow;  /* clients beside this machine's, empty = all;
					     borrowed for the call */
	struct access *access;            /* borrowed for ever */
	struct front_peers *peers;  /* not NULL: listen for the front as well, whose
				       clients are there; borrowed for ever */
	uint32_t threads;           /* connections served at the same time */
	int64_t request_timeout_ms; /* for a request to arrive, for an idle connection
				     */
	const struct api *api;      /* borrowed for ever */
};

/**
 * Listen and start to serve. SIGPIPE must be ignored; signals that no thread may take
 * must be blocked before.
 * Returns 0; -EADDRINUSE, -EADDRNOTAVAIL, -EACCES (cannot listen); other negative
 * errno. If @ret is set then, it serves already, and the process has to end.
 */
int http_start(const struct http_options *options, struct http **ret, struct err *err);

/** Where it listens, with the ports that the kernel gave for 0. */
const struct listen_list *http_listen(const struct http *http);

/** The port of 127.0.0.1 that only the front may connect to. */
uint16_t http_front_port(const struct http *http);

/** Close connections whose clients take more than the request timeout for a body or an
 * answer. To be called about once a second. */
void http_check(struct http *http);

/**
 * Let the requests that run finish, for up to @grace_s seconds; from now on new ones
 * get 503.
 *
 * To be called last before the process ends: the threads go on, and there is no way to
 * end them, because civetweb needs up to two seconds for that, in which nobody would
 * listen.
 */
void http_drain(struct http *http, unsigned grace_s);
