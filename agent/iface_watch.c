/*
 * iface_watch.c - keeps the interface table as the kernel has it.
 *
 * Events and requests have sockets of their own. Two of them are for events: rtnetlink
 * (links, addresses) and ethtool (link modes that someone sets). Most speed changes
 * come with a loss of carrier, so speed is asked for whenever the state of a link
 * changes. After an overrun what waits is thrown away before everything is dumped: it
 * may be older than the dump, and the end of the story may be missing.
 */
#include "agent/iface_watch.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ethtool_msg.h"
#include "common/log.h"
#include "common/nl.h"

enum {
	EVENT_BATCH = 16,
	EVENT_BYTES = 8192, /* of one event; a link takes about 1 kB */
	RECEIVE_BYTES_DEFAULT = 4 << 20,
	RESYNC_PAUSE_MS = 200, /* between two readings of everything */
	DRAIN_ROUNDS = 64,     /* of throwing away what waits */
	REQUEST_BYTES = 256,
	ADDRS_START = 64,
};

struct iface_watch {
	struct iface_table *table;      /* borrowed */
	struct netlink *route_events;   /* owned, as the next five */
	struct netlink *route;          /* for requests */
	struct netlink *ethtool_events; /* NULL: this kernel has none */
	struct netlink *ethtool;        /* for requests; NULL likewise */
	struct loop_source *sources[2]; /* of the event sockets */
	struct loop_source *timer;      /* of the next resync */
	uint16_t ethtool_family;
	struct mono last_resync;
	bool failing; /* the last resync failed, which was logged */
	struct iface_watch_stats stats;
};

/* A request in memory of its own. */
struct request {
	_Alignas(4) uint8_t memory[REQUEST_BYTES];
	struct nlbuild b;
};

static void
request_init(struct request *r)
{
	nlbuild_init(&r->b, r->memory, sizeof(r->memory));
}

static int
on_speed_answer(const struct nlmsghdr *h, void *user_data)
{
	return ethtool_link_decode(h, user_data);
}

/* The speed of one interface; unknown if the kernel does not say. */
static struct iface_speed
ask_speed(struct iface_watch *w, uint32_t ifindex)
{
	struct ethtool_link link = { .ifindex = 0 };
	struct request r;

	if (!w->ethtool)
		return (struct iface_speed){ 0 };
	request_init(&r);
	ethtool_build_link(&r.b, w->ethtool_family, ifindex);
	/* Interfaces without the operation refuse; they have no speed. */
	if (netlink_request(w->ethtool, &r.b, on_speed_answer, &link, NULL) < 0)
		return (struct iface_speed){ 0 };
	return (struct iface_speed){ link.speed_bps, link.duplex };
}

/* A LAG is as fast as its members together, and says nothing when that changes. */
static void
refresh_master_speed(struct iface_watch *w, uint32_t master)
{
	const struct iface *i = master ? iface_find(w->table, master) : NULL;
	struct iface_speed speed;

	if (!i || (i->kind != LINK_KIND_BOND && i->kind != LINK_KIND_TEAM))
		return;
	speed = ask_speed(w, master);
	iface_set_speed(w->table, master, &speed);
}

/* True if a link in state @m may run at another speed than the one we know. That of a
 * LAG follows the members that may send, whatever its own state. */
static bool
may_change_speed(const struct iface *known, const struct link_msg *m)
{
	const unsigned state = IFF_UP | IFF_RUNNING | IFF_LOWER_UP;

	return !known || (known->flags & state) != (m->flags & state) ||
	       m->kind == LINK_KIND_BOND || m->kind == LINK_KIND_TEAM;
}

static void
on_link(struct iface_watch *w, const struct link_msg *m)
{
	const struct iface *known = iface_find(w->table, m->index);
	uint32_t old_master = known ? known->master : 0;
	struct iface_speed speed;
	bool asked = may_change_speed(known, m);

	if (asked)
		speed = ask_speed(w, m->index);
	/* Refusals are counted in the table. */
	(void)iface_update(w->table, m, asked ? &speed : NULL);
	/* Any event of a member may mean that it now sends, or no longer does. */
	if (m->is_lag_member)
		refresh_master_speed(w, m->master);
	if (old_master != m->master)
		refresh_master_speed(w, old_master);
}

/* Malformed messages are counted and passed over; those that say nothing of links and
 * addresses themselves, too. Never fails, so that what follows is read. */
static int
on_route_event(const struct nlmsghdr *h, void *user_data)
{
	struct iface_watch *w = user_data;
	struct link_addr addr;
	struct link_msg link;
	int rc = 0;

	w->stats.events++;
	if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK) {
		rc = link_msg_decode(h, &link);
		if (rc == 0 && h->nlmsg_type == RTM_NEWLINK)
			on_link(w, &link);
		else if (rc == 0)
			iface_remove(w->table, link.index);
	} else if (h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_DELADDR) {
		rc = link_addr_decode(h, &addr);
		if (rc == 0 && h->nlmsg_type == RTM_NEWADDR)
			(void)iface_addr_update(w->table, &addr);
		else if (rc == 0)
			iface_addr_remove(w->table, &addr);
	}
	w->stats.malformed += rc == -EBADMSG;
	return 0;
}

