/*
 * counter_nl.h - asks the kernel about the ports of a batch, all in one system call.
 *
 * What the counter sources that use netlink have in common.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/counter.h"
#include "common/nl.h"

/* One batch of questions. */
struct counter_nl {
	struct netlink *nl;         /* borrowed */
	struct counter_port *ports; /* borrowed */
	size_t n;                   /* of ports */
	/* Append the question about a port, or nothing. */
	void (*build)(struct nlbuild *b, const struct iface *iface, void *user_data);
	/* Take one answer. */
	netlink_fn on_answer;
	void *user_data; /* of both; may lead back here for counter_nl_find() */
};

/**
 * Ask about every port and take the answers.
 *
 * Returns  0; the errno of the first refusal while the others are served (a port may
 *          just be gone); or what else netlink_request() says
 */
int counter_nl_ask(const struct counter_nl *q);

/** The port of the batch with that number; NULL if there is none. */
struct counter_port *counter_nl_find(
	struct counter_port *ports, size_t n, uint32_t ifindex);
