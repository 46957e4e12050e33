/*
 * agent.c - what the agent is made of, in the order in which it is started, and its
 * loop; see agent.h.
 */
#include "agent/agent.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/agent_objects.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/nl.h"
#include "common/priv.h"
#include "common/sdnotify.h"

/* ---- events ---- */

static void
on_stop_signal(struct loop *loop, int signo, void *user_data)
{
	struct agent *agent = user_data;

	(void)loop;
	log_notice("stopping (%s)", signo == SIGINT ? "SIGINT" : "SIGTERM");
	sdnotify_send("STOPPING=1");
	agent->stopping = true;
}

static void
on_reload_signal(struct loop *loop, int signo, void *user_data)
{
	(void)loop, (void)signo;
	log_notice("reloading");
	sdnotify_reloading();
	agent_reload(user_data);
	sdnotify_send("READY=1");
}

static void
on_watchdog_timer(struct loop *loop, void *user_data)
{
	struct agent *agent = user_data;

	(void)loop;
	sdnotify_send("WATCHDOG=1");
	loop_timer_in(agent->watchdog_timer, sdnotify_watchdog_ms());
}

static void
on_flush_timer(struct loop *loop, void *user_data)
{
	struct agent *agent = user_data;

	(void)loop;
	agent->flush_at = (struct mono){ 0 };
	datagram_flush(&agent->datagram);
}

/* Several addresses usually come together; DNS may be reachable now. */
static void
on_elect_timer(struct loop *loop, void *user_data)
{
	struct agent *agent = user_data;

	(void)loop;
	agent_apply_address(agent);
	if (agent->dnssd && dnssd_state(agent->dnssd) == DNSSD_STATE_FAILING)
		dnssd_refresh(agent->dnssd);
}

static void
on_addrs(void *user_data)
{
	struct agent *agent = user_data;

	loop_timer_in(agent->elect_timer, 0);
}

/* What is a switch port, was one, or has another name. Those of the start are not
 * told one by one. */
static void
log_port(const struct iface_event *event)
{
	const struct iface *i = event->iface;
	bool renamed =
		event->kind == IFACE_CHANGED && (event->fields & IFACE_FIELD_NAME);
	bool turned =
		event->kind == IFACE_CHANGED && (event->fields & IFACE_FIELD_PORT);

	if (turned && !i->is_switch_port)
		log_about(LOG_LEVEL_INFO, LOG_PORT, renamed ? event->old_name : i->name,
			"%s: no switch port any more",
			renamed ? event->old_name : i->name);
	else if (turned || (event->kind == IFACE_ADDED && i->is_switch_port))
		log_about(LOG_LEVEL_INFO, LOG_PORT, i->name, "%s: new switch port",
			i->name);
	else if (renamed && i->is_switch_port)
		log_about(LOG_LEVEL_INFO, LOG_PORT, i->name,
			"%s: switch port, was %s before", i->name, event->old_name);
	else if (event->kind == IFACE_REMOVED && i->is_switch_port)
		log_about(LOG_LEVEL_INFO, LOG_PORT, i->name, "%s: switch port is gone",
			i->name);
}

static void
on_iface(const struct iface_event *event, void *user_data)
{
	struct agent *agent = user_data;
	const unsigned fields = IFACE_FIELD_NAME | IFACE_FIELD_ALIAS | IFACE_FIELD_KIND;

	log_port(event);
	if (event->kind == IFACE_CHANGED && (event->fields & fields))
		loop_timer_in(agent->elect_timer, 0);
	/* The last observer: nobody will use it again. */
	if (event->kind == IFACE_REMOVED)
		sampler_remove(&agent->samplers, data_source_port(event->iface->index));
}

static void
on_sampling_timer(struct loop *loop, void *user_data)
{
	struct agent *agent = user_data;

	(void)loop;
	if (!agent->sampling && agent_open_sampling(agent) == 0)
		agent_apply_settings(agent);
}

static void
on_destinations(void *user_data)
{
	agent_apply_auto_file(user_data);
}

static void
on_datagrams(const struct iovec *msgs, size_t n, void *user_data)
{
	struct agent *agent = user_data;

	destinations_send(agent->destinations, msgs, n);
}

/* ---- parts ---- */

