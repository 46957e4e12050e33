/*
 * nflog_rules.h - our own sampling rules in the kernel, for the nflog source. Acting
 * module over common/nft.
 *
 * One table "netdev tapgate_agent" holds one chain per port at the earliest hook that
 * nftables has, ahead of everybody's filters: what they drop is sampled all the same,
 * bridged or routed. Each chain has exactly one rule:
 *
 *     counter numgen random mod N 0 log prefix "tapgate:N" group G snaplen S
 *
 * Per packet that is one counter and one random number, however many ports there are.
 * The counter is the sample pool. The prefix tells with every sample the rate by which
 * it was really taken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/source.h"
#include "common/err.h"

#define NFLOG_RULES_TABLE "tapgate_agent"

struct nflog_rules; /* owned by who opened it */

/** Remove what a predecessor left, and make an empty table; rules log to @group. NULL
 * with the reason in @err. */
struct nflog_rules *nflog_rules_open(uint16_t group, struct err *err);

/** Remove what an agent left that did not end in an orderly way; fine if there is
 * nothing. 0 or negative errno with the reason. */
int nflog_rules_remove(struct err *err);

/** Remove the table. Accepts NULL. */
void nflog_rules_close(struct nflog_rules *r);

/** Have rules for exactly these ports, sorted by ifindex. Only differences are sent, as
 * one transaction. Returns how many the kernel refused: those are logged, once each,
 * and tried again by the next call. */
size_t nflog_rules_set(
	struct nflog_rules *r, const struct source_port *ports, size_t n);

/** Read the counters of all rules. Rules that somebody removed are noticed: false if
 * nflog_rules_set() should be called again. */
bool nflog_rules_read(struct nflog_rules *r);

/** Rules in the kernel. */
size_t nflog_rules_count(const struct nflog_rules *r);

/**
 * The pool of port @ifindex after one more sample of rate @rate: as last read, plus
 * what the samples since then stand for. Never decreases.
 *
 * Returns false if we have no rule for it
 */
bool nflog_rules_pool(
	struct nflog_rules *r, uint32_t ifindex, uint32_t rate, uint32_t *ret_pool);
