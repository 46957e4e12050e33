/*
 * identity.h - the addresses of this machine as candidates for the agent address. State
 * module between the interface table and agent_addr.h.
 */
#pragma once

#include "agent/agent_addr.h"
#include "agent/iface.h"

/**
 * Elect among the addresses in @table; see agent_addr_elect().
 *
 * @current  in use; NULL or family 0 = none
 * Returns   0; -ENOMEM, then @ret is as before
 */
int identity_elect(const struct settings *settings, const struct iface_table *table,
	const struct agent_addr *current, struct agent_addr *ret);
