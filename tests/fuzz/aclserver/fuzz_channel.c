/*
 * fuzz_channel.c - channel_decode() on arbitrary packets from either side: what it
 * takes is what channel_encode() writes, byte by byte.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/channel.h"
#include "tests/fuzz/fuzz.h"

static void
check(const uint8_t *data, size_t size, bool from_child)
{
	uint8_t header[CHANNEL_HEADER_SIZE];
	struct channel_msg msg;
	struct err err;

	if (channel_decode(data, size, from_child, &msg, &err) != 0) {
		require(err.code == -EBADMSG && err.text[0]);
		return;
	}
	channel_encode(&msg, header);
	require(memcmp(header, data, sizeof(header)) == 0);
	require(msg.report_len == size - sizeof(header));
	require((msg.type == CHANNEL_DONE) == !from_child);
	require(!from_child || !msg.report);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, true);
	check(data, size, false);
	return 0;
}
