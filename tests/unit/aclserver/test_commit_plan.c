/*
 * test_commit_plan.c - which places of a file fold, and that what the kernel refuses of
 * folded rules is put down to the file, line and rule that it is about.
 */
#include "tests/unit/aclserver/compile_check.h"

#include "aclserver/commit_build.h"
#include "aclserver/commit_cookie.h"

/* A plan with one change, as commit_gather() makes it. */
struct fixture {
	struct fold_table fold;
	struct acl_file file;
	struct commit_change change;
	struct commit_plan plan;
	struct compiled compiled;
	struct diags general;
};

static void
open_plan(struct fixture *f, bool is_rest, const char *rules)
{
	*f = (struct fixture){
		.file = { .key.name = "x", .id = "x", .is_rest = is_rest },
		.compiled = compile("iptables", rules, 0),
	};
	assert_int_equal(f->compiled.result, 0);
	fold_table_init(&f->fold);
	f->change.file = &f->file;
	f->change.path = "dir/x.rules";
	f->change.compiled = f->compiled.file;
	diags_init(&f->change.problems);
	diags_init(&f->general);
	f->plan = (struct commit_plan){
		.fold = &f->fold,
		.changes = &f->change,
		.n = 1,
	};
	commit_change_fold(&f->change);
}

static void
close_plan(struct fixture *f)
{
	fold_table_done(&f->fold);
	diags_done(&f->change.problems);
	diags_done(&f->general);
	compiled_done(&f->compiled);
}

/* The kernel refuses the message with @cookie. */
static size_t
refuse(struct fixture *f, uint64_t cookie)
{
	struct nft_error error = { .cookie = cookie, .code = -EEXIST, .elem = -1 };
	struct nft_result result = { .errors = &error, .n_errors = 1 };

	return commit_plan_blame(&f->plan, &result, &f->general);
}

static const enum place forward = BASE_INET_FORWARD_FILTER * PLACE_GROUP_COUNT;
static const enum place output = BASE_INET_OUTPUT_FILTER * PLACE_GROUP_COUNT;

static const char two_drops[] = "-A FORWARD -s 10.0.0.1 -j DROP\n"
				"-A FORWARD -s 10.0.0.2 -j DROP";

static void
rest_files_fold_where_all_rules_can(void **state)
{
	struct fixture f;

	(void)state;
	open_plan(&f, true,
		"-A FORWARD -s 10.0.0.1 -j DROP\n-A OUTPUT -d 10.0.0.2 -j DROP\n"
		"-A OUTPUT -d 10.0.0.3 -j ACCEPT");
	assert_true(f.change.folds[forward]);
	assert_false(commit_wants_chain(&f.change, forward));
	assert_false(f.change.folds[output]);
	assert_true(commit_wants_chain(&f.change, output));
	assert_false(f.change.divides[forward]);
	assert_true(f.change.divides[output]);
	close_plan(&f);
}

static void
files_of_the_operator_stay_chains(void **state)
{
	struct fixture f;

	(void)state;
	open_plan(&f, false, two_drops);
	assert_false(f.change.folds[forward]);
	assert_true(commit_wants_chain(&f.change, forward));
	assert_true(f.change.divides[forward]);
	assert_true(commit_change_differs(&f.change));
	close_plan(&f);
}

static void
a_refused_element_is_the_fault_of_its_rule(void **state)
{
	struct err err;
	struct fixture f;
	const struct fold_owner *owner;

	(void)state;
	open_plan(&f, true, two_drops);
	assert_int_equal(fold_batch_stage(&f.plan, &err), 0);
	for (owner = f.file.owners; owner; owner = owner->file_next)
		if (owner->line == 3 && owner->elem->set->run->place == forward)
			break;
	assert_non_null(owner);
	assert_int_equal(refuse(&f, owner->cookie), 1);
	assert_true(f.change.excluded);
	assert_int_equal(f.change.problems.n, 1);
	assert_int_equal(f.change.problems.items[0].line, 3);
	assert_string_equal(
		f.change.problems.items[0].rule, "-A FORWARD -s 10.0.0.2 -j DROP");
	fold_table_revert(&f.fold);
	close_plan(&f);
}

static void
a_refused_lookup_is_the_fault_of_the_first_rule_of_its_set(void **state)
{
	struct err err;
	struct fixture f;

	(void)state;
	open_plan(&f, true, two_drops);
	assert_int_equal(fold_batch_stage(&f.plan, &err), 0);
	assert_true(f.fold.n_dirty_sets > 0);
	assert_int_equal(refuse(&f, cookie_make(0, COOKIE_LOOKUP, 0)), 1);
	assert_int_equal(f.change.problems.items[0].line, 2);
	fold_table_revert(&f.fold);
	close_plan(&f);
}

static void
what_belongs_to_no_file_is_nobodys_fault(void **state)
{
	struct fixture f;

	(void)state;
	open_plan(&f, true, two_drops);
	assert_int_equal(refuse(&f, 0), 0);
	assert_int_equal(refuse(&f, cookie_make(SIZE_MAX, COOKIE_LOOKUP, 7)), 0);
	assert_false(f.change.excluded);
	assert_int_equal(f.general.errors, 2);
	close_plan(&f);
}

static void
a_reported_handle_finds_its_set(void **state)
{
	struct err err;
	struct fixture f;

	(void)state;
	open_plan(&f, true, two_drops);
	assert_int_equal(fold_batch_stage(&f.plan, &err), 0);
	commit_plan_on_handle(cookie_make(0, COOKIE_LOOKUP, 0), 77, &f.plan);
	commit_plan_on_handle(cookie_make(0, COOKIE_LOOKUP, 999), 78, &f.plan);
	assert_int_equal(f.fold.dirty_sets[0]->new_rule, 77);
	/* A transaction that is not accepted leaves none behind. */
	fold_table_revert(&f.fold);
	assert_null(f.file.owners);
	assert_int_equal(f.fold.n_elems, 0);
	close_plan(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_files_fold_where_all_rules_can),
		cmocka_unit_test(files_of_the_operator_stay_chains),
		cmocka_unit_test(a_refused_element_is_the_fault_of_its_rule),
		cmocka_unit_test(
			a_refused_lookup_is_the_fault_of_the_first_rule_of_its_set),
		cmocka_unit_test(what_belongs_to_no_file_is_nobodys_fault),
		cmocka_unit_test(a_reported_handle_finds_its_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
