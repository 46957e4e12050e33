/*
 * http_head.c - see http_head.h. RFC 9110, RFC 9112 section 6 (length of a body).
 */
#include "aclserver/http_head.h"

#include <string.h>
#include <strings.h>

#include "common/parse.h"

void
http_head_refuse(struct http_head *head, int status, const char *reason)
{
	if (head->refusal)
		return;
	head->refusal = status;
	head->reason = reason;
}

/* True if the comma separated list @value has the item @token. */
static bool
has_token(const char *value, const char *token)
{
	const size_t token_len = strlen(token);

	while (*value) {
		size_t len;

		value += strspn(value, " \t,");
		len = strcspn(value, " \t,");
		if (len == token_len && strncasecmp(value, token, len) == 0)
			return true;
		value += len;
	}
	return false;
}

static void
add_content_type(struct http_head *head, const char *value)
{
	if (head->content_type)
		http_head_refuse(head, 400, "Content-Type is there twice");
	head->content_type = value;
}

static void
add_content_length(struct http_head *head, const char *value)
{
	uint64_t length;

	if (head->content_length >= 0) {
		http_head_refuse(head, 400, "Content-Length is there twice");
		return;
	}
	/* Digits only: "0x10" is read differently by other programs. */
	if (value[strspn(value, "0123456789")] != '\0' ||
		parse_u64(value, 0, INT64_MAX, &length) < 0) {
		http_head_refuse(head, 400, "Content-Length is not a number");
		return;
	}
	head->content_length = (int64_t)length;
}

static void
add_transfer_encoding(struct http_head *head, const char *value)
{
	(void)value; /* none is accepted */
	head->chunked = true;
}

static void
add_prefer(struct http_head *head, const char *value)
{
	size_t len = strlen(head->prefer);

	if (len + strlen(value) + 3 > sizeof(head->prefer)) {
		http_head_refuse(head, 431, "the Prefer header is too long");
		return;
	}
	if (len > 0)
		memcpy(head->prefer + len, ", ", 3);
	memcpy(head->prefer + strlen(head->prefer), value, strlen(value) + 1);
}

static void
add_expect(struct http_head *head, const char *value)
{
	if (strcasecmp(value, "100-continue") == 0)
		head->expects_continue = true;
	else
		http_head_refuse(
			head, 417, "only the expectation 100-continue is known");
}

static void
add_connection(struct http_head *head, const char *value)
{
	if (has_token(value, "close"))
		head->keep_alive = false;
	else if (has_token(value, "keep-alive"))
		head->keep_alive = true;
	else
		head->keep_alive = false; /* civetweb takes any other word for close */
}

static void
add_upgrade(struct http_head *head, const char *value)
{
	(void)value; /* nothing to upgrade to, but civetweb closes then */
	head->keep_alive = false;
}

static void
add_host(struct http_head *head, const char *value)
{
	if (head->host)
		http_head_refuse(head, 400, "Host is there twice");
	head->host = value;
}

static void
add_origin(struct http_head *head, const char *value)
{
	if (head->origin)
		http_head_refuse(head, 400, "Origin is there twice");
	head->origin = value;
}

static void
add_authorization(struct http_head *head, const char *value)
{
	if (head->authorization)
		http_head_refuse(head, 400, "Authorization is there twice");
	head->authorization = value;
}

void
http_head_init(struct http_head *head, const char *version)
{
	*head = (struct http_head){ .content_length = -1,
		.keep_alive = strcmp(version, "1.1") == 0 };
}

void
http_head_add(struct http_head *head, const char *name, const char *value)
{
	static const struct {
		const char *name;
		void (*add)(struct http_head *head, const char *value);
	} known[] = {
		{ "Content-Type", add_content_type },
		{ "Content-Length", add_content_length },
		{ "Transfer-Encoding", add_transfer_encoding },
		{ "Prefer", add_prefer },
		{ "Expect", add_expect },
		{ "Connection", add_connection },
		{ "Upgrade", add_upgrade },
		{ "Host", add_host },
		{ "Origin", add_origin },
		{ "Authorization", add_authorization },
	};

	if (head->refusal)
		return;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(name, known[i].name) == 0)
			known[i].add(head, value);
}

void
http_head_check(struct http_head *head, const char *name, const char *value,
	const char *next_name)
{
	const char *colon = name + strlen(name);
	const char *end = value + strlen(value);

	if (value > colon + 1 && colon[1] == '\0')
		http_head_refuse(head, 400, "a header line has blanks in its name");
	/* The last line is followed by the empty one, CR LF. (When LF LF ends a head
	 * that fills civetweb's buffer, the third byte is not part of it, but of the
	 * slack that malloc() leaves behind that size.) */
	if (end[1] != '\0' ||
		(next_name ? next_name != end + 2 : end[2] != '\r' || end[3] != '\0'))
		http_head_refuse(head, 400,
			"a header line is folded, has no name, or does not end with "
			"CR LF");
}

/* True if @authority (host, or host:port) names a machine by its address, or this one:
 * no DNS server has a say in where it leads. */
static bool
is_without_dns(const char *authority)
{
	const bool bracket = authority[0] == '[';
	const char *host = authority + bracket;
	size_t len = strcspn(host, bracket ? "]" : ":");
	struct parse_addr addr;
	char text[64];

	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	if (!bracket && strcasecmp(text, "localhost") == 0)
		return true;
	return parse_addr(text, &addr) == 0 && (addr.family == AF_INET6) == bracket;
}

/* True if the page that makes the request came from this server, and not from one whose
 * name leads here for the moment (DNS rebinding). */
static bool
is_own_page(const char *origin, const char *host)
{
	const char *authority = strstr(origin, "://");

	return authority && host && strcasecmp(authority + 3, host) == 0 &&
	       is_without_dns(host);
}

void
http_head_finish(struct http_head *head, const char *version)
{
	if (head->chunked && head->content_length >= 0)
		http_head_refuse(head, 400,
			"Content-Length and Transfer-Encoding exclude each other");
	if (head->chunked)
		http_head_refuse(head, 411,
			"a body needs a Content-Length; Transfer-Encoding is not "
			"known");
	if (!head->host && strcmp(version, "1.1") == 0)
		http_head_refuse(head, 400, "HTTP/1.1 needs a Host header");
	if (head->origin && !is_own_page(head->origin, head->host))
		http_head_refuse(head, 403,
			"the Origin header says that a web page of another site makes "
			"this request; only pages from this server's own address may");
}
