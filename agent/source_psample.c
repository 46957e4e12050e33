/*
 * source_psample.c - samples that a switch chip's driver, or tc, hands to the kernel's
 * PSAMPLE family.
 *
 * Has the ports sampled by filters of its own (tc_sample.c), or only listens to what
 * others have set up. The kernel filters by group, so that other groups cost us
 * nothing; the rate that is reported is the one that the kernel says it applied.
 * Samples that were lost show as gaps in the group's sequence; when the kernel says
 * that our socket was full, that is the same loss told a second time, and only counted
 * as an overrun.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/psample.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>

#include "agent/agent_conf.h"
#include "agent/portsamp.h"
#include "agent/psample_msg.h"
#include "agent/replay_file.h"
#include "agent/seq_track.h"
#include "agent/source.h"
#include "agent/tc_sample.h"
#include "common/log.h"
#include "common/nl.h"

enum {
	MESSAGE_BYTES = 65536, /* psample cuts longer ones */
	BATCH = 64,
	REMIND_TICKS = 60, /* between messages about loss */
};

struct source_psample {
	struct source_env env;
	struct netlink *nl;           /* owned */
	struct loop_source *readable; /* owned by the loop */
	uint16_t family;
	bool wanted[TC_HOOKS];
	uint32_t groups[TC_HOOKS];
	struct seq_track seq[TC_HOOKS];
	struct tc_sample *tc;      /* own filters; owned */
	struct portsamp *portsamp; /* instead of them, on Cumulus; owned. Both NULL:
				      others set up sampling */
	struct source_port *ports; /* wanted, for another attempt; owned */
	size_t n_ports;
	unsigned remind_in; /* ticks */
	uint64_t lost_reported;
	struct source_stats stats;
};

static bool
psample_wanted(const struct agent_conf *conf)
{
	return conf->psample.enabled || agent_conf_source_is_auto(conf);
}

static bool
psample_chooses(const struct agent_conf *conf)
{
	return conf->psample.install;
}

/* Reading. */

static void
count_gap(struct source_psample *s, const struct psample_msg *m, enum tc_hook d)
{
	uint32_t gap;

	if (!(m->has & PSAMPLE_MSG_HAS_SEQ))
		return;
	gap = seq_track(&s->seq[d], m->seq);
	if (gap == 0)
		return;
	s->stats.lost += gap;
	s->env.sink->on_lost(d == TC_HOOK_EGRESS ? m->oifindex : m->iifindex, gap,
		m->rate, s->env.sink->user_data);
}

static void
take(struct source_psample *s, const struct psample_msg *m)
{
	struct packet p;
	int d = 0;

	while (d < TC_HOOKS && !(s->wanted[d] && s->groups[d] == m->group))
		d++;
	if (d == TC_HOOKS) {
		s->stats.skipped++;
		return;
	}
	count_gap(s, m, (enum tc_hook)d);
	if (psample_msg_packet(m, d == TC_HOOK_EGRESS, &p) < 0) {
		s->stats.skipped++;
		return;
	}
	s->stats.packets++;
	s->env.sink->on_packet(&p, s->env.sink->user_data);
}

static int
on_message(const struct nlmsghdr *h, void *user_data)
{
	struct source_psample *s = user_data;
	struct psample_msg m;
	int rc;

	if (h->nlmsg_type != s->family)
		return 0;
	if (s->env.record)
		replay_writer_put(s->env.record, REPLAY_MSG_PSAMPLE, h, h->nlmsg_len);
	rc = psample_msg_decode(h, &m);
	if (rc == 0)
		take(s, &m);
	else if (rc == -EBADMSG)
		s->stats.malformed++;
	return 0;
}

static void
on_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct source_psample *s = user_data;
	int rc;

	(void)loop;
	(void)fd;
	(void)events;
	s->env.sink->on_begin(s->env.sink->user_data);
	rc = netlink_receive(s->nl, on_message, s);
	if (rc == -ENOBUFS)
		s->stats.overruns++;
	else if (rc < 0)
		log_debug("psample", "receiving: %s", strerror(-rc));
}

/* Opening. */

/* Have the kernel drop what is of other groups: it finds the attribute, and loads it as
 * if it were in network order. */