/* Both the notification of a change and one part of a dump. */
static int
on_ethtool_event(const struct nlmsghdr *h, void *user_data)
{
	struct iface_watch *w = user_data;
	struct ethtool_link link;
	int rc = ethtool_link_decode(h, &link);

	w->stats.events += rc == 0;
	w->stats.malformed += rc == -EBADMSG;
	if (rc == 0) {
		struct iface_speed speed = { link.speed_bps, link.duplex };

		iface_set_speed(w->table, link.ifindex, &speed);
	}
	return 0;
}

static int
on_link_dump(const struct nlmsghdr *h, void *user_data)
{
	struct iface_watch *w = user_data;
	struct iface_speed speed;
	struct link_msg link;
	int rc = link_msg_decode(h, &link);
	bool is_news;

	w->stats.malformed += rc == -EBADMSG;
	if (rc < 0)
		return 0;
	/* At the start one dump of all speeds follows, before anybody looks. */
	is_news = w->stats.dumps > 0 && !iface_find(w->table, link.index);
	if (is_news)
		speed = ask_speed(w, link.index);
	(void)iface_update(w->table, &link, is_news ? &speed : NULL);
	return 0;
}

static int
dump_links(struct iface_watch *w, struct err *err)
{
	struct ifinfomsg header = { .ifi_index = 0 };
	struct request r;
	int rc;

	request_init(&r);
	nlbuild_begin(&r.b, RTM_GETLINK, NLM_F_DUMP, &header, sizeof(header));
	nlbuild_put_u32(&r.b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	iface_mark_unseen(w->table);
	rc = netlink_dump(w->route, &r.b, on_link_dump, w, err);
	if (rc < 0)
		return err_prefix(err, "reading the interfaces");
	iface_remove_unseen(w->table);
	return 0;
}

static int
dump_speeds(struct iface_watch *w, struct err *err)
{
	struct request r;

	if (!w->ethtool)
		return 0;
	request_init(&r);
	ethtool_build_link(&r.b, w->ethtool_family, 0);
	if (netlink_dump(w->ethtool, &r.b, on_ethtool_event, w, err) < 0)
		return err_prefix(err, "reading the speeds of interfaces");
	return 0;
}

/* Addresses of a dump. */
struct addr_list {
	struct link_addr *items; /* owned */
	size_t n, size;
	uint64_t *malformed; /* borrowed */
};

static int
on_addr_dump(const struct nlmsghdr *h, void *user_data)
{
	struct addr_list *list = user_data;
	struct link_addr addr;
	int rc = link_addr_decode(h, &addr);

	*list->malformed += rc == -EBADMSG;
	if (rc < 0)
		return 0;
	if (list->n == list->size) {
		size_t size = list->size ? list->size * 2 : ADDRS_START;
		struct link_addr *items = realloc(list->items, size * sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->size = size;
	}
	list->items[list->n++] = addr;
	return 0;
}

static int
dump_addrs(struct iface_watch *w, struct err *err)
{
	struct addr_list list = { .malformed = &w->stats.malformed };
	struct ifaddrmsg header = { .ifa_family = 0 };
	struct request r;
	int rc;

	request_init(&r);
	nlbuild_begin(&r.b, RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	rc = netlink_request(w->route, &r.b, on_addr_dump, &list, err);
	if (rc == 0)
		rc = iface_addr_replace(w->table, list.items, list.n);
	free(list.items);
	return rc < 0 ? err_sys(err, rc, "reading the addresses") : 0;
}

/* Throw away what waits; it is in the dump that follows. */
static int
skip_event(const struct nlmsghdr *h, void *user_data)
{
	(void)h;
	(void)user_data;
	return 0;
}

static void
drain(struct netlink *nl)
{
	int rounds = DRAIN_ROUNDS, rc;

	do {
		rc = netlink_receive(nl, skip_event, NULL);
	} while (rc != 0 && --rounds > 0);
}

/* Read everything anew. On failure it is tried again soon. */
static int
resync(struct iface_watch *w, struct err *err)
{
	int rc;

	w->last_resync = mono_now();
	drain(w->route_events);
	if (w->ethtool_events)
		drain(w->ethtool_events);
	rc = dump_links(w, err);
	if (rc == 0)
		rc = dump_speeds(w, err);
	if (rc == 0)
		rc = dump_addrs(w, err);
	w->stats.dumps += rc == 0;
	if (rc < 0)
		loop_timer_in(w->timer, RESYNC_PAUSE_MS);
	return rc;
}

/* Only the first failure in a row is logged, and the end of it. */
static void
on_resync_timer(struct loop *loop, void *user_data)
{
	struct iface_watch *w = user_data;
	struct err err = { 0 };
	bool ok = resync(w, &err) == 0;

	(void)loop;
	if (!ok && !w->failing)
		log_warning("interfaces: %s", err.text);
	else if (ok && w->failing)
		log_notice("interfaces: read again");
	w->failing = !ok;
}

/* At most every RESYNC_PAUSE_MS, or a storm of events would leave time for nothing
 * else. */
static void
events_lost(struct iface_watch *w)
{
	int64_t since = mono_diff_ms(w->last_resync, mono_now());

	w->stats.overruns++;
	log_debug("iface", "events were lost, reading all interfaces again");
	loop_timer_in(w->timer, since >= RESYNC_PAUSE_MS ? 0 : RESYNC_PAUSE_MS - since);
}

static void
on_readable(struct iface_watch *w, struct netlink *nl, netlink_fn fn)
{
	int rc = netlink_receive(nl, fn, w);

	if (rc == -ENOBUFS)
		events_lost(w);
	else if (rc < 0)
		log_warning("interfaces: events: %s", strerror(-rc));
}

static void
on_route_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct iface_watch *w = user_data;

	(void)loop;
	(void)fd;
	(void)events;
	on_readable(w, w->route_events, on_route_event);
}

static void
on_ethtool_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct iface_watch *w = user_data;

	(void)loop;
	(void)fd;
	(void)events;
	on_readable(w, w->ethtool_events, on_ethtool_event);
}

static struct netlink *
open_events(int protocol, size_t receive_bytes, struct err *err)
{
	struct netlink_options o = {
		.protocol = protocol,
		.receive_bytes = receive_bytes,
		.message_bytes = EVENT_BYTES,
		.batch = EVENT_BATCH,
	};

	return netlink_open(&o, err);
}

static int
open_route(struct iface_watch *w, size_t receive_bytes, struct err *err)
{
	static const uint32_t groups[] = {
		RTNLGRP_LINK,
		RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR,
	};
	struct netlink_options o = { .protocol = NETLINK_ROUTE, .strict = true };

	w->route_events = open_events(NETLINK_ROUTE, receive_bytes, err);
	w->route = w->route_events ? netlink_open(&o, err) : NULL;
	if (!w->route)
		return err->code;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		if (netlink_join(w->route_events, groups[i], err) < 0)
			return err->code;
	}
	return 0;
}

