/*
 * http_auth.h - whether a request may be answered: finds out who is behind its
 * connection and what they may do. Any thread may call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aclserver/access.h"
#include "aclserver/front_peers.h"

struct http_auth;

/** @access and @peers (NULL where there is no front) are borrowed for ever. NULL
 * without memory. */
struct http_auth *http_auth_new(struct access *access, struct front_peers *peers);

/** Accepts NULL. */
void http_auth_free(struct http_auth *auth);

/** The port that only the front may connect to; to be told before requests come. */
void http_auth_set_front_port(struct http_auth *auth, uint16_t port);

/** One request; all of it borrowed. */
struct http_auth_request {
	const char *address; /* of the other end of the connection, IPv4 */
	uint16_t port;       /* likewise */
	uint16_t own_port;   /* that it was made to */
	const char *method, *uri;
	const char *authorization; /* value of the header; NULL = none */
};

/** Why a request is refused. */
struct http_auth_refusal {
	int status;          /* 401 or 403 */
	const char *reason;  /* static */
	bool token_is_wrong; /* one was sent */
};

/** True and @ret_caller, or false and @ret_refusal; refusals are logged, some of them
 * if there are many. */
bool http_auth_check(struct http_auth *auth, const struct http_auth_request *request,
	struct caller *ret_caller, struct http_auth_refusal *ret_refusal);
