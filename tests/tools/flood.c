/*
 * flood.c - sends one frame again and again out of a network device, at a given rate.
 *
 *	flood DEVICE RATE FRAME	  RATE in packets/s, 0 is as fast as it can; FRAME in
 *hex
 *
 * Ends with SIGTERM and prints how many it sent. For demo and benchmarks; the frame is
 * made by their Python side, so that this file knows no protocol.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/parse.h"

enum {
	BATCH = 64,       /* frames per system call when there is no rate */
	FRAME_MAX = 1514, /* bytes */
	TICK_NS = 100000, /* between two batches when there is a rate */
	RATE_MAX = 10000000,
};

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* Hex text to bytes; the length, or -1. */
static int
parse_frame(const char *hex, uint8_t ret[FRAME_MAX])
{
	size_t len = strlen(hex) / 2;

	if (strlen(hex) % 2 != 0 || len < ETH_HLEN || len > FRAME_MAX)
		return -1;
	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return -1;
		ret[i] = (uint8_t)byte;
	}
	return (int)len;
}

/* A packet socket that sends out of @device without queueing; -1 with errno set. */
static int
open_socket(const char *device)
{
	AUTO_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(device),
	};
	int bypass = 1;

	if (fd < 0 || address.sll_ifindex == 0)
		return -1;
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)) <
			0 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return take_fd(&fd);
}

/* Sends @count copies, the same buffer for all; returns how many went out. */
static unsigned
send_copies(int fd, const uint8_t *frame, int len, unsigned count)
{
	struct iovec iov = { .iov_base = (void *)frame, .iov_len = (size_t)len };
	struct mmsghdr messages[BATCH];
	unsigned sent = 0;

	memset(messages, 0, sizeof(messages));
	for (size_t i = 0; i < BATCH; i++) {
		messages[i].msg_hdr.msg_iov = &iov;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < count && !stopped) {
		unsigned rest = count - sent;
		int n = sendmmsg(fd, messages, rest < BATCH ? rest : BATCH, 0);

		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return sent;
		sent += n > 0 ? (unsigned)n : 0;
	}
	return sent;
}

/* As many per tick as the rate says, fractions carried over. */
static uint64_t
send_at_rate(int fd, const uint8_t *frame, int len, uint64_t rate)
{
	struct timespec next;
	uint64_t sent = 0, credit = 0;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!stopped) {
		credit += rate * TICK_NS;
		sent += send_copies(fd, frame, len, (unsigned)(credit / 1000000000));
		credit %= 1000000000;
		next.tv_nsec += TICK_NS;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return sent;
}

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	uint8_t frame[FRAME_MAX];
	uint64_t rate, sent = 0;
	int len;

	if (argc != 4 || parse_u64(argv[2], 0, RATE_MAX, &rate) < 0 ||
		(len = parse_frame(argv[3], frame)) < 0) {
		fprintf(stderr, "usage: flood DEVICE RATE FRAME-IN-HEX\n");
		return 2;
	}
	AUTO_CLOSE int fd = open_socket(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "flood: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	sigaction(SIGTERM, &action, NULL);
	/* The default slack of 50 us would be half a tick. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	if (rate > 0)
		sent = send_at_rate(fd, frame, len, rate);
	while (rate == 0 && !stopped)
		sent += send_copies(fd, frame, len, BATCH);
	printf("%llu\n", (unsigned long long)sent);
	return 0;
}
