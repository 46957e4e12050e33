/*
 * match_hashlimit.c - a rate for each source, destination or port: a set with a bucket
 * in every element.
 *
 * Rules with the same name and the same settings share the set, in whatever file they
 * stand. A packet for which the set has no room matches no rule (with iptables it is
 * dropped).
 */
#include "aclserver/match.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aclserver/meter_name.h"
#include "common/parse.h"

enum {
	UPTO,
	ABOVE,
	BURST,
	MODE,
	SRCMASK,
	DSTMASK,
	NAME,
	TABLE_SIZE,
	TABLE_MAX,
	TABLE_EXPIRE,
	TABLE_GC,
};

enum {
	PACKETS_PER_S_MAX = 1000000, /* of iptables, for every unit */
	BURST_MAX = 1000000,
	BURST_DEFAULT = 5,
	NAME_MAX_LEN = 255,
	SIZE_DEFAULT = 65535,
	ELEMENTS_PER_BUCKET = 8, /* what iptables derives a maximum from */
	GC_DEFAULT_MS = 1000,
	BYTES_EXPIRE_MS = 15000,
	BYTES_BURST_EXPIRE_MS = 60000,
};

enum { MODE_SRCIP = 1, MODE_DSTIP = 2, MODE_SRCPORT = 4, MODE_DSTPORT = 8 };

static const struct {
	const char *name;
	unsigned bit;
} modes[] = {
	{ "srcip", MODE_SRCIP },
	{ "srcport", MODE_SRCPORT },
	{ "dstip", MODE_DSTIP },
	{ "dstport", MODE_DSTPORT },
};

enum { N_MODES = sizeof(modes) / sizeof(modes[0]) };

static const struct {
	const char *name;
	uint32_t seconds;
} units[] = {
	{ "second", 1 },
	{ "minute", 60 },
	{ "hour", 3600 },
	{ "day", 86400 },
};

/* Suffixes of a rate in bytes; iptables counts in powers of 1024. */
static const struct {
	const char *suffix;
	uint32_t factor;
} byte_units[] = {
	{ "b", 1 },
	{ "kb", 1024 },
	{ "mb", 1024 * 1024 },
};

enum { N_BYTE_UNITS = sizeof(byte_units) / sizeof(byte_units[0]) };

/* Seconds of the unit that begins with @text, as iptables takes "s", "sec", "second".
 */
static uint32_t
unit_seconds(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (len > 0 && strncasecmp(text, units[i].name, len) == 0)
			return units[i].seconds;
	return 0;
}

/* The factor of the letters behind the digits of @text, cut off there; 0 if unknown. */
static uint32_t
cut_byte_unit(char *text)
{
	char *suffix = text + strspn(text, "0123456789");

	for (size_t i = 0; i < N_BYTE_UNITS; i++)
		if (strcasecmp(suffix, byte_units[i].suffix) == 0) {
			*suffix = '\0';
			return byte_units[i].factor;
		}
	return 0;
}

static int
refuse_rate(struct rule *rule, const struct option_use *use)
{
	return option_refuse(rule, use,
		"not a rate (N/second, N/minute, N/hour, N/day up to 1000000 packets "
		"per second, or Nb/s, Nkb/s, Nmb/s)");
}

/* "50/second", "5/min", "512kb/s". */
static int
parse_rate(struct rule *rule, const struct option_use *use, struct ruleset_limit *ret)
{
	char copy[32];
	char *slash;
	uint32_t rate, seconds = 1, factor = 1;

	if (strlen(use->args[0]) >= sizeof(copy))
		return refuse_rate(rule, use);
	memcpy(copy, use->args[0], strlen(use->args[0]) + 1);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		seconds = unit_seconds(slash + 1);
	}
	if (copy[strspn(copy, "0123456789")]) {
		factor = cut_byte_unit(copy);
		ret->bytes = true;
	}
	if (seconds == 0 || factor == 0 || (ret->bytes && seconds != 1) ||
		parse_u32(copy, 1, UINT32_MAX / factor, &rate) < 0 ||
		(!ret->bytes && rate / seconds > PACKETS_PER_S_MAX))
		return refuse_rate(rule, use);
	ret->rate = (uint64_t)rate * factor;
	ret->unit_s = seconds;
	return 0;
}

/* Of a bucket of bytes the kernel's is always one second deeper than asked for. */
static int
parse_byte_burst(
	struct rule *rule, const struct option_use *use, struct ruleset_limit *ret)
{
	char copy[32];
	uint32_t burst, factor;

	if (strlen(use->args[0]) >= sizeof(copy))
		return option_refuse(rule, use, "not a number of bytes");
	memcpy(copy, use->args[0], strlen(use->args[0]) + 1);
	factor = copy[strspn(copy, "0123456789")] ? cut_byte_unit(copy) : 1;
	if (factor == 0 || parse_u32(copy, 1, UINT32_MAX / factor, &burst) < 0)
		return option_refuse(
			rule, use, "not a number of bytes (N, Nb, Nkb, Nmb)");
	if ((uint64_t)burst * factor < ret->rate)
		return option_refuse(
			rule, use, "less than the rate allows in one second");
	ret->burst = (uint32_t)((uint64_t)burst * factor - ret->rate);
	return 0;
}

