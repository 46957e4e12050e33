/*
 * api.c - see api.h. From routing (bottom) to answers (top).
 */
#include "aclserver/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aclserver/diag.h"
#include "aclserver/json_acl.h"
#include "aclserver/json_out.h"
#include "aclserver/openapi.h"
#include "aclserver/outcome.h"
#include "aclserver/prefer.h"
#include "aclserver/problem.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"

#define BASE        "/acl/"
#define JSON_TYPE   "application/json"
#define CURL_TYPE   "application/x-www-form-urlencoded"
#define ALLOW_LIST  "GET, HEAD, DELETE, OPTIONS"
#define ALLOW_ACL   "GET, HEAD, PUT, DELETE, OPTIONS"
#define ALLOW_READ  "GET, HEAD, OPTIONS"
#define LASTERROR   "lasterror"
#define DESCRIPTION "openapi.json" /* no name of an ACL has a dot */

/* ---- answers ---- */

void
api_response_done(struct api_response *response)
{
	free(response->body);
	*response = (struct api_response){ 0 };
}

static void
respond(const struct api *api, int status, struct api_response *ret)
{
	*ret = (struct api_response){ .status = status,
		.waited_s = -1,
		.warning = tracker_failed(api->tracker) };
}

static void
respond_problem(
	const struct api *api, const struct problem *problem, struct api_response *ret)
{
	respond(api, problem->status, ret);
	/* Out of memory leaves the body away; the status says enough. */
	ret->body = problem_encode(problem, &ret->body_len);
	if (ret->body)
		ret->content_type = PROBLEM_CONTENT_TYPE;
}

void
api_problem(
	const struct api *api, int status, const char *detail, struct api_response *ret)
{
	const struct problem problem = { .status = status, .detail = detail };

	respond_problem(api, &problem, ret);
}

/* 200 with @body, which is taken over; NULL stands for no memory. */
static void
respond_json(
	const struct api *api, char *take_body, size_t len, struct api_response *ret)
{
	if (!take_body) {
		api_problem(api, 500, "out of memory", ret);
		return;
	}
	respond(api, 200, ret);
	ret->content_type = JSON_TYPE;
	ret->body = take_body;
	ret->body_len = len;
}

/* The status for an error of the store. */
static int
status_of(int result)
{
	switch (result) {
	case -EMLINK: /* too many ACLs */
	case -EEXIST: /* not made over REST */
	case -EPERM:  /* belongs to another user */
		return 409;
	case -ENOSPC:
	case -EDQUOT:
		return 507;
	default:
		return 500;
	}
}

static void
respond_error(const struct api *api, const struct err *err, struct api_response *ret)
{
	api_problem(api, status_of(err->code), err->text, ret);
}

/* ---- the outcome of a change ---- */

static bool
is_own(const struct diag *d, void *user_data)
{
	return outcome_is_own(d, user_data);
}

static bool
is_foreign(const struct diag *d, void *user_data)
{
	(void)user_data;
	return outcome_is_foreign(d);
}

static const struct diag *
first_error(const struct diags *diags, problem_filter_fn filter, void *user_data)
{
	for (size_t i = 0; i < diags->n; i++)
		if (diags->items[i].severity == DIAG_ERROR &&
			filter(&diags->items[i], user_data))
			return &diags->items[i];
	return NULL;
}

/* 422: the change is stored, but not installed. @name is NULL for all ACLs. */
static void
respond_refused(const struct api *api, const struct report *report, const char *name,
	bool own, struct api_response *ret)
{
	struct problem problem = { .status = 422,
		.diags = &report->diags,
		.filter = own ? is_own : is_foreign,
		.user_data = (void *)name };
	const struct diag *first =
		first_error(&report->diags, problem.filter, problem.user_data);
	AUTO_FREE char *problem_text = first ? diag_format(first) : NULL;
	struct err detail;

	if (own)
		(void)err_set(&detail, -EINVAL,
			"the ACL is stored but not installed: %s",
			problem_text ? problem_text : "");
	else if (first)
		(void)err_set(&detail, -EINVAL,
			"the change is stored but not installed, because the commit "
			"failed in another file: %s",
			problem_text ? problem_text : first->file);
	else
		(void)err_set(&detail, -EINVAL,
			"the change is stored but not installed, because the commit "
			"failed with return code %d",
			report->returncode);
	problem.detail = detail.text;
	respond_problem(api, &problem, ret);
}

