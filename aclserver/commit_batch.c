/*
 * commit_batch.c - the changes of a plan as one batch of nftables messages; see
 * commit_plan.h.
 *
 * Order inside a batch: tables and bases, then per file its chains, rules and calls,
 * then all removals. A call is placed before the next call that the kernel already
 * holds, so removals come last: until then every handle is good.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/commit_cookie.h"
#include "aclserver/commit_plan.h"
#include "aclserver/nft_emit.h"
#include "aclserver/ruleset_diff.h"
#include "common/cleanup.h"
#include "common/nft_expr.h"

/* ---- where a call goes ---- */

/* For one place, going down the table: the first call at or behind a file. */
struct seek {
	size_t from;   /* files from here on were looked at … */
	uint64_t jump; /* … and this is the first call among them; 0 = none */
};

struct building {
	const struct commit_plan *plan;
	struct nft_batch *batch;
	uint64_t (*before)[PLACE_COUNT]; /* per change: the call to stand before; 0 =
					    last */
};

static uint64_t
first_call(const struct policy_table *table, enum place place, size_t from, size_t to)
{
	if (table->n_chains[place] == 0)
		return 0;
	for (size_t i = from; i < to; i++) {
		const struct acl_chain *chain = acl_file_chain(table->files[i], place);

		if (chain && chain->jump != 0)
			return chain->jump;
	}
	return 0;
}

/* The call to stand before, for a file at @index: the next of the place, else the first
 * of the groups behind. */
static uint64_t
next_call(const struct policy_table *table, enum place place, size_t index,
	struct seek *seek)
{
	uint64_t jump = first_call(table, place, index + 1, seek->from);

	if (jump == 0)
		jump = seek->jump;
	seek->from = index + 1;
	seek->jump = jump;
	for (int group = place_group(place) + 1; jump == 0 && group < PLACE_GROUP_COUNT;
		group++)
		jump = first_call(table,
			place_make(place_base(place), (enum place_group)group), 0,
			table->n);
	return jump;
}

static bool
needs_call(const struct commit_change *change, enum place place)
{
	const struct acl_chain *have = acl_file_chain(change->file, place);

	return change->compiled.count[place] > 0 && (!have || have->jump == 0);
}

/* From the last change to the first, so that the whole table is looked at once at most.
 */
static void
find_positions(struct building *b)
{
	const struct policy_table *table = b->plan->table;
	struct seek seeks[PLACE_COUNT];

	for (int place = 0; place < PLACE_COUNT; place++)
		seeks[place] = (struct seek){ .from = table->n };
	for (size_t c = b->plan->n; c-- > 0;) {
		const struct commit_change *change = &b->plan->changes[c];
		bool found;
		size_t index = policy_table_search(table, &change->file->key, &found);

		for (int place = 0; place < PLACE_COUNT; place++)
			if (needs_call(change, (enum place)place))
				b->before[c][place] = next_call(
					table, (enum place)place, index, &seeks[place]);
	}
}

/* ---- messages ---- */

static int
emit_rule(struct building *b, size_t c, size_t index, const struct nft_rule_at *at,
	struct err *err)
{
	struct commit_change *change = &b->plan->changes[c];
	const struct ruleset_rule *rule = &change->compiled.rules[index];
	const struct nft_emit emit = {
		.batch = b->batch,
		.table = *kernel_table_of(place_base(rule->place)),
		.at = *at,
	};
	int r = nft_emit_rule(&emit, rule, cookie_make(c, COOKIE_RULE, index), err);

	if (r == -EOPNOTSUPP || r == -EINVAL) {
		diags_add(&change->problems, DIAG_ERROR, change->path, rule->line,
			rule->written, "%s", err->text);
		return -EBADMSG;
	}
	return r;
}

static int
add_chain(struct building *b, size_t c, enum place place, struct err *err)
{
	const struct ruleset_file *compiled = &b->plan->changes[c].compiled;
	char name[ACL_CHAIN_NAME_SIZE];
	const struct nft_rule_at at = { .chain = name, .where = NFT_WHERE_APPEND };
	int r = 0;

	acl_chain_name(name, place, b->plan->changes[c].file->id);
	nft_batch_add_chain(b->batch, kernel_table_of(place_base(place)), name,
		(struct nft_blob){ 0 }, cookie_make(c, COOKIE_CHAIN, place));
	for (size_t i = 0; i < compiled->count[place] && r == 0; i++)
		r = emit_rule(b, c, compiled->first[place] + i, &at, err);
	return r;
}

