/*
 * test_sampler.c - sequence numbers, pool and drops of data sources.
 */
#include "agent/sampler.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/rbuf.h"

static struct fixture {
	struct sampler_table table;
	struct datagram d;
	struct datagram_conf conf;
	uint8_t last[DATAGRAM_SIZE_MAX]; /* the last datagram */
	size_t len;
} f;

static void
keep(const struct iovec *msgs, size_t n, void *user_data)
{
	(void)user_data;
	f.len = msgs[n - 1].iov_len;
	memcpy(f.last, msgs[n - 1].iov_base, f.len);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	sampler_table_init(&f.table);
	datagram_conf_init(&f.conf);
	assert_int_equal(parse_addr("192.0.2.1", &f.conf.agent), 0);
	return datagram_init(&f.d, &f.conf, keep, NULL);
}

static int
tear_down(void **state)
{
	(void)state;
	datagram_done(&f.d);
	sampler_table_done(&f.table);
	assert_int_equal(f.table.n, 0);
	return 0;
}

static struct sampler *
port(uint32_t ifindex)
{
	struct sampler *s = sampler_get(&f.table, data_source_port(ifindex));

	assert_non_null(s);
	return s;
}

static const uint8_t frame[64];

static void
sampled(struct packet *p, uint32_t ifindex, uint32_t rate)
{
	packet_init(p);
	p->source = data_source_port(ifindex);
	p->rate = rate;
	p->reason = SFLOW_REASON_ACL;
	packet_set_ethernet(p, frame, sizeof(frame), sizeof(frame));
}

/* The words of the last sample sent, which must be alone in its datagram, from its
 * sequence number on. */
static void
sent_words(uint32_t *ret, size_t n)
{
	struct rbuf r;

	f.len = 0;
	datagram_flush(&f.d);
	assert_true(f.len > 0);
	rbuf_init(&r, f.last, f.len);
	(void)rbuf_get_bytes(&r, 28 + 8);
	for (size_t i = 0; i < n; i++)
		ret[i] = rbuf_get_be32(&r);
	assert_true(rbuf_ok(&r));
}

enum { WORD_SEQ, WORD_CLASS, WORD_INDEX, WORD_RATE, WORD_POOL, WORD_DROPS, WORDS };

/* In a discard sample the drops follow the source. */
enum { WORD_DISCARD_DROPS = WORD_RATE };

static void
take(uint32_t ifindex, uint32_t rate, uint32_t ret[WORDS])
{
	struct packet p;

	sampled(&p, ifindex, rate);
	assert_int_equal(sampler_take_packet(port(ifindex), &p, &f.d, mono_now()), 0);
	sent_words(ret, WORDS);
}

static void
each_source_has_its_own_sequence_and_pool(void **state)
{
	uint32_t w[WORDS];

	(void)state;
	take(1, 100, w);
	take(2, 1000, w);
	assert_int_equal(w[WORD_SEQ], 1);
	assert_int_equal(w[WORD_INDEX], 2);
	assert_int_equal(w[WORD_POOL], 1000);
	take(1, 100, w);
	assert_int_equal(w[WORD_SEQ], 2);
	assert_int_equal(w[WORD_INDEX], 1);
	assert_int_equal(w[WORD_POOL], 200);
	assert_int_equal(w[WORD_DROPS], 0);
	assert_int_equal(port(1)->samples, 2);
}

static void
rate_is_that_of_the_packet(void **state)
{
	uint32_t w[WORDS];

	(void)state;
	take(1, 100, w);
	take(1, 400, w);
	assert_int_equal(w[WORD_RATE], 400);
	assert_int_equal(w[WORD_POOL], 500);
	assert_int_equal(port(1)->rate, 400);
}

static void
pool_of_the_hardware_is_taken_as_it_is(void **state)
{
	struct packet p;
	uint32_t w[WORDS];

	(void)state;
	take(1, 100, w);
	sampled(&p, 1, 100);
	p.has = PACKET_HAS_POOL;
	p.pool = 12345;
	assert_int_equal(sampler_take_packet(port(1), &p, &f.d, mono_now()), 0);
	sent_words(w, WORDS);
	assert_int_equal(w[WORD_POOL], 12345);
}

static void
lost_samples_count_as_drops_and_grow_the_pool(void **state)
{
	uint32_t w[WORDS];

	(void)state;
	sampler_lost(port(1), 3, 100);
	sampler_lost(port(1), 2, 0);
	take(1, 100, w);
	assert_int_equal(w[WORD_SEQ], 1);
	assert_int_equal(w[WORD_DROPS], 5);
	assert_int_equal(w[WORD_POOL], 400);
}

static void
refused_sample_is_a_drop_and_uses_no_sequence_number(void **state)
{
	struct packet p;
	uint32_t w[WORDS];

	(void)state;
	sampled(&p, 1, 100);
	p.input.kind = PACKET_PORT_MULTIPLE;
	assert_int_equal(sampler_take_packet(port(1), &p, &f.d, mono_now()), -EINVAL);
	take(1, 100, w);
	assert_int_equal(w[WORD_SEQ], 1);
	assert_int_equal(w[WORD_DROPS], 1);
	assert_int_equal(w[WORD_POOL], 200);
}

