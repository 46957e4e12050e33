/*
 * datagram.h - fills sFlow datagrams with samples. State module.
 *
 * Samples go into the datagram that is open; one that does not fit begins the next.
 * Finished datagrams gather in a batch, which leaves by the callback when it is full or
 * when the caller flushes, at the latest delay_ms after its first sample. All
 * collectors get the same bytes, so there is one sequence of datagrams. (sFlow version
 * 5, sample_datagram_v5)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "agent/sflow_encode.h"
#include "common/mono.h"
#include "common/parse.h"
#include "common/wbuf.h"

enum {
	DATAGRAM_SIZE_MIN = 200, /* the range that hsflowd accepts */
	DATAGRAM_SIZE_MAX = 8192,
	DATAGRAM_BATCH = 16, /* finished ones that wait for one system call */
};

struct datagram_conf {
	struct parse_addr agent;      /* our identity; family 0: none elected yet */
	uint32_t sub_agent;           /* distinguishes streams of one agent address */
	uint32_t size_max;            /* of the UDP payload, DATAGRAM_SIZE_MIN.._MAX */
	uint32_t delay_ms;            /* 1..SFLOW_MAX_DELAY_MS */
	struct sflow_options options; /* compact: not to be changed once sent */
};

/* Takes @n finished datagrams; they are borrowed for the call. Must not call back. */
typedef void (*datagram_send_fn)(const struct iovec *msgs, size_t n, void *user_data);

/* Since datagram_init(). */
struct datagram_stats {
	uint64_t datagrams;        /* handed to the callback */
	uint64_t flow_samples;     /* put into a datagram */
	uint64_t counters_samples; /* likewise */
	uint64_t discard_samples;  /* likewise */
	uint64_t refused;          /* samples that no datagram could hold or express */
	uint64_t unaddressed; /* samples that came while there was no agent address */
	uint64_t records_cut; /* records left out or shortened to fit at all */
};

struct datagram {
	struct datagram_conf conf;
	datagram_send_fn send;       /* where batches go */
	void *user_data;             /* of send; borrowed */
	uint8_t *buffers;            /* DATAGRAM_BATCH of size_max bytes each; owned */
	size_t lens[DATAGRAM_BATCH]; /* of the finished ones */
	size_t n_finished;           /* they fill the first buffers */
	struct wbuf w;               /* the open one, in the buffer behind them */
	uint32_t n_samples;          /* in the open one */
	uint32_t seq;                /* of the last datagram; 0 = none yet */
	struct mono oldest;          /* when the first sample that still waits came */
	struct datagram_stats stats;
};

/** Fill @conf with defaults: no agent address, 1400 bytes, expanded, 128 header bytes.
 */
void datagram_conf_init(struct datagram_conf *conf);

/** An empty datagram. @user_data is passed to @send. 0, or as datagram_configure(). */
int datagram_init(struct datagram *d, const struct datagram_conf *conf,
	datagram_send_fn send, void *user_data);

/** Free the buffers; what still waits is lost. Accepts a zeroed or done object. */
void datagram_done(struct datagram *d);

/**
 * Change the configuration; what waits is sent as it was meant first. A new agent
 * address or sub-agent begins a new sequence.
 *
 * Returns 0; -EINVAL (a value is out of range, or the form changes after something was
 *         sent), -ENOMEM; then everything is as before
 */
int datagram_configure(struct datagram *d, const struct datagram_conf *conf);

/**
 * Put a sample in. A sample that does not fit even into an empty datagram loses
 * optional records, the end of its header or of its list until it does.
 *
 * @now    starts the delay if nothing waited
 * Returns 0; -EADDRNOTAVAIL without an agent address; -ENOSPC, -EINVAL, -ERANGE as
 *         sflow_encode.h has them. Only after 0 is the sequence number used up.
 */
int datagram_put_flow(struct datagram *d, const struct flow_sample *s, struct mono now);
int datagram_put_discard(
	struct datagram *d, const struct discard_sample *s, struct mono now);
int datagram_put_if(struct datagram *d, const struct if_sample *s, struct mono now);
int datagram_put_host(struct datagram *d, const struct host_sample *s, struct mono now);

/** True if something waits; then *@ret_when is when datagram_flush() must be called. */
bool datagram_deadline(const struct datagram *d, struct mono *ret_when);

/** Send all that waits, the open datagram included. */
void datagram_flush(struct datagram *d);
