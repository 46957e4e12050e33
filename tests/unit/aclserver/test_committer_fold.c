/*
 * test_committer_fold.c - folded rules in the kernel: that they drop and count what the
 * same rules in chains would, whatever comes between them and goes again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "aclserver/acl_tool.h"
#include "tests/unit/aclserver/committer_fixture.h"

static const enum place output = BASE_INET_OUTPUT_FILTER * PLACE_GROUP_COUNT;

/* ---- helpers ---- */

/* One packet to @address through the OUTPUT chain; did it pass? */
static bool
passes(const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool passed;

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
	passed = sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1;
	close(fd);
	return passed;
}

/* "id:packets|id:packets" of the installed rules of OUTPUT. */
static const char *
counted(void)
{
	static char text[4096];
	struct kernel_rules rules;
	struct err err;
	struct nft *nft = nft_open(&err);
	size_t len = 0;

	assert_int_equal(kernel_rules_read(nft, &rules, &err), 0);
	text[0] = '\0';
	for (size_t i = 0; i < rules.n; i++)
		if (rules.items[i].place == output)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%s%s:%u", len ? "|" : "",
				rules.items[i].id + strlen("50rest-"),
				(unsigned)rules.items[i].packets);
	kernel_rules_done(&rules);
	nft_close(nft);
	return text;
}

static void
write_rule(const char *name, const char *address, const char *verdict)
{
	char text[256];

	snprintf(text, sizeof(text), "[iptables]\n-A OUTPUT -d %s -j %s\n", address,
		verdict);
	write_file(name, text);
}

static size_t
count_sets(void)
{
	const char *text = nft_env_list("list sets table inet tapgate");
	size_t n = 0;

	while ((text = strstr(text, "set filter_"))) {
		n++;
		text++;
	}
	return n;
}

/* ---- tests ---- */

