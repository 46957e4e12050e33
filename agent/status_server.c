/*
 * status_server.c - see status_server.h.
 */
#include "agent/status_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/priv.h"

enum {
	DIR_MODE = 0755,
	LOCK_MODE = 0600, /* who can open it can lock it, and keep the agent away */
	SOCKET_MODE = 0660,
	BACKLOG = 8,
	PAUSE_MS = 1000, /* after a connection that could not be taken */
};

struct client {
	struct status_server *server; /* NULL: this place is free */
	int fd;
	struct loop_source *source, *timer;
	char *text; /* owned */
	size_t len, sent;
};

struct status_server {
	struct loop *loop;
	struct loop_source *source, *pause;
	status_server_fn fn;
	void *user_data;
	struct sockaddr_un address;
	int fd;      /* listens */
	int lock_fd; /* held for the server's life */
	struct client clients[STATUS_SERVER_CLIENTS_MAX];
};

int
status_server_path(const char *run_dir, char *ret, size_t size, struct err *err)
{
	int n = snprintf(ret, size, "%s/agent.sock", run_dir);

	if (n < 0 || (size_t)n >= size)
		return err_set(err, -ENAMETOOLONG,
			"%s: too long for the path of a socket", run_dir);
	return 0;
}

static void
hang_up(struct client *c)
{
	if (!c->server)
		return;
	loop_remove(c->source);
	loop_remove(c->timer);
	close(c->fd);
	free(c->text);
	memset(c, 0, sizeof(*c));
}

static void
on_writable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct client *c = user_data;
	ssize_t n = send(fd, c->text + c->sent, c->len - c->sent, MSG_NOSIGNAL);

	(void)loop, (void)events;
	if (n > 0)
		c->sent += (size_t)n;
	if (c->sent == c->len || (n < 0 && errno != EAGAIN && errno != EINTR))
		hang_up(c);
}

static void
on_too_slow(struct loop *loop, void *user_data)
{
	(void)loop;
	hang_up(user_data);
}

static struct client *
find_free(struct status_server *server)
{
	for (size_t i = 0; i < STATUS_SERVER_CLIENTS_MAX; i++)
		if (!server->clients[i].server)
			return &server->clients[i];
	return NULL;
}

static void
serve(struct status_server *server, struct client *c, int fd)
{
	struct loop *loop = server->loop;

	c->server = server;
	c->fd = fd;
	c->text = server->fn(server->user_data);
	c->len = c->text ? strlen(c->text) : 0;
	c->source = loop_add_fd(loop, fd, LOOP_WRITE, on_writable, c);
	c->timer = loop_add_timer(loop, on_too_slow, c);
	if (!c->text || !c->source || !c->timer)
		hang_up(c);
	else
		loop_timer_in(c->timer, STATUS_SERVER_CLIENT_MS);
}

static void
on_connection(struct loop *loop, int listen_fd, unsigned events, void *user_data)
{
	struct status_server *server = user_data;
	struct client *c = find_free(server);
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)loop, (void)events;
	if (fd >= 0 && c) {
		serve(server, c, fd);
	} else if (fd >= 0) {
		close(fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		/* Without descriptors it would be offered again and again. */
		(void)loop_set_events(server->source, 0);
		loop_timer_in(server->pause, PAUSE_MS);
	}
}

static void
on_pause_over(struct loop *loop, void *user_data)
{
	struct status_server *server = user_data;

	(void)loop;
	if (loop_set_events(server->source, LOOP_READ) < 0)
		loop_timer_in(server->pause, PAUSE_MS);
}

/* As the owner of the directory: what root makes there the agent has to be able to
 * open. */
static int
open_lock(const char *run_dir, const char *path)
{
	int r = priv_files_as_owner(run_dir);
	int fd = -1;

	if (r == 0) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
		r = fd < 0 ? -errno : 0;
	}
	priv_files_as_self();
	return r < 0 ? r : fd;
}

int
status_server_lock(const char *run_dir, int *ret_fd, struct err *err)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int n = snprintf(path, sizeof(path), "%s/agent.lock", run_dir);
	AUTO_CLOSE int fd = -1;

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(err, -ENAMETOOLONG, "%s: too long", run_dir);
	if (mkdir(run_dir, DIR_MODE) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "%s: cannot make the directory", run_dir);
	fd = open_lock(run_dir, path);
	if (fd < 0)
		return err_sys(err, fd, "%s: cannot open", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = take_fd(&fd);
		return 0;
	}
	if (errno == EWOULDBLOCK)
		return err_set(err, -EBUSY, "%s: another agent is running", path);
	return err_sys(err, -errno, "%s: cannot lock", path);
}

/* The lock is ours, so a socket that is there already is left from a crash. */
static int
open_socket(struct status_server *server, uid_t uid, gid_t gid, struct err *err)
{
	const char *path = server->address.sun_path;
	const struct sockaddr *sa = (const struct sockaddr *)&server->address;

	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->fd < 0)
		return err_sys(err, -errno, "status socket");
	(void)unlink(path); /* bind() says so if it is still there */
	if (bind(server->fd, sa, sizeof(server->address)) < 0)
		return err_sys(err, -errno, "%s: cannot bind", path);
	/* Nobody can connect before listen(): the mode holds from the start. */
	if (chmod(path, SOCKET_MODE) < 0)
		return err_sys(err, -errno, "%s: cannot set the mode", path);
	if ((uid != geteuid() || gid != getegid()) && chown(path, uid, gid) < 0)
		return err_sys(err, -errno, "%s: cannot change the owner", path);
	if (listen(server->fd, BACKLOG) < 0)
		return err_sys(err, -errno, "%s: cannot listen", path);
	return 0;
}

struct status_server *
status_server_open(const char *run_dir, uid_t uid, gid_t gid, struct err *err)
{
	struct status_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	server->fd = server->lock_fd = -1;
	server->address.sun_family = AF_UNIX;
	r = status_server_path(run_dir, server->address.sun_path,
		sizeof(server->address.sun_path), err);
	if (r == 0)
		r = status_server_lock(run_dir, &server->lock_fd, err);
	if (r == 0)
		r = open_socket(server, uid, gid, err);
	if (r == 0)
		return server;
	status_server_close(server);
	return NULL;
}

int
status_server_start(struct status_server *server, struct loop *loop,
	status_server_fn fn, void *user_data)
{
	server->loop = loop;
	server->fn = fn;
	server->user_data = user_data;
	server->pause = loop_add_timer(loop, on_pause_over, server);
	if (!server->pause)
		return -errno;
	server->source =
		loop_add_fd(loop, server->fd, LOOP_READ, on_connection, server);
	return server->source ? 0 : -errno;
}

void
status_server_close(struct status_server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < STATUS_SERVER_CLIENTS_MAX; i++)
		hang_up(&server->clients[i]);
	loop_remove(server->source);
	loop_remove(server->pause);
	if (server->fd >= 0) {
		close(server->fd);
		/* Fails where the directory is not ours any more; the next start
		 * removes it then. */
		(void)unlink(server->address.sun_path);
	}
	cleanup_close(&server->lock_fd);
	free(server);
}
