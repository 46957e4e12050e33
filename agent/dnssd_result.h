/*
 * dnssd_result.h - what DNS service discovery has found out, and how it is put together
 * from SRV records and addresses. Pure.
 */
#pragma once

#include "agent/dnssd_msg.h"
#include "agent/settings.h"
#include "common/parse.h"

enum { DNSSD_COLLECTORS_MAX = DNSSD_RECORDS_MAX };

struct dnssd_collector {
	char host[DNSSD_NAME_SIZE]; /* SRV target */
	struct parse_addr addr;
	uint16_t port;
	uint16_t priority;
	uint16_t weight;
};

/** What DNS says now. */
struct dnssd_result {
	unsigned n_collectors; /* to send to; in an order of no meaning, but stable */
	struct dnssd_collector collectors[DNSSD_COLLECTORS_MAX];
	unsigned n_standby;    /* further targets that priority or weight rules out */
	unsigned n_unresolved; /* targets without address */
	bool has_txt;          /* settings come from a TXT record */
	struct settings
		settings; /* what the TXT records set; to be laid over the file's */
	char domain[DNSSD_NAME_SIZE]; /* where it was found; "" = nowhere */
};

/** A SRV record with the address of its target; family 0 = not known. */
struct dnssd_target {
	struct dnssd_srv srv;
	struct parse_addr addr;
};

/**
 * Fill the collectors and counts of @result from @n targets (at most
 * DNSSD_COLLECTORS_MAX) by priority and weight; the rest of @result stays.
 * Two that lead to the same address and port become one.
 * @seed  see dnssd_select()
 */
void dnssd_result_fill(struct dnssd_result *result, const struct dnssd_target *targets,
	unsigned n, uint64_t seed);

/** True if nothing that a user of the result sees differs. */
bool dnssd_result_equal(const struct dnssd_result *a, const struct dnssd_result *b);

/** Put @n SRV records into an order that does not depend on that of the answer. */
void dnssd_sort_srv(struct dnssd_srv *srv, unsigned n);