static int
parse_limit(struct rule *rule, struct module_use *use, struct ruleset_limit *ret)
{
	const struct option_use *upto = module_use_at(use, UPTO);
	const struct option_use *above = module_use_at(use, ABOVE);
	const struct option_use *burst = module_use_at(use, BURST);
	int result;

	if (!upto == !above)
		return err_set(rule->err, -EINVAL,
			"-m hashlimit needs one of --hashlimit-upto and "
			"--hashlimit-above");
	*ret = (struct ruleset_limit){ .burst = BURST_DEFAULT };
	ret->over = above ? !above->negate : upto->negate;
	result = parse_rate(rule, above ? above : upto, ret);
	if (result == 0 && ret->bytes)
		ret->burst = 0;
	if (result < 0 || !burst)
		return result;
	if (ret->bytes)
		return parse_byte_burst(rule, burst, ret);
	return option_number(rule, burst, 1, BURST_MAX, &ret->burst);
}

static int
parse_modes(struct rule *rule, const struct option_use *use, unsigned *ret)
{
	const char *p = use ? use->args[0] : "";

	*ret = 0;
	while (*p) {
		size_t len = strcspn(p, ",");
		unsigned bit = 0;

		for (size_t i = 0; i < N_MODES; i++)
			if (strlen(modes[i].name) == len &&
				strncmp(p, modes[i].name, len) == 0)
				bit = modes[i].bit;
		if (bit == 0)
			return option_refuse(rule, use,
				"not a list of srcip, srcport, dstip, dstport");
		*ret |= bit;
		p += len + (p[len] == ',');
	}
	return 0;
}

