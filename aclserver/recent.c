/*
 * recent.c - see recent.h.
 */
#include "aclserver/recent.h"

#include <errno.h>
#include <string.h>

#include "aclserver/meter_name.h"

enum {
	DAY_S = 86400,      /* how long "ever" is */
	WEEK_S = 7 * DAY_S, /* a bucket gets one packet back in that time: never */
	SIZE = 65535,
};

/* What a rule asks of a table. */
struct kind {
	uint32_t seconds;                 /* 0 = ever */
	uint32_t hits;                    /* 0 = seen at all */
	struct ruleset_meter_set seen;    /* hits == 0 */
	struct ruleset_meter_set counted; /* hits > 0: who is being counted, … */
	struct ruleset_meter_set reached; /* … and who has reached the number */
	struct ruleset_limit limit;
};

struct table {
	const char *name;
	bool ip6;
	struct kind *kinds[RECENT_KINDS_MAX];
	size_t n_kinds;
};

struct resolving {
	const char *file;
	struct arena *arena;
	struct table *tables; /* as many as rules, at most */
	size_t n_tables;
};

/* The term of @rule, or NULL. */
static const struct ruleset_recent *
recent_of(const struct ruleset_rule *rule, size_t *ret_at)
{
	for (size_t i = 0; i < rule->n_terms; i++)
		if (rule->terms[i].kind == TERM_RECENT) {
			*ret_at = i;
			return &rule->terms[i].recent;
		}
	return NULL;
}

static struct table *
table_of(struct resolving *r, const struct ruleset_recent *recent)
{
	for (size_t i = 0; i < r->n_tables; i++)
		if (r->tables[i].ip6 == recent->ip6 &&
			strcmp(r->tables[i].name, recent->name) == 0)
			return &r->tables[i];
	r->tables[r->n_tables] =
		(struct table){ .name = recent->name, .ip6 = recent->ip6 };
	return &r->tables[r->n_tables++];
}

static struct kind *
kind_of(const struct table *table, uint32_t seconds, uint32_t hits)
{
	for (size_t i = 0; i < table->n_kinds; i++)
		if (table->kinds[i]->seconds == seconds &&
			table->kinds[i]->hits == hits)
			return table->kinds[i];
	return NULL;
}

static int
make_set(const struct resolving *r, const struct table *table, const struct kind *kind,
	const char *what, struct ruleset_meter_set *ret)
{
	const char *slash = strrchr(r->file, '/');
	struct hash h;

	hash_init(&h);
	hash_add_text(&h, slash ? slash + 1 : r->file);
	hash_add_text(&h, table->name);
	hash_add_text(&h, what);
	hash_add_u64(&h, kind->seconds);
	hash_add_u64(&h, kind->hits);
	ret->name = meter_name_new(r->arena, "recent", table->ip6, table->name, &h);
	ret->timeout_ms = (kind->seconds ? kind->seconds : DAY_S) * UINT64_C(1000);
	ret->size = SIZE;
	return ret->name ? 0 : -ENOMEM;
}

static int
add_kind(struct resolving *r, struct table *table, uint32_t seconds, uint32_t hits)
{
	struct kind *kind;

	if (kind_of(table, seconds, hits))
		return 0;
	if (table->n_kinds == RECENT_KINDS_MAX)
		return -E2BIG;
	kind = arena_alloc(r->arena, sizeof(*kind));
	if (!kind)
		return -ENOMEM;
	*kind = (struct kind){ .seconds = seconds, .hits = hits };
	kind->limit = (struct ruleset_limit){
		.rate = 1, .unit_s = WEEK_S, .burst = hits - 1, .over = true
	};
	table->kinds[table->n_kinds++] = kind;
	if (hits == 0)
		return make_set(r, table, kind, "seen", &kind->seen);
	if (make_set(r, table, kind, "counted", &kind->counted) < 0)
		return -ENOMEM;
	return make_set(r, table, kind, "reached", &kind->reached);
}

/* Find all tables, and what is asked of them. That an address is there at all is asked
 * by --remove, and must be known where nothing else is. */
static int
collect(struct resolving *r, const struct recent_rules *rules, size_t *ret_bad)
{
	int result = 0;

	for (size_t i = 0; i < rules->n && result == 0; i++) {
		size_t at;
		const struct ruleset_recent *recent = recent_of(&rules->items[i], &at);

		if (!recent)
			continue;
		*ret_bad = i;
		if (recent->op == RECENT_CHECK || recent->op == RECENT_UPDATE)
			result = add_kind(
				r, table_of(r, recent), recent->seconds, recent->hits);
		else
			result = add_kind(r, table_of(r, recent), 0, 0);
	}
	return result;
}

/* ---- terms ---- */

/* The terms of one rule under construction. */
struct terms {
	struct ruleset_term *items;
	size_t n;
};

static void
put(struct terms *terms, const struct ruleset_recent *recent,
	const struct ruleset_meter_set *set, enum ruleset_meter_op op,
	const struct ruleset_limit *limit)
{
	struct ruleset_term *term = &terms->items[terms->n++];

	*term = (struct ruleset_term){ .kind = TERM_METER };
	term->meter.set = set;
	term->meter.op = op;
	term->meter.parts[0] = recent->part;
	term->meter.n_parts = 1;
	term->meter.limit = limit;
}

