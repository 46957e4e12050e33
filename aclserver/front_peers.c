/*
 * front_peers.c - see front_peers.h. A table in which the place follows from the
 * source's address, so that a look-up is one step.
 *
 * Sources are drawn, and by us: whoever knew the next one could connect from it first,
 * send a request and reset the connection. If no thread had taken that up when a client
 * got the source, the client's name would stand under the stranger's request.
 */
#include "aclserver/front_peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

enum {
	SOURCE_FIRST = 0x000100, /* 127.0.0.x is everybody's */
	SOURCE_LAST = 0xfffffe,
	PORT_FIRST = 32768, /* as the kernel does without us: no service wants them */
	PORT_LAST = 60999,
	DRAWS = 64, /* each finds a free place with a chance of a half, or better */
};

struct slot {
	const struct front_peer *peer; /* borrowed; NULL = free */
	uint32_t source;               /* lower 24 bits of the address */
	uint16_t port;
};

struct front_peers {
	pthread_mutex_t lock; /* guards all below */
	uint32_t mask;        /* number of slots - 1 */
	uint32_t max;         /* clients: at most half of the slots */
	uint32_t n;           /* clients */
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
	peers->max = max;
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

static int
draw(uint32_t *ret_source, uint16_t *ret_port)
{
	uint32_t random[2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	*ret_source = SOURCE_FIRST + random[0] % (SOURCE_LAST - SOURCE_FIRST + 1);
	*ret_port = (uint16_t)(PORT_FIRST + random[1] % (PORT_LAST - PORT_FIRST + 1));
	return 0;
}

static int
bind_source(int fd, uint32_t source, uint16_t port)
{
	const struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(127u << 24 | source) };

	return bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
}

/* With the lock held. A port that is taken, by whomever, does not lead to another one
 * of the same address: who holds all but one would know that one. */
static int
bind_any(const struct front_peers *peers, int fd, uint32_t *ret_source,
	uint16_t *ret_port)
{
	int result = -EMFILE;

	for (int i = 0; i < DRAWS && peers->n < peers->max; i++) {
		int drawn = draw(ret_source, ret_port);

		if (drawn < 0)
			return drawn;
		if (peers->slots[*ret_source & peers->mask].peer)
			continue;
		result = bind_source(fd, *ret_source, *ret_port);
		if (result != -EADDRINUSE)
			break;
	}
	return result;
}

int
front_peers_add(
	struct front_peers *peers, int fd, const struct front_peer *peer, uint32_t *ret)
{
	uint32_t source = 0;
	uint16_t port = 0;
	int result;

	pthread_mutex_lock(&peers->lock);
	result = bind_any(peers, fd, &source, &port);
	if (result == 0) {
		peers->slots[source & peers->mask] =
			(struct slot){ peer, source, port };
		peers->n++;
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
	peers->n--;
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
