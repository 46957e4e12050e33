/*
 * ruleset_dump.c - a compiled rule as one line of text.
 */
#include "aclserver/ruleset_dump.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter.h>

/* The line under construction; a text that does not fit is cut and marked. */
struct line {
	char *text;
	size_t size;
	size_t len;
};

static const char cut_mark[] = "...";

__attribute__((format(printf, 2, 3))) static void
put(struct line *line, const char *fmt, ...)
{
	size_t room = line->size - line->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line->text + line->len, room, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n < room) {
		line->len += (size_t)n;
		return;
	}
	line->len = line->size - 1;
	if (line->size >= sizeof(cut_mark))
		memcpy(line->text + line->size - sizeof(cut_mark), cut_mark,
			sizeof(cut_mark));
}

static void
put_hex(struct line *line, const uint8_t *value, size_t size)
{
	put(line, "0x");
	for (size_t i = 0; i < size; i++)
		put(line, "%02x", value[i]);
}

static void
put_address(struct line *line, int family, const uint8_t *value)
{
	char text[INET6_ADDRSTRLEN];

	put(line, "%s", inet_ntop(family, value, text, sizeof(text)) ? text : "?");
}

static void
put_number(struct line *line, const uint8_t *value, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | value[i];
	put(line, "%llu", (unsigned long long)number);
}

/* @value of @field in the way that people write it. */
static void
put_value(struct line *line, enum field field, const uint8_t *value)
{
	size_t size = field_info(field)->size;

	switch (field) {
	case FIELD_IP_SADDR:
	case FIELD_IP_DADDR:
	case FIELD_ARP_SPA:
	case FIELD_ARP_TPA:
		put_address(line, AF_INET, value);
		break;
	case FIELD_IP6_SADDR:
	case FIELD_IP6_DADDR:
		put_address(line, AF_INET6, value);
		break;
	case FIELD_ETHER_SADDR:
	case FIELD_ETHER_DADDR:
	case FIELD_ARP_SHA:
	case FIELD_ARP_THA:
	case FIELD_STP_ROOT_ADDR:
	case FIELD_STP_SENDER_ADDR:
		put(line, "%02x:%02x:%02x:%02x:%02x:%02x", value[0], value[1], value[2],
			value[3], value[4], value[5]);
		break;
	case FIELD_L3PROTO:
	case FIELD_ETHER_TYPE:
	case FIELD_MARK:
	case FIELD_TCP_FLAGS:
	case FIELD_IP_FRAGOFF:
	case FIELD_CT_STATE:
	case FIELD_CT_STATUS:
	case FIELD_IP_TOS:
	case FIELD_IP6_TCLASS:
	case FIELD_VLAN_ENCAP:
	case FIELD_ARP_FORMAT:
	case FIELD_ARP_PTYPE:
	case FIELD_LLC_DSAP:
	case FIELD_LLC_SSAP:
	case FIELD_LLC_HEAD:
	case FIELD_SNAP_TYPE:
	case FIELD_STP_HEAD:
	case FIELD_STP_FLAGS:
	case FIELD_FRAG_OFFSET:
		put_hex(line, value, size);
		break;
	default:
		put_number(line, value, size);
	}
}

static void
put_range(struct line *line, enum field field, const struct ruleset_range *range)
{
	put_value(line, field, range->lo);
	if (memcmp(range->lo, range->hi, field_info(field)->size) == 0)
		return;
	put(line, "-");
	put_value(line, field, range->hi);
}

static void
put_test(struct line *line, const struct ruleset_test *test)
{
	const struct field_info *info = field_info(test->field);
	bool one_value =
		test->n_ranges == 1 &&
		memcmp(test->ranges[0].lo, test->ranges[0].hi, info->size) == 0;

	put(line, "%s", info->name);
	if (test->has_mask) {
		put(line, " & ");
		put_hex(line, test->mask, info->size);
	}
	if (test->ifname) {
		put(line, " %s %s%s", test->negate ? "!=" : "==", test->ifname,
			test->prefix ? "+" : "");
		return;
	}
	if (one_value)
		put(line, test->negate ? " != " : " == ");
	else
		put(line, test->negate ? " not in " : " in ");
	for (size_t i = 0; i < test->n_ranges; i++) {
		put(line, "%s", i ? "," : "");
		put_range(line, test->field, &test->ranges[i]);
	}
}

