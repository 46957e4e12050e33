/*
 * fuzz_nflog_msg.c - arbitrary bytes as a message of NFLOG, and the sample made of it.
 *
 * What is accepted must stand in the message, or in the frame that was put together.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/nflog_msg.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nlmsghdr *h;
	struct nflog_msg m;
	struct packet p;

	if (size < NLMSG_HDRLEN)
		return 0;
	h = malloc(size);
	require(h);
	memcpy(h, data, size);
	h->nlmsg_len = (uint32_t)size;
	if (nflog_msg_decode(h, &m) == 0) {
		(void)nflog_msg_rate(&m);
		require(memchr(m.prefix, 0, sizeof(m.prefix)));
		require(m.payload_len <= size && m.hw_header_len <= size);
		if (nflog_msg_packet(&m, 1, frame, &p) == 0) {
			require(p.header == frame && p.header_len <= sizeof(frame));
			require(p.frame_len >= p.header_len);
		}
	}
	free(h);
	return 0;
}
