/*
 * dnssd_track.h - what to believe when a DNS question is asked again and again. Pure.
 *
 * A failure (no answer, SERVFAIL, nonsense) proves nothing: what was known stays. That
 * the record is gone is proof, but people slip: what was known stays for a grace
 * period, in which the question is asked more often. Each change of state is news once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/mono.h"

enum dnssd_outcome {
	DNSSD_FOUND,  /* records came */
	DNSSD_ABSENT, /* the server says that there are none */
	DNSSD_FAILED, /* no usable answer */
};

enum dnssd_verdict {
	DNSSD_KEEP, /* go on with what is known */
	DNSSD_TAKE, /* the records just found replace it */
	DNSSD_DROP, /* there are none */
};

enum dnssd_news {
	DNSSD_NEWS_NONE,
	DNSSD_NEWS_FAILING, /* answers fail from now on */
	DNSSD_NEWS_MISSING, /* records vanished; the grace period begins */
	DNSSD_NEWS_GONE,    /* the grace period is over */
	DNSSD_NEWS_NEVER,   /* the first answer ever is that there are none */
	DNSSD_NEWS_BACK,    /* found again after one of the above */
};

/** All in milliseconds. */
struct dnssd_limits {
	int64_t ttl_min_ms;   /* shorter TTLs count as this */
	int64_t ttl_max_ms;   /* longer ones as this */
	int64_t retry_min_ms; /* after the first failure; doubles with each further one
			       */
	int64_t retry_max_ms;
	int64_t absent_ms; /* between questions while there are no records */
	int64_t grace_ms;  /* how long vanished records are still believed */
};

/** 10 s to 1 day; 2 s to 5 min; 30 s; 5 min. */
extern const struct dnssd_limits dnssd_default_limits;

/** Zero is the state before the first answer. */
struct dnssd_track {
	bool settled; /* an answer or failure was seen */
	bool has_data;
	bool failing;
	bool missing;              /* in the grace period */
	bool silent;               /* told that there are none */
	unsigned failures;         /* in a row */
	struct mono missing_since; /* with missing */
	int64_t next_ms;           /* ask again in so long */
	enum dnssd_news news;      /* of the last update */
};

/** Feed one outcome; @ttl_s counts with DNSSD_FOUND. Sets next_ms and news. */
enum dnssd_verdict dnssd_track_update(struct dnssd_track *track,
	enum dnssd_outcome outcome, uint32_t ttl_s, struct mono now,
	const struct dnssd_limits *limits);
