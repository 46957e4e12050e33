/*
 * match_basic.c - the options that every rule of [iptables] and [ip6tables] has:
 * protocol, interfaces, addresses, fragments; and those that say where it goes.
 */
#include "aclserver/match.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aclserver/match_ifname.h"
#include "aclserver/match_parse.h"
#include "aclserver/names.h"
#include "common/parse.h"

/* IPv6 extension headers: never what "-p" finds, they are skipped. */
static bool
is_extension_header(uint32_t proto)
{
	return proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
	       proto == IPPROTO_AH || proto == IPPROTO_DSTOPTS;
}

static int
warn_protocol(struct rule *rule)
{
	if (rule->proto_negated)
		return 0;
	if (rule_is_ip6(rule) && is_extension_header(rule->proto))
		return rule_warn(rule, "never matches: an IPv6 extension header is not "
				       "the protocol of a packet");
	if (rule_is_ip6(rule) && rule->proto == IPPROTO_ICMP)
		return rule_warn(rule, "IPv6 packets carry ipv6-icmp, not icmp");
	if (!rule_is_ip6(rule) && rule->proto == IPPROTO_ICMPV6)
		return rule_warn(rule, "IPv4 packets carry icmp, not ipv6-icmp");
	return 0;
}

int
match_ip_protocol(const char *name, uint32_t *ret)
{
	uint8_t proto;

	if (parse_u32(name, 0, UINT8_MAX, ret) == 0)
		return 0;
	if (strcmp(name, "all") == 0) {
		*ret = 0;
		return 0;
	}
	if (names_protocol(name, &proto) < 0)
		return -EINVAL;
	*ret = proto;
	return 0;
}

static int
parse_protocol(struct rule *rule, struct option_use *use)
{
	const char *name;
	uint32_t proto;

	if (match_ip_protocol(use->args[0], &proto) < 0)
		return option_refuse(rule, use, "unknown protocol");
	if (proto == 0) {
		use->omit = true;
		return use->negate ? option_refuse(rule, use, "would never match") : 0;
	}
	rule->has_proto = true;
	rule->proto_negated = use->negate;
	rule->proto = (uint16_t)proto;
	rule->has_l4proto = !use->negate;
	rule->l4proto = (uint8_t)proto;
	name = names_of_protocol((uint8_t)proto);
	use->text = name ? name : arena_printf(rule->arena, "%u", proto);
	if (!use->text)
		return -ENOMEM;
	(void)warn_protocol(rule);
	return rule_add_number(rule, FIELD_L4PROTO, use->negate, proto, proto);
}

/* An address and the bits of it that count. */
struct network {
	int family;
	uint8_t addr[16]; /* 4 or 16 used */
	uint8_t mask[16];
	size_t size;
};

