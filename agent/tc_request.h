/*
 * tc_request.h - requests to the kernel's traffic control about sampling filters, for
 * tc_sample.c. Acting module over tc_msg and common/nl; every call waits for the
 * kernel's answer, which comes at once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/tc_msg.h"
#include "common/err.h"
#include "common/nl.h"

enum { TC_REQUEST_PREFS = 64 }; /* preferences that are told apart, from 0 */

/* What is at one hook of a port. */
struct tc_request_hook {
	uint64_t taken; /* preferences below TC_REQUEST_PREFS that others use, as bits
			 */
	size_t n;       /* filters, and places kept for some */
	bool has_ours;
	struct tc_filter ours; /* only with has_ours */
};

/* Interfaces that have hooks for filters. */
struct tc_request_list {
	uint32_t *ifindexes; /* owned */
	size_t n, size;
};

/** A socket for the requests below; NULL with the reason. */
struct netlink *tc_request_open(struct err *err);

/** Have the kernel load the modules that sampling takes. */
int tc_request_load(struct netlink *nl, struct err *err);

/** Make the clsact qdisc if there is none: *ret_made. */
int tc_request_add_qdisc(
	struct netlink *nl, uint32_t ifindex, bool *ret_made, struct err *err);

/** Remove the clsact qdisc if no filter is in it. */
void tc_request_remove_empty_qdisc(struct netlink *nl, uint32_t ifindex);

/** Add @f; remove just that filter, and leave its qdisc. */
int tc_request_add(struct netlink *nl, const struct tc_filter *f, struct err *err);
int tc_request_remove(struct netlink *nl, const struct tc_filter *f, struct err *err);

/** Remove @f and its qdisc, if that is ours and nobody else uses it. 0 as well if they,
 * or their port, are gone. */
int tc_request_uninstall(
	struct netlink *nl, const struct tc_filter *f, struct err *err);

/** Read the filters of one hook. */
int tc_request_read_hook(struct netlink *nl, uint32_t ifindex, enum tc_hook hook,
	struct tc_request_hook *ret, struct err *err);

/** List the interfaces with a clsact or ingress qdisc; ret->ifindexes is to be freed,
 * on failure too. */
int tc_request_list(struct netlink *nl, struct tc_request_list *ret, struct err *err);
