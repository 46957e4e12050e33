/*
 * rule_parse.c - runs the modules of one simple rule: basic options, matches, target.
 *
 * The order is that of the kernel's tests: protocol of the network layer, basic
 * options, what "-p" brought, then matches in the order written. The last matters for
 * limit only, which takes a packet from its bucket for every test before it that was
 * true.
 */
#include "aclserver/rule_parse.h"

#include <errno.h>
#include <string.h>

#include <linux/if_ether.h>

#include "aclserver/rule_options.h"
#include "aclserver/rule_strict.h"
#include "aclserver/rule_text.h"

static int
run_module(struct rule *rule, struct module_use *use)
{
	const struct rule_module *module = use->module;
	int result = 0;

	for (size_t i = 0; result == 0 && i < module->n_options; i++)
		if (use->uses[i] && module->options[i].parse)
			result = module->options[i].parse(rule, use->uses[i]);
	if (result == 0 && module->finish)
		result = module->finish(rule, use);
	return result;
}

static int
run_match(struct rule *rule, struct loaded *loaded)
{
	const struct match *match = loaded->match;
	bool has_proto =
		rule->has_proto && !rule->proto_negated && rule->proto == match->proto;

	if (match->has_proto && !has_proto)
		return err_set(rule->err, -EINVAL, "match %s needs -p %s%s",
			match->module.name, match->proto_name,
			rule->proto_negated ? ", not inverted" : "");
	if (match->needs_option && loaded->use.n_uses == 0)
		return err_set(rule->err, -EINVAL,
			"-m %s needs an option, such as --%s", match->module.name,
			match->module.options[0].names[0]);
	return run_module(rule, &loaded->use);
}

/* Matches that "-p" loaded, or those that -m did. */
static int
run_matches(struct rule *rule, struct rule_options *options, bool by_proto)
{
	int result = 0;

	for (size_t i = 1; result == 0 && i < options->n_loaded; i++) {
		struct loaded *loaded = &options->loaded[i];

		if (loaded->match && by_proto == (loaded->at == LOADED_BY_PROTO))
			result = run_match(rule, loaded);
	}
	return result;
}

/* Is @word one of @words, which blanks separate? */
static bool
has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (; *words; words += strspn(words, " ")) {
		size_t n = strcspn(words, " ");

		if (n == len && memcmp(words, word, len) == 0)
			return true;
		words += n;
	}
	return false;
}

static int
check_target_place(const struct rule *rule, const struct target *target)
{
	if (target->table && strcmp(target->table, rule->table) != 0)
		return err_set(rule->err, -EINVAL, "target %s is for table %s only",
			target->module.name, target->table);
	if (target->chains && !has_word(target->chains, rule->chain))
		return err_set(rule->err, -EINVAL, "target %s is not for chain %s (%s)",
			target->module.name, rule->chain, target->chains);
	if (!target->in_nat && strcmp(rule->table, "nat") == 0)
		return err_set(rule->err, -EINVAL, "target %s is not for table nat",
			target->module.name);
	return 0;
}

static int
run_target(struct rule *rule, struct rule_options *options)
{
	for (size_t i = 1; i < options->n_loaded; i++) {
		const struct target *target = options->loaded[i].target;
		int result;

		if (!target)
			continue;
		result = check_target_place(rule, target);
		return result < 0 ? result : run_module(rule, &options->loaded[i].use);
	}
	return 0;
}

static int
add_l3proto(struct rule *rule)
{
	uint64_t type = rule_is_ip6(rule) ? ETH_P_IPV6 : ETH_P_IP;

	if (rule->section == POLICY_SECTION_EBTABLES)
		return 0;
	return rule_add_number(rule, FIELD_L3PROTO, false, type, type);
}

static bool
only_drops(const struct rule_options *options)
{
	for (size_t i = 1; i < options->n_loaded; i++)
		if (options->loaded[i].target == &target_drop)
			return true;
	return false;
}

/* In PREROUTING and POSTROUTING the bridge and IP both see what passes between a bridge
 * and the IP stack. The rule is for one of them: the bridge, which knows the port. A
 * name of the rule sees to that, as it is the name of one of them only; and what is
 * dropped is not seen again. */
static int
add_once(struct rule *rule, const struct rule_options *options)
{
	bool in = strcmp(rule->chain, "PREROUTING") == 0;
	bool out = strcmp(rule->chain, "POSTROUTING") == 0;
	const char *port = rule->ports[out];
	int result;

	if (rule->section == POLICY_SECTION_EBTABLES || (!in && !out) ||
		strcmp(rule->table, "mangle") != 0)
		return 0;
	if ((in ? rule->names_in : rule->names_out) ||
		(only_drops(options) && (!port || strcmp(port, "+") == 0)))
		return 0;
	result = rule_add_ifname(
		rule, in ? FIELD_IN_KIND : FIELD_OUT_KIND, true, "bridge");
	if (result == 0)
		rule_restrict_last(rule, RULE_INET);
	return result;
}

/* Each kernel rule has a bucket of its own. */
static void
warn_limit(struct rule *rule)
{
	bool limits = rule->has_bucket;

	for (size_t i = 0; i < rule->n_terms; i++)
		limits |= rule->terms[i].term.kind == TERM_LIMIT;
	if (rule->n_splits > 0 && limits)
		(void)rule_warn(rule, "the limit holds for source ports (types) and "
				      "destination ports (codes) separately");
}

static int
run_modules(struct rule *rule, struct rule_options *options)
{
	int result = add_l3proto(rule);

	if (result == 0)
		result = run_module(rule, &options->loaded[0].use);
	if (result == 0)
		result = add_once(rule, options);
	if (result == 0)
		result = run_matches(rule, options, true);
	if (result == 0)
		result = run_matches(rule, options, false);
	if (result == 0)
		result = run_target(rule, options);
	return result;
}

int
rule_parse(const struct policy_rule *source, unsigned flags, struct arena *arena,
	struct rule *ret, struct err *err)
{
	struct rule_options options;
	int result = rule_options_parse(source, &options, err);

	if (result < 0)
		return result;
	memset(ret, 0, offsetof(struct rule, terms));
	ret->arena = arena;
	ret->err = err;
	ret->section = source->section;
	ret->table = options.table;
	ret->chain = options.chain;
	result = run_modules(ret, &options);
	if (result == 0 && flags & COMPILE_STRICT)
		result = rule_strict_check(ret, &options);
	if (result < 0)
		return result;
	warn_limit(ret);
	return rule_text(ret, &options);
}
