/* test_trust.c - files that the configuration names: read, checked, handed on, and
 * found again; and the table of who is behind a connection of the front. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aclserver/front_peers.h"
#include "aclserver/trust.h"
#include "common/cleanup.h"

#define CONF       "threads = 9\n"
#define GOOD_LINE  "noc read cert:noc.example\n"
#define WRONG_LINE "noc all cert:noc.example\n"

struct fixture {
	char path[64]; /* of the tokens */
	struct server_conf conf;
	char reason[600]; /* of the last problem */
	char file[64];
	int line;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/tapgate-test-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(server_conf_init(&f->conf), 0);
	free(f->conf.tokens);
	f->conf.tokens = strdup(f->path);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	server_conf_done(&f->conf);
	free(f);
	return 0;
}

static void
on_problem(const char *file, int line, const char *reason, void *user_data)
{
	struct fixture *f = user_data;

	snprintf(f->file, sizeof(f->file), "%s", file);
	snprintf(f->reason, sizeof(f->reason), "%s", reason);
	f->line = line;
}

static void
write_tokens(const struct fixture *f, const char *text, mode_t mode)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(f->path, mode), 0);
}

static int
load(struct fixture *f, char **ret_text, size_t *ret_len)
{
	*ret_text = strdup(CONF);
	*ret_len = strlen(CONF);
	assert_non_null(*ret_text);
	return trust_load(&f->conf, ret_text, ret_len, on_problem, f);
}

static void
what_is_appended_is_found_again(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE char *text = NULL;
	struct trust trust;
	size_t len, conf_len;

	write_tokens(f, GOOD_LINE, 0640);
	assert_int_equal(load(f, &text, &len), 0);
	assert_int_equal(trust_take(text, len, &conf_len, &trust), 0);
	assert_int_equal(conf_len, strlen(CONF));
	assert_string_equal(trust.text[TRUST_TOKENS], GOOD_LINE);
	assert_int_equal(trust.len[TRUST_TOKENS], strlen(GOOD_LINE));
	assert_null(trust.text[TRUST_KEY]);
	trust_done(&trust);
	/* No part of it may be missing. */
	for (size_t cut = conf_len + 1; cut < len; cut++)
		assert_int_equal(trust_take(text, cut, &conf_len, &trust), -EBADMSG);
}

static void
a_configuration_that_names_no_file_stays_as_it_is(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE char *text = NULL;
	struct trust trust;
	size_t len, conf_len;

	f->conf.tokens[0] = '\0';
	assert_int_equal(load(f, &text, &len), 0);
	assert_int_equal(len, strlen(CONF));
	assert_int_equal(trust_take(text, len, &conf_len, &trust), 0);
	assert_int_equal(conf_len, len);
	assert_null(trust.text[TRUST_TOKENS]);
}

static void
assert_refused(struct fixture *f, int line, const char *reason)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	assert_int_equal(load(f, &text, &len), -EINVAL);
	assert_int_equal(len, strlen(CONF));
	assert_string_equal(f->file, f->path);
	assert_int_equal(f->line, line);
	assert_non_null(strstr(f->reason, reason));
}

static void
a_wrong_or_open_file_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	write_tokens(f, GOOD_LINE WRONG_LINE, 0600);
	assert_refused(f, 2, "none of the scopes");
	write_tokens(f, GOOD_LINE, 0604);
	assert_refused(f, 0, "everybody may read");
	write_tokens(f, GOOD_LINE, 0602);
	assert_refused(f, 0, "everybody may write");
	unlink(f->path);
	assert_refused(f, 0, "No such file");
}

static void
only_the_configuration_itself_is_compared(void **state)
{
	(void)state;
	assert_true(trust_has_same_conf("a\0b", 3, "a\0cd", 4));
	assert_true(trust_has_same_conf("a", 1, "a\0cd", 4));
	assert_false(trust_has_same_conf("a\0b", 3, "b\0b", 3));
	assert_false(trust_has_same_conf("ab", 2, "a\0b", 3));
}

/* ---- peers ---- */

static int
new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

static void
source_of(int fd, char address[INET_ADDRSTRLEN], uint16_t *ret_port)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	assert_non_null(inet_ntop(AF_INET, &addr.sin_addr, address, INET_ADDRSTRLEN));
	*ret_port = ntohs(addr.sin_port);
}

static void
a_client_is_found_by_the_source_of_its_connection_only(void **state)
{
	const struct front_peer peer = { .address = "2001:db8::1", .port = 7 };
	struct front_peers *peers = front_peers_new(4);
	struct front_peer found;
	char address[INET_ADDRSTRLEN];
	int fd = new_socket();
	uint32_t source;
	uint16_t port;

	(void)state;
	assert_int_equal(front_peers_add(peers, fd, &peer, &source), 0);
	source_of(fd, address, &port);
	assert_true(strncmp(address, "127.0.0.", 8) != 0);
	assert_true(front_peers_find(peers, address, port, &found));
	assert_string_equal(found.address, "2001:db8::1");
	assert_false(front_peers_find(peers, address, port ^ 1, &found));
	assert_false(front_peers_find(peers, "127.0.0.1", port, &found));
	assert_false(front_peers_find(peers, "10.0.1.0", port, &found));
	assert_false(front_peers_find(peers, "", port, &found));
	front_peers_remove(peers, source);
	assert_false(front_peers_find(peers, address, port, &found));
	close(fd);
	front_peers_free(peers);
}

static void
sources_do_not_come_again_soon_and_the_table_has_an_end(void **state)
{
	const struct front_peer peer = { .port = 1 };
	struct front_peers *peers = front_peers_new(1);
	char first[INET_ADDRSTRLEN], next[INET_ADDRSTRLEN];
	uint32_t source;
	uint16_t port;
	int fd = new_socket(), n = 0, fds[64];

	(void)state;
	assert_int_equal(front_peers_add(peers, fd, &peer, &source), 0);
	source_of(fd, first, &port);
	front_peers_remove(peers, source);
	close(fd);
	for (; n < 64; n++) {
		fds[n] = new_socket();
		if (front_peers_add(peers, fds[n], &peer, &source) < 0)
			break;
		source_of(fds[n], next, &port);
		assert_string_not_equal(first, next);
	}
	assert_true(n > 0 && n < 64);
	assert_int_equal(front_peers_add(peers, fds[n], &peer, &source), -EMFILE);
	while (n >= 0)
		close(fds[n--]);
	front_peers_free(peers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_appended_is_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_configuration_that_names_no_file_stays_as_it_is, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_wrong_or_open_file_is_refused_by_name, setup, teardown),
		cmocka_unit_test(only_the_configuration_itself_is_compared),
		cmocka_unit_test(
			a_client_is_found_by_the_source_of_its_connection_only),
		cmocka_unit_test(
			sources_do_not_come_again_soon_and_the_table_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
