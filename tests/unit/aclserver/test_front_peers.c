/*
 * test_front_peers.c - sources of the front's connections: who is found, and that
 * nobody can tell which comes next.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "aclserver/front_peers.h"

enum { N = 16 };

struct client {
	struct front_peer peer;
	int fd;
	uint32_t source; /* to remove it by */
	uint32_t number; /* its address */
	char address[INET_ADDRSTRLEN];
	uint16_t port;
};

static void
add(struct front_peers *peers, struct client *c)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	assert_int_equal(front_peers_add(peers, c->fd, &c->peer, &c->source), 0);
	assert_int_equal(getsockname(c->fd, (struct sockaddr *)&addr, &len), 0);
	c->number = ntohl(addr.sin_addr.s_addr);
	c->port = ntohs(addr.sin_port);
	assert_non_null(
		inet_ntop(AF_INET, &addr.sin_addr, c->address, sizeof(c->address)));
}

static void
setup_clients(struct front_peers **ret, struct client clients[N])
{
	memset(clients, 0, N * sizeof(*clients));
	*ret = front_peers_new(N);
	assert_non_null(*ret);
	for (int i = 0; i < N; i++) {
		clients[i].peer.port = (uint16_t)(1000 + i);
		add(*ret, &clients[i]);
	}
}

static void
done(struct front_peers *peers, struct client clients[N])
{
	for (int i = 0; i < N; i++)
		close(clients[i].fd);
	front_peers_free(peers);
}

static void
client_is_found_by_its_source_until_it_is_removed(void **state)
{
	struct client clients[N];
	struct front_peers *peers;
	struct front_peer found;

	(void)state;
	setup_clients(&peers, clients);
	for (int i = 0; i < N; i++) {
		const struct client *c = &clients[i];

		assert_true(front_peers_find(peers, c->address, c->port, &found));
		assert_int_equal(found.port, 1000 + i);
		front_peers_remove(peers, c->source);
		assert_false(front_peers_find(peers, c->address, c->port, &found));
	}
	done(peers, clients);
}

static void
other_port_of_a_clients_address_is_a_stranger(void **state)
{
	struct client clients[N];
	struct front_peers *peers;
	struct front_peer found;

	(void)state;
	setup_clients(&peers, clients);
	assert_false(front_peers_find(
		peers, clients[0].address, (uint16_t)(clients[0].port + 1), &found));
	assert_false(front_peers_find(peers, "::1", clients[0].port, &found));
	assert_false(front_peers_find(peers, "128.0.1.0", clients[0].port, &found));
	done(peers, clients);
}

/* Two servers that start alike, and neighbours of one. */
static void
next_source_cannot_be_told(void **state)
{
	struct client a[N], b[N];
	struct front_peers *peers_a, *peers_b;
	int same = 0, near = 0;

	(void)state;
	setup_clients(&peers_a, a);
	setup_clients(&peers_b, b);
	for (int i = 0; i < N; i++) {
		assert_int_equal(a[i].number >> 24, 127);
		assert_true(a[i].number > 0x7f0000ff);
		same += a[i].number == b[i].number;
		if (i > 0)
			near += a[i].number - a[i - 1].number + 4096 <= 8192;
	}
	assert_true(same < 2); /* by chance, one in a million times */
	assert_true(near < 4); /* one in 10^10 */
	done(peers_a, a);
	done(peers_b, b);
}

static void
more_clients_than_there_is_room_for_are_refused(void **state)
{
	struct client clients[N], more = { .fd = -1 };
	struct front_peers *peers;
	uint32_t source;

	(void)state;
	setup_clients(&peers, clients);
	more.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(more.fd >= 0);
	assert_int_equal(front_peers_add(peers, more.fd, &more.peer, &source), -EMFILE);
	close(more.fd);
	front_peers_remove(peers, clients[3].source);
	add(peers, &more);
	close(more.fd);
	done(peers, clients);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_is_found_by_its_source_until_it_is_removed),
		cmocka_unit_test(other_port_of_a_clients_address_is_a_stranger),
		cmocka_unit_test(next_source_cannot_be_told),
		cmocka_unit_test(more_clients_than_there_is_room_for_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
