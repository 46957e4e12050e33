/*
 * test_committer.c - the committer against the kernel, in a network namespace of its
 * own: what is installed after every kind of change, and that a fresh committer finds
 * nothing to change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aclserver/commit_lock.h"
#include "tests/unit/aclserver/committer_fixture.h"

enum { RANDOM_ROUNDS = 60, RANDOM_FILES = 12 };

/* ---- tests ---- */

static void
files_are_installed_in_byte_order_whenever_they_come(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_file(
		"50rest-m.rules", "[iptables]\n-A FORWARD -s 10.0.0.2/32 -j ACCEPT\n");
	assert_int_equal(commit(c, COMMIT_ALL, COMMIT_OK), 1);
	write_file(
		"50rest-z.rules", "[iptables]\n-A FORWARD -s 10.0.0.3/32 -j ACCEPT\n");
	assert_int_equal(commit_file(c, "50rest-z.rules", COMMIT_OK), 1);
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	assert_int_equal(commit_file(c, "50rest-a.rules", COMMIT_OK), 1);
	assert_string_equal(installed(forward),
		"-A FORWARD -s 10.0.0.1/32 -j ACCEPT|-A FORWARD -s 10.0.0.2/32 -j "
		"ACCEPT|"
		"-A FORWARD -s 10.0.0.3/32 -j ACCEPT");
	committer_free(c);
	assert_adopts();
}

static void
a_removed_file_leaves_nothing(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	remove_file("50rest-a.rules");
	assert_int_equal(commit_file(c, "50rest-a.rules", COMMIT_OK), 1);
	assert_string_equal(installed(forward), "");
	assert_null(strstr(nft_env_list("list ruleset"), "50rest"));
	committer_free(c);
	assert_adopts();
}

