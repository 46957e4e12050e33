/*
 * commit_plan.c - the list of changes, the kernel's answers to them, and the new state;
 * see commit_plan.h. The transaction itself is built in commit_batch.c.
 */
#include "aclserver/commit_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/commit_build.h"
#include "aclserver/commit_cookie.h"

/* ---- the list of changes ---- */

void
commit_change_done(struct commit_change *change)
{
	diags_done(&change->problems);
	arena_free(change->arena);
	port_list_done(&change->ports);
	meter_list_done(&change->meters);
	free(change->path);
	free(change->source.text);
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

static bool
same_hash(const struct ruleset_hash *a, const struct ruleset_hash *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

bool
commit_wants_chain(const struct commit_change *change, enum place place)
{
	return change->compiled.count[place] > 0 && !change->folds[place];
}

bool
commit_wants_guard(const struct commit_plan *plan, enum base base)
{
	switch (base_info(base)->guard) {
	case BASE_GUARD_SKIPS_ROUTED:
		return plan->ports->routed || plan->ports->is_judged_once;
	case BASE_GUARD_ONLY_ROUTED:
		return true;
	case BASE_GUARD_NONE:
		break;
	}
	return false;
}

bool
commit_needs_call(const struct commit_change *change, enum place place)
{
	const struct acl_chain *have = acl_file_chain(change->file, place);

	return commit_wants_chain(change, place) &&
	       (!have || have->jump == 0 || have->divides != change->divides[place]);
}

void
commit_change_fold(struct commit_change *change)
{
	for (int place = 0; place < PLACE_COUNT; place++) {
		change->folds[place] = change->file->is_rest &&
				       fold_place(&change->compiled, (enum place)place);
		change->divides[place] =
			!change->file->is_rest ||
			fold_divides(&change->compiled, (enum place)place);
	}
}

bool
commit_change_differs_at(const struct commit_change *change, enum place place)
{
	const struct acl_chain *have = acl_file_chain(change->file, place);
	bool wants_chain = commit_wants_chain(change, place);
	struct ruleset_hash want;

	if (fold_table_differs(change->file, place,
		    change->folds[place] ? &change->compiled : NULL))
		return true;
	if (!wants_chain || !have)
		return wants_chain || have;
	want = change->compiled.hash[place];
	return commit_needs_call(change, place) || !same_hash(&have->hash, &want);
}

bool
commit_change_differs(const struct commit_change *change)
{
	for (int place = 0; place < PLACE_COUNT; place++)
		if (commit_change_differs_at(change, (enum place)place))
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

/* A set and its lookup came with its first rule. */
static uint64_t
cookie_of_rule(const struct commit_plan *plan, uint64_t cookie)
{
	size_t set = cookie_detail(cookie);

	if (cookie_kind(cookie) == COOKIE_LOOKUP && set < plan->fold->n_dirty_sets)
		return plan->fold->dirty_sets[set]->cookie;
	return cookie;
}

static void
blame_change(
	struct commit_change *change, const struct nft_error *error, uint64_t cookie)
{
	const struct ruleset_rule *rule = NULL;

	if (cookie_kind(cookie) == COOKIE_RULE)
		rule = &change->compiled.rules[cookie_detail(cookie)];
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
		uint64_t cookie = cookie_of_rule(plan, error->cookie);
		size_t c = error->is_batch ? SIZE_MAX : cookie_change(cookie);

		if (c >= plan->n) {
			diags_add(general, DIAG_ERROR, "nftables", 0, NULL,
				"refused by the kernel: %s%s%s",
				kernel_reason(error->code), error->text[0] ? ": " : "",
				error->text);
			continue;
		}
		blame_change(&plan->changes[c], error, cookie);
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
	size_t c = cookie_change(cookie), detail = cookie_detail(cookie);
	const struct fold_table *fold = plan->fold;

	if (cookie_kind(cookie) == COOKIE_LOOKUP && detail < fold->n_dirty_sets)
		fold->dirty_sets[detail]->new_rule = handle;
	else if (c < plan->n && cookie_kind(cookie) == COOKIE_JUMP &&
		 detail < PLACE_COUNT)
		plan->changes[c].jumps[detail] = handle;
}

static int
apply_place(struct commit_change *change, enum place place)
{
	const struct acl_chain *have = acl_file_chain(change->file, place);
	struct acl_chain chain = { .place = place };

	if (!commit_wants_chain(change, place))
		return acl_file_set_chain(change->file, place, NULL);
	chain.jump = have ? have->jump : 0;
	if (change->jumps[place] != 0)
		chain.jump = change->jumps[place];
	chain.divides = change->divides[place];
	chain.hash = change->compiled.hash[place];
	return acl_file_set_chain(change->file, place, &chain);
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
			r = apply_place(change, (enum place)place);
		}
		port_table_recount(plan->ports, &change->file->ports, &change->ports);
		port_list_done(&change->file->ports);
		change->file->ports = change->ports;
		change->ports = (struct port_list){ 0 };
		meter_table_recount(&change->file->meters, &change->meters);
	}
	for (int base = 0; base < BASE_COUNT; base++)
		plan->has_guard[base] = commit_wants_guard(plan, (enum base)base);
	fold_table_accept(plan->fold);
	port_table_accept(plan->ports);
	meter_table_accept(plan->meters);
	return r;
}
