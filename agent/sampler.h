/*
 * sampler.h - what sFlow wants to know of each data source: sequence numbers, sample
 * pool, drops, rate. State module.
 *
 * Between the sources and pollers on one side and datagram.h on the other: a packet or
 * a set of counters goes in, gets its numbers and is put into the datagram. A sequence
 * number is used up only by what was really put in, so that gaps mean loss.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/counters.h"
#include "agent/datagram.h"
#include "agent/packet.h"
#include "common/mono.h"

/* One data source. Numbers are modulo 2^32, as on the wire, unless stated. */
struct sampler {
	struct data_source source;
	uint32_t flow_seq;      /* of the last flow sample; 0 = none yet */
	uint32_t counters_seq;  /* of the last counters sample */
	uint32_t discard_seq;   /* of the last discard sample */
	uint32_t rate;          /* 1-in-N of the last packet sample; 0 = none yet */
	uint32_t pool;          /* packets that could have been sampled */
	uint32_t drops;         /* packet samples lost on the way to the datagram */
	uint32_t discard_drops; /* discard notifications suppressed or lost */
	uint64_t samples;       /* packet samples sent, not modulo anything */
	struct sampler *next;   /* in the table's bucket */
};

/* More data sources than this are refused: 512 ports, their VLANs, and room. */
enum { SAMPLER_MAX = 8192, SAMPLER_BUCKETS = 512 };

struct sampler_table {
	struct sampler *buckets[SAMPLER_BUCKETS]; /* owned */
	size_t n;                                 /* samplers in it */
	uint64_t refused;                         /* additions refused */
};

/** An empty table. */
void sampler_table_init(struct sampler_table *t);
/** Free all samplers; the table is empty then. */
void sampler_table_done(struct sampler_table *t);

/** The sampler of @source, NULL if there is none. Stays where it is until removed. */
struct sampler *sampler_find(const struct sampler_table *t, struct data_source source);

/** As sampler_find(), and a new one if there is none. NULL when out of memory or
 * SAMPLER_MAX are there; counted. The only call that allocates. */
struct sampler *sampler_get(struct sampler_table *t, struct data_source source);

/** Forget @source: its port is gone. No-op if it is not there. */
void sampler_remove(struct sampler_table *t, struct data_source source);

/**
 * Number a sampled packet and put it into @d.
 *
 * Pool    as the packet says, else grows by its rate
 * Returns 0 or as datagram_put_flow(); a sample that was not put in counts as dropped
 */
int sampler_take_packet(
	struct sampler *s, const struct packet *p, struct datagram *d, struct mono now);

/** Number a discarded packet and put it into @d. 0 or as datagram_put_discard(); then
 * it counts as dropped. */
int sampler_take_discard(
	struct sampler *s, const struct packet *p, struct datagram *d, struct mono now);

/** Set c->seq and put the counters of a port into @d. 0 or as datagram_put_if(). */
int sampler_take_if(
	struct sampler *s, struct if_sample *c, struct datagram *d, struct mono now);

/** Set c->seq and put the counters of a host into @d. 0 or as datagram_put_host(). */
int sampler_take_host(
	struct sampler *s, struct host_sample *c, struct datagram *d, struct mono now);

/**
 * @n samples of this source were lost before they came here: gap of a sequence, socket
 * overrun, our own limits. Each stood for @rate packets, which the pool gains, so that
 * pool / samples stays the rate by which a collector should multiply. @rate 0: the pool
 * is the hardware's and knows already.
 */
void sampler_lost(struct sampler *s, uint32_t n, uint32_t rate);

/** @n discard notifications were suppressed by a limit or lost. */
void sampler_discards_lost(struct sampler *s, uint32_t n);

/** The counters of this source began anew or jumped: so does their sequence, which is
 * how collectors know. */
void sampler_counters_reset(struct sampler *s);
