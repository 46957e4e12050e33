/*
 * poller.h - when the counters of each port and of the host are read. Acting module.
 *
 *     poller.c -> counter_*.c -> sampler.c -> sflow_encode.c -> datagram.c
 *
 * Polled are switch ports, LAGs of switch ports, interfaces of a pcap block, and the
 * host. Every data source has its own phase in its interval, so that the work of one
 * interval is spread evenly; all that are due at a tick are read together. A new port
 * is read within a second. Where counters began anew or an interface was replaced, the
 * sequence of its samples does, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/agent_conf.h"
#include "agent/datagram.h"
#include "agent/iface.h"
#include "agent/sampler.h"
#include "common/err.h"
#include "common/loop.h"

struct optics_reader;
struct poller; /* owned by who made it */

/* What the poller works with; all borrowed for its life. */
struct poller_env {
	struct loop *loop;
	struct iface_table *ifaces; /* the poller becomes an observer of it */
	struct sampler_table *samplers;
	struct datagram *datagram;
};

/* Since poller_new(). */
struct poller_stats {
	uint64_t ticks;        /* in which something was due */
	uint64_t port_samples; /* counters samples of ports that were sent */
	uint64_t host_samples; /* of the host */
	uint64_t failed;       /* polls without a sample: not readable, or no room */
	uint64_t resets;       /* times that counters of a port began anew */
};

/**
 * Open the counter sources. Nothing is polled before poller_configure().
 *
 * Privilege  none beyond reading; some values are unknown without CAP_NET_ADMIN
 * Returns    NULL with the reason in @err
 */
struct poller *poller_new(const struct poller_env *env, struct err *err);

/** Accepts NULL. */
void poller_free(struct poller *p);

/**
 * Set the intervals from the configuration, at the start and after each reload or
 * change of settings. Sources whose interval stays keep their phase.
 *
 * @conf      borrowed until the next call or poller_free()
 * @settings  conf->settings, perhaps with what DNS says; likewise
 */
void poller_configure(struct poller *p, const struct agent_conf *conf,
	const struct settings *settings);

/** Number of ports that are polled. */
size_t poller_ports(const struct poller *p);
/** What is known of optical modules. Borrowed; lives as long as @p. */
const struct optics_reader *poller_optics(const struct poller *p);
/** Borrowed; lives as long as @p. */
const struct poller_stats *poller_stats(const struct poller *p);
