/*
 * fuzz_link_msg.c - links and addresses from any bytes: texts end, addresses are valid.
 */
#include "agent/link_msg.h"

#include <sys/socket.h>

#include "nl_input.h"
#include "tests/fuzz/fuzz.h"

static void
check_link(const struct link_msg *m)
{
	if (m->index == 0 || !memchr(m->name, '\0', sizeof(m->name)) ||
		!memchr(m->alias, '\0', sizeof(m->alias)))
		abort();
}

static void
check_addr(const struct link_addr *a)
{
	if (a->addr.prefix_len > (a->addr.family == AF_INET ? 32 : 128))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *h = nl_input(data, size);
	struct link_addr addr;
	struct link_msg link;

	if (!h)
		return 0;
	if (link_msg_decode(h, &link) == 0)
		check_link(&link);
	if (link_addr_decode(h, &addr) == 0)
		check_addr(&addr);
	free(h);
	return 0;
}
