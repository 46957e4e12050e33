/*
 * http_child.c - see http_child.h.
 *
 * The main thread owns the loop: the channel, the signals. Request threads send DIRTY
 * themselves, right after their batch, because that is on the way from a PUT to its
 * effect; when the channel is full they leave it to the loop, which sends the newest
 * generation only.
 */
#include "aclserver/http_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aclserver/access.h"
#include "aclserver/acl_store.h"
#include "aclserver/api.h"
#include "aclserver/channel.h"
#include "aclserver/front.h"
#include "aclserver/http.h"
#include "aclserver/http_confine.h"
#include "aclserver/http_trust.h"
#include "aclserver/names.h"
#include "aclserver/report.h"
#include "aclserver/tracker.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/sdnotify.h"

enum {
	STOP_GRACE_S = 5,  /* for requests that run when the end has come */
	CHECK_MS = 1000,   /* how often slow connections are looked for */
	SPARE_THREADS = 2, /* never wait for a commit, so that there is always one
			      that answers */
};

struct child {
	const struct server_conf *conf;
	const struct trust *trust;
	struct access *access;
	struct front_peers *peers; /* NULL = there is no front */
	struct front *front;       /* likewise */
	struct loop *loop;
	struct loop_source *channel_source;
	struct loop_source *check_timer;
	struct tracker *tracker;
	struct acl_store *store;
	struct http *http;
	struct api api;
	int channel_fd;
	int wake_fd;     /* eventfd: a DIRTY could not be sent */
	char *packet;    /* room for the largest message of the parent */
	bool unreadable; /* the newest report was: said once */
	bool watchdog;   /* of systemd is to be fed */
	enum http_child_exit result;

	pthread_mutex_t lock; /* guards all below */
	uint64_t changed;     /* newest generation of the store */
	uint64_t told;        /* newest one that the parent knows */
};

enum { PACKET_SIZE = CHANNEL_HEADER_SIZE + CHANNEL_REPORT_MAX };

