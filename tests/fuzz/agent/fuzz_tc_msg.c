/*
 * fuzz_tc_msg.c - arbitrary bytes as messages about qdiscs and filters.
 *
 * What is taken for a filter of ours must be one that we could have built.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tc_msg.h"
#include "tests/fuzz/fuzz.h"

/* Built again and read again it is the same. */
static void
check(const struct tc_filter *f)
{
	uint8_t buffer[TC_MSG_REQUEST_BYTES] __attribute__((aligned(8)));
	struct tc_msg_filter again;
	struct nlbuild b;

	nlbuild_init(&b, buffer, sizeof(buffer));
	tc_msg_build_filter(&b, f);
	require(nlbuild_ok(&b));
	require(tc_msg_decode_filter((const struct nlmsghdr *)buffer, &again) == 0);
	require(again.is_ours && again.filter.ifindex == f->ifindex &&
		again.filter.rate == f->rate && again.filter.pref == f->pref &&
		again.filter.owns_qdisc == f->owns_qdisc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tc_msg_filter m;
	struct nlmsghdr *h;
	uint32_t ifindex;

	if (size < NLMSG_HDRLEN)
		return 0;
	h = malloc(size);
	require(h);
	memcpy(h, data, size);
	h->nlmsg_len = (uint32_t)size;
	if (tc_msg_decode_filter(h, &m) == 0 && m.is_ours)
		check(&m.filter);
	if (tc_msg_decode_qdisc(h, &ifindex) == 0)
		require(ifindex <= INT32_MAX);
	free(h);
	return 0;
}
