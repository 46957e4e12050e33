/*
 * fib.c - a copy of the prefixes of the kernel's routing tables.
 */
#include "agent/fib.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/fib_table.h"
#include "agent/resolve_msg.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/nl.h"

enum {
	EVENT_QUEUE_BYTES = 1 << 20,
	EVENT_BYTES = 8192,
	EVENT_BATCH = 16,
	REQUEST_BYTES = 64,
};

struct fib {
	struct loop *loop;            /* borrowed */
	struct iface_table *ifaces;   /* borrowed */
	struct netlink *events;       /* owned; NULL: not listening */
	struct loop_source *readable; /* of events; owned by the loop */
	struct loop_source *reread;   /* timer: read the tables anew */
	bool reread_set;              /* the timer runs */
	struct mono next_read;        /* not before */
	struct fib_table table;
	bool on;
	size_t limit;
	uint64_t rereads;
};

/* Routes. */

static void
fill_prefix(const struct resolve_route *route, struct fib_prefix *ret)
{
	*ret = (struct fib_prefix){
		.table = route->table,
		.family = (uint8_t)route->family,
		.len = route->prefix_len,
		.several = route->multipath,
	};
	memcpy(ret->dst, route->dst, sizeof(ret->dst));
}

/* True if the route is one by which packets are routed. */
static bool
counts(const struct resolve_route *route)
{
	return (route->family == AF_INET || route->family == AF_INET6) &&
	       route->type != RTN_THROW && route->type != RTN_MULTICAST &&
	       !(route->flags & RTM_F_CLONED);
}

/* One route of a dump. */
static int
on_route(const struct nlmsghdr *h, void *user_data)
{
	struct resolve_route route;
	struct fib_prefix prefix;

	if (resolve_msg_route(h, &route) < 0 || !counts(&route))
		return 0;
	fill_prefix(&route, &prefix);
	/* ECANCELED: do not read on to the end of a million routes. */
	return fib_table_add(user_data, &prefix, false) < 0 ? -ECANCELED : 0;
}

static int
read_family(struct netlink *nl, int family, struct fib_table *ret, struct err *err)
{
	uint8_t buffer[REQUEST_BYTES] __attribute__((aligned(8)));
	const struct rtmsg header = { .rtm_family = (unsigned char)family };
	struct nlbuild b;

	nlbuild_init(&b, buffer, sizeof(buffer));
	nlbuild_begin(&b, RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
	return netlink_dump(nl, &b, on_route, ret, err);
}

/* A socket of its own, so that what is left of a dump that was too long goes with it.
 */
static int
read_tables(size_t limit, struct fib_table *ret, struct err *err)
{
	const struct netlink_options options = { .protocol = NETLINK_ROUTE };
	struct netlink *nl = netlink_open(&options, err);
	int rc;

	if (!nl)
		return -EIO;
	fib_table_init(ret, limit);
	rc = read_family(nl, AF_INET, ret, err);
	if (rc == 0 || rc == -EINTR) {
		int rc6 = read_family(nl, AF_INET6, ret, err);

		rc = rc6 < 0 ? rc6 : rc;
	}
	netlink_close(nl);
	/* Interrupted: routes changed meanwhile, of which there are events. */
	if (rc < 0 && rc != -EINTR)
		fib_table_done(ret);
	return rc;
}

/* The tables are (not) as they were: read them soon. */
static void
want_reread(struct fib *f)
{
	int64_t ms;

	if (f->reread_set || !f->on)
		return;
	ms = (f->next_read.ns - mono_now().ns) / 1000000;
	loop_timer_in(f->reread, ms > 0 ? ms : 0);
	f->reread_set = true;
}

static int
on_event(const struct nlmsghdr *h, void *user_data)
{
	struct fib *f = user_data;
	struct resolve_route route;
	struct fib_prefix prefix;

	if (h->nlmsg_type == RTM_DELADDR) {
		/* Its routes go without a word. */
		want_reread(f);
		return 0;
	}
	if (resolve_msg_route(h, &route) < 0 || !counts(&route))
		return 0;
	fill_prefix(&route, &prefix);
	if (h->nlmsg_type == RTM_DELROUTE) {
		if (!fib_table_remove(&f->table, &prefix))
			want_reread(f);
	} else if (fib_table_add(&f->table, &prefix, h->nlmsg_flags & NLM_F_REPLACE) <
		   0) {
		want_reread(f);
	}
	return 0;
}

static void
on_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct fib *f = user_data;

	(void)loop;
	(void)fd;
	(void)events;
	if (netlink_receive(f->events, on_event, f) < 0)
		want_reread(f);
}

/* Addresses change, links go down: the kernel removes IPv4 routes without an event. */
static void
on_iface(const struct iface_event *event, void *user_data)
{
	if (event->kind == IFACE_REMOVED ||
		(event->kind == IFACE_CHANGED &&
			event->fields & (IFACE_FIELD_ADMIN | IFACE_FIELD_OPER |
						IFACE_FIELD_MASTER)))
		want_reread(user_data);
}

