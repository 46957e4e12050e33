/*
 * dnssd.c - rounds of questions: SRV in each domain of the search list until one has
 * it, then TXT at the same name; the addresses of the targets are watched meanwhile
 * (name_watch.c). After each answer the result is put together anew and compared.
 */
#include "agent/dnssd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "agent/dnssd_log.h"
#include "agent/dnssd_select.h"
#include "agent/dnssd_txt.h"
#include "agent/name_watch.h"
#include "common/log.h"

enum {
	START_SPREAD_MS = 500, /* the first question comes in a random part of this */
	SPREAD_PERCENT = 5,    /* later ones are late by up to so much of their pace */
	/* After new SRV records, so long is waited for addresses and TXT; then what is
	 * there is used: one dead name must not hold up the others. */
	SETTLE_MS = 2000,
	PROBLEMS_SIZE = 512,
};

/* A SRV target's name; several records may share it. */
struct host {
	char name[DNSSD_NAME_SIZE];
	struct name_watch *watch; /* owned */
	bool wanted;              /* scratch of sync_hosts() */
};

struct dnssd {
	struct dns *dns; /* borrowed */
	struct dnssd_limits limits;
	const char *domain; /* borrowed; NULL = search list */
	uint64_t seed;      /* this agent's place in the share by weight */
	dnssd_change_fn fn;
	void *user_data;

	/* The round. */
	struct loop_source *timer;   /* starts the next one */
	struct loop_source *settle;  /* ends the wait for a complete result */
	bool settling;               /* settle is armed */
	struct dns_query *query;     /* SRV or TXT, open; NULL = between rounds */
	struct dns_domains domains;  /* to be asked in this round */
	unsigned at;                 /* index of the one asked now */
	unsigned n_bad_now;          /* unusable SRV records seen in it */
	char failure[ERR_TEXT_SIZE]; /* of a domain in this round; "" = none */

	char last_failure[ERR_TEXT_SIZE]; /* the same of the last whole round */

	/* What is believed. */
	struct dnssd_track srv_track;
	struct dnssd_track txt_track;
	unsigned n_srv;
	struct dnssd_srv srv[DNSSD_RECORDS_MAX]; /* sorted */
	unsigned n_bad_srv;                      /* told that so many are unusable */
	unsigned n_hosts;
	struct host hosts[DNSSD_RECORDS_MAX];
	struct settings settings; /* of the TXT records */
	bool has_txt;
	char problems[PROBLEMS_SIZE];   /* in the TXT records, told */
	bool blind;                     /* told that no target has an address */
	char found_in[DNSSD_NAME_SIZE]; /* domain of srv */
	struct dnssd_result result;     /* as delivered last */
};

/* A random number of 0..@max. */
static int64_t
random_up_to(int64_t max)
{
	uint32_t r = 0;

	/* Without randomness all agents ask at once, which is no reason to fail. */
	(void)!getrandom(&r, sizeof(r), GRND_NONBLOCK);
	return max > 0 ? (int64_t)(r % ((uint64_t)max + 1)) : 0;
}

static struct host *
find_host(struct dnssd *dnssd, const char *name)
{
	for (unsigned i = 0; i < dnssd->n_hosts; i++)
		if (strcasecmp(dnssd->hosts[i].name, name) == 0)
			return &dnssd->hosts[i];
	return NULL;
}

static void
gather_targets(struct dnssd *dnssd, struct dnssd_target *targets)
{
	for (unsigned i = 0; i < dnssd->n_srv; i++) {
		struct host *host = find_host(dnssd, dnssd->srv[i].target);

		targets[i].srv = dnssd->srv[i];
		targets[i].addr.family = 0;
		if (host)
			(void)name_watch_pick(host->watch, &targets[i].addr);
	}
}

/*
 * SRV records whose targets all lack an address are half an answer: the collectors in
 * use stay until one resolves.
 */
