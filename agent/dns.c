/*
 * dns.c - c-ares on the loop.
 *
 * c-ares calls back from inside its own functions, also from the one that asks.
 * Answers are therefore kept and handed out by a timer of the loop, where everything
 * may be called, the end of the channel included.
 */
#include "agent/dns.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "common/cleanup.h"

enum {
	TRIES = 3,
	EDNS_BYTES = 1232, /* fits every path unfragmented (DNS flag day 2020) */
	FDS_MAX = 16,      /* UDP and TCP to several servers */
	CLASS_IN = 1,
};

struct dns_query {
	struct dns *dns;
	struct dns_query *next; /* in dns->answered */
	dns_fn fn;              /* NULL = cancelled */
	void *user_data;
	enum dnssd_type type;
	char name[DNSSD_NAME_SIZE]; /* asked now; behind CNAMEs another than at first */
	unsigned aliases;           /* CNAMEs followed by asking again */
	int status;                 /* of c-ares */
	unsigned char *msg;         /* owned copy of the answer; NULL = none */
	size_t msg_len;
	bool host;               /* asked by dns_ask_host() */
	struct dnssd_msg *addrs; /* owned; its answer, NULL = none */
};

struct watched {
	int fd; /* -1 = free slot */
	struct loop_source *source;
};

struct dns {
	struct loop *loop;       /* borrowed */
	const char *resolv_conf; /* borrowed; NULL = the system's */
	int timeout_ms;          /* of the first try */
	ares_channel channel;    /* NULL while there is nothing to ask */
	struct watched watched[FDS_MAX];
	struct loop_source *timer;   /* time-outs of c-ares */
	struct loop_source *deliver; /* hands out what is in answered */
	unsigned open;               /* questions that c-ares holds */
	struct dns_query *answered;  /* list, newest first */
};

static void
query_free(struct dns_query *query)
{
	if (!query)
		return;
	free(query->msg);
	free(query->addrs);
	free(query);
}

static void
arm_timer(struct dns *dns)
{
	struct timeval tv;

	if (dns->channel && ares_timeout(dns->channel, NULL, &tv))
		loop_timer_in(dns->timer, tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1);
	else
		loop_timer_stop(dns->timer);
}

static void
on_fd(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct dns *dns = user_data;
	bool readable = events & (LOOP_READ | LOOP_HANGUP);
	bool writable = events & (LOOP_WRITE | LOOP_HANGUP);

	(void)loop;
	ares_process_fd(dns->channel, readable ? fd : ARES_SOCKET_BAD,
		writable ? fd : ARES_SOCKET_BAD);
	arm_timer(dns);
}

static void
on_timer(struct loop *loop, void *user_data)
{
	struct dns *dns = user_data;

	(void)loop;
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timer(dns);
}

static struct watched *
find_watched(struct dns *dns, int fd)
{
	for (int i = 0; i < FDS_MAX; i++)
		if (dns->watched[i].fd == fd)
			return &dns->watched[i];
	return NULL;
}

static void
unwatch(struct watched *w)
{
	loop_remove(w->source);
	w->source = NULL;
	w->fd = -1;
}

/* c-ares says what it waits for on a socket; both zero before it closes it. A socket
 * for which there is no room is served by the time-outs. */
static void
on_socket_state(void *user_data, ares_socket_t fd, int readable, int writable)
{
	struct dns *dns = user_data;
	struct watched *w = find_watched(dns, fd);
	unsigned events = (readable ? LOOP_READ : 0U) | (writable ? LOOP_WRITE : 0U);

	if (w && !events) {
		unwatch(w);
	} else if (w) {
		(void)loop_set_events(w->source, events);
	} else if (events && (w = find_watched(dns, -1))) {
		w->source = loop_add_fd(dns->loop, fd, events, on_fd, dns);
		w->fd = w->source ? fd : -1;
	}
}

