/*
 * test_attach.c - unit tests of attach: who is let in over the committer's socket, and
 * what is handed over there.
 */
#include "aclserver/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"

enum { LIMIT_MS = 20000 };

static const char conf[] = "port = 8081\n";

struct fixture {
	char dir[32], path[64];
	struct loop *loop;
	struct attach *attach;
	int fd;              /* the committer's end of the newest connection */
	bool greet;          /* with the configuration */
	const char *instead; /* greet with this text, and no descriptor */
};

static void
on_connected(int fd, void *user_data)
{
	struct fixture *f = user_data;
	int conf_fd = memfd_create("conf", MFD_CLOEXEC);

	f->fd = fd;
	assert_int_equal(write(conf_fd, conf, strlen(conf)), strlen(conf));
	if (f->greet)
		assert_int_equal(attach_greet(fd, conf_fd), 0);
	if (f->instead)
		assert_true(send(fd, f->instead, strlen(f->instead), 0) > 0);
	close(conf_fd);
	if (!f->greet && !f->instead)
		close(fd);
}

static void
no_log(enum log_level level, const char *topic, const char *line, void *user_data)
{
	(void)level, (void)topic, (void)line, (void)user_data;
}

/* A committer that hears @uid. */
static void
listen_for(struct fixture *f, uid_t uid)
{
	const struct attach_spec spec = {
		.run_dir = f->dir, .uid = uid, .connected = on_connected, .user_data = f
	};
	struct err err;

	f->attach = attach_open(f->loop, &spec, &err);
	assert_non_null(f->attach);
}

static int
setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	*f = (struct fixture){ .fd = -1 };
	snprintf(f->dir, sizeof(f->dir), "/tmp/test_attach.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%.30s/" ATTACH_SOCKET, f->dir);
	f->loop = loop_new();
	assert_non_null(f->loop);
	log_set_sink(no_log, NULL);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	attach_close(f->attach);
	loop_free(f->loop);
	log_set_sink(NULL, NULL);
	return rmdir(f->dir);
}

/* What the HTTP process does, beside the committer's loop. */
struct client {
	const char *path;
	int result, fd, conf_fd;
	struct err err;
};

static void *
connect_client(void *arg)
{
	struct client *c = arg;

	c->result = attach_connect(c->path, &c->fd, &c->conf_fd, &c->err);
	return NULL;
}

static struct client
connect_to(struct fixture *f)
{
	struct client c = { .path = f->path, .fd = -1, .conf_fd = -1 };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, connect_client, &c), 0);
	assert_int_equal(loop_turn(f->loop, LIMIT_MS), 1);
	pthread_join(thread, NULL);
	return c;
}

static void
the_http_process_gets_channel_and_configuration(void **state)
{
	struct fixture *f = *state;
	struct client c;
	char text[64] = "";

	f->greet = true;
	listen_for(f, geteuid());
	c = connect_to(f);
	assert_int_equal(c.result, 0);
	assert_int_equal(pread(c.conf_fd, text, sizeof(text) - 1, 0), strlen(conf));
	assert_string_equal(text, conf);
	/* Neither outlives an exec. */
	assert_int_equal(fcntl(c.conf_fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(c.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(send(c.fd, "x", 1, 0), 1);
	assert_int_equal(recv(f->fd, text, sizeof(text), 0), 1);
	close(c.fd);
	close(c.conf_fd);
	close(f->fd);
}

static void
another_user_is_turned_away(void **state)
{
	struct fixture *f = *state;
	struct client c;

	listen_for(f, geteuid() + 1);
	c = connect_to(f);
	assert_int_equal(c.result, -ECONNRESET);
	assert_non_null(strstr(c.err.text, "no greeting"));
	assert_int_equal(f->fd, -1);
}

static void
a_greeting_without_configuration_is_refused(void **state)
{
	struct fixture *f = *state;
	struct client c;

	f->instead = "tapgate configuration";
	listen_for(f, geteuid());
	c = connect_to(f);
	assert_int_equal(c.result, -EBADMSG);
	close(f->fd);
}

static void
a_committer_that_is_not_there_is_named(void **state)
{
	const struct fixture *f = *state;
	struct err err;
	int fd, conf_fd;

	assert_int_equal(attach_connect(f->path, &fd, &conf_fd, &err), -ENOENT);
	assert_non_null(strstr(err.text, f->path));
}

static void
the_socket_of_a_predecessor_is_replaced_and_removed(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int old = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct client c;

	memcpy(address.sun_path, f->path, strlen(f->path));
	assert_int_equal(bind(old, (struct sockaddr *)&address, sizeof(address)), 0);
	close(old);
	f->greet = true;
	listen_for(f, geteuid());
	c = connect_to(f);
	assert_int_equal(c.result, 0);
	close(c.fd);
	close(c.conf_fd);
	close(f->fd);
	attach_close(f->attach);
	f->attach = NULL;
	assert_int_equal(access(f->path, F_OK), -1);
}

static void
a_directory_with_a_long_name_is_refused(void **state)
{
	const struct fixture *f = *state;
	char dir[128];
	struct attach_spec spec = { .run_dir = dir };
	struct err err;

	memset(dir, 'x', sizeof(dir));
	memcpy(dir, f->dir, strlen(f->dir));
	dir[strlen(f->dir)] = '/';
	dir[sizeof(dir) - 1] = '\0';
	assert_null(attach_open(f->loop, &spec, &err));
	assert_int_equal(err.code, -ENAMETOOLONG);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_http_process_gets_channel_and_configuration, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			another_user_is_turned_away, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_greeting_without_configuration_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_committer_that_is_not_there_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_socket_of_a_predecessor_is_replaced_and_removed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_directory_with_a_long_name_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
