/*
 * test_datagram.c - filling, splitting, batches, deadlines, addresses and sequences.
 */
#include "agent/datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/rbuf.h"

enum { KEPT_MAX = 64 };

/* What one datagram said of itself. */
struct kept {
	size_t len;
	uint32_t family; /* address type word */
	uint32_t sub_agent;
	uint32_t seq;
	uint32_t uptime_ms;
	uint32_t samples;
};

static struct fixture {
	struct datagram d;
	struct datagram_conf conf;
	struct kept kept[KEPT_MAX];
	size_t n;     /* datagrams */
	size_t calls; /* batches */
	int64_t clock_ns;
} f;

static int64_t
fake_clock(void *user_data)
{
	(void)user_data;
	return f.clock_ns;
}

static void
keep(const struct iovec *msgs, size_t n, void *user_data)
{
	assert_ptr_equal(user_data, &f);
	f.calls++;
	for (size_t i = 0; i < n; i++) {
		struct rbuf r;
		struct kept *k = &f.kept[f.n++];

		assert_true(f.n <= KEPT_MAX);
		rbuf_init(&r, msgs[i].iov_base, msgs[i].iov_len);
		assert_int_equal(rbuf_get_be32(&r), 5);
		k->len = msgs[i].iov_len;
		k->family = rbuf_get_be32(&r);
		(void)rbuf_get_bytes(&r, k->family == 2 ? 16 : 4);
		k->sub_agent = rbuf_get_be32(&r);
		k->seq = rbuf_get_be32(&r);
		k->uptime_ms = rbuf_get_be32(&r);
		k->samples = rbuf_get_be32(&r);
		assert_true(rbuf_ok(&r));
	}
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	mono_set_source(fake_clock, NULL);
	datagram_conf_init(&f.conf);
	assert_int_equal(parse_addr("192.0.2.1", &f.conf.agent), 0);
	return datagram_init(&f.d, &f.conf, keep, &f);
}

static int
tear_down(void **state)
{
	(void)state;
	datagram_done(&f.d);
	mono_set_source(NULL, NULL);
	return 0;
}

static const uint8_t frame[256];

/* A sample with 128 bytes of header: 204 bytes when expanded. */
static int
put_flow(void)
{
	struct packet p;
	struct flow_sample s = { .seq = 1, .packet = &p };

	packet_init(&p);
	p.rate = 1;
	packet_set_ethernet(&p, frame, sizeof(frame), sizeof(frame));
	return datagram_put_flow(&f.d, &s, mono_now());
}

static void
put_flows(unsigned n)
{
	while (n--)
		assert_int_equal(put_flow(), 0);
}

static void
samples_fill_a_datagram_and_the_next_one_begins(void **state)
{
	(void)state;
	put_flows(7); /* 28 + 6 * 204 = 1252; a seventh would make 1456 */
	assert_int_equal(f.n, 0);
	datagram_flush(&f.d);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.calls, 1);
	assert_int_equal(f.kept[0].samples, 6);
	assert_int_equal(f.kept[0].len, 1252);
	assert_int_equal(f.kept[1].samples, 1);
	assert_int_equal(f.kept[1].len, 28 + 204);
	assert_int_equal(f.d.stats.datagrams, 2);
	assert_int_equal(f.d.stats.flow_samples, 7);
}

static void
sequence_counts_datagrams_from_one(void **state)
{
	(void)state;
	put_flows(13);
	datagram_flush(&f.d);
	put_flows(1);
	datagram_flush(&f.d);
	assert_int_equal(f.n, 4);
	for (size_t i = 0; i < f.n; i++)
		assert_int_equal(f.kept[i].seq, i + 1);
}

static void
full_batch_leaves_without_a_flush(void **state)
{
	(void)state;
	put_flows(6 * DATAGRAM_BATCH);
	assert_int_equal(f.n, 0);
	put_flows(1);
	assert_int_equal(f.calls, 1);
	assert_int_equal(f.n, DATAGRAM_BATCH);
	datagram_flush(&f.d);
	assert_int_equal(f.n, DATAGRAM_BATCH + 1);
	assert_int_equal(f.kept[DATAGRAM_BATCH].samples, 1);
}

