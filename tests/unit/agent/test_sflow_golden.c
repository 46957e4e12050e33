/*
 * test_sflow_golden.c - whole datagrams, byte for byte as in tests/golden.
 *
 * Five are made the way the agent makes them, through the datagram. In the other two
 * the order of records is not ours (that of Host sFlow agents, or one chosen to hold
 * every record), so they are put together record by record.
 */
#include "golden.h"

#include <arpa/inet.h>

#include "agent/datagram.h"
#include "agent/sflow_encode_records.h"

/* A collector of one datagram. */
struct sent {
	uint8_t data[DATAGRAM_SIZE_MAX];
	size_t len;
};

static int64_t boot_ns;

static int64_t
fake_clock(void *user_data)
{
	(void)user_data;
	return boot_ns;
}

static int
set_up(void **state)
{
	(void)state;
	mono_set_source(fake_clock, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mono_set_source(NULL, NULL);
	return 0;
}

static void
keep(const struct iovec *msgs, size_t n, void *user_data)
{
	struct sent *sent = user_data;

	assert_int_equal(n, 1);
	assert_true(msgs[0].iov_len <= sizeof(sent->data));
	memcpy(sent->data, msgs[0].iov_base, msgs[0].iov_len);
	sent->len = msgs[0].iov_len;
}

static struct parse_addr
address(const char *text)
{
	struct parse_addr a;

	assert_int_equal(parse_addr(text, &a), 0);
	return a;
}

/* The stream that the vector belongs to, about to send datagram @seq. */
struct stream {
	const char *agent;
	uint32_t sub_agent;
	uint32_t seq;
	uint32_t uptime_ms;
	bool compact;
};

static void
open_stream(struct datagram *d, const struct stream *s, struct sent *sent)
{
	struct datagram_conf conf;

	datagram_conf_init(&conf);
	conf.agent = address(s->agent);
	conf.sub_agent = s->sub_agent;
	conf.options.compact = s->compact;
	boot_ns = (int64_t)s->uptime_ms * 1000000;
	assert_int_equal(datagram_init(d, &conf, keep, sent), 0);
	d->seq = s->seq - 1;
}

static void
expect_sent(struct datagram *d, struct sent *sent, const char *name)
{
	struct golden golden;

	sent->len = 0;
	datagram_flush(d);
	golden_read(name, &golden);
	golden_compare(sent->data, sent->len, golden.data, golden.len);
	datagram_done(d);
}

static const uint8_t tcp_frame[128] = { 0x6c, 0x64, 0x1a, 0x00, 0x04, 0x5e, 0xe8, 0xe7,
	0x32, 0x77, 0xe2, 0xb5, 0x08, 0x00, 0x45, 0x00, 0x05, 0xdc, 0x63, 0x06, 0x40,
	0x00, 0x40, 0x06, 0x9e, 0x21, 0x0a, 0x64, 0x0a, 0x97, 0x0a, 0x64, 0x14, 0x96,
	0x9a, 0x6d, 0x13, 0x89, 0x4a, 0x0c, 0x4a, 0x42, 0xea, 0x3c, 0x14, 0xb5, 0x80,
	0x10, 0x00, 0x2e, 0xab, 0x45, 0x00, 0x00, 0x01, 0x01, 0x08, 0x0a, 0x5d, 0xb2,
	0xeb, 0xa5, 0x15, 0xed, 0x48, 0xb7, '4', '5', '6', '7', '8', '9', '0', '1', '2',
	'3', '4', '5', '6', '7', '8', '9', '0', '1', '2', '3', '4', '5', '6', '7', '8',
	'9', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '1', '2', '3', '4',
	'5', '6', '7', '8', '9', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '0',
	'1', '2', '3', '4', '5' };

/* A full-size frame of which @captured bytes were seen. */
static void
tcp_packet(struct packet *p, uint32_t in, uint32_t out, uint32_t captured)
{
	packet_init(p);
	p->source = data_source_port(in);
	p->input = packet_port_ifindex(in);
	p->output = packet_port_ifindex(out);
	packet_set_ethernet(p, tcp_frame, captured, 1514);
}

static void
flow_sample_is_as_in_the_vector(void **state)
{
	struct stream stream = { "10.0.0.233", 100000, 340132, 17479000, true };
	struct flow_sample sample = { .seq = 1022129, .pool = 130832512 };
	struct packet p;
	struct datagram d;
	struct sent sent;

	(void)state;
	tcp_packet(&p, 7, 10, sizeof(tcp_frame));
	p.rate = 128;
	sample.packet = &p;
	open_stream(&d, &stream, &sent);
	assert_int_equal(datagram_put_flow(&d, &sample, mono_now()), 0);
	expect_sent(&d, &sent, "flow_sample");
}

static void
set_gateway(struct packet_gateway *g)
{
	*g = (struct packet_gateway){
		.next_hop = address("192.0.2.1"),
		.as = 64512,
		.src_as = 64513,
		.src_peer_as = 64514,
		.local_pref = 200,
		.n_as_path = 2,
		.as_path = { 64515, 64516 },
		.n_communities = 1,
		.communities = { 64512u << 16 | 100 },
	};
}

static void
set_vxlan(struct packet_tunnel *t)
{
	*t = (struct packet_tunnel){
		.has = PACKET_TUNNEL_HAS_L2 | PACKET_TUNNEL_HAS_IP |
		       PACKET_TUNNEL_HAS_VNI,
		.l2_length = 1568,
		.l2_src = { 2, 0, 0, 0, 0, 1 },
		.l2_dst = { 2, 0, 0, 0, 0, 2 },
		.l2_type = 0x0800,
		.ip_length = 1550,
		.src = address("198.51.100.1"),
		.dst = address("198.51.100.2"),
		.ip_protocol = 17,
		.src_port = 49152,
		.dst_port = 4789,
		.vni = 10020,
	};
}

static void
expanded_flow_sample_is_as_in_the_vector(void **state)
{
	struct stream stream = { "10.0.0.233", 0, 1, 17479000, false };
	struct flow_sample sample = { .seq = 1, .pool = 1000 };
	struct packet p;
	struct datagram d;
	struct sent sent;

	(void)state;
	tcp_packet(&p, 16777260, 16777261, sizeof(tcp_frame));
	p.rate = 1000;
	p.has = PACKET_HAS_SWITCH | PACKET_HAS_ROUTER | PACKET_HAS_GATEWAY |
		PACKET_HAS_EGRESS_TUNNEL | PACKET_HAS_QUEUE | PACKET_HAS_TRANSIT |
		PACKET_HAS_QUEUE_DEPTH | PACKET_HAS_TIMESTAMP;
	p.vlan = (struct packet_vlan){ 10, 0, 20, 3 };
	p.router = (struct packet_router){ address("10.100.20.1"), 24, 24 };
	set_gateway(&p.gateway);
	set_vxlan(&p.tunnel_out);
	p.queue = 7;
	p.transit_ns = 33333;
	p.queue_depth_bytes = 22222;
	p.timestamp_ns = 1402004767123456789;
	sample.packet = &p;
	open_stream(&d, &stream, &sent);
	assert_int_equal(datagram_put_flow(&d, &sample, mono_now()), 0);
	expect_sent(&d, &sent, "flow_expanded");
}

static void
discard_sample_is_as_in_the_vector(void **state)
{
	struct stream stream = { "10.0.0.233", 0, 2, 17480000, false };
	struct discard_sample sample = { .seq = 1, .drops = 3 };
	struct packet p;
	struct datagram d;
	struct sent sent;

	(void)state;
	tcp_packet(&p, 7, 10, 62);
	p.reason = SFLOW_REASON_NO_BUFFER_SPACE;
	p.has = PACKET_HAS_HW_TRAP | PACKET_HAS_LINUX_REASON | PACKET_HAS_FUNCTION |
		PACKET_HAS_QUEUE;
	p.trap_group = "buffer_drops";
	p.trap_name = "tail_drop";
	p.linux_reason = "QDISC_DROP";
	p.function = "ip_rcv_core";
	p.queue = 7;
	sample.packet = &p;
	open_stream(&d, &stream, &sent);
	assert_int_equal(datagram_put_discard(&d, &sample, mono_now()), 0);
	expect_sent(&d, &sent, "discard");
}

/* Port swp42, down, that has never seen a packet. */
static void
idle_port(struct if_sample *s)
{
	if_sample_init(s, 44);
	s->generic.speed_bps = 0;
	s->generic.direction = SFLOW_IF_DIRECTION_HALF_DUPLEX;
	s->generic.in = (struct if_direction){ 0 };
	s->generic.out = (struct if_direction){ 0 };
	s->has = IF_HAS_NAME;
	s->name = "swp42";
}

static const struct ethernet_counters one_to_thirteen = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	11, 12, 13 };

