/*
 * server_conf_listen.c - lists of addresses; see server_conf_listen.h.
 */
#include "aclserver/server_conf_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	WORD_SIZE = 128,
	PORT_UNPRIVILEGED = 1024, /* lower ones need CAP_NET_BIND_SERVICE */
};

static const char separators[] = " \t,";

/* Copy the next word of *@text to @word and step behind it: 1, 0 at the end, or
 * -EINVAL if it is too long. */
static int
next_word(const char **text, char word[WORD_SIZE], struct err *err)
{
	const char *start = *text + strspn(*text, separators);
	size_t len = strcspn(start, separators);

	*text = start + len;
	if (len == 0)
		return 0;
	if (len >= WORD_SIZE)
		return err_set(err, -EINVAL, "\"%.32s…\" is no address", start);
	memcpy(word, start, len);
	word[len] = '\0';
	return 1;
}

static int
parse_port(const char *text, uint16_t *ret, struct err *err)
{
	uint32_t port;

	if (text[strspn(text, "0123456789")] != '\0' ||
		parse_u32(text, 1, UINT16_MAX, &port) < 0)
		return err_set(err, -EINVAL, "\"%s\" is no port", text);
	if (port < PORT_UNPRIVILEGED)
		return err_set(err, -EINVAL,
			"%u: ports below %d need a capability that the HTTP process "
			"does not have",
			port, PORT_UNPRIVILEGED);
	*ret = (uint16_t)port;
	return 0;
}

/* "ADDRESS:PORT" or "[ADDRESS]:PORT"; changes @text. */
static int
parse_authority(char *text, struct listen_addr *ret, struct err *err)
{
	const bool bracket = text[0] == '[';
	char *colon = bracket ? strstr(text, "]:") : strchr(text, ':');
	char *host = text + bracket;

	if (!colon)
		return err_set(err, -EINVAL,
			"\"%s\" is not of the form ADDRESS:PORT, or [ADDRESS]:PORT for "
			"IPv6",
			text);
	*colon = '\0';
	if (parse_addr(host, &ret->addr) < 0 ||
		(ret->addr.family == AF_INET6) != bracket)
		return err_set(err, -EINVAL,
			"\"%s\" is no IP address (IPv6 stands in brackets)", host);
	return parse_port(colon + 1 + bracket, &ret->port, err);
}

static int
parse_listen(char *word, struct listen_addr *ret, struct err *err)
{
	static const char plain[] = "http://", tls[] = "https://";

	*ret = (struct listen_addr){ 0 };
	if (strncmp(word, tls, sizeof(tls) - 1) == 0) {
		ret->tls = true;
		word += sizeof(tls) - 1;
	} else if (strncmp(word, plain, sizeof(plain) - 1) == 0) {
		word += sizeof(plain) - 1;
	}
	return parse_authority(word, ret, err);
}

static bool
is_same_addr(const struct parse_addr *a, const struct parse_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, a->family == AF_INET ? 4 : 16) == 0;
}

static bool
has_listen(const struct listen_list *list, const struct listen_addr *listen)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->items[i].port == listen->port &&
			is_same_addr(&list->items[i].addr, &listen->addr))
			return true;
	return false;
}

int
listen_list_parse(const char *text, struct listen_list *ret, struct err *err)
{
	struct listen_list list = { .n = 0 };
	char word[WORD_SIZE];
	int result;

	while ((result = next_word(&text, word, err)) > 0) {
		struct listen_addr *next = &list.items[list.n];

		if (list.n == LISTEN_MAX)
			return err_set(
				err, -EINVAL, "more than %d addresses", LISTEN_MAX);
		result = parse_listen(word, next, err);
		if (result < 0)
			return result;
		if (has_listen(&list, next))
			return err_set(err, -EINVAL,
				"address and port %u are there twice", next->port);
		list.n++;
	}
	if (result < 0)
		return result;
	if (list.n == 0)
		return err_set(err, -EINVAL, "there is no address");
	*ret = list;
	return 0;
}

bool
listen_addr_is_loopback(const struct listen_addr *listen)
{
	struct in6_addr addr;

	if (listen->addr.family == AF_INET)
		return listen->addr.bytes[0] == 127;
	memcpy(&addr, listen->addr.bytes, sizeof(addr));
	return IN6_IS_ADDR_LOOPBACK(&addr);
}

bool
listen_addr_is_direct(const struct listen_addr *listen)
{
	return listen->addr.family == AF_INET && !listen->tls &&
	       listen_addr_is_loopback(listen);
}

void
listen_addr_format(const struct listen_addr *listen, char ret[LISTEN_TEXT_SIZE])
{
	const bool bracket = listen->addr.family == AF_INET6;
	char host[INET6_ADDRSTRLEN] = "?";

	/* Cannot fail: there is room, and the family is one of two. */
	(void)inet_ntop(listen->addr.family, listen->addr.bytes, host, sizeof(host));
	(void)snprintf(ret, LISTEN_TEXT_SIZE, "%s://%s%s%s:%u",
		listen->tls ? "https" : "http", bracket ? "[" : "", host,
		bracket ? "]" : "", listen->port);
}

int
prefix_list_parse(const char *text, struct prefix_list *ret, struct err *err)
{
	struct prefix_list list = { .n = 0 };
	char word[WORD_SIZE];
	int result;

	while ((result = next_word(&text, word, err)) > 0) {
		if (list.n == PREFIXES_MAX)
			return err_set(
				err, -EINVAL, "more than %d prefixes", PREFIXES_MAX);
		if (parse_prefix(word, &list.items[list.n]) < 0)
			return err_set(err, -EINVAL,
				"\"%s\" is no IP address or prefix", word);
		list.n++;
	}
	if (result < 0)
		return result;
	if (list.n == 0)
		return err_set(err, -EINVAL, "there is no prefix");
	*ret = list;
	return 0;
}

/* True if the first @len bits of @a and @b are the same. */
static bool
is_same_start(const uint8_t *a, const uint8_t *b, unsigned len)
{
	const unsigned whole = len / 8, rest = len % 8;
	const uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool
prefix_list_has(const struct prefix_list *list, const struct parse_addr *addr)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->items[i].family == addr->family &&
			is_same_start(list->items[i].bytes, addr->bytes,
				list->items[i].prefix_len))
			return true;
	return false;
}
