/*
 * test_priv.c - what a process still is and can do after giving up privileges.
 *
 * Each case runs in a child, which changes itself and then reads what the kernel says
 * in /proc/self/status. Needs root with all of its usual capabilities.
 */
#include "common/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"

enum {
	SKIPPED = 77,
	SOME_ID = 64123, /* no such user needs to exist */
};

static const int keep_net_admin[] = { CAP_NET_ADMIN };
static const char net_admin_mask[] = "0000000000001000";
static const char no_mask[] = "0000000000000000";

/* In a child cmocka's assertions would run the parent's tests; these end the child. */
#define REQUIRE(condition)                                                             \
	do {                                                                           \
		if (!(condition)) {                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,             \
				#condition);                                           \
			_exit(1);                                                      \
		}                                                                      \
	} while (0)

static int
run_child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
assert_child_succeeds(void (*fn)(void))
{
	assert_int_equal(run_child(fn), 0);
}

/* True if "@name:\t@value\n" stands in /proc/self/status. */
static bool
status_is(const char *name, const char *value)
{
	char line[80];
	char *text;
	size_t len;
	bool found;

	snprintf(line, sizeof(line), "\n%s:\t%s\n", name, value);
	if (file_read(AT_FDCWD, "/proc/self/status", 65536, &text, &len) < 0)
		return false;
	found = strstr(text, line) != NULL;
	if (!found)
		fprintf(stderr, "status: no%s", line);
	free(text);
	return found;
}

