/*
 * rule.c - building one simple rule: tests, statements, texts for refusals.
 */
#include "aclserver/rule.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"

void
rule_put_number(enum field field, uint64_t value, uint8_t ret[FIELD_SIZE_MAX])
{
	size_t size = field_info(field)->size;

	for (size_t i = size; i-- > 0; value >>= 8)
		ret[i] = (uint8_t)value;
}

static struct rule_term *
add_term(struct rule *rule, enum term_kind kind)
{
	struct rule_term *term;

	if (rule->n_terms == RULE_TERMS_MAX) {
		(void)err_set(rule->err, -EINVAL, "more than %d tests in one rule",
			RULE_TERMS_MAX);
		return NULL;
	}
	term = &rule->terms[rule->n_terms++];
	memset(term, 0, sizeof(*term));
	term->term.kind = kind;
	term->families = RULE_INET | RULE_BRIDGE | RULE_ROUTED;
	return term;
}

int
rule_add_test(struct rule *rule, const struct ruleset_test *test)
{
	struct rule_term *term = add_term(rule, TERM_TEST);

	if (!term)
		return -EINVAL;
	term->term.test = *test;
	return 0;
}

/* Plus one in network order; false if it was all ones. */
static bool
increment(uint8_t *value, size_t size)
{
	for (size_t i = size; i-- > 0;)
		if (++value[i] != 0)
			return true;
	return false;
}

/* @b begins inside @a or directly behind it; @a begins first. */
static bool
touches(const struct ruleset_range *a, const struct ruleset_range *b, size_t size)
{
	uint8_t behind[FIELD_SIZE_MAX];

	memcpy(behind, a->hi, size);
	return !increment(behind, size) || memcmp(b->lo, behind, size) <= 0;
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct ruleset_range *ra = a, *rb = b;

	return memcmp(ra->lo, rb->lo, sizeof(ra->lo));
}

size_t
rule_merge_ranges(enum field field, struct ruleset_range *ranges, size_t n)
{
	size_t size = field_info(field)->size;
	size_t last = 0;

	if (n == 0)
		return 0;
	/* Bytes behind size are zero, so whole values can be compared. */
	qsort(ranges, n, sizeof(*ranges), compare_ranges);
	for (size_t i = 1; i < n; i++) {
		if (!touches(&ranges[last], &ranges[i], size))
			ranges[++last] = ranges[i];
		else if (memcmp(ranges[i].hi, ranges[last].hi, size) > 0)
			memcpy(ranges[last].hi, ranges[i].hi, size);
	}
	return last + 1;
}

int
rule_add_ranges(struct rule *rule, enum field field, bool negate,
	struct ruleset_range *ranges, size_t n)
{
	struct ruleset_test test = { .field = field, .negate = negate };

	test.ranges = ranges;
	test.n_ranges = rule_merge_ranges(field, ranges, n);
	return rule_add_test(rule, &test);
}

int
rule_add_number(
	struct rule *rule, enum field field, bool negate, uint64_t lo, uint64_t hi)
{
	struct ruleset_range *range = arena_alloc(rule->arena, sizeof(*range));

	if (!range)
		return -ENOMEM;
	if (lo > hi) {
		/* Never: the negation of everything. */
		negate = !negate;
		memset(range->hi, 0xff, field_info(field)->size);
	} else {
		rule_put_number(field, lo, range->lo);
		rule_put_number(field, hi, range->hi);
	}
	return rule_add_ranges(rule, field, negate, range, 1);
}

int
rule_add_masked(
	struct rule *rule, enum field field, bool negate, uint64_t mask, uint64_t value)
{
	uint8_t mask_bytes[FIELD_SIZE_MAX] = { 0 };
	uint8_t value_bytes[FIELD_SIZE_MAX] = { 0 };

	rule_put_number(field, mask, mask_bytes);
	rule_put_number(field, value, value_bytes);
	return rule_add_bytes(rule, field, negate, mask_bytes, value_bytes);
}

int
rule_add_bytes(struct rule *rule, enum field field, bool negate, const uint8_t *mask,
	const uint8_t *value)
{
	size_t size = field_info(field)->size;
	struct ruleset_test test = { .field = field, .negate = negate };
	struct ruleset_range *range = arena_alloc(rule->arena, sizeof(*range));

	if (!range)
		return -ENOMEM;
	memcpy(range->lo, value, size);
	memcpy(range->hi, value, size);
	test.ranges = range;
	test.n_ranges = 1;
	for (size_t i = 0; i < size; i++)
		test.has_mask |= mask[i] != 0xff;
	if (test.has_mask)
		memcpy(test.mask, mask, size);
	return rule_add_test(rule, &test);
}

