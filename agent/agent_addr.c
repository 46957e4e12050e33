/*
 * agent_addr.c - ranks, boosts and stability of the agent address.
 */
#include "agent/agent_addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* From bad to good; NONE is never elected. */
enum rank {
	RANK_NONE,
	RANK_CLASS_E,
	RANK_MULTICAST, /* kept for its number; such addresses get NONE */
	RANK_LOOPBACK6,
	RANK_LOOPBACK4,
	RANK_SELF_ASSIGNED4, /* 169.254/16 */
	RANK_LINK_LOCAL6,
	RANK_VLAN6,
	RANK_VLAN4,
	RANK_UNIQUE_LOCAL6, /* fc00::/7 */
	RANK_GLOBAL6,
	RANK_PRIVATE4, /* RFC 1918 */
	RANK_GLOBAL4,
	RANKS,
};

static enum rank
rank4(const struct agent_addr_candidate *c)
{
	const uint8_t *a = c->addr.bytes;

	if (a[0] == 0 || (a[0] & 0xf0) == 0xe0)
		return RANK_NONE;
	if (c->loopback || a[0] == 127)
		return RANK_LOOPBACK4;
	if (a[0] == 169 && a[1] == 254)
		return RANK_SELF_ASSIGNED4;
	if (c->vlan)
		return RANK_VLAN4;
	if (a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
		(a[0] == 192 && a[1] == 168))
		return RANK_PRIVATE4;
	if ((a[0] & 0xf0) == 0xf0)
		return RANK_CLASS_E;
	return RANK_GLOBAL4;
}

static enum rank
rank6(const struct agent_addr_candidate *c)
{
	static const uint8_t zero[16];
	const uint8_t *a = c->addr.bytes;

	if (memcmp(a, zero, 16) == 0 || a[0] == 0xff)
		return RANK_NONE;
	if (c->loopback || (memcmp(a, zero, 15) == 0 && a[15] == 1))
		return RANK_LOOPBACK6;
	if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
		return RANK_LINK_LOCAL6;
	if ((a[0] & 0xfe) == 0xfc)
		return RANK_UNIQUE_LOCAL6;
	return c->vlan ? RANK_VLAN6 : RANK_GLOBAL6;
}

static bool
in_prefix(const struct parse_addr *addr, const struct parse_addr *prefix)
{
	unsigned whole = prefix->prefix_len / 8, rest = prefix->prefix_len % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return addr->family == prefix->family &&
	       memcmp(addr->bytes, prefix->bytes, whole) == 0 &&
	       (!rest || (addr->bytes[whole] & mask) == (prefix->bytes[whole] & mask));
}

/*
 * The line of agent.cidr that counts for an address is the last that holds it; an
 * earlier line is worth more. -1 = the line says never, 0 = no line.
 */
static int
cidr_boost(const struct settings *settings, const struct parse_addr *addr)
{
	for (unsigned i = settings->n_cidrs; i-- > 0;) {
		if (!in_prefix(addr, &settings->cidrs[i].prefix))
			continue;
		return settings->cidrs[i].avoid ? -1 : (int)(settings->n_cidrs - i);
	}
	return 0;
}

static bool
is_agent_device(const struct settings *settings, const struct agent_addr_candidate *c)
{
	const char *device = settings->agent_device;

	return device[0] && (strcmp(device, c->ifname) == 0 ||
				    (c->alias && strcmp(device, c->alias) == 0));
}

/* Rank and boosts in one number; 0 = never. */
static int
score(const struct settings *settings, const struct agent_addr_candidate *c)
{
	enum rank rank = c->addr.family == AF_INET ? rank4(c) : rank6(c);
	int boost = cidr_boost(settings, &c->addr);

	if (c->unusable || rank == RANK_NONE || boost < 0)
		return 0;
	if (is_agent_device(settings, c))
		boost++;
	return boost * RANKS + (int)rank;
}

/* True if @a beats @b, of equal score: stable addresses first, then low ifindex. */
static bool
wins_tie(const struct agent_addr_candidate *a, const struct agent_addr_candidate *b)
{
	if (a->autoconf != b->autoconf)
		return b->autoconf;
	return a->ifindex < b->ifindex;
}

static bool
same_addr(const struct parse_addr *a, const struct parse_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static void
set_ifname(struct agent_addr *addr, const char *ifname)
{
	snprintf(addr->ifname, sizeof(addr->ifname), "%s", ifname);
}

/* agentIP wins outright, also when no interface has it (an address behind NAT). */
static struct agent_addr
elect_configured(const struct settings *settings,
	const struct agent_addr_candidate *candidates, size_t n)
{
	struct agent_addr result = { .addr = settings->agent_ip, .configured = true };

	for (size_t i = 0; i < n && !result.ifname[0]; i++)
		if (same_addr(&candidates[i].addr, &settings->agent_ip))
			set_ifname(&result, candidates[i].ifname);
	return result;
}

/* True if the address in use, of score @now, must give way to one of score @best. */
static bool
must_give_way(int now, int best)
{
	if (now == 0 || best / RANKS > now / RANKS)
		return true;
	return now < RANK_VLAN6 && best > now;
}

struct agent_addr
agent_addr_elect(const struct settings *settings,
	const struct agent_addr_candidate *candidates, size_t n,
	const struct agent_addr *current)
{
	const struct agent_addr_candidate *best = NULL, *kept = NULL;
	struct agent_addr result = { 0 };
	int best_score = 0, kept_score = 0;

	if (settings->set & SETTINGS_AGENT_IP)
		return elect_configured(settings, candidates, n);
	for (size_t i = 0; i < n; i++) {
		const struct agent_addr_candidate *c = &candidates[i];
		int s = score(settings, c);

		if (s > best_score || (s && s == best_score && wins_tie(c, best))) {
			best = c;
			best_score = s;
		}
		if (current && current->addr.family && s > kept_score &&
			same_addr(&c->addr, &current->addr)) {
			kept = c;
			kept_score = s;
		}
	}
	if (kept && !must_give_way(kept_score, best_score))
		best = kept;
	if (best) {
		result.addr = best->addr;
		result.addr.prefix_len = best->addr.family == AF_INET ? 32 : 128;
		set_ifname(&result, best->ifname);
	}
	return result;
}
