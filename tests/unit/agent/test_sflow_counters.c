/*
 * test_sflow_counters.c - counters: how unknown values look, limits, the order of
 * records, and what is left out when there is no room.
 */
#include "sflow_out.h"

#include <errno.h>

#include "agent/sflow_encode_records.h"

static const struct sflow_options expanded = { .compact = false, .header_max = 128 };

/* Bytes in front of the first record: tag, length and the fixed part. */
enum { COUNTERS_RECORDS = 8 + 16 };

/* Words of @o from @at on are @want, @n times. */
static void
expect_words(const struct out *o, size_t at, uint32_t want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(word_at(o, at + 4 * i), want);
}

static void
unknown_counters_of_a_port_are_all_ones_and_unknown_gauges_zero(void **state)
{
	enum { BODY = COUNTERS_RECORDS + 8 };
	struct if_sample s;
	struct out o;

	(void)state;
	if_sample_init(&s, 3);
	s.has = IF_HAS_ETHERNET | IF_HAS_LAG | IF_HAS_PFC;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_if_sample(&o.w, &expanded, &s, NULL), 0);
	EXPECT_TAGS(&o, COUNTERS_RECORDS, 1, 2, 7, 11);
	expect_words(&o, BODY + 8, 0, 4);            /* speed, direction, status */
	expect_words(&o, BODY + 24, UINT32_MAX, 15); /* every counter */
	expect_words(&o, BODY + 84, 0, 1);           /* promiscuous */
	expect_words(&o, BODY + 88 + 8, UINT32_MAX, 13);
	expect_words(&o, BODY + 88 + 60 + 8, 0, 6); /* systems, aggregator, state */
	expect_words(&o, BODY + 88 + 60 + 8 + 24, UINT32_MAX, 8);
	expect_words(&o, o.w.len - 20, UINT32_MAX, 5);
}

static void
unknown_optics_are_zero(void **state)
{
	struct optics optics;
	struct out o;

	(void)state;
	optics_init(&optics, 5);
	optics.n_lanes = 1;
	optics_lane_init(&optics.lanes[0], 1);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_optics(&o.w, &optics), 0);
	assert_int_equal(o.w.len, 8 + 60);
	expect_words(&o, 12, 0, 3); /* lanes of the module, voltage, temperature */
	expect_words(&o, 32, 0, 9);
}

static void
optics_with_too_many_lanes_are_refused(void **state)
{
	struct optics optics;
	struct if_sample s;
	struct out o;

	(void)state;
	optics_init(&optics, 5);
	optics.n_lanes = OPTICS_LANES_MAX + 1;
	if_sample_init(&s, 3);
	s.has = IF_HAS_OPTICS;
	s.optics = &optics;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_if_sample(&o.w, &expanded, &s, NULL), -EINVAL);
	assert_int_equal(o.w.len, 0);
}

static void
unknown_host_values_are_spelled_as_the_standard_says(void **state)
{
	struct host_sample s;
	struct out o;

	(void)state;
	host_sample_init(&s);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_host_cpu(&o.w, &s.cpu), 0);
	expect_words(&o, 8, 0xbf800000, 3); /* -1.0 */
	expect_words(&o, 20, 0, 5);
	expect_words(&o, 40, UINT32_MAX, 12);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_host_memory(&o.w, &s.memory), 0);
	expect_words(&o, 8, 0, 14);
	expect_words(&o, 64, UINT32_MAX, 4);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_host_disk(&o.w, &s.disk), 0);
	expect_words(&o, 8, 0, 4);
	expect_words(&o, 24, UINT32_MAX, 9); /* the percentage is -1 */
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_host_net(&o.w, &s.net), 0);
	expect_words(&o, 8, UINT32_MAX, 10);
}

static void
counters_are_sent_modulo_and_gauges_saturate(void **state)
{
	struct host_sample s;
	struct out o;

	(void)state;
	host_sample_init(&s);
	s.cpu.interrupts = ((uint64_t)7 << 32) + 5;
	s.cpu.proc_total = ((uint64_t)7 << 32) + 5;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_host_cpu(&o.w, &s.cpu), 0);
	assert_int_equal(word_at(&o, 8 + 4 * 15), 5);
	assert_int_equal(word_at(&o, 8 + 4 * 4), UINT32_MAX);
}

