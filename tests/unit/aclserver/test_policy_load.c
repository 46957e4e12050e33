/*
 * test_policy_load.c - policy.conf, -p and -P resolved to includes and watches.
 */
#include "policy_load_fixture.h"

static void
missing_policy_conf_means_policy_d_beside_it(void **state)
{
	struct fixture *f = *state;
	char path[128];

	mkdir("policy.d", 0700);
	put("policy.d/a.rules", "");
	snprintf(path, sizeof(path), "%s/policy.conf", f->path);
	load_conf(f, path);
	list(f);
	assert_int_equal(f->files.n, 1);
	assert_string_equal(f->files.items[0].name, "a.rules");
	assert_int_equal(f->load->vars.n, 0);
}

static void
relative_includes_start_at_the_including_file(void **state)
{
	struct fixture *f = *state;

	mkdir("etc", 0700);
	mkdir("etc/acl", 0700);
	put("etc/acl/policy.conf", "include ../x.rules\ninclude one\n");
	put("etc/x.rules", "");
	put("etc/acl/one", "");
	load_conf(f, "etc/acl/policy.conf");
	list(f);
	assert_files(f, "etc/acl/../x.rules\netc/acl/one\n");
}

static void
includes_keep_their_order_and_variables_are_kept(void **state)
{
	struct fixture *f = *state;

	mkdir("a", 0700);
	mkdir("b", 0700);
	put("a/2", "");
	put("b/1", "");
	put("policy.conf", "D = b\ninclude $D/*\ninclude a/*\n");
	load_conf(f, "policy.conf");
	list(f);
	assert_files(f, "b/1\na/2\n");
	assert_string_equal(f->load->vars.items[0].value, "b");
}

static void
every_impossible_include_is_an_error(void **state)
{
	struct fixture *f = *state;

	put("policy.conf", "include */x\ninclude d/\ninclude ..\ninclude ok\n");
	assert_int_equal(policy_load_conf("policy.conf", &f->load, &f->diags), -EINVAL);
	assert_null(f->load);
	assert_diags(f, "policy.conf:1: include \"*/x\": a wildcard may stand in the "
			"last "
			"part of the path only\n"
			"policy.conf:2: include \"d/\": names a directory; write "
			"DIRECTORY/*.rules\n"
			"policy.conf:3: include \"..\": names a directory; write "
			"DIRECTORY/*.rules\n");
}

static void
syntax_errors_and_unreadable_files_are_reported(void **state)
{
	struct fixture *f = *state;

	put("policy.conf", "-A INPUT\n");
	assert_int_equal(policy_load_conf("policy.conf", &f->load, &f->diags), -EINVAL);
	assert_int_equal(policy_load_conf(".", &f->load, &f->diags), -EINVAL);
	assert_int_equal(
		policy_load_conf("policy.conf/x", &f->load, &f->diags), -ENOTDIR);
	assert_null(f->load);
	assert_diags(f, "policy.conf:1: expected \"include PATH\" or NAME = VALUE: "
			"-A INPUT\n"
			".: cannot be read: not a regular file\n"
			"policy.conf/x: cannot be read: Not a directory\n");
}

static void
too_many_includes_are_an_error(void **state)
{
	struct fixture *f = *state;
	FILE *out = fopen("policy.conf", "we");

	assert_non_null(out);
	for (int i = 0; i <= POLICY_LOAD_INCLUDES_MAX; i++)
		fprintf(out, "include %d\n", i);
	fclose(out);
	assert_int_equal(policy_load_conf("policy.conf", &f->load, &f->diags), -EINVAL);
	assert_diags(f, "policy.conf: more than 1000 includes\n");
}

static void
named_files_keep_their_order(void **state)
{
	struct fixture *f = *state;
	const char *const paths[] = { "z", "d/a~", "z", "./z", "b*" };
	struct err err;

	mkdir("d", 0700);
	put("z", "");
	put("d/a~", "");
	put("b*", "");
	put("bcd", "");
	assert_int_equal(policy_load_files(paths, 5, &f->load, &err), 0);
	list(f);
	assert_files(f, "z\nd/a~\nb*\n");
	assert_int_equal(f->load->n_triggers, 0);
}