/* Listening and reading. */

static void
stop_listening(struct fib *f)
{
	loop_remove(f->readable);
	netlink_close(f->events);
	f->readable = NULL;
	f->events = NULL;
}

static int
listen_to_events(struct fib *f, struct err *err)
{
	static const uint32_t groups[] = { RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_IFADDR };
	const struct netlink_options options = {
		.protocol = NETLINK_ROUTE,
		.receive_bytes = EVENT_QUEUE_BYTES,
		.batch = EVENT_BATCH,
		.message_bytes = EVENT_BYTES,
	};

	f->events = netlink_open(&options, err);
	if (!f->events)
		return -EIO;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		int rc = netlink_join(f->events, groups[i], err);

		if (rc < 0)
			return rc;
	}
	f->readable =
		loop_add_fd(f->loop, netlink_fd(f->events), LOOP_READ, on_readable, f);
	return f->readable ? 0 : err_sys(err, -errno, "routes: watching a socket");
}

static void
turn_off(struct fib *f)
{
	stop_listening(f);
	fib_table_done(&f->table);
	f->on = false;
}

/* Too many, or the kernel refuses: there is no copy until it works again. */
static void
give_up(struct fib *f, int rc, const char *why, bool was_said)
{
	turn_off(f);
	loop_timer_in(f->reread, FIB_RETRY_MS);
	f->reread_set = true;
	if (was_said)
		return;
	if (rc == -ECANCELED)
		log_warning("routes: more than %zu prefixes; samples go without next "
			    "hop and prefix lengths (extended_router), see maxRoutes",
			f->limit);
	else
		log_warning("routes: %s; samples go without next hop and prefix "
			    "lengths (extended_router)",
			why);
}

/* Read everything; @was_off: and it was said already that it does not work. */
static void
read_all(struct fib *f, bool was_off)
{
	struct fib_table fresh;
	struct err err = { 0 };
	const struct mono began = mono_now();
	bool interrupted;
	int rc = 0;

	f->reread_set = false;
	/* Listen first: what changes while it is read comes as an event. */
	if (!f->events)
		rc = listen_to_events(f, &err);
	if (rc == 0)
		rc = read_tables(f->limit, &fresh, &err);
	interrupted = rc == -EINTR;
	if (rc < 0 && !interrupted) {
		give_up(f, rc, err.text, was_off);
		return;
	}
	fib_table_done(&f->table);
	f->table = fresh;
	f->on = true;
	f->next_read = mono_add_ms(
		mono_now(), FIB_REREAD_MIN_MS + (mono_now().ns - began.ns) / 1000000 *
							FIB_REREAD_SHARE);
	if (interrupted)
		want_reread(f);
	if (was_off)
		log_notice("routes: %zu prefixes; samples have next hop and prefix "
			   "lengths again",
			f->table.n);
}

static void
on_reread(struct loop *loop, void *user_data)
{
	struct fib *f = user_data;

	(void)loop;
	f->rereads++;
	read_all(f, !f->on);
}

/* Outside. */

struct fib *
fib_open(struct loop *loop, struct iface_table *ifaces, struct err *err)
{
	struct fib *f = calloc(1, sizeof(*f));
	int rc;

	if (!f) {
		(void)err_sys(err, -ENOMEM, "routes");
		return NULL;
	}
	f->loop = loop;
	f->ifaces = ifaces;
	f->reread = loop_add_timer(loop, on_reread, f);
	rc = f->reread ? iface_observe(ifaces, on_iface, f) : -ENOMEM;
	if (rc == 0)
		return f;
	(void)err_sys(err, rc, "routes: observing interfaces");
	fib_close(f);
	return NULL;
}

void
fib_close(struct fib *f)
{
	if (!f)
		return;
	iface_unobserve(f->ifaces, on_iface, f);
	turn_off(f);
	loop_remove(f->reread);
	free(f);
}

void
fib_limit(struct fib *f, size_t limit)
{
	if (limit == f->limit)
		return;
	f->limit = limit;
	loop_timer_stop(f->reread);
	f->reread_set = false;
	turn_off(f);
	if (limit > 0)
		read_all(f, false);
}

bool
fib_is_on(const struct fib *f)
{
	return f->on;
}

uint32_t
fib_match(const struct fib *f, uint32_t table, int family, const uint8_t *addr)
{
	const uint8_t af = (uint8_t)family;
	int len = -1;

	/* Of our own addresses the networks matter, which stand in the main table. */
	if (table != 0 && table != RT_TABLE_LOCAL)
		len = fib_table_match(&f->table, table, af, addr);
	if (len < 0)
		len = fib_table_match(&f->table, RT_TABLE_MAIN, af, addr);
	if (len < 0)
		len = fib_table_match(&f->table, RT_TABLE_DEFAULT, af, addr);
	return len < 0 ? 0 : (uint32_t)len;
}

void
fib_info(const struct fib *f, struct fib_info *ret)
{
	*ret = (struct fib_info){ f->on, f->table.n, f->limit, f->rereads };
}