static void
sequences_wrap_to_zero(void **state)
{
	uint32_t w[WORDS];

	(void)state;
	port(1)->flow_seq = UINT32_MAX;
	port(1)->pool = UINT32_MAX - 99;
	take(1, 101, w);
	assert_int_equal(w[WORD_SEQ], 0);
	assert_int_equal(w[WORD_POOL], 1);
}

static void
discards_have_a_sequence_and_drops_of_their_own(void **state)
{
	struct packet p;
	uint32_t w[WORDS];

	(void)state;
	take(1, 100, w);
	sampler_discards_lost(port(1), 7);
	sampled(&p, 1, 0);
	assert_int_equal(sampler_take_discard(port(1), &p, &f.d, mono_now()), 0);
	sent_words(w, WORDS);
	assert_int_equal(w[WORD_SEQ], 1);
	assert_int_equal(w[WORD_DISCARD_DROPS], 7);
	assert_int_equal(port(1)->drops, 0);
}

static void
refused_discard_is_counted(void **state)
{
	struct packet p;

	(void)state;
	sampled(&p, 1, 0);
	p.frame_len = 0;
	assert_int_equal(sampler_take_discard(port(1), &p, &f.d, mono_now()), -EINVAL);
	assert_int_equal(port(1)->discard_drops, 1);
	assert_int_equal(port(1)->discard_seq, 0);
}

static void
counters_have_a_sequence_that_a_reset_begins_anew(void **state)
{
	struct if_sample c;
	uint32_t w[WORDS];

	(void)state;
	if_sample_init(&c, 1);
	assert_int_equal(sampler_take_if(port(1), &c, &f.d, mono_now()), 0);
	datagram_flush(&f.d);
	assert_int_equal(sampler_take_if(port(1), &c, &f.d, mono_now()), 0);
	sent_words(w, WORDS);
	assert_int_equal(w[WORD_SEQ], 2);
	sampler_counters_reset(port(1));
	assert_int_equal(sampler_take_if(port(1), &c, &f.d, mono_now()), 0);
	sent_words(w, WORDS);
	assert_int_equal(w[WORD_SEQ], 1);
	assert_int_equal(port(1)->flow_seq, 0);
}

static void
host_is_source_two_one(void **state)
{
	struct sampler *s = sampler_get(&f.table, data_source_host());
	struct host_sample c;
	uint32_t w[WORDS];

	(void)state;
	host_sample_init(&c);
	c.has = HOST_HAS_CPU;
	assert_int_equal(sampler_take_host(s, &c, &f.d, mono_now()), 0);
	sent_words(w, WORDS);
	assert_int_equal(w[WORD_SEQ], 1);
	assert_int_equal(w[WORD_CLASS], 2);
	assert_int_equal(w[WORD_INDEX], 1);
}

static void
refused_counters_use_no_sequence_number(void **state)
{
	struct if_sample c;

	(void)state;
	f.conf.agent.family = 0;
	assert_int_equal(datagram_configure(&f.d, &f.conf), 0);
	if_sample_init(&c, 1);
	assert_int_equal(
		sampler_take_if(port(1), &c, &f.d, mono_now()), -EADDRNOTAVAIL);
	assert_int_equal(port(1)->counters_seq, 0);
}

static void
table_finds_keeps_and_forgets(void **state)
{
	struct sampler *first = port(1);
	struct data_source vlan = { SFLOW_CLASS_VLAN, 1 };

	(void)state;
	for (uint32_t i = 1; i <= 2000; i++)
		(void)port(i);
	assert_ptr_not_equal(sampler_get(&f.table, vlan), first);
	assert_ptr_equal(sampler_find(&f.table, data_source_port(1)), first);
	assert_int_equal(f.table.n, 2001);
	sampler_remove(&f.table, data_source_port(513));
	sampler_remove(&f.table, data_source_port(513));
	assert_null(sampler_find(&f.table, data_source_port(513)));
	assert_non_null(sampler_find(&f.table, data_source_port(1)));
	assert_non_null(sampler_find(&f.table, data_source_port(1025)));
	assert_int_equal(f.table.n, 2000);
}

static void
port_that_comes_back_begins_anew(void **state)
{
	uint32_t w[WORDS];

	(void)state;
	take(1, 100, w);
	sampler_remove(&f.table, data_source_port(1));
	take(1, 100, w);
	assert_int_equal(w[WORD_SEQ], 1);
	assert_int_equal(w[WORD_POOL], 100);
}

static void
table_is_limited(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SAMPLER_MAX; i++)
		(void)port(i);
	assert_null(sampler_get(&f.table, data_source_port(SAMPLER_MAX)));
	assert_int_equal(f.table.refused, 1);
	assert_non_null(sampler_get(&f.table, data_source_port(5)));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_source_has_its_own_sequence_and_pool),
		TEST(rate_is_that_of_the_packet),
		TEST(pool_of_the_hardware_is_taken_as_it_is),
		TEST(lost_samples_count_as_drops_and_grow_the_pool),
		TEST(refused_sample_is_a_drop_and_uses_no_sequence_number),
		TEST(sequences_wrap_to_zero),
		TEST(discards_have_a_sequence_and_drops_of_their_own),
		TEST(refused_discard_is_counted),
		TEST(counters_have_a_sequence_that_a_reset_begins_anew),
		TEST(host_is_source_two_one),
		TEST(refused_counters_use_no_sequence_number),
		TEST(table_finds_keeps_and_forgets),
		TEST(port_that_comes_back_begins_anew),
		TEST(table_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
