/*
 * http_listen.c - see http_listen.h.
 */
#include "aclserver/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"

static int
try_address(const struct listen_addr *at, struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons(at->port) };
	char url[LISTEN_TEXT_SIZE];
	const int on = 1;

	memcpy(&addr.sin_addr, at->addr.bytes, sizeof(addr.sin_addr));
	listen_addr_format(at, url);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		listen(fd, 1) < 0)
		return err_sys(err, -errno, "cannot listen on %s", url);
	return 0;
}

int
http_listen_try(const struct listen_list *list, struct err *err)
{
	int result = 0;

	for (unsigned i = 0; i < list->n && result == 0; i++)
		result = try_address(&list->items[i], err);
	return result;
}

void
http_listen_format(const struct listen_list *list, bool with_front,
	char ret[HTTP_LISTEN_PORTS_SIZE])
{
	const size_t size = HTTP_LISTEN_PORTS_SIZE;
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < list->n; i++) {
		char url[LISTEN_TEXT_SIZE];

		listen_addr_format(&list->items[i], url);
		len += (size_t)snprintf(ret + len, size - len, "%s%s",
			len > 0 ? "," : "", strstr(url, "://") + 3);
	}
	if (with_front)
		(void)snprintf(
			ret + len, size - len, "%s127.0.0.1:0", len > 0 ? "," : "");
}

void
http_listen_format_allow(
	const struct prefix_list *allow, char ret[HTTP_LISTEN_ALLOW_SIZE])
{
	const size_t size = HTTP_LISTEN_ALLOW_SIZE;
	size_t len = (size_t)snprintf(ret, size, "%s",
		allow->n > 0 ? "-0.0.0.0/0,+127.0.0.0/8" : "+0.0.0.0/0");

	for (unsigned i = 0; i < allow->n; i++) {
		const struct parse_addr *prefix = &allow->items[i];
		char host[INET_ADDRSTRLEN];

		if (prefix->family == AF_INET &&
			inet_ntop(AF_INET, prefix->bytes, host, sizeof(host)))
			len += (size_t)snprintf(ret + len, size - len, ",+%s/%u", host,
				prefix->prefix_len);
	}
}
