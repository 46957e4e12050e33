/*
 * test_port_table.c - the numbers of ports over transactions.
 */
#include "aclserver/port_table.h"

#include <errno.h>
#include <stdio.h>

#include "compile_check.h"

/* The ports that "-A INPUT -i NAME" of each name in @names (separated by commas) asks
 * for. */
static struct port_list
list_of(struct port_table *table, const char *names)
{
	struct port_list list = { 0 };
	struct compiled c;
	char rule[256];

	snprintf(rule, sizeof(rule), "-A INPUT -i %s -j DROP", names);
	c = compile("iptables", rule, 0);
	assert_int_equal(port_table_list(table, &c.file, &list), 0);
	compiled_done(&c);
	return list;
}

/* One file goes from @before to @after, and the kernel takes it. */
static void
install(struct port_table *table, const struct port_list *before,
	const struct port_list *after)
{
	port_table_stage(table);
	port_table_replace(table, before, after);
	port_table_settle(table, false, true);
	port_table_recount(table, before, after);
	port_table_accept(table);
}

static const struct port_list nothing;

static void
ports_get_the_lowest_free_numbers_and_keep_them(void **state)
{
	struct port_table table;
	struct port_list a, b, c;

	(void)state;
	port_table_init(&table);
	a = list_of(&table, "swp9,swp+,swp9");
	b = list_of(&table, "swp+,swp1");
	assert_int_equal(a.n, 2);
	assert_int_equal(b.n, 2);
	assert_int_equal(a.slots[0], 0);
	assert_int_equal(b.slots[0], 1);
	assert_int_equal(b.slots[1], 2);
	assert_string_equal(table.names[1].text, "swp+");
	assert_int_equal(table.names[1].mark, 2 << MARK_PORT_SHIFT);
	install(&table, &nothing, &a);
	install(&table, &nothing, &b);
	install(&table, &a, &nothing);
	assert_string_equal(table.names[0].text, "");
	assert_true(table.names[1].in_kernel);
	c = list_of(&table, "swp7,swp1");
	assert_int_equal(c.slots[0], 0);
	assert_int_equal(c.slots[1], 2);
	port_list_done(&a);
	port_list_done(&b);
	port_list_done(&c);
	port_table_done(&table);
}

static void
nothing_is_wanted_when_no_file_names_a_port(void **state)
{
	struct port_table table;
	struct port_list a;

	(void)state;
	port_table_init(&table);
	port_table_stage(&table);
	port_table_settle(&table, false, true);
	assert_int_equal(table.wanted, 0);
	a = list_of(&table, "swp1");
	install(&table, &nothing, &a);
	assert_true(table.installed != 0);
	assert_true(table.has_map[0]);
	install(&table, &a, &nothing);
	assert_int_equal(table.installed, 0);
	port_list_done(&a);
	port_table_done(&table);
}

static void
what_the_kernel_has_stays_while_a_file_is_not_known(void **state)
{
	struct port_table table;

	(void)state;
	port_table_init(&table);
	assert_int_equal(port_table_adopt(&table, 3 << MARK_PORT_SHIFT, "swp3"), 0);
	assert_int_equal(port_table_adopt(&table, 0, "swp3"), -EINVAL);
	assert_int_equal(port_table_adopt(&table, MARK_ROUTED, "swp3"), -EINVAL);
	assert_int_equal(
		port_table_adopt(&table, MARK_PORT | MARK_ROUTE, "swp3"), -EINVAL);
	assert_int_equal(port_table_adopt(&table, 4 << MARK_PORT_SHIFT, ""), -EINVAL);
	port_table_stage(&table);
	port_table_settle(&table, true, true);
	assert_true(table.names[0].is_wanted);
	assert_true(table.wanted != 0);
	port_table_settle(&table, false, true);
	assert_false(table.names[0].is_wanted);
	assert_int_equal(table.wanted, 0);
	port_table_done(&table);
}

