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
		"anybody who reaches it may change the ACLs");
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

static const struct listen_addr *
parse_one(const char *text, struct server_conf *conf, struct listen_list *list)
{
	struct seen seen;

	assert_int_equal(parse(text, conf, &seen), 0);
	server_conf_listen(conf, list);
	return &list->items[list->n - 1];
}

static void
a_list_of_addresses_takes_the_place_of_address_and_port(void **state)
{
	struct listen_list list, direct, fronted;
	struct server_conf conf;
	const struct listen_addr *last;
	char url[LISTEN_TEXT_SIZE];

	(void)state;
	last = parse_one("address = ::1\n", &conf, &list);
	listen_addr_format(last, url);
	assert_string_equal(url, "http://[::1]:8080");
	assert_false(listen_addr_is_direct(last));
	server_conf_done(&conf);

	last = parse_one("listen = 127.0.0.1:8080 http://[::1]:8081, "
			 "0.0.0.0:8082, 192.0.2.1:8080, https://127.0.0.1:8443\n"
			 "tls_certificate = /c\ntls_key = /k\n"
			 "allow_unauthenticated_remote = yes\n",
		&conf, &list);
	assert_int_equal(list.n, 5);
	listen_addr_format(last, url);
	assert_string_equal(url, "https://127.0.0.1:8443");
	server_conf_split(&conf, &direct, &fronted);
	assert_int_equal(direct.n, 1);
	assert_int_equal(direct.items[0].port, 8080);
	assert_int_equal(fronted.n, 4);
	assert_int_equal(fronted.items[1].port, 8082);
	server_conf_done(&conf);
}

static void
addresses_that_are_none_are_refused(void **state)
{
	(void)state;
	assert_refused("listen = 127.0.0.1", 1, "ADDRESS:PORT");
	assert_refused("listen = ::1:8080", 1, "IPv6 stands in brackets");
	assert_refused("listen = [127.0.0.1]:8080", 1, "IPv6 stands in brackets");
	assert_refused("listen = [::1]8080", 1, "ADDRESS:PORT");
	assert_refused("listen = 127.0.0.1:x", 1, "\"x\" is no port");
	assert_refused("listen = 127.0.0.1:99999", 1, "is no port");
	assert_refused("listen = 127.0.0.1:443", 1, "ports below 1024");
	assert_refused("listen = ftp://127.0.0.1:8080", 1, "is no IP address");
	assert_refused("listen = [::1]:8080 [0::1]:8080", 1, "twice");
	assert_refused("listen = ,", 1, "there is no address");
	assert_refused("listen = 127.0.0.1:8081\nport = 8080", 1,
		"takes the place of address and port");
	assert_refused("allow_from = 10.0.0.0/33", 1, "no IP address or prefix");
}

static void
settings_for_tls_and_https_need_each_other(void **state)
{
	(void)state;
	assert_refused(
		"listen = https://127.0.0.1:8443", 1, "needs tls_certificate and");
	assert_refused("listen = https://127.0.0.1:8443\ntls_key = /k", 1,
		"needs tls_certificate and");
	assert_refused("tls_certificate = /c\ntls_key = /k", 0, "no https:// address");
	assert_refused("\ntls_client = optional", 2, "needs tls_client_ca");
	assert_refused("tls_client = maybe", 1, "neither required nor optional");
}

static void
assert_accepted(const char *text)
{
	struct server_conf conf;
	struct seen seen;

	assert_int_equal(parse(text, &conf, &seen), 0);
	server_conf_done(&conf);
}

#define TLS "tls_certificate = /c\ntls_key = /k\n"

static void
a_remote_address_needs_some_restriction(void **state)
{
	static const char needed[] = "allow_unauthenticated_remote = yes";

	(void)state;
	assert_refused("listen = [::]:8080", 1, needed);
	assert_refused("listen = 127.0.0.1:8080 192.0.2.1:8080", 1, needed);
	assert_refused("listen = https://[::]:8443\n" TLS, 1, needed);
	/* A certificate that one may leave out keeps nobody away. */
	assert_refused("listen = https://[::]:8443\ntls_client_ca = /a\n"
		       "tls_client = optional\n" TLS,
		1, needed);
	assert_refused("listen = https://[::]:8443 [::]:8080\ntls_client_ca = /a\n" TLS,
		1, needed);
	assert_accepted("listen = https://[::]:8443\ntls_client_ca = /a\n" TLS);
	assert_accepted("listen = [::]:8080\ntokens = /t\n");
	assert_accepted("listen = [::]:8080\nallow_from = 2001:db8::/32\n");
	assert_accepted("listen = [::1]:8080\n");
}

static void
prefixes_admit_what_lies_in_them(void **state)
{
	static const struct {
		const char *addr;
		bool in;
	} cases[] = {
		{ "10.1.2.3", true },
		{ "10.2.2.3", false },
		{ "192.0.2.7", true },
		{ "192.0.2.8", false },
		{ "2001:db8:8::1", true },
		{ "2001:db8:18::1", false },
		{ "::1", false },
	};
	struct prefix_list list;
	struct err err;

	(void)state;
	assert_int_equal(
		prefix_list_parse("10.1.0.0/16, 192.0.2.7 2001:db8::/44", &list, &err),
		0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parse_addr addr;

		assert_int_equal(parse_addr(cases[i].addr, &addr), 0);
		assert_int_equal(prefix_list_has(&list, &addr), cases[i].in);
	}
}

static void
bad_values_are_refused_with_line_and_reason(void **state)
{
	(void)state;
	assert_refused("\nport = 80\n", 2, "ports below 1024");
	assert_refused("port = 70000", 1, "out of range");
	assert_refused("address = localhost", 1, "is not an IP address");
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
		cmocka_unit_test(
			a_list_of_addresses_takes_the_place_of_address_and_port),
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(settings_for_tls_and_https_need_each_other),
		cmocka_unit_test(a_remote_address_needs_some_restriction),
		cmocka_unit_test(prefixes_admit_what_lies_in_them),
		cmocka_unit_test(bad_values_are_refused_with_line_and_reason),
		cmocka_unit_test(every_problem_is_reported_not_only_the_first),
		cmocka_unit_test(a_missing_file_is_one_problem_without_line),
		cmocka_unit_test(the_shipped_example_is_valid),
		cmocka_unit_test(the_shipped_example_shows_the_defaults),
		cmocka_unit_test(a_reload_names_the_key_that_needs_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
