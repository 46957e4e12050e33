/*
 * test_status_server.c - the status socket: lock, answer, limits of clients.
 */
#include "agent/status_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANSWER_BYTES = 4 << 20, PATH_SIZE = 108 };

static char base[] = "/tmp/tapgate-status-XXXXXX";
static char run_dir[PATH_SIZE], socket_path[PATH_SIZE];
static struct loop *loop;
static struct status_server *server;
static size_t answer_len;
static unsigned asked;

/* As many bytes as the test wants. */
static char *
answer(void *user_data)
{
	char *text = malloc(answer_len + 1);

	(void)user_data;
	asked++;
	memset(text, 'x', answer_len);
	text[answer_len] = '\0';
	return text;
}

static int
open_server(void **state)
{
	struct err err;

	(void)state;
	memcpy(base + sizeof(base) - 7, "XXXXXX", 7); /* of the last test */
	assert_non_null(mkdtemp(base));
	snprintf(run_dir, sizeof(run_dir), "%s/run", base);
	assert_int_equal(
		status_server_path(run_dir, socket_path, sizeof(socket_path), &err), 0);
	loop = loop_new();
	server = status_server_open(run_dir, geteuid(), getegid(), &err);
	assert_non_null(server);
	assert_int_equal(status_server_start(server, loop, answer, NULL), 0);
	answer_len = 1000;
	asked = 0;
	return 0;
}

static int
close_server(void **state)
{
	char lock[PATH_SIZE + 16];

	(void)state;
	status_server_close(server);
	loop_free(loop);
	mono_set_source(NULL, NULL);
	snprintf(lock, sizeof(lock), "%s/agent.lock", run_dir);
	(void)unlink(lock);
	(void)rmdir(run_dir);
	return rmdir(base);
}

static int
connect_client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, socket_path, sizeof(address.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
turns(int n)
{
	for (int i = 0; i < n; i++)
		assert_true(loop_turn(loop, 0) >= 0);
}

/* Bytes until the end, or -1 if it does not come. */
static ssize_t
read_answer(int fd)
{
	static char buffer[1 << 16];
	ssize_t total = 0, n = -1;

	for (int i = 0; i < 10000; i++) {
		n = recv(fd, buffer, sizeof(buffer), 0);
		if (n == 0)
			return total;
		total += n > 0 ? n : 0;
		turns(1);
	}
	return -1;
}

static void
who_connects_gets_the_whole_answer(void **state)
{
	unsigned before = asked;
	int fd = connect_client();

	(void)state;
	answer_len = ANSWER_BYTES;
	turns(2);
	assert_int_equal(read_answer(fd), ANSWER_BYTES);
	assert_int_equal(asked, before + 1);
	close(fd);
}

static void
the_socket_is_for_owner_and_group(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void
the_lock_is_for_its_owner_only(void **state)
{
	char lock[PATH_SIZE + 16];
	struct stat st;

	(void)state;
	snprintf(lock, sizeof(lock), "%s/agent.lock", run_dir);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
a_second_server_is_refused(void **state)
{
	struct err err;

	(void)state;
	assert_null(status_server_open(run_dir, geteuid(), getegid(), &err));
	assert_int_equal(err.code, -EBUSY);
	assert_non_null(strstr(err.text, "another agent"));
	/* And the first one still answers. */
	who_connects_gets_the_whole_answer(state);
}

static void
what_a_crash_left_behind_is_replaced(void **state)
{
	struct err err;

	(void)state;
	status_server_close(server);
	server = NULL;
	assert_int_equal(mknod(socket_path, S_IFREG | 0600, 0), 0);
	server = status_server_open(run_dir, geteuid(), getegid(), &err);
	assert_non_null(server);
	assert_int_equal(status_server_start(server, loop, answer, NULL), 0);
	who_connects_gets_the_whole_answer(state);
}

static int64_t
later(void *user_data)
{
	return *(int64_t *)user_data;
}

static void
a_client_that_does_not_read_is_hung_up_on(void **state)
{
	int64_t now_ns = mono_now().ns;
	int fds[STATUS_SERVER_CLIENTS_MAX], extra;

	(void)state;
	answer_len = ANSWER_BYTES;
	mono_set_source(later, &now_ns);
	for (int i = 0; i < STATUS_SERVER_CLIENTS_MAX; i++)
		fds[i] = connect_client();
	turns(STATUS_SERVER_CLIENTS_MAX + 1);
	extra = connect_client();
	turns(2);
	assert_int_equal(read_answer(extra), 0);
	close(extra);
	now_ns += (int64_t)(STATUS_SERVER_CLIENT_MS + 1) * 1000000;
	turns(2);
	extra = connect_client();
	turns(2);
	assert_int_equal(read_answer(extra), ANSWER_BYTES);
	close(extra);
	for (int i = 0; i < STATUS_SERVER_CLIENTS_MAX; i++)
		close(fds[i]);
}

static void
a_client_that_leaves_early_does_no_harm(void **state)
{
	int fd = connect_client();

	(void)state;
	answer_len = ANSWER_BYTES;
	turns(2);
	close(fd);
	turns(3);
	who_connects_gets_the_whole_answer(state);
}

static void
without_descriptors_the_loop_does_not_spin(void **state)
{
	int64_t now_ns = mono_now().ns;
	int fd = connect_client(), lowest = dup(fd);
	struct rlimit limit, none;

	(void)state;
	close(lowest);
	mono_set_source(later, &now_ns);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(loop_turn(loop, 0), 1);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	now_ns += (int64_t)2000 * 1000000;
	turns(2);
	assert_int_equal(read_answer(fd), 1000);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_server, close_server)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_connects_gets_the_whole_answer),
		TEST(the_socket_is_for_owner_and_group),
		TEST(the_lock_is_for_its_owner_only),
		TEST(a_second_server_is_refused),
		TEST(what_a_crash_left_behind_is_replaced),
		TEST(a_client_that_does_not_read_is_hung_up_on),
		TEST(a_client_that_leaves_early_does_no_harm),
		TEST(without_descriptors_the_loop_does_not_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
