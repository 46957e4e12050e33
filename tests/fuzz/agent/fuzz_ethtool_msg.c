/*
 * fuzz_ethtool_msg.c - link modes and statistics of ethtool from any bytes.
 */
#include "agent/ethtool_msg.h"

#include "nl_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *h = nl_input(data, size);
	struct ethtool_counters counters;
	struct ethtool_link link;

	if (!h)
		return 0;
	if (ethtool_link_decode(h, &link) == 0 && link.speed_bps % 1000000 != 0)
		abort();
	(void)ethtool_counters_decode(h, &counters);
	free(h);
	return 0;
}