/* The rules of one chain before and after. */
struct chain_edit {
	char name[ACL_CHAIN_NAME_SIZE];
	struct kernel_rule *old; /* owned */
	size_t n_old;
	int *match; /* per wanted rule, see ruleset_diff(); owned */
	size_t n_want;
};

static int
edit_init(struct building *b, size_t c, enum place place, struct chain_edit *edit,
	struct err *err)
{
	const struct ruleset_file *compiled = &b->plan->changes[c].compiled;
	AUTO_FREE struct ruleset_hash *hashes = NULL;
	int r;

	acl_chain_name(edit->name, place, b->plan->changes[c].file->id);
	r = kernel_read_chain(
		b->plan->nft, place, edit->name, &edit->old, &edit->n_old, err);
	if (r < 0)
		return r;
	edit->n_want = compiled->count[place];
	hashes = calloc(edit->n_old + 1, sizeof(*hashes));
	edit->match = calloc(edit->n_want + 1, sizeof(*edit->match));
	if (!hashes || !edit->match)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < edit->n_old; i++)
		hashes[i] = edit->old[i].hash;
	r = ruleset_diff(hashes, edit->n_old, &compiled->rules[compiled->first[place]],
		edit->n_want, edit->match);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

/* New rules stand before the next one that stays. */
static struct nft_rule_at
edit_position(const struct chain_edit *edit, size_t i)
{
	struct nft_rule_at at = { .chain = edit->name, .where = NFT_WHERE_APPEND };

	while (i < edit->n_want && edit->match[i] == RULESET_DIFF_NONE)
		i++;
	if (i < edit->n_want) {
		at.where = NFT_WHERE_BEFORE;
		at.ref = edit->old[edit->match[i]].handle;
	}
	return at;
}

static void
edit_delete(
	struct building *b, size_t c, enum place place, const struct chain_edit *edit)
{
	size_t kept = 0;

	for (size_t i = 0; i < edit->n_old; i++) {
		const struct nft_rule_ref ref = { edit->name, edit->old[i].handle };

		while (kept < edit->n_want && edit->match[kept] < (int)i)
			kept++;
		if (kept < edit->n_want && edit->match[kept] == (int)i)
			continue;
		nft_batch_delete_rule(b->batch, kernel_table_of(place_base(place)),
			&ref, cookie_make(c, COOKIE_CHAIN, place));
	}
}

static int
edit_chain(struct building *b, size_t c, enum place place, struct err *err)
{
	const struct ruleset_file *compiled = &b->plan->changes[c].compiled;
	struct chain_edit edit = { 0 };
	int r = edit_init(b, c, place, &edit, err);

	for (size_t i = 0; r == 0 && i < edit.n_want; i++) {
		struct nft_rule_at at;

		if (edit.match[i] != RULESET_DIFF_NONE)
			continue;
		at = edit_position(&edit, i);
		r = emit_rule(b, c, compiled->first[place] + i, &at, err);
	}
	if (r == 0)
		edit_delete(b, c, place, &edit);
	free(edit.old);
	free(edit.match);
	return r;
}

static int
build_change(struct building *b, size_t c, struct err *err)
{
	const struct commit_change *change = &b->plan->changes[c];
	int r = 0;

	for (int place = 0; r == 0 && place < PLACE_COUNT; place++) {
		if (change->compiled.count[place] == 0 ||
			!commit_plan_place_differs(
				change->file, &change->compiled, (enum place)place))
			continue;
		if (acl_file_chain(change->file, (enum place)place))
			r = edit_chain(b, c, (enum place)place, err);
		else
			r = add_chain(b, c, (enum place)place, err);
	}
	return r;
}

static void
add_call(struct building *b, size_t c, enum place place)
{
	struct nft_rule *rule = nft_rule_new();
	char chain[ACL_CHAIN_NAME_SIZE];
	uint64_t before = b->before[c][place];
	const struct nft_rule_at at = {
		.chain = base_info(place_base(place))->name,
		.where = before ? NFT_WHERE_BEFORE : NFT_WHERE_APPEND,
		.ref = before,
		.want_handle = true,
	};

	acl_chain_name(chain, place, b->plan->changes[c].file->id);
	nft_rule_verdict(rule, NFT_JUMP, chain);
	nft_batch_add_rule(b->batch, kernel_table_of(place_base(place)), &at, rule,
		cookie_make(c, COOKIE_JUMP, place));
	nft_rule_free(rule);
}

/* Group by group: a call of an earlier group may stand before the same installed call
 * as one of a later group, and then has to be there first. */
