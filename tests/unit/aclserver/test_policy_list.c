/*
 * test_policy_list.c - which files belong to the includes, listed and one by one.
 */
#include "policy_load_fixture.h"

static void
glob_lists_in_byte_order(void **state)
{
	struct fixture *f = *state;

	mkdir("policy.d", 0700);
	put("policy.conf", "include policy.d/*.rules\n");
	put("policy.d/99z.rules", "");
	put("policy.d/000acl.rules", "");
	put("policy.d/50rest-b.rules", "");
	put("policy.d/50rest-B.rules", "");
	put("policy.d/50_nvue.rules", "");
	put("policy.d/other.txt", "");
	load_conf(f, "policy.conf");
	list(f);
	assert_files(f, "policy.d/000acl.rules\npolicy.d/50_nvue.rules\n"
			"policy.d/50rest-B.rules\npolicy.d/50rest-b.rules\n"
			"policy.d/99z.rules\n");
}

static void
file_is_listed_once_at_its_first_include(void **state)
{
	struct fixture *f = *state;
	char text[256];

	mkdir("d", 0700);
	assert_int_equal(symlink("d", "link"), 0);
	put("d/a.rules", "");
	put("d/b.rules", "");
	put("d/c.rules", "");
	snprintf(text, sizeof(text),
		"include d/b.rules\ninclude d/*.rules\ninclude link/a.rules\n"
		"include %s/d/[abc]*\n",
		f->path);
	put("policy.conf", text);
	load_conf(f, "policy.conf");
	list(f);
	assert_files(f, "d/b.rules\nd/a.rules\nd/c.rules\n");
	assert_diags(f, "");
}

static void
leavings_and_directories_are_no_matches(void **state)
{
	struct fixture *f = *state;

	put("policy.conf", "include d/*\n");
	mkdir("d", 0700);
	mkdir("d/sub.rules", 0700);
	put("d/.hidden", "");
	put("d/x.rules~", "");
	put("d/#x.rules#", "");
	put("d/x.rules.dpkg-old", "");
	put("d/.dpkg-new", "");
	put("d/#comment", "");
	put("d/x.rules", "");
	load_conf(f, "policy.conf");
	list(f);
	assert_files(f, "d/#comment\nd/x.rules\n");
}

static void
broken_link_is_listed_so_that_reading_it_fails(void **state)
{
	struct fixture *f = *state;

	put("policy.conf", "include d/*\n");
	mkdir("d", 0700);
	assert_int_equal(symlink("nowhere", "d/x.rules"), 0);
	load_conf(f, "policy.conf");
	list(f);
	assert_files(f, "d/x.rules\n");
}

static void
every_missing_plain_file_is_an_error(void **state)
{
	struct fixture *f = *state;

	put("policy.conf",
		"include a\ninclude none/*.rules\ninclude none/b\ninclude d\n");
	mkdir("d", 0700);
	load_conf(f, "policy.conf");
	assert_int_equal(policy_load_list(f->load, &f->files, &f->diags), -EINVAL);
	assert_diags(f, "policy.conf:1: include \"a\": no such file\n"
			"policy.conf:2: include \"none/*.rules\": no such directory\n"
			"policy.conf:3: include \"none/b\": no such file\n"
			"policy.conf:4: include \"d\": not a regular file\n");
	assert_int_equal(f->files.n, 0);
}

static void
plain_file_behind_a_glob_still_has_to_exist(void **state)
{
	struct fixture *f = *state;

	put("policy.conf", "include d/*\ninclude d/a\n");
	mkdir("d", 0700);
	load_conf(f, "policy.conf");
	assert_int_equal(policy_load_list(f->load, &f->files, &f->diags), -EINVAL);
	assert_diags(f, "policy.conf:2: include \"d/a\": no such file\n");
}

static void
empty_glob_is_fine(void **state)
{
	struct fixture *f = *state;

	put("policy.conf", "include d/*.rules\ninclude *.rules\n");
	mkdir("d", 0700);
	load_conf(f, "policy.conf");
	list(f);
	assert_files(f, "");
	assert_diags(f, "");
}

static void
missing_directory_is_no_policy_without_rules(void **state)
{
	struct fixture *f = *state;

	put("policy.conf", "include none/*.rules\n");
	load_conf(f, "policy.conf");
	assert_int_equal(policy_load_list(f->load, &f->files, &f->diags), -EINVAL);
	assert_diags(f, "policy.conf:1: include \"none/*.rules\": no such directory\n");
}

static void
named_file_that_vanished_is_an_error(void **state)
{
	struct fixture *f = *state;
	const char *const paths[] = { "z" };
	struct err err;

	put("z", "");
	assert_int_equal(policy_load_files(paths, 1, &f->load, &err), 0);
	unlink("z");
	assert_int_equal(policy_load_list(f->load, &f->files, &f->diags), -EINVAL);
	assert_diags(f, "z: no such file\n");
}