static void
lag_member(struct lag_port *l)
{
	*l = (struct lag_port){
		.actor_system = { 0x6c, 0x64, 0x1a, 0x00, 0x04, 0x59 },
		.partner_system = { 0x08, 0x9e, 0x01, 0xf8, 0x9b, 0x45 },
		.attached_aggregator = 60,
		.actor_admin_state = 0x3d,
		.actor_oper_state = 0x3d,
		.partner_admin_state = 0x3c,
		.partner_oper_state = 0x3f,
		.lacpdu_rx = 11,
		.lacpdu_tx = 12,
	};
}

static void
port_counters_are_as_in_the_vector(void **state)
{
	struct stream stream = { "10.0.0.233", 100000, 340133, 17480000, true };
	struct if_sample s;
	struct datagram d;
	struct sent sent;

	(void)state;
	idle_port(&s);
	s.seq = 877;
	s.has |= IF_HAS_ETHERNET | IF_HAS_LAG;
	s.ethernet = one_to_thirteen;
	lag_member(&s.lag);
	open_stream(&d, &stream, &sent);
	assert_int_equal(datagram_put_if(&d, &s, mono_now()), 0);
	expect_sent(&d, &sent, "counters_port");
}

static const uint8_t switch_mac[6] = { 0x6c, 0x64, 0x1a, 0x00, 0x04, 0x59 };