static void
add_part(struct ruleset_meter *meter, enum field field, uint32_t prefix_len)
{
	struct ruleset_meter_part *part = &meter->parts[meter->n_parts++];

	part->field = field;
	for (uint32_t bit = 0; bit < prefix_len; bit++)
		part->mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static int
parse_mask_len(
	struct rule *rule, const struct option_use *use, unsigned mode, uint32_t *ret)
{
	uint32_t max = rule_is_ip6(rule) ? 128 : 32;

	*ret = max;
	if (!use)
		return 0;
	if (!mode)
		return err_set(rule->err, -EINVAL,
			"option %s needs %s in --hashlimit-mode", use->written,
			use->option->names[0][10] == 's' ? "srcip" : "dstip");
	return option_number(rule, use, 0, max, ret);
}

static bool
has_ports(const struct rule *rule)
{
	return rule->has_l4proto &&
	       (rule->l4proto == IPPROTO_TCP || rule->l4proto == IPPROTO_UDP ||
		       rule->l4proto == IPPROTO_UDPLITE ||
		       rule->l4proto == IPPROTO_SCTP || rule->l4proto == IPPROTO_DCCP);
}

/* What packets are told apart by. */
static int
parse_key(struct rule *rule, struct module_use *use, struct ruleset_meter *ret)
{
	bool ip6 = rule_is_ip6(rule);
	enum field saddr = ip6 ? FIELD_IP6_SADDR : FIELD_IP_SADDR;
	enum field daddr = ip6 ? FIELD_IP6_DADDR : FIELD_IP_DADDR;
	uint32_t src_len = 0, dst_len = 0;
	unsigned mode;
	int result = parse_modes(rule, module_use_at(use, MODE), &mode);

	if (result == 0)
		result = parse_mask_len(
			rule, module_use_at(use, SRCMASK), mode & MODE_SRCIP, &src_len);
	if (result == 0)
		result = parse_mask_len(
			rule, module_use_at(use, DSTMASK), mode & MODE_DSTIP, &dst_len);
	if (result < 0)
		return result;
	if (mode & (MODE_SRCPORT | MODE_DSTPORT) && !has_ports(rule))
		return err_set(rule->err, -EINVAL,
			"--hashlimit-mode with srcport or dstport needs -p tcp, udp, "
			"udplite, sctp or dccp");
	if (mode & MODE_SRCIP)
		add_part(ret, saddr, src_len);
	if (mode & MODE_DSTIP)
		add_part(ret, daddr, dst_len);
	if (mode & MODE_SRCPORT)
		add_part(ret, FIELD_TH_SPORT, 16);
	if (mode & MODE_DSTPORT)
		add_part(ret, FIELD_TH_DPORT, 16);
	/* One bucket for all: an address of which no bit counts. */
	if (mode == 0)
		add_part(ret, saddr, 0);
	return 0;
}

static int
parse_optional(struct rule *rule, const struct option_use *use, uint32_t *ret)
{
	return use ? option_number(rule, use, 1, INT32_MAX, ret) : 0;
}

static int
parse_table(struct rule *rule, struct module_use *use,
	const struct ruleset_limit *limit, struct ruleset_meter_set *ret)
{
	uint32_t buckets = 0, max = 0, gc = GC_DEFAULT_MS, expire;
	int result = parse_optional(rule, module_use_at(use, TABLE_SIZE), &buckets);

	expire = (uint32_t)limit->unit_s * 1000;
	if (limit->bytes)
		expire = module_use_at(use, BURST) ? BYTES_BURST_EXPIRE_MS
						   : BYTES_EXPIRE_MS;
	if (result == 0)
		result = parse_optional(rule, module_use_at(use, TABLE_MAX), &max);
	if (result == 0)
		result =
			parse_optional(rule, module_use_at(use, TABLE_EXPIRE), &expire);
	if (result == 0)
		result = parse_optional(rule, module_use_at(use, TABLE_GC), &gc);
	if (result < 0)
		return result;
	ret->size = SIZE_DEFAULT;
	if (max > 0)
		ret->size = max;
	else if (buckets > 0)
		ret->size = buckets > INT32_MAX / ELEMENTS_PER_BUCKET
				    ? INT32_MAX
				    : buckets * ELEMENTS_PER_BUCKET;
	ret->timeout_ms = expire;
	ret->gc_ms = gc;
	return 0;
}

static int
name_table(struct rule *rule, const struct option_use *name,
	const struct ruleset_meter *meter, struct ruleset_meter_set *ret)
{
	struct hash h;

	if (!name)
		return err_set(
			rule->err, -EINVAL, "-m hashlimit needs --hashlimit-name");
	if (!*name->args[0] || strlen(name->args[0]) > NAME_MAX_LEN ||
		strchr(name->args[0], '/'))
		return option_refuse(
			rule, name, "not a name (1 to 255 bytes without '/')");
	hash_init(&h);
	hash_add_text(&h, name->args[0]);
	for (size_t i = 0; i < meter->n_parts; i++) {
		hash_add_u64(&h, meter->parts[i].field);
		hash_add(&h, meter->parts[i].mask, sizeof(meter->parts[i].mask));
	}
	/* "above" and "upto" of one rate are two sides of one bucket; but the bucket is
	 * made by the first packet, with the side of its rule. */
	hash_add_u64(
		&h, (uint64_t)meter->limit->over | (uint64_t)meter->limit->bytes << 1);
	hash_add_u64(&h, meter->limit->rate);
	hash_add_u64(&h, meter->limit->unit_s);
	hash_add_u64(&h, meter->limit->burst);
	hash_add_u64(&h, ret->timeout_ms);
	hash_add_u64(&h, ret->gc_ms);
	hash_add_u64(&h, ret->size);
	ret->name = meter_name_new(
		rule->arena, "hashlimit", rule_is_ip6(rule), name->args[0], &h);
	return ret->name ? 0 : -ENOMEM;
}

static int
finish(struct rule *rule, struct module_use *use)
{
	struct ruleset_limit *limit = arena_alloc(rule->arena, sizeof(*limit));
	struct ruleset_meter_set *set = arena_alloc(rule->arena, sizeof(*set));
	struct ruleset_meter meter = { .set = set, .limit = limit };
	int result;

	if (!limit || !set)
		return -ENOMEM;
	result = parse_limit(rule, use, limit);
	if (result == 0)
		result = parse_key(rule, use, &meter);
	if (result == 0)
		result = parse_table(rule, use, limit, set);
	if (result == 0)
		result = name_table(rule, module_use_at(use, NAME), &meter, set);
	return result < 0 ? result : rule_add_meter(rule, &meter);
}

static const struct rule_option options[] = {
	[UPTO] = { { "hashlimit-upto", "hashlimit" }, 0, 1, OPTION_INVERTIBLE, NULL },
	[ABOVE] = { { "hashlimit-above" }, 0, 1, OPTION_INVERTIBLE, NULL },
	[BURST] = { { "hashlimit-burst" }, 0, 1, 0, NULL },
	[MODE] = { { "hashlimit-mode" }, 0, 1, 0, NULL },
	[SRCMASK] = { { "hashlimit-srcmask" }, 0, 1, 0, NULL },
	[DSTMASK] = { { "hashlimit-dstmask" }, 0, 1, 0, NULL },
	[NAME] = { { "hashlimit-name" }, 0, 1, 0, NULL },
	[TABLE_SIZE] = { { "hashlimit-htable-size" }, 0, 1, 0, NULL },
	[TABLE_MAX] = { { "hashlimit-htable-max" }, 0, 1, 0, NULL },
	[TABLE_EXPIRE] = { { "hashlimit-htable-expire" }, 0, 1, 0, NULL },
	[TABLE_GC] = { { "hashlimit-htable-gcinterval" }, 0, 1, 0, NULL },
	{ { "hashlimit-rate-match" }, 0, 0, OPTION_REFUSED, NULL },
	{ { "hashlimit-rate-interval" }, 0, 1, OPTION_REFUSED, NULL },
};

const struct match match_hashlimit = {
	.module = { "hashlimit", RULE_OPTIONS(options), finish },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_INPUT,
};
