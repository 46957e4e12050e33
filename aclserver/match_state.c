/*
 * match_state.c - what the IP stack knows about a packet and the bridge does not:
 * connection state (conntrack, state) and type of address (addrtype).
 *
 * Each says what becomes of the half of the rule that is for bridged packets.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <linux/rtnetlink.h>

/* A word of a comma list and the bit or number it stands for. */
struct word {
	const char *name;
	uint32_t value;
};

/* Find the first @len bytes of @text in any case; NULL if unknown. */
static const struct word *
find_word(const struct word *words, const char *text, size_t len)
{
	for (; words->name; words++)
		if (strlen(words->name) == len &&
			strncasecmp(text, words->name, len) == 0)
			return words;
	return NULL;
}

/* Bits of the kernel's "ct state" (NF_CT_STATE_BIT of its connection states). */
enum {
	CT_INVALID = 1,
	CT_ESTABLISHED = 2,
	CT_RELATED = 4,
	CT_NEW = 8,
	CT_UNTRACKED = 64,
};

static const struct word ct_states[] = {
	{ "INVALID", CT_INVALID },
	{ "NEW", CT_NEW },
	{ "RELATED", CT_RELATED },
	{ "ESTABLISHED", CT_ESTABLISHED },
	{ "UNTRACKED", CT_UNTRACKED },
	{ NULL, 0 },
};

/* In the order of the table, which is iptables' too. */
static const char *
word_list_text(struct arena *arena, const struct word *words, uint32_t bits)
{
	char text[256] = "";
	size_t len = 0;

	for (; words->name; words++)
		if (bits & words->value && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
				len ? "," : "", words->name);
	return arena_strdup(arena, text);
}

static int
parse_ct_list(struct rule *rule, const struct option_use *use, uint32_t *ret_bits)
{
	const char *p = use->args[0];

	*ret_bits = 0;
	for (;;) {
		size_t len = strcspn(p, ",");
		const struct word *word = find_word(ct_states, p, len);

		if (!word)
			return err_set(rule->err, -EINVAL,
				"%s: state \"%.*s\" is unknown or not supported",
				use->written, (int)len, p);
		*ret_bits |= word->value;
		if (!p[len])
			return 0;
		p += len + 1;
	}
}

static int
parse_ct_state(struct rule *rule, struct option_use *use)
{
	uint32_t bits;
	int result = parse_ct_list(rule, use, &bits);

	if (result < 0)
		return result;
	use->text = word_list_text(rule->arena, ct_states, bits);
	if (!use->text)
		return -ENOMEM;
	rule->no_bridge = "bridged packets have no connection state; the rule is "
			  "installed for routed packets and those of the switch itself";
	return rule_add_masked(rule, FIELD_CT_STATE, !use->negate, bits, 0);
}

static const struct rule_option conntrack_options[] = {
	{ { "ctstate" }, 0, 1, OPTION_INVERTIBLE, parse_ct_state },
	{ { "ctproto" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctorigsrc" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctorigdst" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctreplsrc" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctrepldst" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctorigsrcport" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctorigdstport" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctreplsrcport" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctrepldstport" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctstatus" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctexpire" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "ctdir" }, 0, 1, OPTION_REFUSED, NULL },
};