static int
open_conf(struct agent *agent, struct err *err)
{
	const char *path = agent->options->load.path;
	int r = agent_load(&agent->options->load, false, &agent->conf, err);

	if (r < 0) /* the log has all errors */
		return err_set(err, r, "%s: cannot be used", path);
	agent->origin = (enum agent_load_origin)r;
	if (r == AGENT_LOAD_FILE)
		log_notice("configuration: %s", path);
	else
		log_notice("configuration: none (%s does not exist): DNS-SD, all "
			   "switch ports",
			path);
	return 0;
}

static void
close_conf(struct agent *agent)
{
	agent_conf_free(take_ptr(agent->conf));
}

/* Collectors and packet sockets want one descriptor each. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* less is enough for most */
}

static int
open_loop(struct agent *agent, struct err *err)
{
	struct loop *loop = agent->loop = loop_new();

	raise_descriptors();
	if (!loop)
		return err_sys(err, -errno, "event loop");
	agent->flush_timer = loop_add_timer(loop, on_flush_timer, agent);
	agent->elect_timer = loop_add_timer(loop, on_elect_timer, agent);
	agent->sampling_timer = loop_add_timer(loop, on_sampling_timer, agent);
	agent->watchdog_timer = loop_add_timer(loop, on_watchdog_timer, agent);
	if (!agent->flush_timer || !agent->elect_timer || !agent->sampling_timer ||
		!agent->watchdog_timer)
		return err_sys(err, -errno, "event loop");
	if (!loop_add_signal(loop, SIGTERM, on_stop_signal, agent) ||
		!loop_add_signal(loop, SIGINT, on_stop_signal, agent) ||
		!loop_add_signal(loop, SIGHUP, on_reload_signal, agent))
		return err_sys(err, -errno, "signals");
	return 0;
}

static void
close_loop(struct agent *agent)
{
	loop_free(take_ptr(agent->loop));
}

/* The lock comes first: two agents would fight for the same sampling rules. */
static int
open_status(struct agent *agent, struct err *err)
{
	const struct agent_options *o = agent->options;
	int r;

	agent->uid = geteuid();
	agent->gid = getegid();
	if (o->user) {
		r = priv_find_user(o->user, &agent->uid, &agent->gid, err);
		if (r < 0)
			return r;
	}
	agent->status_server =
		status_server_open(o->run_dir, agent->uid, agent->gid, err);
	if (!agent->status_server)
		return err->code;
	r = status_server_start(
		agent->status_server, agent->loop, agent_status_text, agent);
	return r < 0 ? err_sys(err, r, "status socket") : 0;
}

static void
close_status(struct agent *agent)
{
	status_server_close(take_ptr(agent->status_server));
}

static int
open_ifaces(struct agent *agent, struct err *err)
{
	iface_table_init(&agent->ifaces);
	sampler_table_init(&agent->samplers);
	agent_classify(agent);
	agent->iface_watch = iface_watch_start(agent->loop, &agent->ifaces, NULL, err);
	return agent->iface_watch ? 0 : err->code;
}

static void
close_ifaces(struct agent *agent)
{
	iface_watch_stop(take_ptr(agent->iface_watch));
	sampler_table_done(&agent->samplers);
	iface_table_done(&agent->ifaces);
}

static int
open_sending(struct agent *agent, struct err *err)
{
	struct datagram_conf conf;
	int r;

	agent->auto_file = auto_file_new(agent->options->auto_path);
	if (!agent->auto_file)
		return err_set(err, -ENOMEM, "out of memory");
	agent->dns = dns_new(agent->loop, agent->options->resolv_conf, DNS_TIMEOUT_MS);
	if (!agent->dns)
		return err_sys(err, -errno, "DNS");
	agent->destinations = destinations_new(agent->dns, on_destinations, agent);
	if (!agent->destinations)
		return err_set(err, -ENOMEM, "out of memory");
	datagram_conf_init(&conf);
	r = datagram_init(&agent->datagram, &conf, on_datagrams, agent);
	return r < 0 ? err_sys(err, r, "datagrams") : 0;
}

/* What waits is sent first. */
static void
close_sending(struct agent *agent)
{
	if (agent->running)
		datagram_flush(&agent->datagram);
	dnssd_free(take_ptr(agent->dnssd));
	free(take_ptr(agent->dnssd_domain));
	destinations_free(take_ptr(agent->destinations));
	datagram_done(&agent->datagram);
	dns_free(take_ptr(agent->dns));
	auto_file_free(take_ptr(agent->auto_file));
}

