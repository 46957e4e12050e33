/*
 * sampling_probe.c - the sampling half of the agent on its own: interface table,
 * sources, output ports, datagrams to one collector.
 *
 *	sampling_probe CONF COLLECTOR [RECEIVE_BYTES [RECORDING]]
 *
 * CONF is a configuration file; COLLECTOR an address, port 6343, or "-" to drop the
 * datagrams. RECORDING is written. Commands come on standard input, one to a line, and
 * each is answered by a line:
 *	status         sources, ports and counters as JSON
 *	cpu            microseconds of processor time so far, user and system
 *	reload         read CONF again
 *	hold MS        stop reading for so long
 * Ends with the end of standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "agent/collector.h"
#include "agent/iface_watch.h"
#include "agent/replay_file.h"
#include "agent/sampling.h"
#include "common/file.h"
#include "common/log.h"

enum { LINE_SIZE = 64, FLUSH_MS = 100 };

struct probe {
	const char *path;
	struct loop *loop;
	struct iface_table ifaces;
	struct sampler_table samplers;
	struct datagram datagram;
	struct collector_set collectors;
	struct agent_conf *conf;
	struct sampling *sampling;
	struct loop_source *flush;
};

static void
on_finding(enum conf_severity severity, const char *file, int line, const char *text,
	void *user_data)
{
	(void)severity;
	(void)user_data;
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

static struct agent_conf *
load(const char *path)
{
	const struct agent_conf_reporter reporter = { on_finding, NULL };
	struct agent_conf *conf = NULL;
	char *text = NULL;
	size_t len = 0;

	if (file_read(AT_FDCWD, path, AGENT_CONF_FILE_MAX_BYTES, &text, &len) == 0)
		(void)agent_conf_parse(path, text, len, &reporter, &conf);
	free(text);
	return conf;
}

static bool
is_port(const struct iface *iface, void *user_data)
{
	const struct probe *p = user_data;

	return agent_conf_is_port(p->conf, iface->name, iface->by_kernel);
}

static void
send_batch(const struct iovec *msgs, size_t n, void *user_data)
{
	struct probe *p = user_data;

	collector_set_send(&p->collectors, msgs, n);
}

static void
on_flush(struct loop *loop, void *user_data)
{
	struct probe *p = user_data;

	(void)loop;
	datagram_flush(&p->datagram);
	loop_timer_in(p->flush, FLUSH_MS);
}

/* Commands. */

static void
print_source(const struct sampling_source_info *i, void *user_data)
{
	const char **separator = user_data;

	printf("%s\"%s\": {\"packets\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"overruns\": %" PRIu64 ", \"malformed\": %" PRIu64
	       ", \"skipped\": %" PRIu64 ", \"ports\": %zu, \"failed\": %zu}",
		*separator, i->name, i->stats.packets, i->stats.lost, i->stats.overruns,
		i->stats.malformed, i->stats.skipped, i->stats.ports, i->stats.failed);
	*separator = ", ";
}

static void
print_port(const struct sampling_port_info *i, void *user_data)
{
	const char **separator = user_data;

	printf("%s\"%s\": {\"ifindex\": %u, \"source\": \"%s\", \"rate\": %u}",
		*separator, i->name, i->ifindex, i->source, i->rate);
	*separator = ", ";
}

static void
print_status(const struct probe *p)
{
	const char *separator = "";
	struct sampling_stats s;

	sampling_stats(p->sampling, &s);
	printf("{\"sources\": {");
	sampling_each_source(p->sampling, print_source, &separator);
	printf("}, \"ports\": {");
	separator = "";
	sampling_each_port(p->sampling, print_port, &separator);
	printf("}, \"packets\": %" PRIu64 ", \"sent\": %" PRIu64
	       ", \"refused\": %" PRIu64 ", \"unknown_output\": %" PRIu64
	       ", \"hits\": %" PRIu64 ", \"lookups\": %" PRIu64 ", \"failed\": %" PRIu64
	       ", \"limited\": %" PRIu64 "}\n",
		s.packets, s.sent, s.refused, s.unknown_output, s.resolve.hits,
		s.resolve.lookups, s.resolve.failed, s.resolve.limited);
}

static void
print_cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	printf("%" PRId64 " %" PRId64 "\n",
		(int64_t)u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec,
		(int64_t)u.ru_stime.tv_sec * 1000000 + u.ru_stime.tv_usec);
}