/* What was asked for is durable: wait for its commit and answer, with @done_status if
 * it is installed. Where nothing had to change, a commit is asked for all the same:
 * what the newest one found may not hold any more (a flush by tapgate-acl, a file that
 * the operator has repaired). */
static void
respond_outcome(const struct api *api, const struct api_request *req,
	const struct acl_store_result *result, int done_status,
	struct api_response *ret)
{
	const char *name = req->name[0] ? req->name : NULL;
	uint64_t generation =
		result->changed ? result->generation : acl_store_announce(api->store);
	struct tracker_report *last = NULL;
	enum tracker_outcome waited = tracker_wait(
		api->tracker, generation, (int64_t)req->wait_s * 1000, &last);
	enum outcome outcome = OUTCOME_UNKNOWN;

	if (waited == TRACKER_COMMITTED)
		outcome = outcome_judge(&last->report, name);
	if (outcome == OUTCOME_COMMIT_FAILED && req->scopes &&
		!scopes_have(req->scopes, SCOPE_READ, ""))
		api_problem(api, 422,
			"the change is stored but not installed, because the commit "
			"failed in another file; the scope read shows where",
			ret);
	else if (outcome == OUTCOME_OWN_ERROR || outcome == OUTCOME_COMMIT_FAILED)
		respond_refused(
			api, &last->report, name, outcome == OUTCOME_OWN_ERROR, ret);
	else
		respond(api, outcome == OUTCOME_INSTALLED ? done_status : 202, ret);
	if (waited == TRACKER_COMMITTED || waited == TRACKER_TIMEOUT)
		ret->waited_s = req->wait_s;
	tracker_release(api->tracker, last);
}

/* ---- requests ---- */

static void
get_acl(const struct api *api, const struct api_request *req, struct api_response *ret)
{
	AUTO_FREE char *text = NULL;
	struct err err;
	size_t text_len, body_len = 0;
	int result = acl_store_get(api->store, req->name, &text, &text_len, &err);
	char *body;

	if (result == -ENOENT) {
		api_problem(api, 404, "there is no ACL of this name", ret);
		return;
	}
	if (result == -EEXIST) {
		api_problem(api, 404, err.text, ret);
		return;
	}
	if (result < 0) {
		respond_error(api, &err, ret);
		return;
	}
	body = json_acl_encode(text, text_len, &body_len);
	respond_json(api, body, body_len, ret);
}

static void
get_list(const struct api *api, struct api_response *ret)
{
	struct acl_names names = { 0 };
	struct err err;
	size_t len = 0;
	char *body;

	if (acl_store_list(api->store, &names, &err) < 0) {
		respond_error(api, &err, ret);
		return;
	}
	body = json_acl_encode_names((const char *const *)names.items, names.n, &len);
	acl_names_done(&names);
	respond_json(api, body, len, ret);
}

static char *
encode_lasterror(const struct report *report, size_t *ret_len)
{
	const struct diags *diags = &report->diags;
	struct json_out out = { 0 };

	json_out_raw(&out, "{\"returncode\":");
	json_out_int(&out, report->returncode);
	json_out_raw(&out, ",\"lines\":[");
	for (size_t i = 0; i < diags->n; i++) {
		AUTO_FREE char *line = diag_format(&diags->items[i]);

		if (i > 0)
			json_out_raw(&out, ",");
		json_out_string(&out, line ? line : "", line ? strlen(line) : 0);
	}
	if (diags->omitted > 0) {
		char line[64];
		int len = snprintf(
			line, sizeof(line), "%zu more problems", diags->omitted);

		json_out_raw(&out, diags->n > 0 ? "," : "");
		json_out_string(&out, line, (size_t)len);
	}
	json_out_raw(&out, "]}");
	return json_out_take(&out, ret_len);
}

static void
get_lasterror(const struct api *api, struct api_response *ret)
{
	struct tracker_report *last = tracker_last(api->tracker);
	size_t len = 0;

	if (last && last->report.returncode != 0) {
		char *body = encode_lasterror(&last->report, &len);

		respond_json(api, body, len, ret);
	} else {
		respond(api, 204, ret);
	}
	tracker_release(api->tracker, last);
}

static void
get_description(const struct api *api, struct api_response *ret)
{
	char *body = malloc(openapi_len);

	if (body)
		memcpy(body, openapi_text, openapi_len);
	respond_json(api, body, openapi_len, ret);
}

