/*
 * sflow_send.c - the sending half of the agent on its own: samples made up here go
 * through sampler, encoder, datagram and collector.
 *
 *	sflow_send AGENT_ADDRESS COLLECTOR...
 *
 * COLLECTOR is key=value[,key=value...] with the keys ip, port, source, dev, netns,
 *dscp. Commands come on standard input, one to a line, and each is answered by a line:
 *	flow N         N packet samples of port 7, sent at once
 *	all            one sample of every kind with every record, sent at once
 *	unprivileged   become nobody, without capabilities
 *	skip MS        let so many milliseconds seem to pass
 *	status         statistics of every collector, as JSON
 * Ends with the end of standard input.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/collector.h"
#include "agent/sampler.h"
#include "common/log.h"
#include "common/priv.h"

enum { SAMPLED_PORT = 7, OTHER_PORT = 9, LINE_SIZE = 64 };

struct sender {
	struct collector_set collectors;
	struct sampler_table samplers;
	struct datagram datagram;
};

/* Added to the clock. */
static int64_t skipped_ns;

static int64_t
shifted_clock(void *user_data)
{
	struct timespec ts;

	(void)user_data;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec + skipped_ns;
}

static int
set_key(struct collector_conf *conf, const char *key, const char *value)
{
	uint32_t number;

	if (strcmp(key, "ip") == 0) {
		snprintf(conf->name, sizeof(conf->name), "%s", value);
		return parse_addr(value, &conf->addr);
	}
	if (strcmp(key, "source") == 0)
		return parse_addr(value, &conf->source);
	if (strcmp(key, "dev") == 0)
		return snprintf(conf->dev, sizeof(conf->dev), "%s", value) < 0;
	if (strcmp(key, "netns") == 0)
		return snprintf(conf->netns, sizeof(conf->netns), "%s", value) < 0;
	if (parse_u32(value, 0, UINT16_MAX, &number) < 0)
		return -EINVAL;
	if (strcmp(key, "port") == 0)
		conf->port = (uint16_t)number;
	else if (strcmp(key, "dscp") == 0)
		conf->dscp = (uint8_t)number;
	else
		return -EINVAL;
	return 0;
}

static int
parse_collector(char *text, struct collector_conf *conf)
{
	char *save;

	memset(conf, 0, sizeof(*conf));
	conf->port = SFLOW_PORT;
	for (char *item = strtok_r(text, ",", &save); item;
		item = strtok_r(NULL, ",", &save)) {
		char *value = strchr(item, '=');

		if (!value)
			return -EINVAL;
		*value++ = '\0';
		if (set_key(conf, item, value) != 0)
			return -EINVAL;
	}
	return 0;
}

static void
send_all(const struct iovec *msgs, size_t n, void *user_data)
{
	struct sender *s = user_data;

	collector_set_send(&s->collectors, msgs, n);
}

static const uint8_t frame[128] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0,
	0x05, 0xdc, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x13, 0x88,
	0x17, 0x71 };

static void
make_packet(struct packet *p)
{
	packet_init(p);
	p->source = data_source_port(SAMPLED_PORT);
	p->input = packet_port_ifindex(SAMPLED_PORT);
	p->output = packet_port_ifindex(OTHER_PORT);
	p->rate = 100;
	p->reason = SFLOW_REASON_ACL;
	packet_set_ethernet(p, frame, sizeof(frame), 1514);
}

static void
make_tunnel(struct packet_tunnel *t, const char *source, const char *target)
{
	memset(t, 0, sizeof(*t));
	t->has = PACKET_TUNNEL_HAS_L2 | PACKET_TUNNEL_HAS_IP | PACKET_TUNNEL_HAS_INNER |
		 PACKET_TUNNEL_HAS_VNI;
	(void)parse_addr(source, &t->src);
	(void)parse_addr(target, &t->dst);
	t->vni = 10020;
	t->inner_offset = 50;
}

/* A packet of which everything is known. */
static void
make_full_packet(struct packet *p)
{
	make_packet(p);
	p->has = PACKET_HAS_TIMESTAMP | (PACKET_HAS_TIMESTAMP - 1);
	p->vlan =
		(struct packet_vlan){ 10, 0, PACKET_VLAN_UNKNOWN, PACKET_VLAN_UNKNOWN };
	p->router =
		(struct packet_router){ .src_prefix_len = 24, .dst_prefix_len = 64 };
	(void)parse_addr("2001:db8::1", &p->router.next_hop);
	memset(&p->gateway, 0, sizeof(p->gateway));
	make_tunnel(&p->tunnel_out, "198.51.100.1", "198.51.100.2");
	make_tunnel(&p->tunnel_in, "2001:db8::1", "2001:db8::2");
	p->trap_group = "l3_drops";
	p->trap_name = "blackhole_route";
	p->linux_reason = "NETFILTER_DROP";
	p->function = "nf_hook_slow";
	p->acl = (struct packet_acl){ 5, "50rest-ddos1", SFLOW_ACL_INGRESS };
	p->queue = 3;
	p->transit_ns = 33333;
	p->queue_depth_bytes = 22222;
	p->timestamp_ns = 1402004767123456789;
}

static struct sampler *
sampler_of(struct sender *s, struct data_source source)
{
	return sampler_get(&s->samplers, source);
}

