/*
 * sflow_encode_if.c - counter records of a port.
 *
 * if_counters and ethernet_counters of sFlow version 5; sFlow LAG Counter Structure;
 * sFlow Optical Interface Structures; the port name and port number of sFlow OpenFlow
 * Structures; the PFC draft of 2026.
 */
#include <errno.h>

#include "agent/sflow_encode_records.h"

static void
put_direction(struct wbuf *w, const struct if_direction *d)
{
	sflow_put_counter64(w, d->octets);
	sflow_put_counter32(w, d->unicast);
	sflow_put_counter32(w, d->multicast);
	sflow_put_counter32(w, d->broadcast);
	sflow_put_counter32(w, d->discards);
	sflow_put_counter32(w, d->errors);
}

int
sflow_put_if_counters(struct wbuf *w, const struct if_counters *c)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_GENERIC);

	wbuf_put_be32(w, c->index);
	wbuf_put_be32(w, c->type);
	sflow_put_gauge64(w, c->speed_bps);
	wbuf_put_be32(w, c->direction);
	wbuf_put_be32(w, (c->admin_up ? SFLOW_IF_STATUS_ADMIN_UP : 0) |
				 (c->oper_up ? SFLOW_IF_STATUS_OPER_UP : 0));
	put_direction(w, &c->in);
	sflow_put_counter32(w, c->in_unknown_protos);
	put_direction(w, &c->out);
	wbuf_put_be32(w, c->promiscuous ? 1 : 0);
	return sflow_record_end(w, start);
}

int
sflow_put_ethernet(struct wbuf *w, const struct ethernet_counters *c)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_ETHERNET);

	sflow_put_counter32(w, c->alignment_errors);
	sflow_put_counter32(w, c->fcs_errors);
	sflow_put_counter32(w, c->single_collisions);
	sflow_put_counter32(w, c->multiple_collisions);
	sflow_put_counter32(w, c->sqe_test_errors);
	sflow_put_counter32(w, c->deferred_transmissions);
	sflow_put_counter32(w, c->late_collisions);
	sflow_put_counter32(w, c->excessive_collisions);
	sflow_put_counter32(w, c->mac_transmit_errors);
	sflow_put_counter32(w, c->carrier_sense_errors);
	sflow_put_counter32(w, c->frames_too_long);
	sflow_put_counter32(w, c->mac_receive_errors);
	sflow_put_counter32(w, c->symbol_errors);
	return sflow_record_end(w, start);
}

int
sflow_put_lag(struct wbuf *w, const struct lag_port *l)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_LAG);

	sflow_put_mac(w, l->actor_system);
	sflow_put_mac(w, l->partner_system);
	wbuf_put_be32(w, l->attached_aggregator);
	/* Four bytes in this order, not a word: no byte order applies. */
	wbuf_put_u8(w, l->actor_admin_state);
	wbuf_put_u8(w, l->actor_oper_state);
	wbuf_put_u8(w, l->partner_admin_state);
	wbuf_put_u8(w, l->partner_oper_state);
	sflow_put_counter32(w, l->lacpdu_rx);
	sflow_put_counter32(w, l->marker_rx);
	sflow_put_counter32(w, l->marker_response_rx);
	sflow_put_counter32(w, l->unknown_rx);
	sflow_put_counter32(w, l->illegal_rx);
	sflow_put_counter32(w, l->lacpdu_tx);
	sflow_put_counter32(w, l->marker_tx);
	sflow_put_counter32(w, l->marker_response_tx);
	return sflow_record_end(w, start);
}

/* Degrees outside of what fits can only be a broken module: unknown. */
static void
put_temperature(struct wbuf *w, int64_t temperature_mc)
{
	if (temperature_mc < INT32_MIN || temperature_mc > INT32_MAX)
		temperature_mc = 0;
	wbuf_put_be32(w, (uint32_t)(int32_t)temperature_mc);
}

