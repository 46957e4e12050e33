/*
 * discard.h - the way of a discarded packet from its source to the datagram. Acting
 * module.
 *
 *     source_dropmon.c → discard.c: port of arrival → sampler.c → datagram.c
 */
#pragma once

#include <stdint.h>

#include "agent/datagram.h"
#include "agent/iface.h"
#include "agent/packet.h"
#include "agent/resolve.h"
#include "agent/sampler.h"
#include "common/mono.h"

/* What it works with; borrowed. */
struct discard_path {
	struct iface_table *ifaces;
	struct sampler_table *samplers;
	struct resolve *resolve;
	struct datagram *datagram;
};

/**
 * Number @p and put it into the datagram. A port that is not in the table, because it
 * is gone or in another network namespace, becomes unknown, and so does the data
 * source (0:0); a bridge becomes the port behind which the sender is.
 */
void discard_take(const struct discard_path *path, struct packet *p, struct mono now);

/** @n packets that came in by @ifindex (0: not known) were not told: drops of that data
 * source. */
void discard_lost(const struct discard_path *path, uint32_t ifindex, uint32_t n);
