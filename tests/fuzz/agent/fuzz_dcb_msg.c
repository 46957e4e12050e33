/*
 * fuzz_dcb_msg.c - priority flow control from any bytes.
 */
#include "agent/dcb_msg.h"

#include "nl_input.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *h = nl_input(data, size);
	struct dcb_pfc pfc;

	if (!h)
		return 0;
	if (dcb_pfc_decode(h, &pfc) == 0 && !memchr(pfc.name, 0, sizeof(pfc.name)))
		abort();
	free(h);
	return 0;
}
