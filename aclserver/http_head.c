/*
 * http_head.c - see http_head.h. RFC 9110, RFC 9112 section 6 (length of a body).
 */
#include "aclserver/http_head.h"

#include <string.h>
#include <strings.h>

#include "common/parse.h"

static void
refuse(struct http_head *head, int status, const char *reason)
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
		refuse(head, 400, "Content-Type is there twice");
	head->content_type = value;
}

static void
add_content_length(struct http_head *head, const char *value)
{
	uint64_t length;

	if (head->content_length >= 0) {
		refuse(head, 400, "Content-Length is there twice");
		return;
	}
	/* Digits only: "0x10" is read differently by other programs. */
	if (value[strspn(value, "0123456789")] != '\0' ||
		parse_u64(value, 0, INT64_MAX, &length) < 0) {
		refuse(head, 400, "Content-Length is not a number");
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
		refuse(head, 431, "the Prefer header is too long");
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
		refuse(head, 417, "only the expectation 100-continue is known");
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
	(void)value; /* there is one site only */
	if (head->has_host)
		refuse(head, 400, "Host is there twice");
	head->has_host = true;
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
	};

	if (head->refusal)
		return;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(name, known[i].name) == 0)
			known[i].add(head, value);
}

void
http_head_finish(struct http_head *head, const char *version)
{
	if (head->chunked && head->content_length >= 0)
		refuse(head, 400,
			"Content-Length and Transfer-Encoding exclude each other");
	if (head->chunked)
		refuse(head, 411,
			"a body needs a Content-Length; Transfer-Encoding is not "
			"known");
	if (!head->has_host && strcmp(version, "1.1") == 0)
		refuse(head, 400, "HTTP/1.1 needs a Host header");
}
