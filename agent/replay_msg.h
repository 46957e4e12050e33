/*
 * replay_msg.h - recordings of what sources received: the file format. Pure.
 *
 * A recording is a header and records up to the end of the file; all numbers are big
 * endian. The messages themselves are as the kernel sent them, in the byte order of the
 * machine that recorded, which the header names.
 *
 *     header  "tapgate\n" (8 bytes), version u16 (1), byte order u8 (1 big, 2 little),
 *             zero u8
 *     record  length of the message u32, time u64 (ns since the recording began),
 *             source u8 (enum replay_msg_source), zero u8[3], message
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/wbuf.h"

enum replay_msg_source {
	REPLAY_MSG_NFLOG = 1,   /* NFNL_SUBSYS_ULOG, from nlmsghdr on */
	REPLAY_MSG_PSAMPLE = 2, /* generic netlink family psample, likewise */
};

enum {
	REPLAY_MSG_HEADER_BYTES = 12,
	REPLAY_MSG_RECORD_BYTES = 16, /* in front of the message */
	REPLAY_MSG_MAX_BYTES = 65536, /* longest message */
};

struct replay_msg {
	enum replay_msg_source source;
	uint64_t time_ns;    /* since the recording began */
	const uint8_t *data; /* borrowed from the buffer */
	size_t len;
};

/** The name in a configuration or log of @source; NULL if there is no such source. */
const char *replay_msg_source_name(enum replay_msg_source source);

/** Check a header. 0; -EAGAIN: more bytes wanted; -EBADMSG: no recording;
 * -EPROTONOSUPPORT: other version; -EXDEV: other byte order. */
int replay_msg_decode_header(const void *data, size_t len);

/**
 * Decode the record at the beginning of @data.
 *
 * @ret_used  bytes of it
 * Returns    0; -EAGAIN: not complete; -EBADMSG: none, or too long
 */
int replay_msg_decode(
	const void *data, size_t len, struct replay_msg *ret, size_t *ret_used);

/** Append a header; what does not fit shows in wbuf_ok(). */
void replay_msg_encode_header(struct wbuf *w);
/** Append what stands in front of the message: m->data follows. */
void replay_msg_encode(struct wbuf *w, const struct replay_msg *m);