static void
put_lane(struct wbuf *w, const struct optics_lane *l)
{
	wbuf_put_be32(w, l->index);
	sflow_put_gauge32(w, l->tx_bias_ua);
	sflow_put_gauge32(w, l->tx_power_uw);
	sflow_put_gauge32(w, l->tx_power_min_uw);
	sflow_put_gauge32(w, l->tx_power_max_uw);
	sflow_put_gauge32(w, l->tx_wavelength_nm);
	sflow_put_gauge32(w, l->rx_power_uw);
	sflow_put_gauge32(w, l->rx_power_min_uw);
	sflow_put_gauge32(w, l->rx_power_max_uw);
	sflow_put_gauge32(w, l->rx_wavelength_nm);
}

int
sflow_put_optics(struct wbuf *w, const struct optics *o)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_OPTICS);

	wbuf_put_be32(w, o->module_id);
	wbuf_put_be32(w, o->module_lanes);
	sflow_put_gauge32(w, o->supply_mv);
	put_temperature(w, o->temperature_mc);
	wbuf_put_be32(w, (uint32_t)o->n_lanes);
	for (size_t i = 0; i < o->n_lanes; i++)
		put_lane(w, &o->lanes[i]);
	return sflow_record_end(w, start);
}

int
sflow_put_pfc(struct wbuf *w, const struct pfc_counters *c)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_PFC);

	sflow_put_counter32(w, c->requests);
	sflow_put_counter32(w, c->indications);
	sflow_put_counter32(w, c->pause_us);
	sflow_put_counter32(w, c->storm_detected);
	sflow_put_counter32(w, c->storm_restored);
	return sflow_record_end(w, start);
}

int
sflow_put_openflow_port(struct wbuf *w, const struct openflow_port *p)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_OPENFLOW_PORT);

	wbuf_put_be64(w, p->datapath_id);
	wbuf_put_be32(w, p->port_no);
	return sflow_record_end(w, start);
}

int
sflow_put_port_name(struct wbuf *w, const char *name)
{
	size_t start = sflow_record_begin(w, SFLOW_COUNTER_PORT_NAME);

	sflow_put_text(w, name, SFLOW_PORT_NAME_MAX);
	return sflow_record_end(w, start);
}

/* Those that old decoders know, then the new ones. */
static void
add_records(struct sflow_part *part, const struct if_sample *s)
{
	struct wbuf *w = part->w;
	int rc = sflow_put_if_counters(w, &s->generic);

	/* Never left out: a sample without it says nothing of the port. */
	if (rc != 0)
		sflow_part_fail(part, rc);
	else
		part->records++;
	if (s->has & IF_HAS_ETHERNET)
		sflow_part_add(part, sflow_put_ethernet(w, &s->ethernet));
	if (s->has & IF_HAS_LAG)
		sflow_part_add(part, sflow_put_lag(w, &s->lag));
	if (s->has & IF_HAS_OPTICS)
		sflow_part_add(part, sflow_put_optics(w, s->optics));
	if (s->has & IF_HAS_PFC)
		sflow_part_add(part, sflow_put_pfc(w, &s->pfc));
	if (s->has & IF_HAS_NAME)
		sflow_part_add(part, sflow_put_port_name(w, s->name));
	if (s->has & IF_HAS_OPENFLOW)
		sflow_part_add(part, sflow_put_openflow_port(w, &s->openflow));
}

int
sflow_put_if_sample(struct wbuf *w, const struct sflow_options *o,
	const struct if_sample *s, unsigned *ret_cut)
{
	struct data_source source = data_source_port(s->generic.index);
	struct sflow_part part;

	sflow_part_init(&part, w, ret_cut);
	if (s->has & IF_HAS_OPTICS && s->optics->n_lanes > OPTICS_LANES_MAX)
		return -EINVAL;
	if (sflow_begin_counters(&part, o, &source, s->seq))
		add_records(&part, s);
	return sflow_part_end(&part);
}
