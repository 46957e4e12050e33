/*
 * sampler.c - sequence numbers, pool, drops and rate of each data source.
 */
#include "agent/sampler.h"

#include <stdlib.h>
#include <string.h>

void
sampler_table_init(struct sampler_table *t)
{
	memset(t, 0, sizeof(*t));
}

void
sampler_table_done(struct sampler_table *t)
{
	for (size_t i = 0; i < SAMPLER_BUCKETS; i++) {
		while (t->buckets[i]) {
			struct sampler *s = t->buckets[i];

			t->buckets[i] = s->next;
			free(s);
		}
	}
	t->n = 0;
}

/* Interface numbers follow one another, so their low bits spread well. */
static size_t
bucket_of(struct data_source source)
{
	return (source.index ^ (size_t)source.class << 7) % SAMPLER_BUCKETS;
}

/* Where the pointer to the sampler of @source stands; to NULL if there is none. */
static struct sampler **
find_link(struct sampler **link, struct data_source source)
{
	while (*link && !data_source_equal((*link)->source, source))
		link = &(*link)->next;
	return link;
}

struct sampler *
sampler_find(const struct sampler_table *t, struct data_source source)
{
	struct sampler *s = t->buckets[bucket_of(source)];

	while (s && !data_source_equal(s->source, source))
		s = s->next;
	return s;
}

struct sampler *
sampler_get(struct sampler_table *t, struct data_source source)
{
	struct sampler **link = find_link(&t->buckets[bucket_of(source)], source);

	if (*link)
		return *link;
	if (t->n < SAMPLER_MAX)
		*link = calloc(1, sizeof(**link));
	if (!*link) {
		t->refused++;
		return NULL;
	}
	(*link)->source = source;
	t->n++;
	return *link;
}

void
sampler_remove(struct sampler_table *t, struct data_source source)
{
	struct sampler **link = find_link(&t->buckets[bucket_of(source)], source);
	struct sampler *s = *link;

	if (!s)
		return;
	*link = s->next;
	free(s);
	t->n--;
}

int
sampler_take_packet(
	struct sampler *s, const struct packet *p, struct datagram *d, struct mono now)
{
	struct flow_sample sample;
	int rc;

	s->rate = p->rate;
	s->pool = p->has & PACKET_HAS_POOL ? p->pool : s->pool + p->rate;
	sample = (struct flow_sample){
		.seq = s->flow_seq + 1,
		.pool = s->pool,
		.drops = s->drops,
		.packet = p,
	};
	rc = datagram_put_flow(d, &sample, now);
	if (rc < 0) {
		s->drops++;
		return rc;
	}
	s->flow_seq++;
	s->samples++;
	return 0;
}

int
sampler_take_discard(
	struct sampler *s, const struct packet *p, struct datagram *d, struct mono now)
{
	struct discard_sample sample = {
		.seq = s->discard_seq + 1,
		.drops = s->discard_drops,
		.packet = p,
	};
	int rc = datagram_put_discard(d, &sample, now);

	if (rc < 0)
		s->discard_drops++;
	else
		s->discard_seq++;
	return rc;
}

int
sampler_take_if(
	struct sampler *s, struct if_sample *c, struct datagram *d, struct mono now)
{
	int rc;

	c->seq = s->counters_seq + 1;
	rc = datagram_put_if(d, c, now);
	if (rc == 0)
		s->counters_seq++;
	return rc;
}

int
sampler_take_host(
	struct sampler *s, struct host_sample *c, struct datagram *d, struct mono now)
{
	int rc;

	c->seq = s->counters_seq + 1;
	rc = datagram_put_host(d, c, now);
	if (rc == 0)
		s->counters_seq++;
	return rc;
}

void
sampler_lost(struct sampler *s, uint32_t n, uint32_t rate)
{
	s->drops += n;
	s->pool += n * rate;
}

void
sampler_discards_lost(struct sampler *s, uint32_t n)
{
	s->discard_drops += n;
}

void
sampler_counters_reset(struct sampler *s)
{
	s->counters_seq = 0;
}
