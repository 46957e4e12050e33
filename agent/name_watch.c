/*
 * name_watch.c - A and AAAA of a name, each with its own belief and pace.
 */
#include "agent/name_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/log.h"

enum {
	ADDRS_MAX = 8, /* per family; further ones are not needed to reach a host */
	PROBE_PORT = 6343,
};

enum { V6, V4, FAMILIES };

struct family {
	struct name_watch *watch;
	enum dnssd_type type;
	struct dnssd_track track;
	struct dns_query *query;   /* open question; NULL = none */
	struct loop_source *timer; /* for the next one */
	unsigned n;
	struct parse_addr addrs[ADDRS_MAX]; /* sorted, so that order is no change */
};

struct name_watch {
	struct dns *dns; /* borrowed */
	/* dns_ask or dns_ask_host */
	struct dns_query *(*ask)(struct dns *dns, const char *name,
		enum dnssd_type type, dns_fn fn, void *user_data);
	const struct dnssd_limits *limits; /* borrowed */
	name_watch_fn fn;
	void *user_data;
	struct family families[FAMILIES];
	bool failing;             /* told so */
	struct parse_addr picked; /* family 0 = none */
	char name[DNSSD_NAME_SIZE];
};

static int
compare_addrs(const void *a, const void *b)
{
	const struct parse_addr *x = a, *y = b;

	return memcmp(x->bytes, y->bytes, sizeof(x->bytes));
}

static void
take_addrs(struct family *f, const struct dnssd_msg *msg)
{
	f->n = 0;
	for (unsigned i = 0; msg && i < msg->n_records && f->n < ADDRS_MAX; i++)
		f->addrs[f->n++] = msg->records[i].addr;
	qsort(f->addrs, f->n, sizeof(f->addrs[0]), compare_addrs);
}

/* One line when answers begin to fail and one when they are back, for the name. */
static void
log_state(struct name_watch *watch, const struct dns_result *result)
{
	const struct family *v4 = &watch->families[V4], *v6 = &watch->families[V6];
	bool failing = v4->track.failing || v6->track.failing;
	unsigned n = v4->n + v6->n;

	if (failing && !watch->failing)
		log_warning("%s: DNS fails (%s); %s", watch->name,
			result->reason ? result->reason : "no answer",
			n ? "its address stays as it is" : "it has no address");
	if (!failing && watch->failing)
		log_notice("%s: DNS answers again", watch->name);
	watch->failing = failing;
}

static void
log_news(const struct name_watch *watch, const struct family *f)
{
	const char *type = f->type == DNSSD_TYPE_A ? "A" : "AAAA";
	const struct family *other =
		&watch->families[f == &watch->families[V4] ? V6 : V4];

	if (f->track.news == DNSSD_NEWS_MISSING)
		log_warning("%s: %s record vanished from DNS; kept for %lld s",
			watch->name, type, (long long)watch->limits->grace_ms / 1000);
	if (f->track.news == DNSSD_NEWS_GONE)
		log_warning("%s: %s record is gone", watch->name, type);
	if (f->track.news == DNSSD_NEWS_NEVER && other->track.settled && !other->n)
		log_warning("%s: has no address in DNS", watch->name);
}

static void
on_answer(const struct dns_result *result, void *user_data)
{
	struct family *f = user_data;
	struct name_watch *watch = f->watch;
	enum dnssd_verdict verdict;

	f->query = NULL;
	verdict = dnssd_track_update(&f->track, result->outcome,
		result->msg ? result->msg->ttl_s : 0, mono_now(), watch->limits);
	if (verdict != DNSSD_KEEP)
		take_addrs(f, verdict == DNSSD_TAKE ? result->msg : NULL);
	log_state(watch, result);
	log_news(watch, f);
	loop_timer_in(f->timer, f->track.next_ms);
	/* Also without a change here: routes may have changed, and with them the pick.
	 */
	watch->fn(watch->user_data);
}

static void
ask_family(struct loop *loop, void *user_data)
{
	struct family *f = user_data;

	(void)loop;
	f->query = f->watch->ask(f->watch->dns, f->watch->name, f->type, on_answer, f);
	if (!f->query)
		loop_timer_in(f->timer, f->watch->limits->retry_min_ms);
}

struct name_watch *
name_watch_new(struct dns *dns, const char *name, enum name_watch_kind kind,
	const struct dnssd_limits *limits, name_watch_fn fn, void *user_data)
{
	struct name_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->dns = dns;
	watch->ask = kind == NAME_WATCH_HOST ? dns_ask_host : dns_ask;
	watch->limits = limits;
	watch->fn = fn;
	watch->user_data = user_data;
	memccpy(watch->name, name, '\0', sizeof(watch->name) - 1);
	watch->families[V6].type = DNSSD_TYPE_AAAA;
	watch->families[V4].type = DNSSD_TYPE_A;
	for (int i = 0; i < FAMILIES; i++) {
		struct family *f = &watch->families[i];

		f->watch = watch;
		f->timer = loop_add_timer(dns_loop(dns), ask_family, f);
		if (!f->timer) {
			name_watch_free(watch);
			return NULL;
		}
		ask_family(dns_loop(dns), f);
	}
	return watch;
}

void
name_watch_free(struct name_watch *watch)
{
	if (!watch)
		return;
	for (int i = 0; i < FAMILIES; i++) {
		dns_cancel(watch->families[i].query);
		loop_remove(watch->families[i].timer);
	}
	free(watch);
}

bool
name_watch_is_settled(const struct name_watch *watch)
{
	return watch->families[V4].track.settled && watch->families[V6].track.settled;
}

/* True if the kernel has a route and a source address for @addr. */
static bool
has_route(const struct parse_addr *addr)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(PROBE_PORT) };
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(PROBE_PORT) };
	int fd AUTO_CLOSE =
		socket(addr->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (addr->family == AF_INET) {
		memcpy(&sin.sin_addr, addr->bytes, sizeof(sin.sin_addr));
		return connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
	}
	memcpy(&sin6.sin6_addr, addr->bytes, sizeof(sin6.sin6_addr));
	return connect(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == 0;
}

/* True if the address used so far is still one of the name's. */
static bool
picked_is_listed(const struct name_watch *watch)
{
	for (int i = 0; i < FAMILIES; i++)
		for (unsigned j = 0; j < watch->families[i].n; j++)
			if (watch->families[i].addrs[j].family ==
					watch->picked.family &&
				compare_addrs(&watch->families[i].addrs[j],
					&watch->picked) == 0)
				return true;
	return false;
}

bool
name_watch_pick(struct name_watch *watch, struct parse_addr *ret_addr)
{
	const struct parse_addr *first = NULL, *best = NULL;
	bool listed = watch->picked.family && picked_is_listed(watch);

	for (int i = 0; i < FAMILIES && !best; i++)
		for (unsigned j = 0; j < watch->families[i].n && !best; j++) {
			const struct parse_addr *addr = &watch->families[i].addrs[j];

			if (!first)
				first = addr;
			if (has_route(addr))
				best = addr;
		}
	if (!first)
		return false;
	if (!listed || (best && !has_route(&watch->picked)))
		watch->picked = best ? *best : *first;
	*ret_addr = watch->picked;
	return true;
}
