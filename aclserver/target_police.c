/*
 * target_police.c - POLICE and TRICOLORPOLICE: buckets that drop, or remark, what
 * exceeds a rate.
 *
 * A bucket is the kernel's limit expression, one for each kernel rule: so each simple
 * rule has its own ("-i swp1,swp2" two, "-i swp+" one for all ports), and bridged and
 * routed packets have one each, because no state of nftables spans two tables. What
 * POLICE lets through goes on to the next rule; TRICOLORPOLICE accepts it.
 */
#include "aclserver/target.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <linux/if_ether.h>

#include "aclserver/dscp_name.h"

enum {
	KB = 1024,        /* bytes, as nftables counts them */
	KBIT_BYTES = 125, /* bytes of 1000 bits */
	/* Above it the kernel's nanoseconds per packet are more than 5 % off. */
	PACKETS_PER_S_MAX = 50000000,
	/* The kernel multiplies bytes by nanoseconds in 64 bits. */
	KB_PER_S_MAX = 8000000,
	KBIT_PER_S_MAX = 65000000,
	KB_BURST_MAX = 4000000,
	CLASS_MAX = 7,
};

/* A bucket of @depth bytes at @rate bytes per second. The kernel's own is one second of
 * the rate deep, and burst comes on top; so one that is to be smaller cannot be had. */
static struct ruleset_limit
byte_bucket(uint64_t rate, uint64_t depth)
{
	struct ruleset_limit limit = { .rate = rate, .unit_s = 1, .bytes = true };

	if (depth > rate)
		limit.burst = (uint32_t)(depth - rate);
	return limit;
}

static const char small_bucket[] = "the burst is smaller than one second of the rate, "
				   "which Linux takes instead: a "
				   "byte bucket of the kernel cannot be smaller";

static void
add_kind(struct rule_part *part, enum term_kind kind)
{
	rule_part_add(part, &(struct ruleset_term){ .kind = kind });
}

static void
add_verdict(struct rule_part *part, enum ruleset_verdict verdict)
{
	struct ruleset_term term = { .kind = TERM_VERDICT };

	term.verdict = verdict;
	rule_part_add(part, &term);
}

static void
add_limit(struct rule_part *part, const struct ruleset_limit *limit, bool over)
{
	struct ruleset_term term = { .kind = TERM_LIMIT };

	term.limit = *limit;
	term.limit.over = over;
	rule_part_add(part, &term);
}

static int
need_options(
	struct rule *rule, const struct module_use *use, const size_t *needed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!module_use_at(use, needed[i]))
			return err_set(rule->err, -EINVAL, "target %s needs --%s",
				use->module->name,
				use->module->options[needed[i]].names[0]);
	return 0;
}

/* ---- POLICE ---- */

enum { POLICE_MODE, POLICE_RATE, POLICE_BURST, POLICE_CLASS };

static int
parse_mode(struct rule *rule, struct option_use *use, bool *ret_bytes)
{
	if (strcasecmp(use->args[0], "pkt") == 0)
		use->text = "pkt";
	else if (strcasecmp(use->args[0], "KB") == 0)
		use->text = "KB";
	else
		return option_refuse(rule, use, "not pkt or KB");
	*ret_bytes = strcmp(use->text, "KB") == 0;
	return 0;
}

static int
parse_bucket(struct rule *rule, const struct module_use *use, struct ruleset_limit *ret)
{
	uint32_t rate, burst;
	bool bytes = false;
	int result = parse_mode(rule, module_use_at(use, POLICE_MODE), &bytes);

	if (result == 0)
		result = option_number(rule, module_use_at(use, POLICE_RATE), 1,
			bytes ? KB_PER_S_MAX : PACKETS_PER_S_MAX, &rate);
	if (result == 0)
		result = option_number(rule, module_use_at(use, POLICE_BURST), 1,
			bytes ? KB_BURST_MAX : INT32_MAX, &burst);
	if (result < 0)
		return result;
	if (!bytes) {
		*ret = (struct ruleset_limit){
			.rate = rate, .unit_s = 1, .burst = burst
		};
		return 0;
	}
	if (burst < rate)
		(void)rule_warn(rule, small_bucket);
	*ret = byte_bucket((uint64_t)rate * KB, (uint64_t)burst * KB);
	return 0;
}

