/*
 * link_watch.c - events of interfaces from the kernel; see link_watch.h.
 *
 * Their contents are not looked at, so it does not matter that some may be lost.
 */
#include "aclserver/link_watch.h"

#include <errno.h>
#include <stdlib.h>

#include <linux/rtnetlink.h>

#include "common/nl.h"

struct link_watch {
	struct netlink *nl;
	struct loop_source *source;
	link_watch_fn fn;
	void *user_data; /* of fn */
};

static int
ignore(const struct nlmsghdr *h, void *user_data)
{
	(void)h;
	(void)user_data;
	return 0;
}

static void
on_events(struct loop *loop, int fd, uint32_t events, void *user_data)
{
	struct link_watch *watch = user_data;

	(void)loop;
	(void)fd;
	(void)events;
	(void)netlink_receive(watch->nl, ignore, NULL); /* lost ones tell as much */
	watch->fn(watch->user_data);
}

static int
start(struct link_watch *watch, struct loop *loop, struct err *err)
{
	const struct netlink_options options = { .protocol = NETLINK_ROUTE };

	watch->nl = netlink_open(&options, err);
	if (!watch->nl)
		return -EINVAL;
	if (netlink_join(watch->nl, RTNLGRP_LINK, err) < 0)
		return -EINVAL;
	watch->source =
		loop_add_fd(loop, netlink_fd(watch->nl), LOOP_READ, on_events, watch);
	return watch->source ? 0 : err_sys(err, -errno, "event loop");
}

struct link_watch *
link_watch_start(struct loop *loop, link_watch_fn fn, void *user_data, struct err *err)
{
	struct link_watch *watch = calloc(1, sizeof(*watch));

	if (!watch) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	watch->fn = fn;
	watch->user_data = user_data;
	if (start(watch, loop, err) == 0)
		return watch;
	link_watch_stop(watch);
	return NULL;
}

void
link_watch_stop(struct link_watch *watch)
{
	if (!watch)
		return;
	if (watch->source)
		loop_remove(watch->source);
	netlink_close(watch->nl);
	free(watch);
}