static void
stay_with_collectors(struct dnssd *dnssd, struct dnssd_result *next)
{
	bool blind = dnssd->n_srv > 0 && next->n_collectors == 0 &&
		     dnssd->result.n_collectors > 0;

	if (blind) {
		memcpy(next->collectors, dnssd->result.collectors,
			sizeof(next->collectors));
		next->n_collectors = dnssd->result.n_collectors;
	}
	if (blind && !dnssd->blind)
		log_warning("DNS-SD: no SRV target has an address; the collectors in "
			    "use stay");
	dnssd->blind = blind;
}

/* True if something that was asked for lately may still be answered soon. */
static bool
is_incomplete(const struct dnssd *dnssd)
{
	if (dnssd->query)
		return true;
	for (unsigned i = 0; i < dnssd->n_hosts; i++)
		if (!name_watch_is_settled(dnssd->hosts[i].watch))
			return true;
	return false;
}

/* Put the result together; tell it if it is another. */
static void
update_result(struct dnssd *dnssd)
{
	struct dnssd_target targets[DNSSD_RECORDS_MAX];
	struct dnssd_result next = { .has_txt = dnssd->has_txt,
		.settings = dnssd->settings };

	if (!dnssd->srv_track.settled || (dnssd->settling && is_incomplete(dnssd)))
		return;
	dnssd->settling = false;
	loop_timer_stop(dnssd->settle);
	gather_targets(dnssd, targets);
	dnssd_result_fill(&next, targets, dnssd->n_srv, dnssd->seed);
	memcpy(next.domain, dnssd->found_in, sizeof(next.domain));
	stay_with_collectors(dnssd, &next);
	if (dnssd_result_equal(&next, &dnssd->result))
		return;
	dnssd->result = next;
	dnssd_log_result(&next);
	dnssd->fn(&dnssd->result, dnssd->user_data);
}

static void
on_host_change(void *user_data)
{
	update_result(user_data);
}

static void
on_settle(struct loop *loop, void *user_data)
{
	struct dnssd *dnssd = user_data;

	(void)loop;
	dnssd->settling = false;
	update_result(dnssd);
}

static void
start_settling(struct dnssd *dnssd)
{
	dnssd->settling = true;
	loop_timer_in(dnssd->settle, SETTLE_MS);
}

static void
add_host(struct dnssd *dnssd, const char *name)
{
	struct host *host = &dnssd->hosts[dnssd->n_hosts];

	memset(host, 0, sizeof(*host));
	memccpy(host->name, name, '\0', sizeof(host->name) - 1);
	host->wanted = true;
	host->watch = name_watch_new(dnssd->dns, host->name, NAME_WATCH_SRV_TARGET,
		&dnssd->limits, on_host_change, dnssd);
	if (host->watch)
		dnssd->n_hosts++;
	else
		log_error("DNS-SD: cannot look up %s: %s", name, strerror(errno));
}

static void
remove_unwanted_hosts(struct dnssd *dnssd)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < dnssd->n_hosts; i++) {
		if (dnssd->hosts[i].wanted)
			dnssd->hosts[kept++] = dnssd->hosts[i];
		else
			name_watch_free(dnssd->hosts[i].watch);
	}
	dnssd->n_hosts = kept;
}

/* Watch the names of the SRV targets and no others. */
static void
sync_hosts(struct dnssd *dnssd)
{
	for (unsigned i = 0; i < dnssd->n_hosts; i++)
		dnssd->hosts[i].wanted = false;
	for (unsigned i = 0; i < dnssd->n_srv; i++) {
		struct host *host = find_host(dnssd, dnssd->srv[i].target);

		if (host)
			host->wanted = true;
	}
	remove_unwanted_hosts(dnssd);
	for (unsigned i = 0; i < dnssd->n_srv; i++)
		if (!find_host(dnssd, dnssd->srv[i].target))
			add_host(dnssd, dnssd->srv[i].target);
}

