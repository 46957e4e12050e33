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
	const struct api *api;      /* borrowed for ever */
};

/**
 * Listen and start to serve. SIGPIPE must be ignored; signals that no thread may take
 * must be blocked before.
 * Returns 0; -EADDRINUSE, -EADDRNOTAVAIL, -EACCES (cannot listen); other negative errno
 */
int http_start(const struct http_options *options, struct http **ret, struct err *err);

/** The port that is listened on. */
uint16_t http_port(const struct http *http);

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