static void
drop_keeping_net_admin(void)
{
	struct err err;

	err_clear(&err);
	if (priv_drop(SOME_ID, SOME_ID + 1, keep_net_admin, 1, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	REQUIRE(err.code == 0);
}

static void
child_keeps_only_net_admin(void)
{
	gid_t groups[2] = { 1, 2 };

	REQUIRE(setgroups(2, groups) == 0);
	drop_keeping_net_admin();
	REQUIRE(status_is("Uid", "64123\t64123\t64123\t64123"));
	REQUIRE(status_is("Gid", "64124\t64124\t64124\t64124"));
	REQUIRE(getgroups(0, NULL) == 0);
	REQUIRE(status_is("CapEff", net_admin_mask));
	REQUIRE(status_is("CapPrm", net_admin_mask));
	REQUIRE(status_is("CapBnd", net_admin_mask));
	REQUIRE(status_is("CapInh", no_mask));
	REQUIRE(status_is("CapAmb", no_mask));
	REQUIRE(status_is("NoNewPrivs", "1"));
	REQUIRE(priv_has(CAP_NET_ADMIN));
	REQUIRE(!priv_has(CAP_NET_RAW));
}

static void
child_cannot_go_back(void)
{
	drop_keeping_net_admin();
	REQUIRE(setuid(0) < 0 && errno == EPERM);
	REQUIRE(setgid(0) < 0 && errno == EPERM);
	REQUIRE(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0);
	REQUIRE(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
}

static void
child_keeps_nothing(void)
{
	REQUIRE(priv_drop(SOME_ID, SOME_ID, NULL, 0, NULL) == 0);
	REQUIRE(status_is("CapEff", no_mask));
	REQUIRE(status_is("CapPrm", no_mask));
	REQUIRE(status_is("CapBnd", no_mask));
}

static void
child_root_keeps_only_net_admin(void)
{
	REQUIRE(priv_drop(0, 0, keep_net_admin, 1, NULL) == 0);
	REQUIRE(status_is("Uid", "0\t0\t0\t0"));
	REQUIRE(status_is("CapEff", net_admin_mask));
	REQUIRE(status_is("CapPrm", net_admin_mask));
	REQUIRE(status_is("NoNewPrivs", "1"));
}

/* As systemd starts a service with User=: nothing to drop, nothing allowed. */
static void
child_unprivileged_drops_again(void)
{
	struct err err;

	REQUIRE(priv_drop(SOME_ID, SOME_ID, NULL, 0, NULL) == 0);
	REQUIRE(priv_drop(SOME_ID, SOME_ID, NULL, 0, &err) == 0);
	REQUIRE(priv_drop(SOME_ID, SOME_ID, keep_net_admin, 1, &err) == -EPERM);
	REQUIRE(strstr(err.text, "capabilit") != NULL);
	REQUIRE(priv_drop(SOME_ID + 5, SOME_ID, NULL, 0, &err) == -EPERM);
}

static void
child_asks_for_no_capability(void)
{
	static const int absurd[] = { 1000 };
	struct err err;

	REQUIRE(priv_drop(SOME_ID, SOME_ID, absurd, 1, &err) == -EINVAL);
	REQUIRE(strcmp(err.text, "there is no capability 1000") == 0);
}

/* What the child needs to say that it is well, under sanitizers, too. */
static const char *const few_calls[] = { "read", "write", "close", "openat", "fstat",
	"newfstatat", "lseek", "mmap", "munmap", "mprotect", "madvise", "brk", "futex",
	"exit", "exit_group", "rt_sigaction", "rt_sigprocmask", "sigaltstack", "getpid",
	"gettid", "mmap2", "_llseek", "fstat64", "fstatat64", "statx",
	"no_such_call_anywhere", NULL };

static void
filter_calls(void)
{
	struct err err;

	err_clear(&err);
	if (priv_seccomp_allow(few_calls, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	REQUIRE(err.code == 0);
}

static void
child_filters(void)
{
	filter_calls();
	REQUIRE(status_is("Seccomp", "2"));
	REQUIRE(status_is("NoNewPrivs", "1"));
	REQUIRE(getpid() > 0);
	REQUIRE(socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EPERM);
	REQUIRE(chdir("/") < 0 && errno == EPERM);
}

static void
child_runs_a_program(void)
{
	static char *const argv[] = { (char *)"true", NULL };

	filter_calls();
	execve("/bin/true", argv, argv + 1);
}

static void
child_traces(void)
{
	filter_calls();
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void
child_may_trace_when_named(void)
{
	static const char *const names[] = { "ptrace", "write", "exit_group",
		"sigaltstack", "mmap", "munmap", NULL };

	REQUIRE(priv_seccomp_allow(names, NULL) == 0);
	REQUIRE(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
}

static void
user_changes_and_one_capability_stays(void **state)
{
	(void)state;
	assert_child_succeeds(child_keeps_only_net_admin);
	assert_child_succeeds(child_cannot_go_back);
}

static void
everything_can_be_dropped(void **state)
{
	(void)state;
	assert_child_succeeds(child_keeps_nothing);
}

static void
root_can_stay_root_with_one_capability(void **state)
{
	(void)state;
	assert_child_succeeds(child_root_keeps_only_net_admin);
}

static void
unprivileged_process_may_drop_but_not_keep(void **state)
{
	(void)state;
	assert_child_succeeds(child_unprivileged_drops_again);
}

static void
unknown_capability_is_refused(void **state)
{
	(void)state;
	assert_child_succeeds(child_asks_for_no_capability);
}

static void
calls_that_are_not_named_fail(void **state)
{
	(void)state;
	assert_child_succeeds(child_filters);
}

static void
calls_of_an_intruder_kill(void **state)
{
	int status = run_child(child_runs_a_program);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = run_child(child_traces);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	assert_child_succeeds(child_may_trace_when_named);
}

/* A directory of another user with a file of root and a link out of it. */
static void
child_works_as_the_owner(void)
{
	char dir[] = "/tmp/test_priv.XXXXXX", path[64];
	struct stat st;
	int fd;

	REQUIRE(mkdtemp(dir) && chown(dir, SOME_ID, SOME_ID) == 0);
	REQUIRE(priv_files_as_owner("/nowhere") == 0);
	REQUIRE(priv_files_as_owner(dir) == 0);
	snprintf(path, sizeof(path), "%s/x", dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
	REQUIRE(st.st_uid == SOME_ID && st.st_gid == SOME_ID);
	REQUIRE(open("/etc/x-test-priv", O_CREAT | O_WRONLY, 0600) < 0);
	REQUIRE(geteuid() == 0);
	priv_files_as_self();
	REQUIRE(open(path, O_RDONLY) >= 0 && priv_has(CAP_NET_ADMIN));
	REQUIRE(unlink(path) == 0 && rmdir(dir) == 0);
}

static void
root_works_with_files_as_their_owner(void **state)
{
	(void)state;
	assert_child_succeeds(child_works_as_the_owner);
}

static void
user_is_found_by_name_or_number(void **state)
{
	struct err err;
	uid_t uid = 77;
	gid_t gid = 77;

	(void)state;
	assert_int_equal(priv_find_user("root", &uid, &gid, &err), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	assert_int_equal(priv_find_user("64123", &uid, &gid, &err), 0);
	assert_int_equal(uid, 64123);
	assert_int_equal(gid, 64123);
	assert_int_equal(priv_find_user("no such user", &uid, &gid, &err), -ENOENT);
	assert_string_equal(err.text, "there is no user \"no such user\"");
	/* (uid_t)-1 would mean "leave as it is". */
	assert_int_equal(priv_find_user("4294967295", &uid, &gid, &err), -ENOENT);
	assert_int_equal(uid, 64123);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_is_found_by_name_or_number),
		cmocka_unit_test(user_changes_and_one_capability_stays),
		cmocka_unit_test(everything_can_be_dropped),
		cmocka_unit_test(root_can_stay_root_with_one_capability),
		cmocka_unit_test(unprivileged_process_may_drop_but_not_keep),
		cmocka_unit_test(unknown_capability_is_refused),
		cmocka_unit_test(calls_that_are_not_named_fail),
		cmocka_unit_test(calls_of_an_intruder_kill),
		cmocka_unit_test(root_works_with_files_as_their_owner),
	};
	static const int needed[] = { CAP_SETUID, CAP_SETGID, CAP_SETPCAP,
		CAP_NET_ADMIN };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!priv_has(needed[i])) {
			printf("skipped: needs root (capability %d is missing)\n",
				needed[i]);
			return SKIPPED;
		}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
