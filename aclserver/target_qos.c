/*
 * target_qos.c - DSCP sets the DiffServ field and goes on, as in iptables; SETQOS sets
 * it, the priority and the 802.1p bits of a tagged frame, and accepts, as on a switch;
 * SETCLASS sets the priority and goes on.
 *
 * A kernel rule cannot say "where there is a tag", so SETQOS takes one kernel rule for
 * frames with a tag and one for the others.
 */
#include "aclserver/target.h"

#include <errno.h>

#include <linux/if_ether.h>

#include "aclserver/dscp_name.h"

enum { SET_DSCP, SET_DSCP_CLASS, SET_COS };

static int
add_set_dscp(struct rule *rule, uint8_t dscp)
{
	struct ruleset_term term = { .kind = TERM_SET_DSCP };

	term.dscp.field = rule_is_ip6(rule) ? FIELD_IP6_DSCP : FIELD_IP_DSCP;
	term.dscp.value = dscp;
	return rule_add_statement(rule, &term);
}

static int
parse_dscp(struct rule *rule, struct module_use *use, uint8_t *ret)
{
	struct option_use *number = module_use_at(use, SET_DSCP);
	struct option_use *name = module_use_at(use, SET_DSCP_CLASS);

	if (number && name)
		return err_set(rule->err, -EINVAL,
			"--set-dscp and --set-dscp-class exclude each other");
	if (number)
		return dscp_name_parse_number(rule, number, ret);
	if (name)
		return dscp_name_parse_class(rule, name, ret);
	return err_set(rule->err, -EINVAL,
		"target %s needs --set-dscp or --set-dscp-class", use->module->name);
}

/* ---- DSCP ---- */

static int
finish_dscp(struct rule *rule, struct module_use *use)
{
	uint8_t dscp;
	int result = parse_dscp(rule, use, &dscp);

	return result < 0 ? result : add_set_dscp(rule, dscp);
}

static const struct rule_option dscp_options[] = {
	{ { "set-dscp" }, 0, 1, 0, NULL },
	{ { "set-dscp-class" }, 0, 1, 0, NULL },
};

const struct target target_dscp = {
	.module = { "DSCP", RULE_OPTIONS(dscp_options), finish_dscp },
	.sections = SECTION_IP,
	.table = "mangle",
};

/* ---- SETQOS ---- */

enum { COS_MAX = 7, CLASS_MAX = 7 };

/* What SETQOS writes. */
struct qos {
	bool has_dscp, has_cos;
	uint8_t dscp;
	uint32_t cos;
};

/* One kind of packet that needs a kernel rule of its own. */
struct qos_case {
	uint16_t l3proto; /* EtherType to be tested; 0 = not needed */
	bool writes_dscp;
	enum field field; /* of the DSCP */
	bool tagged;
};

static int
parse_qos(struct rule *rule, struct module_use *use, struct qos *ret)
{
	struct option_use *cos = module_use_at(use, SET_COS);
	int result = 0;

	*ret = (struct qos){ .has_cos = cos };
	if (cos)
		result = option_number(rule, cos, 0, COS_MAX, &ret->cos);
	ret->has_dscp =
		module_use_at(use, SET_DSCP) || module_use_at(use, SET_DSCP_CLASS);
	if (result == 0 && (ret->has_dscp || !cos))
		result = parse_dscp(rule, use, &ret->dscp);
	return result;
}

/* The bridge keeps a frame's tag beside it; packets of the IP stack have none. */
static int
add_case(struct rule *rule, const struct qos *qos, const struct qos_case *kind)
{
	struct rule_part *part =
		rule_add_part(rule, RULE_BRIDGE | (kind->tagged ? 0 : RULE_INET));
	struct ruleset_term term = { .kind = TERM_COUNTER };
	int result = 0;

	if (kind->tagged)
		result = rule_part_test(rule, part, FIELD_ETHER_TYPE, ETH_P_8021Q);
	if (result == 0 && kind->l3proto)
		result = rule_part_test(rule, part, FIELD_L3PROTO, kind->l3proto);
	rule_part_add(part, &term);
	term.number = qos->cos;
	term.kind = TERM_SET_PRIORITY;
	if (qos->has_cos)
		rule_part_add(part, &term);
	term.kind = TERM_SET_PCP;
	if (qos->has_cos && kind->tagged)
		rule_part_add(part, &term);
	if (kind->writes_dscp) {
		term = (struct ruleset_term){ .kind = TERM_SET_DSCP };
		term.dscp.field = kind->field;
		term.dscp.value = qos->dscp;
		rule_part_add(part, &term);
	}
	term = (struct ruleset_term){ .kind = TERM_VERDICT };
	term.verdict = RULESET_VERDICT_ACCEPT;
	rule_part_add(part, &term);
	return result;
}

