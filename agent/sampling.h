/*
 * sampling.h - packet sampling as a whole: which source samples which port at which
 * rate, and the way of a sample from the source to the datagram. Acting module.
 *
 *     source → on_packet: resolve.c (output port) → sampler.c → datagram.c
 *
 * Follows the interface table by itself: a port that appears, goes or changes its speed
 * is (not) sampled in the loop's next turn.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/agent_conf.h"
#include "agent/datagram.h"
#include "agent/iface.h"
#include "agent/resolve.h"
#include "agent/sampler.h"
#include "agent/source.h"
#include "common/err.h"
#include "common/loop.h"

struct sampling; /* owned by who opened it */

/* What it works with; all borrowed until sampling_close(). */
struct sampling_env {
	struct loop *loop;
	struct iface_table
		*ifaces; /* an observer is added; a table outlives its users */
	struct sampler_table *samplers;
	struct datagram *datagram;
	struct replay_writer *record; /* record what sources receive; may be NULL */
	size_t receive_bytes;         /* of the sources' sockets; 0 = default */
	struct netlink **kept;        /* see struct source_env */
};

/**
 * Open the sources that @conf asks for, or those that the kernel offers if it asks for
 * none. Nothing is sampled before sampling_configure(). A source that cannot be opened
 * does not stop the others; it is logged, tried again, and see sampling_each_closed().
 *
 * Privilege  CAP_NET_ADMIN, and CAP_NET_RAW for a pcap block; both are wanted again
 *            when ports appear: see sampling_wants_raw()
 * Returns    NULL with the reason: no source can be opened
 */
struct sampling *sampling_open(
	const struct sampling_env *env, const struct agent_conf *conf, struct err *err);

/** Stop sampling and remove what was installed. Accepts NULL. */
void sampling_close(struct sampling *s);

/** True if some source keeps needing CAP_NET_RAW. */
bool sampling_wants_raw(const struct sampling *s);

/**
 * Work out port rates anew: at the start, after a reload and after news from DNS.
 *
 * @conf      borrowed until the next call; which sources are open stays as
 *            sampling_open() decided, see sampling_same_sources()
 * @settings  copied: conf->settings, perhaps overlaid
 */
void sampling_configure(struct sampling *s, const struct agent_conf *conf,
	const struct settings *settings);

/** True if @b asks for the same sources as @a, so that a reload need not close and open
 * them. */
bool sampling_same_sources(const struct agent_conf *a, const struct agent_conf *b);

/* Of one open source. */
struct sampling_source_info {
	const char *name;
	bool listens; /* takes what others have set up; else samples the ports itself */
	bool discards; /* gives discarded packets, no samples */
	struct source_stats stats;
};

/* Of one port. */
struct sampling_port_info {
	uint32_t ifindex;
	const char *name;   /* of the interface; borrowed for the call */
	const char *source; /* name of the source that samples it */
	const char *place;  /* "hardware" or "software" */
	uint32_t rate;
};

typedef void (*sampling_source_fn)(
	const struct sampling_source_info *source, void *user_data);
typedef void (*sampling_port_fn)(
	const struct sampling_port_info *port, void *user_data);

/** @reason names the source. */
typedef void (*sampling_closed_fn)(const char *reason, void *user_data);
/** Call @fn for each source that is wanted and cannot be opened. */
void sampling_each_closed(
	const struct sampling *s, sampling_closed_fn fn, void *user_data);

/** Call @fn for each open source, for each port that is to be sampled. For status. */
void sampling_each_source(
	const struct sampling *s, sampling_source_fn fn, void *user_data);
void sampling_each_port(const struct sampling *s, sampling_port_fn fn, void *user_data);

/* Samples that came from the sources, since sampling_open(). */
struct sampling_stats {
	uint64_t packets; /* from all sources */
	uint64_t sent;    /* put into a datagram */
	uint64_t refused; /* no sampler or no datagram took it: counted as drops */
	uint64_t unknown_output; /* output port not known, for whatever reason */
	struct resolve_stats resolve;
};

/** Counts since it was opened. */
void sampling_stats(const struct sampling *s, struct sampling_stats *ret);