static void
directory_that_became_a_file_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err err;

	mkdir("rules", 0700);
	assert_int_equal(policy_load_dir("rules", &f->load, &err), 0);
	rmdir("rules");
	put("rules", "");
	assert_int_equal(policy_load_list(f->load, &f->files, &f->diags), -EINVAL);
	assert_diags(f, "rules/: Not a directory\n");
}

static void
resolving_a_name_gives_the_key_that_listing_gives(void **state)
{
	struct fixture *f = *state;

	mkdir("d", 0700);
	mkdir("e", 0700);
	put("policy.conf", "include e/x\ninclude d/5*\ninclude d/*.rules\n");
	put("e/x", "");
	put("e/y", "");
	put("d/50.rules", "");
	put("d/10.rules", "");
	put("d/10.txt", "");
	put("d/.50", "");
	load_conf(f, "policy.conf");
	list(f);
	assert_files(f, "e/x\nd/50.rules\nd/10.rules\n");
	for (size_t i = 0; i < f->files.n; i++) {
		const struct policy_key *listed = &f->files.items[i];
		size_t watch = f->load->includes[listed->include].watch;
		struct policy_key key;

		assert_int_equal(
			policy_load_resolve(f->load, watch, listed->name, &key),
			POLICY_LOAD_FILE);
		assert_int_equal(policy_key_cmp(&key, listed), 0);
	}
}

static void
resolving_knows_what_concerns_nobody(void **state)
{
	struct fixture *f = *state;
	struct policy_key key;

	mkdir("d", 0700);
	put("policy.conf", "include d/*.rules\n");
	load_conf(f, "policy.conf");
	assert_int_equal(f->load->n_watches, 2);
	assert_int_equal(policy_load_resolve(f->load, watch_of(f, "d"), "a.txt", &key),
		POLICY_LOAD_NOTHING);
	assert_int_equal(
		policy_load_resolve(f->load, watch_of(f, "d"), ".a.rules", &key),
		POLICY_LOAD_NOTHING);
	assert_int_equal(policy_load_resolve(f->load, watch_of(f, ""), "a.rules", &key),
		POLICY_LOAD_NOTHING);
	assert_int_equal(
		policy_load_resolve(f->load, watch_of(f, "d"), "policy.conf", &key),
		POLICY_LOAD_NOTHING);
	assert_int_equal(
		policy_load_resolve(f->load, watch_of(f, "d"), "new.rules", &key),
		POLICY_LOAD_FILE);
	assert_int_equal(
		policy_load_resolve(f->load, watch_of(f, ""), "policy.conf", &key),
		POLICY_LOAD_RESCAN);
}

static void
required_tells_files_that_are_named(void **state)
{
	struct fixture *f = *state;
	const struct policy_load_include *include;
	struct policy_key key;
	size_t d;

	mkdir("d", 0700);
	put("policy.conf", "include d/*\n\ninclude d/a\n");
	load_conf(f, "policy.conf");
	d = watch_of(f, "d");
	assert_int_equal(policy_load_resolve(f->load, d, "a", &key), POLICY_LOAD_FILE);
	assert_int_equal(key.include, 0);
	include = policy_load_required(f->load, &key);
	assert_non_null(include);
	assert_int_equal(include->line, 3);
	assert_int_equal(policy_load_resolve(f->load, d, "b", &key), POLICY_LOAD_FILE);
	assert_null(policy_load_required(f->load, &key));
}

static void
keys_are_ordered_by_include_then_bytes(void **state)
{
	const struct policy_key a = { 0, "z" }, b = { 1, "B" }, c = { 1, "a" },
				d = { 1, "\xc3\xa4" };

	(void)state;
	assert_true(policy_key_cmp(&a, &b) < 0);
	assert_true(policy_key_cmp(&b, &c) < 0);
	assert_true(policy_key_cmp(&c, &d) < 0);
	assert_true(policy_key_cmp(&d, &a) > 0);
	assert_int_equal(policy_key_cmp(&c, &c), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(glob_lists_in_byte_order),
		TEST(file_is_listed_once_at_its_first_include),
		TEST(leavings_and_directories_are_no_matches),
		TEST(broken_link_is_listed_so_that_reading_it_fails),
		TEST(every_missing_plain_file_is_an_error),
		TEST(plain_file_behind_a_glob_still_has_to_exist),
		TEST(empty_glob_is_fine),
		TEST(missing_directory_is_no_policy_without_rules),
		TEST(named_file_that_vanished_is_an_error),
		TEST(directory_that_became_a_file_is_an_error),
		TEST(resolving_a_name_gives_the_key_that_listing_gives),
		TEST(resolving_knows_what_concerns_nobody),
		TEST(required_tells_files_that_are_named),
		TEST(keys_are_ordered_by_include_then_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
