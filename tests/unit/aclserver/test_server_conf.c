/* test_server_conf.c - configuration of the ACL server: defaults, every refusal with
 * its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aclserver/server_conf.h"
#include "common/log.h"

struct seen {
	int n;
	int line;       /* of the first problem */
	char text[600]; /* of the first problem */
};

static void
on_problem(const char *file, int line, const char *reason, void *user_data)
{
	struct seen *seen = user_data;

	if (seen->n++ > 0)
		return;
	seen->line = line;
	snprintf(seen->text, sizeof(seen->text), "%s:%d: %s", file, line, reason);
}

static int
parse(const char *text, struct server_conf *conf, struct seen *seen)
{
	*seen = (struct seen){ 0 };
	return server_conf_parse("a.conf", text, strlen(text), conf, on_problem, seen);
}

static void
assert_refused(const char *text, int line, const char *reason)
{
	struct server_conf conf;
	struct seen seen;

	assert_int_equal(parse(text, &conf, &seen), -EINVAL);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.line, line);
	assert_non_null(strstr(seen.text, reason));
	assert_null(conf.address);
}

static void
an_empty_file_gives_the_defaults(void **state)
{
	struct server_conf conf;
	struct seen seen;

	(void)state;
	assert_int_equal(parse("", &conf, &seen), 0);
	assert_int_equal(seen.n, 0);
	assert_string_equal(conf.address, "127.0.0.1");
	assert_int_equal(conf.port, 8080);
	assert_false(conf.allow_unauthenticated_remote);
	assert_string_equal(conf.user, "tapgate");
	assert_string_equal(conf.policy_dir, "/etc/cumulus/acl/policy.d");
	assert_int_equal(conf.max_body_bytes, 1 << 20);
	assert_int_equal(conf.max_lines, 10000);
	assert_int_equal(conf.max_acls, 20000);
	assert_int_equal(conf.threads, 66);
	assert_int_equal(conf.backend, SERVER_BACKEND_AUTO);
	assert_int_equal(conf.command_timeout_ms, 60000);
	assert_int_equal(server_conf_log_level(&conf), LOG_LEVEL_INFO);
	server_conf_done(&conf);
}

static void
every_key_is_read(void **state)
{
	struct server_conf conf;
	struct seen seen;

	(void)state;
	assert_int_equal(
		parse("address = 127.0.0.2\nport = 9000\nuser = 65534\n"
		      "allow_unauthenticated_remote = yes\npolicy_conf = /p/c\n"
		      "policy_dir = /p/d\nstate_dir = /s\nrun_dir = /r\n"
		      "max_body = 64KiB\nmax_lines = 7\nmax_acls = 8\nthreads = 9\n"
		      "request_timeout = 5s\nbackend = command\ncommand = /bin/x\n"
		      "command_timeout = 2min\nlog_level = debug\ndebug = http,store\n",
			&conf, &seen),
		0);
	assert_string_equal(conf.address, "127.0.0.2");
	assert_int_equal(conf.port, 9000);
	assert_true(conf.allow_unauthenticated_remote);
	assert_string_equal(conf.user, "65534");
	assert_string_equal(conf.policy_conf, "/p/c");
	assert_string_equal(conf.policy_dir, "/p/d");
	assert_string_equal(conf.state_dir, "/s");
	assert_string_equal(conf.run_dir, "/r");
	assert_int_equal(conf.max_body_bytes, 65536);
	assert_int_equal(conf.max_lines, 7);
	assert_int_equal(conf.max_acls, 8);
	assert_int_equal(conf.threads, 9);
	assert_int_equal(conf.request_timeout_ms, 5000);
	assert_int_equal(conf.backend, SERVER_BACKEND_COMMAND);
	assert_string_equal(conf.command, "/bin/x");
	assert_int_equal(conf.command_timeout_ms, 120000);
	assert_int_equal(server_conf_log_level(&conf), LOG_LEVEL_DEBUG);
	assert_string_equal(conf.debug, "http,store");
	server_conf_done(&conf);
}

static void
a_remote_address_needs_plain_words(void **state)
{
	struct server_conf conf;
	struct seen seen;

	(void)state;
	assert_refused("# x\nport = 8081\n address=0.0.0.0\n", 3,
		"the server asks for no authentication");
	assert_refused("address = 192.0.2.1\nallow_unauthenticated_remote = no\n", 1,
		"allow_unauthenticated_remote = yes");
	assert_int_equal(
		parse("address = 0.0.0.0\nallow_unauthenticated_remote = yes\n", &conf,
			&seen),
		0);
	server_conf_done(&conf);
	assert_int_equal(parse("address = 127.9.9.9\n", &conf, &seen), 0);
	server_conf_done(&conf);
}