static void
whole_host(struct host_sample *s, const struct host_adapter *adapters, size_t n)
{
	host_sample_init(s);
	s->has = (HOST_HAS_PROCESSOR << 1) - 1;
	s->descr.hostname = "switch";
	s->descr.os_release = "6.1.0";
	s->adapters = adapters;
	s->n_adapters = n;
}

static void
records_of_a_host_come_in_order_of_their_number(void **state)
{
	struct host_adapter adapter = { .ifindex = 2, .n_macs = 1 };
	struct host_sample s;
	struct out o;

	(void)state;
	whole_host(&s, &adapter, 1);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_host_sample(&o.w, &expanded, &s, NULL), 0);
	EXPECT_TAGS(&o, COUNTERS_RECORDS, 1001, 2000, 2001, 2002, 2003, 2004, 2005,
		2006, 2007, 2008, 2009, 2010, 4413 << 12 | 3);
}

static void
adapters_are_shortened_to_what_fits_and_nothing_else_is_lost(void **state)
{
	struct host_adapter adapters[100];
	struct host_sample s;
	unsigned cut = 99;
	struct out o;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		adapters[i] = (struct host_adapter){ .ifindex = i + 1, .n_macs = 1 };
	whole_host(&s, adapters, 100);
	out_init(&o, 1400 - 28);
	assert_int_equal(sflow_put_host_sample(&o.w, &expanded, &s, NULL), -ENOSPC);
	assert_int_equal(o.w.len, 0);
	assert_int_equal(sflow_put_host_sample(&o.w, &expanded, &s, &cut), 0);
	assert_int_equal(cut, 1);
	EXPECT_TAGS(&o, COUNTERS_RECORDS, 1001, 2000, 2002, 2003, 2004, 2005, 2006,
		2007, 2008, 2009, 2010, 4413 << 12 | 3, 2001);
	assert_true(wbuf_room(&o.w) < 16);
}

static void
adapter_with_too_many_addresses_is_refused(void **state)
{
	struct host_adapter adapter = { .n_macs = HOST_MACS_MAX + 1 };
	struct host_sample s;
	struct out o;

	(void)state;
	whole_host(&s, &adapter, 1);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_host_sample(&o.w, &expanded, &s, NULL), -EINVAL);
	assert_int_equal(o.w.len, 0);
}

static void
host_sample_without_a_record_is_refused(void **state)
{
	struct host_sample s;
	unsigned cut;
	struct out o;

	(void)state;
	host_sample_init(&s);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_host_sample(&o.w, &expanded, &s, NULL), -EINVAL);
	s.has = HOST_HAS_CPU;
	out_init(&o, COUNTERS_RECORDS + 87);
	assert_int_equal(sflow_put_host_sample(&o.w, &expanded, &s, &cut), -ENOSPC);
	assert_int_equal(o.w.len, 0);
}

static void
port_sample_never_goes_without_generic_counters(void **state)
{
	struct if_sample s;
	unsigned cut;
	struct out o;

	(void)state;
	if_sample_init(&s, 3);
	s.has = IF_HAS_NAME | IF_HAS_ETHERNET;
	s.name = "swp3";
	out_init(&o, COUNTERS_RECORDS + 95);
	assert_int_equal(sflow_put_if_sample(&o.w, &expanded, &s, &cut), -ENOSPC);
	assert_int_equal(o.w.len, 0);
	out_init(&o, COUNTERS_RECORDS + 96 + 16);
	assert_int_equal(sflow_put_if_sample(&o.w, &expanded, &s, &cut), 0);
	EXPECT_TAGS(&o, COUNTERS_RECORDS, 1, 1005);
	assert_int_equal(cut, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			unknown_counters_of_a_port_are_all_ones_and_unknown_gauges_zero),
		cmocka_unit_test(unknown_optics_are_zero),
		cmocka_unit_test(optics_with_too_many_lanes_are_refused),
		cmocka_unit_test(unknown_host_values_are_spelled_as_the_standard_says),
		cmocka_unit_test(counters_are_sent_modulo_and_gauges_saturate),
		cmocka_unit_test(records_of_a_host_come_in_order_of_their_number),
		cmocka_unit_test(
			adapters_are_shortened_to_what_fits_and_nothing_else_is_lost),
		cmocka_unit_test(adapter_with_too_many_addresses_is_refused),
		cmocka_unit_test(host_sample_without_a_record_is_refused),
		cmocka_unit_test(port_sample_never_goes_without_generic_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
