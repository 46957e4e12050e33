/*
 * placement_matrix.c - the page of placement_matrix.h: packets take paths through the
 * hooks of the kernel, chains of the policy stand at some of these.
 */
#include "aclserver/placement_matrix.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>

#include "aclserver/placement.h"

enum { HOOKS_MAX = 8 };

struct hook {
	uint8_t family; /* 0 = end of the path */
	uint8_t number;
};

struct path {
	const char *name;
	struct hook hooks[HOOKS_MAX + 1]; /* in the order in which the packet comes by
					   */
};

/* clang-format off */
#define BR(hook) { NFPROTO_BRIDGE, NF_BR_##hook }
#define IP(hook) { NFPROTO_INET, NF_INET_##hook }

static const struct path paths[] = {
	{ "bridged", { BR(PRE_ROUTING), BR(FORWARD), BR(POST_ROUTING) } },
	{ "routed", { IP(PRE_ROUTING), IP(FORWARD), IP(POST_ROUTING) } },
	{ "bridge to routed", { BR(PRE_ROUTING), BR(LOCAL_IN),
		IP(PRE_ROUTING), IP(FORWARD), IP(POST_ROUTING) } },
	{ "routed to bridge", { IP(PRE_ROUTING), IP(FORWARD), IP(POST_ROUTING),
		BR(LOCAL_OUT), BR(POST_ROUTING) } },
	{ "to port", { IP(PRE_ROUTING), IP(LOCAL_IN) } },
	{ "to bridge", { BR(PRE_ROUTING), BR(LOCAL_IN), IP(PRE_ROUTING), IP(LOCAL_IN) } },
	{ "from port", { IP(LOCAL_OUT), IP(POST_ROUTING) } },
	{ "from bridge", { IP(LOCAL_OUT), IP(POST_ROUTING), BR(LOCAL_OUT), BR(POST_ROUTING) } },
};

static const struct row {
	enum policy_section section;
	const char *table, *chain;
} rows[] = {
	{ POLICY_SECTION_IPTABLES, "mangle", "PREROUTING" },
	{ POLICY_SECTION_IPTABLES, "mangle", "INPUT" },
	{ POLICY_SECTION_IPTABLES, "mangle", "FORWARD" },
	{ POLICY_SECTION_IPTABLES, "mangle", "OUTPUT" },
	{ POLICY_SECTION_IPTABLES, "mangle", "POSTROUTING" },
	{ POLICY_SECTION_IPTABLES, "filter", "INPUT" },
	{ POLICY_SECTION_IPTABLES, "filter", "FORWARD" },
	{ POLICY_SECTION_IPTABLES, "filter", "OUTPUT" },
	{ POLICY_SECTION_EBTABLES, "filter", "INPUT" },
	{ POLICY_SECTION_EBTABLES, "filter", "FORWARD" },
	{ POLICY_SECTION_EBTABLES, "filter", "OUTPUT" },
};
/* clang-format on */

enum {
	N_PATHS = sizeof(paths) / sizeof(paths[0]),
	N_ROWS = sizeof(rows) / sizeof(rows[0])
};

static const char head[] =
	"# Which chain sees which packets, and where\n"
	"\n"
	"Made from `placement.c` and compared with it by a test. A cell names the "
	"place "
	"in the kernel where the rules\n"
	"of the chain judge a packet that takes the path of the column; an empty one: "
	"they do not see it. A packet\n"
	"meets the rules of one chain once. *bridge* and *inet* are the tables, with "
	"the "
	"hook.\n"
	"\n";

