/*
 * http_answer.c - see http_answer.h. RFC 9110; Warning: RFC 7234 section 5.5.
 */
#include "aclserver/http_answer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "aclserver/problem.h"

struct text {
	char *buf; /* HTTP_ANSWER_HEAD_SIZE bytes; borrowed */
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void
add(struct text *text, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(
		text->buf + text->len, HTTP_ANSWER_HEAD_SIZE - text->len, fmt, args);
	va_end(args);
	assert(n >= 0 && text->len + (size_t)n < HTTP_ANSWER_HEAD_SIZE);
	text->len += (size_t)n;
}

static void
add_date(struct text *text)
{
	char date[64] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	add(text, "Date: %s\r\n", date);
}

/* The lines that only some answers have. */
static void
add_particulars(struct text *text, const struct api_response *response)
{
	if (response->warning)
		add(text, "Warning: 199 - \"check lasterror\"\r\n");
	if (response->lockout_line > 0)
		add(text,
			"Warning: 199 - \"line %d drops requests to this server, or "
			"its "
			"answers\"\r\n",
			response->lockout_line);
	if (response->waited_s >= 0)
		add(text, "Preference-Applied: wait=%d\r\n", response->waited_s);
	if (response->status == 401)
		add(text, "WWW-Authenticate: Bearer realm=\"tapgate\"%s\r\n",
			response->token_is_wrong ? ", error=\"invalid_token\"" : "");
	if (response->allow)
		add(text, "Allow: %s\r\n", response->allow);
	if (response->accept)
		add(text, "Accept: %s\r\n", response->accept);
	if (response->location)
		add(text, "Location: %s\r\n", response->location);
	if (response->status == 503)
		add(text, "Retry-After: 1\r\n");
}

size_t
http_answer_head(const struct api_response *response, bool keep_alive,
	char ret[HTTP_ANSWER_HEAD_SIZE])
{
	struct text answer = { .buf = ret };
	struct text *text = &answer;

	add(text, "HTTP/1.1 %d %s\r\n", response->status,
		problem_title(response->status));
	add_date(text);
	add(text, "Server: tapgate\r\nCache-Control: no-store\r\n");
	add(text, "Connection: %s\r\n", keep_alive ? "keep-alive" : "close");
	add_particulars(text, response);
	if (response->content_type)
		add(text, "Content-Type: %s\r\n", response->content_type);
	if (response->status != 204)
		add(text, "Content-Length: %zu\r\n", response->body_len);
	add(text, "\r\n");
	return answer.len;
}