static void
log_bad_srv(struct dnssd *dnssd)
{
	unsigned n = dnssd->n_bad_now;

	if (n && n != dnssd->n_bad_srv)
		log_warning("DNS-SD: %u SRV record%s not used: no host as target, port "
			    "0, or beyond %d",
			n, n == 1 ? " is" : "s are", DNSSD_RECORDS_MAX);
	dnssd->n_bad_srv = n;
}

static void
take_srv(struct dnssd *dnssd, const struct dnssd_msg *msg)
{
	struct dnssd_srv srv[DNSSD_RECORDS_MAX] = { 0 };

	for (unsigned i = 0; i < msg->n_records; i++)
		srv[i] = msg->records[i].srv;
	dnssd_sort_srv(srv, msg->n_records);
	if (msg->n_records != dnssd->n_srv || memcmp(srv, dnssd->srv, sizeof(srv)) != 0)
		start_settling(dnssd);
	memcpy(dnssd->srv, srv, sizeof(srv));
	dnssd->n_srv = msg->n_records;
	memcpy(dnssd->found_in, dnssd->domains.names[dnssd->at],
		sizeof(dnssd->found_in));
	sync_hosts(dnssd);
}

static void
drop_txt(struct dnssd *dnssd)
{
	settings_init(&dnssd->settings);
	dnssd->has_txt = false;
	dnssd->problems[0] = '\0';
}

static void
drop_srv(struct dnssd *dnssd)
{
	dnssd->n_srv = 0;
	memset(dnssd->srv, 0, sizeof(dnssd->srv));
	dnssd->found_in[0] = '\0';
	sync_hosts(dnssd);
	drop_txt(dnssd);
	dnssd->txt_track = (struct dnssd_track){ 0 };
}

static struct dnssd_round
describe_round(const struct dnssd *dnssd, const struct dnssd_track *track)
{
	return (struct dnssd_round){ .track = track,
		.limits = &dnssd->limits,
		.first_domain = dnssd->domains.n ? dnssd->domains.names[0] : "",
		.n_domains = dnssd->domains.n,
		.n_collectors = dnssd->result.n_collectors };
}

/* The round is over: use what came, and set the time of the next. */
static void
end_round(struct dnssd *dnssd, int64_t next_ms)
{
	loop_timer_in(
		dnssd->timer, next_ms + random_up_to(next_ms * SPREAD_PERCENT / 100));
	update_result(dnssd);
}

/* What is found out while TXT records are read. */
struct txt_reading {
	char problems[PROBLEMS_SIZE];
	bool lacks_value; /* of a setting that the records mean to give */
};

static void
add_problem(enum dnssd_txt_fault fault, const char *reason, void *user_data)
{
	struct txt_reading *reading = user_data;
	size_t len = strlen(reading->problems);

	snprintf(reading->problems + len, PROBLEMS_SIZE - len, "%s%s", len ? "; " : "",
		reason);
	reading->lacks_value |= fault == DNSSD_TXT_BAD_VALUE;
}

static int
compare_txt(const void *a, const void *b)
{
	const struct dnssd_record *x = a, *y = b;
	size_t n = x->txt.len < y->txt.len ? x->txt.len : y->txt.len;
	int order = memcmp(x->txt.data, y->txt.data, n);

	return order ? order : (x->txt.len > y->txt.len) - (x->txt.len < y->txt.len);
}

/* Records are sorted first: servers rotate them, and a later string wins. Where a value
 * cannot be taken, what was right before stays: a slip of the pen must not set a rate
 * back to its default. */
