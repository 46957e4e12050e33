/*
 * http_service.c - fork, exec and supervise the worker; see http_service.h.
 */
#include "aclserver/http_service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/sdnotify.h"

enum {
	RESTART_FIRST_MS = 100,
	RESTART_MOST_MS = 5000,
	WORKED_MS = 1000, /* a worker that lived for so long did its task */
};

struct service {
	const char *socket;
	struct loop *loop;
	struct loop_source *restart_timer;
	struct loop_source *on_pidfd; /* NULL while no worker runs */
	pid_t pid;
	int pidfd;
	struct mono started;
	int64_t restart_ms; /* next delay */
	bool worked;        /* some worker did */
	bool stopping;
};

/* Runs between fork and exec. */
static _Noreturn void
exec_worker(const char *socket, pid_t parent)
{
	AUTO_FREE char *option = NULL;
	char *argv[] = { (char *)"tapgate-aclserver", NULL, NULL };
	sigset_t none;

	/* If the parent died before this call, its end would go unnoticed. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent ||
		asprintf(&option, "%s=%s", HTTP_SERVICE_OPTION, socket) < 0)
		_exit(1);
	argv[1] = option;
	/* The worker feeds the watchdog: it is what has to be alive. */
	unsetenv("WATCHDOG_PID");
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static void on_worker_ended(
	struct loop *loop, int fd, unsigned events, void *user_data);

static int
start_worker(struct service *s)
{
	pid_t parent = getpid();

	s->started = mono_now();
	s->pid = fork();
	if (s->pid < 0)
		return -errno;
	if (s->pid == 0)
		exec_worker(s->socket, parent);
	s->pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	if (s->pidfd < 0)
		return -errno;
	(void)fcntl(s->pidfd, F_SETFD, FD_CLOEXEC);
	s->on_pidfd = loop_add_fd(s->loop, s->pidfd, LOOP_READ, on_worker_ended, s);
	return s->on_pidfd ? 0 : -errno;
}

/* Not so fast, if it does not work. */
static void
plan_restart(struct service *s)
{
	if (mono_diff_ms(s->started, mono_now()) >= WORKED_MS)
		s->restart_ms = RESTART_FIRST_MS;
	loop_timer_in(s->restart_timer, s->restart_ms);
	s->restart_ms *= 2;
	if (s->restart_ms > RESTART_MOST_MS)
		s->restart_ms = RESTART_MOST_MS;
}

static void
log_end(int status)
{
	if (WIFSIGNALED(status))
		log_error("HTTP process was killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_error("HTTP process ended with status %d", WEXITSTATUS(status));
}

static void
on_worker_ended(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct service *s = user_data;
	int status = 0;

	(void)fd, (void)events;
	if (waitpid(s->pid, &status, WNOHANG) != s->pid)
		return;
	loop_remove(s->on_pidfd);
	s->on_pidfd = NULL;
	close(s->pidfd);
	s->pidfd = -1;
	s->pid = 0;
	s->worked = s->worked || status == 0 || WIFSIGNALED(status) ||
		    mono_diff_ms(s->started, mono_now()) >= WORKED_MS;
	if (!s->stopping)
		log_end(status);
	if (s->stopping)
		loop_stop(loop, 0);
	else if (!s->worked)
		loop_stop(loop, -EIO); /* let the caller see why */
	else
		plan_restart(s);
}

static void
on_restart_timer(struct loop *loop, void *user_data)
{
	struct service *s = user_data;
	int r;

	(void)loop;
	if (s->stopping)
		return;
	/* While there is no worker to do it. */
	sdnotify_send("WATCHDOG=1");
	r = start_worker(s);
	if (r < 0)
		loop_stop(s->loop, r);
}

static void
on_stop_signal(struct loop *loop, int signo, void *user_data)
{
	struct service *s = user_data;

	(void)signo;
	if (s->stopping)
		return;
	sdnotify_send("STOPPING=1");
	s->stopping = true;
	if (s->pid > 0)
		kill(s->pid, SIGTERM);
	else
		loop_stop(loop, 0);
}

static void
on_reload_signal(struct loop *loop, int signo, void *user_data)
{
	/* The committer reads the configuration, and ends the worker if it changed. */
	(void)loop, (void)signo, (void)user_data;
}

static int
start(struct service *s)
{
	s->loop = loop_new();
	if (!s->loop)
		return -errno;
	s->restart_timer = loop_add_timer(s->loop, on_restart_timer, s);
	if (!s->restart_timer ||
		!loop_add_signal(s->loop, SIGTERM, on_stop_signal, s) ||
		!loop_add_signal(s->loop, SIGINT, on_stop_signal, s) ||
		!loop_add_signal(s->loop, SIGHUP, on_reload_signal, s))
		return -errno;
	return start_worker(s);
}

int
http_service_run(const char *socket, struct err *err)
{
	struct service s = {
		.socket = socket, .pidfd = -1, .restart_ms = RESTART_FIRST_MS
	};
	int r;

	/* The worker is the same user, but has a filter for system calls, out of which
	 * our memory would lead. The worker itself becomes dumpable again by exec. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, -errno, "HTTP process: cannot hide its memory");
	r = start(&s);
	if (r == 0)
		r = loop_run(s.loop);
	if (s.pid > 0) {
		kill(s.pid, SIGKILL);
		(void)waitpid(s.pid, NULL, 0);
	}
	loop_free(s.loop);
	if (s.pidfd >= 0)
		close(s.pidfd);
	return r < 0 ? err_sys(err, r, "HTTP process: cannot keep it running") : 0;
}