static void
delete_acls(
	const struct api *api, const struct api_request *req, struct api_response *ret)
{
	struct acl_store_result result;
	struct err err;
	int code;

	if (req->name[0])
		code = acl_store_delete(api->store, req->name, &result, &err);
	else
		code = acl_store_delete_all(api->store, &result, &err);
	if (code < 0)
		respond_error(api, &err, ret);
	else if (req->wait_s < 0)
		respond(api, 204, ret);
	else
		respond_outcome(api, req, &result, 204, ret);
}

/* Installed it will be all the same: that may be what the operator wants. */
static void
warn_of_lockout(const struct api_request *req, int line, struct api_response *ret)
{
	char file[ACL_FILE_SIZE];

	acl_name_to_file(req->name, file);
	log_warning(
		"acl \"%s\": line %d drops requests to this server, or its answers; "
		"to undo that without them, remove %s and run tapgate-acl -i",
		req->name, line, file);
	ret->lockout_line = line;
}

void
api_put(const struct api *api, const struct api_request *req, const char *body,
	size_t len, struct api_response *ret)
{
	struct acl_store_result result;
	AUTO_FREE char *text = NULL;
	struct err err;
	size_t text_len;
	int line = 0;
	int code = json_acl_decode(body, len, api->max_lines, &text, &text_len, &err);

	if (code == -EINVAL || code == -E2BIG) {
		api_problem(api, code == -E2BIG ? 413 : 400, err.text, ret);
		return;
	}
	if (code == 0)
		line = lockout_find(text, text_len, &api->listens);
	if (code == 0)
		code = acl_store_put(
			api->store, req->name, text, text_len, &result, &err);
	if (code < 0)
		respond_error(api, &err, ret);
	else if (req->wait_s < 0 || line > 0) /* once installed, no answer may arrive */
		respond(api, 202, ret);
	else
		respond_outcome(api, req, &result, 200, ret);
	if (code == 0 && line > 0)
		warn_of_lockout(req, line, ret);
}

/* ---- checks before a body is read ---- */

/* True if the media type in the header @value is @type. */
static bool
is_type(const char *value, const char *type)
{
	size_t len = strlen(type);

	if (strncasecmp(value, type, len) != 0)
		return false;
	value += len;
	value += strspn(value, " \t");
	return *value == '\0' || *value == ';';
}

static void
refuse_type(const struct api *api, const char *type, struct api_response *ret)
{
	api_problem(api, 415,
		is_type(type, CURL_TYPE)
			? "the Content-Type " CURL_TYPE " is what curl sends by "
			  "itself; give it the option -H 'Content-Type: " JSON_TYPE "'"
			: "the Content-Type has to be " JSON_TYPE,
		ret);
	ret->accept = JSON_TYPE;
}

/* True if the body of this PUT is to be read. */
static bool
check_put(
	const struct api *api, const struct api_request *req, struct api_response *ret)
{
	char detail[96];

	if (req->content_type && !is_type(req->content_type, JSON_TYPE)) {
		refuse_type(api, req->content_type, ret);
		return false;
	}
	if (req->content_length < 0) {
		api_problem(api, 411, "a PUT needs a Content-Length", ret);
		return false;
	}
	if ((uint64_t)req->content_length > api->max_body_bytes) {
		(void)snprintf(detail, sizeof(detail),
			"the body is longer than %llu bytes, which is the limit",
			(unsigned long long)api->max_body_bytes);
		api_problem(api, 413, detail, ret);
		return false;
	}
	return true;
}

/* True if changes can be taken at all. */
static bool
check_change(const struct api *api, struct api_request *req, struct api_response *ret)
{
	req->wait_s = prefer_wait_s(req->prefer);
	if (tracker_closed(api->tracker)) {
		api_problem(api, 503,
			"the process that installs ACLs is not there; nothing was "
			"changed",
			ret);
		return false;
	}
	return true;
}

/* ---- routing ---- */

enum method {
	METHOD_GET, /* and HEAD, of which http.c does not send the body */
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_OTHER,
};

static enum method
parse_method(const char *text)
{
	static const struct {
		const char *text;
		enum method method;
	} methods[] = {
		{ "GET", METHOD_GET },
		{ "HEAD", METHOD_GET },
		{ "PUT", METHOD_PUT },
		{ "DELETE", METHOD_DELETE },
		{ "OPTIONS", METHOD_OPTIONS },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(text, methods[i].text) == 0)
			return methods[i].method;
	return METHOD_OTHER;
}