static void
take_txt(struct dnssd *dnssd, const struct dnssd_msg *msg)
{
	struct dnssd_record records[DNSSD_RECORDS_MAX];
	struct txt_reading reading = { .lacks_value = false };
	struct settings fresh;

	memcpy(records, msg->records, sizeof(records));
	qsort(records, msg->n_records, sizeof(records[0]), compare_txt);
	settings_init(&fresh);
	for (unsigned i = 0; i < msg->n_records; i++)
		(void)dnssd_txt_apply(records[i].txt.data, records[i].txt.len, &fresh,
			add_problem, &reading);
	if (reading.lacks_value && dnssd->has_txt)
		settings_overlay(&dnssd->settings, &fresh);
	else
		dnssd->settings = fresh;
	dnssd->has_txt = true;
	if (reading.problems[0] && strcmp(reading.problems, dnssd->problems) != 0)
		log_warning("DNS-SD: TXT: %s", reading.problems);
	memcpy(dnssd->problems, reading.problems, sizeof(reading.problems));
}

static void
on_txt(const struct dns_result *result, void *user_data)
{
	struct dnssd *dnssd = user_data;
	struct dnssd_track *track = &dnssd->txt_track;
	enum dnssd_verdict verdict = dnssd_track_update(track, result->outcome,
		result->msg ? result->msg->ttl_s : 0, mono_now(), &dnssd->limits);
	struct dnssd_round round;

	dnssd->query = NULL;
	if (verdict == DNSSD_TAKE)
		take_txt(dnssd, result->msg);
	else if (verdict == DNSSD_DROP)
		drop_txt(dnssd);
	round = describe_round(dnssd, track);
	dnssd_log_txt(&round, result->reason);
	end_round(dnssd, track->next_ms < dnssd->srv_track.next_ms
				 ? track->next_ms
				 : dnssd->srv_track.next_ms);
}

/* Ask @type at the service's name in the present domain; false if that failed. */
static bool
ask_service(struct dnssd *dnssd, enum dnssd_type type, dns_fn fn)
{
	char name[2 * DNSSD_NAME_SIZE];
	int len = snprintf(name, sizeof(name), "%s.%s", dnssd_service,
		dnssd->domains.names[dnssd->at]);

	if (len >= DNSSD_NAME_SIZE)
		return false;
	dnssd->query = dns_ask(dnssd->dns, name, type, fn, dnssd);
	return dnssd->query != NULL;
}

/* All domains were asked, or one has the records (@msg). */
static void
conclude_srv(
	struct dnssd *dnssd, enum dnssd_outcome outcome, const struct dnssd_msg *msg)
{
	struct dnssd_track *track = &dnssd->srv_track;
	enum dnssd_verdict verdict = dnssd_track_update(
		track, outcome, msg ? msg->ttl_s : 0, mono_now(), &dnssd->limits);
	struct dnssd_round round;

	memcpy(dnssd->last_failure, dnssd->failure, sizeof(dnssd->failure));
	log_bad_srv(dnssd);
	round = describe_round(dnssd, track);
	dnssd_log_srv(&round, dnssd->failure);
	if (verdict == DNSSD_TAKE)
		take_srv(dnssd, msg);
	else if (verdict == DNSSD_DROP)
		drop_srv(dnssd);
	if (verdict != DNSSD_TAKE || !ask_service(dnssd, DNSSD_TYPE_TXT, on_txt))
		end_round(dnssd, track->next_ms);
}

/*
 * A domain that fails is passed over, but what another then says is believed only if
 * it does not replace what the failing one may have told before.
 */
static bool
is_believable(const struct dnssd *dnssd)
{
	return !dnssd->failure[0] || !dnssd->srv_track.has_data ||
	       strcasecmp(dnssd->domains.names[dnssd->at], dnssd->found_in) == 0;
}

/* Asking the next domain and hearing of it take turns. */
static void on_srv(const struct dns_result *result, void *user_data);

/* Ask the domain at @at, or conclude if there is none left. */
static void
ask_domain(struct dnssd *dnssd)
{
	while (dnssd->at < dnssd->domains.n) {
		if (ask_service(dnssd, DNSSD_TYPE_SRV, on_srv))
			return;
		snprintf(dnssd->failure, sizeof(dnssd->failure),
			"%s: the question cannot be asked",
			dnssd->domains.names[dnssd->at]);
		dnssd->at++;
	}
	conclude_srv(dnssd, dnssd->failure[0] ? DNSSD_FAILED : DNSSD_ABSENT, NULL);
}

