/*
 * source_nflog.c - samples by nftables and NFLOG: works on every kernel and every kind
 * of port.
 *
 * Normally with rules of our own (nflog_rules.c). With a group or a probability in the
 * configuration the user's rules feed the group, and we thin out what they give to the
 * configured rate. The kernel gathers up to a hundred samples in one datagram and we
 * read many datagrams with one system call, so no sample costs a call of its own.
 * Samples that were lost show as gaps in the group's sequence; when the kernel says
 * that our socket was full, that is the same loss told a second time, and only counted
 * as an overrun.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/agent_conf.h"
#include "agent/nflog_msg.h"
#include "agent/nflog_rules.h"
#include "agent/replay_file.h"
#include "agent/seq_track.h"
#include "agent/source.h"
#include "common/log.h"
#include "common/nl.h"
#include "common/priv.h"

enum {
	OWN_GROUP = 6343, /* of our own rules, unless the configuration names one */
	/* One datagram of the kernel: with the kernel's overhead just below 32 kB,
	 * which is what is allocated. */
	DATAGRAM_BYTES = 32256,
	DATAGRAMS = 8,     /* per system call */
	THRESHOLD = 100,   /* samples that the kernel gathers */
	TIMEOUT_CS = 5,    /* … and for how long, in 1/100 s */
	REMIND_TICKS = 60, /* between messages about loss */
	RETRY_TICKS = 10,  /* between attempts to sample ports that were refused */
};

struct source_nflog {
	struct source_env env;
	struct netlink *nl;           /* owned */
	struct loop_source *readable; /* owned by the loop */
	struct nflog_rules *rules;    /* own rules; NULL: the user's. Owned */
	struct source_port *ports;    /* wanted, for another attempt; owned */
	size_t n_ports;
	uint16_t group;
	uint32_t user_rate; /* of the user's rules; 1 in N */
	uint32_t thin;      /* of theirs we keep 1 in N */
	uint64_t random;    /* state of the generator */
	struct seq_track seq;
	unsigned retry_in, remind_in; /* ticks */
	uint64_t lost_reported;
	struct source_stats stats;
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
};

static bool
nflog_chooses(const struct agent_conf *conf)
{
	return !conf->nflog.enabled || conf->nflog.install;
}

/* The fall-back as well for ports that psample should sample and cannot. */
static bool
nflog_wanted(const struct agent_conf *conf)
{
	return conf->nflog.enabled || agent_conf_source_is_auto(conf) ||
	       (conf->psample.enabled && conf->psample.install);
}

/* Reading. */

/* xorshift64*: which samples we keep must not follow any pattern of the traffic, no
 * more. */
static uint32_t
next_random(struct source_nflog *s)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (uint32_t)(s->random * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

/* Charged to the port of the sample that follows: nobody knows better. */
static void
count_gap(struct source_nflog *s, const struct nflog_msg *m, uint32_t rate)
{
	uint32_t gap = m->has_seq ? seq_track(&s->seq, m->seq) : 0;

	if (gap == 0)
		return;
	s->stats.lost += gap;
	s->env.sink->on_lost(m->physindev ? m->physindev : m->indev, gap,
		s->rules ? 0 : rate, s->env.sink->user_data);
}

/* The rate by which @m was taken; 0 if it is not for us. */
static uint32_t
rate_of(struct source_nflog *s, const struct nflog_msg *m)
{
	return s->rules ? nflog_msg_rate(m) : s->user_rate * s->thin;
}

static void
take(struct source_nflog *s, const struct nflog_msg *m, uint32_t rate)
{
	struct packet p;

	if (s->thin > 1 && (uint64_t)next_random(s) * s->thin >> 32 != 0)
		return;
	if (nflog_msg_packet(m, rate, s->frame, &p) < 0 || p.source.index == 0) {
		s->stats.skipped++;
		return;
	}
	if (s->rules && nflog_rules_pool(s->rules, p.source.index, rate, &p.pool))
		p.has |= PACKET_HAS_POOL;
	s->stats.packets++;
	s->env.sink->on_packet(&p, s->env.sink->user_data);
}

static int
on_message(const struct nlmsghdr *h, void *user_data)
{
	struct source_nflog *s = user_data;
	struct nflog_msg m;
	int rc = nflog_msg_decode(h, &m);
	uint32_t rate;

	if (s->env.record)
		replay_writer_put(s->env.record, REPLAY_MSG_NFLOG, h, h->nlmsg_len);
	if (rc < 0) {
		s->stats.malformed += rc == -EBADMSG;
		return 0;
	}
	rate = rate_of(s, &m);
	count_gap(s, &m, rate);
	if (rate == 0 || m.group != s->group)
		s->stats.skipped++;
	else
		take(s, &m, rate);
	return 0;
}

static void
receive(struct source_nflog *s)
{
	int rc;

	s->env.sink->on_begin(s->env.sink->user_data);
	rc = netlink_receive(s->nl, on_message, s);
	if (rc == -ENOBUFS)
		s->stats.overruns++;
	else if (rc < 0)
		log_debug("nflog", "receiving: %s", strerror(-rc));
}

static void
on_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	(void)loop;
	(void)fd;
	(void)events;
	receive(user_data);
}

