/*
 * source_dropmon.c - packets that the kernel, or a switch chip, has dropped, from the
 * kernel's drop monitor.
 *
 *     NET_DM → dropmon_msg.c → drop_reason.c → drop_limit.c → sampling.c
 *
 * dropmon_control.c turns the monitor on and off. Listening takes CAP_SYS_ADMIN since
 * Linux 6.7 and its stable relatives, which the agent has when it starts only: the
 * socket is kept when the source is closed, and muted as long.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/agent_conf.h"
#include "agent/drop_limit.h"
#include "agent/drop_reason.h"
#include "agent/dropmon_control.h"
#include "agent/dropmon_msg.h"
#include "agent/source.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/nl.h"

enum {
	MESSAGE_BYTES = 65536,
	BATCH = 32,
	CLAIM_TICKS = 5, /* between looks at who runs the drop monitor */
	TROUBLE_SIZE = 640,
	DRAIN_MAX = 1000, /* calls */
};

struct source_dropmon {
	struct source_env env;
	struct agent_conf_dropmon conf; /* without hide: see the next */
	regex_t hide;
	bool has_hide;                   /* .hide is compiled */
	struct netlink *nl;              /* for events; stays in *env.kept, if there */
	struct loop_source *readable;    /* owned by the loop */
	struct dropmon_control *control; /* owned */
	uint16_t family;
	enum dropmon_owner owner;
	struct drop_limit limit;
	struct drop_breaker breaker;
	struct mono now;      /* of what is read together */
	uint64_t second;      /* packets since the last tick */
	uint64_t kernel_lost; /* as the kernel counted at the last tick */
	uint32_t socket_lost; /* likewise, of our socket; modulo 2^32 */
	uint32_t to_charge;   /* lost, and not yet in anybody's drops */
	unsigned claim_in;    /* ticks */
	char trouble[TROUBLE_SIZE];
	struct source_stats stats;
};

static bool
dropmon_wanted(const struct agent_conf *conf)
{
	return conf->dropmon.enabled;
}

/* Reading. */

static bool
is_hidden(const struct source_dropmon *s, const char *name)
{
	return s->has_hide && name[0] && regexec(&s->hide, name, 0, NULL, 0) == 0;
}

static bool
is_asked_for(const struct source_dropmon *s, const struct dropmon_msg *m,
	enum drop_verdict verdict)
{
	const struct agent_conf_dropmon *c = &s->conf;

	if (m->hardware ? !c->hw && !c->hw_passive : !c->sw && !c->sw_passive)
		return false;
	if (verdict == DROP_NONE || !m->data)
		return false;
	if (verdict == DROP_UNKNOWN && m->hardware && !c->hw_unknown)
		return false;
	return !is_hidden(s, m->trap_name) && !is_hidden(s, m->function) &&
	       !is_hidden(s, m->reason);
}

static void
charge_lost(struct source_dropmon *s, uint32_t ifindex)
{
	if (s->to_charge == 0)
		return;
	s->env.sink->on_discards_lost(ifindex, s->to_charge, s->env.sink->user_data);
	s->to_charge = 0;
}

static void
take(struct source_dropmon *s, struct dropmon_msg *m)
{
	char cookie[DROPMON_COOKIE_SIZE];
	enum sflow_reason reason;
	enum drop_verdict verdict;
	struct packet p;

	if (!s->conf.reasons)
		m->reason[0] = '\0';
	verdict = drop_reason_find(m, &reason);
	if (!is_asked_for(s, m, verdict) ||
		dropmon_msg_packet(m, reason, cookie, &p) < 0) {
		s->stats.skipped++;
		return;
	}
	charge_lost(s, m->in_ifindex);
	if (!drop_limit_pass(&s->limit, reason, s->now)) {
		s->stats.suppressed++;
		s->env.sink->on_discards_lost(m->in_ifindex, 1, s->env.sink->user_data);
		return;
	}
	s->stats.packets++;
	s->env.sink->on_discard(&p, s->env.sink->user_data);
}

static int
on_message(const struct nlmsghdr *h, void *user_data)
{
	struct source_dropmon *s = user_data;
	struct dropmon_msg m;
	int rc;

	if (h->nlmsg_type != s->family)
		return 0;
	s->second++;
	rc = dropmon_msg_decode(h, &m);
	if (rc == 0)
		take(s, &m);
	else if (rc == -EBADMSG)
		s->stats.malformed++;
	return 0;
}

static void
on_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct source_dropmon *s = user_data;
	int rc;

	(void)loop;
	(void)fd;
	(void)events;
	s->now = mono_now();
	s->env.sink->on_begin(s->env.sink->user_data);
	rc = netlink_receive(s->nl, on_message, s);
	if (rc == -ENOBUFS)
		s->stats.overruns++;
	else if (rc < 0)
		log_debug("dropmon", "receiving: %s", strerror(-rc));
}