static void
flush_of_nothing_sends_nothing(void **state)
{
	struct mono when;

	(void)state;
	datagram_flush(&f.d);
	assert_int_equal(f.calls, 0);
	assert_false(datagram_deadline(&f.d, &when));
	put_flows(1);
	datagram_flush(&f.d);
	datagram_flush(&f.d);
	assert_int_equal(f.calls, 1);
	assert_false(datagram_deadline(&f.d, &when));
}

static void
deadline_is_that_of_the_first_sample_that_waits(void **state)
{
	struct mono when;

	(void)state;
	f.clock_ns = 1000000000;
	put_flows(1);
	f.clock_ns += 50000000;
	put_flows(7); /* the first datagram is finished now and still waits */
	assert_true(datagram_deadline(&f.d, &when));
	assert_int_equal(when.ns, 1000000000 + f.conf.delay_ms * 1000000LL);
	datagram_flush(&f.d);
	f.clock_ns = 5000000000;
	put_flows(1);
	assert_true(datagram_deadline(&f.d, &when));
	assert_int_equal(when.ns, 5000000000 + f.conf.delay_ms * 1000000LL);
}

static void
default_delay_is_within_the_second_of_the_standard(void **state)
{
	(void)state;
	assert_in_range(f.conf.delay_ms, 1, SFLOW_MAX_DELAY_MS);
}

static void
uptime_is_that_of_sending_modulo_32_bits(void **state)
{
	(void)state;
	f.clock_ns = 5000000;
	put_flows(1);
	f.clock_ns = ((int64_t)UINT32_MAX + 8) * 1000000;
	datagram_flush(&f.d);
	assert_int_equal(f.kept[0].uptime_ms, 7);
}

static void
ipv6_agent_has_a_longer_header(void **state)
{
	(void)state;
	assert_int_equal(parse_addr("2001:db8::1", &f.conf.agent), 0);
	f.conf.sub_agent = 3;
	assert_int_equal(datagram_configure(&f.d, &f.conf), 0);
	put_flows(1);
	datagram_flush(&f.d);
	assert_int_equal(f.kept[0].family, 2);
	assert_int_equal(f.kept[0].sub_agent, 3);
	assert_int_equal(f.kept[0].len, 40 + 204);
	assert_int_equal(f.kept[0].seq, 1);
	assert_int_equal(f.kept[0].samples, 1);
}

static void
nothing_is_sent_without_an_agent_address(void **state)
{
	(void)state;
	f.conf.agent.family = 0;
	assert_int_equal(datagram_configure(&f.d, &f.conf), 0);
	assert_int_equal(put_flow(), -EADDRNOTAVAIL);
	datagram_flush(&f.d);
	assert_int_equal(f.n, 0);
	assert_int_equal(f.d.stats.unaddressed, 1);
}

static void
new_address_begins_a_new_sequence_and_what_waits_goes_under_the_old_one(void **state)
{
	(void)state;
	put_flows(1);
	assert_int_equal(parse_addr("2001:db8::1", &f.conf.agent), 0);
	assert_int_equal(datagram_configure(&f.d, &f.conf), 0);
	put_flows(1);
	datagram_flush(&f.d);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.kept[0].family, 1);
	assert_int_equal(f.kept[0].seq, 1);
	assert_int_equal(f.kept[1].family, 2);
	assert_int_equal(f.kept[1].seq, 1);
}

static void
other_changes_keep_the_sequence(void **state)
{
	(void)state;
	put_flows(1);
	f.conf.size_max = 300;
	assert_int_equal(datagram_configure(&f.d, &f.conf), 0);
	put_flows(2);
	datagram_flush(&f.d);
	assert_int_equal(f.n, 3);
	assert_int_equal(f.kept[2].seq, 3);
	assert_int_equal(f.kept[2].len, 28 + 204);
}

