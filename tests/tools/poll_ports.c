/*
 * poll_ports.c - CPU time of polling every switch port of this network namespace.
 *
 * usage: poll_ports ROUNDS INTERVAL_S
 *
 * Watches the interfaces and polls the ports with the agent's own modules, with a clock
 * that jumps from one tick to the next, so that a round of many seconds takes only as
 * long as its work. Datagrams are encoded and thrown away. Prints one JSON object:
 * ports, samples, failed, rounds, and per round the CPU time in user space and in the
 * kernel in microseconds, host sample included; and the times of a round of nothing but
 * the host sample.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/agent_conf.h"
#include "agent/iface_watch.h"
#include "agent/poll_wheel.h"
#include "agent/poller.h"
#include "common/log.h"
#include "common/parse.h"

/* All that a poller needs. */
struct bench {
	int64_t clock_ns; /* the clock that jumps */
	struct loop *loop;
	struct iface_table ifaces;
	struct iface_watch *watch;
	struct sampler_table samplers;
	struct datagram datagram;
	struct agent_conf *conf;
	struct settings settings;
	struct poller *poller;
};

struct cpu_time {
	double user_us, system_us;
};

static int64_t
read_clock(void *user_data)
{
	return ((struct bench *)user_data)->clock_ns;
}

static void
throw_away(const struct iovec *msgs, size_t n, void *user_data)
{
	(void)msgs;
	(void)n;
	(void)user_data;
}

static bool
classify(const struct iface *i, void *user_data)
{
	return agent_conf_is_port(user_data, i->name, i->by_kernel);
}

static bool
start(struct bench *b, uint32_t interval_s, struct err *err)
{
	struct poller_env env = {
		.ifaces = &b->ifaces,
		.samplers = &b->samplers,
		.datagram = &b->datagram,
	};
	struct datagram_conf datagram;

	datagram_conf_init(&datagram);
	(void)parse_addr("192.0.2.1", &datagram.agent);
	iface_table_init(&b->ifaces);
	sampler_table_init(&b->samplers);
	b->loop = env.loop = loop_new();
	b->conf = agent_conf_default();
	if (!b->loop || !b->conf ||
		datagram_init(&b->datagram, &datagram, throw_away, NULL) < 0)
		return false;
	b->settings = b->conf->settings;
	b->settings.polling_s = interval_s;
	b->watch = iface_watch_start(b->loop, &b->ifaces, NULL, err);
	b->poller = b->watch ? poller_new(&env, err) : NULL;
	if (!b->poller)
		return false;
	iface_classify(&b->ifaces, classify, b->conf);
	poller_configure(b->poller, b->conf, &b->settings);
	return true;
}

static void
end(struct bench *b)
{
	poller_free(b->poller);
	iface_watch_stop(b->watch);
	iface_table_done(&b->ifaces);
	sampler_table_done(&b->samplers);
	datagram_done(&b->datagram);
	agent_conf_free(b->conf);
	loop_free(b->loop);
}

static struct cpu_time
cpu_now(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (struct cpu_time){
		(double)u.ru_utime.tv_sec * 1e6 + (double)u.ru_utime.tv_usec,
		(double)u.ru_stime.tv_sec * 1e6 + (double)u.ru_stime.tv_usec,
	};
}

/* Let @rounds intervals pass, tick by tick; CPU time of one. */
static struct cpu_time
run(struct bench *b, unsigned rounds, uint32_t interval_s)
{
	unsigned ticks = rounds * interval_s * 1000 / POLL_TICK_MS;
	struct cpu_time before = cpu_now(), after;

	for (unsigned i = 0; i < ticks; i++) {
		b->clock_ns += (int64_t)POLL_TICK_MS * 1000000;
		(void)loop_turn(b->loop, 0);
		datagram_flush(&b->datagram);
	}
	after = cpu_now();
	return (struct cpu_time){
		(after.user_us - before.user_us) / rounds,
		(after.system_us - before.system_us) / rounds,
	};
}

static bool
no_port(const struct iface *i, void *user_data)
{
	(void)i;
	(void)user_data;
	return false;
}

static void
measure(struct bench *b, unsigned rounds, uint32_t interval_s)
{
	struct poller_stats before, after;
	size_t ports = poller_ports(b->poller);
	struct cpu_time all, host;

	/* The first reading of new ports is not part of a round. */
	(void)run(b, 1, interval_s);
	before = *poller_stats(b->poller);
	all = run(b, rounds, interval_s);
	after = *poller_stats(b->poller);
	iface_classify(&b->ifaces, no_port, NULL);
	host = run(b, rounds, interval_s);
	printf("{\"ports\": %zu, \"rounds\": %u, \"samples\": %" PRIu64
	       ", \"failed\": %" PRIu64 ", \"user_us\": %.1f, \"system_us\": %.1f, "
	       "\"host_user_us\": %.1f, \"host_system_us\": %.1f}\n",
		ports, rounds, after.port_samples - before.port_samples,
		after.failed - before.failed, all.user_us, all.system_us, host.user_us,
		host.system_us);
}

int
main(int argc, char **argv)
{
	struct bench b = { .clock_ns = 1000000000 };
	struct err err = { .text = "out of memory" };
	uint32_t rounds, interval_s;
	bool ok;

	if (argc != 3 || parse_u32(argv[1], 1, 10000, &rounds) < 0 ||
		parse_u32(argv[2], 1, POLL_INTERVAL_MAX_S, &interval_s) < 0) {
		fprintf(stderr, "usage: poll_ports ROUNDS INTERVAL_S\n");
		return 2;
	}
	log_open("poll_ports");
	mono_set_source(read_clock, &b);
	ok = start(&b, interval_s, &err);
	if (ok)
		measure(&b, rounds, interval_s);
	else
		log_error("%s", err.text);
	end(&b);
	return ok ? 0 : 1;
}
