/*
 * sflow_encode_host.c - counter records of a host.
 *
 * sFlow Host Structures (with the CPU fields added since), sFlow Host IP Structures,
 * the processor record of sFlow version 5, and Broadcom's table utilisation.
 */
#include <errno.h>
#include <string.h>

#include "agent/sflow_encode_records.h"

/* Tag and length in front of every record. */
enum { RECORD_HEAD_LEN = 8 };

static void
put_percent(struct wbuf *w, int32_t percent100)
{
	wbuf_put_be32(w, (uint32_t)percent100);
}

static void
put_float(struct wbuf *w, float value)
{
	uint32_t bits;

	_Static_assert(sizeof(bits) == sizeof(value), "float is IEEE 754 single");
	memcpy(&bits, &value, sizeof(bits));
	wbuf_put_be32(w, bits);
}

int
sflow_put_processor(struct wbuf *w, const struct processor *p)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_PROCESSOR);

	put_percent(w, p->cpu_5s_percent100);
	put_percent(w, p->cpu_1m_percent100);
	put_percent(w, p->cpu_5m_percent100);
	sflow_put_gauge64(w, p->total_bytes);
	sflow_put_gauge64(w, p->free_bytes);
	return sflow_record_end(w, start);
}

int
sflow_put_host_descr(struct wbuf *w, const struct host_descr *d)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_HOST_DESCR);

	sflow_put_text(w, d->hostname, SFLOW_HOSTNAME_MAX);
	wbuf_put_bytes(w, d->uuid, sizeof(d->uuid));
	wbuf_put_be32(w, d->machine);
	wbuf_put_be32(w, SFLOW_OS_LINUX);
	sflow_put_text(w, d->os_release, SFLOW_OS_RELEASE_MAX);
	return sflow_record_end(w, start);
}

int
sflow_put_host_adapters(struct wbuf *w, const struct host_adapter *adapters, size_t n)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_HOST_ADAPTERS);

	wbuf_put_be32(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		wbuf_put_be32(w, adapters[i].ifindex);
		wbuf_put_be32(w, (uint32_t)adapters[i].n_macs);
		for (size_t k = 0; k < adapters[i].n_macs; k++)
			sflow_put_mac(w, adapters[i].macs[k]);
	}
	return sflow_record_end(w, start);
}

int
sflow_put_host_parent(struct wbuf *w, const struct host_parent *p)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_HOST_PARENT);

	wbuf_put_be32(w, p->container.class);
	wbuf_put_be32(w, p->container.index);
	return sflow_record_end(w, start);
}

int
sflow_put_host_cpu(struct wbuf *w, const struct host_cpu *c)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_HOST_CPU);

	put_float(w, c->load_one);
	put_float(w, c->load_five);
	put_float(w, c->load_fifteen);
	sflow_put_gauge32(w, c->proc_run);
	sflow_put_gauge32(w, c->proc_total);
	sflow_put_gauge32(w, c->cpu_num);
	sflow_put_gauge32(w, c->cpu_speed_mhz);
	sflow_put_gauge32(w, c->uptime_s);
	sflow_put_counter32(w, c->user_ms);
	sflow_put_counter32(w, c->nice_ms);
	sflow_put_counter32(w, c->system_ms);
	sflow_put_counter32(w, c->idle_ms);
	sflow_put_counter32(w, c->wait_ms);
	sflow_put_counter32(w, c->intr_ms);
	sflow_put_counter32(w, c->softintr_ms);
	sflow_put_counter32(w, c->interrupts);
	sflow_put_counter32(w, c->contexts);
	/* Not in the document of 2010; agents have sent them since 2014. */
	sflow_put_counter32(w, c->steal_ms);
	sflow_put_counter32(w, c->guest_ms);
	sflow_put_counter32(w, c->guest_nice_ms);
	return sflow_record_end(w, start);
}

int
sflow_put_host_memory(struct wbuf *w, const struct host_memory *m)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_HOST_MEMORY);

	sflow_put_gauge64(w, m->total_bytes);
	sflow_put_gauge64(w, m->free_bytes);
	sflow_put_gauge64(w, m->shared_bytes);
	sflow_put_gauge64(w, m->buffers_bytes);
	sflow_put_gauge64(w, m->cached_bytes);
	sflow_put_gauge64(w, m->swap_total_bytes);
	sflow_put_gauge64(w, m->swap_free_bytes);
	sflow_put_counter32(w, m->page_in);
	sflow_put_counter32(w, m->page_out);
	sflow_put_counter32(w, m->swap_in);
	sflow_put_counter32(w, m->swap_out);
	return sflow_record_end(w, start);
}

int
sflow_put_host_disk(struct wbuf *w, const struct host_disk *d)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_HOST_DISK);

	sflow_put_gauge64(w, d->total_bytes);
	sflow_put_gauge64(w, d->free_bytes);
	put_percent(w, d->fullest_percent100);
	sflow_put_counter32(w, d->reads);
	sflow_put_counter64(w, d->read_bytes);
	sflow_put_counter32(w, d->read_ms);
	sflow_put_counter32(w, d->writes);
	sflow_put_counter64(w, d->written_bytes);
	sflow_put_counter32(w, d->write_ms);
	return sflow_record_end(w, start);
}

