/*
 * counter_nl.c - asks the kernel about the ports of a batch, all in one system call.
 */
#include "agent/counter_nl.h"

enum { QUESTION_BYTES = 96 }; /* room for each; the largest is ethtool's with 76 */

_Static_assert((int)COUNTER_PORTS_MAX <= (int)NETLINK_REQUEST_MAX,
	"a batch of ports fits into one request");

int
counter_nl_ask(const struct counter_nl *q)
{
	_Alignas(4) uint8_t memory[COUNTER_PORTS_MAX * QUESTION_BYTES];
	struct nlbuild b;

	nlbuild_init(&b, memory, sizeof(memory));
	for (size_t i = 0; i < q->n; i++)
		q->build(&b, q->ports[i].iface, q->user_data);
	if (nlbuild_ok(&b) && b.n_msgs == 0)
		return 0;
	return netlink_request(q->nl, &b, q->on_answer, q->user_data, NULL);
}

struct counter_port *
counter_nl_find(struct counter_port *ports, size_t n, uint32_t ifindex)
{
	for (size_t i = 0; i < n; i++) {
		if (ports[i].iface->index == ifindex)
			return &ports[i];
	}
	return NULL;
}
