/*
 * problem.c - see problem.h.
 */
#include "aclserver/problem.h"

#include <string.h>

#include "aclserver/json_out.h"

static const struct {
	int status;
	const char *title;
} titles[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *
problem_title(int status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

static void
put_member(struct json_out *out, const char *name, const char *value)
{
	json_out_raw(out, name);
	json_out_string(out, value, strlen(value));
}

static void
put_error(struct json_out *out, const struct diag *d)
{
	put_member(out, "{\"file\":", d->file ? d->file : "");
	if (d->line > 0) {
		json_out_raw(out, ",\"line\":");
		json_out_int(out, d->line);
	}
	put_member(out, ",\"reason\":", d->reason ? d->reason : "");
	if (d->rule)
		put_member(out, ",\"rule\":", d->rule);
	json_out_raw(out, "}");
}

static void
put_errors(struct json_out *out, const struct problem *problem)
{
	size_t n = 0;

	for (size_t i = 0; i < problem->diags->n; i++) {
		const struct diag *d = &problem->diags->items[i];

		if (d->severity != DIAG_ERROR)
			continue;
		if (problem->filter && !problem->filter(d, problem->user_data))
			continue;
		json_out_raw(out, n++ == 0 ? ",\"errors\":[" : ",");
		put_error(out, d);
	}
	if (n > 0)
		json_out_raw(out, "]");
}

char *
problem_encode(const struct problem *problem, size_t *ret_len)
{
	struct json_out out = { 0 };

	put_member(&out, "{\"title\":", problem_title(problem->status));
	json_out_raw(&out, ",\"status\":");
	json_out_int(&out, problem->status);
	put_member(&out, ",\"detail\":", problem->detail);
	if (problem->diags)
		put_errors(&out, problem);
	json_out_raw(&out, "}");
	return json_out_take(&out, ret_len);
}
