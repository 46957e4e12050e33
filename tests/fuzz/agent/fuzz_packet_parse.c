/*
 * fuzz_packet_parse.c - arbitrary bytes as a captured header; the first byte says what
 * it begins with.
 *
 * What is reported must have been captured.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/packet_parse.h"
#include "tests/fuzz/fuzz.h"

static void
check(const struct packet_parse *p, size_t len)
{
	const size_t header = p->ip_version == 4 ? 20 : 40;

	require(p->n_tags <= PACKET_PARSE_TAGS_MAX);
	require(!p->has_ether || len >= 14 + 4 * (size_t)p->n_tags);
	require(p->ip_version == 0 || p->ip_version == 4 || p->ip_version == 6);
	require(p->ip_version == 0 || p->ip_offset + header <= len);
	require(!p->has_ports || p->ip_offset + header + 4 <= len);
	require(!p->has_ports || !p->is_fragment);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_parse p;
	uint8_t *copy;

	if (size < 1)
		return 0;
	copy = malloc(size - 1);
	require(copy);
	memcpy(copy, data + 1, size - 1);
	packet_parse((enum sflow_protocol)data[0], copy, size - 1, &p);
	check(&p, size - 1);
	packet_parse(SFLOW_PROTOCOL_IPV4, copy, size - 1, &p);
	check(&p, size - 1);
	require(p.ip_version == 0 || p.ip_len == packet_parse_ip_len(copy, size - 1));
	free(copy);
	return 0;
}
