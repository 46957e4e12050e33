/*
 * collector.c - UDP destinations of our datagrams.
 *
 * The sockets are connected, because only then does the kernel report what the network
 * says of a destination (ICMP), and because the route is looked up once. A report
 * stands for an earlier datagram and is returned by the next send, which then has not
 * sent anything: it is repeated once.
 */
#include "agent/collector.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/log.h"

/* Datagrams per system call. */
enum { SEND_BATCH = 32 };

/* DSCP is the upper part of the byte; ECN, the lower, is not ours. */
enum { DSCP_SHIFT = 2, DSCP_MAX = 63 };

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t
to_sockaddr(const struct parse_addr *addr, uint16_t port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (addr->family == AF_INET6) {
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons(port);
		memcpy(&ret->in6.sin6_addr, addr->bytes, 16);
		return sizeof(ret->in6);
	}
	ret->in.sin_family = AF_INET;
	ret->in.sin_port = htons(port);
	memcpy(&ret->in.sin_addr, addr->bytes, 4);
	return sizeof(ret->in);
}

static bool
addr_equal(const struct parse_addr *a, const struct parse_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == 0 ||
	       memcmp(a->bytes, b->bytes, a->family == AF_INET6 ? 16 : 4) == 0;
}

static uint64_t
lost(const struct collector *c)
{
	return c->stats.blocked + c->stats.failed;
}

/* Note trouble; log it if the collector was well. */
static void
on_trouble(struct collector *c, int code, const char *what)
{
	c->stats.errors++;
	c->last_error = mono_now();
	if (c->error == 0) {
		c->lost_before = lost(c);
		log_about(LOG_LEVEL_WARNING, LOG_COLLECTOR, c->conf.name,
			"collector %s: %s", c->conf.name, what);
	} else if (c->error != code) {
		log_debug("collector", "%s: %s", c->conf.name, what);
	}
	c->error = code;
}

/* Something was sent: after a time without trouble that is news. */
static void
on_sent(struct collector *c)
{
	if (c->error == 0 ||
		mono_diff_ms(c->last_error, mono_now()) < COLLECTOR_QUIET_MS)
		return;
	log_about(LOG_LEVEL_NOTICE, LOG_COLLECTOR, c->conf.name,
		"collector %s: no more errors; %" PRIu64 " datagrams were lost",
		c->conf.name, lost(c) - c->lost_before);
	c->error = 0;
}

static void
disconnect(struct collector *c)
{
	c->connected = false;
	c->retry_at = mono_add_ms(mono_now(), COLLECTOR_RETRY_MS);
	/* In another namespace a socket cannot be had again without privilege. */
	if (c->conf.netns[0] != '\0')
		return;
	cleanup_close(&c->fd);
	c->fd = -1;
}

static void
set_number(int fd, int level, int option, int value)
{
	/* Buffer sizes are wishes: the kernel's limits apply, and less will do. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static int
set_dscp(const struct collector *c, struct err *err)
{
	bool v6 = c->conf.addr.family == AF_INET6;
	int value = c->conf.dscp << DSCP_SHIFT;

	if (setsockopt(c->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS,
		    &value, sizeof(value)) < 0)
		return err_sys(err, -errno, "cannot set DSCP %d", c->conf.dscp);
	return 0;
}

static int
open_socket(struct collector *c, struct err *err)
{
	int fd = netns_socket(
		c->conf.netns, c->conf.addr.family, SOCK_DGRAM | SOCK_NONBLOCK, err);

	if (fd < 0)
		return fd;
	c->fd = fd;
	set_number(fd, SOL_SOCKET, SO_SNDBUF, COLLECTOR_SEND_BYTES);
	/* Nothing is ever read, so nothing should pile up. */
	set_number(fd, SOL_SOCKET, SO_RCVBUF, 0);
	return set_dscp(c, err);
}

/* A socket that stays in its namespace is asked first: without CAP_NET_RAW a device may
 * be chosen only once. */
static bool
is_bound(const struct collector *c)
{
	char dev[IFNAMSIZ] = "";
	socklen_t len = sizeof(dev);

	return getsockopt(c->fd, SOL_SOCKET, SO_BINDTODEVICE, dev, &len) == 0 &&
	       strncmp(dev, c->conf.dev, sizeof(dev)) == 0;
}

