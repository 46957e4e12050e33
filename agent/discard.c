/*
 * discard.c - gives a discarded packet its port and its data source.
 */
#include "agent/discard.h"

/* Samplers are made for interfaces that exist only: others would never go away. */
static uint32_t
known_port(const struct discard_path *path, uint32_t ifindex)
{
	return iface_find(path->ifaces, ifindex) ? ifindex : 0;
}

void
discard_take(const struct discard_path *path, struct packet *p, struct mono now)
{
	uint32_t ifindex = known_port(path, p->input.value);
	struct sampler *sampler;

	p->input = packet_port_ifindex(ifindex);
	if (ifindex)
		resolve_origin(path->resolve, p, now);
	p->source = data_source_port(p->input.value);
	sampler = sampler_get(path->samplers, p->source);
	if (sampler) /* else the table counts it; a datagram counts for itself */
		(void)sampler_take_discard(sampler, p, path->datagram, now);
}

void
discard_lost(const struct discard_path *path, uint32_t ifindex, uint32_t n)
{
	struct sampler *sampler = sampler_get(
		path->samplers, data_source_port(known_port(path, ifindex)));

	if (sampler)
		sampler_discards_lost(sampler, n);
}
