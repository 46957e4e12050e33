/*
 * test_meter_table.c - when sets that packets write into are made and removed.
 */
#include "compile_check.h"

#include <linux/netfilter.h>

#include "aclserver/meter_table.h"

#define ABOVE "-A INPUT -m hashlimit --hashlimit-above 5/s --hashlimit-name "

/* A file on its way into the kernel. */
struct file {
	struct compiled compiled;
	struct meter_list installed, wanted;
};

static void
change(struct meter_table *table, struct file *file, const char *rules)
{
	compiled_done(&file->compiled);
	file->compiled = compile("iptables", rules, 0);
	assert_int_equal(file->compiled.result, 0);
	assert_int_equal(
		meter_table_list(table, &file->compiled.file, &file->wanted), 0);
}

/* Stage one file; which sets are made and removed, as "+a -b". */
static char *
stage(struct meter_table *table, struct file *file, bool keep)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	meter_table_stage(table);
	assert_int_equal(
		meter_table_replace(table, &file->installed, &file->wanted, 0), 0);
	meter_table_settle(table, keep);
	for (size_t i = 0; i < table->n_dirty; i++) {
		const struct meter *meter = table->dirty[i];

		if (meter->is_wanted && !meter->in_kernel)
			assert_non_null(meter->spec);
		if (meter->is_wanted != meter->in_kernel)
			fprintf(out, "%c%.1s", meter->is_wanted ? '+' : '-',
				meter->name + strlen("hashlimit4/"));
	}
	fclose(out);
	return text;
}

static void
install(struct meter_table *table, struct file *file, const char *rules,
	const char *expected)
{
	char *text;

	change(table, file, rules);
	text = stage(table, file, false);
	assert_string_equal(text, expected);
	free(text);
	meter_table_recount(&file->installed, &file->wanted);
	meter_table_accept(table);
	meter_table_release(table);
	assert_int_equal(table->n_dirty, 0);
}

static void
file_done(struct file *file)
{
	compiled_done(&file->compiled);
	meter_list_done(&file->installed);
	meter_list_done(&file->wanted);
}

static void
a_set_comes_with_the_first_file_and_goes_with_the_last(void **state)
{
	struct meter_table table;
	struct file a = { 0 }, b = { 0 };

	(void)state;
	meter_table_init(&table);
	install(&table, &a, ABOVE "x\n" ABOVE "x -p udp", "+x");
	install(&table, &b, ABOVE "x\n" ABOVE "y", "+y");
	install(&table, &a, ABOVE "z", "+z");
	install(&table, &b, ABOVE "y", "-x");
	install(&table, &b, ABOVE "y -j DROP", "");
	install(&table, &a, "", "-z");
	install(&table, &b, "", "-y");
	assert_int_equal(table.n, 0);
	file_done(&a);
	file_done(&b);
	meter_table_done(&table);
}

static void
a_transaction_that_is_not_taken_changes_nothing(void **state)
{
	struct meter_table table;
	struct file a = { 0 };
	char *text;

	(void)state;
	meter_table_init(&table);
	install(&table, &a, ABOVE "x", "+x");
	change(&table, &a, ABOVE "y");
	for (int i = 0; i < 2; i++) { /* built, refused, built anew */
		text = stage(&table, &a, false);
		assert_string_equal(text, i == 0 ? "+y-x" : "+y-x");
		free(text);
	}
	meter_list_done(&a.wanted);
	meter_table_release(&table);
	assert_int_equal(table.n, 1);
	install(&table, &a, ABOVE "x", "");
	file_done(&a);
	meter_table_done(&table);
}

static void
what_the_kernel_has_is_adopted_or_removed(void **state)
{
	struct meter_table table;
	struct file a = { 0 };
	char *text;

	(void)state;
	meter_table_init(&table);
	change(&table, &a, ABOVE "x");
	assert_int_equal(
		meter_table_adopt(&table, NFPROTO_INET, a.wanted.items[0].meter->name),
		0);
	assert_int_equal(meter_table_adopt(&table, NFPROTO_INET, "hashlimit4/o/1"), 0);
	text = stage(&table, &a, true); /* somebody may still use it */
	assert_string_equal(text, "");
	free(text);
	meter_table_accept(&table);
	meter_table_release(&table);
	text = stage(&table, &a, false);
	assert_string_equal(text, "-o");
	free(text);
	file_done(&a);
	meter_table_done(&table);
}

static void
each_family_has_its_own(void **state)
{
	struct meter_table table;
	struct file a = { 0 };

	(void)state;
	meter_table_init(&table);
	install(&table, &a,
		"-A FORWARD -m hashlimit --hashlimit-above 5/s --hashlimit-name x",
		"+x+x");
	assert_int_equal(table.n, 2);
	assert_int_not_equal(table.items[0]->family, table.items[1]->family);
	file_done(&a);
	meter_table_done(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_set_comes_with_the_first_file_and_goes_with_the_last),
		cmocka_unit_test(a_transaction_that_is_not_taken_changes_nothing),
		cmocka_unit_test(what_the_kernel_has_is_adopted_or_removed),
		cmocka_unit_test(each_family_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
