/*
 * rule_strict.c - "--strict": what the hardware of a Cumulus switch would not take,
 * by the documents of Cumulus Linux.
 *
 * Rules of INPUT with a match that only the kernel has stay in the kernel there, too:
 * of those no more is asked.
 */
#include "aclserver/rule_strict.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <linux/if_ether.h>

#include "common/parse.h"

static int
refuse(const struct rule *rule, const char *reason, const char *what)
{
	return err_set(rule->err, -EINVAL, "strict: %s%s%s%s", reason, what ? " (" : "",
		what ? what : "", what ? ")" : "");
}

static bool
is_in(const struct rule *rule, const char *table, const char *chain)
{
	return strcmp(rule->table, table) == 0 && strcmp(rule->chain, chain) == 0;
}

static bool
begins_with(const char *text, const char *begin)
{
	return text && strncmp(text, begin, strlen(begin)) == 0;
}

/* Does the module of @use only exist in the kernel of a switch? */
static bool
is_for_kernel(const struct rule_options *options, const struct option_use *use)
{
	for (size_t i = 1; i < options->n_loaded; i++) {
		const struct loaded *loaded = &options->loaded[i];

		if (!loaded->match || loaded->match->hardware != MATCH_HARDWARE_INPUT)
			continue;
		for (size_t k = 0; k < loaded->use.module->n_options; k++)
			if (loaded->use.uses[k] == use)
				return true;
	}
	return false;
}

static int
check_inversion(const struct rule *rule, const struct rule_options *options)
{
	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];

		if (!use->negate || begins_with(use->option->names[0], "ecn-") ||
			is_for_kernel(options, use))
			continue;
		return refuse(rule,
			"inverted matches are not supported by the hardware",
			arena_printf(rule->arena, "! %s", use->written));
	}
	return 0;
}

/* ---- chains ---- */

static int
check_chain(const struct rule *rule, const struct rule_options *options)
{
	static const char *const known[][2] = {
		{ "filter", "INPUT" },
		{ "filter", "FORWARD" },
		{ "filter", "OUTPUT" },
		{ "mangle", "PREROUTING" },
		{ "mangle", "FORWARD" },
		{ "mangle", "POSTROUTING" },
		{ "nat", "PREROUTING" },
		{ "nat", "POSTROUTING" },
	};

	(void)options;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is_in(rule, known[i][0], known[i][1]))
			return 0;
	return err_set(rule->err, -EINVAL,
		"strict: chain %s of table %s is not supported by the hardware",
		rule->chain, rule->table);
}

/* ---- interfaces ---- */

static int
check_port(const struct rule *rule, const char *port)
{
	size_t len = strlen(port);

	if (len > 0 && port[len - 1] == '+' && strcmp(port, "swp+") != 0 &&
		strcmp(port, "bond+") != 0)
		return err_set(rule->err, -EINVAL,
			"strict: interface \"%s\": the only wildcards are swp+ and "
			"bond+",
			port);
	if (begins_with(port, "eth"))
		return err_set(rule->err, -EINVAL,
			"strict: interface \"%s\": rules on Ethernet ports that are "
			"not switch ports are not put into the hardware",
			port);
	return 0;
}

static int
check_ports(const struct rule *rule, const struct rule_options *options)
{
	const char *in = rule->ports[0], *out = rule->ports[1];
	int result = in ? check_port(rule, in) : 0;

	(void)options;
	if (result == 0 && out)
		result = check_port(rule, out);
	if (result < 0)
		return result;
	if (begins_with(in, "vlan") && begins_with(out, "vlan"))
		return refuse(rule,
			"-i and -o cannot both be VLAN interfaces in the hardware",
			NULL);
	if (out && strchr(out, '.') &&
		(begins_with(out, "swp") || begins_with(out, "bond")))
		return err_set(rule->err, -EINVAL,
			"strict: interface \"%s\": the hardware matches no "
			"sub-interface as -o; name its parent",
			out);
	return 0;
}

