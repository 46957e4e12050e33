/*
 * fuzz_replay_msg.c - arbitrary bytes as a recording.
 *
 * Every record that is accepted lies in the file, and becomes the same bytes again.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/replay_msg.h"
#include "tests/fuzz/fuzz.h"

static void
check_record(const uint8_t *at, const struct replay_msg *m, size_t used)
{
	uint8_t again[REPLAY_MSG_RECORD_BYTES];
	struct wbuf w;

	require(m->data == at + REPLAY_MSG_RECORD_BYTES);
	require(used == REPLAY_MSG_RECORD_BYTES + m->len);
	require(replay_msg_source_name(m->source));
	wbuf_init(&w, again, sizeof(again));
	replay_msg_encode(&w, m);
	require(wbuf_ok(&w) && memcmp(again, at, sizeof(again)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = REPLAY_MSG_HEADER_BYTES, used;
	uint8_t *copy = malloc(size + 1);
	struct replay_msg m;

	require(copy);
	if (size > 0)
		memcpy(copy, data, size);
	if (replay_msg_decode_header(copy, size) != 0)
		at = 0;
	while (replay_msg_decode(copy + at, size - at, &m, &used) == 0) {
		require(used <= size - at);
		check_record(copy + at, &m, used);
		at += used;
	}
	free(copy);
	return 0;
}
