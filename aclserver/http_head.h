/*
 * http_head.h - what we take from the header lines of a request. Pure.
 *
 * Where HTTP allows two readers to see two different requests in the same bytes (two
 * lengths, a length and chunks), the request is refused. So is one that a web page
 * makes: browsers, and nobody else, send Origin.
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
	const char *host;              /* borrowed from the lines; NULL = not sent */
	const char *origin;            /* likewise */
	const char *authorization;     /* likewise */
	int refusal;                   /* status to answer and close with; 0 = none */
	const char *reason;            /* static; why, if refused */
};

/** Before the first line; @version is "1.0" or "1.1". */
void http_head_init(struct http_head *head, const char *version);

/** Take one header line. After a refusal nothing changes any more. */
void http_head_add(struct http_head *head, const char *name, const char *value);

/** Refuse the request, unless it is refused already. @reason is static. */
void http_head_refuse(struct http_head *head, int status, const char *reason);

/**
 * Refuse lines that the HTTP library has read in its own way, or hidden from us.
 *
 * civetweb drops blanks before a colon, takes LF for CR LF, and takes a line that
 * begins with a blank, a colon or a byte above 0x7e for the end of all: a length may
 * stand behind it, which a proxy has seen. But it cuts the lines where they stand, by a
 * NUL for each blank before the colon, the colon, CR and LF, and for the last LF of
 * all; so the bytes around name and value tell.
 *
 * @name, @value  of one line, in the buffer of the library
 * @next_name     of the line behind it; NULL for the last one
 */
void http_head_check(struct http_head *head, const char *name, const char *value,
	const char *next_name);

/** After the last line: what only shows when all are known. */
void http_head_finish(struct http_head *head, const char *version);
