/*
 * match_ports.c - transport protocols with ports: tcp, udp, udplite, sctp, dccp, and
 * multiport.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aclserver/match_parse.h"
#include "aclserver/names.h"
#include "common/parse.h"

enum { SERVICE_NAME_SIZE = 64 };

/* A port by number or by name. */
static int
parse_port(struct rule *rule, const struct option_use *use, const char *text,
	uint16_t *ret)
{
	const char *proto = rule->has_l4proto ? names_of_protocol(rule->l4proto) : NULL;
	uint32_t number;
	int result = parse_u32(text, 0, UINT16_MAX, &number);

	if (result == 0) {
		*ret = (uint16_t)number;
		return 0;
	}
	if (result == -ERANGE)
		return err_set(rule->err, -EINVAL, "%s: port \"%s\" is above 65535",
			use->written, text);
	if (*text && proto && names_service(text, proto, ret) == 0)
		return 0;
	return err_set(rule->err, -EINVAL, "%s: unknown %s service \"%s\"",
		use->written, proto ? proto : "port", text);
}

struct ports {
	uint16_t lo, hi;
	bool is_range;
};

/* "80", "bootps:bootpc", ":1023", "1024:"; @text is not kept. */
static int
parse_ports(struct rule *rule, const struct option_use *use, const char *text,
	struct ports *ret)
{
	char copy[2 * SERVICE_NAME_SIZE];
	char *colon;
	int result = 0;

	if (strlen(text) >= sizeof(copy))
		return err_set(rule->err, -EINVAL, "%s: unknown service \"%.20s...\"",
			use->written, text);
	memcpy(copy, text, strlen(text) + 1);
	colon = strchr(copy, ':');
	*ret = (struct ports){ 0, UINT16_MAX, colon != NULL };
	if (!colon) {
		result = parse_port(rule, use, copy, &ret->lo);
		ret->hi = ret->lo;
		return result;
	}
	*colon = '\0';
	if (*copy)
		result = parse_port(rule, use, copy, &ret->lo);
	if (result == 0 && colon[1])
		result = parse_port(rule, use, colon + 1, &ret->hi);
	if (result == 0 && ret->lo > ret->hi)
		return err_set(rule->err, -EINVAL,
			"%s: the first port of \"%s\" is above the last", use->written,
			text);
	return result;
}

/* Open ranges are written out, names stay. */
static int
set_ports_text(struct rule *rule, struct option_use *use)
{
	const char *text = use->args[0];
	size_t len = strlen(text);

	if (text[0] == ':')
		use->text = arena_printf(
			rule->arena, "0%s%s", text, len == 1 ? "65535" : "");
	else if (len > 0 && text[len - 1] == ':')
		use->text = arena_printf(rule->arena, "%s65535", text);
	else
		use->text = text;
	return use->text ? 0 : -ENOMEM;
}

int
match_add_ports(struct rule *rule, struct option_use *use, enum field field)
{
	struct ports ports;
	int result = parse_ports(rule, use, use->args[0], &ports);

	if (result == 0)
		result = set_ports_text(rule, use);
	if (result < 0)
		return result;
	return rule_add_number(rule, field, use->negate, ports.lo, ports.hi);
}

static int
parse_sport(struct rule *rule, struct option_use *use)
{
	return match_add_ports(rule, use, FIELD_TH_SPORT);
}

static int
parse_dport(struct rule *rule, struct option_use *use)
{
	return match_add_ports(rule, use, FIELD_TH_DPORT);
}

/* In the order of their bits. */
static const char *const tcp_flag_names[] = { "FIN", "SYN", "RST", "PSH", "ACK",
	"URG" };

enum {
	N_TCP_FLAGS = sizeof(tcp_flag_names) / sizeof(tcp_flag_names[0]),
	TCP_FLAG_FIN = 1,
	TCP_FLAG_SYN = 2,
	TCP_FLAG_RST = 4,
	TCP_FLAG_ACK = 16,
	TCP_FLAGS_ALL = 63,
};

/* Bits of the flag whose name is the first @len bytes of @name; -1 if there is none. */
static int
tcp_flag_bits(const char *name, size_t len)
{
	if (len == 3 && strncasecmp(name, "ALL", len) == 0)
		return TCP_FLAGS_ALL;
	if (len == 4 && strncasecmp(name, "NONE", len) == 0)
		return 0;
	for (int i = 0; i < N_TCP_FLAGS; i++)
		if (len == 3 && strncasecmp(name, tcp_flag_names[i], len) == 0)
			return 1 << i;
	return -1;
}

