/*
 * http.h - HTTP/1.1 in front of api.h; http.c is the only file that knows civetweb.
 *
 * Requests run in civetweb's threads, one per open connection. Keep-alive and pipelined
 * requests work; bodies need a Content-Length; what civetweb refuses by itself is
 * answered in our form, too.
 */
#pragma once

#include <stdint.h>

#include "aclserver/api.h"
#include "common/err.h"

struct http;

struct http_options {
	const char *address;        /* IPv4; borrowed for the call */
	uint16_t port;              /* 0 = the kernel picks one */
	uint32_t threads;           /* connections served at the same time */
	int64_t request_timeout_ms; /* for a request to arrive, for an idle connection
				     */
	const struct api *api;      /* borrowed until http_stop() */
};

/**
 * Listen and start to serve. SIGPIPE must be ignored; signals that no thread may take
 * must be blocked before.
 * Returns 0; -EADDRINUSE, -EADDRNOTAVAIL, -EACCES (cannot listen); other negative errno
 */
int http_start(const struct http_options *options, struct http **ret, struct err *err);

/** The port that is listened on. */
uint16_t http_port(const struct http *http);

/**
 * Let the requests that run finish, for up to @grace_ms; new ones get 503. Then close
 * everything and free @http. Blocks; threads that are idle in a connection end within
 * two seconds.
 */
void http_stop(struct http *http, int64_t grace_ms);