static void
build_calls_of_group(struct building *b, enum place_group group)
{
	for (size_t c = 0; c < b->plan->n; c++) {
		const struct commit_change *change = &b->plan->changes[c];

		for (int base = 0; base < BASE_COUNT && !change->excluded; base++) {
			enum place place = place_make((enum base)base, group);

			if (needs_call(change, place))
				add_call(b, c, place);
		}
	}
}

static void
build_bases(struct building *b)
{
	bool wanted[BASE_COUNT] = { false };

	for (size_t c = 0; c < b->plan->n; c++)
		for (int place = 0; place < PLACE_COUNT; place++)
			if (b->plan->changes[c].compiled.count[place] > 0)
				wanted[place_base((enum place)place)] = true;
	for (int i = 0; i < BASE_COUNT; i++) {
		const struct base_info *info = base_info((enum base)i);
		const struct nft_table *table = kernel_table_of((enum base)i);
		const struct nft_base_chain chain = {
			.name = info->name,
			.type = info->type,
			.hook = info->hook,
			.priority = info->priority,
		};

		if (!wanted[i] || b->plan->has_base[i])
			continue;
		nft_batch_add_table(b->batch, table, 0);
		nft_batch_add_base_chain(b->batch, table, &chain, 0);
	}
}

/* ---- removals ---- */

static void
remove_chain(struct nft_batch *batch, enum place place, const char *name, uint64_t jump,
	uint64_t cookie)
{
	const struct nft_table *table = kernel_table_of(place_base(place));
	const struct nft_rule_ref call = { base_info(place_base(place))->name, jump };

	if (jump != 0)
		nft_batch_delete_rule(batch, table, &call, cookie);
	nft_batch_delete_chain(batch, table, name, cookie);
}

static void
build_removals(struct building *b, size_t c)
{
	const struct commit_change *change = &b->plan->changes[c];

	for (size_t i = 0; i < change->file->n_chains; i++) {
		const struct acl_chain *have = &change->file->chains[i];
		char name[ACL_CHAIN_NAME_SIZE];

		if (change->compiled.count[have->place] > 0)
			continue;
		acl_chain_name(name, have->place, change->file->id);
		remove_chain(b->batch, have->place, name, have->jump,
			cookie_make(c, COOKIE_CHAIN, have->place));
	}
}

/* What adoption found and no file accounts for. Rules go before the chains that they
 * call. */
static void
build_cleanup(struct building *b)
{
	const struct kernel_view *view = b->plan->view;

	for (size_t i = 0; i < view->n_strays; i++) {
		const struct nft_rule_ref ref = { base_info(view->strays[i].base)->name,
			view->strays[i].handle };

		nft_batch_delete_rule(
			b->batch, kernel_table_of(view->strays[i].base), &ref, 0);
	}
	for (size_t i = 0; i < view->n_chains; i++)
		if (!view->chains[i].adopted)
			remove_chain(b->batch, view->chains[i].place,
				view->chains[i].name, view->chains[i].jump, 0);
	for (size_t t = 0; t < KERNEL_TABLES; t++) {
		for (size_t i = 0; i < view->n_unknown[t]; i++)
			nft_batch_flush_chain(
				b->batch, &kernel_tables[t], view->unknown[t][i], 0);
		for (size_t i = 0; i < view->n_unknown[t]; i++)
			nft_batch_delete_chain(
				b->batch, &kernel_tables[t], view->unknown[t][i], 0);
	}
}

int
commit_plan_build(
	const struct commit_plan *plan, struct nft_batch *batch, struct err *err)
{
	AUTO_FREE uint64_t(*before)[PLACE_COUNT] = calloc(plan->n + 1, sizeof(*before));
	struct building b = { .plan = plan, .batch = batch, .before = before };

	if (!before)
		return err_set(err, -ENOMEM, "out of memory");
	nft_batch_reset(batch);
	build_bases(&b);
	find_positions(&b);
	for (size_t c = 0; c < plan->n; c++) {
		size_t mark = nft_batch_count(batch);
		int r = plan->changes[c].excluded ? 0 : build_change(&b, c, err);

		if (r == -EBADMSG) { /* its problems say why */
			plan->changes[c].excluded = true;
			nft_batch_rewind(batch, mark);
		} else if (r < 0) {
			return r;
		}
	}
	for (int group = 0; group < PLACE_GROUP_COUNT; group++)
		build_calls_of_group(&b, (enum place_group)group);
	for (size_t c = 0; c < plan->n; c++)
		if (!plan->changes[c].excluded)
			build_removals(&b, c);
	if (plan->view)
		build_cleanup(&b);
	if (nft_batch_status(batch, NULL) < 0)
		return err_sys(
			err, nft_batch_status(batch, NULL), "building the transaction");
	return 0;
}
