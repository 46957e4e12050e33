/*
 * if_history.c - what the counters of a port were when they were read last.
 */
#include "agent/if_history.h"

/* What unicast is made of. */
static unsigned
known_of(const struct if_counters *c)
{
	const uint64_t parts[] = {
		c->in.multicast,
		c->in.broadcast,
		c->out.multicast,
		c->out.broadcast,
	};
	unsigned known = 0;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		known |= (unsigned)(parts[i] != COUNTER_UNKNOWN) << i;
	return known;
}

bool
if_history_update(struct if_history *h, struct if_counters *c)
{
	unsigned known = known_of(c);
	bool is_new = h->is_valid &&
		      (c->in.octets < h->in_octets || c->out.octets < h->out_octets ||
			      known != h->known);

	if (h->is_valid && !is_new) {
		if (c->in.unicast < h->in_unicast)
			c->in.unicast = h->in_unicast;
		if (c->out.unicast < h->out_unicast)
			c->out.unicast = h->out_unicast;
	}
	*h = (struct if_history){
		.is_valid = true,
		.known = known,
		.in_octets = c->in.octets,
		.out_octets = c->out.octets,
		.in_unicast = c->in.unicast,
		.out_unicast = c->out.unicast,
	};
	return is_new;
}