static const char tail[] =
	"\n"
	"- Paths: *bridged* from a port of a bridge to another; *routed* between "
	"interfaces that are in no bridge;\n"
	"  *bridge to routed* and *routed to bridge* by way of the address of the "
	"bridge, "
	"or of its VLAN device;\n"
	"  *to* and *from* the switch itself, by a routed *port* or by a *bridge*.\n"
	"- Two places in one cell of FORWARD: inet, unless some rule of FORWARD in any "
	"file names an output interface\n"
	"  (`-o`); then bridge, for all rules, as only the bridge knows the port. "
	"Rules "
	"with connection state or type of\n"
	"  address stay in inet, and are asked first.\n"
	"- Two places in one cell of PREROUTING and POSTROUTING: bridge, where the "
	"interface is the port; inet for rules\n"
	"  that name the bridge or its VLAN device, and a place for DROP wherever the "
	"packet comes by first.\n"
	"- `-i` of INPUT and FORWARD knows the port of the bridge and the bridge "
	"itself. "
	"`-o` of OUTPUT knows the bridge.\n"
	"- [ip6tables] is as [iptables]. mangle comes before filter, [iptables] before "
	"[ebtables] in one place.\n"
	"  ebtables INPUT sees, as in the kernel, also what the switch is going to "
	"route, "
	"and its OUTPUT what it has\n"
	"  routed.\n";

struct page {
	char *text;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void
put(struct page *page, const char *fmt, ...)
{
	size_t room = page->size - page->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(page->text + page->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		page->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* Position of the hook of @base on @path, HOOKS_MAX when the path does not have it. */
static size_t
position(const struct path *path, const struct base_info *base)
{
	for (size_t i = 0; path->hooks[i].family != 0; i++)
		if (path->hooks[i].family == base->family &&
			path->hooks[i].number == base->hook)
			return i;
	return HOOKS_MAX;
}

static bool
is_forwarded(const struct path *path)
{
	for (size_t i = 0; path->hooks[i].family != 0; i++)
		if (path->hooks[i].family == NFPROTO_INET &&
			path->hooks[i].number == NF_INET_FORWARD)
			return true;
	return false;
}

static bool
is_judged(const struct path *path, const struct base_info *base)
{
	if (base->family == NFPROTO_NETDEV)
		return false; /* copies only */
	if (base->guard != BASE_GUARD_ONLY_ROUTED)
		return true;
	/* The way out: what stands in inet is part of the same judgement. */
	return is_forwarded(path) && base->family == NFPROTO_BRIDGE;
}

static const char *
hook_name(const struct base_info *base)
{
	static const char *const names[] = { "prerouting", "input", "forward", "output",
		"postrouting" };

	return names[base->hook]; /* the numbers are the same in both families */
}

static void
put_cell(struct page *page, const struct row *row, const struct path *path)
{
	const struct placement_query query = { row->section, row->table, row->chain };
	enum place places[PLACES_MAX];
	int n = placement_find(&query, places);
	const char *separator = "";

	for (size_t at = 0; at < HOOKS_MAX; at++)
		for (int i = 0; i < n; i++) {
			const struct base_info *base = base_info(place_base(places[i]));

			if (place_base(places[i]) == BASE_BRIDGE_PREROUTING_MARK ||
				place_base(places[i]) == BASE_BRIDGE_FORWARD_MARK ||
				!is_judged(path, base) || position(path, base) != at)
				continue;
			put(page, "%s%s %s", separator,
				base->family == NFPROTO_BRIDGE ? "bridge" : "inet",
				hook_name(base));
			separator = ", ";
		}
}

size_t
placement_matrix(char *ret, size_t size)
{
	struct page page = { ret, size, 0 };

	put(&page, "%s| | chain |", head);
	for (size_t i = 0; i < N_PATHS; i++)
		put(&page, " %s |", paths[i].name);
	put(&page, "\n| --- | --- |");
	for (size_t i = 0; i < N_PATHS; i++)
		put(&page, " --- |");
	put(&page, "\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		put(&page, "| [%s] | %s %s |",
			rows[i].section == POLICY_SECTION_EBTABLES ? "ebtables"
								   : "iptables",
			rows[i].table, rows[i].chain);
		for (size_t k = 0; k < N_PATHS; k++) {
			put(&page, " ");
			put_cell(&page, &rows[i], &paths[k]);
			put(&page, " |");
		}
		put(&page, "\n");
	}
	put(&page, "%s", tail);
	return page.len;
}