static int
finish_police(struct rule *rule, struct module_use *use)
{
	static const size_t needed[] = { POLICE_MODE, POLICE_RATE, POLICE_BURST };
	struct ruleset_term priority = { .kind = TERM_SET_PRIORITY };
	struct option_use *class = module_use_at(use, POLICE_CLASS);
	struct ruleset_limit limit;
	struct rule_part *part;
	int result =
		need_options(rule, use, needed, sizeof(needed) / sizeof(needed[0]));

	if (result == 0)
		result = parse_bucket(rule, use, &limit);
	if (result == 0 && class)
		result = option_number(rule, class, 0, CLASS_MAX, &priority.number);
	if (result < 0)
		return result;
	rule->has_bucket = true;
	part = rule_add_part(rule, RULE_INET | RULE_BRIDGE);
	add_kind(part, TERM_COUNTER);
	if (class)
		rule_part_add(part, &priority);
	add_limit(part, &limit, true);
	add_kind(part, TERM_COUNTER);
	add_verdict(part, RULESET_VERDICT_DROP);
	return 0;
}

static const struct rule_option police_options[] = {
	{ { "set-mode" }, 0, 1, 0, NULL },
	{ { "set-rate" }, 0, 1, 0, NULL },
	{ { "set-burst" }, 0, 1, 0, NULL },
	{ { "set-class" }, 0, 1, 0, NULL },
};

const struct target target_police = {
	.module = { "POLICE", RULE_OPTIONS(police_options), finish_police },
	.sections = SECTION_IP,
};

const struct target target_eb_police = {
	.module = { "police", RULE_OPTIONS(police_options), finish_police },
	.sections = SECTION_EB,
};

/* ---- TRICOLORPOLICE ---- */

enum {
	TRI_MODE,
	TRI_CIR,
	TRI_CBS,
	TRI_PIR,
	TRI_EBS,
	TRI_CONFORM_DSCP,
	TRI_EXCEED_DSCP,
	TRI_VIOLATE,
	TRI_VIOLATE_DSCP,
};

struct tricolor {
	struct ruleset_limit committed, peak;
	bool drops; /* what violates */
};

static int
parse_rate(struct rule *rule, const struct module_use *use, size_t at,
	struct ruleset_limit *ret)
{
	uint32_t rate, burst;
	int result =
		option_number(rule, module_use_at(use, at), 8, KBIT_PER_S_MAX, &rate);

	if (result == 0)
		result = option_number(
			rule, module_use_at(use, at + 1), 1, KB_BURST_MAX, &burst);
	if (result < 0)
		return result;
	*ret = byte_bucket((uint64_t)rate * KBIT_BYTES, (uint64_t)burst * KB);
	if ((uint64_t)burst * KB < ret->rate)
		(void)rule_warn(rule, small_bucket);
	return 0;
}

/* Blind only: the colour that a packet brings along is not to be read from its DSCP
 * without knowing which values mean which. */
static int
parse_color_mode(struct rule *rule, struct option_use *use)
{
	if (use && strcmp(use->args[0], "blind") == 0)
		return 0;
	if (use && strcmp(use->args[0], "aware") != 0)
		return option_refuse(rule, use, "not blind or aware");
	return err_set(rule->err, -EINVAL,
		"color-aware policing%s is not supported: a packet does not tell its "
		"color; use --set-color-mode blind",
		use ? "" : ", which is meant without --set-color-mode,");
}

static int
parse_violate(struct rule *rule, const struct module_use *use, bool *ret_drops)
{
	struct option_use *action = module_use_at(use, TRI_VIOLATE);

	*ret_drops = !action || strcmp(action->args[0], "drop") == 0;
	if (action && !*ret_drops && strcmp(action->args[0], "accept") != 0)
		return option_refuse(rule, action, "not accept or drop");
	if (*ret_drops && module_use_at(use, TRI_VIOLATE_DSCP))
		return err_set(rule->err, -EINVAL,
			"--set-violate-action-dscp needs --set-violate-action accept");
	return 0;
}

/* The field that DSCP is in; the rule has to say which protocol it is for. */
static int
dscp_field(struct rule *rule, const struct module_use *use, enum field *ret)
{
	bool wanted = module_use_at(use, TRI_CONFORM_DSCP) ||
		      module_use_at(use, TRI_EXCEED_DSCP) ||
		      module_use_at(use, TRI_VIOLATE_DSCP);
	bool known = rule->has_proto && !rule->proto_negated;

	*ret = rule_is_ip6(rule) ? FIELD_IP6_DSCP : FIELD_IP_DSCP;
	if (rule->section != POLICY_SECTION_EBTABLES || !wanted)
		return 0;
	if (known && rule->proto == ETH_P_IPV6)
		*ret = FIELD_IP6_DSCP;
	else if (!known || rule->proto != ETH_P_IP)
		return err_set(rule->err, -EINVAL,
			"target %s needs -p IPv4 or -p IPv6 to set DSCP",
			use->module->name);
	return 0;
}

