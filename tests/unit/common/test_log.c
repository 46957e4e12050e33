/*
 * test_log.c - levels, topics, escaping, and what arrives on stderr with and without
 * the journal behind it.
 */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
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
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct captured {
	int count;
	enum log_level level;
	char topic[32];
	char line[4096];
};

static void
capture(enum log_level level, const char *topic, const char *line, void *user_data)
{
	struct captured *c = user_data;

	c->count++;
	c->level = level;
	snprintf(c->topic, sizeof(c->topic), "%s", topic ? topic : "-");
	snprintf(c->line, sizeof(c->line), "%s", line);
	errno = EBADF; /* a sink that makes system calls */
}

static int
setup(void **state)
{
	static struct captured captured;

	captured = (struct captured){ 0 };
	*state = &captured;
	log_set_sink(capture, &captured);
	log_set_level(LOG_LEVEL_INFO);
	log_set_topics(NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	log_set_topics(NULL);
	return 0;
}

static void
lines_above_the_level_are_dropped(void **state)
{
	struct captured *c = *state;

	log_set_level(LOG_LEVEL_WARNING);
	log_notice("n");
	log_info("i");
	assert_int_equal(c->count, 0);
	log_warning("w %d", 1);
	assert_int_equal(c->level, LOG_LEVEL_WARNING);
	assert_string_equal(c->line, "w 1");
	log_error("e %s", "x");
	assert_int_equal(c->level, LOG_LEVEL_ERROR);
	assert_string_equal(c->line, "e x");
	assert_string_equal(c->topic, "-");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("w");
	assert_int_equal(c->count, 2);
	log_set_level(LOG_LEVEL_INFO);
	log_notice("n");
	assert_int_equal(c->level, LOG_LEVEL_NOTICE);
	log_info("i");
	assert_int_equal(c->level, LOG_LEVEL_INFO);
	assert_int_equal(c->count, 4);
}

static void
debug_needs_level_and_topic(void **state)
{
	struct captured *c = *state;

	log_set_topics("nft,psample");
	log_debug("nft", "x");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("nf", "x");
	log_debug("sample", "x");
	log_debug("psampler", "x");
	assert_int_equal(c->count, 0);
	assert_false(log_debug_on("sample"));
	log_debug("psample", "seen %d", 3);
	assert_int_equal(c->count, 1);
	assert_string_equal(c->topic, "psample");
	assert_string_equal(c->line, "seen 3");
	log_debug("nft", "x");
	assert_int_equal(c->count, 2);
	log_set_topics("all");
	assert_true(log_debug_on("anything"));
	log_set_topics(NULL);
	assert_false(log_debug_on("nft"));
}

static void
control_characters_are_escaped(void **state)
{
	struct captured *c = *state;

	log_info("acl \"%s\": refused", "a\nerror: fake\x1b[2J\x7f\t\xc3\xa4");
	assert_string_equal(c->line,
		"acl \"a\\x0aerror: fake\\x1b[2J\\x7f\\x09\xc3\xa4\": refused");
}

static void
long_line_is_cut_visibly(void **state)
{
	struct captured *c = *state;
	char big[4000];
	size_t len;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info("%s", big);
	len = strlen(c->line);
	assert_in_range(len, 1000, 2047);
	assert_string_equal(c->line + len - 4, "x...");
	memset(big, '\n', sizeof(big) - 1);
	log_info("%s", big);
	len = strlen(c->line);
	assert_in_range(len, 1000, 2047);
	assert_string_equal(c->line + len - 7, "\\x0a...");
}

static void
errno_survives(void **state)
{
	(void)state;
	errno = ENOSPC;
	log_info("%s", "x");
	assert_int_equal(errno, ENOSPC);
}

/* Run @log with stderr in a file; returns what was written there. */
static const char *
stderr_of(void (*log)(void), bool as_journal)
{
	static char text[512];
	char stream[64];
	int saved = dup(STDERR_FILENO), fd = memfd_create("stderr", MFD_CLOEXEC);
	struct stat st;
	ssize_t n;

	assert_true(saved >= 0 && fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino + !as_journal);
	setenv("JOURNAL_STREAM", stream, 1);
	dup2(fd, STDERR_FILENO);
	log_set_sink(NULL, NULL);
	log();
	dup2(saved, STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	n = pread(fd, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	close(saved);
	close(fd);
	return text;
}

static void
log_some(void)
{
	log_set_level(LOG_LEVEL_DEBUG);
	log_set_topics("nl");
	log_open_journal("tapgate-test", "/nowhere");
	log_error("swp1: gone");
	log_warning("swp2: slow");
	log_notice("started");
	log_info("fine");
	log_debug("nl", "%d bytes", 20);
}

static void
terminal_gets_program_and_level(void **state)
{
	(void)state;
	assert_string_equal(stderr_of(log_some, false),
		"tapgate-test: error: swp1: gone\n"
		"tapgate-test: warning: swp2: slow\n"
		"tapgate-test: started\n"
		"tapgate-test: fine\n"
		"tapgate-test: debug: nl: 20 bytes\n");
}

static void
journal_gets_priorities(void **state)
{
	(void)state;
	assert_string_equal(stderr_of(log_some, true), "<3>swp1: gone\n"
						       "<4>swp2: slow\n"
						       "<5>started\n"
						       "<6>fine\n"
						       "<7>nl: 20 bytes\n");
}

/* A journal: a directory with its socket. */
struct journal {
	char dir[32], path[48];
	int fd;
};

static struct journal journal;

static void
listen_as_journal(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = 20 };

	snprintf(journal.dir, sizeof(journal.dir), "/tmp/test_log.XXXXXX");
	assert_non_null(mkdtemp(journal.dir));
	snprintf(journal.path, sizeof(journal.path), "%.30s/socket", journal.dir);
	memcpy(address.sun_path, journal.path, strlen(journal.path));
	journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		bind(journal.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(
		setsockopt(journal.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
		0);
}

static void
close_journal(void)
{
	close(journal.fd);
	unlink(journal.path);
	rmdir(journal.dir);
}

static void
assert_entry(const char *expected)
{
	char text[4096];
	ssize_t n = recv(journal.fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static void
log_about_things(void)
{
	log_set_level(LOG_LEVEL_DEBUG);
	log_set_topics("nl");
	log_open_journal("tapgate-test", journal.path);
	log_about(LOG_LEVEL_WARNING, LOG_PORT, "swp1", "%s: is not sampled", "swp1");
	log_about(LOG_LEVEL_ERROR, LOG_ACL, "edge", "acl \"edge\": line\n2");
	log_about(LOG_LEVEL_NOTICE, LOG_COLLECTOR, "a\nPRIORITY=0", "collector: x");
	log_about(LOG_LEVEL_INFO, LOG_ACL, NULL, "of no ACL");
	log_debug("nl", "20 bytes");
}

static void
journal_gets_fields(void **state)
{
	(void)state;
	listen_as_journal();
	assert_string_equal(stderr_of(log_about_things, true), "");
	assert_entry("MESSAGE=swp1: is not sampled\nPRIORITY=4\n"
		     "SYSLOG_IDENTIFIER=tapgate-test\nTAPGATE_PORT=swp1\n");
	assert_entry("MESSAGE=acl \"edge\": line\\x0a2\nPRIORITY=3\n"
		     "SYSLOG_IDENTIFIER=tapgate-test\nTAPGATE_ACL=edge\n");
	assert_entry("MESSAGE=collector: x\nPRIORITY=5\n"
		     "SYSLOG_IDENTIFIER=tapgate-test\n"
		     "TAPGATE_COLLECTOR=a\\x0aPRIORITY=0\n");
	assert_entry("MESSAGE=of no ACL\nPRIORITY=6\n"
		     "SYSLOG_IDENTIFIER=tapgate-test\n");
	assert_entry("MESSAGE=nl: 20 bytes\nPRIORITY=7\n"
		     "SYSLOG_IDENTIFIER=tapgate-test\nTAPGATE_TOPIC=nl\n");
	close_journal();
}

static void
what_the_journal_does_not_take_goes_to_stderr(void **state)
{
	(void)state;
	listen_as_journal();
	close(journal.fd);
	assert_string_equal(stderr_of(log_about_things, true),
		"<4>swp1: is not sampled\n"
		"<3>acl \"edge\": line\\x0a2\n"
		"<5>collector: x\n"
		"<6>of no ACL\n"
		"<7>nl: 20 bytes\n");
	close_journal();
}

static void
a_journal_elsewhere_is_not_spoken_to(void **state)
{
	char byte;

	(void)state;
	listen_as_journal();
	assert_string_equal(stderr_of(log_about_things, false),
		"tapgate-test: warning: swp1: is not sampled\n"
		"tapgate-test: error: acl \"edge\": line\\x0a2\n"
		"tapgate-test: collector: x\n"
		"tapgate-test: of no ACL\n"
		"tapgate-test: debug: nl: 20 bytes\n");
	assert_int_equal(recv(journal.fd, &byte, 1, MSG_DONTWAIT), -1);
	close_journal();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			lines_above_the_level_are_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			debug_needs_level_and_topic, setup, teardown),
		cmocka_unit_test_setup_teardown(
			control_characters_are_escaped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			long_line_is_cut_visibly, setup, teardown),
		cmocka_unit_test_setup_teardown(errno_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(
			terminal_gets_program_and_level, setup, teardown),
		cmocka_unit_test_setup_teardown(
			journal_gets_priorities, setup, teardown),
		cmocka_unit_test_setup_teardown(journal_gets_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_the_journal_does_not_take_goes_to_stderr, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_journal_elsewhere_is_not_spoken_to, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