static void
bad_values_are_refused_with_line_and_reason(void **state)
{
	(void)state;
	assert_refused("\nport = 80\n", 2, "ports below 1024");
	assert_refused("port = 70000", 1, "out of range");
	assert_refused("address = localhost", 1, "is not an IP address");
	assert_refused("address = ::1", 1, "IPv4 addresses only");
	assert_refused("policy_dir = etc", 1, "is not an absolute path");
	assert_refused("backend = iptables", 1, "none of auto, nftables, command");
	assert_refused("log_level = loud", 1, "none of error");
	assert_refused("threads = 0", 1, "out of range");
	assert_refused("colour = blue", 1, "unknown key");
	assert_refused("user = \"\"", 1, "user");
}

static void
every_problem_is_reported_not_only_the_first(void **state)
{
	struct server_conf conf;
	struct seen seen;

	(void)state;
	assert_int_equal(parse("port = 80\nthreads = x\nfoo\n", &conf, &seen), -EINVAL);
	assert_int_equal(seen.n, 3);
}

static void
a_missing_file_is_one_problem_without_line(void **state)
{
	struct server_conf conf;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(
		server_conf_load("/nonexistent/x.conf", &conf, on_problem, &seen),
		-ENOENT);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.line, 0);
	assert_non_null(strstr(seen.text, "No such file"));
}

static void
the_shipped_example_is_valid(void **state)
{
	struct server_conf conf;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(
		server_conf_load(TEST_DATA "/../aclserver/tapgate-aclserver.conf",
			&conf, on_problem, &seen),
		0);
	server_conf_done(&conf);
}

/* Every "#key = value" of the example is uncommented and must equal the default. */
static void
the_shipped_example_shows_the_defaults(void **state)
{
	struct server_conf conf, defaults;
	struct seen seen = { 0 };
	char text[8192] = "", line[256];
	FILE *f = fopen(TEST_DATA "/../aclserver/tapgate-aclserver.conf", "re");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z')
			strncat(text, line + 1, sizeof(text) - strlen(text) - 1);
	fclose(f);
	assert_int_equal(parse(text, &conf, &seen), 0);
	assert_int_equal(server_conf_init(&defaults), 0);
	assert_null(server_conf_needs_restart(&defaults, &conf));
	assert_string_equal(conf.address, defaults.address);
	assert_int_equal(conf.port, defaults.port);
	assert_int_equal(conf.max_body_bytes, defaults.max_body_bytes);
	assert_int_equal(conf.max_lines, defaults.max_lines);
	assert_int_equal(conf.max_acls, defaults.max_acls);
	assert_int_equal(conf.threads, defaults.threads);
	assert_int_equal(conf.request_timeout_ms, defaults.request_timeout_ms);
	assert_int_equal(conf.command_timeout_ms, defaults.command_timeout_ms);
	assert_string_equal(conf.log_level, defaults.log_level);
	assert_string_equal(conf.debug, defaults.debug);
	server_conf_done(&conf);
	server_conf_done(&defaults);
}

static void
a_reload_names_the_key_that_needs_a_restart(void **state)
{
	struct server_conf old, new;
	struct seen seen;

	(void)state;
	assert_int_equal(parse("", &old, &seen), 0);
	assert_int_equal(parse("port = 9000\nmax_acls = 5\n", &new, &seen), 0);
	assert_null(server_conf_needs_restart(&old, &new));
	server_conf_done(&new);
	assert_int_equal(parse("policy_dir = /x\n", &new, &seen), 0);
	assert_string_equal(server_conf_needs_restart(&old, &new), "policy_dir");
	server_conf_done(&new);
	server_conf_done(&old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_defaults),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(a_remote_address_needs_plain_words),
		cmocka_unit_test(bad_values_are_refused_with_line_and_reason),
		cmocka_unit_test(every_problem_is_reported_not_only_the_first),
		cmocka_unit_test(a_missing_file_is_one_problem_without_line),
		cmocka_unit_test(the_shipped_example_is_valid),
		cmocka_unit_test(the_shipped_example_shows_the_defaults),
		cmocka_unit_test(a_reload_names_the_key_that_needs_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