static int
open_channel(struct dns *dns)
{
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS,
		.timeout = dns->timeout_ms,
		.tries = TRIES,
		.ednspsz = EDNS_BYTES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = dns,
		.resolvconf_path = (char *)dns->resolv_conf, /* copied */
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		   ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB;

	if (dns->channel)
		return 0;
	if (dns->resolv_conf)
		mask |= ARES_OPT_RESOLVCONF;
	if (ares_init_options(&dns->channel, &options, mask) != ARES_SUCCESS) {
		dns->channel = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void
close_channel(struct dns *dns)
{
	if (dns->channel)
		ares_destroy(take_ptr(dns->channel));
	for (int i = 0; i < FDS_MAX; i++)
		if (dns->watched[i].fd >= 0)
			unwatch(&dns->watched[i]);
	arm_timer(dns);
}

/* c-ares has done with a question: hand the answer out when the loop is next here. */
static void
set_answered(struct dns_query *query, int status)
{
	struct dns *dns = query->dns;

	query->status = status;
	dns->open--;
	query->next = dns->answered;
	dns->answered = query;
	loop_timer_in(dns->deliver, 0);
}

static void
on_ares_answer(
	void *user_data, int status, int timeouts, unsigned char *msg, int msg_len)
{
	struct dns_query *query = user_data;

	(void)timeouts;
	if (msg && msg_len > 0) {
		query->msg = malloc((size_t)msg_len);
		if (!query->msg)
			status = ARES_ENOMEM;
		else
			memcpy(query->msg, msg, (size_t)msg_len);
		query->msg_len = (size_t)msg_len;
	}
	set_answered(query, status);
}

/* One address of a host; false if it is of no known family. */
static bool
copy_node(const struct ares_addrinfo_node *node, struct parse_addr *ret_addr)
{
	const struct sockaddr_in *sin = (const void *)node->ai_addr;
	const struct sockaddr_in6 *sin6 = (const void *)node->ai_addr;

	memset(ret_addr, 0, sizeof(*ret_addr));
	ret_addr->family = node->ai_family;
	if (node->ai_family == AF_INET) {
		ret_addr->prefix_len = 32;
		memcpy(ret_addr->bytes, &sin->sin_addr, sizeof(sin->sin_addr));
	} else if (node->ai_family == AF_INET6) {
		ret_addr->prefix_len = 128;
		memcpy(ret_addr->bytes, &sin6->sin6_addr, sizeof(sin6->sin6_addr));
	} else {
		return false;
	}
	return true;
}

static void
on_ares_host(void *user_data, int status, int timeouts, struct ares_addrinfo *info)
{
	struct dns_query *query = user_data;
	struct dnssd_msg *addrs = calloc(1, sizeof(*addrs));

	(void)timeouts;
	if (!addrs)
		status = ARES_ENOMEM;
	for (struct ares_addrinfo_node *node = info ? info->nodes : NULL; addrs && node;
		node = node->ai_next) {
		uint32_t ttl_s = node->ai_ttl > 0 ? (uint32_t)node->ai_ttl : 0;

		if (addrs->n_records == DNSSD_RECORDS_MAX ||
			!copy_node(node, &addrs->records[addrs->n_records].addr))
			continue;
		if (addrs->n_records++ == 0 || ttl_s < addrs->ttl_s)
			addrs->ttl_s = ttl_s;
	}
	if (addrs)
		addrs->found = addrs->n_records > 0;
	query->addrs = addrs;
	ares_freeaddrinfo(info);
	set_answered(query, status);
}

/* "localhost" is not a question for DNS (RFC 6761 §6.3), and c-ares 1.18 leaks memory
 * when it finds it in /etc/hosts. */
static void
answer_localhost(struct dns_query *query)
{
	bool v4 = query->type == DNSSD_TYPE_A;

	query->addrs = calloc(1, sizeof(*query->addrs));
	if (query->addrs) {
		query->addrs->found = true;
		query->addrs->ttl_s = DNSSD_TTL_MAX_S;
		query->addrs->n_records = 1;
		(void)parse_addr(
			v4 ? "127.0.0.1" : "::1", &query->addrs->records[0].addr);
	}
	set_answered(query, query->addrs ? ARES_SUCCESS : ARES_ENOMEM);
}

static void
ask(struct dns_query *query)
{
	struct dns *dns = query->dns;
	struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_NOSORT,
		.ai_family = query->type == DNSSD_TYPE_A ? AF_INET : AF_INET6,
	};

	dns->open++;
	if (query->host && strcasecmp(query->name, "localhost") == 0) {
		answer_localhost(query);
		return;
	}
	if (open_channel(dns) < 0) {
		set_answered(query, ARES_ENOMEM);
		return;
	}
	if (query->host)
		ares_getaddrinfo(
			dns->channel, query->name, NULL, &hints, on_ares_host, query);
	else
		ares_query(dns->channel, query->name, CLASS_IN, query->type,
			on_ares_answer, query);
	arm_timer(dns);
}

/* Have the target of a CNAME asked for; false if this went on for too long. */
static bool
ask_alias(struct dns_query *query, const char *name)
{
	if (query->aliases++ == DNSSD_CNAMES_MAX)
		return false;
	memccpy(query->name, name, '\0', sizeof(query->name));
	free(take_ptr(query->msg));
	ask(query);
	return true;
}

/* c-ares forgets what a server said with SERVFAIL, NOTIMP or REFUSED when it has tried
 * them all. */
static const char *
failure_text(int status)
{
	if (status == ARES_ECONNREFUSED)
		return "no server can be reached, or all say SERVFAIL or REFUSED";
	return ares_strerror(status);
}

/* With these states of c-ares there is an answer, if only that there is nothing. */
static bool
is_answer(int status)
{
	return status == ARES_SUCCESS || status == ARES_ENODATA ||
	       status == ARES_ENOTFOUND;
}

/* The answer to @query as @ret_msg; NULL, or why there is none. */
static const char *
read_answer(const struct dns_query *query, struct dnssd_msg *ret_msg, struct err *err)
{
	if (!is_answer(query->status) || !(query->host ? !!query->addrs : !!query->msg))
		return failure_text(query->status);
	if (query->host)
		*ret_msg = *query->addrs;
	else if (dnssd_msg_decode(query->msg, query->msg_len, query->name, query->type,
			 ret_msg, err) < 0)
		return err->text;
	return NULL;
}

/* Tell the asker; the query is freed, or asked again behind a CNAME. */
static void
conclude(struct dns_query *query)
{
	struct dns_result result = { .outcome = DNSSD_FAILED };
	struct err err = { 0 };
	struct dnssd_msg msg;

	if (!query->fn) {
		query_free(query);
		return;
	}
	result.reason = read_answer(query, &msg, &err);
	if (!result.reason && msg.next_name[0]) {
		if (ask_alias(query, msg.next_name))
			return;
		result.reason = "too many CNAMEs";
	}
	if (!result.reason)
		result = (struct dns_result){ msg.found ? DNSSD_FOUND : DNSSD_ABSENT,
			&msg, NULL };
	query->fn(&result, query->user_data);
	query_free(query);
}

static void
on_deliver(struct loop *loop, void *user_data)
{
	struct dns *dns = user_data;
	struct dns_query *list = NULL, *query;

	(void)loop;
	while ((query = dns->answered)) { /* oldest first */
		dns->answered = query->next;
		query->next = list;
		list = query;
	}
	while ((query = list)) {
		list = query->next;
		conclude(query);
	}
	if (dns->open == 0)
		close_channel(dns);
}

struct dns *
dns_new(struct loop *loop, const char *resolv_conf, int timeout_ms)
{
	struct dns *dns = calloc(1, sizeof(*dns));

	if (!dns)
		return NULL;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(dns);
		errno = ENOMEM;
		return NULL;
	}
	dns->loop = loop;
	dns->resolv_conf = resolv_conf;
	dns->timeout_ms = timeout_ms;
	for (int i = 0; i < FDS_MAX; i++)
		dns->watched[i].fd = -1;
	dns->timer = loop_add_timer(loop, on_timer, dns);
	dns->deliver = loop_add_timer(loop, on_deliver, dns);
	if (!dns->timer || !dns->deliver) {
		dns_free(dns);
		return NULL;
	}
	return dns;
}