static void
what_did_not_change_keeps_its_handle(void **state)
{
	struct committer *c = new_committer();
	char before[64] = "", after[64] = "";
	const char *found;

	(void)state;
	write_file("20a.rules", "[iptables]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n"
				"-A INPUT -p tcp --dport 23 -j DROP\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	found = strstr(nft_env_list("-a list table inet tapgate"), "--dport 23");
	assert_non_null(found);
	snprintf(before, sizeof(before), "%.12s", strstr(found, "# handle"));
	write_file("20a.rules", "[iptables]\n-A INPUT -p tcp --dport 21 -j DROP\n"
				"-A INPUT -p tcp --dport 23 -j DROP\n");
	assert_int_equal(commit_file(c, "20a.rules", COMMIT_OK), 1);
	found = strstr(nft_env_list("-a list table inet tapgate"), "--dport 23");
	snprintf(after, sizeof(after), "%.12s", strstr(found, "# handle"));
	assert_string_equal(before, after);
	committer_free(c);
	assert_adopts();
}

static void
a_bad_rest_file_is_left_out_and_its_good_version_stays(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	write_file("50rest-a.rules", "[iptables]\n-A FORWARD --bogus\n");
	write_file(
		"50rest-b.rules", "[iptables]\n-A FORWARD -s 10.0.0.2/32 -j ACCEPT\n");
	committer_changed(c, NULL, NULL);
	assert_int_equal(commit(c, COMMIT_CHANGED, COMMIT_POLICY_ERROR), 1);
	assert_string_equal(installed(forward),
		"-A FORWARD -s 10.0.0.1/32 -j ACCEPT|-A FORWARD -s "
		"10.0.0.2/32 -j ACCEPT");
	remove_file("50rest-a.rules");
	assert_int_equal(commit_file(c, "50rest-a.rules", COMMIT_OK), 1);
	assert_string_equal(installed(forward), "-A FORWARD -s 10.0.0.2/32 -j ACCEPT");
	committer_free(c);
}

static void
after_a_boot_the_last_good_version_of_a_bad_rest_file_serves(void **state)
{
	struct committer *c = new_committer();
	const char *ignored;

	(void)state;
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	committer_free(c);
	write_file("50rest-a.rules", "[iptables]\n-A FORWARD --bogus\n");
	nft_env_run("nft flush ruleset", &ignored);
	c = new_committer();
	commit(c, COMMIT_ALL, COMMIT_POLICY_ERROR);
	assert_string_equal(installed(forward), "-A FORWARD -s 10.0.0.1/32 -j ACCEPT");
	committer_free(c);
}

static void
a_bad_operator_file_changes_nothing_at_all(void **state)
{
	struct committer *c = new_committer();

	(void)state;
	write_file("20op.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	write_file("20op.rules", "[iptables]\n-A FORWARD --bogus\n");
	write_file(
		"50rest-b.rules", "[iptables]\n-A FORWARD -s 10.0.0.2/32 -j ACCEPT\n");
	assert_int_equal(commit(c, COMMIT_ALL, COMMIT_POLICY_ERROR), 0);
	assert_string_equal(installed(forward), "-A FORWARD -s 10.0.0.1/32 -j ACCEPT");
	write_file("20op.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	/* The REST file was not forgotten, though only the other one is named now. */
	assert_int_equal(commit_file(c, "20op.rules", COMMIT_OK), 1);
	assert_string_equal(installed(forward),
		"-A FORWARD -s 10.0.0.1/32 -j ACCEPT|-A FORWARD -s "
		"10.0.0.2/32 -j ACCEPT");
	committer_free(c);
}

static void
a_ruleset_flushed_by_others_is_installed_again(void **state)
{
	struct committer *c = new_committer();
	const char *ignored;

	(void)state;
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	nft_env_run("nft flush ruleset", &ignored);
	write_file(
		"50rest-b.rules", "[iptables]\n-A FORWARD -s 10.0.0.2/32 -j ACCEPT\n");
	commit_file(c, "50rest-b.rules", COMMIT_OK);
	assert_string_equal(installed(forward),
		"-A FORWARD -s 10.0.0.1/32 -j ACCEPT|-A FORWARD -s "
		"10.0.0.2/32 -j ACCEPT");
	committer_free(c);
	assert_adopts();
}

/* As tapgate-acl -F does it: the tables go, and the others are told. */
static void
remove_on_purpose(void)
{
	struct commit_lock lock;
	const char *ignored;
	struct err err;
	bool changed;

	assert_int_equal(commit_lock_open(&lock, dir, &err), 0);
	assert_int_equal(commit_lock_take(&lock, 1000, &changed, &err), 0);
	assert_int_equal(nft_env_run("nft delete table inet tapgate", &ignored), 0);
	assert_int_equal(nft_env_run("nft delete table bridge tapgate", &ignored), 0);
	assert_int_equal(commit_lock_bump(&lock, &err), 0);
	commit_lock_close(&lock);
}

static void
missing_tables_are_noticed_unless_they_were_removed_on_purpose(void **state)
{
	struct committer *c = new_committer();
	const char *ignored;

	(void)state;
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_true(committer_is_intact(c));
	nft_env_run("nft delete table bridge tapgate", &ignored);
	assert_false(committer_is_intact(c));
	assert_int_equal(commit(c, COMMIT_ALL, COMMIT_OK), 1);
	assert_true(committer_is_intact(c));
	remove_on_purpose();
	assert_true(committer_is_intact(c));
	/* The next commit brings everything back, as with cl-acltool. */
	assert_int_equal(commit(c, COMMIT_CHANGED, COMMIT_OK), 1);
	assert_string_equal(installed(forward), "-A FORWARD -s 10.0.0.1/32 -j ACCEPT");
	committer_free(c);
}

static void
what_does_not_belong_into_our_tables_is_removed(void **state)
{
	struct committer *c = new_committer();
	const char *ignored;

	(void)state;
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	committer_free(c);
	assert_int_equal(
		nft_env_run("nft 'add chain inet tapgate stranger; "
			    "add rule inet tapgate stranger drop; "
			    "insert rule inet tapgate filter_forward jump stranger; "
			    "add table inet other; add chain inet other c'",
			&ignored),
		0);
	c = new_committer();
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_null(strstr(nft_env_list("list ruleset"), "stranger"));
	assert_non_null(strstr(nft_env_list("list ruleset"), "table inet other"));
	assert_string_equal(installed(forward), "-A FORWARD -s 10.0.0.1/32 -j ACCEPT");
	committer_free(c);
}

static void
calls_in_the_wrong_order_are_put_right(void **state)
{
	struct committer *c = new_committer();
	const char *ignored;

	(void)state;
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	write_file(
		"50rest-b.rules", "[iptables]\n-A FORWARD -s 10.0.0.2/32 -j ACCEPT\n");
	commit(c, COMMIT_ALL, COMMIT_OK);
	committer_free(c);
	nft_env_run(
		"nft 'flush chain inet tapgate filter_forward; "
		"add rule inet tapgate filter_forward jump filter_forward/50rest-b; "
		"add rule inet tapgate filter_forward jump filter_forward/50rest-a'",
		&ignored);
	c = new_committer();
	commit(c, COMMIT_ALL, COMMIT_OK);
	assert_string_equal(installed(forward),
		"-A FORWARD -s 10.0.0.1/32 -j ACCEPT|-A FORWARD -s "
		"10.0.0.2/32 -j ACCEPT");
	committer_free(c);
	assert_adopts();
}

static void
a_check_changes_nothing(void **state)
{
	struct committer *c = new_committer();
	struct commit_result result;

	(void)state;
	write_file(
		"50rest-a.rules", "[iptables]\n-A FORWARD -s 10.0.0.1/32 -j ACCEPT\n");
	committer_commit(c, COMMIT_ALL, COMMIT_CHECK, &result);
	assert_int_equal(result.code, COMMIT_OK);
	commit_result_done(&result);
	assert_null(strstr(nft_env_list("list ruleset"), "tapgate"));
	assert_int_equal(commit(c, COMMIT_CHANGED, COMMIT_OK), 1);
	assert_string_equal(installed(forward), "-A FORWARD -s 10.0.0.1/32 -j ACCEPT");
	committer_free(c);
}

/* A random file: some rules in some sections and chains; sometimes bad, sometimes gone.
 */
static void
change_at_random(const char *name, unsigned *seed)
{
	static const struct {
		const char *before, *after; /* of a number */
	} lines[] = {
		{ "[iptables]\n-A FORWARD -s 10.0.0.", "/32 -j DROP\n" },
		{ "[iptables]\n-A FORWARD,INPUT -s 10.0.1.",
			"/32 -p tcp --dport 80 -j ACCEPT\n" },
		{ "[ip6tables]\n-A FORWARD -s 2001:db8::", "/128 -j DROP\n" },
		{ "[iptables]\n-t mangle -A FORWARD -s 10.0.2.",
			"/32 -j DSCP --set-dscp 10\n" },
		{ "[ebtables]\n-A FORWARD -s 02:00:00:00:00:", " -j DROP\n" },
		{ "[iptables]\n-A OUTPUT -p udp -m multiport --dports 53,1",
			" -j ACCEPT\n" },
	};
	char text[1024] = "";
	size_t len = 0;

	if (rand_r(seed) % 4 == 0) {
		remove_file(name);
		return;
	}
	for (int n = 1 + rand_r(seed) % 5; n > 0; n--) {
		size_t pick = (size_t)rand_r(seed) % (sizeof(lines) / sizeof(lines[0]));

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d%s",
			lines[pick].before, 10 + rand_r(seed) % 6, lines[pick].after);
	}
	write_file(name, text);
}

static void
whatever_changes_a_fresh_committer_finds_nothing_to_do(void **state)
{
	struct committer *c = new_committer();
	unsigned seed = 7;

	(void)state;
	commit(c, COMMIT_ALL, COMMIT_OK);
	for (int round = 0; round < RANDOM_ROUNDS; round++) {
		char policy_d[PATH_SIZE];

		snprintf(policy_d, sizeof(policy_d), "%s/policy.d", dir);
		for (int n = 1 + rand_r(&seed) % 3; n > 0; n--) {
			char name[64];

			snprintf(name, sizeof(name), "%s%02d.rules",
				rand_r(&seed) % 2 ? "50rest-f" : "30op",
				rand_r(&seed) % RANDOM_FILES);
			change_at_random(name, &seed);
			committer_changed(c, policy_d, name);
		}
		commit(c, COMMIT_CHANGED, COMMIT_OK);
		assert_adopts();
	}
	committer_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			files_are_installed_in_byte_order_whenever_they_come, setup),
		cmocka_unit_test_setup(a_removed_file_leaves_nothing, setup),
		cmocka_unit_test_setup(what_did_not_change_keeps_its_handle, setup),
		cmocka_unit_test_setup(
			a_bad_rest_file_is_left_out_and_its_good_version_stays, setup),
		cmocka_unit_test_setup(
			after_a_boot_the_last_good_version_of_a_bad_rest_file_serves,
			setup),
		cmocka_unit_test_setup(
			a_bad_operator_file_changes_nothing_at_all, setup),
		cmocka_unit_test_setup(
			a_ruleset_flushed_by_others_is_installed_again, setup),
		cmocka_unit_test_setup(
			missing_tables_are_noticed_unless_they_were_removed_on_purpose,
			setup),
		cmocka_unit_test_setup(
			what_does_not_belong_into_our_tables_is_removed, setup),
		cmocka_unit_test_setup(calls_in_the_wrong_order_are_put_right, setup),
		cmocka_unit_test_setup(a_check_changes_nothing, setup),
		cmocka_unit_test_setup(
			whatever_changes_a_fresh_committer_finds_nothing_to_do, setup),
	};

	return RUN_WITH_POLICY(tests);
}
