/*
 * netns.c - sockets in another network namespace; names as `ip netns` keeps them.
 */
#include "agent/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"

bool
netns_name_valid(const char *name)
{
	size_t len = strnlen(name, NETNS_NAME_MAX + 1);

	if (len == 0 || len > NETNS_NAME_MAX)
		return false;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c == '/' || c < ' ' || c == 0x7f)
			return false;
	}
	return true;
}

static int
open_namespace(const char *name, struct err *err)
{
	char path[sizeof("/run/netns/") + NETNS_NAME_MAX];
	int fd;

	if (!netns_name_valid(name))
		return err_set(err, -EINVAL, "not a name of a network namespace");
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, -errno, "cannot open network namespace %s", path);
	return fd;
}

static int
open_socket(int family, int type, struct err *err)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	return fd >= 0 ? fd : err_sys(err, -errno, "cannot open a socket");
}

int
netns_socket(const char *name, int family, int type, struct err *err)
{
	AUTO_CLOSE int there = -1;
	AUTO_CLOSE int here = -1;
	int fd;

	if (name[0] == '\0')
		return open_socket(family, type, err);
	there = open_namespace(name, err);
	if (there < 0)
		return there;
	here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (here < 0)
		return err_sys(err, -errno, "cannot open our own network namespace");
	if (setns(there, CLONE_NEWNET) < 0)
		return err_sys(
			err, -errno, "cannot enter network namespace \"%s\"", name);
	fd = open_socket(family, type, err);
	/* We were there a moment ago and hold the same capabilities, so this cannot
	 * fail; were it to, nothing that the process does next would be right. */
	if (setns(here, CLONE_NEWNET) < 0)
		abort();
	return fd;
}
