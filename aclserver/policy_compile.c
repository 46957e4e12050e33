/*
 * policy_compile.c - text of one rule file -> kernel rules, grouped by place.
 *
 * The last station of the pure part: policy_parse.c, policy_expand.c, rule_parse.c,
 * placement.c, and here the copies for each place, their order and their hashes.
 */
#include "aclserver/ruleset.h"

#include <errno.h>
#include <string.h>

#include <linux/netfilter.h>

#include "aclserver/hash.h"
#include "aclserver/recent.h"
#include "aclserver/rule_parse.h"
#include "aclserver/rule_strict.h"

/* Reasons already given for one rule as written; its expansion would repeat them. */
enum { REASONS_MAX = 8 };

struct compiler {
	const char *file;    /* for messages */
	struct arena *arena; /* owns the result */
	struct diags *diags;
	unsigned flags;                   /* enum compile_flags */
	bool failed;                      /* an error was added to diags */
	const char *reasons[REASONS_MAX]; /* the arena's, or borrowed for ever */
	size_t n_reasons;
	struct ruleset_rule *rules; /* in the order of the file */
	size_t n_rules;
	size_t rules_size;
};

/* ---- messages ---- */

/* True the first time for each reason of the present rule. */
static bool
reason_is_new(struct compiler *c, const char *reason)
{
	for (size_t i = 0; i < c->n_reasons; i++)
		if (strcmp(c->reasons[i], reason) == 0)
			return false;
	if (c->n_reasons < REASONS_MAX)
		c->reasons[c->n_reasons++] = reason;
	return true;
}

static int
refuse(struct compiler *c, const struct policy_rule *source, const struct err *err)
{
	const char *reason = arena_strdup(c->arena, err->text);

	c->failed = true;
	if (!reason)
		return -ENOMEM;
	if (reason_is_new(c, reason))
		diags_add(c->diags, DIAG_ERROR, c->file, source->line, source->text,
			"%s", reason);
	return 0;
}

static void
warn(struct compiler *c, const struct policy_rule *source, const char *reason)
{
	if (reason_is_new(c, reason))
		diags_add(c->diags, DIAG_WARNING, c->file, source->line, source->text,
			"%s", reason);
}

/* ---- hashes ---- */

static void
hash_test(struct hash *h, const struct ruleset_test *test)
{
	size_t size = field_info(test->field)->size;

	hash_add_u64(h, test->field);
	hash_add_u64(h, (uint64_t)test->negate | (uint64_t)test->has_mask << 1 |
				(uint64_t)test->prefix << 2);
	hash_add(h, test->mask, sizeof(test->mask));
	hash_add_text(h, test->ifname);
	hash_add_u64(h, test->n_ranges);
	for (size_t i = 0; i < test->n_ranges; i++) {
		hash_add(h, test->ranges[i].lo, size);
		hash_add(h, test->ranges[i].hi, size);
	}
}

static void
hash_log(struct hash *h, const struct ruleset_log *log)
{
	hash_add_text(h, log->prefix);
	hash_add_u64(h, log->level);
	hash_add_u64(h, log->flags);
	hash_add_u64(h, log->to_group);
	hash_add_u64(h, (uint64_t)log->group << 32 | log->threshold);
	hash_add_u64(h, log->snaplen);
}

static void
hash_nat(struct hash *h, const struct ruleset_nat *nat)
{
	hash_add_u64(h, (uint64_t)nat->source | (uint64_t)nat->ip6 << 1 |
				(uint64_t)nat->has_address << 2 |
				(uint64_t)nat->has_port << 3);
	hash_add(h, nat->lo, sizeof(nat->lo));
	hash_add(h, nat->hi, sizeof(nat->hi));
	hash_add_u64(h, (uint64_t)nat->port_lo << 16 | nat->port_hi);
	hash_add_u64(h, nat->flags);
}

/* Statements that write to the packet. */
static void
hash_write(struct hash *h, const struct ruleset_term *term)
{
	switch (term->kind) {
	case TERM_SET_DSCP:
		hash_add_u64(h, term->dscp.field);
		hash_add_u64(h, term->dscp.value);
		break;
	case TERM_SET_MARK:
		hash_add_u64(h, (uint64_t)term->mark.keep << 32 | term->mark.flip);
		break;
	case TERM_SET_ETHER:
		hash_add_u64(h, term->ether.field);
		hash_add(h, term->ether.address, sizeof(term->ether.address));
		break;
	default:
		hash_add_u64(h, term->number);
	}
}