static void
put_limit(struct line *line, const struct ruleset_limit *limit)
{
	put(line, "limit %s%llu/%llus burst %u%s", limit->over ? "over " : "",
		(unsigned long long)limit->rate, (unsigned long long)limit->unit_s,
		limit->burst, limit->bytes ? " bytes" : "");
}

static void
put_log(struct line *line, const struct ruleset_log *log)
{
	if (log->to_group)
		put(line, "log group %u threshold %u size %u", log->group,
			log->threshold, log->snaplen);
	else
		put(line, "log level %u flags %u", log->level, log->flags);
	if (log->prefix)
		put(line, " prefix \"%s\"", log->prefix);
}

static void
put_nat(struct line *line, const struct ruleset_nat *nat)
{
	enum field field = nat->ip6 ? FIELD_IP6_SADDR : FIELD_IP_SADDR;

	put(line, "%s", nat->source ? "snat" : "dnat");
	if (nat->has_address) {
		put(line, " ");
		put_value(line, field, nat->lo);
		put(line, "-");
		put_value(line, field, nat->hi);
	}
	if (nat->has_port)
		put(line, " port %u-%u", nat->port_lo, nat->port_hi);
	put(line, " flags %u", nat->flags);
}

/* Statements that write to the packet. */
static void
put_write(struct line *line, const struct ruleset_term *term)
{
	switch (term->kind) {
	case TERM_SET_DSCP:
		put(line, "%s set %u", field_info(term->dscp.field)->name,
			term->dscp.value);
		break;
	case TERM_SET_MARK:
		put(line, "mark set & 0x%08x ^ 0x%08x", term->mark.keep,
			term->mark.flip);
		break;
	case TERM_SET_ETHER:
		put(line, "%s set ", field_info(term->ether.field)->name);
		put_value(line, term->ether.field, term->ether.address);
		break;
	default:
		put(line, "%s set %u", term->kind == TERM_SET_PCP ? "pcp" : "priority",
			term->number);
	}
}

static void
put_meter(struct line *line, const struct ruleset_meter *meter)
{
	static const char *const ops[] = { "update", "add", "delete", "find", "miss" };

	put(line, "%s @%s", ops[meter->op], meter->set->name);
	for (size_t i = 0; i < meter->n_parts; i++) {
		const struct field_info *info = field_info(meter->parts[i].field);

		put(line, "%s%s & ", i ? " . " : " ", info->name);
		put_hex(line, meter->parts[i].mask, info->size);
	}
	if (meter->limit) {
		put(line, " ");
		put_limit(line, meter->limit);
	}
}

static void
put_term(struct line *line, const struct ruleset_term *term)
{
	switch (term->kind) {
	case TERM_TEST:
		put_test(line, &term->test);
		break;
	case TERM_LIMIT:
		put_limit(line, &term->limit);
		break;
	case TERM_METER:
		put_meter(line, &term->meter);
		break;
	case TERM_RECENT:
		put(line, "recent %s", term->recent.name);
		break;
	case TERM_COUNTER:
		put(line, "counter");
		break;
	case TERM_LOG:
		put_log(line, &term->log);
		break;
	case TERM_NAT:
		put_nat(line, &term->nat);
		break;
	case TERM_DUP:
		put(line, "dup to %s", term->device);
		break;
	case TERM_VERDICT:
		put(line, "%s",
			term->verdict == RULESET_VERDICT_ACCEPT ? "accept" : "drop");
		break;
	default:
		put_write(line, term);
	}
}

static void
put_place(struct line *line, enum place place)
{
	const struct base_info *info = base_info(place_base(place));

	put(line, "%s/%s%s",
		info->family == NFPROTO_NETDEV   ? "netdev"
		: info->family == NFPROTO_BRIDGE ? "bridge"
						 : "inet",
		info->name, place_group(place) == PLACE_GROUP_EB ? " eb" : "");
}

void
ruleset_dump_place(enum place place, char *ret, size_t size)
{
	struct line line = { ret, size, 0 };

	put_place(&line, place);
}

void
ruleset_dump_rule(const struct ruleset_rule *rule, char *ret, size_t size)
{
	struct line line = { ret, size, 0 };

	put_place(&line, rule->place);
	for (size_t i = 0; i < rule->n_terms; i++) {
		put(&line, i ? "; " : ": ");
		put_term(&line, &rule->terms[i]);
	}
}
