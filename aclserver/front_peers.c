/*
 * front_peers.c - see front_peers.h. A table in which the place follows from the
 * source's address, so that a look-up is one step.
 */
#include "aclserver/front_peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	SOURCE_FIRST = 0x000100, /* 127.0.0.x is everybody's */
	SOURCE_LAST = 0xfffffe,
};

struct slot {
	const struct front_peer *peer; /* borrowed; NULL = free */
	uint32_t source;               /* lower 24 bits of the address */
	uint16_t port;
};

struct front_peers {
	pthread_mutex_t lock; /* guards all below */
	uint32_t next;        /* source to try next */
	uint32_t mask;        /* number of slots - 1 */
	uint32_t generation;
	struct slot *slots;
};

struct front_peers *
front_peers_new(uint32_t max)
{
	struct front_peers *peers = calloc(1, sizeof(*peers));
	uint32_t size = 16;

	while (size < 2 * max)
		size *= 2;
	if (!peers)
		return NULL;
	peers->slots = calloc(size, sizeof(*peers->slots));
	if (!peers->slots) {
		free(peers);
		return NULL;
	}
	peers->mask = size - 1;
	peers->next = SOURCE_FIRST;
	pthread_mutex_init(&peers->lock, NULL);
	return peers;
}

void
front_peers_free(struct front_peers *peers)
{
	if (!peers)
		return;
	pthread_mutex_destroy(&peers->lock);
	free(peers->slots);
	free(peers);
}

/* The next source whose slot is free, or 0. With the lock held. */
static uint32_t
next_source(struct front_peers *peers)
{
	for (uint32_t i = 0; i <= peers->mask; i++) {
		uint32_t source = peers->next;

		peers->next = source == SOURCE_LAST ? SOURCE_FIRST : source + 1;
		if (!peers->slots[source & peers->mask].peer)
			return source;
	}
	return 0;
}

/* Bind @fd to the source, any port; the port is the kernel's choice, and held by
 * nobody else. */
static int
bind_source(int fd, uint32_t source, uint16_t *ret_port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(127u << 24 | source) };
	socklen_t len = sizeof(addr);

	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		return -errno;
	*ret_port = ntohs(addr.sin_port);
	return 0;
}

int
front_peers_add(
	struct front_peers *peers, int fd, const struct front_peer *peer, uint32_t *ret)
{
	uint32_t source;
	uint16_t port = 0;
	int result = -EMFILE;

	pthread_mutex_lock(&peers->lock);
	source = next_source(peers);
	if (source)
		result = bind_source(fd, source, &port);
	if (result == 0) {
		peers->slots[source & peers->mask] =
			(struct slot){ peer, source, port };
		*ret = source;
	}
	pthread_mutex_unlock(&peers->lock);
	return result;
}

void
front_peers_renew(struct front_peers *peers)
{
	pthread_mutex_lock(&peers->lock);
	peers->generation++;
	pthread_mutex_unlock(&peers->lock);
}

uint32_t
front_peers_generation(struct front_peers *peers)
{
	uint32_t generation;

	pthread_mutex_lock(&peers->lock);
	generation = peers->generation;
	pthread_mutex_unlock(&peers->lock);
	return generation;
}

void
front_peers_remove(struct front_peers *peers, uint32_t source)
{
	pthread_mutex_lock(&peers->lock);
	peers->slots[source & peers->mask] = (struct slot){ 0 };
	pthread_mutex_unlock(&peers->lock);
}

bool
front_peers_find(struct front_peers *peers, const char *address, uint16_t port,
	struct front_peer *ret)
{
	const struct slot *slot;
	struct in_addr addr;
	uint32_t number;
	bool found;

	if (inet_pton(AF_INET, address, &addr) != 1)
		return false;
	number = ntohl(addr.s_addr);
	if (number >> 24 != 127)
		return false;
	number &= 0xffffff;
	pthread_mutex_lock(&peers->lock);
	slot = &peers->slots[number & peers->mask];
	found = slot->peer && slot->source == number && slot->port == port;
	if (found)
		*ret = *slot->peer;
	pthread_mutex_unlock(&peers->lock);
	return found;
}