static void
values_out_of_range_are_refused_and_nothing_changes(void **state)
{
	struct datagram_conf good = f.conf;

	(void)state;
	f.conf.size_max = DATAGRAM_SIZE_MIN - 1;
	assert_int_equal(datagram_configure(&f.d, &f.conf), -EINVAL);
	f.conf.size_max = DATAGRAM_SIZE_MAX + 1;
	assert_int_equal(datagram_configure(&f.d, &f.conf), -EINVAL);
	f.conf = good;
	f.conf.delay_ms = SFLOW_MAX_DELAY_MS + 1;
	assert_int_equal(datagram_configure(&f.d, &f.conf), -EINVAL);
	f.conf = good;
	f.conf.agent.family = 77;
	assert_int_equal(datagram_configure(&f.d, &f.conf), -EINVAL);
	put_flows(1);
	datagram_flush(&f.d);
	assert_int_equal(f.kept[0].family, 1);
}

static void
form_cannot_change_once_something_was_put_in(void **state)
{
	(void)state;
	f.conf.options.compact = true;
	assert_int_equal(datagram_configure(&f.d, &f.conf), 0);
	put_flows(1);
	f.conf.options.compact = false;
	assert_int_equal(datagram_configure(&f.d, &f.conf), -EINVAL);
	datagram_flush(&f.d);
	assert_int_equal(datagram_configure(&f.d, &f.conf), -EINVAL);
	assert_int_equal(f.kept[0].len, 28 + 192);
}

static void
sample_larger_than_any_datagram_is_shortened_and_counted(void **state)
{
	(void)state;
	f.conf.size_max = DATAGRAM_SIZE_MIN;
	assert_int_equal(datagram_configure(&f.d, &f.conf), 0);
	put_flows(2);
	datagram_flush(&f.d);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.kept[0].len, DATAGRAM_SIZE_MIN);
	assert_int_equal(f.d.stats.records_cut, 2);
	assert_int_equal(f.d.stats.refused, 0);
}

static void
refused_sample_is_counted_and_leaves_no_trace(void **state)
{
	struct packet p;
	struct flow_sample s = { .seq = 1, .packet = &p };

	(void)state;
	packet_init(&p); /* without rate */
	assert_int_equal(datagram_put_flow(&f.d, &s, mono_now()), -EINVAL);
	assert_int_equal(f.d.stats.refused, 1);
	assert_int_equal(f.d.stats.flow_samples, 0);
	datagram_flush(&f.d);
	assert_int_equal(f.n, 0);
}

static void
all_kinds_of_samples_share_a_datagram(void **state)
{
	struct if_sample port;
	struct host_sample host;
	struct packet p;
	struct discard_sample discard = { .seq = 1, .packet = &p };

	(void)state;
	if_sample_init(&port, 3);
	host_sample_init(&host);
	host.has = HOST_HAS_CPU;
	packet_init(&p);
	p.reason = SFLOW_REASON_ACL;
	packet_set_ethernet(&p, frame, 60, 60);
	assert_int_equal(datagram_put_if(&f.d, &port, mono_now()), 0);
	assert_int_equal(datagram_put_host(&f.d, &host, mono_now()), 0);
	assert_int_equal(datagram_put_discard(&f.d, &discard, mono_now()), 0);
	put_flows(1);
	datagram_flush(&f.d);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.kept[0].samples, 4);
	assert_int_equal(f.d.stats.counters_samples, 2);
	assert_int_equal(f.d.stats.discard_samples, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(samples_fill_a_datagram_and_the_next_one_begins),
		TEST(sequence_counts_datagrams_from_one),
		TEST(full_batch_leaves_without_a_flush),
		TEST(flush_of_nothing_sends_nothing),
		TEST(deadline_is_that_of_the_first_sample_that_waits),
		TEST(default_delay_is_within_the_second_of_the_standard),
		TEST(uptime_is_that_of_sending_modulo_32_bits),
		TEST(ipv6_agent_has_a_longer_header),
		TEST(nothing_is_sent_without_an_agent_address),
		TEST(new_address_begins_a_new_sequence_and_what_waits_goes_under_the_old_one),
		TEST(other_changes_keep_the_sequence),
		TEST(values_out_of_range_are_refused_and_nothing_changes),
		TEST(form_cannot_change_once_something_was_put_in),
		TEST(sample_larger_than_any_datagram_is_shortened_and_counted),
		TEST(refused_sample_is_counted_and_leaves_no_trace),
		TEST(all_kinds_of_samples_share_a_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