static struct child *
child_new(const struct server_conf *conf, const struct trust *trust, int channel_fd)
{
	struct child *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->conf = conf;
	c->trust = trust;
	c->channel_fd = channel_fd;
	c->wake_fd = -1;
	c->result = HTTP_CHILD_OK;
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

/* ---- to the parent ---- */

static int
send_message(struct child *c, enum channel_type type, uint64_t generation)
{
	const struct channel_msg msg = { .type = type, .generation = generation };
	uint8_t buf[CHANNEL_HEADER_SIZE];

	channel_encode(&msg, buf);
	if (send(c->channel_fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* Tell the newest generation. With the lock held. False if the channel is full. */
static bool
tell(struct child *c)
{
	int result;

	if (c->told == c->changed)
		return true;
	result = send_message(c, CHANNEL_DIRTY, c->changed);
	if (result == -EAGAIN)
		return false;
	/* Any other failure means that the parent is gone, which the loop sees. */
	c->told = c->changed;
	return true;
}

/* From a request thread, after each batch. */
static void
on_changed(uint64_t generation, void *user_data)
{
	struct child *c = user_data;
	const uint64_t one = 1;
	bool told;

	pthread_mutex_lock(&c->lock);
	c->changed = generation;
	told = tell(c);
	pthread_mutex_unlock(&c->lock);
	/* Can only fail when it is full, and then the loop is awake already. */
	if (!told)
		(void)!write(c->wake_fd, &one, sizeof(one));
}

static void
tell_when_possible(struct child *c)
{
	bool told;

	pthread_mutex_lock(&c->lock);
	told = tell(c);
	pthread_mutex_unlock(&c->lock);
	/* Cannot fail for a descriptor that is watched already. */
	(void)loop_set_events(
		c->channel_source, told ? LOOP_READ : LOOP_READ | LOOP_WRITE);
}

static void
on_wake(struct loop *loop, int fd, unsigned events, void *user_data)
{
	uint64_t n;

	(void)loop;
	(void)events;
	(void)!read(fd, &n, sizeof(n)); /* only empties it */
	tell_when_possible(user_data);
}

/* ---- from the parent ---- */

static void
finish(struct child *c, enum http_child_exit result)
{
	c->result = result;
	loop_stop(c->loop, 0);
}

/* The report in @msg; without any details when there are none that can be read. A wrong
 * one is a bug of ours, but no reason to stop serving. 0 or -ENOMEM. */
static int
read_report(struct child *c, const struct channel_msg *msg, struct report *ret)
{
	int result;

	*ret = (struct report){ .returncode = msg->returncode };
	/* The parent may have had no memory for more than numbers. */
	if (!msg->report)
		return 0;
	result = report_decode(msg->report, msg->report_len, ret);
	if (result == -EBADMSG) {
		if (!c->unreadable)
			log_error("channel: the report of commit %llu is malformed; it "
				  "counts as failed",
				(unsigned long long)msg->generation);
		if (ret->returncode == 0)
			ret->returncode = 1;
		c->unreadable = true;
		return 0;
	}
	c->unreadable = false;
	return result;
}

static void
on_done(struct child *c, const struct channel_msg *msg)
{
	struct report report;
	int result = read_report(c, msg, &report);

	if (result == 0)
		result = tracker_done(c->tracker, msg->generation, &report);
	if (result < 0)
		log_warning("commit %llu: no memory for its report",
			(unsigned long long)msg->generation);
	report_done(&report); /* empty if it was taken over */
}

/* Files that the configuration names have changed; @fd holds all of it. */
static void
on_conf(struct child *c, int fd)
{
	struct front_tls *tls = NULL;
	struct err err;
	int result = http_trust_renew(c->conf, fd, c->access, &tls, &err);

	if (result == 0 && c->front && tls)
		front_use_tls(c->front, take_ptr(tls));
	front_tls_free(tls);
	if (result < 0)
		log_error("HTTP server: %s; what was in use stays", err.text);
	else
		log_notice("HTTP server: new tokens and certificates in use");
}

/* A message, as recv(2) does it, and the descriptor that came with it, if any. */
static ssize_t
receive_packet(struct child *c, int *ret_fd)
{
	union {
		struct cmsghdr header; /* for its alignment */
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { c->packet, PACKET_SIZE };
	struct msghdr packet = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(
		c->channel_fd, &packet, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = len < 0 ? NULL : CMSG_FIRSTHDR(&packet);

	if (header && header->cmsg_level == SOL_SOCKET &&
		header->cmsg_type == SCM_RIGHTS &&
		header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
	return len;
}

/* One message of the parent. False when there is no more at present. */
static bool
receive(struct child *c)
{
	AUTO_CLOSE int fd = -1;
	struct channel_msg msg;
	struct err err;
	ssize_t len = receive_packet(c, &fd);

	if (len < 0 && errno == EAGAIN)
		return false;
	if (len < 0 && errno == EINTR)
		return true;
	if (len <= 0) {
		log_notice("channel: closed by the committer");
		finish(c, HTTP_CHILD_OK);
		return false;
	}
	if (len > PACKET_SIZE) {
		log_error("channel: a message has %zd bytes", len);
		finish(c, HTTP_CHILD_BAD_CHANNEL);
		return false;
	}
	if (channel_decode(c->packet, (size_t)len, false, &msg, &err) < 0 ||
		(msg.type == CHANNEL_CONF) != (fd >= 0)) {
		log_error("channel: not a message of the committer: %s", err.text);
		finish(c, HTTP_CHILD_BAD_CHANNEL);
		return false;
	}
	if (msg.type == CHANNEL_CONF)
		on_conf(c, fd);
	else
		on_done(c, &msg);
	return c->result == HTTP_CHILD_OK;
}

static void
on_channel(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct child *c = user_data;

	(void)loop;
	(void)fd;
	if (events & LOOP_WRITE)
		tell_when_possible(c);
	while (events & (LOOP_READ | LOOP_HANGUP))
		if (!receive(c))
			break;
}

static void
on_signal(struct loop *loop, int signo, void *user_data)
{
	(void)loop;
	log_debug("http", "signal %d: stopping", signo);
	finish(user_data, HTTP_CHILD_OK);
}

static void
on_check(struct loop *loop, void *user_data)
{
	struct child *c = user_data;

	(void)loop;
	http_check(c->http);
	if (c->watchdog)
		sdnotify_send("WATCHDOG=1");
	loop_timer_in(c->check_timer, CHECK_MS);
}

/* ---- start ---- */

static int
watch(struct child *c, struct err *err)
{
	c->loop = loop_new();
	if (!c->loop)
		return err_sys(err, -errno, "cannot make a loop");
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake_fd < 0)
		return err_sys(err, -errno, "cannot make an eventfd");
	c->channel_source =
		loop_add_fd(c->loop, c->channel_fd, LOOP_READ, on_channel, c);
	c->check_timer = loop_add_timer(c->loop, on_check, c);
	if (!c->channel_source || !c->check_timer ||
		!loop_add_fd(c->loop, c->wake_fd, LOOP_READ, on_wake, c) ||
		!loop_add_signal(c->loop, SIGTERM, on_signal, c) ||
		!loop_add_signal(c->loop, SIGINT, on_signal, c))
		return err_sys(err, -errno, "cannot watch channel, signals and time");
	return 0;
}

/* A write to a client that is gone gives EPIPE; reload is the parent's business. */
static void
ignore_signals(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
}

static int
open_store(struct child *c, struct err *err)
{
	const struct acl_store_options options = { .dir = c->conf->policy_dir,
		.max_acls = c->conf->max_acls,
		.changed = on_changed,
		.user_data = c };

	return acl_store_open(&options, &c->store, err);
}

static int
make_front(struct child *c, const struct listen_list *listen, struct front_tls *tls,
	struct err *err)
{
	struct front_options options = {
		.listen = listen,
		.allow = &c->conf->allow_from,
		.take_tls = tls,
		.max_connections = c->conf->connections,
		.timeout_ms = c->conf->request_timeout_ms,
	};

	c->peers = options.peers = front_peers_new(c->conf->connections);
	if (c->peers)
		return front_new(&options, &c->front, err);
	front_tls_free(tls);
	return err_set(err, -ENOMEM, "out of memory");
}

static int
start_http(struct child *c, const struct listen_list *listen, struct err *err)
{
	const struct http_options options = {
		.listen = listen,
		.allow = &c->conf->allow_from,
		.access = c->access,
		.peers = c->peers,
		.threads = c->conf->threads,
		.request_timeout_ms = c->conf->request_timeout_ms,
		.api = &c->api,
	};

	c->api = (struct api){ .store = c->store,
		.tracker = c->tracker,
		.max_body_bytes = c->conf->max_body_bytes,
		.max_lines = c->conf->max_lines };
	server_conf_listen(c->conf, &c->api.listens);
	return http_start(&options, &c->http, err);
}

static int
start_listening(struct child *c, struct err *err)
{
	struct listen_list direct, fronted;
	struct front_tls *tls = NULL;
	int result = http_trust_use(c->conf, c->trust, c->access, &tls, err);

	server_conf_split(c->conf, &direct, &fronted);
	if (result == 0 && fronted.n > 0)
		result = make_front(c, &fronted, tls, err);
	if (result == 0)
		result = start_http(c, &direct, err);
	if (result == 0 && c->front)
		result = front_start(c->front, http_front_port(c->http), err);
	return result;
}

static bool
is_address_error(int result)
{
	return result == -EADDRINUSE || result == -EADDRNOTAVAIL || result == -EACCES;
}

/* What lockout.c compiles needs no names: to look them up may take calls that the
 * filter does not let pass. A rule with a name is not judged. */
static int
no_service(const char *name, const char *proto, uint16_t *ret_port)
{
	(void)name;
	(void)proto;
	(void)ret_port;
	return -ENOENT;
}

static int
no_protocol(const char *name, uint8_t *ret_proto)
{
	(void)name;
	(void)ret_proto;
	return -ENOENT;
}

static const struct names_source no_names = { no_service, no_protocol };

/* Everything up to "ready"; fills @c. */
static int
start(struct child *c, uid_t uid, gid_t gid, struct err *err)
{
	unsigned threads = c->conf->threads;
	int result;

	names_set_source(&no_names);
	c->packet = malloc(PACKET_SIZE);
	c->tracker = tracker_new(
		threads > 2 * SPARE_THREADS ? threads - SPARE_THREADS : threads);
	c->access = access_new();
	if (!c->packet || !c->tracker || !c->access)
		return err_set(err, -ENOMEM, "out of memory");
	http_confine_prepare(c->conf);
	result = watch(c, err);
	if (result == 0)
		result = http_confine(c->conf, uid, gid, err);
	if (result == 0)
		result = open_store(c, err);
	if (result == 0) {
		result = start_listening(c, err);
		if (is_address_error(result))
			c->result = HTTP_CHILD_ADDRESS;
	}
	if (result < 0)
		return result;
	result = send_message(c, CHANNEL_HELLO, 0);
	if (result < 0)
		return err_sys(err, result, "cannot reach the committer");
	return 0;
}

/* Waits end first, then the requests that run; nobody else is told anything. */
static void
drain(struct child *c)
{
	tracker_close(c->tracker);
	http_drain(c->http, STOP_GRACE_S);
}

static void
child_free(struct child *c)
{
	front_free(c->front);
	front_peers_free(c->peers);
	access_free(c->access);
	acl_store_free(c->store);
	tracker_free(c->tracker);
	loop_free(c->loop);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	close(c->channel_fd);
	pthread_mutex_destroy(&c->lock);
	free(c->packet);
	free(c);
}

static void
log_listening(const struct listen_list *list)
{
	char url[LISTEN_TEXT_SIZE];

	for (unsigned i = 0; i < list->n; i++) {
		listen_addr_format(&list->items[i], url);
		log_notice("HTTP server: listening on %s/acl/", url);
	}
}

/* Serve until something ends the loop; 0 or negative errno. */
static int
serve(struct child *c, struct err *err)
{
	int result;

	log_listening(http_listen(c->http));
	if (c->front)
		log_listening(front_listen(c->front));
	/* Only where this process is a service of its own: else nobody listens. */
	sdnotify_send("READY=1\nSTATUS=serving");
	c->watchdog = sdnotify_watchdog_ms() > 0;
	loop_timer_in(c->check_timer, CHECK_MS);
	result = loop_run(c->loop);
	drain(c);
	return result < 0 ? err_sys(err, result, "waiting failed") : 0;
}

int
http_child_run(const struct server_conf *conf, const struct trust *trust,
	int channel_fd, uid_t uid, gid_t gid)
{
	struct child *c = child_new(conf, trust, channel_fd);
	enum http_child_exit status;
	struct err err;
	int result;

	if (!c) {
		log_error("HTTP server: out of memory");
		close(channel_fd);
		return HTTP_CHILD_FAILED;
	}
	ignore_signals();
	umask(022); /* the files are read by others, whatever we were started with */
	result = start(c, uid, gid, &err);
	if (result == 0)
		result = serve(c, &err);
	if (result < 0)
		log_error("HTTP server: %s", err.text);
	if (result < 0 && c->result == HTTP_CHILD_OK)
		c->result = HTTP_CHILD_FAILED;
	status = c->result;
	/* Once requests were served, their threads go on until the process ends. */
	if (!c->http)
		child_free(c);
	return (int)status;
}
