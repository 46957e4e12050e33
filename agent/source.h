/*
 * source.h - contract of a packet-sample source.
 *
 * A source takes samples where packets enter (or, if asked, leave) ports and gives each
 * as a struct packet to one callback. It knows nothing of sFlow, of configuration files
 * or of the interface table: sampling.c tells it which ports it is to sample and how
 * often. To add one: write source_X.c and X_msg.c, add a row to sources.c, a fuzz
 * target for X_msg, a unit test, a paragraph in the man page. Nothing else changes.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/packet.h"
#include "common/err.h"
#include "common/loop.h"

struct agent_conf;
struct netlink;
struct replay_writer;

/* One port that a source is to sample. */
struct source_port {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	uint32_t rate;         /* 1 in N at random, not 0 */
	uint32_t header_bytes; /* to capture of each packet, from the MAC header on */
	bool promisc;          /* take frames for others as well; afpacket only */
};

/* Where samples go. The callbacks must not call the source. */
struct source_sink {
	/* What follows was read together: a good moment to look at the clock. */
	void (*on_begin)(void *user_data);
	/* One sample: source, input and output as far as the source knows them. @p is
	 * borrowed for the call and may be changed (the output port is resolved). */
	void (*on_packet)(struct packet *p, void *user_data);
	/* @n samples of port @ifindex (the best guess where the kernel does not say)
	 * were lost, each of which stood for @rate packets; 0: the pool knows of them.
	 */
	void (*on_lost)(uint32_t ifindex, uint32_t n, uint32_t rate, void *user_data);
	/* One packet that was discarded, with its reason; otherwise as on_packet(). */
	void (*on_discard)(struct packet *p, void *user_data);
	/* @n discarded packets that came in by @ifindex (0: not known) were not told.
	 */
	void (*on_discards_lost)(uint32_t ifindex, uint32_t n, void *user_data);
	void *user_data;
};

/* What a source is opened with; everything is borrowed until it is closed. */
struct source_env {
	struct loop *loop;
	const struct source_sink *sink;
	struct replay_writer
		*record;      /* every message goes there as well; may be NULL */
	size_t receive_bytes; /* wanted socket buffer; 0 = SOURCE_RECEIVE_BYTES */
	/* A socket that took more privilege to open than is left later: dropmon puts it
	 * here, and takes it from here when it is opened again. */
	struct netlink **kept;
};

enum {
	SOURCE_RECEIVE_BYTES = 8 << 20, /* of a socket's queue in the kernel */
	SOURCE_PORTS_MAX = 4096,        /* per source */
};

/* Since it was opened. */
struct source_stats {
	uint64_t packets;    /* samples handed on */
	uint64_t lost;       /* samples known to be lost on the way here */
	uint64_t overruns;   /* times the kernel said that our socket was full */
	uint64_t malformed;  /* messages that could not be decoded */
	uint64_t skipped;    /* messages that are none of ours: other groups or rules */
	size_t ports;        /* sampled at present */
	size_t failed;       /* wanted, but refused by the kernel */
	uint64_t suppressed; /* kept back by a limit of ours */
	const char *trouble; /* why it is not doing what it should; NULL = it does */
};

struct source_ops {
	const char *name; /* in the configuration, in status and as log topic */
	bool wants_raw; /* needs CAP_NET_RAW beside CAP_NET_ADMIN, for as long as it is
			   open */
	bool taps;      /* for the ports of pcap blocks; else for switch ports */
	bool discards;  /* gives discarded packets, no samples */

	/* True if @conf asks for this source. */
	bool (*wanted)(const struct agent_conf *conf);

	/* True if it then samples the ports that configure() names; else it takes what
	 * others have set up. NULL: never. */
	bool (*chooses)(const struct agent_conf *conf);

	/* Open sockets, join groups, start reading in the callbacks of env->loop. All
	 * that needs more privilege than CAP_NET_ADMIN (and CAP_NET_RAW) is done here.
	 * *ret_ctx is passed to the others. 0 or negative errno with the reason. */
	int (*open)(const struct agent_conf *conf, const struct source_env *env,
		void **ret_ctx, struct err *err);

	/* Undo everything, in the kernel too. Accepts NULL. */
	void (*close)(void *ctx);

	/* Remove from the kernel what an agent left that did not end in an orderly way;
	 * fine if there is nothing. 0 or negative errno with the reason. NULL: nothing
	 * can be left. */
	int (*cleanup)(struct err *err);

	/* Sample exactly these @n ports, sorted by ifindex, from now on. Only what
	 * differs from the last call is touched. Returns how many the kernel refused,
	 * -> failed; the source tells why in the log and tries those again at the next
	 * call. NULL if it never chooses. */
	size_t (*configure)(void *ctx, const struct source_port *ports, size_t n);

	/* Where samples of port @ifindex are taken: "hardware" or "software"; NULL: the
	 * kernel refused it, and another source may have it. NULL: always in software,
	 * and what was refused stays with this source. */
	const char *(*place)(const void *ctx, uint32_t ifindex);

	/* Once a second: read pools, retry what failed. May be NULL. */
	void (*tick)(void *ctx);

	void (*stats)(const void *ctx, struct source_stats *ret);
};

extern const struct source_ops source_dropmon;
extern const struct source_ops source_replay;
extern const struct source_ops source_psample;
extern const struct source_ops source_afpacket;
extern const struct source_ops source_nflog;

/** All sources in order of preference for a port, ended by NULL. */
extern const struct source_ops *const sources[];