static void
reload(struct probe *p)
{
	struct agent_conf *fresh = load(p->path), *old = p->conf;

	if (!fresh) {
		printf("refused\n");
		return;
	}
	p->conf = fresh;
	iface_classify(&p->ifaces, is_port, p);
	sampling_configure(p->sampling, fresh, &fresh->settings);
	agent_conf_free(old);
	printf("ok\n");
}

static void
hold(const char *text)
{
	uint32_t ms = 0;
	struct timespec until;

	(void)parse_u32(text, 0, 60000, &ms);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	printf("held\n");
}

static void
on_command(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct probe *p = user_data;
	char line[LINE_SIZE];

	(void)fd;
	(void)events;
	if (!fgets(line, sizeof(line), stdin)) {
		loop_stop(loop, 0);
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "status") == 0)
		print_status(p);
	else if (strcmp(line, "cpu") == 0)
		print_cpu();
	else if (strcmp(line, "reload") == 0)
		reload(p);
	else if (strncmp(line, "hold ", 5) == 0)
		hold(line + 5);
	else
		printf("what?\n");
	fflush(stdout);
}

static int
open_sending(struct probe *p, const char *collector, struct err *err)
{
	struct collector_conf to = { .port = SFLOW_PORT, .name = "collector" };
	struct datagram_conf conf;
	int rc = 0;

	datagram_conf_init(&conf);
	parse_addr("192.0.2.1", &conf.agent);
	conf.options.header_max = p->conf->settings.header_bytes;
	collector_set_init(&p->collectors);
	if (strcmp(collector, "-") != 0) {
		if (parse_addr(collector, &to.addr) < 0)
			return err_set(err, -EINVAL, "%s is no address", collector);
		rc = collector_set_configure(&p->collectors, &to, 1, err);
	}
	if (rc == 0)
		rc = datagram_init(&p->datagram, &conf, send_batch, p);
	return rc;
}

static int
run(struct probe *p, struct sampling_env *env, struct err *err)
{
	struct iface_watch *watch;
	int rc = -EIO;

	iface_table_init(&p->ifaces);
	iface_classify(&p->ifaces, is_port, p);
	sampler_table_init(&p->samplers);
	env->loop = p->loop;
	env->ifaces = &p->ifaces;
	env->samplers = &p->samplers;
	env->datagram = &p->datagram;
	watch = iface_watch_start(p->loop, &p->ifaces, NULL, err);
	p->sampling = watch ? sampling_open(env, p->conf, err) : NULL;
	p->flush = loop_add_timer(p->loop, on_flush, p);
	if (p->sampling && p->flush &&
		loop_add_fd(p->loop, 0, LOOP_READ, on_command, p)) {
		sampling_configure(p->sampling, p->conf, &p->conf->settings);
		loop_timer_in(p->flush, FLUSH_MS);
		printf("ready\n");
		fflush(stdout);
		rc = loop_run(p->loop);
	}
	sampling_close(p->sampling);
	iface_watch_stop(watch);
	datagram_flush(&p->datagram);
	replay_writer_close(env->record);
	iface_table_done(&p->ifaces);
	sampler_table_done(&p->samplers);
	return rc;
}

int
main(int argc, char **argv)
{
	struct probe p = { .path = argc > 2 ? argv[1] : NULL, .loop = loop_new() };
	struct sampling_env env = { 0 };
	struct err err = { 0 };
	uint32_t bytes = 0;
	int rc;

	/* Lines must not wait in a buffer that the loop cannot see. */
	setvbuf(stdin, NULL, _IONBF, 0);
	log_open("sampling_probe");
	log_set_level(LOG_LEVEL_DEBUG);
	if (getenv("TOPICS"))
		log_set_topics(getenv("TOPICS"));
	p.conf = p.path ? load(p.path) : NULL;
	if (!p.conf || !p.loop ||
		(argc > 3 && parse_u32(argv[3], 0, UINT32_MAX, &bytes) < 0)) {
		fprintf(stderr, "usage: sampling_probe CONF COLLECTOR [RECEIVE_BYTES "
				"[RECORDING]]\n");
		return 2;
	}
	env.receive_bytes = bytes;
	if (argc > 4)
		env.record = replay_writer_open(argv[4], &err);
	rc = open_sending(&p, argv[2], &err);
	if (rc == 0)
		rc = run(&p, &env, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text[0] ? err.text : strerror(-rc));
	datagram_done(&p.datagram);
	collector_set_done(&p.collectors);
	loop_free(p.loop);
	agent_conf_free(p.conf);
	return rc < 0;
}
