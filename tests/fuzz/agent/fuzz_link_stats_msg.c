/*
 * fuzz_link_stats_msg.c - statistics of a link from any bytes.
 */
#include "agent/link_stats_msg.h"

#include "nl_input.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *h = nl_input(data, size);
	struct link_stats stats;

	/* Only counters are decoded of a member's record. */
	if (h && link_stats_decode(h, &stats) == 0 && stats.has_lacp &&
		stats.lacp.attached_aggregator != 0)
		abort();
	free(h);
	return 0;
}