const struct match match_conntrack = {
	.module = { "conntrack", RULE_OPTIONS(conntrack_options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_INPUT,
};

static const struct rule_option state_options[] = {
	{ { "state" }, 0, 1, OPTION_INVERTIBLE, parse_ct_state },
};

const struct match match_state = {
	.module = { "state", RULE_OPTIONS(state_options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_INPUT,
};

/* One that only Cumulus has: the next hop is yet to be resolved. There such a packet
 * goes to the CPU, and so to INPUT; the kernel forwards it and lets it wait in the
 * neighbour table, where no rule sees it. */
#define TYPE_ROUTER (1u << 31)

/* Sets of address types are bits 1 << RTN_*. */
static const struct word address_types[] = {
	{ "UNSPEC", 1 << RTN_UNSPEC },
	{ "UNICAST", 1 << RTN_UNICAST },
	{ "LOCAL", 1 << RTN_LOCAL },
	{ "BROADCAST", 1 << RTN_BROADCAST },
	{ "ANYCAST", 1 << RTN_ANYCAST },
	{ "MULTICAST", 1 << RTN_MULTICAST },
	{ "BLACKHOLE", 1 << RTN_BLACKHOLE },
	{ "UNREACHABLE", 1 << RTN_UNREACHABLE },
	{ "PROHIBIT", 1 << RTN_PROHIBIT },
	{ "THROW", 1 << RTN_THROW },
	{ "NAT", 1 << RTN_NAT },
	{ "XRESOLVE", 1 << RTN_XRESOLVE },
	{ "IPROUTER", TYPE_ROUTER },
	{ NULL, 0 },
};

enum {
	TYPE_LOCAL = 1 << RTN_LOCAL,
	TYPE_MULTICAST = 1 << RTN_MULTICAST,
	/* What the kernel refuses to be asked about an IPv6 address. */
	TYPES_NOT_IP6 = 1 << RTN_BROADCAST | 1 << RTN_PROHIBIT | 1 << RTN_THROW |
			1 << RTN_NAT | 1 << RTN_XRESOLVE,
	/* What can be said of a bridged packet by its addresses alone. */
	TYPES_BRIDGE = TYPE_LOCAL | TYPE_MULTICAST,
};

/* Where an address is, in each family. */
struct address_fields {
	enum field fib, ip, ip6;
};

static int
parse_type_list(struct rule *rule, const struct option_use *use, uint32_t *ret_types)
{
	const char *p = use->args[0];

	*ret_types = 0;
	for (;;) {
		size_t len = strcspn(p, ",");
		const struct word *word = find_word(address_types, p, len);

		if (!word)
			return err_set(rule->err, -EINVAL,
				"%s: unknown address type \"%.*s\"", use->written,
				(int)len, p);
		if (rule_is_ip6(rule) && word->value & TYPES_NOT_IP6)
			return err_set(rule->err, -EINVAL,
				"%s: IPv6 addresses have no type %s", use->written,
				word->name);
		*ret_types |= word->value;
		if (!p[len])
			return 0;
		p += len + 1;
	}
}

/* The half for packets of the IP stack. */
static int
add_fib_types(struct rule *rule, enum field fib, bool negate, uint32_t types)
{
	struct ruleset_range *ranges;
	size_t n = 0;
	int result;

	ranges = arena_alloc(
		rule->arena, (size_t)__builtin_popcount(types) * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	for (unsigned type = 0; types >> type; type++)
		if (types >> type & 1) {
			rule_put_number(fib, type, ranges[n].lo);
			rule_put_number(fib, type, ranges[n++].hi);
		}
	result = rule_add_ranges(rule, fib, negate, ranges, n);
	if (result == 0)
		rule_restrict_last(rule, RULE_INET);
	return result;
}

/* 224.0.0.0/4 or ff00::/8 */
static int
add_multicast(struct rule *rule, const struct address_fields *fields, bool negate)
{
	struct ruleset_range *range = arena_alloc(rule->arena, sizeof(*range));
	bool ip6 = rule_is_ip6(rule);
	int result;

	if (!range)
		return -ENOMEM;
	memset(range->hi, 0xff, ip6 ? 16 : 4);
	range->lo[0] = ip6 ? 0xff : 0xe0;
	if (!ip6)
		range->hi[0] = 0xef;
	result =
		rule_add_ranges(rule, ip6 ? fields->ip6 : fields->ip, negate, range, 1);
	if (result == 0)
		rule_restrict_last(rule, RULE_BRIDGE | RULE_ROUTED);
	return result;
}

/* Whether packets to the switch itself, or not yet known to be, are in the rule's
 * chain. */
static bool
sees_local(const struct rule *rule)
{
	return strcmp(rule->chain, "INPUT") == 0 ||
	       strcmp(rule->chain, "PREROUTING") == 0;
}

/*
 * The half for bridged packets: only their addresses are known. One that is really
 * bridged is never to the switch itself; where others pass too, the half that would
 * have to tell them apart is left out.
 */
static int
add_bridge_types(struct rule *rule, const struct address_fields *fields, bool negate,
	uint32_t types)
{
	if (types & ~(uint32_t)TYPES_BRIDGE ||
		(types & TYPE_LOCAL && sees_local(rule) &&
			(negate || rule->names_in))) {
		rule->no_bridge = "the type of an address is not known of packets that "
				  "a bridge port receives; the rule is installed for "
				  "routed ports and those of the switch itself";
		return 0;
	}
	if (types & TYPE_MULTICAST)
		return add_multicast(rule, fields, negate);
	if (!negate && !rule->no_bridge)
		rule->no_bridge = "";
	return 0;
}

/* A type that no packet has: never, or always. */
static int
add_no_type(struct rule *rule, enum field fib, bool negate)
{
	int result = rule_add_number(rule, fib, negate, 1, 0);

	if (result < 0)
		return result;
	rule_restrict_last(rule, RULE_INET);
	if (!negate && !rule->no_bridge)
		rule->no_bridge = "";
	return 0;
}

static int
parse_type(
	struct rule *rule, struct option_use *use, const struct address_fields *fields)
{
	uint32_t types;
	int result = parse_type_list(rule, use, &types);

	if (result < 0)
		return result;
	use->text = word_list_text(rule->arena, address_types, types);
	if (!use->text)
		return -ENOMEM;
	if (types & TYPE_ROUTER)
		(void)rule_warn(rule,
			"no packet has the address type IPROUTER here: the kernel "
			"resolves next hops without a rule seeing it");
	types &= ~TYPE_ROUTER;
	if (types == 0)
		return add_no_type(rule, fields->fib, use->negate);
	result = add_fib_types(rule, fields->fib, use->negate, types);
	return result < 0 ? result : add_bridge_types(rule, fields, use->negate, types);
}

static int
parse_src_type(struct rule *rule, struct option_use *use)
{
	static const struct address_fields fields = { FIELD_FIB_SADDR_TYPE,
		FIELD_IP_SADDR, FIELD_IP6_SADDR };

	return parse_type(rule, use, &fields);
}

static int
parse_dst_type(struct rule *rule, struct option_use *use)
{
	static const struct address_fields fields = { FIELD_FIB_DADDR_TYPE,
		FIELD_IP_DADDR, FIELD_IP6_DADDR };

	return parse_type(rule, use, &fields);
}

static const struct rule_option addrtype_options[] = {
	{ { "src-type" }, 0, 1, OPTION_INVERTIBLE, parse_src_type },
	{ { "dst-type" }, 0, 1, OPTION_INVERTIBLE, parse_dst_type },
	{ { "limit-iface-in" }, 0, 0, OPTION_REFUSED, NULL },
	{ { "limit-iface-out" }, 0, 0, OPTION_REFUSED, NULL },
};

const struct match match_addrtype = {
	.module = { "addrtype", RULE_OPTIONS(addrtype_options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
};
