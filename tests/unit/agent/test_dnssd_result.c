/*
 * test_dnssd_result.c - from SRV records and addresses to collectors.
 */
#include "agent/dnssd_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/dnssd_select.h"

static struct dnssd_target targets[DNSSD_COLLECTORS_MAX];
static unsigned n_targets;
static struct dnssd_result result;

/* A target cN with address 192.0.2.N; @host 0 = its address is not known. */
static void
add(uint16_t priority, uint16_t weight, uint8_t host)
{
	struct dnssd_target *t = &targets[n_targets++];

	memset(t, 0, sizeof(*t));
	t->srv.priority = priority;
	t->srv.weight = weight;
	t->srv.port = 6343;
	snprintf(t->srv.target, sizeof(t->srv.target), "c%u", host);
	if (!host)
		return;
	t->addr.family = AF_INET;
	memcpy(t->addr.bytes, (uint8_t[]){ 192, 0, 2, host }, 4);
}

/* Last bytes of the collectors' addresses, as text. */
static const char *
fill(uint64_t seed)
{
	static char text[256];
	size_t len = 0;

	text[0] = '\0';
	dnssd_result_fill(&result, targets, n_targets, seed);
	for (unsigned i = 0; i < result.n_collectors; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u ",
			result.collectors[i].addr.bytes[3]);
	return text;
}

static int
reset(void **state)
{
	(void)state;
	n_targets = 0;
	memset(&result, 0, sizeof(result));
	return 0;
}

static void
equal_records_all_get_everything(void **state)
{
	(void)state;
	add(0, 0, 1);
	add(0, 0, 2);
	add(0, 0, 3);
	assert_string_equal(fill(0), "1 2 3 ");
	assert_int_equal(result.n_standby, 0);
}

static void
only_the_best_priority_with_an_address_is_used(void **state)
{
	(void)state;
	add(10, 5, 1);
	add(10, 5, 2);
	add(20, 5, 3);
	assert_string_equal(fill(0), "1 2 ");
	assert_int_equal(result.n_standby, 1);
	targets[0].addr.family = 0;
	assert_string_equal(fill(0), "2 ");
	assert_int_equal(result.n_unresolved, 1);
	targets[1].addr.family = 0;
	assert_string_equal(fill(0), "3 ");
	targets[2].addr.family = 0;
	assert_string_equal(fill(0), "");
	assert_int_equal(result.n_unresolved, 3);
}

static void
different_weights_share_the_agents_out(void **state)
{
	unsigned counts[4] = { 0 };
	char name[32];

	(void)state;
	add(0, 10, 1);
	add(0, 30, 2);
	add(0, 0, 3);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "leaf%d.example.com", i);
		fill(dnssd_select_seed(name));
		assert_int_equal(result.n_collectors, 1);
		assert_int_equal(result.n_standby, 2);
		counts[result.collectors[0].addr.bytes[3]]++;
	}
	/* 2500 ± 5 standard deviations of a fair draw. */
	assert_in_range(counts[1], 2283, 2717);
	assert_int_equal(counts[3], 0);
	fill(dnssd_select_seed("leaf7"));
	counts[0] = result.collectors[0].addr.bytes[3];
	fill(dnssd_select_seed("leaf7"));
	assert_int_equal(counts[0], result.collectors[0].addr.bytes[3]);
}

static void
the_same_address_and_port_is_one_collector(void **state)
{
	(void)state;
	add(0, 0, 1);
	add(0, 0, 1);
	assert_string_equal(fill(0), "1 ");
	targets[1].srv.port = 6344;
	assert_string_equal(fill(0), "1 1 ");
}

static void
order_in_the_answer_does_not_matter(void **state)
{
	struct dnssd_srv srv[3] = { { 0, 0, 6343, "b" }, { 0, 0, 6343, "a" },
		{ 0, 0, 6344, "a" } };
	struct dnssd_srv other[3] = { srv[2], srv[0], srv[1] };

	(void)state;
	dnssd_sort_srv(srv, 3);
	dnssd_sort_srv(other, 3);
	assert_memory_equal(srv, other, sizeof(srv));
}

static void
equality_sees_every_difference(void **state)
{
	struct dnssd_result other;

	(void)state;
	add(0, 0, 1);
	settings_init(&result.settings);
	fill(0);
	other = result;
	assert_true(dnssd_result_equal(&result, &other));
	other.collectors[0].port++;
	assert_false(dnssd_result_equal(&result, &other));
	other = result;
	other.collectors[0].addr.bytes[3]++;
	assert_false(dnssd_result_equal(&result, &other));
	other = result;
	other.settings.polling_s++;
	assert_false(dnssd_result_equal(&result, &other));
	other = result;
	other.has_txt = true;
	assert_false(dnssd_result_equal(&result, &other));
	other = result;
	other.n_collectors = 0;
	assert_false(dnssd_result_equal(&result, &other));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equal_records_all_get_everything, reset),
		cmocka_unit_test_setup(
			only_the_best_priority_with_an_address_is_used, reset),
		cmocka_unit_test_setup(different_weights_share_the_agents_out, reset),
		cmocka_unit_test_setup(
			the_same_address_and_port_is_one_collector, reset),
		cmocka_unit_test_setup(order_in_the_answer_does_not_matter, reset),
		cmocka_unit_test_setup(equality_sees_every_difference, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
