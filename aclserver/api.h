/*
 * api.h - the REST interface: what each request does, and what is answered.
 *
 * Knows nothing of sockets: http.c hands in the parts of a request and sends what comes
 * out. Every function may be called from any thread.
 *
 *     PUT     /acl/NAME       write the ACL: 202; with "Prefer: wait=S" 200 or 422
 *     GET     /acl/NAME       200 with its lines, 404
 *     DELETE  /acl/NAME       204; with "Prefer: wait=S" 204 or 422
 *     GET     /acl/           200 with all names
 *     DELETE  /acl/           as DELETE of each of them
 *     GET     /acl/lasterror  204, or 200 with the outcome of the failed commit
 *     GET     /acl/openapi.json  200 with the description of all this (OpenAPI 3.1)
 *
 * Where callers are limited to scopes, each request needs one: 403 names it.
 * Errors are problem details (problem.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/acl_name.h"
#include "aclserver/acl_store.h"
#include "aclserver/lockout.h"
#include "aclserver/scopes.h"
#include "aclserver/tracker.h"

struct api {
	struct acl_store *store;    /* borrowed */
	struct tracker *tracker;    /* borrowed */
	uint64_t max_body_bytes;    /* of a PUT */
	uint32_t max_lines;         /* of an ACL */
	struct listen_list listens; /* the addresses of this server */
};

/** What came in before the body. Texts are borrowed; NULL where not sent. */
struct api_request {
	const char *method;       /* as written */
	const char *path;         /* as written, not decoded, without query */
	const char *query;        /* behind '?' */
	const char *content_type; /* header */
	const char *prefer;       /* header; several joined by ", " */
	int64_t content_length;   /* -1 = not sent, or the body comes in chunks */

	const struct scopes *scopes; /* of who asks; NULL = everything; borrowed */

	char name[ACL_NAME_SIZE]; /* set by api_begin() */
	int wait_s;               /* set by api_begin(); -1 = no wait asked for */
};

struct api_response {
	int status;
	const char *content_type; /* static; NULL = no body */
	char *body;               /* owned; NULL = empty */
	size_t body_len;
	const char *allow;    /* static; for Allow, NULL = not sent */
	const char *accept;   /* static; for Accept, NULL = not sent */
	const char *location; /* static; for Location, NULL = not sent */
	int waited_s;         /* for Preference-Applied: wait=; -1 = not sent */
	bool token_is_wrong;  /* 401: told in WWW-Authenticate */
	bool warning;         /* the last commit failed: send the Warning */
	int lockout_line;     /* of the ACL drops requests: another Warning; 0 = none */
};

/**
 * Answer a request that needs no body, or check one that does (a PUT).
 *
 * Returns  true if the body is to be read (@req->content_length bytes, which is within
 *          the limit) and given to api_put(); false if @ret is the answer
 * Blocks   for the disk, and as long as "Prefer: wait" says
 */
bool api_begin(
	const struct api *api, struct api_request *req, struct api_response *ret);

/** Answer the PUT that api_begin() let pass. Blocks likewise. */
void api_put(const struct api *api, const struct api_request *req, const char *body,
	size_t len, struct api_response *ret);

/** Answer with a problem that http.c found. @detail is one sentence. */
void api_problem(const struct api *api, int status, const char *detail,
	struct api_response *ret);

/** Free the body. */
void api_response_done(struct api_response *response);