/* ---- matches ---- */

static int
check_matches(const struct rule *rule, const struct rule_options *options)
{
	if (rule->section == POLICY_SECTION_EBTABLES && rule->has_proto &&
		rule->proto == ETH_P_802_3)
		return refuse(rule,
			"frames without an EtherType are not known to the hardware",
			"-p LENGTH");
	for (size_t i = 1; i < options->n_loaded; i++) {
		const struct match *match = options->loaded[i].match;

		if (!match)
			continue;
		if (match->hardware == MATCH_HARDWARE_NONE)
			return err_set(rule->err, -EINVAL,
				"strict: match %s is not supported by the hardware",
				match->module.name);
		if (match->hardware == MATCH_HARDWARE_INPUT &&
			strcmp(rule->chain, "INPUT") != 0)
			return err_set(rule->err, -EINVAL,
				"strict: match %s is supported in chain INPUT only",
				match->module.name);
	}
	return 0;
}

/* "1:2" of ports costs a range checker, of which egress has none. */
static int
check_ranges(const struct rule *rule, const struct rule_options *options)
{
	bool egress = rule->names_out && !rule->names_in;

	if (!egress && strcmp(rule->chain, "POSTROUTING") != 0)
		return 0;
	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];

		if (strstr(use->option->names[0], "port") && use->option->n_args == 1 &&
			strchr(use->args[0], ':') && strcmp(rule->table, "nat") != 0)
			return refuse(rule,
				"ranges of ports are for ingress rules only",
				use->written);
	}
	return 0;
}

static int
check_mark(const struct rule *rule, const struct rule_options *options)
{
	enum { MARK_MAX = 4196 };

	for (size_t i = 0; i < options->n_uses; i++) {
		const struct option_use *use = &options->uses[i];
		const char *name = use->option->names[0];
		uint32_t mark;

		if (strcmp(name, "mark") != 0 && strcmp(name, "mark-set") != 0)
			continue;
		if (strchr(use->args[0], '/'))
			return refuse(rule, "marks have no mask in the hardware",
				use->written);
		if (parse_u32(use->args[0], 0, UINT32_MAX, &mark) == 0 &&
			mark > MARK_MAX)
			return refuse(rule, "marks of the hardware are 101 to 4196",
				use->args[0]);
	}
	return 0;
}

/* ---- options ---- */

struct unsupported {
	const char *module; /* of a match or target; "" = any */
	const char *option; /* its long name; a '-' at the end: all that begin so */
};

static const struct unsupported unsupported[] = {
	{ "", "logical-in" },
	{ "", "logical-out" },
	{ "", "ip-icmp-type" },
	{ "addrtype", "src-type" },
	{ "LOG", "log-tcp-" },
	{ "LOG", "log-ip-" },
	{ "LOG", "log-uid" },
	{ "LOG", "log-macdecode" },
	{ "mark", "mark-and" },
	{ "mark", "mark-or" },
	{ "mark", "mark-xor" },
	{ "SNAT", "random" },
	{ "SNAT", "random-fully" },
	{ "SNAT", "persistent" },
	{ "DNAT", "random" },
	{ "DNAT", "persistent" },
};

static bool
names(const struct unsupported *row, const char *module, const char *option)
{
	size_t len = strlen(row->option);

	if (*row->module && strcmp(row->module, module) != 0)
		return false;
	return row->option[len - 1] == '-' ? strncmp(row->option, option, len) == 0
					   : strcmp(row->option, option) == 0;
}

static const struct option_use *
find_unsupported(const struct module_use *use)
{
	for (size_t i = 0; i < use->module->n_options; i++)
		for (size_t k = 0; use->uses[i] &&
				   k < sizeof(unsupported) / sizeof(unsupported[0]);
			k++)
			if (names(&unsupported[k], use->module->name,
				    use->uses[i]->option->names[0]))
				return use->uses[i];
	return NULL;
}