static void
hash_limit(struct hash *h, const struct ruleset_limit *limit)
{
	hash_add_u64(h, limit->rate);
	hash_add_u64(h, limit->unit_s);
	hash_add_u64(h, limit->burst);
	hash_add_u64(h, (uint64_t)limit->bytes | (uint64_t)limit->over << 1);
}

static void
hash_meter(struct hash *h, const struct ruleset_meter *meter)
{
	hash_add_text(h, meter->set->name);
	hash_add_u64(h, meter->op);
	for (size_t i = 0; i < meter->n_parts; i++) {
		hash_add_u64(h, meter->parts[i].field);
		hash_add(h, meter->parts[i].mask, sizeof(meter->parts[i].mask));
	}
	if (meter->limit)
		hash_limit(h, meter->limit);
}

static void
hash_term(struct hash *h, const struct ruleset_term *term)
{
	hash_add_u64(h, term->kind);
	switch (term->kind) {
	case TERM_TEST:
		hash_test(h, &term->test);
		break;
	case TERM_LIMIT:
		hash_limit(h, &term->limit);
		break;
	case TERM_METER:
		hash_meter(h, &term->meter);
		break;
	case TERM_COUNTER:
	case TERM_RECENT: /* resolved before the hash that counts */
		break;
	case TERM_LOG:
		hash_log(h, &term->log);
		break;
	case TERM_SET_DSCP:
	case TERM_SET_PRIORITY:
	case TERM_SET_PCP:
	case TERM_SET_MARK:
	case TERM_SET_ETHER:
		hash_write(h, term);
		break;
	case TERM_NAT:
		hash_nat(h, &term->nat);
		break;
	case TERM_DUP:
		hash_add_text(h, term->device);
		break;
	case TERM_VERDICT:
		hash_add_u64(h, term->verdict);
		break;
	}
}

static struct ruleset_hash
hash_rule(const struct ruleset_rule *rule)
{
	struct hash h;

	hash_init(&h);
	hash_add_u64(&h, rule->place);
	hash_add_u64(&h, rule->n_terms);
	for (size_t i = 0; i < rule->n_terms; i++)
		hash_term(&h, &rule->terms[i]);
	hash_add_text(&h, rule->text);
	return hash_value(&h);
}

static struct ruleset_hash
hash_rules(const struct ruleset_rule *rules, size_t n)
{
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; i < n; i++)
		hash_add(&h, rules[i].hash.w, sizeof(rules[i].hash.w));
	return hash_value(&h);
}

/* ---- copies for each place ---- */

static struct ruleset_rule *
append_rule(struct compiler *c)
{
	enum { FIRST_SIZE = 4 };

	if (c->n_rules == c->rules_size) {
		size_t size = c->rules_size ? 2 * c->rules_size : FIRST_SIZE;
		struct ruleset_rule *rules =
			arena_alloc(c->arena, size * sizeof(*rules));

		if (!rules)
			return NULL;
		if (c->n_rules > 0)
			memcpy(rules, c->rules, c->n_rules * sizeof(*rules));
		c->rules = rules;
		c->rules_size = size;
	}
	return &c->rules[c->n_rules++];
}

static uint8_t
place_families(enum place place)
{
	switch (place_base(place)) {
	case BASE_BRIDGE_PREROUTING_MARK:
		return RULE_EARLY;
	case BASE_BRIDGE_FORWARD_MARK:
		return RULE_EARLY_FORWARD;
	case BASE_NETDEV_PORT_IN:
		return RULE_PORT_IN;
	case BASE_NETDEV_PORT_OUT:
		return RULE_PORT_OUT;
	default:
		return base_info(place_base(place))->family == NFPROTO_BRIDGE
			       ? RULE_BRIDGE
			       : RULE_INET;
	}
}

/* The same for tests: at a port, names are those that the bridge sees. */
static uint8_t
test_families(enum place place)
{
	if (base_info(place_base(place))->family == NFPROTO_INET)
		return RULE_INET;
	return place_is_routed(place) ? RULE_ROUTED : RULE_BRIDGE;
}

/* One copy of a rule. */
struct copy {
	const struct rule *rule;
	const struct rule_part *part; /* or NULL */
	unsigned branches;            /* bit 0 = branch of the first split, and so on */
	enum place place;
};

