/*
 * nflog_reader.c - reads packets that rules log to a group, and does nothing with them:
 * what the kernel's delivery alone costs, as the limit beside the agent.
 *
 *	nflog_reader GROUP
 *
 * Answers each line of standard input with one of JSON: packets and overruns so far.
 * Ends with the end of standard input. Socket and group are set up as by the agent's
 * nflog source.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/nl.h"
#include "common/parse.h"

enum {
	RECEIVE_BYTES = 8 << 20,
	DATAGRAM_BYTES = 32256,
	DATAGRAMS = 8,
	HEADER_BYTES = 256,
	THRESHOLD = 100,
	TIMEOUT_CS = 5,
	GROUP_MAX = 65535,
};

struct reader {
	struct netlink *nl;
	uint64_t packets, overruns;
};

static int
on_message(const struct nlmsghdr *h, void *user_data)
{
	struct reader *r = user_data;

	(void)h;
	r->packets++;
	return 0;
}

static void
on_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct reader *r = user_data;

	(void)loop, (void)fd, (void)events;
	if (netlink_receive(r->nl, on_message, r) == -ENOBUFS)
		r->overruns++;
}

static void
on_line(struct loop *loop, int fd, unsigned events, void *user_data)
{
	const struct reader *r = user_data;
	char byte;

	(void)events;
	if (read(fd, &byte, 1) != 1) {
		loop_stop(loop, 0);
		return;
	}
	printf("{\"packets\": %" PRIu64 ", \"overruns\": %" PRIu64 "}\n", r->packets,
		r->overruns);
	fflush(stdout);
}

static int
bind_group(struct netlink *nl, uint16_t group, struct err *err)
{
	const struct nfgenmsg header = { .res_id = htons(group) };
	const struct nfulnl_msg_config_cmd bind = { NFULNL_CFG_CMD_BIND };
	const struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(HEADER_BYTES),
		.copy_mode = NFULNL_COPY_PACKET,
	};
	uint8_t buffer[256] __attribute__((aligned(8)));
	struct nlbuild b;

	nlbuild_init(&b, buffer, sizeof(buffer));
	nlbuild_begin(&b, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, NLM_F_ACK, &header,
		sizeof(header));
	nlbuild_put(&b, NFULA_CFG_CMD, &bind, sizeof(bind));
	nlbuild_put(&b, NFULA_CFG_MODE, &mode, sizeof(mode));
	nlbuild_put_u32(&b, NFULA_CFG_NLBUFSIZ, htonl(DATAGRAM_BYTES));
	nlbuild_put_u32(&b, NFULA_CFG_QTHRESH, htonl(THRESHOLD));
	nlbuild_put_u32(&b, NFULA_CFG_TIMEOUT, htonl(TIMEOUT_CS));
	return netlink_request(nl, &b, NULL, NULL, err);
}

static int
run(struct reader *r, uint16_t group, struct err *err)
{
	const struct netlink_options options = {
		.protocol = NETLINK_NETFILTER,
		.receive_bytes = RECEIVE_BYTES,
		.message_bytes = DATAGRAM_BYTES + 1024,
		.batch = DATAGRAMS,
	};
	struct loop *loop = loop_new();

	r->nl = netlink_open(&options, err);
	if (!loop || !r->nl || bind_group(r->nl, group, err) < 0)
		return -1;
	if (!loop_add_fd(loop, netlink_fd(r->nl), LOOP_READ, on_readable, r) ||
		!loop_add_fd(loop, STDIN_FILENO, LOOP_READ, on_line, r))
		return err_sys(err, -errno, "event loop");
	(void)loop_run(loop);
	netlink_close(r->nl);
	loop_free(loop);
	return 0;
}

int
main(int argc, char **argv)
{
	struct reader reader = { 0 };
	struct err err = { 0 };
	uint32_t group;

	if (argc != 2 || parse_u32(argv[1], 1, GROUP_MAX, &group) < 0) {
		fprintf(stderr, "usage: nflog_reader GROUP\n");
		return 2;
	}
	if (run(&reader, (uint16_t)group, &err) == 0)
		return 0;
	fprintf(stderr, "nflog_reader: %s\n", err.text);
	return 1;
}
