/*
 * dnssd_track.c - belief, grace and pace of one DNS question.
 */
#include "agent/dnssd_track.h"

const struct dnssd_limits dnssd_default_limits = {
	.ttl_min_ms = 10000,
	.ttl_max_ms = 86400000,
	.retry_min_ms = 2000,
	.retry_max_ms = 300000,
	.absent_ms = 30000,
	.grace_ms = 300000,
};

static enum dnssd_verdict
on_found(struct dnssd_track *track, uint32_t ttl_s, const struct dnssd_limits *limits)
{
	int64_t ttl_ms = (int64_t)ttl_s * 1000;

	if (track->failing || track->missing || track->silent)
		track->news = DNSSD_NEWS_BACK;
	track->has_data = true;
	track->failing = track->missing = track->silent = false;
	if (ttl_ms < limits->ttl_min_ms)
		ttl_ms = limits->ttl_min_ms;
	track->next_ms = ttl_ms > limits->ttl_max_ms ? limits->ttl_max_ms : ttl_ms;
	return DNSSD_TAKE;
}

/* A failure neither ends nor prolongs a grace period: only an answer does. */
static enum dnssd_verdict
on_failed(struct dnssd_track *track, const struct dnssd_limits *limits)
{
	if (!track->failing)
		track->news = DNSSD_NEWS_FAILING;
	track->failing = true;
	track->next_ms = limits->retry_min_ms;
	for (unsigned i = 1;
		i < track->failures && track->next_ms < limits->retry_max_ms; i++)
		track->next_ms *= 2;
	if (track->next_ms > limits->retry_max_ms)
		track->next_ms = limits->retry_max_ms;
	return DNSSD_KEEP;
}

static enum dnssd_verdict
on_absent(struct dnssd_track *track, struct mono now, const struct dnssd_limits *limits)
{
	int64_t left_ms;

	track->failing = false;
	track->next_ms = limits->absent_ms;
	if (!track->has_data) {
		if (!track->silent)
			track->news = DNSSD_NEWS_NEVER;
		track->silent = true;
		return DNSSD_DROP;
	}
	if (!track->missing) {
		track->news = DNSSD_NEWS_MISSING;
		track->missing = true;
		track->missing_since = now;
	}
	left_ms = limits->grace_ms - mono_diff_ms(track->missing_since, now);
	if (left_ms > 0) {
		if (left_ms < track->next_ms)
			track->next_ms = left_ms;
		return DNSSD_KEEP;
	}
	track->news = DNSSD_NEWS_GONE;
	track->has_data = track->missing = false;
	track->silent = true;
	return DNSSD_DROP;
}

enum dnssd_verdict
dnssd_track_update(struct dnssd_track *track, enum dnssd_outcome outcome,
	uint32_t ttl_s, struct mono now, const struct dnssd_limits *limits)
{
	track->settled = true;
	track->news = DNSSD_NEWS_NONE;
	track->failures = outcome == DNSSD_FAILED ? track->failures + 1 : 0;
	if (outcome == DNSSD_FOUND)
		return on_found(track, ttl_s, limits);
	if (outcome == DNSSD_FAILED)
		return on_failed(track, limits);
	return on_absent(track, now, limits);
}
