/*
 * front.c - see front.h: sockets that listen, and who is let in.
 */
#include "aclserver/front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aclserver/front_internal.h"
#include "common/cleanup.h"
#include "common/log.h"

enum {
	BACKLOG = 256,
	ACCEPT_AT_ONCE = 64, /* then connections that exist have their turn */
	PAUSE_MS = 100,      /* when there are no descriptors */
	LOG_PER_S = 1,
	LOG_BURST = 10,
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

bool
front_may_log(struct front *front)
{
	return ratelimit_pass(&front->log_limit, mono_now());
}

/* ---- clients ---- */

static void
parse_peer(const union address *from, struct parse_addr *ret_addr,
	struct front_peer *ret_peer)
{
	const bool v6 = from->any.sa_family == AF_INET6;
	const void *bytes = v6 ? (const void *)&from->v6.sin6_addr
			       : (const void *)&from->v4.sin_addr;

	*ret_addr = (struct parse_addr){ .family = from->any.sa_family };
	memcpy(ret_addr->bytes, bytes, v6 ? 16 : 4);
	*ret_peer = (struct front_peer){
		.port = ntohs(v6 ? from->v6.sin6_port : from->v4.sin_port),
	};
	/* Cannot fail: there is room, and the family is one of two. */
	(void)inet_ntop(from->any.sa_family, bytes, ret_peer->address,
		sizeof(ret_peer->address));
}

static bool
is_allowed(const struct front *front, const struct parse_addr *addr)
{
	const struct listen_addr as_listen = { .addr = *addr };

	return front->allow->n == 0 || listen_addr_is_loopback(&as_listen) ||
	       prefix_list_has(front->allow, addr);
}

/* Room for one more: clients that have sent nothing yet make place, the oldest first.
 */
static bool
make_room(struct front *front)
{
	if (front->n_connections < front->max_connections)
		return true;
	if (!front->silent)
		return false;
	front_conn_close(front->silent);
	return true;
}

static void
let_in(const struct front_listener *listener, int fd, const union address *from)
{
	struct front *front = listener->front;
	struct parse_addr addr;
	struct front_peer peer;
	const char *reason = NULL;

	parse_peer(from, &addr, &peer);
	if (!is_allowed(front, &addr))
		reason = "is not in allow_from";
	else if (!make_room(front))
		reason = "refused: there are too many connections";
	else if (front_conn_open(front, fd, listener, &peer) < 0)
		reason = "refused: out of memory or descriptors";
	if (!reason)
		return;
	close(fd);
	if (front_may_log(front))
		log_warning("client %s: %s", peer.address, reason);
}

static void
watch_listeners(struct front *front, unsigned events)
{
	/* Cannot fail for descriptors that are watched already. */
	for (unsigned i = 0; i < front->listen.n; i++)
		(void)loop_set_events(front->listeners[i].source, events);
}

static void
on_pause_over(struct loop *loop, void *user_data)
{
	(void)loop;
	watch_listeners(user_data, LOOP_READ);
}

/* Out of descriptors or memory: what cannot be accepted would be offered at once again.
 */
static void
pause_accepting(struct front *front)
{
	if (front_may_log(front))
		log_warning("cannot accept a connection: %s", strerror(errno));
	if (front->silent)
		front_conn_close(front->silent);
	watch_listeners(front, 0);
	loop_timer_in(front->pause, PAUSE_MS);
}

static void
on_listener(struct loop *loop, int listen_fd, unsigned events, void *user_data)
{
	struct front_listener *listener = user_data;

	(void)loop, (void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		union address from;
		socklen_t len = sizeof(from);
		int fd = accept4(
			listen_fd, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			let_in(listener, fd, &from);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			 errno == ENOMEM)
			return pause_accepting(listener->front);
		else if (errno == EAGAIN)
			return;
		/* else that client has gone already */
	}
}

/* ---- listening ---- */

static socklen_t
to_sockaddr(const struct listen_addr *listen, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (listen->addr.family == AF_INET) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(listen->port);
		memcpy(&ret->v4.sin_addr, listen->addr.bytes, 4);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(listen->port);
	memcpy(&ret->v6.sin6_addr, listen->addr.bytes, 16);
	return sizeof(ret->v6);
}

static int
open_listener(struct listen_addr *at, int *ret_fd, struct err *err)
{
	AUTO_CLOSE int fd =
		socket(at->addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char url[LISTEN_TEXT_SIZE];
	union address addr;
	socklen_t len = to_sockaddr(at, &addr);
	const int on = 1;

	listen_addr_format(at, url);
	/* [::] is IPv6 only, so that it can stand beside 0.0.0.0. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		(at->addr.family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) <
				0) ||
		bind(fd, &addr.any, len) < 0 || listen(fd, BACKLOG) < 0 ||
		getsockname(fd, &addr.any, &len) < 0)
		return err_sys(err, -errno, "cannot listen on %s", url);
	at->port = ntohs(
		addr.any.sa_family == AF_INET6 ? addr.v6.sin6_port : addr.v4.sin_port);
	*ret_fd = take_fd(&fd);
	return 0;
}

static int
open_listeners(struct front *front, struct err *err)
{
	for (unsigned i = 0; i < front->listen.n; i++) {
		struct front_listener *listener = &front->listeners[i];
		int result = open_listener(&front->listen.items[i], &listener->fd, err);

		if (result < 0)
			return result;
		listener->front = front;
		listener->tls = front->listen.items[i].tls;
		listener->source = loop_add_fd(
			front->loop, listener->fd, LOOP_READ, on_listener, listener);
		if (!listener->source)
			return err_sys(err, -errno, "cannot watch a socket");
	}
	return 0;
}

void
front_free(struct front *front)
{
	if (!front)
		return;
	loop_free(front->loop);
	for (unsigned i = 0; i < front->listen.n; i++)
		if (front->listeners[i].fd >= 0)
			close(front->listeners[i].fd);
	front_tls_free(front->tls);
	pthread_mutex_destroy(&front->lock);
	free(front);
}

static int
front_init(struct front *front, struct err *err)
{
	front->loop = loop_new();
	if (!front->loop)
		return err_sys(err, -errno, "cannot make a loop");
	front->pause = loop_add_timer(front->loop, on_pause_over, front);
	if (!front->pause)
		return err_set(err, -ENOMEM, "out of memory");
	return open_listeners(front, err);
}

int
front_new(const struct front_options *options, struct front **ret, struct err *err)
{
	struct front *front = calloc(1, sizeof(*front));
	int result;

	if (!front) {
		front_tls_free(options->take_tls);
		return err_set(err, -ENOMEM, "out of memory");
	}
	front->listen = *options->listen;
	for (unsigned i = 0; i < LISTEN_MAX; i++)
		front->listeners[i].fd = -1;
	front->allow = options->allow;
	front->peers = options->peers;
	front->max_connections = options->max_connections;
	front->timeout_ms = options->timeout_ms;
	front->silent_end = &front->silent;
	front->tls = options->take_tls;
	ratelimit_init(&front->log_limit, LOG_PER_S, LOG_BURST, mono_now());
	pthread_mutex_init(&front->lock, NULL);
	result = front_init(front, err);
	if (result < 0) {
		front_free(front);
		return result;
	}
	*ret = front;
	return 0;
}

const struct listen_list *
front_listen(const struct front *front)
{
	return &front->listen;
}

static void *
run(void *user_data)
{
	struct front *front = user_data;
	int result = loop_run(front->loop);

	log_error("waiting for connections failed: %s", strerror(-result));
	return NULL;
}

int
front_start(struct front *front, uint16_t http_port, struct err *err)
{
	int result;

	front->http_port = http_port;
	result = pthread_create(&front->thread, NULL, run, front);
	return result ? err_sys(err, -result, "cannot start a thread") : 0;
}

void
front_use_tls(struct front *front, struct front_tls *take_tls)
{
	struct front_tls *old;

	pthread_mutex_lock(&front->lock);
	old = front->tls;
	front->tls = take_tls;
	front_peers_renew(front->peers);
	pthread_mutex_unlock(&front->lock);
	front_tls_free(old);
}
