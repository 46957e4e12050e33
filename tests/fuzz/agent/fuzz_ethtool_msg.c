/*
 * fuzz_ethtool_msg.c - link modes, statistics and pieces of EEPROMs from any bytes.
 */
#include "agent/ethtool_msg.h"

#include "nl_input.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *h = nl_input(data, size);
	struct ethtool_counters counters;
	struct ethtool_link link;
	const uint8_t *piece;
	size_t len;

	if (!h)
		return 0;
	if (ethtool_link_decode(h, &link) == 0 && link.speed_bps % 1000000 != 0)
		abort();
	(void)ethtool_counters_decode(h, &counters);
	if (ethtool_eeprom_decode(h, &piece, &len) == 0 &&
		(piece < (uint8_t *)h || len > size))
		abort();
	free(h);
	return 0;
}