static int
send_flows(struct sender *s, uint32_t n)
{
	struct sampler *sampler = sampler_of(s, data_source_port(SAMPLED_PORT));
	struct packet p;
	int rc = sampler ? 0 : -ENOMEM;

	make_packet(&p);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = sampler_take_packet(sampler, &p, &s->datagram, mono_now());
	datagram_flush(&s->datagram);
	return rc;
}

static int
send_counters(struct sender *s)
{
	struct sampler *port = sampler_of(s, data_source_port(SAMPLED_PORT));
	struct sampler *host = sampler_of(s, data_source_host());
	struct host_adapter adapter = { .ifindex = SAMPLED_PORT, .n_macs = 2 };
	struct host_sample h;
	struct if_sample c;
	struct optics o;
	int rc;

	if_sample_init(&c, SAMPLED_PORT);
	optics_init(&o, SAMPLED_PORT);
	o.n_lanes = 8;
	for (uint32_t i = 0; i < 8; i++)
		optics_lane_init(&o.lanes[i], i + 1);
	c.has = (IF_HAS_OPENFLOW << 1) - 1;
	c.optics = &o;
	c.name = "swp7";
	host_sample_init(&h);
	h.has = (HOST_HAS_PROCESSOR << 1) - 1;
	h.descr.hostname = "switch";
	h.descr.os_release = "6.1.0";
	h.adapters = &adapter;
	h.n_adapters = 1;
	if (!port || !host)
		return -ENOMEM;
	rc = sampler_take_if(port, &c, &s->datagram, mono_now());
	return rc ? rc : sampler_take_host(host, &h, &s->datagram, mono_now());
}

static int
send_each_kind(struct sender *s)
{
	struct sampler *sampler = sampler_of(s, data_source_port(SAMPLED_PORT));
	struct packet p;
	int rc;

	if (!sampler)
		return -ENOMEM;
	make_full_packet(&p);
	/* The pool is not on the wire as a record; it would replace our own count. */
	p.has &= ~(unsigned)PACKET_HAS_POOL;
	rc = sampler_take_packet(sampler, &p, &s->datagram, mono_now());
	if (rc == 0)
		rc = sampler_take_discard(sampler, &p, &s->datagram, mono_now());
	if (rc == 0)
		rc = send_counters(s);
	datagram_flush(&s->datagram);
	return rc;
}

static int
become_nobody(void)
{
	struct err err;
	uid_t uid;
	gid_t gid;
	int rc = priv_find_user("nobody", &uid, &gid, &err);

	if (rc == 0)
		rc = priv_drop(uid, gid, NULL, 0, &err);
	if (rc < 0)
		log_error("%s", err.text);
	return rc;
}

static void
show_status(const struct sender *s)
{
	for (size_t i = 0; i < s->collectors.n; i++) {
		const struct collector *c = &s->collectors.items[i];

		printf("%s{\"datagrams\":%" PRIu64 ",\"bytes\":%" PRIu64
		       ",\"blocked\":%" PRIu64 ",\"failed\":%" PRIu64
		       ",\"errors\":%" PRIu64 ",\"error\":%d}",
			i ? "," : "[", c->stats.datagrams, c->stats.bytes,
			c->stats.blocked, c->stats.failed, c->stats.errors, c->error);
	}
	puts("]");
}

static int
run_command(struct sender *s, char *line)
{
	uint32_t n;

	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "all") == 0)
		return send_each_kind(s);
	if (strcmp(line, "unprivileged") == 0)
		return become_nobody();
	if (strncmp(line, "flow ", 5) == 0 &&
		parse_u32(line + 5, 1, UINT32_MAX, &n) == 0)
		return send_flows(s, n);
	if (strncmp(line, "skip ", 5) == 0 &&
		parse_u32(line + 5, 1, UINT32_MAX, &n) == 0) {
		skipped_ns += (int64_t)n * 1000000;
		return 0;
	}
	return -EINVAL;
}

static void
run_commands(struct sender *s)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "status\n") == 0)
			show_status(s);
		else
			printf("%d\n", run_command(s, line));
		fflush(stdout);
	}
}

static int
sender_init(struct sender *s, int argc, char **argv)
{
	struct collector_conf confs[COLLECTOR_MAX];
	struct datagram_conf conf;
	struct err err;
	int n = argc - 2;

	datagram_conf_init(&conf);
	sampler_table_init(&s->samplers);
	collector_set_init(&s->collectors);
	if (n < 1 || n > COLLECTOR_MAX || parse_addr(argv[1], &conf.agent) < 0)
		return -EINVAL;
	for (int i = 0; i < n; i++) {
		if (parse_collector(argv[2 + i], &confs[i]) < 0)
			return -EINVAL;
	}
	if (collector_set_configure(&s->collectors, confs, (size_t)n, &err) < 0) {
		log_error("%s", err.text);
		return -EINVAL;
	}
	return datagram_init(&s->datagram, &conf, send_all, s);
}

int
main(int argc, char **argv)
{
	static struct sender s;

	log_open("sflow_send");
	mono_set_source(shifted_clock, NULL);
	if (sender_init(&s, argc, argv) < 0) {
		fputs("usage: sflow_send AGENT_ADDRESS COLLECTOR...\n", stderr);
		return 2;
	}
	run_commands(&s);
	datagram_done(&s.datagram);
	collector_set_done(&s.collectors);
	sampler_table_done(&s.samplers);
	return 0;
}