static void
drops_of_rest_files_become_elements_of_one_set(void **state)
{
	struct committer *c = new_committer();
	const char *list;

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	write_rule("50rest-b.rules", "127.0.1.2", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	write_rule("50rest-c.rules", "127.0.1.3", "DROP");
	commit_file(c, "50rest-c.rules", COMMIT_OK);
	assert_int_equal(count_sets(), 1);
	list = nft_env_list("list table inet tapgate");
	assert_non_null(strstr(list, "127.0.1.3 counter packets 0 bytes 0 comment "
				     "\"-A OUTPUT -d 127.0.1.3/32 -j DROP\""));
	assert_null(strstr(list, "jump"));
	assert_non_null(strstr(list, "ip daddr @filter_output.1."));
	assert_false(passes("127.0.1.1"));
	assert_false(passes("127.0.1.3"));
	assert_true(passes("127.0.1.4"));
	assert_string_equal(counted(), "a:1|b:0|c:1");
	committer_free(c);
	assert_adopts();
}

static void
prefixes_ports_and_interfaces_match_as_in_a_rule(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_file("50rest-a.rules",
		"[iptables]\n-A OUTPUT -o lo -d 127.0.1.0/24 -p udp --dport 9 -j DROP\n"
		"-A OUTPUT -o l+ -d 127.0.2.0/25 -j DROP\n"
		"-A OUTPUT -p udp --dport 8:9 -d 127.0.3.1 -s 127.0.0.0/8 -j DROP\n"
		"-A OUTPUT -o eth+ -d 127.0.4.1 -j DROP\n"
		"-A OUTPUT -p tcp --dport 9 -d 127.0.5.1 -j DROP\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_int_equal(count_sets(), 5);
	assert_null(strstr(nft_env_list("list table inet tapgate"), "jump"));
	assert_false(passes("127.0.1.77"));
	assert_false(passes("127.0.2.127"));
	assert_true(passes("127.0.2.128"));
	assert_false(passes("127.0.3.1"));
	assert_true(passes("127.0.3.2"));
	assert_true(passes("127.0.4.1"));
	assert_true(passes("127.0.5.1"));
	assert_string_equal(counted(), "a:1|a:1|a:1|a:0|a:0");
	/* Other programs read all tables by way of libnftables. */
	assert_non_null(strstr(nft_env_list("-j list ruleset"), "filter_output.1."));
	assert_non_null(strstr(nft_env_list("list ruleset"), "oifname \"eth*\""));
	committer_free(c);
	assert_adopts();
}

static void
rules_that_accept_divide_what_is_folded(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	write_rule("50rest-b.rules", "127.0.1.0/24", "ACCEPT");
	write_rule("50rest-c.rules", "127.0.1.1", "DROP");
	write_rule("50rest-d.rules", "127.0.1.2", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_int_equal(count_sets(), 2);
	assert_false(passes("127.0.1.1"));
	assert_true(passes("127.0.1.2"));
	assert_string_equal(counted(), "a:1|b:1|c:0|d:0");
	assert_adopts();
	remove_file("50rest-a.rules");
	commit_file(c, "50rest-a.rules", COMMIT_OK);
	assert_true(passes("127.0.1.1"));
	remove_file("50rest-b.rules");
	commit_file(c, "50rest-b.rules", COMMIT_OK);
	assert_false(passes("127.0.1.1"));
	assert_false(passes("127.0.1.2"));
	assert_string_equal(counted(), "c:1|d:1");
	committer_free(c);
	assert_adopts();
}

static void
counters_stay_when_runs_part_and_join(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	write_rule("50rest-c.rules", "127.0.1.3", "DROP");
	write_rule("50rest-d.rules", "127.0.1.4", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	passes("127.0.1.1");
	passes("127.0.1.3");
	passes("127.0.1.3");
	passes("127.0.1.4");
	assert_string_equal(counted(), "a:1|c:2|d:1");
	write_rule("50rest-b.rules", "127.0.1.2", "ACCEPT");
	commit_file(c, "50rest-b.rules", COMMIT_OK);
	assert_int_equal(count_sets(), 2);
	assert_string_equal(counted(), "a:1|b:0|c:2|d:1");
	assert_adopts();
	assert_false(passes("127.0.1.1"));
	remove_file("50rest-b.rules");
	commit_file(c, "50rest-b.rules", COMMIT_OK);
	assert_int_equal(count_sets(), 1);
	assert_string_equal(counted(), "a:2|c:2|d:1");
	committer_free(c);
	assert_adopts();
}

static void
a_chain_that_only_drops_leaves_a_run_whole(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	write_file("50rest-b.rules",
		"[iptables]\n-A OUTPUT -d 127.0.1.2 -p udp --dport 1:65000 -j DROP\n");
	write_rule("50rest-c.rules", "127.0.1.3", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_int_equal(count_sets(), 1);
	passes("127.0.1.1");
	passes("127.0.1.2");
	passes("127.0.1.3");
	assert_string_equal(counted(), "a:1|c:1|b:1");
	assert_adopts();
	/* Now it divides, and is called where it belongs. */
	write_file("50rest-b.rules",
		"[iptables]\n-A OUTPUT -d 127.0.1.2 -p udp --dport 1:65000 -j DROP\n"
		"-A OUTPUT -d 127.0.1.3 -j ACCEPT\n");
	commit_file(c, "50rest-b.rules", COMMIT_OK);
	assert_int_equal(count_sets(), 2);
	assert_true(passes("127.0.1.3"));
	assert_string_equal(counted(), "a:1|b:1|b:1|c:1");
	assert_adopts();
	write_file("50rest-b.rules",
		"[iptables]\n-A OUTPUT -d 127.0.1.2 -p udp --dport 1:65000 -j DROP\n");
	commit_file(c, "50rest-b.rules", COMMIT_OK);
	assert_int_equal(count_sets(), 1);
	assert_false(passes("127.0.1.3"));
	assert_string_equal(counted(), "a:1|c:2|b:1");
	committer_free(c);
	assert_adopts();
}

static void
the_next_file_takes_a_shared_element_over(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_rule("50rest-b.rules", "127.0.1.1", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	passes("127.0.1.1");
	write_rule("50rest-c.rules", "127.0.1.1", "DROP");
	assert_int_equal(commit_file(c, "50rest-c.rules", COMMIT_OK), 1);
	assert_string_equal(counted(), "b:1");
	assert_adopts();
	/* It comes first now, and so counts. */
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	commit_file(c, "50rest-a.rules", COMMIT_OK);
	assert_string_equal(counted(), "a:0");
	remove_file("50rest-a.rules");
	remove_file("50rest-b.rules");
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_false(passes("127.0.1.1"));
	assert_string_equal(counted(), "c:1");
	committer_free(c);
	assert_adopts();
}

static void
a_file_moves_between_chain_and_set(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_file("50rest-a.rules", "[iptables]\n-A OUTPUT -d 127.0.1.1 -j DROP\n"
				     "-A OUTPUT -d 127.0.1.2 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	passes("127.0.1.1");
	assert_int_equal(count_sets(), 0);
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	commit_file(c, "50rest-a.rules", COMMIT_OK);
	assert_int_equal(count_sets(), 1);
	assert_null(strstr(nft_env_list("list table inet tapgate"), "50rest-a {"));
	assert_string_equal(counted(), "a:1");
	assert_adopts();
	write_file("50rest-a.rules", "[iptables]\n-A OUTPUT -d 127.0.1.1 -j DROP\n"
				     "-A OUTPUT -d 127.0.1.2 -j ACCEPT\n");
	commit_file(c, "50rest-a.rules", COMMIT_OK);
	assert_int_equal(count_sets(), 0);
	assert_string_equal(counted(), "a:0|a:0");
	committer_free(c);
	assert_adopts();
}

static void
a_bad_file_keeps_its_elements_also_over_a_restart(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	write_rule("50rest-b.rules", "127.0.1.2", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	passes("127.0.1.1");
	write_file("50rest-a.rules", "[iptables]\n-A OUTPUT --bogus\n");
	assert_int_equal(commit_file(c, "50rest-a.rules", COMMIT_POLICY_ERROR), 0);
	assert_string_equal(counted(), "a:1|b:0");
	committer_free(c);
	c = new_committer();
	assert_int_equal(commit(c, COMMIT_ALL, COMMIT_POLICY_ERROR), 0);
	assert_string_equal(counted(), "a:1|b:0");
	committer_free(c);
}

static void
lookups_that_others_removed_or_moved_are_put_right(void **state)
{
	struct committer *c = new_committer();
	const char *ignored;

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	write_rule("50rest-b.rules", "127.0.1.0/24", "ACCEPT");
	write_rule("50rest-c.rules", "127.0.1.3", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	committer_free(c);
	passes("127.0.1.1");
	assert_string_equal(counted(), "a:1|b:0|c:0");
	nft_env_run("nft flush chain inet tapgate filter_output", &ignored);
	c = new_committer();
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_string_equal(counted(), "a:1|b:0|c:0");
	assert_false(passes("127.0.1.1"));
	assert_true(passes("127.0.1.3"));
	committer_free(c);
	assert_adopts();
}

static void
sets_of_others_are_removed(void **state)
{
	struct committer *c = new_committer();
	const char *ignored;

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	committer_free(c);
	assert_int_equal(nft_env_run("nft 'add set inet tapgate stranger { type "
				     "ipv4_addr; }; add rule inet tapgate "
				     "filter_output ip saddr @stranger drop'",
				 &ignored),
		0);
	c = new_committer();
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_null(strstr(nft_env_list("list ruleset"), "stranger"));
	assert_string_equal(counted(), "a:0");
	committer_free(c);
	assert_adopts();
}

static void
a_check_changes_no_element(void **state)
{
	struct committer *c = new_committer();
	struct commit_result result;

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	write_rule("50rest-c.rules", "127.0.1.3", "DROP");
	commit(c, COMMIT_ALL, COMMIT_OK);
	write_rule("50rest-b.rules", "127.0.1.2", "ACCEPT");
	remove_file("50rest-c.rules");
	committer_commit(c, COMMIT_ALL, COMMIT_CHECK, &result);
	assert_int_equal(result.code, COMMIT_OK);
	assert_int_equal(result.n_changed, 1);
	commit_result_done(&result);
	assert_string_equal(counted(), "a:0|c:0");
	commit(c, COMMIT_CHANGED, COMMIT_OK);
	assert_string_equal(counted(), "a:0|b:0");
	committer_free(c);
	assert_adopts();
}

static void
the_tool_zeroes_and_flushes_elements(void **state)
{
	struct acl_tool tool = {
		.policy_conf = conf_path, .run_dir = dir, .state_dir = dir
	};
	struct committer *c = new_tool();

	(void)state;
	write_rule("50rest-a.rules", "127.0.1.1", "DROP");
	write_rule("50rest-b.rules", "127.0.1.2", "ACCEPT");
	commit(c, COMMIT_ALL, COMMIT_OK);
	passes("127.0.1.1");
	passes("127.0.1.2");
	assert_string_equal(counted(), "a:1|b:1");
	assert_int_equal(acl_tool_zero(&tool, ACL_KIND_IP6), ACL_EXIT_OK);
	assert_string_equal(counted(), "a:1|b:1");
	assert_int_equal(acl_tool_zero(&tool, ACL_KIND_ALL), ACL_EXIT_OK);
	assert_string_equal(counted(), "a:0|b:0");
	assert_false(passes("127.0.1.1"));
	assert_int_equal(acl_tool_flush(&tool, ACL_KIND_IP), ACL_EXIT_OK);
	assert_string_equal(counted(), "");
	assert_true(passes("127.0.1.1"));
	commit(c, COMMIT_CHANGED, COMMIT_OK);
	assert_string_equal(counted(), "a:0|b:0");
	committer_free(c);
	assert_adopts();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			drops_of_rest_files_become_elements_of_one_set, setup),
		cmocka_unit_test_setup(
			prefixes_ports_and_interfaces_match_as_in_a_rule, setup),
		cmocka_unit_test_setup(rules_that_accept_divide_what_is_folded, setup),
		cmocka_unit_test_setup(counters_stay_when_runs_part_and_join, setup),
		cmocka_unit_test_setup(
			a_chain_that_only_drops_leaves_a_run_whole, setup),
		cmocka_unit_test_setup(
			the_next_file_takes_a_shared_element_over, setup),
		cmocka_unit_test_setup(a_file_moves_between_chain_and_set, setup),
		cmocka_unit_test_setup(
			a_bad_file_keeps_its_elements_also_over_a_restart, setup),
		cmocka_unit_test_setup(
			lookups_that_others_removed_or_moved_are_put_right, setup),
		cmocka_unit_test_setup(sets_of_others_are_removed, setup),
		cmocka_unit_test_setup(a_check_changes_no_element, setup),
		cmocka_unit_test_setup(the_tool_zeroes_and_flushes_elements, setup),
	};

	return RUN_WITH_POLICY(tests);
}
