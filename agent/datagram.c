/*
 * datagram.c - fills sFlow datagrams with samples.
 */
#include "agent/datagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Start value of delay_ms. Large flows must be seen within a second, all delays of the
 * path included, so the agent takes only a part of it. */
enum { DELAY_MS = 200 };

/* Any of the sflow_put_*_sample() functions, with the sample's type forgotten. */
typedef int (*encode_fn)(struct wbuf *w, const struct sflow_options *o,
	const void *sample, unsigned *ret_cut);

void
datagram_conf_init(struct datagram_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->sub_agent = SFLOW_SUB_AGENT;
	conf->size_max = SFLOW_DATAGRAM_BYTES;
	conf->delay_ms = DELAY_MS;
	conf->options.header_max = SFLOW_HEADER_BYTES;
}

/* Where the words stand that are set after the samples: behind version, agent address
 * (type and 4 or 16 bytes) and sub-agent. */
static size_t
seq_offset(const struct datagram *d)
{
	return 4 + 4 + (d->conf.agent.family == AF_INET6 ? 16 : 4) + 4;
}

static size_t
uptime_offset(const struct datagram *d)
{
	return seq_offset(d) + 4;
}

static size_t
count_offset(const struct datagram *d)
{
	return seq_offset(d) + 8;
}

static uint8_t *
buffer_at(const struct datagram *d, size_t i)
{
	return d->buffers + i * d->conf.size_max;
}

/* Open the next datagram, empty. */
static void
begin(struct datagram *d)
{
	const struct parse_addr *agent = &d->conf.agent;
	bool v6 = agent->family == AF_INET6;

	wbuf_init(&d->w, buffer_at(d, d->n_finished), d->conf.size_max);
	wbuf_put_be32(&d->w, SFLOW_VERSION);
	wbuf_put_be32(&d->w, v6 ? SFLOW_ADDRESS_IPV6 : SFLOW_ADDRESS_IPV4);
	wbuf_put_bytes(&d->w, agent->bytes, v6 ? 16 : 4);
	wbuf_put_be32(&d->w, d->conf.sub_agent);
	wbuf_put_zero(&d->w, 12); /* sequence, uptime, number of samples */
	d->n_samples = 0;
}

/* Send the finished datagrams. None may be open. */
static void
send_batch(struct datagram *d)
{
	struct iovec msgs[DATAGRAM_BATCH];
	uint32_t uptime_ms = (uint32_t)mono_boot_ms();
	struct wbuf word;

	for (size_t i = 0; i < d->n_finished; i++) {
		uint8_t *data = buffer_at(d, i);

		wbuf_init(&word, data + uptime_offset(d), 4);
		wbuf_put_be32(&word, uptime_ms);
		msgs[i] = (struct iovec){ data, d->lens[i] };
	}
	d->send(msgs, d->n_finished, d->user_data);
	d->stats.datagrams += d->n_finished;
	d->n_finished = 0;
}

/* Finish the open datagram if there is anything in it, and open the next. */
static void
finish(struct datagram *d)
{
	if (d->n_samples == 0)
		return;
	wbuf_patch_be32(&d->w, seq_offset(d), ++d->seq);
	wbuf_patch_be32(&d->w, count_offset(d), d->n_samples);
	d->lens[d->n_finished++] = d->w.len;
	if (d->n_finished == DATAGRAM_BATCH)
		send_batch(d);
	begin(d);
}

static bool
same_stream(const struct datagram_conf *a, const struct datagram_conf *b)
{
	size_t len = a->agent.family == AF_INET6 ? 16 : 4;

	return a->agent.family == b->agent.family && a->sub_agent == b->sub_agent &&
	       memcmp(a->agent.bytes, b->agent.bytes, len) == 0;
}

static bool
conf_valid(const struct datagram_conf *c)
{
	int family = c->agent.family;

	return (family == 0 || family == AF_INET || family == AF_INET6) &&
	       c->size_max >= DATAGRAM_SIZE_MIN && c->size_max <= DATAGRAM_SIZE_MAX &&
	       c->delay_ms >= 1 && c->delay_ms <= SFLOW_MAX_DELAY_MS;
}