/* The socket. */

/* Have the kernel give the socket nothing, or everything again. */
static int
mute(struct netlink *nl, bool silent)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog program = { .len = 1, .filter = code };
	int none = 0;

	if (silent)
		return setsockopt(netlink_fd(nl), SOL_SOCKET, SO_ATTACH_FILTER,
			       &program, sizeof(program)) < 0
			       ? -errno
			       : 0;
	if (setsockopt(netlink_fd(nl), SOL_SOCKET, SO_DETACH_FILTER, &none,
		    sizeof(none)) < 0)
		return errno == ENOENT ? 0 : -errno; /* there was none */
	return 0;
}

static int
join(struct netlink *nl, struct err *err)
{
	uint32_t group;
	int rc = netlink_group(nl, "NET_DM", "events", &group, err);

	if (rc == 0)
		rc = netlink_join(nl, group, err);
	if (rc == -EPERM || rc == -EACCES)
		return err_set(err, rc,
			"listening to the drop monitor takes CAP_SYS_ADMIN on this "
			"kernel, which the agent gives up when it has started: start "
			"it again with it, see dropmon in hsflowd.conf(5)");
	return rc;
}

static int
open_socket(struct source_dropmon *s, struct err *err)
{
	const struct netlink_options options = {
		.protocol = NETLINK_GENERIC,
		.receive_bytes = s->env.receive_bytes ? s->env.receive_bytes
						      : SOURCE_RECEIVE_BYTES,
		.message_bytes = MESSAGE_BYTES,
		.batch = BATCH,
	};
	struct netlink *nl = s->env.kept ? *s->env.kept : NULL;
	int rc;

	if (nl) {
		s->nl = nl;
		rc = mute(nl, false);
		return rc < 0 ? err_sys(err, rc, "drop monitor: filter") : 0;
	}
	nl = netlink_open(&options, err);
	if (!nl)
		return err->code;
	rc = join(nl, err);
	if (rc < 0) {
		netlink_close(nl);
		return rc;
	}
	s->nl = nl;
	if (s->env.kept)
		*s->env.kept = nl;
	return 0;
}

static int
on_old(const struct nlmsghdr *h, void *user_data)
{
	(void)h;
	(void)user_data;
	return 0;
}

/* What waits in it is from before; a kept one is empty the next time. */
static void
close_socket(struct source_dropmon *s)
{
	if (!s->nl)
		return;
	if (!s->env.kept) {
		netlink_close(s->nl);
		return;
	}
	if (mute(s->nl, true) < 0) {
		netlink_close(s->nl);
		*s->env.kept = NULL;
		return;
	}
	for (int i = 0; i < DRAIN_MAX && netlink_receive(s->nl, on_old, NULL) != 0; i++)
		;
}

/* Who runs the drop monitor. */

static const char *
owner_text(enum dropmon_owner owner)
{
	switch (owner) {
	case DROPMON_OTHERS:
		return "another program runs the drop monitor: it is listened to as it "
		       "is set up";
	case DROPMON_OTHERS_SUMS:
		return "another program runs the drop monitor, which tells sums of "
		       "drops only: no dropped packet can be reported";
	default:
		return "";
	}
}

static void
set_trouble(struct source_dropmon *s, const char *text)
{
	if (strcmp(s->trouble, text) == 0)
		return;
	if (text[0])
		log_warning("dropmon: %s", text);
	else
		log_notice("dropmon: works now");
	snprintf(s->trouble, sizeof(s->trouble), "%s", text);
}

static int
claim(struct source_dropmon *s, struct err *err)
{
	const struct agent_conf_dropmon *c = &s->conf;
	const struct dropmon_wish wish = {
		.sw = c->start && c->sw && !c->sw_passive,
		.hw = c->start && c->hw && !c->hw_passive,
		.force = c->force,
		.trunc_bytes = SETTINGS_HEADER_MAX_BYTES,
	};
	int rc = dropmon_control_claim(s->control, &wish, &s->owner, err);

	s->claim_in = CLAIM_TICKS;
	set_trouble(s, rc < 0 ? err->text : owner_text(s->owner));
	return rc;
}

static void
release(struct source_dropmon *s)
{
	struct err err = { 0 };

	if (s->owner == DROPMON_OURS && dropmon_control_stop(s->control, &err) < 0)
		log_warning("dropmon: %s", err.text);
	s->owner = DROPMON_NOBODY;
}

/* Opening. */

