/*
 * counter.h - contract of a counter source.
 *
 * Each source adds what it knows to samples in which everything begins as unknown. The
 * sources are asked in the order of the array, so that a later one can refine what an
 * earlier one said (multicast of the MAC instead of the software's). To add one: write
 * counter_X.c, add a row to counter_sources.c, a unit test for its decoder, a fuzz
 * target.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/agent_conf.h"
#include "agent/counters.h"
#include "agent/iface.h"
#include "common/err.h"

/* Ports that are read together, at most. */
enum { COUNTER_PORTS_MAX = 32 };

/* One port of a batch. */
struct counter_port {
	const struct iface *iface; /* borrowed for the call */
	struct if_sample *sample;  /* to be filled; borrowed for the call */
	bool ok;                   /* the generic counters could be read */
};

struct counter_source {
	const char *name; /* for the log */
	bool is_required; /* without it the agent cannot do its task */
	/* Whether a configuration wants it. NULL: always. */
	bool (*is_wanted)(const struct agent_conf *conf);
	/* Open sockets and files; *ret_ctx is passed to the others. 0; or negative
	 * errno with a reason: then this source is left out, and its values are
	 * unknown. */
	int (*open)(void **ret_ctx, struct err *err);
	/* Accepts NULL. */
	void (*close)(void *ctx);
	/* Read @n ports, 1..COUNTER_PORTS_MAX. NULL: nothing about ports. */
	void (*read_ports)(void *ctx, struct counter_port *ports, size_t n);
	/* Read the host. NULL: nothing about the host. */
	void (*read_host)(void *ctx, const struct iface_table *ifaces,
		struct host_sample *sample);
};

/* One per file counter_*.c. */
extern const struct counter_source counter_if;
extern const struct counter_source counter_ethtool;
extern const struct counter_source counter_lag;
extern const struct counter_source counter_pfc;
extern const struct counter_source counter_host;
extern const struct counter_source counter_host_cpu;
extern const struct counter_source counter_host_memory;
extern const struct counter_source counter_host_disk;
extern const struct counter_source counter_host_net;
extern const struct counter_source counter_host_ip;

/** All sources, ended by NULL. */
extern const struct counter_source *const counter_sources[];
