/*
 * sflow_encode.h - structs to sFlow version 5 samples. Pure.
 *
 * Each function appends one sample, whole, or leaves the buffer as it was. Records are
 * written in the order that the most collectors survive: the raw header or the generic
 * counters first, then those that old decoders know, the others last.
 * sflow_encode_flow.c, _if.c and _host.c hold the records by theme.
 *
 * Shapes: sFlow version 5, section 5 (sample_data), and the structure documents named
 * in sflow_proto.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/counters.h"
#include "agent/packet.h"
#include "common/wbuf.h"

/* Chosen once at start: an agent must not mix compact and expanded samples. */
struct sflow_options {
	bool compact;        /* 24-bit sources and 30-bit ports in one word each */
	uint32_t header_max; /* bytes of a packet header to send; 0 = none */
};

/* A sampled packet and where its data source stands. */
struct flow_sample {
	uint32_t seq;   /* of this source's flow samples */
	uint32_t pool;  /* packets that could have been sampled, mod 2^32 */
	uint32_t drops; /* samples lost in this source, mod 2^32 */
	const struct packet *packet; /* with source and rate; borrowed */
};

/* A discarded packet and where its data source stands. */
struct discard_sample {
	uint32_t seq;                /* of this source's discard samples */
	uint32_t drops;              /* notifications suppressed or lost, mod 2^32 */
	const struct packet *packet; /* with source and reason; borrowed */
};

/*
 * @ret_cut, common to the four functions below: NULL means that everything must fit.
 * Otherwise what does not fit is left out (optional records) or shortened (the sampled
 * header, the list of adapters), and *@ret_cut says how many records suffered.
 */

/**
 * Append one flow sample. (flow_sample, flow_sample_expanded)
 *
 * Header  at most @o->header_max, what was captured, and frame_len - stripped bytes
 * Returns 0; -ENOSPC if it does not fit; -EINVAL if the rate is 0, more was stripped
 *         than the frame had, or input is of a kind for outputs; -ERANGE if an index is
 *         too large for the compact form
 */
int sflow_put_flow_sample(struct wbuf *w, const struct sflow_options *o,
	const struct flow_sample *s, unsigned *ret_cut);

/**
 * Append one discarded-packet sample. (discarded_packet)
 *
 * Ports   plain ifIndex values; whatever is not an ifIndex is sent as 0, unknown
 * Returns as sflow_put_flow_sample(); the rate does not matter; never -ERANGE
 */
int sflow_put_discard_sample(struct wbuf *w, const struct sflow_options *o,
	const struct discard_sample *s, unsigned *ret_cut);

/**
 * Append one counters sample of a port. (counters_sample, counters_sample_expanded)
 *
 * Records 0:1, 0:2, 0:7, 0:10, 0:11, 0:1005, 0:1004; the first one always
 * Returns 0; -ENOSPC; -EINVAL if the module has more than OPTICS_LANES_MAX lanes;
 *         -ERANGE as above
 */
int sflow_put_if_sample(struct wbuf *w, const struct sflow_options *o,
	const struct if_sample *s, unsigned *ret_cut);

/**
 * Append one counters sample of a host.
 *
 * Records 0:1001, 0:2000 .. 0:2010, 4413:3, those that @s->has names
 * Returns 0; -ENOSPC; -EINVAL if there is no record at all, or an adapter has more than
 *         HOST_MACS_MAX addresses; -ERANGE as above
 */
int sflow_put_host_sample(struct wbuf *w, const struct sflow_options *o,
	const struct host_sample *s, unsigned *ret_cut);
