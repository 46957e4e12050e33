/*
 * front_relay.c - one client of the front: handshake, a wait for its first byte, then
 * bytes in both directions until the HTTP server closes; see front.h.
 *
 * Each direction has one buffer, which is filled only when it is empty. As it holds a
 * whole TLS record, nothing decrypted ever stays behind in OpenSSL, so that what the
 * kernel says about the sockets is the whole truth. A side that does not take its bytes
 * stops the other one: nothing is stored beyond that buffer.
 *
 * The HTTP server limits the time for a request and an answer; here the time is limited
 * in which it does not take part: before the first byte, and once it has closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aclserver/front_internal.h"
#include "aclserver/front_stream.h"
#include "common/cleanup.h"
#include "common/log.h"

enum {
	BUFFER_SIZE = 16 << 10, /* the longest TLS record */
	ROUNDS = 8,             /* then others have their turn */
	HANDSHAKE_MS = 10000,
	LINGER_MS = 2000, /* for the client to see the end before it sees a reset */
};

enum phase {
	PHASE_HANDSHAKE,
	PHASE_SILENT, /* the client has sent nothing so far */
	PHASE_RELAY,
	PHASE_LINGER, /* all is said; what the client still sends is dropped */
};

/* One direction: bytes [start, end) wait to be passed on. */
struct buffer {
	size_t start, end;
	char bytes[BUFFER_SIZE];
};

struct buffers {
	struct buffer in;  /* from the client */
	struct buffer out; /* from the HTTP server */
};

struct front_conn {
	struct front *front;
	struct front_conn *next, **link; /* among the silent; link NULL = not there */
	struct front_peer peer;
	struct front_stream client;
	int server;              /* socket to the HTTP server; -1 = none */
	uint32_t source;         /* of that socket, in the table of peers */
	struct buffers *buffers; /* owned; NULL before there is anything to pass on */
	struct loop_source *on_client, *on_server, *timer;
	enum phase phase;
	bool connected; /* the HTTP server took a byte */
	bool in_end;    /* the client will send no more */
	bool in_told;   /* and the HTTP server knows */
	bool in_drop;   /* the HTTP server takes no more */
	bool out_end;   /* it will send no more */
};

static bool
is_empty(const struct buffer *b)
{
	return b->start == b->end;
}

/* ---- the list of those that sent nothing ---- */

static void
append_silent(struct front_conn *c)
{
	struct front *front = c->front;

	c->link = front->silent_end;
	*c->link = c;
	front->silent_end = &c->next;
}

static void
remove_silent(struct front_conn *c)
{
	if (!c->link)
		return;
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	else
		c->front->silent_end = c->link;
	c->link = NULL;
	c->next = NULL;
}

/* ---- the HTTP server's side ---- */

static void
close_server(struct front_conn *c)
{
	loop_remove(c->on_server);
	c->on_server = NULL;
	if (c->server < 0)
		return;
	/* In this order: once it is closed, anybody may get its port. */
	front_peers_remove(c->front->peers, c->source);
	close(c->server);
	c->server = -1;
}

static void on_server(struct loop *loop, int fd, unsigned events, void *user_data);

