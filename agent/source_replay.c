/*
 * source_replay.c - plays a recording of what other sources received, in the time in
 * which it was recorded. For tests and demonstrations, and to look at what a switch saw
 * elsewhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_conf.h"
#include "agent/nflog_msg.h"
#include "agent/psample_msg.h"
#include "agent/replay_file.h"
#include "agent/seq_track.h"
#include "agent/source.h"
#include "common/log.h"
#include "common/mono.h"

enum {
	TURN_MESSAGES = 1024, /* then the loop has its turn */
	SEQUENCES = 4,        /* that are followed: nflog, psample groups */
};

struct source_replay {
	struct source_env env;
	struct replay_reader *reader; /* owned; NULL at the end */
	struct loop_source *timer;    /* owned by the loop */
	uint32_t egress_group;        /* psample */
	struct mono began;
	struct replay_msg next; /* borrowed from the reader */
	struct seq_track seq[SEQUENCES];
	struct source_stats stats;
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
};

static bool
replay_wanted(const struct agent_conf *conf)
{
	return conf->replay_file != NULL;
}

/* Netlink messages say how long they are; so does the file. */
static bool
is_netlink(const struct replay_msg *m)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)m->data;

	return m->len >= NLMSG_HDRLEN && h->nlmsg_len >= NLMSG_HDRLEN &&
	       h->nlmsg_len <= m->len;
}

static void
count_gap(struct source_replay *s, uint32_t sequence, uint32_t seq,
	const struct packet *p)
{
	uint32_t gap = seq_track(&s->seq[sequence % SEQUENCES], seq);

	if (gap == 0)
		return;
	s->stats.lost += gap;
	s->env.sink->on_lost(p->source.index, gap, p->rate, s->env.sink->user_data);
}

/* 0, or as the decoders. */
static int
play_nflog(struct source_replay *s, const struct nlmsghdr *h, struct packet *ret)
{
	struct nflog_msg m;
	uint32_t rate;
	int rc = nflog_msg_decode(h, &m);

	if (rc < 0)
		return rc;
	rate = nflog_msg_rate(&m);
	if (rate == 0)
		return -ENOMSG;
	rc = nflog_msg_packet(&m, rate, s->frame, ret);
	if (rc == 0 && m.has_seq)
		count_gap(s, 0, m.seq, ret);
	return rc;
}

static int
play_psample(struct source_replay *s, const struct nlmsghdr *h, struct packet *ret)
{
	struct psample_msg m;
	bool egress;
	int rc = psample_msg_decode(h, &m);

	if (rc < 0)
		return rc;
	egress = m.group == s->egress_group;
	rc = psample_msg_packet(&m, egress, ret);
	if (rc == 0 && m.has & PSAMPLE_MSG_HAS_SEQ)
		count_gap(s, egress ? 2 : 1, m.seq, ret);
	return rc;
}

static void
play(struct source_replay *s, const struct replay_msg *m)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)m->data;
	struct packet p;
	int rc = -EBADMSG;

	if (is_netlink(m))
		rc = m->source == REPLAY_MSG_NFLOG ? play_nflog(s, h, &p)
						   : play_psample(s, h, &p);
	if (rc == -EBADMSG) {
		s->stats.malformed++;
	} else if (rc < 0 || p.source.index == 0) {
		s->stats.skipped++;
	} else {
		s->stats.packets++;
		s->env.sink->on_packet(&p, s->env.sink->user_data);
	}
}

/* Fetch the next message; false at the end. */
static bool
advance(struct source_replay *s)
{
	int rc = replay_reader_next(s->reader, &s->next);

	if (rc > 0)
		return true;
	if (rc < 0)
		log_error("replay: %s",
			rc == -EBADMSG ? "the recording is damaged" : strerror(-rc));
	log_notice("replay: the recording ends after %llu samples",
		(unsigned long long)s->stats.packets);
	replay_reader_close(s->reader);
	s->reader = NULL;
	return false;
}

static void
on_time(struct loop *loop, void *user_data)
{
	struct source_replay *s = user_data;
	uint64_t elapsed_ns = (uint64_t)(mono_now().ns - s->began.ns);

	(void)loop;
	s->env.sink->on_begin(s->env.sink->user_data);
	for (int i = 0; i < TURN_MESSAGES; i++) {
		if (s->next.time_ns > elapsed_ns) {
			uint64_t ms = (s->next.time_ns - elapsed_ns) / 1000000 + 1;

			loop_timer_in(
				s->timer, ms > INT32_MAX ? INT32_MAX : (int64_t)ms);
			return;
		}
		play(s, &s->next);
		if (!advance(s))
			return;
	}
	loop_timer_in(s->timer, 0);
}

static void
replay_close(void *ctx)
{
	struct source_replay *s = ctx;

	if (!s)
		return;
	loop_remove(s->timer);
	replay_reader_close(s->reader);
	free(s);
}

static int
replay_start(struct source_replay *s, const struct agent_conf *conf, struct err *err)
{
	s->egress_group = conf->psample.group + 1;
	s->reader = replay_reader_open(conf->replay_file, err);
	if (!s->reader)
		return err->code;
	s->timer = loop_add_timer(s->env.loop, on_time, s);
	if (!s->timer)
		return err_sys(err, -errno, "replay: timer");
	s->began = mono_now();
	if (advance(s))
		loop_timer_in(s->timer, 0);
	return 0;
}

static int
replay_open(const struct agent_conf *conf, const struct source_env *env, void **ret_ctx,
	struct err *err)
{
	struct source_replay *s = calloc(1, sizeof(*s));
	struct err why = { 0 };
	int rc;

	if (!s)
		return err_sys(err, -ENOMEM, "replay");
	s->env = *env;
	rc = replay_start(s, conf, &why);
	if (rc < 0) {
		replay_close(s);
		return err_set(err, rc, "replay: %s", why.text);
	}
	*ret_ctx = s;
	return 0;
}

static void
replay_stats(const void *ctx, struct source_stats *ret)
{
	const struct source_replay *s = ctx;

	*ret = s->stats;
}

const struct source_ops source_replay = {
	.name = "replay",
	.wanted = replay_wanted,
	.open = replay_open,
	.close = replay_close,
	.stats = replay_stats,
};
