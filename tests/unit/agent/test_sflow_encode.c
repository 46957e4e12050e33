/*
 * test_sflow_encode.c - how unknown values look, both forms of ports and sources,
 * limits, and what happens when there is no room.
 */
#include "sflow_out.h"

#include <arpa/inet.h>
#include <errno.h>

#include "agent/sflow_encode_records.h"

static const struct sflow_options compact = { .compact = true, .header_max = 128 };
static const struct sflow_options expanded = { .compact = false, .header_max = 128 };

/* Bytes in front of the words of a sample and of its first record. */
enum {
	SAMPLE_HEAD = 8,
	COMPACT_INPUT = SAMPLE_HEAD + 20,
	EXPANDED_INPUT = SAMPLE_HEAD + 24,
	EXPANDED_RECORDS = SAMPLE_HEAD + 44,
	DISCARD_RECORDS = SAMPLE_HEAD + 32,
};

static const uint8_t frame[200] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0, 0x45 };

static void
sampled(struct packet *p)
{
	packet_init(p);
	p->source = data_source_port(7);
	p->input = packet_port_ifindex(7);
	p->rate = 1000;
	packet_set_ethernet(p, frame, sizeof(frame), 1514);
}

static int
put_flow(struct out *o, const struct sflow_options *options, const struct packet *p,
	unsigned *ret_cut)
{
	struct flow_sample s = { .seq = 1, .pool = 2, .drops = 3, .packet = p };

	return sflow_put_flow_sample(&o->w, options, &s, ret_cut);
}

static int
put_discard(struct out *o, const struct packet *p)
{
	struct discard_sample s = { .seq = 1, .packet = p };

	return sflow_put_discard_sample(&o->w, &expanded, &s, NULL);
}

struct port_case {
	struct packet_port port;
	uint32_t compact;
	uint32_t format;
	uint32_t value;
};

static void
output_ports_have_the_words_of_the_standard(void **state)
{
	static const struct port_case cases[] = {
		{ { PACKET_PORT_IFINDEX, 2 }, 0x00000002, 0, 2 },
		{ { PACKET_PORT_UNKNOWN, 0 }, 0x00000000, 0, 0 },
		{ { PACKET_PORT_INTERNAL, 0 }, 0x3fffffff, 0, 0xffffffff },
		{ { PACKET_PORT_DISCARDED, SFLOW_REASON_ACL }, 0x40000102, 1, 258 },
		{ { PACKET_PORT_DISCARDED, SFLOW_REASON_UNKNOWN }, 0x40000100, 1, 256 },
		{ { PACKET_PORT_MULTIPLE, 7 }, 0x80000007, 2, 7 },
		{ { PACKET_PORT_MULTIPLE, 0 }, 0x80000000, 2, 0 },
	};
	struct packet p;
	struct out o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sampled(&p);
		p.output = cases[i].port;
		out_init(&o, sizeof(o.bytes));
		assert_int_equal(put_flow(&o, &compact, &p, NULL), 0);
		assert_int_equal(word_at(&o, COMPACT_INPUT), 7);
		assert_int_equal(word_at(&o, COMPACT_INPUT + 4), cases[i].compact);
		out_init(&o, sizeof(o.bytes));
		assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
		assert_int_equal(word_at(&o, EXPANDED_INPUT), 0);
		assert_int_equal(word_at(&o, EXPANDED_INPUT + 4), 7);
		assert_int_equal(word_at(&o, EXPANDED_INPUT + 8), cases[i].format);
		assert_int_equal(word_at(&o, EXPANDED_INPUT + 12), cases[i].value);
	}
}

/* @p is refused with @code, and nothing is written. */
static void
expect_refused(const struct sflow_options *options, const struct packet *p, int code)
{
	unsigned cut;
	struct out o;

	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, options, p, NULL), code);
	assert_int_equal(put_flow(&o, options, p, &cut), code);
	assert_int_equal(o.w.len, 0);
	assert_true(wbuf_ok(&o.w));
}

static void
sample_without_rate_is_refused(void **state)
{
	struct packet p;

	(void)state;
	sampled(&p);
	p.rate = 0;
	expect_refused(&expanded, &p, -EINVAL);
}

static void
input_that_is_discarded_or_multiple_is_refused(void **state)
{
	struct packet p;

	(void)state;
	sampled(&p);
	p.input.kind = PACKET_PORT_DISCARDED;
	expect_refused(&expanded, &p, -EINVAL);
	p.input.kind = PACKET_PORT_MULTIPLE;
	expect_refused(&expanded, &p, -EINVAL);
}

static void
more_stripped_than_there_was_is_refused(void **state)
{
	struct packet p;

	(void)state;
	sampled(&p);
	p.frame_len = 3;
	expect_refused(&expanded, &p, -EINVAL);
}

