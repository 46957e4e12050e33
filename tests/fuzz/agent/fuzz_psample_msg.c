/*
 * fuzz_psample_msg.c - arbitrary bytes as a message of PSAMPLE, and the sample made of
 * it.
 *
 * What is accepted must stand in the message, or in the frame that was put together.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/psample_msg.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *h;
	struct psample_msg m;
	struct packet p;

	if (size < NLMSG_HDRLEN)
		return 0;
	h = malloc(size);
	require(h);
	memcpy(h, data, size);
	h->nlmsg_len = (uint32_t)size;
	if (psample_msg_decode(h, &m) == 0) {
		require(m.rate > 0 && m.data_len > 0);
		require(m.data + m.data_len <= (const uint8_t *)h + size);
		require(m.cookie_len <= size);
		for (int egress = 0; egress < 2; egress++) {
			if (psample_msg_packet(&m, egress, &p) < 0)
				continue;
			require(p.header == m.data && p.header_len == m.data_len);
			require(p.frame_len >= p.header_len);
		}
	}
	free(h);
	return 0;
}
