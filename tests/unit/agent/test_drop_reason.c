/*
 * test_drop_reason.c - what the kernel says of a drop, in sFlow's codes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/drop_reason.h"
#include "golden.h"

struct row {
	const char *reason, *function, *trap_group, *trap_name;
	enum drop_verdict verdict;
	enum sflow_reason code;
};

static void
check(const struct row *row)
{
	struct dropmon_msg m = { .hardware = row->trap_name != NULL };
	enum sflow_reason code;

	if (row->reason)
		snprintf(m.reason, sizeof(m.reason), "%s", row->reason);
	if (row->function)
		snprintf(m.function, sizeof(m.function), "%s", row->function);
	if (row->trap_group)
		snprintf(m.trap_group, sizeof(m.trap_group), "%s", row->trap_group);
	if (row->trap_name)
		snprintf(m.trap_name, sizeof(m.trap_name), "%s", row->trap_name);
	assert_int_equal(drop_reason_find(&m, &code), row->verdict);
	assert_int_equal(code, row->code);
}

static void
software_drops_go_by_reason_then_by_function(void **state)
{
	static const struct row rows[] = {
		{ "NETFILTER_DROP", "nft_do_chain", NULL, NULL, DROP_KNOWN, 258 },
		{ "NO_SOCKET", "__udp4_lib_rcv", NULL, NULL, DROP_KNOWN, 3 },
		{ "IP_INNOROUTES", "ip_error", NULL, NULL, DROP_KNOWN, 0 },
		{ "IP_OUTNOROUTES", "ip_output", NULL, NULL, DROP_KNOWN, 6 },
		{ "NEIGH_FAILED", "neigh_invalidate", NULL, NULL, DROP_KNOWN, 279 },
		{ "QDISC_DROP", "__dev_queue_xmit", NULL, NULL, DROP_KNOWN, 261 },
		{ "TCP_FLAGS", "tcp_v4_rcv", NULL, NULL, DROP_KNOWN, 340 },
		{ "DEV_HDR", "x", NULL, NULL, DROP_KNOWN, 332 },
		{ "TC_EGRESS", "x", NULL, NULL, DROP_KNOWN, 366 },
		{ "XFRM_POLICY", "x", NULL, NULL, DROP_KNOWN, 370 },
		{ "IP_INHDR", "ip_rcv_core", NULL, NULL, DROP_KNOWN, 313 },
		/* The kernel calls it a header error; a hop limit it is. */
		{ "IP_INHDR", "ip_forward", NULL, NULL, DROP_KNOWN, 257 },
		{ "IP_INHDR", "ip6_forward.part.0", NULL, NULL, DROP_KNOWN, 257 },
		{ "NOT_SPECIFIED", "ip_error", NULL, NULL, DROP_KNOWN, 285 },
		{ "NOT_SPECIFIED", "ip6_mc_input", NULL, NULL, DROP_KNOWN, 285 },
		{ "NOT_SPECIFIED", "something", NULL, NULL, DROP_UNKNOWN, 256 },
		{ "FROM_A_LATER_KERNEL", "tcp_rcv", NULL, NULL, DROP_KNOWN, 289 },
		{ NULL, "nf_hook_slow", NULL, NULL, DROP_KNOWN, 258 },
		{ NULL, "nft_do_chain", NULL, NULL, DROP_KNOWN, 258 },
		{ NULL, "br_handle_frame", NULL, NULL, DROP_KNOWN, 284 },
		{ NULL, "__udp6_lib_rcv", NULL, NULL, DROP_KNOWN, 289 },
		{ NULL, "0xffffffff8137", NULL, NULL, DROP_UNKNOWN, 256 },
		{ NULL, NULL, NULL, NULL, DROP_UNKNOWN, 256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void
what_is_no_drop_is_told_apart(void **state)
{
	static const struct row rows[] = {
		{ NULL, "skb_queue_purge", NULL, NULL, DROP_NONE, 256 },
		{ "QUEUE_PURGE", "x", NULL, NULL, DROP_NONE, 256 },
		{ "NOT_SPECIFIED", "skb_release_data", NULL, NULL, DROP_NONE, 256 },
		{ NULL, NULL, "stp", "stp", DROP_NONE, 256 },
		{ NULL, NULL, "acl_trap", "flow_action_trap", DROP_NONE, 256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void
traps_go_by_name_then_by_group(void **state)
{
	static const struct row rows[] = {
		{ NULL, NULL, "l3_drops", "blackhole_route", DROP_KNOWN, 269 },
		{ NULL, NULL, "l3_exceptions", "ttl_value_is_too_small", DROP_KNOWN,
			257 },
		{ NULL, NULL, "buffer_drops", "tail_drop", DROP_KNOWN, 259 },
		{ NULL, NULL, "acl_drops", "ingress_flow_action_drop", DROP_KNOWN,
			258 },
		{ NULL, NULL, "parser_error_drops", "esp_parsing", DROP_KNOWN, 322 },
		{ NULL, NULL, "l2_drops", "fid_miss", DROP_KNOWN, 284 },
		{ NULL, NULL, "acl_drops", "a_new_one", DROP_KNOWN, 258 },
		{ NULL, NULL, "vendor", "a_new_one", DROP_UNKNOWN, 256 },
		/* A trap is a trap, whatever function the driver freed it in. */
		{ NULL, "ip_forward", "vendor", "a_new_one", DROP_UNKNOWN, 256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

/* Put @name where the table number @table (from 1) looks for it. */
static void
name_it(struct dropmon_msg *m, int table, const char *name, size_t len)
{
	char *fields[] = { m->reason, m->trap_name, m->trap_group, m->function };

	assert_in_range(len, 1, DROPMON_TEXT_SIZE - 1);
	memcpy(fields[table - 1], name, len);
}

/* A row out of order would not be found: the tables are read as text. */
static void
every_name_of_the_sorted_tables_is_found(void **state)
{
	FILE *file = fopen(TEST_DATA "/../agent/drop_reason.c", "re");
	static const char row[] = "\t{ \"";
	int table = 0, rows = 0;
	char line[256];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) && table <= 4) {
		const char *name = line + sizeof(row) - 1;
		struct dropmon_msg m = { 0 };
		enum sflow_reason code;

		table += strncmp(line, "static const struct row ", 24) == 0 &&
			 strstr(line, "[] = {");
		if (strncmp(line, row, sizeof(row) - 1) != 0 || table > 4)
			continue;
		name_it(&m, table, name, strcspn(name, "\""));
		if (drop_reason_find(&m, &code) == DROP_UNKNOWN)
			fail_msg("%s is not found", name);
		rows++;
	}
	fclose(file);
	assert_true(rows > 180);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(software_drops_go_by_reason_then_by_function),
		cmocka_unit_test(what_is_no_drop_is_told_apart),
		cmocka_unit_test(traps_go_by_name_then_by_group),
		cmocka_unit_test(every_name_of_the_sorted_tables_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
