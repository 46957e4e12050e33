/*
 * dns.h - asks DNS without waiting: c-ares for servers, time-outs, TCP and EDNS, driven
 * by the loop; our own decoder for the answers, so that TTLs are seen. The only file
 * that includes <ares.h>.
 *
 * A channel of c-ares lives only while questions are open, so resolv.conf is read again
 * for each round, no socket idles, and ports change.
 */
#pragma once

#include "agent/dnssd_msg.h"
#include "agent/dnssd_track.h"
#include "common/loop.h"

enum {
	DNS_DOMAINS_MAX = 8,
	DNS_TIMEOUT_MS = 2000, /* what the agent uses: it gives up after 2 + 4 + 8 s */
};

struct dns;
struct dns_query;

/** What came of a question. @msg is valid during the call, NULL with DNSSD_FAILED; then
 * @reason says why. Never called from inside dns_ask(). */
struct dns_result {
	enum dnssd_outcome outcome;
	const struct dnssd_msg *msg;
	const char *reason;
};
typedef void (*dns_fn)(const struct dns_result *result, void *user_data);

struct dns_domains {
	unsigned n;
	char names[DNS_DOMAINS_MAX][DNSSD_NAME_SIZE]; /* without dots at the ends */
};

/**
 * @loop         borrowed, must outlive
 * @resolv_conf  another file than /etc/resolv.conf, or NULL; borrowed
 * @timeout_ms   wait for the first try; doubles with each of two more
 * Returns NULL with errno on failure.
 */
struct dns *dns_new(struct loop *loop, const char *resolv_conf, int timeout_ms);

/** The loop that it was made for. */
struct loop *dns_loop(const struct dns *dns);

/** Open questions end without their callback; accepts NULL. */
void dns_free(struct dns *dns);

/**
 * Ask for @name (absolute, no search list), following CNAMEs.
 * Returns the question, valid until its callback runs; NULL when out of memory.
 */
struct dns_query *dns_ask(struct dns *dns, const char *name, enum dnssd_type type,
	dns_fn fn, void *user_data);

/**
 * Ask for the addresses of a host as a person wrote it: /etc/hosts and the search list
 * count, as with getaddrinfo(3).
 * @type  DNSSD_TYPE_A or DNSSD_TYPE_AAAA; otherwise as dns_ask()
 */
struct dns_query *dns_ask_host(struct dns *dns, const char *name, enum dnssd_type type,
	dns_fn fn, void *user_data);

/** Forget a question: its callback will not run. Accepts NULL. */
void dns_cancel(struct dns_query *query);

/** The search list as it is now (resolv.conf, else the host name's domain). 0 or
 * negative errno. */
int dns_search_domains(struct dns *dns, struct dns_domains *ret_domains);