static int
parse_flag_list(struct rule *rule, const char *list, uint8_t *ret)
{
	const char *p = list;

	*ret = 0;
	for (;;) {
		size_t len = strcspn(p, ",");
		int bits = tcp_flag_bits(p, len);

		if (bits < 0)
			return err_set(rule->err, -EINVAL,
				"--tcp-flags: unknown flag \"%.*s\"", (int)len, p);
		*ret |= (uint8_t)bits;
		if (!p[len])
			return 0;
		p += len + 1;
	}
}

static void
flag_list_text(uint8_t flags, char *ret, size_t size)
{
	size_t len = 0;

	(void)snprintf(ret, size, "NONE");
	for (int i = 0; i < N_TCP_FLAGS; i++)
		if (flags & 1 << i && len < size)
			len += (size_t)snprintf(ret + len, size - len, "%s%s",
				len ? "," : "", tcp_flag_names[i]);
}

static int
parse_tcp_flags(struct rule *rule, struct option_use *use)
{
	char mask_text[32], value_text[32];
	uint8_t mask, value;
	int result = parse_flag_list(rule, use->args[0], &mask);

	if (result == 0)
		result = parse_flag_list(rule, use->args[1], &value);
	if (result < 0)
		return result;
	if (value & ~mask)
		(void)rule_warn(rule, "never matches: --tcp-flags asks for a flag "
				      "outside its mask");
	flag_list_text(mask, mask_text, sizeof(mask_text));
	flag_list_text(value, value_text, sizeof(value_text));
	use->text = arena_printf(rule->arena, "%s %s", mask_text, value_text);
	if (!use->text)
		return -ENOMEM;
	return rule_add_masked(rule, FIELD_TCP_FLAGS, use->negate, mask, value);
}

static int
parse_syn(struct rule *rule, struct option_use *use)
{
	return rule_add_masked(rule, FIELD_TCP_FLAGS, use->negate,
		TCP_FLAG_FIN | TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_ACK,
		TCP_FLAG_SYN);
}

#define PORT_OPTIONS                                                                   \
	{ { "sport", "source-port" }, 0, 1, OPTION_INVERTIBLE, parse_sport },          \
	{                                                                              \
		{ "dport", "destination-port" }, 0, 1, OPTION_INVERTIBLE, parse_dport  \
	}

enum { TCP_SPORT, TCP_DPORT, TCP_FLAGS, TCP_SYN };

static const struct rule_option tcp_options[] = {
	PORT_OPTIONS,
	{ { "tcp-flags" }, 0, 2, OPTION_INVERTIBLE, parse_tcp_flags },
	{ { "syn" }, 0, 0, OPTION_INVERTIBLE, parse_syn },
	{ { "tcp-option" }, 0, 1, OPTION_REFUSED, NULL },
};

static int
finish_tcp(struct rule *rule, struct module_use *use)
{
	if (module_use_at(use, TCP_FLAGS) && module_use_at(use, TCP_SYN))
		return err_set(
			rule->err, -EINVAL, "--syn and --tcp-flags exclude each other");
	return 0;
}

const struct match match_tcp = {
	.module = { "tcp", RULE_OPTIONS(tcp_options), finish_tcp },
	.sections = SECTION_IP,
	.has_proto = true,
	.proto = IPPROTO_TCP,
	.proto_name = "tcp",
};

static const struct rule_option port_options[] = { PORT_OPTIONS };

const struct match match_udp = {
	.module = { "udp", RULE_OPTIONS(port_options), NULL },
	.sections = SECTION_IP,
	.has_proto = true,
	.proto = IPPROTO_UDP,
	.proto_name = "udp",
};

const struct match match_udplite = {
	.module = { "udplite", RULE_OPTIONS(port_options), NULL },
	.sections = SECTION_IP,
	.has_proto = true,
	.proto = IPPROTO_UDPLITE,
	.proto_name = "udplite",
	.hardware = MATCH_HARDWARE_NONE,
};

static const struct rule_option sctp_options[] = {
	PORT_OPTIONS,
	{ { "chunk-types" }, 0, 2, OPTION_REFUSED, NULL },
};

const struct match match_sctp = {
	.module = { "sctp", RULE_OPTIONS(sctp_options), NULL },
	.sections = SECTION_IP,
	.has_proto = true,
	.proto = IPPROTO_SCTP,
	.proto_name = "sctp",
	.hardware = MATCH_HARDWARE_NONE,
};

static const struct rule_option dccp_options[] = {
	PORT_OPTIONS,
	{ { "dccp-types" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "dccp-option" }, 0, 1, OPTION_REFUSED, NULL },
};

const struct match match_dccp = {
	.module = { "dccp", RULE_OPTIONS(dccp_options), NULL },
	.sections = SECTION_IP,
	.has_proto = true,
	.proto = IPPROTO_DCCP,
	.proto_name = "dccp",
	.hardware = MATCH_HARDWARE_NONE,
};

/* As iptables counts: a range is two ports. */
enum { MULTIPORT_MAX = 15 };

