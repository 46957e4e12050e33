/*
 * fuzz_resolve_msg.c - arbitrary bytes as the kernel's answer about routes, neighbours
 * and bridges.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/resolve_msg.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resolve_route route;
	struct resolve_neigh neigh;
	struct nlmsghdr *h;
	uint16_t number;
	bool flag;

	if (size < NLMSG_HDRLEN)
		return 0;
	h = malloc(size);
	if (!h)
		abort();
	memcpy(h, data, size);
	h->nlmsg_len = (uint32_t)size;
	(void)resolve_msg_route(h, &route);
	(void)resolve_msg_neigh(h, &neigh);
	(void)resolve_msg_vlan_aware(h, &flag);
	(void)resolve_msg_pvid(h, &number);
	(void)resolve_msg_rule_by_flow(h, &flag);
	free(h);
	return 0;
}