static int
init_limits(struct source_dropmon *s, const struct agent_conf *conf, struct err *err)
{
	s->conf = conf->dropmon;
	s->conf.hide = NULL;
	if (conf->dropmon.hide &&
		regcomp(&s->hide, conf->dropmon.hide, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(err, -ENOMEM, "hide: out of memory");
	s->has_hide = conf->dropmon.hide != NULL;
	s->now = mono_now();
	drop_limit_init(&s->limit, s->conf.limit, s->conf.reason_limit, s->now);
	drop_breaker_init(&s->breaker, s->conf.max, s->conf.max_trip);
	return 0;
}

/* How many messages the kernel could not put into our socket's queue. */
static uint32_t
socket_lost(const struct source_dropmon *s)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(netlink_fd(s->nl), SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		return s->socket_lost;
	return info[SK_MEMINFO_DROPS];
}

static int
dropmon_start(struct source_dropmon *s, const struct agent_conf *conf, struct err *err)
{
	int rc = init_limits(s, conf, err);

	if (rc < 0)
		return rc;
	s->control = dropmon_control_open(err);
	if (!s->control)
		return err->code;
	s->family = dropmon_control_family(s->control);
	rc = open_socket(s, err);
	if (rc < 0)
		return rc;
	(void)dropmon_control_lost(s->control, &s->kernel_lost); /* then from 0 on */
	s->socket_lost = socket_lost(s);
	rc = claim(s, err);
	if (rc < 0)
		return rc;
	s->readable =
		loop_add_fd(s->env.loop, netlink_fd(s->nl), LOOP_READ, on_readable, s);
	return s->readable ? 0 : err_sys(err, -errno, "watching the socket");
}

static void
dropmon_close(void *ctx)
{
	struct source_dropmon *s = ctx;

	if (!s)
		return;
	loop_remove(s->readable);
	if (s->control)
		release(s);
	close_socket(s);
	dropmon_control_close(s->control);
	if (s->has_hide)
		regfree(&s->hide);
	free(s);
}

static int
dropmon_open(const struct agent_conf *conf, const struct source_env *env,
	void **ret_ctx, struct err *err)
{
	struct source_dropmon *s = calloc(1, sizeof(*s));
	struct err why = { 0 };
	int rc;

	if (!s)
		return err_sys(err, -ENOMEM, "dropmon");
	s->env = *env;
	rc = dropmon_start(s, conf, &why);
	if (rc < 0) {
		dropmon_close(s);
		return err_set(err, rc, "dropmon: %s", why.text);
	}
	*ret_ctx = s;
	return 0;
}

static int
dropmon_cleanup(struct err *err)
{
	struct err why = { 0 };
	struct dropmon_control *c = dropmon_control_open(&why);
	int rc;

	if (!c)
		return why.code == -ENOENT ? 0 : err_set(err, why.code, "%s", why.text);
	rc = dropmon_control_stop(c, err);
	dropmon_control_close(c);
	return rc;
}

/* Every second. */

static void
count_lost(struct source_dropmon *s)
{
	uint64_t kernel = s->kernel_lost, lost = 0;
	uint32_t socket = socket_lost(s);

	(void)dropmon_control_lost(s->control, &kernel); /* the next time, then */
	if (kernel > s->kernel_lost)
		lost = kernel - s->kernel_lost;
	lost += socket - s->socket_lost;
	s->kernel_lost = kernel;
	s->socket_lost = socket;
	s->stats.lost += lost;
	s->second += lost;
	s->to_charge += (uint32_t)lost;
}

static void
say_pause(struct source_dropmon *s)
{
	snprintf(s->trouble, sizeof(s->trouble),
		"stopped for %u s after more than %u drops per second",
		s->breaker.left_s, s->breaker.max);
}

static void
dropmon_tick(void *ctx)
{
	struct source_dropmon *s = ctx;
	enum drop_breaker_event event;
	struct err err = { 0 };

	count_lost(s);
	event = drop_breaker_second(&s->breaker, s->second);
	s->second = 0;
	if (event == DROP_BREAKER_OPENS) {
		(void)mute(s->nl, true); /* if that fails we still stop it */
		release(s);
		say_pause(s);
		log_warning("dropmon: %s", s->trouble);
	} else if (event == DROP_BREAKER_CLOSES) {
		(void)mute(s->nl, false);
		(void)claim(s, &err); /* tried again, and in trouble until then */
	} else if (s->breaker.left_s > 0) {
		say_pause(s);
	} else if (--s->claim_in == 0) {
		(void)claim(s, &err);
	}
}

static void
dropmon_stats(const void *ctx, struct source_stats *ret)
{
	const struct source_dropmon *s = ctx;

	*ret = s->stats;
	ret->trouble = s->trouble[0] ? s->trouble : NULL;
}

const struct source_ops source_dropmon = {
	.name = "dropmon",
	.discards = true,
	.wanted = dropmon_wanted,
	.open = dropmon_open,
	.close = dropmon_close,
	.cleanup = dropmon_cleanup,
	.tick = dropmon_tick,
	.stats = dropmon_stats,
};