static void
set_host(struct host_sample *s, struct host_adapter *adapter)
{
	static const uint8_t uuid[16] = { 0xfd, 0x01, 0x78, 0x45, 0x93, 0x93, 0x42,
		0x03, 0xa0, 0x5a, 0xa3, 0xd7, 0x42, 0xac, 0x3c, 0xde };

	host_sample_init(s);
	s->descr.hostname = "cumulus";
	memcpy(s->descr.uuid, uuid, sizeof(uuid));
	s->descr.machine = SFLOW_MACHINE_POWERPC;
	s->descr.os_release = "3.2.46-1+deb7u1+cl2+1";
	*adapter = (struct host_adapter){ .ifindex = 2, .n_macs = 1 };
	memcpy(adapter->macs[0], switch_mac, sizeof(switch_mac));
	s->adapters = adapter;
	s->n_adapters = 1;
	s->cpu = (struct host_cpu){ .load_one = 0.39f,
		.load_five = 0.44f,
		.load_fifteen = 0.43f,
		.proc_run = 1,
		.proc_total = 95,
		.cpu_num = 2,
		.uptime_s = 770774,
		.user_ms = 160600160,
		.nice_ms = 192970,
		.system_ms = 77855100,
		.idle_ms = 1302586110,
		.wait_ms = 4650,
		.softintr_ms = 308370,
		.interrupts = 1851322098,
		.contexts = 800650455,
		.steal_ms = 10,
		.guest_ms = 20,
		.guest_nice_ms = 30 };
}

static void
count_up(uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = i + 1;
}

