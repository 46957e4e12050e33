/*
 * commit_plan.c - the list of changes, the kernel's answers to them, and the new state;
 * see commit_plan.h. The transaction itself is built in commit_batch.c.
 */
#include "aclserver/commit_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/commit_cookie.h"
#include "aclserver/hash.h"

/* ---- the list of changes ---- */

void
commit_change_done(struct commit_change *change)
{
	diags_done(&change->problems);
	arena_free(change->arena);
	free(change->path);
	free(change->text);
}

void
commit_plan_done(struct commit_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		commit_change_done(&plan->changes[i]);
	free(plan->changes);
	plan->changes = NULL;
	plan->n = plan->size = 0;
}

int
commit_plan_add(struct commit_plan *plan, struct commit_change *change)
{
	if (plan->n == plan->size) {
		size_t size = plan->size ? 2 * plan->size : 4;
		struct commit_change *grown =
			realloc(plan->changes, size * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		plan->changes = grown;
		plan->size = size;
	}
	plan->changes[plan->n++] = *change;
	*change = (struct commit_change){ 0 };
	return 0;
}

static int
compare_change(const void *a, const void *b)
{
	return policy_key_cmp(&((const struct commit_change *)a)->file->key,
		&((const struct commit_change *)b)->file->key);
}

void
commit_plan_sort(struct commit_plan *plan)
{
	if (plan->n > 1)
		qsort(plan->changes, plan->n, sizeof(*plan->changes), compare_change);
}

static struct ruleset_hash
chain_hash(const struct ruleset_file *compiled, enum place place)
{
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; i < compiled->count[place]; i++) {
		const struct ruleset_rule *rule =
			&compiled->rules[compiled->first[place] + i];

		hash_add(&h, &rule->hash, sizeof(rule->hash));
	}
	return hash_value(&h);
}

static bool
same_hash(const struct ruleset_hash *a, const struct ruleset_hash *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

bool
commit_plan_place_differs(const struct acl_file *file,
	const struct ruleset_file *compiled, enum place place)
{
	const struct acl_chain *have = acl_file_chain(file, place);
	struct ruleset_hash want;

	if (compiled->count[place] == 0 || !have)
		return compiled->count[place] > 0 || have;
	want = chain_hash(compiled, place);
	return have->jump == 0 || !same_hash(&have->hash, &want);
}

bool
commit_plan_differs(const struct acl_file *file, const struct ruleset_file *compiled)
{
	for (int place = 0; place < PLACE_COUNT; place++)
		if (commit_plan_place_differs(file, compiled, (enum place)place))
			return true;
	return false;
}

/* ---- answers of the kernel ---- */

/* Words for what an errno of nftables usually means. */
static const char *
kernel_reason(int code)
{
	switch (-code) {
	case EOPNOTSUPP:
		return "the kernel cannot do this in that place";
	case ENOENT:
		return "the kernel lacks a feature that this needs";
	case EPERM:
		return "not permitted (CAP_NET_ADMIN is needed)";
	case ENOMEM:
	case ENOBUFS:
		return "the kernel is out of memory";
	default:
		return strerror(-code);
	}
}

static void
blame_change(struct commit_change *change, const struct nft_error *error)
{
	const struct ruleset_rule *rule = NULL;

	if (cookie_kind(error->cookie) == COOKIE_RULE)
		rule = &change->compiled.rules[cookie_detail(error->cookie)];
	diags_add(&change->problems, DIAG_ERROR, change->path, rule ? rule->line : 0,
		rule ? rule->written : NULL, "refused by the kernel: %s%s%s",
		kernel_reason(error->code), error->text[0] ? ": " : "", error->text);
}

size_t
commit_plan_blame(struct commit_plan *plan, const struct nft_result *result,
	struct diags *general)
{
	size_t excluded = 0;

	for (size_t i = 0; i < result->n_errors; i++) {
		const struct nft_error *error = &result->errors[i];
		size_t c = error->is_batch ? SIZE_MAX : cookie_change(error->cookie);

		if (c >= plan->n) {
			diags_add(general, DIAG_ERROR, "nftables", 0, NULL,
				"refused by the kernel: %s%s%s",
				kernel_reason(error->code), error->text[0] ? ": " : "",
				error->text);
			continue;
		}
		blame_change(&plan->changes[c], error);
		if (!plan->changes[c].excluded)
			excluded++;
		plan->changes[c].excluded = true;
	}
	return excluded;
}

void
commit_plan_on_handle(uint64_t cookie, uint64_t handle, void *user_data)
{
	struct commit_plan *plan = user_data;
	size_t c = cookie_change(cookie);

	if (c < plan->n && cookie_kind(cookie) == COOKIE_JUMP &&
		cookie_detail(cookie) < PLACE_COUNT)
		plan->changes[c].jumps[cookie_detail(cookie)] = handle;
}

static int
apply_place(struct commit_plan *plan, struct commit_change *change, enum place place)
{
	const struct acl_chain *have = acl_file_chain(change->file, place);
	struct acl_chain chain = { .place = place };

	if (change->compiled.count[place] == 0)
		return policy_table_set_chain(plan->table, change->file, place, NULL);
	chain.jump = have ? have->jump : 0;
	if (change->jumps[place] != 0)
		chain.jump = change->jumps[place];
	chain.hash = chain_hash(&change->compiled, place);
	return policy_table_set_chain(plan->table, change->file, place, &chain);
}

int
commit_plan_apply(struct commit_plan *plan)
{
	int r = 0;

	for (size_t c = 0; c < plan->n && r == 0; c++) {
		struct commit_change *change = &plan->changes[c];

		if (change->excluded)
			continue;
		for (int place = 0; place < PLACE_COUNT && r == 0; place++) {
			if (change->compiled.count[place] > 0)
				plan->has_base[place_base((enum place)place)] = true;
			r = apply_place(plan, change, (enum place)place);
		}
	}
	return r;
}
