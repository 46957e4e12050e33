/*
 * test_policy_table.c - unit tests of policy_table: order, identity of chains, what
 * REST owns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <linux/netfilter.h>

#include "aclserver/policy_table.h"

static struct acl_file *
add(struct policy_table *table, size_t include, const char *name)
{
	const struct policy_key key = { .include = include, .name = name };
	char path[300];

	snprintf(path, sizeof(path), "/etc/%zu/%s", include, name);
	return policy_table_add(table, &key, path);
}

static void
files_are_sorted_by_include_then_name(void **state)
{
	static const char *const expected[] = { "b.rules", "c.rules", "a.rules" };
	struct policy_table table;

	(void)state;
	policy_table_init(&table);
	assert_non_null(add(&table, 1, "a.rules"));
	assert_non_null(add(&table, 0, "c.rules"));
	assert_non_null(add(&table, 0, "b.rules"));
	assert_ptr_equal(add(&table, 0, "b.rules"), table.files[0]);
	assert_int_equal(table.n, 3);
	for (size_t i = 0; i < table.n; i++)
		assert_string_equal(table.files[i]->key.name, expected[i]);
	policy_table_remove(&table, table.files[1]);
	assert_int_equal(table.n, 2);
	assert_null(policy_table_find(
		&table, &(struct policy_key){ .include = 0, .name = "c.rules" }));
	policy_table_done(&table);
}

static void
chains_of_a_plain_file_carry_its_name(void **state)
{
	char name[ACL_CHAIN_NAME_SIZE];
	struct policy_table table;

	(void)state;
	policy_table_init(&table);
	acl_chain_name(name, place_make(BASE_INET_FORWARD_FILTER, PLACE_GROUP_IP),
		add(&table, 0, "50rest-ddos1.rules")->id);
	assert_string_equal(name, "filter_forward/50rest-ddos1");
	acl_chain_name(name, place_make(BASE_BRIDGE_FORWARD_FILTER, PLACE_GROUP_EB),
		add(&table, 0, "50rest-ddos1.rules")->id);
	assert_string_equal(name, "eb_filter_forward/50rest-ddos1");
	policy_table_done(&table);
}

static void
names_that_could_collide_get_different_ids(void **state)
{
	static const char *const names[] = { "a.b.rules", "a_b.rules", "a_b",
		"a b.rules", "a\xc3\xa4.rules" };
	struct policy_table table;

	(void)state;
	policy_table_init(&table);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add(&table, 0, names[i]);
	add(&table, 1, "a_b.rules");
	for (size_t i = 0; i < table.n; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(table.files[i]->id, table.files[j]->id);
	policy_table_done(&table);
}

static void
the_longest_name_fits_into_a_chain_name(void **state)
{
	char file[256], name[ACL_CHAIN_NAME_SIZE];
	struct policy_table table;
	const char *id;

	(void)state;
	memset(file, 'x', sizeof(file) - 1);
	file[sizeof(file) - 1] = '\0';
	policy_table_init(&table);
	acl_chain_name(name, place_make(BASE_BRIDGE_POSTROUTING_MANGLE, PLACE_GROUP_EB),
		add(&table, 0, file)->id);
	assert_true(strlen(name) < ACL_CHAIN_NAME_SIZE - 1);
	assert_int_equal(acl_chain_parse(NFPROTO_BRIDGE, name, &id),
		place_make(BASE_BRIDGE_POSTROUTING_MANGLE, PLACE_GROUP_EB));
	assert_string_equal(id, table.files[0]->id);
	policy_table_done(&table);
}

static void
every_place_survives_its_name(void **state)
{
	(void)state;
	for (int place = 0; place < PLACE_COUNT; place++) {
		char name[ACL_CHAIN_NAME_SIZE];
		const char *id = NULL;

		acl_chain_name(name, (enum place)place, "x");
		assert_int_equal(
			acl_chain_parse(
				base_info(place_base((enum place)place))->family, name,
				&id),
			place);
		assert_string_equal(id, "x");
	}
}

static void
foreign_chain_names_are_none_of_ours(void **state)
{
	static const char *const names[] = { "", "/", "filter_forward",
		"filter_forward/", "filter_forwards/x", "eb_/x", "x/filter_forward" };
	const char *id;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(
			acl_chain_parse(NFPROTO_INET, names[i], &id), PLACE_COUNT);
}

static void
only_names_that_the_server_makes_are_rest_names(void **state)
{
	char longest[96], longer[96];

	(void)state;
	snprintf(longest, sizeof(longest), "50rest-%064d.rules", 0);
	snprintf(longer, sizeof(longer), "50rest-%065d.rules", 0);
	assert_true(policy_is_rest_name("50rest-a.rules"));
	assert_true(policy_is_rest_name("50rest-a_9.rules"));
	assert_true(policy_is_rest_name(longest));
	assert_false(policy_is_rest_name(longer));
	assert_false(policy_is_rest_name("50rest-.rules"));
	assert_false(policy_is_rest_name("50rest-A.rules"));
	assert_false(policy_is_rest_name("50rest-a.rule"));
	assert_false(policy_is_rest_name("50rest-a.rules~"));
	assert_false(policy_is_rest_name("50rest-a.b.rules"));
	assert_false(policy_is_rest_name("51rest-a.rules"));
}

static void
a_chain_is_found_by_its_place(void **state)
{
	const struct acl_chain chain = { .place = (enum place)4, .jump = 9 };
	struct policy_table table;
	struct acl_file *file;

	(void)state;
	policy_table_init(&table);
	file = add(&table, 0, "a.rules");
	assert_int_equal(acl_file_set_chain(file, (enum place)4, &chain), 0);
	assert_int_equal(acl_file_set_chain(file, (enum place)4, &chain), 0);
	assert_int_equal(acl_file_chain(file, (enum place)4)->jump, 9);
	assert_null(acl_file_chain(file, (enum place)5));
	assert_int_equal(acl_file_set_chain(file, (enum place)4, NULL), 0);
	assert_int_equal(acl_file_set_chain(file, (enum place)4, NULL), 0);
	assert_int_equal(acl_file_set_chain(file, (enum place)4, &chain), 0);
	policy_table_remove(&table, file);
	policy_table_done(&table);
}

static void
bad_files_are_counted_by_their_errors(void **state)
{
	struct policy_table table;
	struct acl_file *file;
	struct diags problems;

	(void)state;
	policy_table_init(&table);
	diags_init(&problems);
	file = add(&table, 0, "a.rules");
	diags_add(&problems, DIAG_WARNING, "a.rules", 1, NULL, "odd");
	policy_table_set_problems(&table, file, &problems);
	assert_int_equal(table.n_bad, 0);
	diags_add(&problems, DIAG_ERROR, "a.rules", 1, NULL, "wrong");
	policy_table_set_problems(&table, file, &problems);
	assert_int_equal(table.n_bad, 1);
	policy_table_set_problems(&table, file, &problems);
	assert_int_equal(table.n_bad, 0);
	policy_table_done(&table);
	diags_done(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_sorted_by_include_then_name),
		cmocka_unit_test(chains_of_a_plain_file_carry_its_name),
		cmocka_unit_test(names_that_could_collide_get_different_ids),
		cmocka_unit_test(the_longest_name_fits_into_a_chain_name),
		cmocka_unit_test(every_place_survives_its_name),
		cmocka_unit_test(foreign_chain_names_are_none_of_ours),
		cmocka_unit_test(only_names_that_the_server_makes_are_rest_names),
		cmocka_unit_test(a_chain_is_found_by_its_place),
		cmocka_unit_test(bad_files_are_counted_by_their_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