void
dns_free(struct dns *dns)
{
	struct dns_query *query;

	if (!dns)
		return;
	if (dns->timer && dns->deliver)
		close_channel(dns); /* moves open questions to the list */
	while ((query = dns->answered)) {
		dns->answered = query->next;
		query_free(query);
	}
	loop_remove(dns->timer);
	loop_remove(dns->deliver);
	free(dns);
	ares_library_cleanup();
}

/* A question that is not asked yet; NULL when out of memory. */
static struct dns_query *
new_query(struct dns *dns, const char *name, enum dnssd_type type, dns_fn fn,
	void *user_data)
{
	struct dns_query *query = calloc(1, sizeof(*query));

	if (!query)
		return NULL;
	query->dns = dns;
	query->fn = fn;
	query->user_data = user_data;
	query->type = type;
	memccpy(query->name, name, '\0', sizeof(query->name) - 1);
	return query;
}

struct dns_query *
dns_ask(struct dns *dns, const char *name, enum dnssd_type type, dns_fn fn,
	void *user_data)
{
	struct dns_query *query = new_query(dns, name, type, fn, user_data);

	if (query)
		ask(query);
	return query;
}

struct dns_query *
dns_ask_host(struct dns *dns, const char *name, enum dnssd_type type, dns_fn fn,
	void *user_data)
{
	struct dns_query *query = new_query(dns, name, type, fn, user_data);

	if (!query)
		return NULL;
	query->host = true;
	ask(query);
	return query;
}

struct loop *
dns_loop(const struct dns *dns)
{
	return dns->loop;
}

void
dns_cancel(struct dns_query *query)
{
	if (query)
		query->fn = NULL;
}

/* Copy @text without the dots at its ends; false if nothing is left or it is long. */
static bool
copy_domain(const char *text, char ret[DNSSD_NAME_SIZE])
{
	size_t len;

	text += strspn(text, ".");
	len = strlen(text);
	while (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len >= DNSSD_NAME_SIZE)
		return false;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return true;
}

int
dns_search_domains(struct dns *dns, struct dns_domains *ret_domains)
{
	struct ares_options options;
	int mask = 0, rc = open_channel(dns);

	if (rc < 0)
		return rc;
	memset(&options, 0, sizeof(options));
	if (ares_save_options(dns->channel, &options, &mask) != ARES_SUCCESS) {
		ares_destroy_options(&options);
		return -ENOMEM;
	}
	ret_domains->n = 0;
	for (int i = 0; i < options.ndomains && ret_domains->n < DNS_DOMAINS_MAX; i++)
		if (copy_domain(options.domains[i], ret_domains->names[ret_domains->n]))
			ret_domains->n++;
	ares_destroy_options(&options);
	if (dns->open == 0)
		loop_timer_in(dns->deliver, 0); /* closes the channel */
	return 0;
}