static void
put_net_direction(struct wbuf *w, const struct host_net_direction *d)
{
	sflow_put_counter64(w, d->octets);
	sflow_put_counter32(w, d->packets);
	sflow_put_counter32(w, d->errors);
	sflow_put_counter32(w, d->drops);
}

int
sflow_put_host_net(struct wbuf *w, const struct host_net *n)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_HOST_NET);

	put_net_direction(w, &n->in);
	put_net_direction(w, &n->out);
	return sflow_record_end(w, start);
}

static int
put_group(struct wbuf *w, uint32_t tag, const uint64_t *values, size_t n)
{
	size_t start = sflow_record_begin(w, tag);

	sflow_put_counters32(w, values, n);
	return sflow_record_end(w, start);
}

static int
put_hw_tables(struct wbuf *w, const uint64_t *values)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_HW_TABLES);

	for (size_t i = 0; i < HW_TABLE_COUNT; i++)
		sflow_put_gauge32(w, values[i]);
	return sflow_record_end(w, start);
}

/* Those that collectors want first: the standard has them in every host sample. The
 * processor record leads because it alone is known to old decoders. */
static void
add_identity(struct sflow_part *part, const struct host_sample *s, unsigned has)
{
	struct wbuf *w = part->w;

	if (has & HOST_HAS_PROCESSOR)
		sflow_part_add(part, sflow_put_processor(w, &s->processor));
	if (has & HOST_HAS_DESCR)
		sflow_part_add(part, sflow_put_host_descr(w, &s->descr));
	if (has & HOST_HAS_ADAPTERS)
		sflow_part_add(
			part, sflow_put_host_adapters(w, s->adapters, s->n_adapters));
	if (has & HOST_HAS_PARENT)
		sflow_part_add(part, sflow_put_host_parent(w, &s->parent));
}

static void
add_resources(struct sflow_part *part, const struct host_sample *s, unsigned has)
{
	struct wbuf *w = part->w;

	if (has & HOST_HAS_CPU)
		sflow_part_add(part, sflow_put_host_cpu(w, &s->cpu));
	if (has & HOST_HAS_MEMORY)
		sflow_part_add(part, sflow_put_host_memory(w, &s->memory));
	if (has & HOST_HAS_DISK)
		sflow_part_add(part, sflow_put_host_disk(w, &s->disk));
	if (has & HOST_HAS_NET)
		sflow_part_add(part, sflow_put_host_net(w, &s->net));
}

static void
add_protocols(struct sflow_part *part, const struct host_sample *s, unsigned has)
{
	struct wbuf *w = part->w;

	if (has & HOST_HAS_IP)
		sflow_part_add(part,
			put_group(w, SFLOW_COUNTER_MIB2_IP, s->ip, MIB2_IP_COUNT));
	if (has & HOST_HAS_ICMP)
		sflow_part_add(part, put_group(w, SFLOW_COUNTER_MIB2_ICMP, s->icmp,
					     MIB2_ICMP_COUNT));
	if (has & HOST_HAS_TCP)
		sflow_part_add(part,
			put_group(w, SFLOW_COUNTER_MIB2_TCP, s->tcp, MIB2_TCP_COUNT));
	if (has & HOST_HAS_UDP)
		sflow_part_add(part,
			put_group(w, SFLOW_COUNTER_MIB2_UDP, s->udp, MIB2_UDP_COUNT));
	if (has & HOST_HAS_HW_TABLES)
		sflow_part_add(part, put_hw_tables(w, s->hw_tables));
}

/* How many of the adapters a record in @room bytes can list. */
static size_t
adapters_that_fit(const struct host_sample *s, size_t room)
{
	size_t need = RECORD_HEAD_LEN + 4;
	size_t n;

	for (n = 0; n < s->n_adapters; n++) {
		need += 8 + 8 * s->adapters[n].n_macs;
		if (need > room)
			break;
	}
	return n;
}

/* The list may be short, so it comes behind the records that have one size only. */
static void
add_shortened_adapters(struct sflow_part *part, const struct host_sample *s)
{
	size_t n = adapters_that_fit(s, wbuf_room(part->w));
	int rc = sflow_put_host_adapters(part->w, s->adapters, n);

	if (rc == 0 && n < s->n_adapters)
		(*part->ret_cut)++;
	sflow_part_add(part, rc);
}

static int
check_adapters(const struct host_sample *s)
{
	if (!(s->has & HOST_HAS_ADAPTERS))
		return 0;
	for (size_t i = 0; i < s->n_adapters; i++) {
		if (s->adapters[i].n_macs > HOST_MACS_MAX)
			return -EINVAL;
	}
	return 0;
}

int
sflow_put_host_sample(struct wbuf *w, const struct sflow_options *o,
	const struct host_sample *s, unsigned *ret_cut)
{
	bool shorten = ret_cut && s->has & HOST_HAS_ADAPTERS;
	unsigned has = shorten ? s->has & ~(unsigned)HOST_HAS_ADAPTERS : s->has;
	struct sflow_part part;
	int rc = check_adapters(s);

	sflow_part_init(&part, w, ret_cut);
	if (rc < 0)
		return rc;
	if (sflow_begin_counters(&part, o, &s->source, s->seq)) {
		add_identity(&part, s, has);
		add_resources(&part, s, has);
		add_protocols(&part, s, has);
		if (shorten)
			add_shortened_adapters(&part, s);
	}
	return sflow_part_end(&part);
}
