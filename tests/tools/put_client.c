/*
 * put_client.c - measures how many PUTs per second an ACL server takes.
 *
 *	put_client ADDRESS PORT CONNECTIONS SECONDS
 *
 * Each connection is kept alive and has one PUT under way: to an ACL of its own, with
 * content that it never had before. One thread, epoll. Prints one line of JSON:
 *	{"puts":N,"seconds":S,"per_second":R,"p50_us":T,"p95_us":T,"p99_us":T}
 * Any answer other than 202 is an error and ends it with status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/mono.h"
#include "common/parse.h"

enum {
	CONNECTIONS_MAX = 1024,
	PUTS_MAX = 4 << 20, /* whose time is kept */
	ANSWER_MAX = 8192,
	REQUEST_MAX = 512,
};

struct connection {
	int fd;
	unsigned number;
	struct mono sent_at;
	size_t got; /* bytes of the answer */
	char answer[ANSWER_MAX];
};

struct client {
	struct connection *connections;
	uint32_t n;
	uint32_t *times_us; /* of each PUT that was answered */
	size_t puts;
	uint32_t serial; /* of the newest content */
	struct mono end; /* nothing new is sent after this */
};

static int
open_connection(const struct sockaddr_in *address)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 ||
		connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		return -1;
	return take_fd(&fd);
}

/* The next PUT of @c; every one has an address that no other has. */
static int
send_put(struct client *client, struct connection *c)
{
	uint32_t v = ++client->serial;
	char body[REQUEST_MAX / 2], request[REQUEST_MAX];
	int body_len = snprintf(body, sizeof(body),
		"[\"[iptables]\",\"-A FORWARD -s 10.%u.%u.%u/32 -j DROP\"]",
		v >> 16 & 255, v >> 8 & 255, v & 255);
	int len = snprintf(request, sizeof(request),
		"PUT /acl/bench_%u HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		c->number, body_len, body);

	c->got = 0;
	c->sent_at = mono_now();
	return send(c->fd, request, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -EIO;
}

/* Bytes of the whole answer once its head is there; 0 when it is not, -1 if it is not
 * the answer that is wanted. */
static ssize_t
answer_size(const struct connection *c)
{
	const char *head_end = strstr(c->answer, "\r\n\r\n");
	const char *length = strcasestr(c->answer, "\r\nContent-Length:");
	char digits[16] = "0";
	uint32_t body = 0;

	if (!head_end)
		return 0;
	if (strncmp(c->answer, "HTTP/1.1 202 ", 13) != 0)
		return -1;
	if (length && length < head_end &&
		(sscanf(length + 17, " %15[0-9]", digits) != 1 ||
			parse_u32(digits, 0, ANSWER_MAX, &body) < 0))
		return -1;
	return head_end + 4 - c->answer + (ssize_t)body;
}

/* Reads what is there; sends the next PUT when the answer is whole. Negative errno on
 * failure. */
static int
on_readable(struct client *client, struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->got, ANSWER_MAX - 1 - c->got, 0);

	if (n <= 0)
		return -ECONNRESET;
	c->got += (size_t)n;
	c->answer[c->got] = '\0';
	ssize_t size = answer_size(c);
	if (size < 0 || (size > 0 && (size_t)size < c->got)) {
		fprintf(stderr, "put_client: unexpected answer: %s\n", c->answer);
		return -EPROTO;
	}
	if (size == 0 || (size_t)size > c->got)
		return 0;
	if (client->puts < PUTS_MAX)
		client->times_us[client->puts] =
			(uint32_t)mono_diff_us(c->sent_at, mono_now());
	client->puts++;
	if (!mono_before(mono_now(), client->end))
		return 1;
	return send_put(client, c);
}

static int
run(struct client *client)
{
	AUTO_CLOSE int epoll = epoll_create1(EPOLL_CLOEXEC);
	uint32_t busy = client->n;

	for (uint32_t i = 0; i < client->n; i++) {
		struct connection *c = &client->connections[i];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0 ||
			send_put(client, c) < 0)
			return -EIO;
	}
	while (busy > 0) {
		struct epoll_event events[64];
		int n = epoll_wait(epoll, events, 64, 10000);

		if (n <= 0)
			return -ETIMEDOUT;
		for (int i = 0; i < n; i++) {
			int rc = on_readable(client, events[i].data.ptr);

			if (rc < 0)
				return rc;
			busy -= rc > 0;
		}
	}
	return 0;
}

static int
compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
print_result(struct client *client, struct mono start)
{
	size_t n = client->puts < PUTS_MAX ? client->puts : PUTS_MAX;
	double seconds = (double)mono_diff_us(start, mono_now()) / 1e6;

	qsort(client->times_us, n, sizeof(*client->times_us), compare_u32);
	printf("{\"puts\":%zu,\"seconds\":%.3f,\"per_second\":%.1f,\"p50_us\":%u,"
	       "\"p95_us\":%u,\"p99_us\":%u}\n",
		client->puts, seconds, (double)client->puts / seconds,
		client->times_us[n / 2], client->times_us[n * 95 / 100],
		client->times_us[n * 99 / 100]);
}

/* Opens every connection; -1 with errno set. */
static int
open_all(struct client *client, const struct sockaddr_in *address)
{
	for (uint32_t i = 0; i < client->n; i++) {
		client->connections[i].number = i;
		client->connections[i].fd = open_connection(address);
		if (client->connections[i].fd < 0)
			return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct client client = { 0 };
	uint32_t port, seconds;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1 ||
		parse_u32(argv[2], 1, 65535, &port) < 0 ||
		parse_u32(argv[3], 1, CONNECTIONS_MAX, &client.n) < 0 ||
		parse_u32(argv[4], 1, 600, &seconds) < 0) {
		fprintf(stderr, "usage: put_client ADDRESS PORT CONNECTIONS SECONDS\n");
		return 2;
	}
	address.sin_port = htons((uint16_t)port);
	AUTO_FREE void *connections = calloc(client.n, sizeof(struct connection));
	AUTO_FREE void *times = calloc(PUTS_MAX, sizeof(uint32_t));
	client.connections = connections;
	client.times_us = times;
	if (!connections || !times || open_all(&client, &address) < 0) {
		perror("put_client");
		return 1;
	}
	struct mono start = mono_now();
	client.end = mono_add_ms(start, (int64_t)seconds * 1000);
	int rc = run(&client);
	if (rc < 0) {
		fprintf(stderr, "put_client: %s\n", strerror(-rc));
		return 1;
	}
	print_result(&client, start);
	return 0;
}
