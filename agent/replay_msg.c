/*
 * replay_msg.c - the file format of recordings.
 */
#include "agent/replay_msg.h"

#include <errno.h>
#include <string.h>

#include "common/rbuf.h"

static const char magic[8] = { 't', 'a', 'p', 'g', 'a', 't', 'e', '\n' };

enum { VERSION = 1 };

enum byte_order {
	BYTE_ORDER_BIG = 1,
	BYTE_ORDER_LITTLE = 2,
	BYTE_ORDER_OURS = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? BYTE_ORDER_BIG
								 : BYTE_ORDER_LITTLE,
};

const char *
replay_msg_source_name(enum replay_msg_source source)
{
	switch (source) {
	case REPLAY_MSG_NFLOG:
		return "nflog";
	case REPLAY_MSG_PSAMPLE:
		return "psample";
	}
	return NULL;
}

int
replay_msg_decode_header(const void *data, size_t len)
{
	struct rbuf r;
	const uint8_t *found;
	uint16_t version;
	uint8_t order;

	rbuf_init(&r, data, len);
	if (len < REPLAY_MSG_HEADER_BYTES)
		return -EAGAIN;
	found = rbuf_get_bytes(&r, sizeof(magic));
	version = rbuf_get_be16(&r);
	order = rbuf_get_u8(&r);
	if (memcmp(found, magic, sizeof(magic)) != 0 || rbuf_get_u8(&r) != 0)
		return -EBADMSG;
	if (version != VERSION)
		return -EPROTONOSUPPORT;
	return order == BYTE_ORDER_OURS ? 0 : -EXDEV;
}

int
replay_msg_decode(
	const void *data, size_t len, struct replay_msg *ret, size_t *ret_used)
{
	struct replay_msg m;
	struct rbuf r;

	rbuf_init(&r, data, len);
	if (len < REPLAY_MSG_RECORD_BYTES)
		return -EAGAIN;
	m.len = rbuf_get_be32(&r);
	m.time_ns = rbuf_get_be64(&r);
	m.source = (enum replay_msg_source)rbuf_get_u8(&r);
	if (m.len > REPLAY_MSG_MAX_BYTES || !replay_msg_source_name(m.source))
		return -EBADMSG;
	for (int i = 0; i < 3; i++) {
		if (rbuf_get_u8(&r) != 0)
			return -EBADMSG;
	}
	if (rbuf_left(&r) < m.len)
		return -EAGAIN;
	m.data = rbuf_get_bytes(&r, m.len);
	*ret = m;
	*ret_used = REPLAY_MSG_RECORD_BYTES + m.len;
	return 0;
}

void
replay_msg_encode_header(struct wbuf *w)
{
	wbuf_put_bytes(w, magic, sizeof(magic));
	wbuf_put_be16(w, VERSION);
	wbuf_put_u8(w, BYTE_ORDER_OURS);
	wbuf_put_u8(w, 0);
}

void
replay_msg_encode(struct wbuf *w, const struct replay_msg *m)
{
	wbuf_put_be32(w, (uint32_t)m->len);
	wbuf_put_be64(w, m->time_ns);
	wbuf_put_u8(w, (uint8_t)m->source);
	wbuf_put_zero(w, 3);
}