int
rule_make_ifname(
	struct rule *rule, enum field field, const char *name, struct ruleset_test *ret)
{
	size_t len = strlen(name);

	*ret = (struct ruleset_test){ .field = field };
	ret->prefix = len > 0 && name[len - 1] == '+';
	ret->ifname = arena_strndup(rule->arena, name, len - ret->prefix);
	return ret->ifname ? 0 : -ENOMEM;
}

int
rule_add_ifname(struct rule *rule, enum field field, bool negate, const char *name)
{
	struct ruleset_test test;
	int result = rule_make_ifname(rule, field, name, &test);

	test.negate = negate;
	return result < 0 ? result : rule_add_test(rule, &test);
}

int
rule_add_split(struct rule *rule, const struct rule_split *split)
{
	struct rule_term *term;

	if (!split->alternates && rule->n_splits == RULE_SPLITS_MAX)
		return err_set(rule->err, -EINVAL,
			"more than %d matches of the kind \"this or that\" (--ports, "
			"an inverted ICMP code) in one rule",
			RULE_SPLITS_MAX);
	term = add_term(rule, TERM_TEST);
	if (!term)
		return -EINVAL;
	term->split = split;
	rule->n_splits += !split->alternates;
	return 0;
}

int
rule_add_limit(struct rule *rule, const struct ruleset_limit *limit)
{
	struct rule_term *term = add_term(rule, TERM_LIMIT);

	if (!term)
		return -EINVAL;
	term->term.limit = *limit;
	return 0;
}

int
rule_add_meter(struct rule *rule, const struct ruleset_meter *meter)
{
	struct rule_term *term = add_term(rule, TERM_METER);

	if (!term)
		return -EINVAL;
	term->term.meter = *meter;
	return 0;
}

int
rule_add_recent(struct rule *rule, const struct ruleset_recent *recent)
{
	struct rule_term *term = add_term(rule, TERM_RECENT);

	if (!term)
		return -EINVAL;
	term->term.recent = *recent;
	return 0;
}

int
rule_add_statement(struct rule *rule, const struct ruleset_term *statement)
{
	assert(rule->n_statements < RULE_STATEMENTS_MAX);
	rule->statements[rule->n_statements++] = *statement;
	return 0;
}

struct rule_part *
rule_add_part(struct rule *rule, uint8_t families)
{
	struct rule_part *part = &rule->parts[rule->n_parts];

	assert(rule->n_parts < RULE_PARTS_MAX);
	rule->n_parts++;
	part->families = families;
	part->n_terms = 0;
	return part;
}

void
rule_part_add(struct rule_part *part, const struct ruleset_term *term)
{
	assert(part->n_terms < RULE_PART_TERMS_MAX);
	part->terms[part->n_terms++] = *term;
}

int
rule_part_test(
	struct rule *rule, struct rule_part *part, enum field field, uint64_t value)
{
	struct ruleset_range *range = arena_alloc(rule->arena, sizeof(*range));
	struct ruleset_term term = { .kind = TERM_TEST };

	if (!range)
		return -ENOMEM;
	rule_put_number(field, value, range->lo);
	rule_put_number(field, value, range->hi);
	term.test =
		(struct ruleset_test){ .field = field, .ranges = range, .n_ranges = 1 };
	rule_part_add(part, &term);
	return 0;
}

int
rule_warn(struct rule *rule, const char *text)
{
	for (size_t i = 0; i < rule->n_warnings; i++)
		if (strcmp(rule->warnings[i], text) == 0)
			return 0;
	if (rule->n_warnings < RULE_WARNINGS_MAX)
		rule->warnings[rule->n_warnings++] = text;
	return 0;
}

void
rule_restrict_last(struct rule *rule, uint8_t families)
{
	assert(rule->n_terms > 0);
	rule->terms[rule->n_terms - 1].families = families;
}

int
option_refuse(struct rule *rule, const struct option_use *use, const char *reason)
{
	return err_set(rule->err, -EINVAL, "%s \"%s\": %s", use->written, use->args[0],
		reason);
}

int
option_number(struct rule *rule, const struct option_use *use, uint32_t min,
	uint32_t max, uint32_t *ret)
{
	int result = parse_u32(use->args[0], min, max, ret);

	if (result == 0)
		return 0;
	return err_set(rule->err, -EINVAL, "%s \"%s\": not a number from %u to %u",
		use->written, use->args[0], min, max);
}
