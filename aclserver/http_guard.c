/*
 * http_guard.c - see http_guard.h.
 *
 * A transfer in the list has its socket open, because the thread that serves it must
 * take the lock to leave the list. So the descriptor that is found while the lock is
 * held cannot have become another connection's.
 */
#include "aclserver/http_guard.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/parse.h"

struct http_guard {
	pthread_mutex_t lock;       /* guards the list and what is in it */
	struct http_transfer *head; /* borrowed from those who began them */
};

struct http_guard *
http_guard_new(void)
{
	struct http_guard *guard = calloc(1, sizeof(*guard));

	if (guard)
		pthread_mutex_init(&guard->lock, NULL);
	return guard;
}

void
http_guard_free(struct http_guard *guard)
{
	if (!guard)
		return;
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

void
http_guard_begin(struct http_guard *guard, struct http_transfer *t)
{
	pthread_mutex_lock(&guard->lock);
	t->next = guard->head;
	guard->head = t;
	pthread_mutex_unlock(&guard->lock);
}

void
http_guard_end(struct http_guard *guard, struct http_transfer *t)
{
	struct http_transfer **p = &guard->head;

	pthread_mutex_lock(&guard->lock);
	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	pthread_mutex_unlock(&guard->lock);
}

/* True if the other end of @fd is the client of @t. */
static bool
is_peer(int fd, const struct http_transfer *t)
{
	struct sockaddr_in peer = { .sin_family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	struct in_addr addr;

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	       peer.sin_family == AF_INET && ntohs(peer.sin_port) == t->port &&
	       inet_pton(AF_INET, t->address, &addr) == 1 &&
	       addr.s_addr == peer.sin_addr.s_addr;
}

/* Its thread then sees the end of the connection. */
static void
shut_down(const struct http_transfer *t)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	uint32_t fd;

	while (dir && (entry = readdir(dir)))
		if (parse_u32(entry->d_name, 0, INT32_MAX, &fd) == 0 &&
			is_peer((int)fd, t))
			(void)shutdown((int)fd,
				t->reads ? SHUT_RD
					 : SHUT_RDWR); /* may be closed by then */
	if (dir)
		closedir(dir);
}

unsigned
http_guard_check(struct http_guard *guard, struct mono now)
{
	unsigned n = 0;

	pthread_mutex_lock(&guard->lock);
	for (struct http_transfer *t = guard->head; t; t = t->next) {
		if (!mono_before(t->deadline, now))
			continue;
		shut_down(t);
		n++;
	}
	pthread_mutex_unlock(&guard->lock);
	return n;
}
