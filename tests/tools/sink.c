/*
 * sink.c - receives UDP packets and says, when asked, what came from whom and when.
 *
 *	sink PORT
 *
 * For each line on standard input one line of JSON:
 *	{"now_ns":T,"lost":N,"flows":{"10.0.3.3":{"packets":N,"last_ns":T}}}
 * Times are CLOCK_REALTIME; last_ns is when the kernel received the newest packet of
 * that source address. "lost" counts packets that found the socket's buffer full. Ends
 * with the end of standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/parse.h"

enum {
	BATCH = 64,
	FLOWS_MAX = 64, /* sources beyond that are not told apart: the last one takes
			   them */
	BUFFER_BYTES = 32 << 20,
};

struct flow {
	struct in_addr source;
	uint64_t packets;
	int64_t last_ns;
};

struct sink {
	int fd;
	uint32_t lost;
	size_t n_flows;
	struct flow flows[FLOWS_MAX];
};

struct control {
	_Alignas(struct cmsghdr) char bytes[128];
};

static int64_t
timespec_ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static int
open_socket(uint32_t port)
{
	AUTO_CLOSE int fd =
		socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
	};
	int on = 1, size = BUFFER_BYTES;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return take_fd(&fd);
}

static struct flow *
find_flow(struct sink *sink, struct in_addr source)
{
	for (size_t i = 0; i < sink->n_flows; i++) {
		if (sink->flows[i].source.s_addr == source.s_addr)
			return &sink->flows[i];
	}
	if (sink->n_flows < FLOWS_MAX)
		sink->flows[sink->n_flows++] = (struct flow){ .source = source };
	return &sink->flows[sink->n_flows - 1];
}

static void
count(struct sink *sink, struct msghdr *message)
{
	const struct sockaddr_in *from = message->msg_name;
	struct flow *flow = find_flow(sink, from->sin_addr);

	flow->packets++;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
		c = CMSG_NXTHDR(message, c)) {
		struct timespec received;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&received, CMSG_DATA(c), sizeof(received));
			flow->last_ns = timespec_ns(&received);
		} else if (c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&sink->lost, CMSG_DATA(c), sizeof(sink->lost));
		}
	}
}

/* Takes at most one batch; true if there may be more. */
static bool
receive(struct sink *sink)
{
	struct mmsghdr messages[BATCH];
	struct sockaddr_in from[BATCH];
	struct control control[BATCH];
	uint8_t byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };

	memset(messages, 0, sizeof(messages));
	for (size_t i = 0; i < BATCH; i++) {
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control[i].bytes,
			.msg_controllen = sizeof(control[i].bytes),
		};
	}
	int n = recvmmsg(sink->fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		count(sink, &messages[i].msg_hdr);
	return n == BATCH;
}

static void
report(const struct sink *sink)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	printf("{\"now_ns\":%" PRId64 ",\"lost\":%" PRIu32 ",\"flows\":{",
		timespec_ns(&now), sink->lost);
	for (size_t i = 0; i < sink->n_flows; i++) {
		const struct flow *flow = &sink->flows[i];
		char name[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &flow->source, name, sizeof(name));
		printf("%s\"%s\":{\"packets\":%" PRIu64 ",\"last_ns\":%" PRId64 "}",
			i > 0 ? "," : "", name, flow->packets, flow->last_ns);
	}
	printf("}}\n");
	fflush(stdout);
}

/* One report per line of input; false at its end. */
static bool
answer(struct sink *sink)
{
	char text[256];
	ssize_t n = read(STDIN_FILENO, text, sizeof(text));

	/* What has arrived before the question belongs into the answer. */
	while (n > 0 && receive(sink))
		;
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			report(sink);
	}
	return n > 0;
}

int
main(int argc, char **argv)
{
	static struct sink sink;
	uint32_t port;

	if (argc != 2 || parse_u32(argv[1], 1, 65535, &port) < 0) {
		fprintf(stderr, "usage: sink PORT\n");
		return 2;
	}
	sink.fd = open_socket(port);
	if (sink.fd < 0) {
		fprintf(stderr, "sink: %s\n", strerror(errno));
		return 1;
	}
	struct pollfd fds[] = {
		{ .fd = sink.fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return 1;
		if (fds[0].revents)
			receive(&sink);
		if (fds[1].revents && !answer(&sink))
			return 0;
	}
}
