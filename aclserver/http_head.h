/*
 * http_head.h - what we take from the header lines of a request. Pure.
 *
 * Where HTTP allows two readers to see two different requests in the same bytes (two
 * lengths, a length and chunks), the request is refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_PREFER_SIZE = 512 };

struct http_head {
	const char *content_type;      /* borrowed from the lines; NULL = not sent */
	char prefer[HTTP_PREFER_SIZE]; /* all lines joined by ", "; "" = not sent */
	int64_t content_length;        /* -1 = not sent */
	bool chunked;                  /* some Transfer-Encoding was sent */
	bool expects_continue;         /* waits for "100 Continue" before the body */
	bool keep_alive;               /* the client wants the connection to stay */
	bool has_host;
	int refusal;        /* status to answer and close with; 0 = none */
	const char *reason; /* static; why, if refused */
};

/** Before the first line; @version is "1.0" or "1.1". */
void http_head_init(struct http_head *head, const char *version);

/** Take one header line. After a refusal nothing changes any more. */
void http_head_add(struct http_head *head, const char *name, const char *value);

/** After the last line: what only shows when all are known. */
void http_head_finish(struct http_head *head, const char *version);