static void
a_transaction_that_fails_leaves_the_numbers_as_they_were(void **state)
{
	struct port_table table;
	struct port_list a, b;
	uint64_t installed;

	(void)state;
	port_table_init(&table);
	a = list_of(&table, "swp1");
	install(&table, &nothing, &a);
	installed = table.installed;
	b = list_of(&table, "swp2");
	port_table_stage(&table);
	port_table_replace(&table, &nothing, &b);
	port_table_settle(&table, false, true);
	assert_true(table.wanted != installed);
	port_list_done(&b);

	port_table_stage(&table);
	port_table_settle(&table, false, true);
	assert_true(table.wanted == installed);
	port_table_accept(&table);
	assert_string_equal(table.names[0].text, "swp1");
	assert_string_equal(table.names[1].text, "");
	port_list_done(&a);
	port_table_done(&table);
}

static void
more_names_than_numbers_are_refused(void **state)
{
	struct port_table table;
	struct port_list list = { 0 };
	struct compiled c;
	char name[PORT_NAME_SIZE];

	(void)state;
	port_table_init(&table);
	for (unsigned id = 1; id <= MARK_PORT_MAX; id++) {
		snprintf(name, sizeof(name), "p%u", id);
		assert_int_equal(
			port_table_adopt(&table, id << MARK_PORT_SHIFT, name), 0);
	}
	c = compile("iptables", "-A INPUT -i p7,q1", 0);
	assert_int_equal(port_table_list(&table, &c.file, &list), -ENOSPC);
	assert_null(list.slots);
	compiled_done(&c);
	port_table_done(&table);
}

static void
what_is_read_back_in_any_order_is_the_same(void **state)
{
	struct port_table table, back;
	struct port_list a;

	(void)state;
	port_table_init(&table);
	port_table_init(&back);
	a = list_of(&table, "swp1,swp2,swp+");
	install(&table, &nothing, &a);
	for (size_t i = table.n; i-- > 0;)
		assert_int_equal(port_table_adopt(&back, table.names[i].mark,
					 table.names[i].text),
			0);
	port_list_done(&a);
	a = list_of(&back, "swp+,swp1,swp2");
	assert_int_equal(back.n, 3);
	port_table_stage(&back);
	port_table_replace(&back, &nothing, &a);
	port_table_settle(&back, false, true);
	assert_true(back.wanted == table.installed);
	port_list_done(&a);
	port_table_done(&back);
	port_table_done(&table);
}

static void
output_interfaces_count_in_forward_only(void **state)
{
	struct port_table table;
	struct port_list list = { 0 };
	struct compiled c;

	(void)state;
	port_table_init(&table);
	c = compile("iptables", "-A OUTPUT -o swp1", COMPILE_ROUTED);
	assert_int_equal(port_table_list(&table, &c.file, &list), 0);
	assert_false(list.names_out);
	compiled_done(&c);
	c = compile("iptables", "-A FORWARD -o swp1", 0);
	assert_int_equal(port_table_list(&table, &c.file, &list), 0);
	assert_true(list.names_out);
	assert_int_equal(list.n, 0);
	compiled_done(&c);
	c = compile("iptables", "-A FORWARD -o swp1", COMPILE_ROUTED);
	assert_int_equal(port_table_list(&table, &c.file, &list), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(table.names[0].mark, 1 << MARK_ROUTE_SHIFT);
	port_list_done(&list);
	compiled_done(&c);
	port_table_done(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_get_the_lowest_free_numbers_and_keep_them),
		cmocka_unit_test(nothing_is_wanted_when_no_file_names_a_port),
		cmocka_unit_test(what_the_kernel_has_stays_while_a_file_is_not_known),
		cmocka_unit_test(
			a_transaction_that_fails_leaves_the_numbers_as_they_were),
		cmocka_unit_test(what_is_read_back_in_any_order_is_the_same),
		cmocka_unit_test(output_interfaces_count_in_forward_only),
		cmocka_unit_test(more_names_than_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