static int
bind_device(const struct collector *c, struct err *err)
{
	if (c->conf.dev[0] == '\0' || is_bound(c))
		return 0;
	if (setsockopt(c->fd, SOL_SOCKET, SO_BINDTODEVICE, c->conf.dev,
		    sizeof(c->conf.dev)) < 0)
		return err_sys(err, -errno, "cannot bind to device %s", c->conf.dev);
	return 0;
}

/* Device, source address, destination. May be repeated on the same socket. */
static int
connect_socket(struct collector *c, struct err *err)
{
	const struct collector_conf *conf = &c->conf;
	union address to;
	union address from;
	socklen_t to_len = to_sockaddr(&conf->addr, conf->port, &to);
	socklen_t from_len = to_sockaddr(&conf->source, 0, &from);
	int rc;

	/* AF_UNSPEC forgets the route and the source address chosen for it. */
	(void)connect(c->fd, &(struct sockaddr){ .sa_family = AF_UNSPEC },
		sizeof(struct sockaddr));
	rc = bind_device(c, err);
	if (rc < 0)
		return rc;
	if (conf->source.family != 0 && bind(c->fd, &from.sa, from_len) < 0)
		return err_sys(err, -errno, "cannot use the source address");
	if (connect(c->fd, &to.sa, to_len) < 0)
		return err_sys(err, -errno, "cannot connect");
	return 0;
}

static void
try_open(struct collector *c)
{
	struct err err;
	int rc = 0;

	if (c->fd < 0)
		rc = open_socket(c, &err);
	if (rc == 0)
		rc = connect_socket(c, &err);
	if (rc < 0) {
		disconnect(c);
		on_trouble(c, -rc, err.text);
		return;
	}
	c->connected = true;
}

static void
close_collector(struct collector *c)
{
	cleanup_close(&c->fd);
	c->fd = -1;
}

void
collector_set_init(struct collector_set *set)
{
	memset(set, 0, sizeof(*set));
}

void
collector_set_done(struct collector_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		close_collector(&set->items[i]);
	free(set->items);
	collector_set_init(set);
}

int
collector_conf_check(const struct collector_conf *conf, struct err *err)
{
	int family = conf->addr.family;

	if (family != AF_INET && family != AF_INET6)
		return err_set(err, -EINVAL, "collector %s: no address", conf->name);
	if (conf->port == 0)
		return err_set(err, -EINVAL, "collector %s: port 0", conf->name);
	if (conf->dscp > DSCP_MAX)
		return err_set(err, -EINVAL, "collector %s: dscp %u is above %d",
			conf->name, conf->dscp, DSCP_MAX);
	if (conf->source.family != 0 && conf->source.family != family)
		return err_set(err, -EINVAL,
			"collector %s: the source address is of another family",
			conf->name);
	if (conf->netns[0] != '\0' && !netns_name_valid(conf->netns))
		return err_set(err, -EINVAL,
			"collector %s: not a name of a network namespace", conf->name);
	return 0;
}

bool
collector_conf_equal(const struct collector_conf *a, const struct collector_conf *b)
{
	return addr_equal(&a->addr, &b->addr) && a->port == b->port &&
	       addr_equal(&a->source, &b->source) && strcmp(a->dev, b->dev) == 0 &&
	       strcmp(a->netns, b->netns) == 0 && a->dscp == b->dscp;
}

static struct collector *
find_equal(struct collector_set *set, const struct collector_conf *conf)
{
	for (size_t i = 0; i < set->n; i++) {
		struct collector *c = &set->items[i];

		if (collector_conf_equal(&c->conf, conf))
			return c;
	}
	return NULL;
}

/* Move what @old has for @conf to @c, or begin anew. */
static void
adopt_or_open(struct collector_set *old, const struct collector_conf *conf,
	struct collector *c)
{
	struct collector *same = find_equal(old, conf);

	if (same) {
		*c = *same;
		c->conf = *conf;
		/* The socket has moved; two equal entries must not share it. */
		same->fd = -1;
		same->conf.port = 0;
		return;
	}
	*c = (struct collector){ .conf = *conf, .fd = -1 };
	try_open(c);
}