static void
indexes_too_large_for_the_compact_form_are_refused(void **state)
{
	struct packet p;
	struct if_sample c;
	struct out o;

	(void)state;
	sampled(&p);
	p.source.index = 1 << 24;
	expect_refused(&compact, &p, -ERANGE);
	sampled(&p);
	p.output = packet_port_ifindex(0x3fffffff);
	expect_refused(&compact, &p, -ERANGE);
	if_sample_init(&c, 1 << 24);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_if_sample(&o.w, &compact, &c, NULL), -ERANGE);
	assert_int_equal(o.w.len, 0);
	assert_int_equal(sflow_put_if_sample(&o.w, &expanded, &c, NULL), 0);
}

/* Length of the header that is sent of @p. */
static uint32_t
header_len(const struct sflow_options *options, const struct packet *p)
{
	struct out o;

	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, options, p, NULL), 0);
	assert_int_equal(o.w.len % 4, 0);
	return word_at(&o, EXPANDED_RECORDS + 8 + 12);
}

static void
header_is_limited_by_option_capture_and_frame(void **state)
{
	struct sflow_options none = { .header_max = 0 };
	struct packet p;

	(void)state;
	sampled(&p);
	assert_int_equal(header_len(&expanded, &p), 128);
	assert_int_equal(header_len(&none, &p), 0);
	p.header_len = 61;
	assert_int_equal(header_len(&expanded, &p), 61);
	p.frame_len = 50; /* of which 4 are stripped */
	assert_int_equal(header_len(&expanded, &p), 46);
}

static void
padding_behind_a_header_is_zero(void **state)
{
	static const uint8_t zero[3];
	struct packet p;
	struct out o;

	(void)state;
	sampled(&p);
	p.header_len = 61;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
	assert_memory_equal(o.bytes + o.w.len - 3, zero, 3);
}

static void
queue_is_sent_only_with_a_known_output_and_depth_only_with_queue(void **state)
{
	struct packet p;
	struct out o;

	(void)state;
	sampled(&p);
	p.has = PACKET_HAS_QUEUE | PACKET_HAS_QUEUE_DEPTH | PACKET_HAS_TRANSIT;
	p.queue = 1;
	p.queue_depth_bytes = 2;
	p.transit_ns = 3;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
	EXPECT_TAGS(&o, EXPANDED_RECORDS, 1, 1039);
	p.output = packet_port_ifindex(9);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
	EXPECT_TAGS(&o, EXPANDED_RECORDS, 1, 1036, 1039, 1040);
}

static void
delay_and_depth_saturate(void **state)
{
	struct packet p;
	struct out o;

	(void)state;
	sampled(&p);
	p.output = packet_port_ifindex(9);
	p.has = PACKET_HAS_QUEUE | PACKET_HAS_QUEUE_DEPTH | PACKET_HAS_TRANSIT;
	p.queue = 1;
	p.queue_depth_bytes = UINT64_MAX;
	p.transit_ns = (uint64_t)UINT32_MAX + 1;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
	assert_int_equal(word_at(&o, o.w.len - 4), UINT32_MAX);
	assert_int_equal(word_at(&o, o.w.len - 16), UINT32_MAX);
}

/* Everything that can be said of a packet. */
static void
say_all(struct packet *p)
{
	p->output = packet_port_ifindex(9);
	p->has = PACKET_HAS_SWITCH | PACKET_HAS_ROUTER | PACKET_HAS_GATEWAY |
		 PACKET_HAS_EGRESS_TUNNEL | PACKET_HAS_INGRESS_TUNNEL |
		 PACKET_HAS_HW_TRAP | PACKET_HAS_LINUX_REASON | PACKET_HAS_FUNCTION |
		 PACKET_HAS_ACL | PACKET_HAS_QUEUE | PACKET_HAS_TRANSIT |
		 PACKET_HAS_QUEUE_DEPTH | PACKET_HAS_TIMESTAMP;
	memset(&p->vlan, 0xff, sizeof(p->vlan));
	p->router = (struct packet_router){ .dst_prefix_len = 24 };
	memset(&p->gateway, 0, sizeof(p->gateway));
	p->tunnel_out = (struct packet_tunnel){ .has = 15 };
	p->tunnel_out.src.family = AF_INET;
	p->tunnel_in = (struct packet_tunnel){ .has = 15 };
	p->tunnel_in.src.family = AF_INET6;
	p->trap_group = "l3_drops";
	p->trap_name = "blackhole_route";
	p->linux_reason = "";
	p->function = NULL;
	p->acl = (struct packet_acl){ 5, "50_ddos", SFLOW_ACL_INGRESS };
	p->queue = 0;
	p->transit_ns = 0;
	p->queue_depth_bytes = 0;
	p->timestamp_ns = 0;
}

static void
records_of_a_packet_come_in_the_order_that_collectors_survive(void **state)
{
	struct packet p;
	struct out o;

	(void)state;
	sampled(&p);
	say_all(&p);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
	EXPECT_TAGS(&o, EXPANDED_RECORDS, 1, 1001, 1002, 1003, 1021, 1023, 1027, 1029,
		1022, 1026, 1028, 1030, 1041, 1042, 1038, 1037, 1036, 1039, 1040, 1043);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_discard(&o, &p), 0);
	EXPECT_TAGS(&o, DISCARD_RECORDS, 1, 1001, 1002, 1003, 1021, 1023, 1027, 1029,
		1022, 1026, 1028, 1030, 1041, 1042, 1038, 1037, 1036, 1039, 1040, 1043);
}