static int
check_options(const struct rule *rule, const struct rule_options *options)
{
	for (size_t i = 0; i < options->n_loaded; i++) {
		const struct option_use *found =
			find_unsupported(&options->loaded[i].use);

		if (found)
			return err_set(rule->err, -EINVAL,
				"strict: option %s is not supported by the hardware",
				found->written);
	}
	return 0;
}

/* ---- targets ---- */

static int
check_target(const struct rule *rule, const char *target)
{
	bool ip4 = rule->section == POLICY_SECTION_IPTABLES;
	const char *out = rule->ports[1];

	if (strcmp(target, "NFLOG") == 0 || strcmp(target, "MARK") == 0)
		return err_set(rule->err, -EINVAL,
			"strict: target %s is not supported by the hardware", target);
	if (!ip4 && (strcmp(target, "SPAN") == 0 || strcmp(target, "ERSPAN") == 0))
		return err_set(rule->err, -EINVAL,
			"strict: target %s is for [iptables] only", target);
	if (strcasecmp(target, "TRICOLORPOLICE") == 0 &&
		strcmp(rule->table, "filter") != 0)
		return err_set(rule->err, -EINVAL,
			"strict: target %s is for table filter only", target);
	if (strcmp(target, "setqos") == 0 &&
		(strcmp(rule->chain, "FORWARD") != 0 || !begins_with(out, "swp")))
		return refuse(rule,
			"target setqos needs chain FORWARD and a switch port",
			"-o swp1");
	return 0;
}

static int
check_targets(const struct rule *rule, const struct rule_options *options)
{
	for (size_t i = 1; i < options->n_loaded; i++)
		if (options->loaded[i].target)
			return check_target(
				rule, options->loaded[i].target->module.name);
	return 0;
}

typedef int (*check_fn)(const struct rule *rule, const struct rule_options *options);

static const check_fn checks[] = { check_inversion, check_chain, check_ports,
	check_matches, check_ranges, check_mark, check_options, check_targets };

int
rule_strict_check(const struct rule *rule, const struct rule_options *options)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
		result = checks[i](rule, options);
	return result;
}

/* ---- LOG ---- */

static bool
has_chain_of_hardware(const char *chains)
{
	return strcmp(chains, "INPUT") != 0 && strcmp(chains, "OUTPUT") != 0;
}

static bool
is_word(const struct policy_token *token, const char *text)
{
	return !token->quoted && strcmp(token->text, text) == 0;
}

/* Index of the next token from @at on that says which packets; those of the target are
 * passed over, and *@ret_target is set. */
static size_t
next_match(const struct policy_rule *rule, size_t at, const char **ret_target)
{
	while (at + 1 < rule->n_tokens) {
		const struct policy_token *token = &rule->tokens[at];

		if (is_word(token, "-j") || is_word(token, "--jump"))
			*ret_target = rule->tokens[at + 1].text;
		else if (!is_word(token, "--log-prefix") &&
			 !is_word(token, "--log-level"))
			break;
		at += 2;
	}
	return at;
}

bool
rule_strict_logs_forwarded(
	const struct policy_rule *rule, const struct policy_rule *next)
{
	const char *target = "", *next_target = "";
	size_t a = next_match(rule, 0, &target);
	size_t b = next ? next_match(next, 0, &next_target) : 0;
	bool same = next && next->section == rule->section;

	while (a < rule->n_tokens) {
		const char *text = rule->tokens[a].text;

		if (is_word(&rule->tokens[a], "-A") && a + 1 < rule->n_tokens &&
			!has_chain_of_hardware(rule->tokens[a + 1].text))
			return false;
		same = same && b < next->n_tokens &&
		       strcmp(text, next->tokens[b].text) == 0;
		a = next_match(rule, a + 1, &target);
		if (same)
			b = next_match(next, b + 1, &next_target);
	}
	if (strcmp(target, "LOG") != 0)
		return false;
	return !(same && b == next->n_tokens && strcmp(next_target, "DROP") == 0);
}