/* Everything ahead of the term, and the question that it asks. */
static void
put_question(struct terms *terms, const struct ruleset_rule *rule, size_t at,
	const struct table *table)
{
	const struct ruleset_recent *recent = &rule->terms[at].recent;
	enum ruleset_meter_op op = recent->negate ? METER_MISS : METER_FIND;
	const struct kind *kind;

	memcpy(terms->items, rule->terms, at * sizeof(*terms->items));
	terms->n = at;
	if (recent->op == RECENT_SET)
		return;
	kind = recent->op == RECENT_REMOVE
		       ? kind_of(table, 0, 0)
		       : kind_of(table, recent->seconds, recent->hits);
	put(terms, recent, kind->hits ? &kind->reached : &kind->seen, op, NULL);
}

static void
put_writes(struct terms *terms, const struct ruleset_recent *recent,
	const struct table *table)
{
	bool removes = recent->op == RECENT_REMOVE;

	if (recent->op == RECENT_CHECK)
		return;
	for (size_t i = 0; i < table->n_kinds; i++) {
		const struct kind *kind = table->kinds[i];

		if (kind->hits == 0)
			put(terms, recent, &kind->seen,
				removes ? METER_DELETE : METER_UPDATE, NULL);
		else if (removes) {
			put(terms, recent, &kind->counted, METER_DELETE, NULL);
			put(terms, recent, &kind->reached, METER_DELETE, NULL);
		}
	}
}

static struct terms
new_terms(const struct resolving *r, const struct ruleset_rule *rule)
{
	/* A question and at most two terms for each kind. */
	size_t most = rule->n_terms + 1 + 2 * RECENT_KINDS_MAX;

	return (struct terms){
		arena_alloc(r->arena, most * sizeof(struct ruleset_term)), 0
	};
}

/* The rule in front of @rule that counts the hits of @kind: the bucket lets nothing
 * through but what exceeds it. */
static int
add_counting(const struct resolving *r, const struct ruleset_rule *rule, size_t at,
	const struct table *table, const struct kind *kind, struct ruleset_rule *ret)
{
	const struct ruleset_recent *recent = &rule->terms[at].recent;
	struct terms terms = new_terms(r, rule);

	if (!terms.items)
		return -ENOMEM;
	put_question(&terms, rule, at, table);
	put(&terms, recent, &kind->counted, METER_ADD, &kind->limit);
	put(&terms, recent, &kind->reached, METER_UPDATE, NULL);
	*ret = *rule;
	ret->terms = terms.items;
	ret->n_terms = terms.n;
	return 0;
}

static int
resolve_rule(const struct resolving *r, struct ruleset_rule *rule, size_t at,
	const struct table *table)
{
	struct terms terms = new_terms(r, rule);

	if (!terms.items)
		return -ENOMEM;
	put_question(&terms, rule, at, table);
	put_writes(&terms, &rule->terms[at].recent, table);
	memcpy(terms.items + terms.n, rule->terms + at + 1,
		(rule->n_terms - at - 1) * sizeof(*terms.items));
	rule->n_terms = terms.n + rule->n_terms - at - 1;
	rule->terms = terms.items;
	return 0;
}

/* @rule, and in front of it those that count, as one rule of the listing. */
static int
expand(struct resolving *r, struct ruleset_rule rule, struct recent_rules *out)
{
	size_t at = 0;
	const struct ruleset_recent *recent = recent_of(&rule, &at);
	struct table *table = recent ? table_of(r, recent) : NULL;
	bool writes =
		recent && (recent->op == RECENT_SET || recent->op == RECENT_UPDATE);
	int result = 0;

	for (size_t i = 0; writes && i < table->n_kinds && result == 0; i++) {
		if (table->kinds[i]->hits == 0)
			continue;
		result = add_counting(
			r, &rule, at, table, table->kinds[i], &out->items[out->n++]);
		rule.is_part = true;
	}
	if (result == 0 && recent)
		result = resolve_rule(r, &rule, at, table);
	out->items[out->n++] = rule;
	return result;
}

int
recent_resolve(const char *file, struct arena *arena, struct recent_rules *rules,
	size_t *ret_bad)
{
	struct resolving r = { .file = file, .arena = arena };
	struct recent_rules out = { 0 };
	size_t n_recent = 0, at;
	int result;

	for (size_t i = 0; i < rules->n; i++)
		n_recent += recent_of(&rules->items[i], &at) != NULL;
	if (n_recent == 0)
		return 0;
	r.tables = arena_alloc(arena, n_recent * sizeof(*r.tables));
	out.items = arena_alloc(
		arena, (rules->n + n_recent * RECENT_KINDS_MAX) * sizeof(*out.items));
	if (!r.tables || !out.items)
		return -ENOMEM;
	result = collect(&r, rules, ret_bad);
	for (size_t i = 0; i < rules->n && result == 0; i++)
		result = expand(&r, rules->items[i], &out);
	if (result < 0)
		return result;
	*rules = out;
	return 1;
}