static void
host_counters_of_an_ipv6_agent_are_as_in_the_vector(void **state)
{
	struct stream stream = { "2001:db8::233", 0, 4, 17482000, true };
	struct host_adapter adapter;
	struct host_sample s;
	struct datagram d;
	struct sent sent;

	(void)state;
	set_host(&s, &adapter);
	s.seq = 1;
	s.has = HOST_HAS_DESCR | HOST_HAS_ADAPTERS | HOST_HAS_CPU | HOST_HAS_IP |
		HOST_HAS_ICMP | HOST_HAS_TCP | HOST_HAS_UDP | HOST_HAS_HW_TABLES;
	count_up(s.ip, MIB2_IP_COUNT);
	count_up(s.icmp, MIB2_ICMP_COUNT);
	count_up(s.tcp, MIB2_TCP_COUNT);
	count_up(s.udp, MIB2_UDP_COUNT);
	count_up(s.hw_tables, HW_TABLE_COUNT);
	open_stream(&d, &stream, &sent);
	assert_int_equal(datagram_put_host(&d, &s, mono_now()), 0);
	expect_sent(&d, &sent, "host_ipv6");
}

/* The bytes of the only sample in the datagram @name, behind its header. */
static void
compare_sample(const struct wbuf *w, const char *name, size_t from, size_t to)
{
	struct golden golden;

	golden_read(name, &golden);
	assert_true(to <= golden.len && from <= to);
	golden_compare(w->data, w->len, golden.data + from, to - from);
}

static const struct sflow_options compact = { .compact = true, .header_max = 128 };
static const struct sflow_options expanded = { .compact = false, .header_max = 128 };

static void
set_memory_disk_net(struct host_sample *s)
{
	s->memory = (struct host_memory){
		.total_bytes = 2056589312,
		.free_bytes = 1100533760,
		.buffers_bytes = 33464320,
		.cached_bytes = 807546880,
		.page_in = 35947,
	};
	s->disk = (struct host_disk){
		.reads = 980, .read_bytes = 4014080, .read_ms = 1501
	};
	s->net.in = (struct host_net_direction){ 405248572711, 394079084, 0, 0 };
	s->net.out = (struct host_net_direction){ 406139719695, 394667262, 0, 0 };
}

/* Offsets of vector B: its CPU record has the 68 bytes of 2010, ours the 80 of today.
 */
enum {
	B_FIRST_RECORD = 0x030,
	B_CPU_RECORD = 0x0d8,
	B_CPU_BODY = 0x0e0,
	B_NET_RECORD = 0x124,
	B_PORT_SAMPLE = 0x19c,
	B_CPU_BODY_LEN = B_NET_RECORD - B_CPU_BODY,
};

static void
host_records_in_any_order_are_as_in_the_vector(void **state)
{
	uint8_t bytes[1024];
	struct host_adapter adapter;
	struct host_sample s;
	struct wbuf w;

	(void)state;
	set_host(&s, &adapter);
	set_memory_disk_net(&s);
	wbuf_init(&w, bytes, sizeof(bytes));
	assert_int_equal(sflow_put_host_adapters(&w, s.adapters, 1), 0);
	assert_int_equal(sflow_put_host_disk(&w, &s.disk), 0);
	assert_int_equal(sflow_put_host_memory(&w, &s.memory), 0);
	compare_sample(&w, "counters_host_port", B_FIRST_RECORD, B_CPU_RECORD);
	wbuf_init(&w, bytes, sizeof(bytes));
	assert_int_equal(sflow_put_host_net(&w, &s.net), 0);
	assert_int_equal(sflow_put_host_descr(&w, &s.descr), 0);
	compare_sample(&w, "counters_host_port", B_NET_RECORD, B_PORT_SAMPLE);
}

static void
host_cpu_begins_as_in_the_vector_and_has_three_fields_more(void **state)
{
	static const uint8_t head[8] = { 0, 0, 0x07, 0xd3, 0, 0, 0, 80 };
	struct golden golden;
	uint8_t bytes[128];
	struct host_adapter adapter;
	struct host_sample s;
	struct wbuf w;

	(void)state;
	golden_read("counters_host_port", &golden);
	set_host(&s, &adapter);
	wbuf_init(&w, bytes, sizeof(bytes));
	assert_int_equal(sflow_put_host_cpu(&w, &s.cpu), 0);
	assert_int_equal(w.len, 88);
	assert_memory_equal(bytes, head, sizeof(head));
	assert_memory_equal(bytes + 8, golden.data + B_CPU_BODY, B_CPU_BODY_LEN);
}