static int
filter_groups(struct source_psample *s)
{
	const uint32_t a = htonl(s->groups[TC_HOOK_INGRESS]);
	const uint32_t b = htonl(s->groups[TC_HOOK_EGRESS]);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_IMM, NLMSG_HDRLEN + GENL_HDRLEN),
		BPF_STMT(BPF_LDX | BPF_IMM, PSAMPLE_ATTR_SAMPLE_GROUP),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_AD_OFF + SKF_AD_NLATTR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, NLA_HDRLEN),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, s->wanted[TC_HOOK_INGRESS] ? a : b,
			2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, s->wanted[TC_HOOK_EGRESS] ? b : a,
			1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code),
		.filter = code,
	};

	return setsockopt(netlink_fd(s->nl), SOL_SOCKET, SO_ATTACH_FILTER, &program,
		       sizeof(program)) < 0
		       ? -errno
		       : 0;
}

/* Filter first, then join: nothing else gets into the queue. */
static int
join(struct source_psample *s, struct err *err)
{
	uint32_t group;
	int rc = netlink_family(s->nl, PSAMPLE_GENL_NAME, &s->family, err);

	if (rc == -ENOENT)
		return err_set(err, rc,
			"psample: this kernel has no PSAMPLE, or its module is not "
			"loaded");
	if (rc == 0)
		rc = netlink_group(s->nl, PSAMPLE_GENL_NAME,
			PSAMPLE_NL_MCGRP_SAMPLE_NAME, &group, err);
	if (rc < 0)
		return rc;
	rc = filter_groups(s);
	if (rc < 0)
		return err_sys(err, rc, "psample: filter for groups");
	return netlink_join(s->nl, group, err);
}

/* The chip is switchd's, which tc does not reach. */
static int
open_portsamp(struct source_psample *s, struct err *err)
{
	if (!s->wanted[TC_HOOK_INGRESS])
		return err_set(err, -EOPNOTSUPP,
			"psample: on this system ports are sampled for packets that "
			"enter only");
	if (s->wanted[TC_HOOK_EGRESS])
		log_warning(
			"psample: egress = on has no effect here: %s would mix both "
			"directions in one group",
			PORTSAMP_PROGRAM);
	s->wanted[TC_HOOK_EGRESS] = false;
	s->portsamp = portsamp_open(s->env.loop, s->groups[TC_HOOK_INGRESS], err);
	if (!s->portsamp)
		return err_prefix(err, "psample");
	log_info("psample: ports are sampled by means of %s", PORTSAMP_PROGRAM);
	return 0;
}

static int
open_filters(struct source_psample *s, const struct agent_conf *conf, struct err *err)
{
	struct tc_sample_options options = {
		.hardware_only = conf->psample.hardware_only,
	};

	if (portsamp_is_there())
		return open_portsamp(s, err);
	memcpy(options.wanted, s->wanted, sizeof(options.wanted));
	memcpy(options.group, s->groups, sizeof(options.group));
	s->tc = tc_sample_open(s->env.loop, &options, err);
	return s->tc ? 0 : err_prefix(err, "psample");
}

static int
psample_start(struct source_psample *s, const struct agent_conf *conf, struct err *err)
{
	const struct netlink_options options = {
		.protocol = NETLINK_GENERIC,
		.receive_bytes = s->env.receive_bytes ? s->env.receive_bytes
						      : SOURCE_RECEIVE_BYTES,
		.message_bytes = MESSAGE_BYTES,
		.batch = BATCH,
	};
	int rc;

	s->wanted[TC_HOOK_INGRESS] = conf->psample.ingress;
	s->wanted[TC_HOOK_EGRESS] = conf->psample.egress;
	s->groups[TC_HOOK_INGRESS] = conf->psample.group;
	s->groups[TC_HOOK_EGRESS] = conf->psample.group + 1;
	if (!conf->psample.ingress && !conf->psample.egress)
		return err_set(err, -EINVAL,
			"psample: neither ingress nor egress is to be sampled");
	s->nl = netlink_open(&options, err);
	if (!s->nl)
		return err->code;
	/* Own filters come with the modules; without them PSAMPLE may be missing. */
	rc = psample_chooses(conf) && !portsamp_is_there() ? tc_sample_load(err) : 0;
	if (rc < 0)
		return err_prefix(err, "psample: this kernel cannot sample by tc");
	rc = join(s, err);
	if (rc == 0 && psample_chooses(conf))
		rc = open_filters(s, conf, err);
	if (rc < 0)
		return rc;
	s->readable =
		loop_add_fd(s->env.loop, netlink_fd(s->nl), LOOP_READ, on_readable, s);
	return s->readable ? 0 : err_sys(err, -errno, "psample: watching the socket");
}