static void
network_set_prefix(struct network *net, unsigned prefix_len)
{
	for (unsigned bit = 0; bit < net->size * 8; bit++)
		if (bit < prefix_len)
			net->mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

/* Length of the prefix that the mask is, -1 if it has holes. */
static int
network_prefix(const struct network *net)
{
	unsigned len = 0, ones = 0;

	for (unsigned bit = 0; bit < net->size * 8; bit++)
		if (net->mask[bit / 8] & 0x80 >> bit % 8) {
			ones++;
			len = bit + 1;
		}
	return ones == len ? (int)len : -1;
}

/* "10" and "10.1" name networks: the missing octets are zero. */
static bool
complete_ipv4(const char *text, char *ret, size_t size)
{
	unsigned dots = 0;
	int n;

	for (const char *p = text; *p; p++) {
		if (*p != '.' && (*p < '0' || *p > '9'))
			return false;
		dots += *p == '.';
	}
	if (dots >= 3)
		return false;
	n = snprintf(ret, size, "%s%.*s", text, (int)(3 - dots) * 2, ".0.0.0");
	return n > 0 && (size_t)n < size;
}

static int
parse_host(const char *text, struct parse_addr *ret)
{
	char completed[INET_ADDRSTRLEN];

	if (complete_ipv4(text, completed, sizeof(completed)))
		return parse_addr(completed, ret);
	return parse_addr(text, ret);
}

/* What stands behind the slash: a length, or a mask of the same family. */
static int
parse_mask(const char *text, struct network *net)
{
	struct parse_addr mask;
	uint32_t len;

	if (parse_u32(text, 0, (uint32_t)net->size * 8, &len) == 0) {
		network_set_prefix(net, len);
		return 0;
	}
	if (parse_addr(text, &mask) < 0 || mask.family != net->family)
		return -EINVAL;
	memcpy(net->mask, mask.bytes, net->size);
	return 0;
}

static int
parse_network(const char *text, struct network *ret)
{
	char copy[2 * INET6_ADDRSTRLEN + 2];
	struct parse_addr addr;
	char *slash;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (parse_host(copy, &addr) < 0)
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	ret->family = addr.family;
	ret->size = addr.family == AF_INET ? 4 : 16;
	if (!slash)
		network_set_prefix(ret, (unsigned)ret->size * 8);
	else if (parse_mask(slash, ret) < 0)
		return -ERANGE;
	for (size_t i = 0; i < ret->size; i++)
		ret->addr[i] = addr.bytes[i] & ret->mask[i];
	return 0;
}

static const char *
network_text(struct arena *arena, const struct network *net)
{
	char addr[INET6_ADDRSTRLEN], mask[INET6_ADDRSTRLEN];
	int prefix = network_prefix(net);

	if (!inet_ntop(net->family, net->addr, addr, sizeof(addr)) ||
		!inet_ntop(net->family, net->mask, mask, sizeof(mask)))
		return NULL;
	if (prefix >= 0)
		return arena_printf(arena, "%s/%d", addr, prefix);
	return arena_printf(arena, "%s/%s", addr, mask);
}

static int
add_network(struct rule *rule, enum field field, bool negate, const struct network *net)
{
	struct ruleset_range *range;

	if (network_prefix(net) < 0)
		return rule_add_bytes(rule, field, negate, net->mask, net->addr);
	range = arena_alloc(rule->arena, sizeof(*range));
	if (!range)
		return -ENOMEM;
	for (size_t i = 0; i < net->size; i++) {
		range->lo[i] = net->addr[i];
		range->hi[i] = net->addr[i] | (uint8_t)~net->mask[i];
	}
	return rule_add_ranges(rule, field, negate, range, 1);
}

static int
refuse_network(struct rule *rule, const struct option_use *use, int family, int result)
{
	if (result == -ERANGE)
		return option_refuse(rule, use, "bad prefix length or mask");
	if (strchr(use->args[0], ','))
		return option_refuse(rule, use, "a list cannot stand here");
	return option_refuse(rule, use,
		family == AF_INET6
			? "not an IPv6 address (host names are not looked up)"
			: "not an IPv4 address (host names are not looked up)");
}

int
match_add_address(
	struct rule *rule, struct option_use *use, int family, enum field field)
{
	struct network net;
	int result = parse_network(use->args[0], &net);

	if (result < 0)
		return refuse_network(rule, use, family, result);
	if (net.family != family)
		return option_refuse(rule, use,
			family == AF_INET6 ? "an IPv4 address, IPv6 is needed"
					   : "an IPv6 address, IPv4 is needed");
	if (network_prefix(&net) == 0) {
		use->omit = true;
		return use->negate ? option_refuse(rule, use, "would never match") : 0;
	}
	use->text = network_text(rule->arena, &net);
	if (!use->text)
		return -ENOMEM;
	return add_network(rule, field, use->negate, &net);
}

static int
parse_source(struct rule *rule, struct option_use *use)
{
	if (rule_is_ip6(rule))
		return match_add_address(rule, use, AF_INET6, FIELD_IP6_SADDR);
	return match_add_address(rule, use, AF_INET, FIELD_IP_SADDR);
}

static int
parse_destination(struct rule *rule, struct option_use *use)
{
	if (rule_is_ip6(rule))
		return match_add_address(rule, use, AF_INET6, FIELD_IP6_DADDR);
	return match_add_address(rule, use, AF_INET, FIELD_IP_DADDR);
}

/* Second and further fragments; inverted: whole packets and first fragments. */
static int
parse_fragment(struct rule *rule, struct option_use *use)
{
	enum { OFFSET_MASK = 0x1fff };

	if (rule_is_ip6(rule))
		return err_set(rule->err, -EINVAL,
			"%s is for IPv4; IPv6 has -m frag instead", use->written);
	return rule_add_masked(rule, FIELD_IP_FRAGOFF, !use->negate, OFFSET_MASK, 0);
}

/* The first BASIC_SHOWN options are parsed in this order, which is the kernel's. */
static const struct rule_option options[] = {
	{ { "protocol", "proto" }, 'p', 1, OPTION_INVERTIBLE, parse_protocol },
	{ { "in-interface" }, 'i', 1, OPTION_INVERTIBLE, match_ifname_parse_in },
	{ { "out-interface" }, 'o', 1, OPTION_INVERTIBLE, match_ifname_parse_out },
	{ { "source", "src" }, 's', 1, OPTION_INVERTIBLE, parse_source },
	{ { "destination", "dst" }, 'd', 1, OPTION_INVERTIBLE, parse_destination },
	{ { "fragment", "fragments" }, 'f', 0, OPTION_INVERTIBLE, parse_fragment },
	{ { "append" }, 'A', 1, 0, NULL },
	{ { "table" }, 't', 1, 0, NULL },
	{ { "match" }, 'm', 1, OPTION_REPEATED, NULL },
	{ { "jump" }, 'j', 1, 0, NULL },
	{ { "insert" }, 'I', 1, OPTION_REFUSED, NULL },
	{ { "delete" }, 'D', 1, OPTION_REFUSED, NULL },
	{ { "replace" }, 'R', 1, OPTION_REFUSED, NULL },
	{ { "check" }, 'C', 1, OPTION_REFUSED, NULL },
	{ { "new-chain", "new" }, 'N', 1, OPTION_REFUSED, NULL },
	{ { "delete-chain" }, 'X', 1, OPTION_REFUSED, NULL },
	{ { "rename-chain" }, 'E', 1, OPTION_REFUSED, NULL },
	{ { "policy" }, 'P', 1, OPTION_REFUSED, NULL },
	{ { "flush" }, 'F', 1, OPTION_REFUSED, NULL },
	{ { "zero" }, 'Z', 1, OPTION_REFUSED, NULL },
	{ { "list" }, 'L', 1, OPTION_REFUSED, NULL },
	{ { "list-rules" }, 'S', 1, OPTION_REFUSED, NULL },
	{ { "goto" }, 'g', 1, OPTION_REFUSED, NULL },
	{ { "set-counters" }, 'c', 1, OPTION_REFUSED, NULL },
	{ { "ipv4" }, '4', 0, OPTION_REFUSED, NULL },
	{ { "ipv6" }, '6', 0, OPTION_REFUSED, NULL },
};

const struct rule_module match_basic_ip = { "", RULE_OPTIONS(options),
	match_ifname_check };