static int
open_poller(struct agent *agent, struct err *err)
{
	const struct poller_env env = {
		.loop = agent->loop,
		.ifaces = &agent->ifaces,
		.samplers = &agent->samplers,
		.datagram = &agent->datagram,
	};

	agent->poller = poller_new(&env, err);
	return agent->poller ? 0 : err->code;
}

static void
close_poller(struct agent *agent)
{
	poller_free(take_ptr(agent->poller));
}

/* An agent that cannot sample still polls, says so, and tries again. */
static int
open_sampling(struct agent *agent, struct err *err)
{
	const char *path = agent->options->record_path;

	if (path) {
		agent->record = replay_writer_open(path, err);
		if (!agent->record)
			return err->code;
	}
	(void)agent_open_sampling(agent);
	return 0;
}

static void
close_sampling(struct agent *agent)
{
	sampling_close(take_ptr(agent->sampling));
	netlink_close(take_ptr(agent->kept));
	replay_writer_close(take_ptr(agent->record));
}

/* Sockets are open, files are read: from here on only what sampling needs. */
static int
drop_privileges(struct agent *agent, struct err *err)
{
	bool raw = agent->conf->n_pcaps > 0 ||
		   (agent->sampling && sampling_wants_raw(agent->sampling));
	int keep[2], n = 0;

	if (!priv_has(CAP_NET_ADMIN))
		log_warning("started without CAP_NET_ADMIN: sampling will hardly work");
	else
		keep[n++] = CAP_NET_ADMIN;
	if (raw && priv_has(CAP_NET_RAW))
		keep[n++] = CAP_NET_RAW;
	return priv_drop(agent->uid, agent->gid, keep, n, err);
}

/* Collectors first: those in a namespace need more than what is kept later. */
static int
configure(struct agent *agent, struct err *err)
{
	int r;

	destinations_configure(agent->destinations, agent->conf, NULL);
	r = drop_privileges(agent, err);
	if (r < 0)
		return r;
	agent_apply_settings(agent);
	agent_apply_dnssd(agent);
	iface_on_addrs(&agent->ifaces, on_addrs, agent);
	r = iface_observe(&agent->ifaces, on_iface, agent);
	return r < 0 ? err_sys(err, r, "interfaces") : 0;
}

static void
forget_ifaces(struct agent *agent)
{
	iface_on_addrs(&agent->ifaces, NULL, NULL);
}

/* Opened from first to last, closed from last to first. close accepts what was never
 * opened. */
static const struct part {
	int (*open)(struct agent *agent, struct err *err);
	void (*close)(struct agent *agent);
} parts[] = {
	{ open_conf, close_conf },
	{ open_loop, close_loop },
	{ open_status, close_status },
	{ open_ifaces, close_ifaces },
	{ open_sending, close_sending },
	{ open_poller, close_poller },
	{ open_sampling, close_sampling },
	{ configure, forget_ifaces },
};

enum { N_PARTS = sizeof(parts) / sizeof(parts[0]) };

struct agent *
agent_new(const struct agent_options *options, struct err *err)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int r = 0;

	if (!agent) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	agent->options = options;
	agent->started = mono_now();
	(void)gethostname(agent->hostname, sizeof(agent->hostname) - 1);
	for (size_t i = 0; i < N_PARTS && r == 0; i++)
		r = parts[i].open(agent, err);
	if (r == 0)
		return agent;
	agent_free(agent);
	return NULL;
}

/* After each turn: samples may have come. */
static void
arm_flush(struct agent *agent)
{
	struct mono when;

	if (!datagram_deadline(&agent->datagram, &when) ||
		when.ns == agent->flush_at.ns)
		return;
	agent->flush_at = when;
	loop_timer_at(agent->flush_timer, when);
}

int
agent_run(struct agent *agent)
{
	agent->running = true;
	if (sdnotify_watchdog_ms() > 0)
		on_watchdog_timer(agent->loop, agent);
	sdnotify_send("READY=1");
	log_notice("tapgate-agent %s runs", TAPGATE_VERSION);
	while (!agent->stopping) {
		int r = loop_turn(agent->loop, -1);

		if (r < 0 && r != -EINTR) {
			log_error("event loop: %s", strerror(-r));
			return r;
		}
		arm_flush(agent);
	}
	return 0;
}

void
agent_free(struct agent *agent)
{
	if (!agent)
		return;
	for (size_t i = N_PARTS; i > 0; i--)
		parts[i - 1].close(agent);
	free(agent);
}
