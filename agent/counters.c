/*
 * counters.c - start values of the counter structs: everything unknown. Pure.
 */
#include "agent/counters.h"

#include <string.h>

/* Structs that have nothing but 64-bit numbers become unknown as a whole. */
#define SET_UNKNOWN(x) memset(&(x), 0xff, sizeof(x))

static void
lag_init(struct lag_port *l)
{
	memset(l, 0, sizeof(*l));
	l->lacpdu_rx = COUNTER_UNKNOWN;
	l->marker_rx = COUNTER_UNKNOWN;
	l->marker_response_rx = COUNTER_UNKNOWN;
	l->unknown_rx = COUNTER_UNKNOWN;
	l->illegal_rx = COUNTER_UNKNOWN;
	l->lacpdu_tx = COUNTER_UNKNOWN;
	l->marker_tx = COUNTER_UNKNOWN;
	l->marker_response_tx = COUNTER_UNKNOWN;
}

void
if_sample_init(struct if_sample *s, uint32_t ifindex)
{
	memset(s, 0, sizeof(*s));
	s->generic.index = ifindex;
	s->generic.type = SFLOW_IF_TYPE_ETHERNET;
	s->generic.speed_bps = COUNTER_UNKNOWN;
	s->generic.in_unknown_protos = COUNTER_UNKNOWN;
	SET_UNKNOWN(s->generic.in);
	SET_UNKNOWN(s->generic.out);
	SET_UNKNOWN(s->ethernet);
	SET_UNKNOWN(s->pfc);
	lag_init(&s->lag);
}

void
optics_init(struct optics *o, uint32_t module_id)
{
	memset(o, 0, sizeof(*o));
	o->module_id = module_id;
	o->supply_mv = COUNTER_UNKNOWN;
	o->temperature_mc = COUNTER_UNKNOWN_SIGNED;
}

void
optics_lane_init(struct optics_lane *l, uint32_t index)
{
	SET_UNKNOWN(*l);
	l->index = index;
}

static void
host_cpu_init(struct host_cpu *c)
{
	SET_UNKNOWN(*c);
	c->load_one = -1;
	c->load_five = -1;
	c->load_fifteen = -1;
}

void
host_sample_init(struct host_sample *s)
{
	memset(s, 0, sizeof(*s));
	s->source = data_source_host();
	host_cpu_init(&s->cpu);
	/* The percentages become -1 with the rest, which is how they say unknown. */
	SET_UNKNOWN(s->memory);
	SET_UNKNOWN(s->disk);
	SET_UNKNOWN(s->net);
	SET_UNKNOWN(s->ip);
	SET_UNKNOWN(s->icmp);
	SET_UNKNOWN(s->tcp);
	SET_UNKNOWN(s->udp);
	SET_UNKNOWN(s->hw_tables);
	SET_UNKNOWN(s->processor);
}