static void
on_srv(const struct dns_result *result, void *user_data)
{
	struct dnssd *dnssd = user_data;

	dnssd->query = NULL;
	if (result->msg)
		dnssd->n_bad_now += result->msg->n_unusable + result->msg->n_left_off;
	if (result->outcome == DNSSD_FOUND && is_believable(dnssd)) {
		conclude_srv(dnssd, DNSSD_FOUND, result->msg);
		return;
	}
	if (result->outcome == DNSSD_FAILED)
		snprintf(dnssd->failure, sizeof(dnssd->failure), "%s: %s",
			dnssd->domains.names[dnssd->at], result->reason);
	dnssd->at++;
	ask_domain(dnssd);
}

static void
start_round(struct loop *loop, void *user_data)
{
	struct dnssd *dnssd = user_data;
	int rc = 0;

	(void)loop;
	if (dnssd->query)
		return; /* refresh during a round */
	dnssd->at = 0;
	dnssd->n_bad_now = 0;
	dnssd->failure[0] = '\0';
	if (dnssd->domain) {
		dnssd->domains.n = 1;
		memccpy(dnssd->domains.names[0], dnssd->domain, '\0',
			DNSSD_NAME_SIZE - 1);
	} else {
		rc = dns_search_domains(dnssd->dns, &dnssd->domains);
	}
	if (rc < 0 || dnssd->domains.n == 0) {
		dnssd->domains.n = 0;
		snprintf(dnssd->failure, sizeof(dnssd->failure), "%s",
			rc < 0 ? strerror(-rc)
			       : "no domain in the configuration, resolv.conf or host "
				 "name");
	}
	ask_domain(dnssd);
}

struct dnssd *
dnssd_new(struct dns *dns, const struct dnssd_options *options, dnssd_change_fn fn,
	void *user_data)
{
	struct dnssd *dnssd = calloc(1, sizeof(*dnssd));

	if (!dnssd)
		return NULL;
	dnssd->dns = dns;
	dnssd->limits = options->limits;
	dnssd->domain = options->domain;
	dnssd->seed = dnssd_select_seed(options->identity);
	dnssd->fn = fn;
	dnssd->user_data = user_data;
	settings_init(&dnssd->settings);
	dnssd->result.settings = dnssd->settings;
	dnssd->timer = loop_add_timer(dns_loop(dns), start_round, dnssd);
	dnssd->settle = loop_add_timer(dns_loop(dns), on_settle, dnssd);
	if (!dnssd->timer || !dnssd->settle) {
		dnssd_free(dnssd);
		return NULL;
	}
	loop_timer_in(dnssd->timer, random_up_to(START_SPREAD_MS));
	return dnssd;
}

void
dnssd_free(struct dnssd *dnssd)
{
	if (!dnssd)
		return;
	for (unsigned i = 0; i < dnssd->n_hosts; i++)
		name_watch_free(dnssd->hosts[i].watch);
	dns_cancel(dnssd->query);
	loop_remove(dnssd->timer);
	loop_remove(dnssd->settle);
	free(dnssd);
}

void
dnssd_refresh(struct dnssd *dnssd)
{
	loop_timer_in(dnssd->timer, 0);
}

const struct dnssd_result *
dnssd_current(const struct dnssd *dnssd)
{
	return &dnssd->result;
}

enum dnssd_state
dnssd_state(const struct dnssd *dnssd)
{
	const struct dnssd_track *track = &dnssd->srv_track;

	if (!track->settled)
		return DNSSD_STATE_ASKING;
	if (track->failing)
		return DNSSD_STATE_FAILING;
	if (track->missing)
		return DNSSD_STATE_MISSING;
	return track->has_data ? DNSSD_STATE_FOUND : DNSSD_STATE_ABSENT;
}

const char *
dnssd_failure(const struct dnssd *dnssd)
{
	return dnssd->last_failure;
}