/* Write the tests of @copy to @ret, which may be NULL to count. Returns how many. */
static size_t
put_tests(const struct copy *copy, struct ruleset_term *ret)
{
	uint8_t families = test_families(copy->place);
	unsigned branches = copy->branches;
	size_t n = 0;

	for (size_t i = 0; i < copy->rule->n_terms; i++) {
		const struct rule_term *term = &copy->rule->terms[i];
		const struct rule_branch *branch;

		if (!(term->families & families))
			continue;
		if (!term->split) {
			if (ret)
				ret[n] = term->term;
			n++;
			continue;
		}
		branch = &term->split->branches[branches & 1];
		branches >>= 1;
		for (size_t k = 0; k < branch->n_tests; k++, n++)
			if (ret)
				ret[n] = (struct ruleset_term){ TERM_TEST,
					{ .test = branch->tests[k] } };
	}
	return n;
}

/* The same for all terms. */
static size_t
put_terms(const struct copy *copy, struct ruleset_term *ret)
{
	const struct rule *rule = copy->rule;
	size_t n = put_tests(copy, ret);

	if (copy->part) {
		if (ret)
			memcpy(ret + n, copy->part->terms,
				copy->part->n_terms * sizeof(*ret));
		return n + copy->part->n_terms;
	}
	if (ret)
		ret[n] = (struct ruleset_term){ .kind = TERM_COUNTER };
	n++;
	if (ret)
		memcpy(ret + n, rule->statements, rule->n_statements * sizeof(*ret));
	return n + rule->n_statements;
}

static int
add_copy(struct compiler *c, const struct policy_rule *source, const struct copy *copy,
	bool is_part)
{
	struct ruleset_rule *to = append_rule(c);

	if (!to)
		return -ENOMEM;
	to->place = copy->place;
	to->section = source->section;
	to->line = source->line;
	to->written = source->text;
	to->text = copy->rule->text;
	to->is_part = is_part;
	to->n_terms = put_terms(copy, NULL);
	to->terms = arena_alloc(c->arena, to->n_terms * sizeof(*to->terms));
	if (!to->terms)
		return -ENOMEM;
	(void)put_terms(copy, to->terms); /* counted above */
	to->hash = hash_rule(to);
	return 0;
}

static unsigned
count_splits(const struct rule *rule, uint8_t families)
{
	unsigned n = 0;

	for (size_t i = 0; i < rule->n_terms; i++)
		if (rule->terms[i].split && rule->terms[i].families & families)
			n++;
	return n;
}

/* One kernel rule for each combination of branches, and each part of them. */
static int
add_copies(struct compiler *c, const struct policy_rule *source,
	const struct rule *rule, enum place place)
{
	const uint8_t usual = RULE_INET | RULE_BRIDGE;
	struct copy copy = { .rule = rule, .place = place };
	unsigned n_splits = count_splits(rule, test_families(place));
	bool is_part = false;
	int result = 0;

	if (rule->n_parts == 0 && !(place_families(place) & usual))
		return 0;
	for (; result == 0 && copy.branches < 1u << n_splits; copy.branches++) {
		if (rule->n_parts == 0) {
			result = add_copy(c, source, &copy, is_part);
			is_part = true;
		}
		for (size_t i = 0; result == 0 && i < rule->n_parts; i++) {
			copy.part = &rule->parts[i];
			if (!(copy.part->families & place_families(place)))
				continue;
			result = add_copy(c, source, &copy, is_part);
			is_part = true;
		}
	}
	return result;
}

/* What the bridge cannot test is tested ahead of it. */
static bool
stands_at_routed(const struct compiler *c, const struct rule *rule, enum place place)
{
	bool is_bridge = base_info(place_base(place))->family == NFPROTO_BRIDGE;

	return c->flags & COMPILE_ROUTED && !rule->no_inet &&
	       is_bridge == !rule->no_bridge;
}

static int
place_rule(
	struct compiler *c, const struct policy_rule *source, const struct rule *rule)
{
	struct placement_query query = { rule->section, rule->table, rule->chain };
	enum place places[PLACES_MAX];
	int n = placement_find(&query, places);
	int result = n < 0 ? n : 0;

	for (int i = 0; result == 0 && i < n; i++) {
		if (rule->no_inet && place_families(places[i]) == RULE_INET)
			continue;
		if (place_is_routed(places[i]) && !stands_at_routed(c, rule, places[i]))
			continue;
		if (rule->no_bridge && place_families(places[i]) == RULE_BRIDGE) {
			if (*rule->no_bridge)
				warn(c, source, rule->no_bridge);
			continue;
		}
		result = add_copies(c, source, rule, places[i]);
	}
	return result;
}