/* Opening. */

static void
build_config(struct nlbuild *b, uint16_t group)
{
	const struct nfgenmsg header = { .res_id = htons(group) };
	const struct nfulnl_msg_config_cmd bind = { NFULNL_CFG_CMD_BIND };
	const struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(SFLOW_HEADER_BYTES_MAX),
		.copy_mode = NFULNL_COPY_PACKET,
	};
	const uint16_t flags = htons(NFULNL_CFG_F_SEQ);

	nlbuild_begin(b, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, NLM_F_ACK, &header,
		sizeof(header));
	nlbuild_put(b, NFULA_CFG_CMD, &bind, sizeof(bind));
	nlbuild_put(b, NFULA_CFG_MODE, &mode, sizeof(mode));
	nlbuild_put_u32(b, NFULA_CFG_NLBUFSIZ, htonl(DATAGRAM_BYTES));
	nlbuild_put_u32(b, NFULA_CFG_QTHRESH, htonl(THRESHOLD));
	nlbuild_put_u32(b, NFULA_CFG_TIMEOUT, htonl(TIMEOUT_CS));
	nlbuild_put(b, NFULA_CFG_FLAGS, &flags, sizeof(flags));
}

static int
bind_group(struct source_nflog *s, struct err *err)
{
	uint8_t buffer[256] __attribute__((aligned(8)));
	struct nlbuild b;
	int rc;

	nlbuild_init(&b, buffer, sizeof(buffer));
	build_config(&b, s->group);
	rc = netlink_request(s->nl, &b, NULL, NULL, err);
	/* To us that may do anything the kernel says so of a group that is taken. */
	if (rc == -EBUSY || (rc == -EPERM && priv_has(CAP_NET_ADMIN)))
		return err_set(err, -EBUSY,
			"nflog: another program listens to group %u", s->group);
	if (rc < 0)
		(void)err_prefix(err, "nflog: group %u", s->group);
	return rc;
}

static int
open_socket(struct source_nflog *s, struct err *err)
{
	const struct netlink_options options = {
		.protocol = NETLINK_NETFILTER,
		.receive_bytes = s->env.receive_bytes ? s->env.receive_bytes
						      : SOURCE_RECEIVE_BYTES,
		.message_bytes = DATAGRAM_BYTES + 1024,
		.batch = DATAGRAMS,
	};

	s->nl = netlink_open(&options, err);
	if (!s->nl)
		return err ? err->code : -EIO;
	return bind_group(s, err);
}

/* What the user's rules give, and how much of it we keep: 1 in N of all packets is
 * wanted, so the two rates are multiplied. */
static void
follow_user(struct source_nflog *s, const struct agent_conf *conf)
{
	const uint64_t ppb = conf->nflog.probability_ppb;
	const uint64_t all = 1000000000;
	uint32_t wanted = settings_rate(&conf->settings, 0);

	s->user_rate = ppb ? (uint32_t)((all + ppb / 2) / ppb) : 1;
	s->thin =
		wanted > s->user_rate ? (wanted + s->user_rate - 1) / s->user_rate : 1;
}