/* Without it everything but speeds works. */
static int
open_ethtool(struct iface_watch *w, struct err *err)
{
	struct netlink_options o = { .protocol = NETLINK_GENERIC };
	uint32_t group;

	w->ethtool = netlink_open(&o, err);
	if (!w->ethtool ||
		netlink_family(w->ethtool, "ethtool", &w->ethtool_family, err) < 0 ||
		netlink_group(w->ethtool, "ethtool", "monitor", &group, err) < 0)
		return err->code;
	w->ethtool_events = open_events(NETLINK_GENERIC, 0, err);
	if (!w->ethtool_events)
		return err->code;
	return netlink_join(w->ethtool_events, group, err);
}

static void
close_ethtool(struct iface_watch *w)
{
	netlink_close(w->ethtool);
	netlink_close(w->ethtool_events);
	w->ethtool = NULL;
	w->ethtool_events = NULL;
}

static int
add_sources(struct iface_watch *w, struct loop *loop, struct err *err)
{
	w->timer = loop_add_timer(loop, on_resync_timer, w);
	if (w->timer)
		w->sources[0] = loop_add_fd(loop, netlink_fd(w->route_events),
			LOOP_READ, on_route_readable, w);
	if (w->sources[0] && w->ethtool_events)
		w->sources[1] = loop_add_fd(loop, netlink_fd(w->ethtool_events),
			LOOP_READ, on_ethtool_readable, w);
	if (!w->sources[0] || (w->ethtool_events && !w->sources[1]))
		return err_sys(err, -errno, "watching interfaces");
	return 0;
}

struct iface_watch *
iface_watch_start(struct loop *loop, struct iface_table *table,
	const struct iface_watch_options *options, struct err *err)
{
	size_t receive_bytes = options && options->receive_bytes
				       ? options->receive_bytes
				       : RECEIVE_BYTES_DEFAULT;
	struct iface_watch *w = calloc(1, sizeof(*w));
	struct err reason = { 0 };

	if (!w) {
		(void)err_sys(err, -ENOMEM, "watching interfaces");
		return NULL;
	}
	w->table = table;
	if (open_ethtool(w, &reason) < 0) {
		close_ethtool(w);
		log_warning("interfaces: speeds are not known: %s", reason.text);
	}
	if (open_route(w, receive_bytes, &reason) == 0 &&
		add_sources(w, loop, &reason) == 0 && resync(w, &reason) == 0)
		return w;
	(void)err_set(err, reason.code, "%s", reason.text);
	iface_watch_stop(w);
	return NULL;
}

void
iface_watch_stop(struct iface_watch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < sizeof(w->sources) / sizeof(*w->sources); i++)
		loop_remove(w->sources[i]);
	loop_remove(w->timer);
	netlink_close(w->route_events);
	netlink_close(w->route);
	close_ethtool(w);
	free(w);
}

const struct iface_watch_stats *
iface_watch_stats(const struct iface_watch *w)
{
	return &w->stats;
}
