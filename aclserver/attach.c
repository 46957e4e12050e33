/*
 * attach.c - the socket between two services; see attach.h.
 */
#include "aclserver/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/ratelimit.h"

enum {
	BACKLOG = 4,
	GREETING_LIMIT_S = 60,
	LOG_PER_S = 1, /* strangers, whom nobody keeps from coming again */
	LOG_BURST = 5,
};

/* Whoever opens the wrong socket gets no descriptor with this text. */
static const char greeting[] = "tapgate configuration";

struct attach {
	struct attach_spec spec; /* without run_dir */
	char *path;
	int fd;
	struct loop_source *source;
	struct ratelimit log_limit;
};

void
attach_close(struct attach *attach)
{
	if (!attach)
		return;
	loop_remove(attach->source);
	if (attach->fd >= 0) {
		close(attach->fd);
		unlink(attach->path);
	}
	free(attach->path);
	free(attach);
}

static void
log_stranger(struct attach *attach, const struct ucred *who)
{
	uint64_t n;

	if (!ratelimit_pass(&attach->log_limit, mono_now()))
		return;
	n = ratelimit_take_refused(&attach->log_limit);
	log_warning("%s: process %d of user %u is not the HTTP process; turned away",
		attach->path, (int)who->pid, (unsigned)who->uid);
	if (n > 0)
		log_warning("%s: %llu more were turned away", attach->path,
			(unsigned long long)n);
}

static void
on_connection(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct attach *attach = user_data;
	AUTO_CLOSE int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	(void)loop, (void)events;
	if (peer < 0)
		return; /* it went away again */
	if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
		who.uid != attach->spec.uid) {
		log_stranger(attach, &who);
		return;
	}
	attach->spec.connected(take_fd(&peer), attach->spec.user_data);
}

static int
to_address(const char *path, struct sockaddr_un *ret, struct err *err)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret->sun_path))
		return err_set(err, -ENAMETOOLONG, "%s: too long for a socket", path);
	memcpy(ret->sun_path, path, strlen(path));
	return 0;
}

/* Anybody may connect, as a socket's permissions are worth nothing on some systems and
 * its group cannot be set without being in it: the kernel says who it is. */
static int
attach_listen(struct attach *attach, struct err *err)
{
	struct sockaddr_un address;
	int r = to_address(attach->path, &address, err);

	if (r < 0)
		return r;
	if (unlink(attach->path) < 0 && errno != ENOENT)
		return err_sys(
			err, -errno, "%s: cannot remove the old socket", attach->path);
	attach->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (attach->fd < 0 ||
		bind(attach->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		chmod(attach->path, 0666) < 0 || listen(attach->fd, BACKLOG) < 0)
		return err_sys(err, -errno, "%s: cannot listen", attach->path);
	return 0;
}

static int
attach_init(struct attach *attach, struct loop *loop, const struct attach_spec *spec,
	struct err *err)
{
	int r;

	attach->spec = *spec;
	attach->spec.run_dir = NULL;
	ratelimit_init(&attach->log_limit, LOG_PER_S, LOG_BURST, mono_now());
	if (asprintf(&attach->path, "%s/%s", spec->run_dir, ATTACH_SOCKET) < 0) {
		attach->path = NULL;
		return err_set(err, -ENOMEM, "%s: out of memory", spec->run_dir);
	}
	if (mkdir(spec->run_dir, 0755) < 0 && errno != EEXIST)
		return err_sys(
			err, -errno, "%s: cannot make the directory", spec->run_dir);
	r = attach_listen(attach, err);
	if (r < 0)
		return r;
	attach->source =
		loop_add_fd(loop, attach->fd, LOOP_READ, on_connection, attach);
	return attach->source ? 0 : err_sys(err, -errno, "%s", attach->path);
}

struct attach *
attach_open(struct loop *loop, const struct attach_spec *spec, struct err *err)
{
	struct attach *attach = calloc(1, sizeof(*attach));

	if (!attach) {
		err_set(err, -ENOMEM, "%s: out of memory", spec->run_dir);
		return NULL;
	}
	attach->fd = -1;
	if (attach_init(attach, loop, spec, err) == 0)
		return attach;
	attach_close(attach);
	return NULL;
}

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int
attach_send_fd(int fd, const void *buf, size_t len, int passed_fd)
{
	union control control = { .space = { 0 } };
	struct iovec text = { (void *)buf, len };
	struct msghdr msg = { .msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(passed_fd));
	memcpy(CMSG_DATA(c), &passed_fd, sizeof(passed_fd));
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int
attach_greet(int fd, int conf_fd)
{
	return attach_send_fd(fd, greeting, sizeof(greeting), conf_fd);
}

static int
receive_greeting(int fd, int *ret_conf_fd)
{
	char buf[sizeof(greeting)];
	union control control;
	struct iovec text = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	const struct cmsghdr *c;
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (n == 0)
		return -ECONNRESET;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EBADMSG;
	memcpy(ret_conf_fd, CMSG_DATA(c), sizeof(int));
	if (n == (ssize_t)sizeof(greeting) && memcmp(buf, greeting, (size_t)n) == 0)
		return 0;
	close(*ret_conf_fd);
	return -EBADMSG;
}

int
attach_connect(const char *path, int *ret_fd, int *ret_conf_fd, struct err *err)
{
	const struct timeval limit = { .tv_sec = GREETING_LIMIT_S };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int r = to_address(path, &address, err);

	if (r < 0)
		return r;
	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, -errno, "%s: cannot reach the committer", path);
	r = receive_greeting(fd, ret_conf_fd);
	if (r < 0)
		return err_sys(err, r, "%s: no greeting of the committer", path);
	*ret_fd = take_fd(&fd);
	return 0;
}
