/*
 * agent_addr.h - election of the agent address: which of our addresses names this agent
 * in every datagram. Pure.
 *
 * The ranks are hsflowd's, so that a migrated switch keeps its identity: global IPv4
 * before private IPv4 before global IPv6, and so on down to the loopback. Preferences
 * of the configuration (agentIP, agent, agent.cidr) lift an address above all ranks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/settings.h"
#include "common/parse.h"

/** One address of one interface. */
struct agent_addr_candidate {
	struct parse_addr addr;
	uint32_t ifindex;
	const char *ifname; /* borrowed */
	const char *alias;  /* of the interface, borrowed; NULL = none */
	bool loopback;      /* on a loopback device, whatever the address */
	bool vlan;          /* on a VLAN device */
	bool autoconf;      /* SLAAC, or a temporary address: may change by itself */
	bool unusable;      /* tentative, or duplicate (IPv6): not ours yet */
};

/** What was elected. */
struct agent_addr {
	struct parse_addr addr; /* family 0 = none */
	char ifname[16];        /* "" with agentIP that is on no interface */
	bool configured;        /* agentIP */
};

/**
 * Elect the agent address.
 *
 * An address in use stays while it is among the candidates, so that a collector does
 * not see a new agent at every change; but a stop-gap (loopback, link-local,
 * 169.254/16, class E) gives way to a real one, and any gives way to one that the
 * configuration prefers more.
 *
 * @settings    agentIP, agent, agent.cidr; TXT laid over the file
 * @candidates  @n of them, in the order of discovery
 * @current     in use; NULL or family 0: none, e.g. because the configuration changed
 * Returns      family 0 if there is no usable address
 */
struct agent_addr agent_addr_elect(const struct settings *settings,
	const struct agent_addr_candidate *candidates, size_t n,
	const struct agent_addr *current);
