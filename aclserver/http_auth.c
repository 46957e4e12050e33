/*
 * http_auth.c - see http_auth.h.
 */
#include "aclserver/http_auth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/ratelimit.h"

enum { LOG_PER_S = 1, LOG_BURST = 10 };

struct http_auth {
	struct access *access;
	struct front_peers *peers; /* NULL = there is no front */
	uint16_t front_port;

	pthread_mutex_t lock; /* guards what follows */
	struct ratelimit log_limit;
};

struct http_auth *
http_auth_new(struct access *access, struct front_peers *peers)
{
	struct http_auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return NULL;
	auth->access = access;
	auth->peers = peers;
	ratelimit_init(&auth->log_limit, LOG_PER_S, LOG_BURST, mono_now());
	pthread_mutex_init(&auth->lock, NULL);
	return auth;
}

void
http_auth_free(struct http_auth *auth)
{
	if (!auth)
		return;
	pthread_mutex_destroy(&auth->lock);
	free(auth);
}

void
http_auth_set_front_port(struct http_auth *auth, uint16_t port)
{
	auth->front_port = port;
}

/* The client behind a connection. False for one to the front's port that is not the
 * front's. */
static bool
find_client(const struct http_auth *auth, const struct http_auth_request *request,
	struct front_peer *ret)
{
	*ret = (struct front_peer){ .port = request->port };
	(void)snprintf(ret->address, sizeof(ret->address), "%s", request->address);
	if (auth->peers)
		ret->generation = front_peers_generation(auth->peers);
	if (!auth->peers || request->own_port != auth->front_port)
		return true;
	return front_peers_find(auth->peers, request->address, request->port, ret);
}

static void
log_refusal(struct http_auth *auth, const struct http_auth_request *request,
	const char *address, const char *reason)
{
	uint64_t n;
	bool pass;

	pthread_mutex_lock(&auth->lock);
	pass = ratelimit_pass(&auth->log_limit, mono_now());
	n = pass ? ratelimit_take_refused(&auth->log_limit) : 0;
	pthread_mutex_unlock(&auth->lock);
	if (n > 0)
		log_warning("%llu more requests were refused", (unsigned long long)n);
	if (pass)
		log_warning("client %s: %.16s %.128s refused: %s", address,
			request->method, request->uri, reason);
}

static const char *
reason_of(enum access_result result)
{
	switch (result) {
	case ACCESS_MALFORMED:
		return "the Authorization header is not \"Bearer TOKEN\"";
	case ACCESS_UNKNOWN:
		return "the token is not known";
	default:
		return "a token is needed, in the header \"Authorization: Bearer "
		       "TOKEN\"; or a client certificate that is known here";
	}
}

bool
http_auth_check(struct http_auth *auth, const struct http_auth_request *request,
	struct caller *ret_caller, struct http_auth_refusal *ret_refusal)
{
	struct front_peer client;
	enum access_result result = ACCESS_GRANTED;
	bool is_ours = find_client(auth, request, &client);

	if (is_ours)
		result = access_identify(
			auth->access, request->authorization, client.names, ret_caller);
	if (is_ours && result == ACCESS_GRANTED) {
		ret_caller->is_last =
			auth->peers &&
			client.generation != front_peers_generation(auth->peers);
		return true;
	}
	if (is_ours)
		*ret_refusal = (struct http_auth_refusal){ 401, reason_of(result),
			result == ACCESS_UNKNOWN };
	else
		*ret_refusal = (struct http_auth_refusal){ 403,
			"this port is for the server itself; clients use another one",
			false };
	log_refusal(auth, request, client.address, ret_refusal->reason);
	return false;
}
