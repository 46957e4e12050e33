/*
 * optics_helper.c - see optics_helper.h. The only file with fork() in the agent.
 */
#include "agent/optics_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/ethtool_msg.h"
#include "agent/module_read.h"
#include "common/log.h"
#include "common/nl.h"
#include "common/priv.h"

enum { ANSWER_BYTES = 4096, STDERR = 2 };

/* The child's own things. */
struct helper {
	int fd; /* to the parent */
	struct netlink *nl;
	uint16_t family;
};

/* One read on its way. */
struct piece {
	uint8_t *ret;
	size_t len;
	bool is_here;
};

static int
on_answer(const struct nlmsghdr *h, void *user_data)
{
	struct piece *piece = user_data;
	const uint8_t *data;
	size_t len;
	int rc = ethtool_eeprom_decode(h, &data, &len);

	if (rc < 0)
		return rc;
	if (len < piece->len)
		return -EBADMSG;
	memcpy(piece->ret, data, piece->len);
	piece->is_here = true;
	return 0;
}

/* What read_piece() reads of. */
struct target {
	const struct helper *helper;
	uint32_t ifindex;
};

static int
read_piece(void *user_data, const struct ethtool_eeprom_range *range, uint8_t *ret)
{
	_Alignas(4) uint8_t memory[128];
	const struct target *target = user_data;
	struct piece piece = { ret, range->len, false };
	struct nlbuild b;
	int rc;

	nlbuild_init(&b, memory, sizeof(memory));
	ethtool_build_eeprom(&b, target->helper->family, target->ifindex, range);
	rc = netlink_request(target->helper->nl, &b, on_answer, &piece, NULL);
	return rc == 0 && !piece.is_here ? -ENODATA : rc;
}

/* Questions and answers until the parent is gone. */
static int
serve(const struct helper *helper)
{
	struct target target = { .helper = helper };
	struct optics_message message;
	ssize_t len;

	for (;;) {
		len = recv(helper->fd, &message, sizeof(message), 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len != (ssize_t)sizeof(message))
			return len == 0 ? 0 : 1;
		target.ifindex = message.ifindex;
		message.error = module_read(&message.eeprom, read_piece, &target);
		if (send(helper->fd, &message, sizeof(message), MSG_NOSIGNAL) < 0)
			return 0;
	}
}

static int
confine(struct err *err)
{
	static const char *const calls[] = { "brk", "mmap", "munmap", "mremap",
		"madvise", "mprotect", "futex", "sched_yield", "exit", "exit_group",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
		"clock_gettime", "getpid", "gettid", "restart_syscall", "write",
		"close", "poll", "ppoll", "recv", "recvfrom", "recvmsg", "recvmmsg",
		"recvmmsg_time64", "send", "sendto", "sendmsg", NULL };
	const int keep[] = { CAP_NET_ADMIN };
	int rc = priv_drop(
		geteuid(), getegid(), keep, priv_has(CAP_NET_ADMIN) ? 1 : 0, err);

	return rc < 0 ? rc : priv_seccomp_allow(calls, err);
}

/* No descriptor of the parent's stays but @fd and standard error. */
static void
close_others(int fd)
{
	if (fd > STDERR + 1)
		(void)close_range(STDERR + 1, (unsigned)fd - 1, 0);
	(void)close_range((unsigned)fd + 1, ~0U, 0);
	(void)close(0);
	(void)close(1);
}

/* The child. Signals stay blocked as in the parent, who stops and reloads: the child
 * ends when the parent closes its end, or kills it. */
static int
run(int fd, pid_t parent)
{
	struct netlink_options o = {
		.protocol = NETLINK_GENERIC,
		.message_bytes = ANSWER_BYTES,
	};
	struct helper helper = { .fd = fd };
	struct err err;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return 1;
	(void)prctl(PR_SET_NAME, "tapgate-optics");
	close_others(fd);
	err_clear(&err);
	helper.nl = netlink_open(&o, &err);
	if (!helper.nl ||
		netlink_family(helper.nl, "ethtool", &helper.family, &err) < 0 ||
		confine(&err) < 0) {
		log_warning("reading of modules: %s", err.text);
		return 1;
	}
	return serve(&helper);
}

int
optics_helper_start(pid_t *ret_pid, int *ret_fd, struct err *err)
{
	pid_t parent = getpid(), pid;
	int fds[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, -errno, "reading of modules");
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 || (pid = fork()) < 0) {
		rc = err_sys(err, -errno, "reading of modules");
		close(fds[0]);
		close(fds[1]);
		return rc;
	}
	if (pid == 0)
		_exit(run(fds[1], parent));
	close(fds[1]);
	*ret_pid = pid;
	*ret_fd = fds[0];
	return 0;
}
