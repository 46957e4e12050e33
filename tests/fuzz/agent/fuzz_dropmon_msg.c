/*
 * fuzz_dropmon_msg.c - arbitrary bytes as messages of the drop monitor, and the
 * discarded packet made of them.
 *
 * What is accepted must stand in the message; names end, and are found in the tables or
 * not, but always have a reason.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/drop_reason.h"
#include "agent/dropmon_msg.h"
#include "tests/fuzz/fuzz.h"

static void
check_alert(const struct dropmon_msg *m, const uint8_t *end)
{
	char cookie[DROPMON_COOKIE_SIZE];
	enum sflow_reason reason;
	struct packet p;

	require(!m->data || (m->data_len > 0 && m->data + m->data_len <= end));
	require(!m->cookie || m->cookie + m->cookie_len <= end);
	require(strlen(m->function) < DROPMON_TEXT_SIZE);
	require(strlen(m->trap_name) < DROPMON_TEXT_SIZE);
	(void)drop_reason_find(m, &reason);
	require(reason < 16 || (reason >= 256 && reason <= SFLOW_REASON_BGP_FLOWSPEC));
	if (dropmon_msg_packet(m, reason, cookie, &p) < 0)
		return;
	require(p.header == m->data && p.header_len == m->data_len);
	require(p.frame_len >= p.header_len);
	require(!(p.has & PACKET_HAS_ACL) || strlen(cookie) < DROPMON_COOKIE_SIZE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dropmon_config config;
	struct dropmon_msg m;
	struct nlmsghdr *h;
	uint64_t lost;

	if (size < NLMSG_HDRLEN)
		return 0;
	h = malloc(size);
	require(h);
	memcpy(h, data, size);
	h->nlmsg_len = (uint32_t)size;
	if (dropmon_msg_decode(h, &m) == 0)
		check_alert(&m, (const uint8_t *)h + size);
	(void)dropmon_msg_decode_config(h, &config);
	(void)dropmon_msg_decode_stats(h, &lost);
	free(h);
	return 0;
}
