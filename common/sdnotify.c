/*
 * sdnotify.c - the notification protocol of sd_notify(3): one datagram per message to
 * the unix socket that NOTIFY_SOCKET names.
 */
#include "common/sdnotify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/mono.h"
#include "common/parse.h"

/* '/' starts a path, '@' an abstract name, which has a NUL in its place. */
static int
build_address(const char *path, struct sockaddr_un *addr, socklen_t *ret_len)
{
	size_t len = strlen(path);

	if (path[0] != '/' && path[0] != '@')
		return -EAFNOSUPPORT;
	if (len < 2 || len >= sizeof(addr->sun_path))
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	memcpy(addr->sun_path, path, len);
	if (path[0] == '@')
		addr->sun_path[0] = '\0';
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return 0;
}

int
sdnotify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr;
	socklen_t addr_len;
	AUTO_CLOSE int fd = -1;
	int result;

	if (!path || !*path)
		return 0;
	result = build_address(path, &addr, &addr_len);
	if (result < 0)
		return result;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr,
		    addr_len) < 0)
		return -errno;
	return 0;
}

int
sdnotify_reloading(void)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		mono_now().ns / 1000);
	return sdnotify_send(state);
}

int64_t
sdnotify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t value;

	/* With WATCHDOG_PID set, the watchdog is meant for that process only. */
	if (pid && (parse_u64(pid, 1, INT32_MAX, &value) < 0 ||
			   value != (uint64_t)getpid()))
		return 0;
	if (!usec || parse_u64(usec, 1, INT64_MAX, &value) < 0)
		return 0;
	value /= 2000;
	return value ? (int64_t)value : 1;
}