static void
psample_close(void *ctx)
{
	struct source_psample *s = ctx;

	if (!s)
		return;
	tc_sample_close(s->tc);
	portsamp_close(s->portsamp);
	loop_remove(s->readable);
	netlink_close(s->nl);
	free(s->ports);
	free(s);
}

static int
psample_open(const struct agent_conf *conf, const struct source_env *env,
	void **ret_ctx, struct err *err)
{
	struct source_psample *s = calloc(1, sizeof(*s));
	struct err why = { 0 };
	int rc;

	if (!s)
		return err_sys(err, -ENOMEM, "psample");
	s->env = *env;
	rc = psample_start(s, conf, &why);
	if (rc < 0) {
		psample_close(s);
		return err_set(err, rc, "%s", why.text);
	}
	*ret_ctx = s;
	return 0;
}

/* At work. */

static const char *
psample_place(const void *ctx, uint32_t ifindex)
{
	const struct source_psample *s = ctx;

	if (s->portsamp)
		return portsamp_samples(s->portsamp, ifindex) ? "hardware" : NULL;
	switch (tc_sample_place(s->tc, ifindex)) {
	case TC_SAMPLE_HARDWARE:
		return "hardware";
	case TC_SAMPLE_SOFTWARE:
		return "software";
	default:
		return NULL;
	}
}

static void
count_ports(struct source_psample *s)
{
	s->stats.ports = 0;
	for (size_t i = 0; i < s->n_ports; i++)
		s->stats.ports += psample_place(s, s->ports[i].ifindex) != NULL;
}

static void
apply(struct source_psample *s)
{
	if (s->portsamp) {
		portsamp_set(s->portsamp, s->ports, s->n_ports);
		s->stats.failed = portsamp_failed(s->portsamp);
	} else {
		s->stats.failed = tc_sample_set(s->tc, s->ports, s->n_ports);
	}
	count_ports(s);
}

static size_t
psample_configure(void *ctx, const struct source_port *ports, size_t n)
{
	struct source_psample *s = ctx;
	struct source_port *copy = calloc(n + 1, sizeof(*copy));

	if (!copy) {
		log_error("psample: port list: %s", strerror(ENOMEM));
		return n;
	}
	if (n > 0)
		memcpy(copy, ports, n * sizeof(*copy));
	free(s->ports);
	s->ports = copy;
	s->n_ports = n;
	apply(s);
	return s->stats.failed;
}

static void
report_loss(struct source_psample *s)
{
	if (s->remind_in > 0)
		s->remind_in--;
	if (s->remind_in > 0 || s->stats.lost == s->lost_reported)
		return;
	log_warning("psample: %llu samples were lost before we could read them; they "
		    "count as drops",
		(unsigned long long)(s->stats.lost - s->lost_reported));
	s->lost_reported = s->stats.lost;
	s->remind_in = REMIND_TICKS;
}

static void
psample_tick(void *ctx)
{
	struct source_psample *s = ctx;

	report_loss(s);
	if (s->portsamp) {
		portsamp_tick(s->portsamp);
		s->stats.failed = portsamp_failed(s->portsamp);
		count_ports(s);
	}
	if (!s->tc || tc_sample_check(s->tc))
		return;
	log_warning("psample: somebody removed sampling filters; putting them back");
	apply(s);
}

static void
psample_stats(const void *ctx, struct source_stats *ret)
{
	const struct source_psample *s = ctx;

	*ret = s->stats;
}

static int
psample_cleanup(struct err *err)
{
	struct err why;
	int rc = portsamp_remove(err), tc = tc_sample_remove(rc < 0 ? &why : err);

	return rc < 0 ? rc : tc;
}

const struct source_ops source_psample = {
	.name = "psample",
	.wanted = psample_wanted,
	.chooses = psample_chooses,
	.open = psample_open,
	.close = psample_close,
	.cleanup = psample_cleanup,
	.configure = psample_configure,
	.place = psample_place,
	.tick = psample_tick,
	.stats = psample_stats,
};