/* ---- the file ---- */

static int
compile_simple(struct compiler *c, const struct policy_rule *source)
{
	struct err err = { 0 };
	struct rule rule;
	int result = rule_parse(source, c->flags, c->arena, &rule, &err);

	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return refuse(c, source, &err);
	for (size_t i = 0; i < rule.n_warnings; i++)
		warn(c, source, rule.warnings[i]);
	return place_rule(c, source, &rule);
}

static void
check_log(struct compiler *c, const struct policy_rules *written, size_t i)
{
	const struct policy_rule *rule = &written->items[i];
	const struct policy_rule *next = i + 1 < written->n ? rule + 1 : NULL;

	if (!(c->flags & COMPILE_STRICT) || !rule_strict_logs_forwarded(rule, next))
		return;
	c->failed = true;
	diags_add(c->diags, DIAG_ERROR, c->file, rule->line, rule->text,
		"strict: the hardware logs only what it drops: the same rule with -j "
		"DROP has to follow");
}

/* Expand each rule and compile what it stands for. */
static int
compile_rules(struct compiler *c, const struct policy_rules *written)
{
	struct policy_rules simple = { 0 };
	size_t done = 0;

	for (size_t i = 0; i < written->n; i++) {
		int result = policy_expand(
			c->file, &written->items[i], c->arena, &simple, c->diags);

		if (result == -ENOMEM)
			return result;
		if (result < 0)
			c->failed = true;
		if (result == -E2BIG)
			return 0;
		check_log(c, written, i);
		for (c->n_reasons = 0; done < simple.n; done++) {
			result = compile_simple(c, &simple.items[done]);
			if (result < 0)
				return result;
		}
	}
	return 0;
}

/* Now that all rules are known, the sets behind -m recent. */
static int
resolve_recent(struct compiler *c)
{
	struct recent_rules rules = { c->rules, c->n_rules };
	size_t bad = 0;
	int result = recent_resolve(c->file, c->arena, &rules, &bad);

	if (result == -E2BIG) {
		c->failed = true;
		diags_add(c->diags, DIAG_ERROR, c->file, c->rules[bad].line,
			c->rules[bad].written,
			"the rules of one --name ask for more than %d different "
			"--seconds and --hitcount",
			RECENT_KINDS_MAX);
		return 0;
	}
	if (result <= 0)
		return result;
	c->rules = rules.items;
	c->n_rules = rules.n;
	for (size_t i = 0; i < c->n_rules; i++)
		c->rules[i].hash = hash_rule(&c->rules[i]);
	return 0;
}

/* Sort by place; inside a place the order stays. */
static int
group(const struct compiler *c, struct ruleset_file *ret)
{
	size_t next[PLACE_COUNT];
	size_t first = 0;

	memset(ret, 0, sizeof(*ret));
	ret->n_rules = c->n_rules;
	ret->rules = arena_alloc(c->arena, c->n_rules * sizeof(*ret->rules));
	if (!ret->rules)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_rules; i++)
		ret->count[c->rules[i].place]++;
	for (size_t place = 0; place < PLACE_COUNT; place++) {
		ret->first[place] = next[place] = first;
		first += ret->count[place];
	}
	for (size_t i = 0; i < c->n_rules; i++)
		ret->rules[next[c->rules[i].place]++] = c->rules[i];
	for (size_t place = 0; place < PLACE_COUNT; place++)
		if (ret->count[place] > 0)
			ret->hash[place] = hash_rules(
				ret->rules + ret->first[place], ret->count[place]);
	return 0;
}

int
policy_compile(const char *file, const char *text, size_t len,
	const struct policy_vars *vars, unsigned flags, struct arena *arena,
	struct ruleset_file *ret, struct diags *diags)
{
	struct compiler c = { .file = file, .arena = arena, .diags = diags };
	struct policy_rules written;
	int result = policy_parse(file, text, len, vars, arena, &written, diags);

	if (result == -ENOMEM)
		return result;
	c.failed = result < 0;
	c.flags = flags;
	result = compile_rules(&c, &written);
	if (result == 0)
		result = resolve_recent(&c);
	if (result < 0)
		return result;
	return c.failed ? -EINVAL : group(&c, ret);
}