int
datagram_init(struct datagram *d, const struct datagram_conf *conf,
	datagram_send_fn send, void *user_data)
{
	memset(d, 0, sizeof(*d));
	d->send = send;
	d->user_data = user_data;
	return datagram_configure(d, conf);
}

void
datagram_done(struct datagram *d)
{
	free(d->buffers);
	d->buffers = NULL;
	d->n_finished = 0;
	d->n_samples = 0;
}

int
datagram_configure(struct datagram *d, const struct datagram_conf *conf)
{
	bool form_fixed =
		d->stats.datagrams > 0 || d->n_finished > 0 || d->n_samples > 0;
	uint8_t *buffers;

	if (!conf_valid(conf) ||
		(form_fixed && conf->options.compact != d->conf.options.compact))
		return -EINVAL;
	buffers = malloc((size_t)conf->size_max * DATAGRAM_BATCH);
	if (!buffers)
		return -ENOMEM;
	if (d->buffers)
		datagram_flush(d);
	free(d->buffers);
	d->buffers = buffers;
	if (!same_stream(&d->conf, conf))
		d->seq = 0;
	d->conf = *conf;
	begin(d);
	return 0;
}

/* Whole into the open datagram, else whole into a new one, else shortened. */
static int
encode(struct datagram *d, encode_fn fn, const void *sample)
{
	const struct sflow_options *o = &d->conf.options;
	unsigned cut;
	int rc = fn(&d->w, o, sample, NULL);

	if (rc == -ENOSPC && d->n_samples > 0) {
		finish(d);
		rc = fn(&d->w, o, sample, NULL);
	}
	if (rc == -ENOSPC) {
		rc = fn(&d->w, o, sample, &cut);
		d->stats.records_cut += rc == 0 ? cut : 0;
	}
	return rc;
}

static int
put(struct datagram *d, encode_fn fn, const void *sample, struct mono now)
{
	int rc;

	if (d->conf.agent.family == 0) {
		d->stats.unaddressed++;
		return -EADDRNOTAVAIL;
	}
	rc = encode(d, fn, sample);
	if (rc < 0) {
		d->stats.refused++;
		return rc;
	}
	if (d->n_finished == 0 && d->n_samples == 0)
		d->oldest = now;
	d->n_samples++;
	return 0;
}

static int
encode_flow(struct wbuf *w, const struct sflow_options *o, const void *sample,
	unsigned *ret_cut)
{
	return sflow_put_flow_sample(w, o, sample, ret_cut);
}

static int
encode_discard(struct wbuf *w, const struct sflow_options *o, const void *sample,
	unsigned *ret_cut)
{
	return sflow_put_discard_sample(w, o, sample, ret_cut);
}

static int
encode_if(struct wbuf *w, const struct sflow_options *o, const void *sample,
	unsigned *ret_cut)
{
	return sflow_put_if_sample(w, o, sample, ret_cut);
}

static int
encode_host(struct wbuf *w, const struct sflow_options *o, const void *sample,
	unsigned *ret_cut)
{
	return sflow_put_host_sample(w, o, sample, ret_cut);
}

int
datagram_put_flow(struct datagram *d, const struct flow_sample *s, struct mono now)
{
	int rc = put(d, encode_flow, s, now);

	d->stats.flow_samples += rc == 0;
	return rc;
}

int
datagram_put_discard(
	struct datagram *d, const struct discard_sample *s, struct mono now)
{
	int rc = put(d, encode_discard, s, now);

	d->stats.discard_samples += rc == 0;
	return rc;
}

int
datagram_put_if(struct datagram *d, const struct if_sample *s, struct mono now)
{
	int rc = put(d, encode_if, s, now);

	d->stats.counters_samples += rc == 0;
	return rc;
}

int
datagram_put_host(struct datagram *d, const struct host_sample *s, struct mono now)
{
	int rc = put(d, encode_host, s, now);

	d->stats.counters_samples += rc == 0;
	return rc;
}

bool
datagram_deadline(const struct datagram *d, struct mono *ret_when)
{
	if (d->n_finished == 0 && d->n_samples == 0)
		return false;
	*ret_when = mono_add_ms(d->oldest, d->conf.delay_ms);
	return true;
}

void
datagram_flush(struct datagram *d)
{
	finish(d);
	if (d->n_finished > 0) {
		send_batch(d);
		begin(d);
	}
}
