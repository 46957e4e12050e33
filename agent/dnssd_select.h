/*
 * dnssd_select.h - priority and weight of SRV records (RFC 2782), for datagrams that
 * may go to several targets. Pure.
 *
 * Only the targets of the best (lowest) priority that has a usable one are chosen;
 * the others are stand-by. Among them: equal weights, the usual case, mean that each
 * gets everything, as hsflowd's users know it; different weights mean a share of the
 * agents, so each agent takes one, always the same one as long as nothing changes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dnssd_candidate {
	uint16_t priority;
	uint16_t weight;
	bool usable; /* its address is known */
	bool chosen; /* result */
};

/**
 * Set chosen of each candidate.
 * @all   @n candidates, in an order that does not change from answer to answer
 * @seed  identifies this agent; all agents together spread by weight
 */
void dnssd_select(struct dnssd_candidate *all, unsigned n, uint64_t seed);

/** A well-mixed number from text, to make a seed. */
uint64_t dnssd_select_seed(const char *text);
