/*
 * sampling_same.c - does another configuration need other sources?
 */
#include <string.h>

#include "agent/sampling.h"

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_dropmon(const struct agent_conf_dropmon *a, const struct agent_conf_dropmon *b)
{
	return a->start == b->start && a->force == b->force && a->sw == b->sw &&
	       a->hw == b->hw && a->sw_passive == b->sw_passive &&
	       a->hw_passive == b->hw_passive && a->reasons == b->reasons &&
	       a->hw_unknown == b->hw_unknown && same_text(a->hide, b->hide) &&
	       a->limit == b->limit && a->reason_limit == b->reason_limit &&
	       a->max == b->max && a->max_trip == b->max_trip;
}

bool
sampling_same_sources(const struct agent_conf *a, const struct agent_conf *b)
{
	const struct agent_conf_psample *p = &a->psample, *q = &b->psample;
	const struct agent_conf_nflog *n = &a->nflog, *m = &b->nflog;

	if (a->dropmon.enabled && !same_dropmon(&a->dropmon, &b->dropmon))
		return false;
	for (size_t i = 0; sources[i]; i++) {
		if (sources[i]->wanted(a) != sources[i]->wanted(b))
			return false;
	}
	/* With the user's rules nflog thins out to the configured rate. */
	if (n->enabled && !n->install &&
		settings_rate(&a->settings, 0) != settings_rate(&b->settings, 0))
		return false;
	return p->install == q->install && p->hardware_only == q->hardware_only &&
	       p->group == q->group && p->ingress == q->ingress &&
	       p->egress == q->egress && n->has_group == m->has_group &&
	       n->group == m->group && n->install == m->install &&
	       n->probability_ppb == m->probability_ppb &&
	       same_text(a->replay_file, b->replay_file);
}