static void
all_missing_named_files_are_listed(void **state)
{
	struct fixture *f = *state;
	const char *const paths[] = { "sample_count.rules", "z", "d", "none/x" };
	struct err err;

	put("z", "");
	mkdir("d", 0700);
	assert_int_equal(policy_load_files(paths, 1, &f->load, &err), -ENOENT);
	assert_string_equal(
		err.text, "Cannot find policy files: ['sample_count.rules']");
	assert_int_equal(policy_load_files(paths, 4, &f->load, &err), -ENOENT);
	assert_string_equal(err.text,
		"Cannot find policy files: ['sample_count.rules', 'd', 'none/x']");
	assert_null(f->load);
}

static void
directory_gives_every_file_whatever_its_suffix(void **state)
{
	struct fixture *f = *state;
	struct err err;

	mkdir("rules", 0700);
	mkdir("rules/sub", 0700);
	put("rules/02.rules", "");
	put("rules/01_http_rules.txt", "");
	put("rules/01_http_rules.txt~", "");
	assert_int_equal(policy_load_dir("./rules//", &f->load, &err), 0);
	list(f);
	assert_files(f, "./rules/01_http_rules.txt\n./rules/02.rules\n");
}

static void
missing_directory_is_named(void **state)
{
	struct fixture *f = *state;
	struct err err;

	put("file", "");
	assert_int_equal(policy_load_dir("none", &f->load, &err), -ENOENT);
	assert_string_equal(err.text, "Cannot find policy dir none");
	assert_int_equal(policy_load_dir("file", &f->load, &err), -ENOENT);
	assert_string_equal(err.text, "Cannot find policy dir file");
	assert_null(f->load);
}

static void
missing_directories_are_awaited_at_their_nearest_ancestor(void **state)
{
	struct fixture *f = *state;
	struct policy_key key;
	size_t missing;

	mkdir("d", 0700);
	put("policy.conf", "include d/e/f/*.rules\n");
	load_conf(f, "policy.conf");
	assert_int_equal(policy_load_resolve(f->load, watch_of(f, "d"), "e", &key),
		POLICY_LOAD_RESCAN);
	assert_int_equal(policy_load_resolve(f->load, watch_of(f, "d"), "f", &key),
		POLICY_LOAD_NOTHING);
	missing = f->load->includes[0].watch;
	assert_false(f->load->watches[missing].exists);
	assert_true(f->load->watches[watch_of(f, "d")].exists);
	assert_true(f->load->watches[watch_of(f, "")].exists);
}

static void
what_is_missing_at_first_is_found_later(void **state)
{
	struct fixture *f = *state;
	struct policy_key key;
	char path[128];

	snprintf(path, sizeof(path), "%s/etc/acl/policy.conf", f->path);
	load_conf(f, path);
	assert_int_equal(policy_load_resolve(f->load, watch_of(f, ""), "etc", &key),
		POLICY_LOAD_RESCAN);
	assert_int_equal(policy_load_list(f->load, &f->files, &f->diags), -EINVAL);
	mkdir("etc", 0700);
	mkdir("etc/acl", 0700);
	mkdir("etc/acl/policy.d", 0700);
	put("etc/acl/policy.d/a.rules", "");
	policy_load_free(f->load);
	load_conf(f, path);
	policy_files_done(&f->files);
	list(f);
	assert_int_equal(f->files.n, 1);
	assert_true(f->load->watches[watch_of(f, "etc/acl/policy.d")].exists);
	assert_true(f->load->watches[watch_of(f, "etc/acl")].exists);
}

static void
root_is_the_last_ancestor(void **state)
{
	struct fixture *f = *state;
	struct policy_key key;

	load_conf(f, "/tapgate-no-such-directory/acl/policy.conf");
	assert_string_equal(f->load->watches[0].path, "/");
	assert_int_equal(
		policy_load_resolve(f->load, 0, "tapgate-no-such-directory", &key),
		POLICY_LOAD_RESCAN);
	assert_string_equal(f->load->watches[1].path, "/tapgate-no-such-directory/acl");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(missing_policy_conf_means_policy_d_beside_it),
		TEST(relative_includes_start_at_the_including_file),
		TEST(includes_keep_their_order_and_variables_are_kept),
		TEST(every_impossible_include_is_an_error),
		TEST(syntax_errors_and_unreadable_files_are_reported),
		TEST(too_many_includes_are_an_error),
		TEST(named_files_keep_their_order),
		TEST(all_missing_named_files_are_listed),
		TEST(directory_gives_every_file_whatever_its_suffix),
		TEST(missing_directory_is_named),
		TEST(missing_directories_are_awaited_at_their_nearest_ancestor),
		TEST(what_is_missing_at_first_is_found_later),
		TEST(root_is_the_last_ancestor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