static void
next_hop_of_a_connected_route_is_sent_as_ipv4_zero(void **state)
{
	static const uint8_t want[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		24 };
	struct packet p;
	struct out o;

	(void)state;
	sampled(&p);
	say_all(&p);
	p.has = PACKET_HAS_ROUTER;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
	assert_memory_equal(o.bytes + o.w.len - sizeof(want), want, sizeof(want));
}

static void
long_texts_are_cut_at_the_limit_of_the_standard(void **state)
{
	char text[400];
	struct packet p;
	struct out o;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	sampled(&p);
	p.has = PACKET_HAS_FUNCTION;
	p.function = text;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
	assert_int_equal(word_at(&o, o.w.len - 68), 64);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(sflow_put_port_name(&o.w, text), 0);
	assert_int_equal(word_at(&o, 8), 255);
}

static void
discard_has_plain_ifindexes_and_unknown_otherwise(void **state)
{
	struct packet p;
	struct out o;

	(void)state;
	sampled(&p);
	p.rate = 0;
	p.reason = SFLOW_REASON_TTL_EXCEEDED;
	p.output.kind = PACKET_PORT_INTERNAL;
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_discard(&o, &p), 0);
	assert_int_equal(word_at(&o, 0), SFLOW_SAMPLE_DISCARD);
	assert_int_equal(word_at(&o, SAMPLE_HEAD + 16), 7);
	assert_int_equal(word_at(&o, SAMPLE_HEAD + 20), 0);
	assert_int_equal(word_at(&o, SAMPLE_HEAD + 24), 257);
}

/* At every size the sample is there whole, or nothing is; never a byte beyond. */
static void
sample_that_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
	struct packet p;
	struct out o;
	size_t full;

	(void)state;
	sampled(&p);
	say_all(&p);
	out_init(&o, sizeof(o.bytes));
	assert_int_equal(put_flow(&o, &expanded, &p, NULL), 0);
	full = o.w.len;
	for (size_t size = 0; size < full; size++) {
		out_init(&o, size + 4);
		wbuf_put_be32(&o.w, 0xabad1dea);
		assert_int_equal(put_flow(&o, &expanded, &p, NULL), -ENOSPC);
		assert_int_equal(o.w.len, 4);
		assert_true(wbuf_ok(&o.w));
		assert_int_equal(word_at(&o, 0), 0xabad1dea);
		assert_int_equal(o.bytes[size + 4], 0xee);
	}
}

static void
optional_records_are_left_out_and_the_header_is_shortened_to_fit(void **state)
{
	struct packet p;
	unsigned cut;
	struct out o;

	(void)state;
	sampled(&p);
	say_all(&p);
	out_init(&o, EXPANDED_RECORDS + 24 + 128 + 12);
	assert_int_equal(put_flow(&o, &expanded, &p, &cut), 0);
	EXPECT_TAGS(&o, EXPANDED_RECORDS, 1, 1027);
	assert_int_equal(cut, 18);
	out_init(&o, EXPANDED_RECORDS + 24 + 63);
	assert_int_equal(put_flow(&o, &expanded, &p, &cut), 0);
	EXPECT_TAGS(&o, EXPANDED_RECORDS, 1);
	assert_int_equal(word_at(&o, EXPANDED_RECORDS + 20), 60);
	assert_int_equal(cut, 20);
	out_init(&o, EXPANDED_RECORDS + 23);
	assert_int_equal(put_flow(&o, &expanded, &p, &cut), -ENOSPC);
	assert_int_equal(o.w.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_ports_have_the_words_of_the_standard),
		cmocka_unit_test(sample_without_rate_is_refused),
		cmocka_unit_test(input_that_is_discarded_or_multiple_is_refused),
		cmocka_unit_test(more_stripped_than_there_was_is_refused),
		cmocka_unit_test(indexes_too_large_for_the_compact_form_are_refused),
		cmocka_unit_test(header_is_limited_by_option_capture_and_frame),
		cmocka_unit_test(padding_behind_a_header_is_zero),
		cmocka_unit_test(
			queue_is_sent_only_with_a_known_output_and_depth_only_with_queue),
		cmocka_unit_test(delay_and_depth_saturate),
		cmocka_unit_test(
			records_of_a_packet_come_in_the_order_that_collectors_survive),
		cmocka_unit_test(next_hop_of_a_connected_route_is_sent_as_ipv4_zero),
		cmocka_unit_test(long_texts_are_cut_at_the_limit_of_the_standard),
		cmocka_unit_test(discard_has_plain_ifindexes_and_unknown_otherwise),
		cmocka_unit_test(sample_that_does_not_fit_leaves_the_buffer_as_it_was),
		cmocka_unit_test(
			optional_records_are_left_out_and_the_header_is_shortened_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
