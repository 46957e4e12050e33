/*
 * dnssd_log.h - what service discovery says in the log: each change of state once.
 */
#pragma once

#include "agent/dnssd_result.h"
#include "agent/dnssd_track.h"

/** "_sflow._udp" */
extern const char dnssd_service[];

/** What the lines name; all borrowed. */
struct dnssd_round {
	const struct dnssd_track *track; /* its news is told */
	const struct dnssd_limits *limits;
	const char *first_domain; /* asked in this round; "" = none */
	unsigned n_domains;
	unsigned n_collectors; /* in use */
};

/** Tell the news of the SRV question; @reason of a failure, else ignored. */
void dnssd_log_srv(const struct dnssd_round *round, const char *reason);

/** Likewise of the TXT question. */
void dnssd_log_txt(const struct dnssd_round *round, const char *reason);

/** Tell a new result. */
void dnssd_log_result(const struct dnssd_result *result);
