/*
 * http_confine.c - see http_confine.h.
 */
#include "aclserver/http_confine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/log.h"
#include "common/priv.h"

/* All that a process needs that reads requests, writes files and holds locks. */
static const char *const allowed_calls[] = {
	/* memory and threads */
	"brk", "mmap", "munmap", "mremap", "madvise", "mprotect", "clone", "clone3",
	"futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "exit",
	"exit_group", "gettid", "getpid", "getppid", "prctl", "restart_syscall",
	/* signals and time */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill",
	"clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday", "getrandom",
	/* files */
	"openat", "close", "read", "write", "pread64", "writev", "lseek", "fcntl",
	"fstat", "newfstatat", "statx", "getdents64", "fsync", "syncfs", "renameat",
	"renameat2", "unlinkat",
	/* sockets and the loop */
	"socket", "bind", "listen", "accept", "accept4", "getsockname", "getpeername",
	"getsockopt", "setsockopt", "shutdown", "recvfrom", "recvmsg", "sendto",
	"sendmsg", "poll", "ppoll", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime",
	/* who am I, for the libraries */
	"uname", "getuid", "geteuid", "getgid", "getegid", "sysinfo", "prlimit64",
	"getrusage",
	/* the same where registers have 32 bits */
	"mmap2", "_llseek", "fcntl64", "fstat64", "fstatat64", "ugetrlimit", "getuid32",
	"geteuid32", "getgid32", "getegid32", "send", "recv", "sigreturn",
	"clock_gettime64", "clock_nanosleep_time64", "futex_time64", "ppoll_time64",
	"timerfd_settime64", "pselect6_time64", "cacheflush", "set_tls", NULL
};

enum { N_ALLOWED = sizeof(allowed_calls) / sizeof(allowed_calls[0]) };

static bool
needs_front(const struct server_conf *conf)
{
	struct listen_list direct, fronted;

	server_conf_split(conf, &direct, &fronted);
	return fronted.n > 0;
}

/* Only the front makes connections. */
static int
install_filter(const struct server_conf *conf, struct err *err)
{
	const char *names[N_ALLOWED + 1];

	memcpy(names, allowed_calls, sizeof(allowed_calls));
	if (needs_front(conf)) {
		names[N_ALLOWED - 1] = "connect";
		names[N_ALLOWED] = NULL;
	}
	return priv_seccomp_allow(names, err);
}

/* A client of the front takes a socket at each of three places. What the system does
 * not allow is missed only when so many come. */
void
http_confine_prepare(const struct server_conf *conf)
{
	const rlim_t need = 3 * (rlim_t)conf->connections + conf->threads + 64;
	struct rlimit limit;

	if (!needs_front(conf) || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		limit.rlim_cur >= need)
		return;
	limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < need)
		log_warning("%u connections take %llu descriptors; there are %llu",
			conf->connections, (unsigned long long)need,
			(unsigned long long)limit.rlim_cur);
}

/* Give up everything that is not needed, before the first byte of a client is read. */
int
http_confine(const struct server_conf *conf, uid_t uid, gid_t gid, struct err *err)
{
	int result = priv_drop(uid, gid, NULL, 0, err);

	if (result < 0)
		return result;
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
		return err_sys(err, -errno, "cannot ask for the parent's death");
	return install_filter(conf, err);
}