static int
check_all(const struct collector_conf *confs, size_t n, struct err *err)
{
	if (n > COLLECTOR_MAX)
		return err_set(err, -E2BIG, "%zu collectors, at most %d", n,
			(int)COLLECTOR_MAX);
	for (size_t i = 0; i < n; i++) {
		int rc = collector_conf_check(&confs[i], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int
collector_set_configure(struct collector_set *set, const struct collector_conf *confs,
	size_t n, struct err *err)
{
	struct collector_set next = { .n = n };
	int rc = check_all(confs, n, err);

	if (rc < 0)
		return rc;
	next.items = calloc(n ? n : 1, sizeof(*next.items));
	if (!next.items)
		return err_set(err, -ENOMEM, "no memory for %zu collectors", n);
	for (size_t i = 0; i < n; i++)
		adopt_or_open(set, &confs[i], &next.items[i]);
	collector_set_done(set);
	*set = next;
	return 0;
}

/* True if a new socket would not help: full buffers, a peer that does not listen, a
 * firewall. */
static bool
is_passing(int code)
{
	return code == EAGAIN || code == ENOBUFS || code == ENOMEM ||
	       code == ECONNREFUSED || code == EPERM || code == EMSGSIZE;
}

static void
drop_rest(struct collector *c, int code, size_t n)
{
	if (code == EAGAIN || code == ENOBUFS)
		c->stats.blocked += n;
	else
		c->stats.failed += n;
	if (!is_passing(code))
		disconnect(c);
}

static void
count_sent(struct collector *c, const struct mmsghdr *msgs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->stats.bytes += msgs[i].msg_len;
	c->stats.datagrams += n;
}

static void
note_send_error(struct collector *c, int code)
{
	struct err err;

	err_sys(&err, -code, "cannot send");
	on_trouble(c, code, err.text);
}

/* A report that came between two datagrams of one call ends it early and is then gone:
 * sendmmsg() returns the count of those before. Nearly always nobody listens there. */
static void
note_short_send(struct collector *c)
{
	on_trouble(c, ECONNREFUSED, "the network reports that datagrams are refused");
}

/* What to do after a send that did not take all of @left: true to go on. */
static bool
goes_on(struct collector *c, int rc, size_t left, bool *repeated)
{
	int code = errno;

	if (rc > 0) {
		note_short_send(c);
		return true;
	}
	note_send_error(c, code);
	if (!*repeated && code != EAGAIN && code != ENOBUFS) {
		*repeated = true;
		return true;
	}
	drop_rest(c, code, left);
	return false;
}

static void
send_to(struct collector *c, struct mmsghdr *msgs, size_t n)
{
	bool repeated = false;
	size_t done = 0;

	while (done < n) {
		int rc = sendmmsg(c->fd, msgs + done, (unsigned)(n - done), 0);

		if (rc > 0) {
			count_sent(c, msgs + done, (size_t)rc);
			done += (size_t)rc;
		}
		if (done < n && !goes_on(c, rc, n - done, &repeated))
			return;
	}
	on_sent(c);
}

static void
send_batch(struct collector *c, struct mmsghdr *msgs, size_t n)
{
	if (!c->connected && !mono_before(mono_now(), c->retry_at))
		try_open(c);
	if (c->connected)
		send_to(c, msgs, n);
	else
		c->stats.failed += n;
}

void
collector_set_send(struct collector_set *set, const struct iovec *msgs, size_t n)
{
	struct mmsghdr headers[SEND_BATCH];

	while (n > 0) {
		size_t batch = n < SEND_BATCH ? n : SEND_BATCH;

		memset(headers, 0, batch * sizeof(headers[0]));
		for (size_t i = 0; i < batch; i++) {
			/* sendmmsg() only reads what it points to. */
			headers[i].msg_hdr.msg_iov = (struct iovec *)&msgs[i];
			headers[i].msg_hdr.msg_iovlen = 1;
		}
		for (size_t i = 0; i < set->n; i++)
			send_batch(&set->items[i], headers, batch);
		msgs += batch;
		n -= batch;
	}
}