/* What is common to all resources for methods that they do not have. */
static bool
answer_other(const struct api *api, enum method method, const char *allow,
	struct api_response *ret)
{
	if (method == METHOD_OPTIONS)
		respond(api, 204, ret);
	else
		api_problem(api, 405, "this resource has no such method", ret);
	ret->allow = allow;
	return false;
}

static bool
begin_lasterror(const struct api *api, enum method method, struct api_response *ret)
{
	if (method == METHOD_GET) {
		get_lasterror(api, ret);
		return false;
	}
	if (method == METHOD_PUT || method == METHOD_DELETE) {
		api_problem(api, 403,
			"\"lasterror\" is the outcome of the last commit and no ACL",
			ret);
		return false;
	}
	return answer_other(api, method, ALLOW_READ, ret);
}

static bool
begin_description(const struct api *api, enum method method, struct api_response *ret)
{
	if (method != METHOD_GET)
		return answer_other(api, method, ALLOW_READ, ret);
	get_description(api, ret);
	return false;
}

static bool
begin_list(const struct api *api, struct api_request *req, enum method method,
	struct api_response *ret)
{
	if (method != METHOD_GET && method != METHOD_DELETE)
		return answer_other(api, method, ALLOW_LIST, ret);
	if (method == METHOD_GET)
		get_list(api, ret);
	else if (check_change(api, req, ret))
		delete_acls(api, req, ret);
	return false;
}

static bool
begin_acl(const struct api *api, struct api_request *req, enum method method,
	struct api_response *ret)
{
	switch (method) {
	case METHOD_GET:
		get_acl(api, req, ret);
		return false;
	case METHOD_PUT:
		return check_change(api, req, ret) && check_put(api, req, ret);
	case METHOD_DELETE:
		if (check_change(api, req, ret))
			delete_acls(api, req, ret);
		return false;
	default:
		return answer_other(api, method, ALLOW_ACL, ret);
	}
}

/* False with 403 if the request needs a scope that is not there. What a method that
 * does not exist, OPTIONS and the description tell is no secret. */
static bool
check_scope(const struct api *api, const struct api_request *req, enum method method,
	struct api_response *ret)
{
	enum scope scope = method == METHOD_GET ? SCOPE_READ : SCOPE_WRITE;
	char need[SCOPES_NEED_SIZE];
	struct err detail;

	if (method == METHOD_OPTIONS || method == METHOD_OTHER)
		return true;
	if (scope == SCOPE_WRITE && req->name[0] == '\0')
		scope = SCOPE_ADMIN; /* all ACLs at once */
	if (!req->scopes || scopes_have(req->scopes, scope, req->name))
		return true;
	scope_format(scope, req->name, need);
	(void)err_set(&detail, -EPERM, "this needs the scope %s%s", need,
		scope == SCOPE_WRITE ? ", or that of a prefix of the name" : "");
	api_problem(api, 403, detail.text, ret);
	return false;
}

bool
api_begin(const struct api *api, struct api_request *req, struct api_response *ret)
{
	const size_t base_len = strlen(BASE);
	enum method method = parse_method(req->method);
	const char *rest;
	bool is_description;
	size_t len;

	req->name[0] = '\0';
	req->wait_s = -1;
	if (strcmp(req->path, "/acl") == 0) {
		respond(api, 308, ret);
		ret->location = BASE;
		return false;
	}
	if (strncmp(req->path, BASE, base_len) != 0) {
		api_problem(api, 404,
			"there is nothing but ACLs, at " BASE
			", and their description, " BASE DESCRIPTION,
			ret);
		return false;
	}
	rest = req->path + base_len;
	len = strlen(rest);
	is_description = strcmp(rest, DESCRIPTION) == 0;
	if (len > 0 && !is_description && !acl_name_is_valid(rest, len)) {
		api_problem(api, 404,
			"the name of an ACL has 1 to 64 characters of a-z, 0-9 and _",
			ret);
		return false;
	}
	if (req->query) {
		api_problem(api, 400, "there are no query parameters", ret);
		return false;
	}
	if (is_description)
		return begin_description(api, method, ret);
	memcpy(req->name, rest, len + 1);
	if (!check_scope(api, req, method, ret))
		return false;
	if (len == 0)
		return begin_list(api, req, method, ret);
	if (strcmp(rest, LASTERROR) == 0)
		return begin_lasterror(api, method, ret);
	return begin_acl(api, req, method, ret);
}
