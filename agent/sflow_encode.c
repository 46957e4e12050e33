/*
 * sflow_encode.c - the fixed parts of samples: source, ports, sequence, pool, drops.
 *
 * sFlow version 5: flow_sample, counters_sample and their expanded forms; discarded_
 * packet of sFlow Dropped Packet Notification Structures.
 */
#include "agent/sflow_encode.h"

#include <errno.h>

#include "agent/sflow_encode_records.h"

/* Two bits of a compact port hold its format, eight of a compact source its class. */
enum { COMPACT_FORMAT_SHIFT = 30, COMPACT_CLASS_SHIFT = 24 };

/* A port as the standard's interface_expanded. */
struct wire_port {
	enum sflow_port_format format;
	uint32_t value;
	bool internal; /* its value differs between the two forms */
};

static struct wire_port
port_to_wire(const struct packet_port *p)
{
	switch (p->kind) {
	case PACKET_PORT_IFINDEX:
		return (struct wire_port){ SFLOW_PORT_SINGLE, p->value, false };
	case PACKET_PORT_INTERNAL:
		return (struct wire_port){ SFLOW_PORT_SINGLE, UINT32_MAX, true };
	case PACKET_PORT_DISCARDED:
		return (struct wire_port){ SFLOW_PORT_DISCARDED, p->value, false };
	case PACKET_PORT_MULTIPLE:
		return (struct wire_port){ SFLOW_PORT_MULTIPLE, p->value, false };
	case PACKET_PORT_UNKNOWN:
		break;
	}
	return (struct wire_port){ SFLOW_PORT_SINGLE, 0, false };
}

static void
put_port(struct wbuf *w, const struct sflow_options *o, const struct packet_port *p)
{
	struct wire_port port = port_to_wire(p);

	if (!o->compact) {
		wbuf_put_be32(w, port.format);
		wbuf_put_be32(w, port.value);
	} else if (port.internal) {
		wbuf_put_be32(w, SFLOW_COMPACT_INTERNAL);
	} else {
		wbuf_put_be32(
			w, (uint32_t)port.format << COMPACT_FORMAT_SHIFT | port.value);
	}
}

static void
put_source(
	struct wbuf *w, const struct sflow_options *o, const struct data_source *source)
{
	if (o->compact) {
		wbuf_put_be32(w,
			(uint32_t)source->class << COMPACT_CLASS_SHIFT | source->index);
	} else {
		wbuf_put_be32(w, source->class);
		wbuf_put_be32(w, source->index);
	}
}

static bool
source_fits(const struct sflow_options *o, const struct data_source *source)
{
	return !o->compact || source->index <= SFLOW_COMPACT_INDEX_MAX;
}

static bool
port_fits(const struct sflow_options *o, const struct packet_port *p)
{
	return !o->compact || p->value <= SFLOW_COMPACT_PORT_MAX;
}

static int
check_flow(const struct sflow_options *o, const struct packet *p)
{
	if (p->rate == 0 || p->input.kind == PACKET_PORT_DISCARDED ||
		p->input.kind == PACKET_PORT_MULTIPLE)
		return -EINVAL;
	if (!source_fits(o, &p->source) || !port_fits(o, &p->input) ||
		!port_fits(o, &p->output))
		return -ERANGE;
	return 0;
}

/* The word that counts the records, the records, and the end of the sample. */
static int
finish_packet(
	struct sflow_part *part, const struct sflow_options *o, const struct packet *p)
{
	if (sflow_part_begin_records(part))
		sflow_add_packet(part, o, p);
	return sflow_part_end(part);
}

int
sflow_put_flow_sample(struct wbuf *w, const struct sflow_options *o,
	const struct flow_sample *s, unsigned *ret_cut)
{
	const struct packet *p = s->packet;
	struct sflow_part part;
	int rc = check_flow(o, p);

	sflow_part_init(&part, w, ret_cut);
	if (rc < 0)
		return rc;
	sflow_part_begin(
		&part, o->compact ? SFLOW_SAMPLE_FLOW : SFLOW_SAMPLE_FLOW_EXPANDED);
	wbuf_put_be32(w, s->seq);
	put_source(w, o, &p->source);
	wbuf_put_be32(w, p->rate);
	wbuf_put_be32(w, s->pool);
	wbuf_put_be32(w, s->drops);
	put_port(w, o, &p->input);
	put_port(w, o, &p->output);
	return finish_packet(&part, o, p);
}

/* The discard sample has plain ifIndex words without a format. */
static uint32_t
plain_ifindex(const struct packet_port *p)
{
	return p->kind == PACKET_PORT_IFINDEX ? p->value : 0;
}

int
sflow_put_discard_sample(struct wbuf *w, const struct sflow_options *o,
	const struct discard_sample *s, unsigned *ret_cut)
{
	const struct packet *p = s->packet;
	struct sflow_part part;

	sflow_part_init(&part, w, ret_cut);
	sflow_part_begin(&part, SFLOW_SAMPLE_DISCARD);
	wbuf_put_be32(w, s->seq);
	wbuf_put_be32(w, p->source.class);
	wbuf_put_be32(w, p->source.index);
	wbuf_put_be32(w, s->drops);
	wbuf_put_be32(w, plain_ifindex(&p->input));
	wbuf_put_be32(w, plain_ifindex(&p->output));
	wbuf_put_be32(w, p->reason);
	return finish_packet(&part, o, p);
}

bool
sflow_begin_counters(struct sflow_part *s, const struct sflow_options *o,
	const struct data_source *source, uint32_t seq)
{
	if (!source_fits(o, source)) {
		sflow_part_fail(s, -ERANGE);
		return false;
	}
	sflow_part_begin(
		s, o->compact ? SFLOW_SAMPLE_COUNTERS : SFLOW_SAMPLE_COUNTERS_EXPANDED);
	wbuf_put_be32(s->w, seq);
	put_source(s->w, o, source);
	return sflow_part_begin_records(s);
}