static int
nflog_start(struct source_nflog *s, const struct agent_conf *conf, struct err *err)
{
	int rc;

	s->thin = 1;
	s->group = OWN_GROUP;
	if (conf->nflog.has_group || !nflog_chooses(conf))
		s->group = (uint16_t)conf->nflog.group;
	if (getrandom(&s->random, sizeof(s->random), 0) < 0 || s->random == 0)
		s->random = UINT64_C(0x9e3779b97f4a7c15);
	/* First the group: it tells us if another agent is at work, whose rules we must
	 * leave alone. */
	rc = open_socket(s, err);
	if (rc < 0)
		return rc;
	if (nflog_chooses(conf)) {
		s->rules = nflog_rules_open(s->group, err);
		if (!s->rules)
			return err ? err->code : -EIO;
	} else {
		follow_user(s, conf);
	}
	s->readable =
		loop_add_fd(s->env.loop, netlink_fd(s->nl), LOOP_READ, on_readable, s);
	return s->readable ? 0 : err_sys(err, -errno, "nflog: watching the socket");
}

static void
nflog_close(void *ctx)
{
	struct source_nflog *s = ctx;

	if (!s)
		return;
	loop_remove(s->readable);
	nflog_rules_close(s->rules);
	netlink_close(s->nl);
	free(s->ports);
	free(s);
}

static int
nflog_open(const struct agent_conf *conf, const struct source_env *env, void **ret_ctx,
	struct err *err)
{
	struct source_nflog *s = calloc(1, sizeof(*s));
	struct err why = { 0 };
	int rc;

	if (!s)
		return err_sys(err, -ENOMEM, "nflog");
	s->env = *env;
	rc = nflog_start(s, conf, &why);
	if (rc < 0) {
		nflog_close(s);
		return err_set(err, rc, "%s", why.text);
	}
	*ret_ctx = s;
	return 0;
}

/* At work. */

static void
apply(struct source_nflog *s)
{
	s->stats.failed = nflog_rules_set(s->rules, s->ports, s->n_ports);
	s->stats.ports = nflog_rules_count(s->rules);
	s->retry_in = RETRY_TICKS;
}

static size_t
nflog_configure(void *ctx, const struct source_port *ports, size_t n)
{
	struct source_nflog *s = ctx;
	struct source_port *copy = calloc(n + 1, sizeof(*copy));

	if (!copy) {
		log_error("nflog: port list: %s", strerror(ENOMEM));
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
report_loss(struct source_nflog *s)
{
	if (s->remind_in > 0)
		s->remind_in--;
	if (s->remind_in > 0 || s->stats.lost == s->lost_reported)
		return;
	log_warning("nflog: %llu samples were lost: more than could be read in time; "
		    "they count as drops",
		(unsigned long long)(s->stats.lost - s->lost_reported));
	s->lost_reported = s->stats.lost;
	s->remind_in = REMIND_TICKS;
}

static void
nflog_tick(void *ctx)
{
	struct source_nflog *s = ctx;

	report_loss(s);
	if (!s->rules)
		return;
	/* What waits is in the counters already: it must not be added to them. */
	receive(s);
	if (!nflog_rules_read(s->rules)) {
		log_warning("nflog: somebody removed sampling rules; putting them "
			    "back");
		apply(s);
	} else if (s->stats.failed > 0 && --s->retry_in == 0) {
		apply(s);
	}
}

static void
nflog_stats(const void *ctx, struct source_stats *ret)
{
	const struct source_nflog *s = ctx;

	*ret = s->stats;
}

const struct source_ops source_nflog = {
	.name = "nflog",
	.wanted = nflog_wanted,
	.chooses = nflog_chooses,
	.open = nflog_open,
	.close = nflog_close,
	.cleanup = nflog_rules_remove,
	.configure = nflog_configure,
	.tick = nflog_tick,
	.stats = nflog_stats,
};