static void
port_records_in_reverse_order_are_as_in_the_vector(void **state)
{
	struct data_source source = data_source_port(44);
	struct sflow_part part;
	uint8_t bytes[512];
	struct if_sample s;
	struct wbuf w;

	(void)state;
	idle_port(&s);
	wbuf_init(&w, bytes, sizeof(bytes));
	sflow_part_init(&part, &w, NULL);
	assert_true(sflow_begin_counters(&part, &compact, &source, 876));
	sflow_part_add(&part, sflow_put_port_name(&w, s.name));
	sflow_part_add(&part, sflow_put_if_counters(&w, &s.generic));
	assert_int_equal(sflow_part_end(&part), 0);
	compare_sample(&w, "counters_host_port", B_PORT_SAMPLE, 548);
}

static void
busy_port(struct if_counters *c)
{
	c->speed_bps = 400000000000;
	c->direction = SFLOW_IF_DIRECTION_FULL_DUPLEX;
	c->admin_up = true;
	c->oper_up = true;
	c->in = (struct if_direction){ 1099511627777, 1, 2, 3, 4, 5 };
	c->out = (struct if_direction){ 2199023255553, 6, 7, 8, 9, 10 };
}

static void
two_lanes(struct optics *o)
{
	optics_init(o, 49);
	o->module_lanes = 4;
	o->supply_mv = 3312;
	o->temperature_mc = -1500;
	o->n_lanes = 2;
	for (uint32_t i = 0; i < 2; i++)
		o->lanes[i] = (struct optics_lane){ i + 1, 7000, 600, 100, 2000, 1310,
			500, 40, 2000, 1310 };
}

/* Every record that the vector has, in its order; fails the test if one does not fit.
 */
static void
add_all(struct sflow_part *part, const struct if_sample *s)
{
	struct processor processor = { 1234, -1, 100, 2147483648, 1073741824 };
	struct wbuf *w = part->w;

	sflow_part_add(part, sflow_put_if_counters(w, &s->generic));
	sflow_part_add(part, sflow_put_ethernet(w, &s->ethernet));
	sflow_part_add(part, sflow_put_lag(w, &s->lag));
	sflow_part_add(part, sflow_put_optics(w, s->optics));
	sflow_part_add(part, sflow_put_pfc(w, &s->pfc));
	sflow_part_add(part, sflow_put_port_name(w, s->name));
	sflow_part_add(part, sflow_put_openflow_port(w, &s->openflow));
	sflow_part_add(part, sflow_put_processor(w, &processor));
}

static void
expanded_counters_are_as_in_the_vector(void **state)
{
	struct data_source source = data_source_port(16777260);
	struct sflow_part part;
	uint8_t bytes[1024];
	struct optics optics;
	struct if_sample s;
	struct wbuf w;

	(void)state;
	if_sample_init(&s, 16777260);
	busy_port(&s.generic);
	s.ethernet = one_to_thirteen;
	lag_member(&s.lag);
	two_lanes(&optics);
	s.optics = &optics;
	s.pfc.requests = 5;
	s.pfc.indications = 6;
	s.name = "swp49s0";
	s.openflow = (struct openflow_port){ 1, 49 };
	wbuf_init(&w, bytes, sizeof(bytes));
	sflow_part_init(&part, &w, NULL);
	assert_true(sflow_begin_counters(&part, &expanded, &source, 1));
	add_all(&part, &s);
	assert_int_equal(sflow_part_end(&part), 0);
	compare_sample(&w, "counters_expanded", 28, 484);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_sample_is_as_in_the_vector),
		cmocka_unit_test(expanded_flow_sample_is_as_in_the_vector),
		cmocka_unit_test(discard_sample_is_as_in_the_vector),
		cmocka_unit_test(port_counters_are_as_in_the_vector),
		cmocka_unit_test(host_counters_of_an_ipv6_agent_are_as_in_the_vector),
		cmocka_unit_test(host_records_in_any_order_are_as_in_the_vector),
		cmocka_unit_test(
			host_cpu_begins_as_in_the_vector_and_has_three_fields_more),
		cmocka_unit_test(port_records_in_reverse_order_are_as_in_the_vector),
		cmocka_unit_test(expanded_counters_are_as_in_the_vector),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
