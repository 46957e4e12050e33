/*
 * test_sdnotify.c - messages as a service manager receives them, and its environment.
 */
#include "common/sdnotify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mono.h"

/* A socket such as the service manager's, with an abstract or a path name. */
static int
listen_on(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(addr.sun_path, name, strlen(name));
	if (name[0] == '@')
		addr.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void
assert_received(int fd, const char *text)
{
	char buf[256];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	assert_true(n >= 0);
	buf[n] = '\0';
	assert_string_equal(buf, text);
}

static int
clear_environment(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int64_t
fixed_clock(void *user_data)
{
	(void)user_data;
	return 1234567890;
}

static void
abstract_socket_gets_the_message(void **state)
{
	char name[64];
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "@tapgate-test-%d", (int)getpid());
	fd = listen_on(name);
	assert_int_equal(sdnotify_send("READY=1\nSTATUS=fine"), 0);
	assert_received(fd, "READY=1\nSTATUS=fine");
	close(fd);
}

static void
path_socket_gets_the_message(void **state)
{
	char name[] = "/tmp/tapgate-test-XXXXXX", path[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(name));
	snprintf(path, sizeof(path), "%s/notify", name);
	fd = listen_on(path);
	mono_set_source(fixed_clock, NULL);
	assert_int_equal(sdnotify_reloading(), 0);
	mono_set_source(NULL, NULL);
	assert_received(fd, "RELOADING=1\nMONOTONIC_USEC=1234567");
	close(fd);
	unlink(path);
	rmdir(name);
}

static void
nobody_to_tell_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(sdnotify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(sdnotify_send("READY=1"), 0);
}

static void
bad_address_is_a_failure(void **state)
{
	char big[200];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	big[0] = '/';
	setenv("NOTIFY_SOCKET", big, 1);
	assert_int_equal(sdnotify_send("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "@", 1);
	assert_int_equal(sdnotify_send("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	assert_int_equal(sdnotify_send("READY=1"), -EAFNOSUPPORT);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	assert_int_equal(sdnotify_send("READY=1"), -ENOENT);
}

static void
watchdog_is_fed_twice_per_period(void **state)
{
	char pid[16];

	(void)state;
	assert_int_equal(sdnotify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(sdnotify_watchdog_ms(), 15000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(sdnotify_watchdog_ms(), 15000);
	setenv("WATCHDOG_USEC", "1000", 1);
	assert_int_equal(sdnotify_watchdog_ms(), 1);
}

static void
watchdog_of_others_or_nonsense_is_off(void **state)
{
	(void)state;
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(sdnotify_watchdog_ms(), 0);
	setenv("WATCHDOG_PID", "x", 1);
	assert_int_equal(sdnotify_watchdog_ms(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "-5", 1);
	assert_int_equal(sdnotify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "0", 1);
	assert_int_equal(sdnotify_watchdog_ms(), 0);
}

#define CLEAN(test) cmocka_unit_test_setup(test, clear_environment)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(abstract_socket_gets_the_message),
		CLEAN(path_socket_gets_the_message),
		CLEAN(nobody_to_tell_is_no_failure),
		CLEAN(bad_address_is_a_failure),
		CLEAN(watchdog_is_fed_twice_per_period),
		CLEAN(watchdog_of_others_or_nonsense_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
