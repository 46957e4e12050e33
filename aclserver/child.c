/*
 * child.c - fork, exec and supervise the HTTP process; see child.h.
 */
#include "aclserver/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aclserver/attach.h"
#include "common/cleanup.h"
#include "common/log.h"

struct child {
	pid_t pid;   /* 0 once it was reaped, and if it is no child of ours */
	int pidfd;   /* readable when it ended; -1 if it is no child of ours */
	int channel; /* our end of the socketpair; non-blocking */
	struct loop_source *on_pidfd, *on_channel;
	struct child_events events;
};

/* Both ends hold a whole report, so that sending one never has to wait for a reader. */
enum { CHANNEL_SOCKET_BUFFER = 4 * CHANNEL_REPORT_MAX };

void
child_free(struct child *child)
{
	if (!child)
		return;
	loop_remove(child->on_pidfd);
	loop_remove(child->on_channel);
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		(void)waitpid(child->pid, NULL, 0);
	}
	if (child->pidfd >= 0)
		close(child->pidfd);
	if (child->channel >= 0)
		close(child->channel);
	free(child);
}

/* A file without a name that holds the configuration and can no longer change. */
static int
conf_to_fd(const struct child_spec *spec, int *ret_fd)
{
	AUTO_CLOSE int fd =
		memfd_create("aclserver.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (write(fd, spec->conf_text, spec->conf_len) != (ssize_t)spec->conf_len)
		return -ENOSPC;
	if (fcntl(fd, F_ADD_SEALS,
		    F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Runs between fork and exec. The descriptors are the only ones that survive it. */
static _Noreturn void
exec_http_process(
	int channel_fd, int conf_fd, const struct child_spec *spec, pid_t parent)
{
	char value[64];
	char *argv[] = { (char *)"tapgate-aclserver", (char *)CHILD_OPTION, value,
		NULL };
	sigset_t none;

	/* If the parent died before this call, its end would go unnoticed. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(1);
	/* Only the first process of a service speaks to systemd. */
	unsetenv("NOTIFY_SOCKET");
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fcntl(channel_fd, F_SETFD, 0);
	fcntl(conf_fd, F_SETFD, 0);
	snprintf(value, sizeof(value), "%d:%d:%u:%u", channel_fd, conf_fd,
		(unsigned)spec->uid, (unsigned)spec->gid);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static int
enlarge_buffer(int fd)
{
	const int size = CHANNEL_SOCKET_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		return -errno;
	return 0;
}

static int
spawn(struct child *child, const struct child_spec *spec, struct err *err)
{
	AUTO_CLOSE int conf_fd = -1;
	AUTO_CLOSE int theirs = -1;
	pid_t parent = getpid();
	int pair[2];
	int r;

	r = conf_to_fd(spec, &conf_fd);
	if (r < 0)
		return err_sys(
			err, r, "HTTP process: cannot hand over the configuration");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, -errno, "HTTP process: socketpair");
	child->channel = pair[0];
	theirs = pair[1];
	if (fcntl(child->channel, F_SETFL, O_NONBLOCK) < 0 ||
		enlarge_buffer(child->channel) < 0)
		return err_sys(err, -errno, "HTTP process: socketpair");
	child->pid = fork();
	if (child->pid < 0)
		return err_sys(err, -errno, "HTTP process: fork");
	if (child->pid == 0)
		exec_http_process(theirs, conf_fd, spec, parent);
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd < 0)
		return err_sys(err, -errno, "HTTP process: pidfd");
	fcntl(child->pidfd, F_SETFD, FD_CLOEXEC);
	return 0;
}

/* A child that says what is no message may have been taken over: it is ended. */
static void
bad_message(struct child *child, const struct err *err)
{
	if (child->pid > 0) {
		log_error("HTTP process %d: %s; ending it", (int)child->pid, err->text);
		kill(child->pid, SIGKILL);
		loop_remove(child->on_channel);
		child->on_channel = NULL;
		return;
	}
	/* A user without privilege cannot kill it: it is heard no more. */
	log_error("HTTP process: %s; closing its channel", err->text);
	(void)shutdown(child->channel, SHUT_RDWR);
}

void
child_receive(struct child *child)
{
	uint8_t buf[CHANNEL_HEADER_SIZE +
		    1]; /* one more, to see an over-long message */
	struct channel_msg msg;
	struct err err;
	ssize_t n;

	while ((n = recv(child->channel, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		if (channel_decode(buf, (size_t)n, true, &msg, &err) < 0) {
			bad_message(child, &err);
			return;
		}
		child->events.message(&msg, child->events.user_data);
	}
	/* The end of the stream comes just before the end of a child. For others it is
	 * their end, which is told by the loop: callers do not expect it here. */
	if (n == 0 && child->pidfd >= 0) {
		loop_remove(child->on_channel);
		child->on_channel = NULL;
	}
}

static void
on_channel(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct child *child = user_data;
	char byte;

	(void)loop, (void)events;
	child_receive(child);
	if (child->pidfd < 0 && recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
		child->events.ended(0, child->events.user_data);
}

static void
on_pidfd(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct child *child = user_data;
	int status = 0;

	(void)loop, (void)fd, (void)events;
	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->pid = 0;
	loop_remove(child->on_pidfd);
	child->on_pidfd = NULL;
	child->events.ended(status, child->events.user_data);
}

struct child *
child_start(struct loop *loop, const struct child_spec *spec,
	const struct child_events *events, struct err *err)
{
	struct child *child = calloc(1, sizeof(*child));

	if (!child) {
		err_set(err, -ENOMEM, "HTTP process: out of memory");
		return NULL;
	}
	child->pidfd = child->channel = -1;
	child->events = *events;
	if (spawn(child, spec, err) == 0) {
		child->on_pidfd =
			loop_add_fd(loop, child->pidfd, LOOP_READ, on_pidfd, child);
		child->on_channel =
			loop_add_fd(loop, child->channel, LOOP_READ, on_channel, child);
		if (child->on_pidfd && child->on_channel)
			return child;
		err_sys(err, -errno, "HTTP process: cannot watch it");
	}
	child_free(child);
	return NULL;
}

static int
greet(struct child *child, const struct child_spec *spec, struct err *err)
{
	AUTO_CLOSE int conf_fd = -1;
	int r = conf_to_fd(spec, &conf_fd);

	if (r == 0)
		r = enlarge_buffer(child->channel);
	if (r == 0)
		r = attach_greet(child->channel, conf_fd);
	return r < 0 ? err_sys(err, r,
			       "HTTP process: cannot hand over the configuration")
		     : 0;
}

struct child *
child_adopt(struct loop *loop, int fd, const struct child_spec *spec,
	const struct child_events *events, struct err *err)
{
	struct child *child = calloc(1, sizeof(*child));

	if (!child) {
		close(fd);
		err_set(err, -ENOMEM, "HTTP process: out of memory");
		return NULL;
	}
	child->pidfd = -1;
	child->channel = fd;
	child->events = *events;
	if (greet(child, spec, err) == 0) {
		child->on_channel = loop_add_fd(loop, fd, LOOP_READ, on_channel, child);
		if (child->on_channel)
			return child;
		err_sys(err, -errno, "HTTP process: cannot watch it");
	}
	child_free(child);
	return NULL;
}

int
child_send(struct child *child, const struct channel_msg *msg)
{
	uint8_t header[CHANNEL_HEADER_SIZE];
	struct iovec parts[2] = {
		{ .iov_base = header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)msg->report, .iov_len = msg->report_len },
	};
	struct msghdr packet = { .msg_iov = parts, .msg_iovlen = msg->report ? 2 : 1 };

	channel_encode(msg, header);
	if (sendmsg(child->channel, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

int
child_send_trust(struct child *child, const struct child_spec *spec)
{
	const struct channel_msg msg = { .type = CHANNEL_CONF };
	AUTO_CLOSE int conf_fd = -1;
	uint8_t header[CHANNEL_HEADER_SIZE];
	int r = conf_to_fd(spec, &conf_fd);

	if (r < 0)
		return r;
	channel_encode(&msg, header);
	return attach_send_fd(child->channel, header, sizeof(header), conf_fd);
}

void
child_stop(struct child *child)
{
	if (child->pid > 0)
		kill(child->pid, SIGTERM);
	else if (child->pidfd < 0)
		(void)shutdown(child->channel, SHUT_WR); /* it may still report */
}