static int
open_server(struct front_conn *c)
{
	AUTO_CLOSE int fd =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons(c->front->http_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;
	int result;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	result = front_peers_add(c->front->peers, fd, &c->peer, &c->source);
	if (result < 0)
		return result;
	c->server = take_fd(&fd);
	if (connect(c->server, (const struct sockaddr *)&addr, sizeof(addr)) < 0 &&
		errno != EINPROGRESS)
		return -errno;
	c->on_server = loop_add_fd(c->front->loop, c->server, LOOP_READ, on_server, c);
	return c->on_server ? 0 : -errno;
}

/* ---- bytes; each sets *@moved if something changed ---- */

static int
take_from_client(struct front_conn *c, bool *moved)
{
	struct buffer *in = &c->buffers->in;
	ssize_t n;

	if (c->in_end || !is_empty(in))
		return 0;
	n = front_stream_read(&c->client, in->bytes, sizeof(in->bytes));
	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return (int)n;
	*moved = true;
	c->in_end = n == 0;
	in->start = 0;
	in->end = c->in_drop ? 0 : (size_t)n;
	return 0;
}

static void
give_to_server(struct front_conn *c, bool *moved)
{
	struct buffer *in = &c->buffers->in;
	ssize_t n;

	if (c->server < 0)
		return;
	if (is_empty(in)) {
		if (c->in_end && !c->in_told)
			(void)shutdown(c->server, SHUT_WR); /* read tells if it fails */
		c->in_told = c->in_end;
		return;
	}
	n = send(c->server, in->bytes + in->start, in->end - in->start,
		MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN)
		return;
	*moved = true;
	if (n >= 0) {
		in->start += (size_t)n;
		if (!c->connected)
			loop_timer_stop(c->timer);
		c->connected = true;
		return;
	}
	/* It has closed, perhaps after an answer, which is still to be passed on. */
	in->start = in->end = 0;
	c->in_drop = true;
}

static void
take_from_server(struct front_conn *c, bool *moved)
{
	struct buffer *out = &c->buffers->out;
	ssize_t n;

	if (c->out_end || !is_empty(out))
		return;
	n = recv(c->server, out->bytes, sizeof(out->bytes), MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	*moved = true;
	if (n > 0) {
		out->start = 0;
		out->end = (size_t)n;
		return;
	}
	/* The end, or a reset after it. */
	c->out_end = true;
	c->in_drop = true;
	c->buffers->in.start = c->buffers->in.end = 0;
	close_server(c);
	loop_timer_in(c->timer, c->front->timeout_ms);
}

static int
give_to_client(struct front_conn *c, bool *moved)
{
	struct buffer *out = &c->buffers->out;
	ssize_t n;

	if (is_empty(out))
		return 0;
	n = front_stream_write(
		&c->client, out->bytes + out->start, out->end - out->start);
	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return (int)n;
	out->start += (size_t)n;
	*moved = true;
	return 0;
}

/* ---- phases: 0 goes on with the next one, -EAGAIN waits, else the end ---- */

static int
handshake(struct front_conn *c)
{
	struct err err;
	int result = front_stream_handshake(&c->client, &err);

	if (result == 0 && c->client.ssl)
		result = front_tls_names(c->client.ssl, c->peer.names);
	if (result == -E2BIG)
		(void)err_set(&err, result, "the certificate has too many names");
	if (result < 0 && result != -EAGAIN && front_may_log(c->front))
		log_info("client %s: TLS: %s", c->peer.address, err.text);
	if (result < 0)
		return result;
	c->phase = PHASE_SILENT;
	loop_timer_in(c->timer, c->front->timeout_ms);
	return 0;
}

static int
await_first_byte(struct front_conn *c)
{
	int result = front_stream_peek(&c->client);

	if (result <= 0)
		return result == 0 ? -ESHUTDOWN : result;
	c->buffers = malloc(sizeof(*c->buffers));
	if (!c->buffers)
		return -ENOMEM;
	c->buffers->in.start = c->buffers->in.end = 0;
	c->buffers->out.start = c->buffers->out.end = 0;
	result = open_server(c);
	if (result < 0) {
		if (front_may_log(c->front))
			log_warning("client %s: cannot reach the HTTP server: %s",
				c->peer.address, strerror(-result));
		return result;
	}
	remove_silent(c);
	c->phase = PHASE_RELAY;
	loop_timer_in(c->timer, c->front->timeout_ms); /* to be connected */
	return 0;
}

static int
relay(struct front_conn *c)
{
	bool moved = true;
	int result = 0;

	for (int round = 0; moved && result == 0 && round < ROUNDS; round++) {
		moved = false;
		result = take_from_client(c, &moved);
		if (result < 0)
			break;
		give_to_server(c, &moved);
		take_from_server(c, &moved);
		result = give_to_client(c, &moved);
	}
	if (result < 0)
		return result;
	if (!c->out_end || !is_empty(&c->buffers->out))
		return -EAGAIN;
	result = front_stream_end(&c->client);
	if (result < 0)
		return result;
	c->phase = PHASE_LINGER;
	loop_timer_in(c->timer, LINGER_MS);
	return 0;
}

/* Closing while the client still sends would reset the connection, and it might lose
 * the answer. */
static int
linger(struct front_conn *c)
{
	struct buffer *in = &c->buffers->in;

	for (int round = 0; round < ROUNDS; round++) {
		/* What TLS is in there is of no interest any more. */
		ssize_t n =
			recv(c->client.fd, in->bytes, sizeof(in->bytes), MSG_DONTWAIT);

		if (n <= 0)
			return n == 0 ? -ESHUTDOWN : -errno;
	}
	return -EAGAIN;
}

/* ---- events ---- */

static unsigned
client_events(const struct front_conn *c)
{
	const bool has_more =
		c->phase == PHASE_RELAY && (c->out_end || !is_empty(&c->buffers->out));
	const bool full =
		c->phase == PHASE_RELAY && (c->in_end || !is_empty(&c->buffers->in));

	if (c->phase == PHASE_LINGER)
		return LOOP_READ;
	if (c->phase <= PHASE_SILENT)
		return c->client.wants_write ? LOOP_WRITE : LOOP_READ;
	return (full ? 0 : LOOP_READ) |
	       (has_more || c->client.wants_write ? LOOP_WRITE : 0);
}

static int
watch(struct front_conn *c)
{
	int result = loop_set_events(c->on_client, client_events(c));

	if (result < 0 || !c->on_server)
		return result;
	return loop_set_events(
		c->on_server, (is_empty(&c->buffers->out) ? LOOP_READ : 0) |
				      (is_empty(&c->buffers->in) ? 0 : LOOP_WRITE));
}

static void
advance(struct front_conn *c)
{
	int result = 0;

	if (c->phase == PHASE_HANDSHAKE)
		result = handshake(c);
	if (result == 0 && c->phase == PHASE_SILENT)
		result = await_first_byte(c);
	if (result == 0 && c->phase == PHASE_RELAY)
		result = relay(c);
	if (result == 0 && c->phase == PHASE_LINGER)
		result = linger(c);
	if (result == -EAGAIN)
		result = watch(c);
	if (result < 0)
		front_conn_close(c);
}

static void
on_client(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct front_conn *c = user_data;

	(void)loop, (void)fd;
	/* Both directions are dead: there is nobody to answer. */
	if (events & LOOP_HANGUP)
		front_conn_close(c);
	else
		advance(c);
}

static void
on_server(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct front_conn *c = user_data;

	(void)loop, (void)fd;
	/* It would be said again and again while the client takes its bytes. Reading
	 * does not block any more. */
	if ((events & LOOP_HANGUP) && !is_empty(&c->buffers->out)) {
		loop_remove(c->on_server);
		c->on_server = NULL;
	}
	advance(c);
}

static void
on_time(struct loop *loop, void *user_data)
{
	static const char *const waits[] = {
		[PHASE_HANDSHAKE] = "no TLS handshake",
		[PHASE_SILENT] = "no request",
		[PHASE_RELAY] = "the answer was not taken",
		[PHASE_LINGER] = "the connection was not closed",
	};
	struct front_conn *c = user_data;

	(void)loop;
	log_debug("http", "client %s: %s in time; closing", c->peer.address,
		waits[c->phase]);
	front_conn_close(c);
}

/* ---- life ---- */

void
front_conn_close(struct front_conn *c)
{
	remove_silent(c);
	close_server(c);
	loop_remove(c->on_client);
	loop_remove(c->timer);
	front_stream_done(&c->client);
	c->front->n_connections--;
	free(c->buffers);
	free(c);
}

static int
open_client(struct front_conn *c, int fd, bool tls)
{
	struct front *front = c->front;
	int result;

	pthread_mutex_lock(&front->lock);
	c->peer.generation = front_peers_generation(front->peers);
	/* Never in the open where https was asked for. */
	result = tls && !front->tls
			 ? -ENOENT
			 : front_stream_init(&c->client, fd, tls ? front->tls : NULL);
	pthread_mutex_unlock(&front->lock);
	if (result < 0)
		return result;
	c->timer = loop_add_timer(front->loop, on_time, c);
	c->on_client = loop_add_fd(front->loop, fd, LOOP_READ, on_client, c);
	return c->timer && c->on_client ? 0 : -ENOMEM;
}

int
front_conn_open(struct front *front, int fd, const struct front_listener *listener,
	const struct front_peer *peer)
{
	struct front_conn *c = calloc(1, sizeof(*c));
	const int on = 1;
	int64_t limit_ms = HANDSHAKE_MS;

	if (!c)
		return -ENOMEM;
	c->front = front;
	c->peer = *peer;
	c->server = c->client.fd = -1;
	front->n_connections++;
	if (open_client(c, fd, listener->tls) < 0) {
		c->client.fd = -1; /* the caller's */
		front_conn_close(c);
		return -ENOMEM;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	append_silent(c);
	if (!listener->tls)
		c->phase = PHASE_SILENT;
	if (limit_ms > front->timeout_ms || !listener->tls)
		limit_ms = front->timeout_ms;
	loop_timer_in(c->timer, limit_ms);
	return 0;
}
