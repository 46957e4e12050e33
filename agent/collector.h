/*
 * collector.h - UDP destinations of our datagrams. Acting module.
 *
 * Every collector has its own connected, non-blocking socket, so that what happens to
 * one does not concern the others: what its socket does not take at once is dropped and
 * counted. A collector that cannot be reached is tried again; state changes are logged
 * once, by whoever calls collectors_send() or collectors_configure().
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "agent/netns.h"
#include "common/err.h"
#include "common/mono.h"
#include "common/parse.h"

enum {
	COLLECTOR_MAX = 64,        /* collectors at a time */
	COLLECTOR_NAME_SIZE = 280, /* a host name and a port */
	COLLECTOR_RETRY_MS = 2000, /* between attempts to open or connect */
	COLLECTOR_QUIET_MS =
		10000, /* without an error, until it counts as well again */
	COLLECTOR_SEND_BYTES = 1
			       << 20, /* wanted send buffer; the kernel may give less */
};

struct collector_conf {
	char name[COLLECTOR_NAME_SIZE]; /* for people: as it was configured or found */
	struct parse_addr addr;         /* of the collector */
	uint16_t port;                  /* UDP, not 0 */
	struct parse_addr source; /* of our datagrams; family 0: kernel's choice */
	char dev[IFNAMSIZ];       /* send by this device or VRF; "" = any */
	char netns[NETNS_NAME_MAX + 1]; /* send from this namespace; "" = our own */
	uint8_t dscp;                   /* 0..63 */
};

/* Since the collector was configured. */
struct collector_stats {
	uint64_t datagrams; /* taken by the kernel */
	uint64_t bytes;     /* of their payload */
	uint64_t blocked;   /* dropped: send buffer full */
	uint64_t failed;    /* dropped: error, or no socket */
	uint64_t errors;    /* errors seen, reports of the network (ICMP) included */
};

struct collector {
	struct collector_conf conf;
	struct collector_stats stats;
	int fd;                 /* -1 when not open */
	bool connected;         /* ready to send */
	int error;              /* errno of its present trouble; 0 = well */
	uint64_t lost_before;   /* blocked + failed when the trouble began */
	struct mono last_error; /* when the trouble last showed */
	struct mono retry_at;   /* not connected: when to try again */
};

struct collector_set {
	struct collector *items; /* owned; in order of the configuration */
	size_t n;
};

/** An empty set: nobody to send to. */
void collector_set_init(struct collector_set *set);
/** Close all sockets; the set is empty then. */
void collector_set_done(struct collector_set *set);

/** 0; or -EINVAL with the reason: address, port, dscp, or source of another family. */
int collector_conf_check(const struct collector_conf *conf, struct err *err);

/** True if both would send in the same way; the name does not matter. */
bool collector_conf_equal(
	const struct collector_conf *a, const struct collector_conf *b);

/**
 * Send to @confs from now on. Collectors that stay keep socket and statistics. One that
 * cannot be opened is no failure: it is logged and tried again while sending.
 *
 * Privilege  CAP_SYS_ADMIN for a namespace that is new; the socket is kept open, so
 * that it is not wanted again Returns    0; -EINVAL (see collector_conf_check), -E2BIG
 * over COLLECTOR_MAX, -ENOMEM; then everything is as before
 */
int collector_set_configure(struct collector_set *set,
	const struct collector_conf *confs, size_t n, struct err *err);

/** Send the same @n datagrams to every collector. Never blocks, never fails: losses are
 * in the statistics. */
void collector_set_send(struct collector_set *set, const struct iovec *msgs, size_t n);