/* DSCP, if option @at was given. */
static int
add_dscp(struct rule *rule, const struct module_use *use, size_t at,
	struct rule_part *part)
{
	struct option_use *option = module_use_at(use, at);
	struct ruleset_term term = { .kind = TERM_SET_DSCP };
	int result = dscp_field(rule, use, &term.dscp.field);

	if (result < 0 || !option)
		return result;
	result = dscp_name_parse_number(rule, option, &term.dscp.value);
	if (result == 0)
		rule_part_add(part, &term);
	return result;
}

/* The colours in the order of RFC 2698: what exceeds the peak is red and takes nothing
 * from either bucket; of the rest, what the committed bucket holds is green; what
 * remains is yellow. */
static int
add_colors(struct rule *rule, const struct module_use *use, const struct tricolor *tri)
{
	uint8_t everywhere = RULE_INET | RULE_BRIDGE;
	struct rule_part *red = rule_add_part(rule, everywhere);
	struct rule_part *green = rule_add_part(rule, everywhere);
	struct rule_part *yellow = rule_add_part(rule, everywhere);
	int result;

	add_limit(red, &tri->peak, true);
	add_kind(red, TERM_COUNTER);
	if (tri->drops)
		add_kind(red, TERM_COUNTER);
	add_limit(green, &tri->committed, false);
	add_kind(green, TERM_COUNTER);
	add_kind(yellow, TERM_COUNTER);
	result = add_dscp(rule, use, TRI_VIOLATE_DSCP, red);
	if (result == 0)
		result = add_dscp(rule, use, TRI_CONFORM_DSCP, green);
	if (result == 0)
		result = add_dscp(rule, use, TRI_EXCEED_DSCP, yellow);
	add_verdict(red, tri->drops ? RULESET_VERDICT_DROP : RULESET_VERDICT_ACCEPT);
	add_verdict(green, RULESET_VERDICT_ACCEPT);
	add_verdict(yellow, RULESET_VERDICT_ACCEPT);
	return result;
}

static int
finish_tricolor(struct rule *rule, struct module_use *use)
{
	static const size_t needed[] = { TRI_CIR, TRI_CBS, TRI_PIR, TRI_EBS };
	struct tricolor tri = { 0 };
	int result = parse_color_mode(rule, module_use_at(use, TRI_MODE));

	if (result == 0)
		result = need_options(
			rule, use, needed, sizeof(needed) / sizeof(needed[0]));
	if (result == 0)
		result = parse_rate(rule, use, TRI_CIR, &tri.committed);
	if (result == 0)
		result = parse_rate(rule, use, TRI_PIR, &tri.peak);
	if (result == 0 && tri.peak.rate < tri.committed.rate)
		return err_set(rule->err, -EINVAL, "--set-pir is below --set-cir");
	if (result == 0)
		result = parse_violate(rule, use, &tri.drops);
	if (result < 0)
		return result;
	rule->has_bucket = true;
	return add_colors(rule, use, &tri);
}

static const struct rule_option tricolor_options[] = {
	{ { "set-color-mode" }, 0, 1, 0, NULL },
	{ { "set-cir" }, 0, 1, 0, NULL },
	{ { "set-cbs" }, 0, 1, 0, NULL },
	{ { "set-pir" }, 0, 1, 0, NULL },
	{ { "set-ebs" }, 0, 1, 0, NULL },
	{ { "set-conform-action-dscp" }, 0, 1, 0, NULL },
	{ { "set-exceed-action-dscp" }, 0, 1, 0, NULL },
	{ { "set-violate-action" }, 0, 1, 0, NULL },
	{ { "set-violate-action-dscp" }, 0, 1, 0, NULL },
};

const struct target target_tricolorpolice = {
	.module = { "TRICOLORPOLICE", RULE_OPTIONS(tricolor_options), finish_tricolor },
	.sections = SECTION_IP,
};

const struct target target_eb_tricolorpolice = {
	.module = { "tricolorpolice", RULE_OPTIONS(tricolor_options), finish_tricolor },
	.sections = SECTION_EB,
};
