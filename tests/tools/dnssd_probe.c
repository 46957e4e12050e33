/*
 * dnssd_probe.c - runs the agent's DNS service discovery alone, and tells.
 *
 * usage: dnssd_probe [--resolv-conf FILE] [--domain DOMAIN] [--identity TEXT]
 *                    [--ttl-min MS] [--grace MS] [--timeout MS] [--name HOST]
 *
 * A line of JSON for each change of the result (with --name: for each answer about that
 * host instead), and one for each line read from stdin: the state and how often a timer
 * of 5 ms has run, which shows that nothing waits. Ends at the end of stdin.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/dnssd.h"
#include "agent/name_watch.h"
#include "common/log.h"

enum { BEAT_MS = 5 };

struct probe {
	struct dnssd *dnssd;
	struct name_watch *watch;
	struct loop_source *beat;
	unsigned long beats;
};

static const char *const state_names[] = { "asking", "found", "failing", "missing",
	"absent" };

static void
print_addr(const struct parse_addr *addr)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(addr->family, addr->bytes, text, sizeof(text));
	printf("\"%s\"", text);
}

static void
print_collector(const struct dnssd_collector *c)
{
	printf("{\"host\": \"%s\", \"addr\": ", c->host);
	print_addr(&c->addr);
	printf(", \"port\": %u, \"priority\": %u, \"weight\": %u}", c->port,
		c->priority, c->weight);
}

static void
on_change(const struct dnssd_result *result, void *user_data)
{
	(void)user_data;
	printf("{\"event\": \"result\", \"domain\": \"%s\", \"collectors\": [",
		result->domain);
	for (unsigned i = 0; i < result->n_collectors; i++) {
		fputs(i ? ", " : "", stdout);
		print_collector(&result->collectors[i]);
	}
	printf("], \"standby\": %u, \"unresolved\": %u, \"txt\": %s, \"polling\": %u, "
	       "\"rate_10g\": %u}\n",
		result->n_standby, result->n_unresolved,
		result->has_txt ? "true" : "false", result->settings.polling_s,
		settings_rate(&result->settings, 10000000000));
	fflush(stdout);
}

static void
on_name(void *user_data)
{
	struct probe *probe = user_data;
	struct parse_addr addr;

	printf("{\"event\": \"name\", \"addr\": ");
	if (name_watch_pick(probe->watch, &addr))
		print_addr(&addr);
	else
		printf("null");
	printf("}\n");
	fflush(stdout);
}

static void
on_beat(struct loop *loop, void *user_data)
{
	struct probe *probe = user_data;

	(void)loop;
	probe->beats++;
	loop_timer_in(probe->beat, BEAT_MS);
}

static void
on_stdin(struct loop *loop, int fd, unsigned events, void *user_data)
{
	const struct probe *probe = user_data;
	char line[64];

	(void)events;
	if (read(fd, line, sizeof(line)) <= 0) {
		loop_stop(loop, 0);
		return;
	}
	printf("{\"event\": \"status\", \"state\": \"%s\", \"beats\": %lu}\n",
		probe->dnssd ? state_names[dnssd_state(probe->dnssd)] : "none",
		probe->beats);
	fflush(stdout);
}

struct arguments {
	const char *resolv_conf;
	const char *name;
	int timeout_ms;
	struct dnssd_options dnssd;
};

static int
parse_arguments(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
		{ "resolv-conf", required_argument, NULL, 'r' },
		{ "domain", required_argument, NULL, 'd' },
		{ "identity", required_argument, NULL, 'i' },
		{ "ttl-min", required_argument, NULL, 't' },
		{ "grace", required_argument, NULL, 'g' },
		{ "timeout", required_argument, NULL, 'o' },
		{ "name", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*ret = (struct arguments){ .timeout_ms = DNS_TIMEOUT_MS,
		.dnssd = { .identity = "probe", .limits = dnssd_default_limits } };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint32_t ms = 0;
		bool is_ms = c == 't' || c == 'g' || c == 'o';

		if (c == '?' || (is_ms && parse_u32(optarg, 0, INT32_MAX, &ms) < 0))
			return -EINVAL;
		if (c == 'r')
			ret->resolv_conf = optarg;
		else if (c == 'd')
			ret->dnssd.domain = optarg;
		else if (c == 'i')
			ret->dnssd.identity = optarg;
		else if (c == 't')
			ret->dnssd.limits.ttl_min_ms = ms;
		else if (c == 'g')
			ret->dnssd.limits.grace_ms = ms;
		else if (c == 'o')
			ret->timeout_ms = (int)ms;
		else
			ret->name = optarg;
	}
	/* Who asks for a faster pace wants it in all cases. */
	if (ret->dnssd.limits.ttl_min_ms < dnssd_default_limits.ttl_min_ms) {
		ret->dnssd.limits.retry_min_ms = ret->dnssd.limits.ttl_min_ms;
		ret->dnssd.limits.retry_max_ms = ret->dnssd.limits.ttl_min_ms;
		ret->dnssd.limits.absent_ms = ret->dnssd.limits.ttl_min_ms;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct arguments args;
	struct probe probe = { 0 };
	struct loop *loop;
	struct dns *dns;
	int rc;

	log_open("dnssd_probe");
	if (parse_arguments(argc, argv, &args) < 0) {
		log_error("an option is not understood");
		return EXIT_FAILURE;
	}
	loop = loop_new();
	dns = loop ? dns_new(loop, args.resolv_conf, args.timeout_ms) : NULL;
	if (!dns)
		return EXIT_FAILURE;
	if (args.name)
		probe.watch = name_watch_new(dns, args.name, NAME_WATCH_HOST,
			&args.dnssd.limits, on_name, &probe);
	else
		probe.dnssd = dnssd_new(dns, &args.dnssd, on_change, &probe);
	probe.beat = loop_add_timer(loop, on_beat, &probe);
	if (!probe.beat || !loop_add_fd(loop, 0, LOOP_READ, on_stdin, &probe))
		return EXIT_FAILURE;
	on_beat(loop, &probe);
	rc = loop_run(loop);
	dnssd_free(probe.dnssd);
	name_watch_free(probe.watch);
	dns_free(dns);
	loop_free(loop);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
