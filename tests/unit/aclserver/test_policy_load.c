/*
 * test_policy_load.c - policy.conf, -p and -P in a directory of their own.
 */
#include "aclserver/policy_load.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "policy_dump.h"

/* Every test has an empty directory, which is the working directory. */
struct fixture {
	char path[64]; /* canonical */
	struct diags diags;
	struct policy_load *load;
	struct policy_files files;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strncpy(f->path, "/tmp/tapgate-policy-XXXXXX", sizeof(f->path) - 1);
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(chdir(f->path), 0);
	diags_init(&f->diags);
	*state = f;
	return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	policy_files_done(&f->files);
	policy_load_free(f->load);
	diags_done(&f->diags);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(nftw(f->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(f);
	return 0;
}

static void
put(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* The listed paths, one per line. */
static void
assert_files(struct fixture *f, const char *expected)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < f->files.n; i++) {
		AUTO_FREE char *path = policy_load_path(f->load, &f->files.items[i]);

		fprintf(out, "%s\n", path);
	}
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void
assert_diags(struct fixture *f, const char *expected)
{
	AUTO_FREE char *text = dump_diags(&f->diags);

	assert_string_equal(text, expected);
}

static void
load_conf(struct fixture *f, const char *path)
{
	assert_int_equal(policy_load_conf(path, &f->load, &f->diags), 0);
}

static void
list(struct fixture *f)
{
	assert_int_equal(policy_load_list(f->load, &f->files, &f->diags), 0);
}

/* Index of the watch of @path below the test's directory. */
static size_t
watch_of(const struct fixture *f, const char *path)
{
	AUTO_FREE char *whole = NULL;

	assert_true(asprintf(&whole, "%s%s%s", f->path, *path ? "/" : "", path) > 0);
	for (size_t i = 0; i < f->load->n_watches; i++) {
		if (strcmp(f->load->watches[i].path, whole) == 0)
			return i;
	}
	fail_msg("%s is not watched", whole);
	return 0;
}

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
empty_glob_and_missing_directory_are_fine(void **state)
{
	struct fixture *f = *state;

	put("policy.conf", "include none/*.rules\ninclude *.rules\n");
	load_conf(f, "policy.conf");
	list(f);
	assert_files(f, "");
	assert_diags(f, "");
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
everything_may_be_missing(void **state)
{
	struct fixture *f = *state;
	struct policy_key key;
	char path[128];

	snprintf(path, sizeof(path), "%s/etc/acl/policy.conf", f->path);
	load_conf(f, path);
	assert_int_equal(policy_load_resolve(f->load, watch_of(f, ""), "etc", &key),
		POLICY_LOAD_RESCAN);
	list(f);
	assert_int_equal(f->files.n, 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(glob_lists_in_byte_order),
		TEST(missing_policy_conf_means_policy_d_beside_it),
		TEST(relative_includes_start_at_the_including_file),
		TEST(includes_keep_their_order_and_variables_are_kept),
		TEST(file_is_listed_once_at_its_first_include),
		TEST(leavings_and_directories_are_no_matches),
		TEST(broken_link_is_listed_so_that_reading_it_fails),
		TEST(every_missing_plain_file_is_an_error),
		TEST(plain_file_behind_a_glob_still_has_to_exist),
		TEST(empty_glob_and_missing_directory_are_fine),
		TEST(every_impossible_include_is_an_error),
		TEST(syntax_errors_and_unreadable_files_are_reported),
		TEST(too_many_includes_are_an_error),
		TEST(named_files_keep_their_order),
		TEST(all_missing_named_files_are_listed),
		TEST(named_file_that_vanished_is_an_error),
		TEST(directory_gives_every_file_whatever_its_suffix),
		TEST(missing_directory_is_named),
		TEST(directory_that_became_a_file_is_an_error),
		TEST(resolving_a_name_gives_the_key_that_listing_gives),
		TEST(resolving_knows_what_concerns_nobody),
		TEST(missing_directories_are_awaited_at_their_nearest_ancestor),
		TEST(everything_may_be_missing),
		TEST(root_is_the_last_ancestor),
		TEST(required_tells_files_that_are_named),
		TEST(keys_are_ordered_by_include_then_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
