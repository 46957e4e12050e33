/*
 * instance.c - a socket with an abstract address: the kernel keeps those apart by
 * network namespace, as it does our tables; see instance.h.
 */
#include "aclserver/instance.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

int
instance_take(const char *name, int *ret_fd, struct err *err)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int len;

	if (fd < 0)
		return err_sys(err, -errno, "%s: socket", name);
	/* The leading NUL makes it abstract. */
	len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name);
	if (bind(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				(size_t)len)) < 0) {
		if (errno == EADDRINUSE)
			return err_set(err, -EEXIST,
				"another %s runs in this network namespace", name);
		return err_sys(err, -errno, "%s: bind", name);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}