struct port_list {
	struct ruleset_range *ranges;
	size_t n;
};

static int
parse_port_list(struct rule *rule, const struct option_use *use, struct port_list *ret)
{
	const char *p = use->args[0];
	size_t used = 0;

	ret->n = 0;
	ret->ranges = arena_alloc(rule->arena, MULTIPORT_MAX * sizeof(*ret->ranges));
	if (!ret->ranges)
		return -ENOMEM;
	for (;;) {
		char item[2 * SERVICE_NAME_SIZE];
		size_t len = strcspn(p, ",");
		struct ports ports;
		int result;

		(void)snprintf(item, sizeof(item), "%.*s", (int)len, p);
		result = parse_ports(rule, use, item, &ports);
		if (result < 0)
			return result;
		used += ports.is_range ? 2 : 1;
		if (used > MULTIPORT_MAX)
			return err_set(rule->err, -EINVAL,
				"%s: more than %d ports (a range counts as two)",
				use->written, MULTIPORT_MAX);
		rule_put_number(FIELD_TH_SPORT, ports.lo, ret->ranges[ret->n].lo);
		rule_put_number(FIELD_TH_SPORT, ports.hi, ret->ranges[ret->n++].hi);
		if (!p[len])
			return 0;
		p += len + 1;
	}
}

static int
check_multiport_proto(struct rule *rule, const struct option_use *use)
{
	bool usable =
		rule->has_proto && !rule->proto_negated &&
		(rule->proto == IPPROTO_TCP || rule->proto == IPPROTO_UDP ||
			rule->proto == IPPROTO_UDPLITE || rule->proto == IPPROTO_SCTP ||
			rule->proto == IPPROTO_DCCP);

	if (usable)
		return 0;
	return err_set(rule->err, -EINVAL,
		"%s needs -p tcp, udp, udplite, sctp or dccp, not inverted",
		use->written);
}

static int
add_multiport(struct rule *rule, struct option_use *use, enum field field)
{
	struct port_list list;
	int result = check_multiport_proto(rule, use);

	if (result == 0)
		result = parse_port_list(rule, use, &list);
	if (result < 0)
		return result;
	return rule_add_ranges(rule, field, use->negate, list.ranges, list.n);
}

static int
parse_sports(struct rule *rule, struct option_use *use)
{
	return add_multiport(rule, use, FIELD_TH_SPORT);
}

static int
parse_dports(struct rule *rule, struct option_use *use)
{
	return add_multiport(rule, use, FIELD_TH_DPORT);
}

static struct ruleset_test
port_test(enum field field, bool negate, const struct port_list *list)
{
	return (struct ruleset_test){
		.field = field,
		.negate = negate,
		.ranges = list->ranges,
		.n_ranges = list->n,
	};
}

/*
 * Source or destination. Inverted it is neither, which one kernel rule can say; else
 * one kernel rule takes the sources, and one the destinations of the other packets.
 */
static int
parse_both_ports(struct rule *rule, struct option_use *use)
{
	struct rule_split *split;
	struct port_list list;
	int result = check_multiport_proto(rule, use);

	if (result == 0)
		result = parse_port_list(rule, use, &list);
	if (result < 0)
		return result;
	list.n = rule_merge_ranges(FIELD_TH_SPORT, list.ranges, list.n);
	if (use->negate) {
		result = rule_add_ranges(
			rule, FIELD_TH_SPORT, true, list.ranges, list.n);
		if (result < 0)
			return result;
		return rule_add_ranges(rule, FIELD_TH_DPORT, true, list.ranges, list.n);
	}
	split = arena_alloc(rule->arena, sizeof(*split));
	if (!split)
		return -ENOMEM;
	split->branches[0].tests[0] = port_test(FIELD_TH_SPORT, false, &list);
	split->branches[0].n_tests = 1;
	split->branches[1].tests[0] = port_test(FIELD_TH_SPORT, true, &list);
	split->branches[1].tests[1] = port_test(FIELD_TH_DPORT, false, &list);
	split->branches[1].n_tests = 2;
	return rule_add_split(rule, split);
}

/* The singular forms too: iptables takes them as abbreviations. */
static const struct rule_option multiport_options[] = {
	{ { "sports", "source-ports", "sport", "source-port" }, 0, 1, OPTION_INVERTIBLE,
		parse_sports },
	{ { "dports", "destination-ports", "dport", "destination-port" }, 0, 1,
		OPTION_INVERTIBLE, parse_dports },
	{ { "ports" }, 0, 1, OPTION_INVERTIBLE, parse_both_ports },
};

const struct match match_multiport = {
	.module = { "multiport", RULE_OPTIONS(multiport_options), NULL },
	.sections = SECTION_IP,
	.single = true,
	.needs_option = true,
};
