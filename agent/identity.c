/*
 * identity.c - see identity.h.
 */
#include "agent/identity.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <stdlib.h>

#include "common/cleanup.h"

/* SLAAC gives addresses that are not permanent; a DHCP client's IPv6 addresses look the
 * same, and may change by themselves as well. */
static bool
is_autoconf(const struct link_addr *a)
{
	return a->addr.family == AF_INET6 &&
	       ((a->flags & IFA_F_TEMPORARY) || !(a->flags & IFA_F_PERMANENT));
}

static bool
is_unusable(const struct link_addr *a)
{
	bool tentative = (a->flags & IFA_F_TENTATIVE) && !(a->flags & IFA_F_OPTIMISTIC);

	return tentative || (a->flags & IFA_F_DADFAILED);
}

static void
fill_candidate(const struct link_addr *a, const struct iface *iface,
	struct agent_addr_candidate *ret)
{
	*ret = (struct agent_addr_candidate){
		.addr = a->addr,
		.ifindex = a->ifindex,
		.ifname = iface->name,
		.alias = iface->alias && iface->alias[0] ? iface->alias : NULL,
		.loopback = iface->flags & IFF_LOOPBACK,
		.vlan = iface->kind == LINK_KIND_VLAN,
		.autoconf = is_autoconf(a),
		.unusable = is_unusable(a),
	};
}

int
identity_elect(const struct settings *settings, const struct iface_table *table,
	const struct agent_addr *current, struct agent_addr *ret)
{
	struct agent_addr_candidate *candidates AUTO_FREE =
		calloc(table->n_addrs + 1, sizeof(*candidates));
	size_t n = 0;

	if (!candidates)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_addrs; i++) {
		const struct iface *iface = iface_find(table, table->addrs[i].ifindex);

		if (iface)
			fill_candidate(&table->addrs[i], iface, &candidates[n++]);
	}
	*ret = agent_addr_elect(settings, candidates, n, current);
	return 0;
}