/* The frames that -p of [ebtables] leaves. */
static bool
can_be(const struct rule *rule, uint16_t ether_type)
{
	if (rule->section != POLICY_SECTION_EBTABLES || !rule->has_proto)
		return true;
	return (rule->proto == ether_type) != rule->proto_negated;
}

static bool
can_be_tagged(const struct rule *rule, const struct qos *qos)
{
	return qos->has_cos && can_be(rule, ETH_P_8021Q);
}

static bool
is_only_tagged(const struct rule *rule)
{
	return rule->section == POLICY_SECTION_EBTABLES && rule->has_proto &&
	       !rule->proto_negated && rule->proto == ETH_P_8021Q;
}

/* One protocol, with and without tag. */
static int
add_cases(struct rule *rule, const struct qos *qos, struct qos_case kind)
{
	int result = 0;

	kind.tagged = true;
	if (can_be_tagged(rule, qos))
		result = add_case(rule, qos, &kind);
	kind.tagged = false;
	if (result == 0 && (!qos->has_cos || !is_only_tagged(rule)))
		result = add_case(rule, qos, &kind);
	return result;
}

/* In [ebtables] a frame may be of any protocol. */
static int
add_eb_cases(struct rule *rule, const struct qos *qos)
{
	int result;

	if (!qos->has_dscp)
		return add_cases(rule, qos, (struct qos_case){ 0 });
	result = add_cases(
		rule, qos, (struct qos_case){ ETH_P_IP, true, FIELD_IP_DSCP, false });
	if (result == 0)
		result = add_cases(rule, qos,
			(struct qos_case){ ETH_P_IPV6, true, FIELD_IP6_DSCP, false });
	if (result == 0)
		result = add_cases(rule, qos, (struct qos_case){ 0 });
	return result;
}

static int
finish_setqos(struct rule *rule, struct module_use *use)
{
	struct qos_case kind = { .field = FIELD_IP_DSCP };
	struct qos qos;
	int result = parse_qos(rule, use, &qos);

	if (result < 0)
		return result;
	if (rule->section == POLICY_SECTION_EBTABLES)
		return add_eb_cases(rule, &qos);
	if (rule_is_ip6(rule))
		kind.field = FIELD_IP6_DSCP;
	kind.writes_dscp = qos.has_dscp;
	return add_cases(rule, &qos, kind);
}

static const struct rule_option setqos_options[] = {
	{ { "set-dscp" }, 0, 1, 0, NULL },
	{ { "set-dscp-class" }, 0, 1, 0, NULL },
	{ { "set-cos" }, 0, 1, 0, NULL },
};

const struct target target_setqos = {
	.module = { "SETQOS", RULE_OPTIONS(setqos_options), finish_setqos },
	.sections = SECTION_IP,
};

const struct target target_eb_setqos = {
	.module = { "setqos", RULE_OPTIONS(setqos_options), finish_setqos },
	.sections = SECTION_EB,
};

/* ---- SETCLASS ---- */

static int
finish_setclass(struct rule *rule, struct module_use *use)
{
	struct ruleset_term term = { .kind = TERM_SET_PRIORITY };
	struct option_use *class = module_use_at(use, 0);
	int result;

	if (!class)
		return err_set(rule->err, -EINVAL, "target %s needs --class",
			use->module->name);
	result = option_number(rule, class, 0, CLASS_MAX, &term.number);
	return result < 0 ? result : rule_add_statement(rule, &term);
}

static const struct rule_option setclass_options[] = {
	{ { "class" }, 0, 1, 0, NULL },
};

const struct target target_setclass = {
	.module = { "SETCLASS", RULE_OPTIONS(setclass_options), finish_setclass },
	.sections = SECTION_IP,
};

const struct target target_eb_setclass = {
	.module = { "setclass", RULE_OPTIONS(setclass_options), finish_setclass },
	.sections = SECTION_EB,
};
