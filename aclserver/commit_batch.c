/*
 * commit_batch.c - the changes of a plan as one batch of nftables messages; see
 * commit_plan.h.
 *
 * Order inside a batch: tables and bases, then the chains of each file and their rules,
 * sets and elements, calls and lookups, then all removals. A call is placed before the
 * next one that the kernel already holds, so removals come last: until then every
 * handle is good.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/commit_build.h"
#include "aclserver/commit_cookie.h"
#include "aclserver/nft_emit.h"
#include "aclserver/port_marks.h"
#include "aclserver/ruleset_diff.h"
#include "aclserver/span_ports.h"
#include "aclserver/span_tunnel.h"
#include "common/cleanup.h"

/* ---- chains ---- */

struct building {
	const struct commit_plan *plan;
	struct nft_batch *batch;
};

/* A rule that copies into a tunnel needs its device first. What the transaction then
 * does not install is removed again, see span_ports.h. */
static int
need_tunnel(const struct ruleset_rule *rule, struct err *err)
{
	const struct ruleset_term *last = &rule->terms[rule->n_terms - 1];

	return last->kind == TERM_DUP ? span_tunnel_need(last->device, err) : 0;
}

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
	int tunnel = need_tunnel(rule, err);
	int r = tunnel < 0 ? tunnel
			   : nft_emit_rule(&emit, rule,
				     cookie_make(c, COOKIE_RULE, index), err);

	if (r == -EOPNOTSUPP || r == -EINVAL || tunnel < 0) {
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
		if (!commit_wants_chain(change, (enum place)place) ||
			!commit_change_differs_at(change, (enum place)place))
			continue;
		if (acl_file_chain(change->file, (enum place)place))
			r = edit_chain(b, c, (enum place)place, err);
		else
			r = add_chain(b, c, (enum place)place, err);
	}
	return r;
}

static bool
wants_base(const struct commit_change *change, enum base base)
{
	for (int group = 0; group < PLACE_GROUP_COUNT; group++)
		if (change->compiled.count[place_make(base, (enum place_group)group)] >
			0)
			return true;
	return false;
}

static void
add_base(struct building *b, enum base base)
{
	const struct base_info *info = base_info(base);
	const struct nft_table *table = kernel_table_of(base);
	const struct nft_base_chain chain = {
		.name = info->name,
		.type = info->type,
		.hook = info->hook,
		.priority = info->priority,
	};

	nft_batch_add_table(b->batch, table, 0);
	if (info->family == NFPROTO_NETDEV) {
		span_ports_build(b->batch, table);
		nft_batch_ensure_chain(b->batch, table, info->name, 0);
		return;
	}
	nft_batch_add_base_chain(b->batch, table, &chain, 0);
}

static int
build_bases(struct building *b, struct err *err)
{
	bool wanted[BASE_COUNT] = { false };

	for (size_t c = 0; c < b->plan->n; c++)
		for (int i = 0; i < BASE_COUNT; i++)
			wanted[i] |= wants_base(&b->plan->changes[c], (enum base)i);
	for (int i = 0; i < BASE_COUNT; i++) {
		enum base base = (enum base)i;
		bool has = b->plan->has_base[i];

		if (wanted[i] && !has)
			add_base(b, base);
		if ((!wanted[i] && !has) || (has && b->plan->has_guard[i]) ||
			!commit_wants_guard(b->plan, base))
			continue;
		if (port_marks_add_guard(
			    b->batch, kernel_table_of(base), base_info(base)) < 0)
			return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
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

/* A call that is not right any more, of a chain that stays. */
static void
remove_call(struct building *b, size_t c, const struct acl_chain *have)
{
	const struct nft_rule_ref call = { base_info(place_base(have->place))->name,
		have->jump };

	if (have->jump != 0 && commit_needs_call(&b->plan->changes[c], have->place))
		nft_batch_delete_rule(b->batch,
			kernel_table_of(place_base(have->place)), &call,
			cookie_make(c, COOKIE_CHAIN, have->place));
}

static void
build_removals(struct building *b, size_t c)
{
	const struct commit_change *change = &b->plan->changes[c];

	for (size_t i = 0; i < change->file->n_chains; i++) {
		const struct acl_chain *have = &change->file->chains[i];
		char name[ACL_CHAIN_NAME_SIZE];

		if (commit_wants_chain(change, have->place)) {
			remove_call(b, c, have);
			continue;
		}
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

	for (int base = 0; base < BASE_COUNT; base++) {
		const struct nft_rule_ref ref = { base_info((enum base)base)->name,
			view->guards[base] };

		if (ref.handle != 0 && !commit_wants_guard(b->plan, (enum base)base))
			nft_batch_delete_rule(
				b->batch, kernel_table_of((enum base)base), &ref, 0);
	}

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
		for (size_t i = 0; i < view->sets[t].n_unknown; i++)
			nft_batch_delete_set(b->batch, &kernel_tables[t],
				view->sets[t].unknown[i], 0);
	}
}

static int
build_changes(struct building *b, struct err *err)
{
	const struct commit_plan *plan = b->plan;

	for (size_t c = 0; c < plan->n; c++) {
		size_t mark = nft_batch_count(b->batch);
		int r = plan->changes[c].excluded ? 0 : build_change(b, c, err);

		if (r == -EBADMSG) { /* its problems say why */
			plan->changes[c].excluded = true;
			nft_batch_rewind(b->batch, mark);
		} else if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* The marks of ports go ahead of the rules that read them. What the kernel refused or
 * the compiler did not take is not known to name no port. */
static int
build_ports(struct building *b, struct err *err)
{
	const struct commit_plan *plan = b->plan;
	bool keep = plan->table->n_bad > 0;
	bool forwards = plan->has_base[BASE_INET_FORWARD_FILTER] ||
			plan->has_base[BASE_INET_FORWARD_MANGLE];

	port_table_stage(plan->ports);
	for (size_t c = 0; c < plan->n; c++) {
		const struct commit_change *change = &plan->changes[c];

		keep = keep || change->excluded;
		forwards = forwards || wants_base(change, BASE_INET_FORWARD_FILTER) ||
			   wants_base(change, BASE_INET_FORWARD_MANGLE);
		if (!change->excluded)
			port_table_replace(
				plan->ports, &change->file->ports, &change->ports);
	}
	port_table_settle(plan->ports, keep, forwards);
	if (port_marks_build(plan->ports, b->batch) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

/* New sets go ahead of the rules that use them; called again for the others when all
 * rules are gone. What may still be installed of files that were not taken is not
 * touched. */
static int
stage_meters(struct building *b)
{
	const struct commit_plan *plan = b->plan;
	bool keep = plan->table->n_bad > 0;
	int r = 0;

	meter_table_stage(plan->meters);
	for (size_t c = 0; c < plan->n && r == 0; c++) {
		const struct commit_change *change = &plan->changes[c];

		keep = keep || change->excluded;
		if (!change->excluded)
			r = meter_table_replace(plan->meters, &change->file->meters,
				&change->meters, c);
	}
	meter_table_settle(plan->meters, keep);
	return r;
}

static void
build_meters(struct building *b, bool add)
{
	const struct meter_table *table = b->plan->meters;

	for (size_t i = 0; i < table->n_dirty; i++) {
		const struct meter *meter = table->dirty[i];
		const struct nft_emit emit = { .batch = b->batch,
			.table = { meter->family, KERNEL_TABLE } };
		uint64_t cookie = cookie_make(meter->change, COOKIE_CHAIN, 0);

		if (add && meter->is_wanted && !meter->in_kernel)
			nft_emit_meter_set(&emit, meter->spec, cookie);
		else if (!add && !meter->is_wanted && meter->in_kernel)
			nft_batch_delete_set(b->batch, &emit.table, meter->name, 0);
	}
}

int
commit_plan_build(
	const struct commit_plan *plan, struct nft_batch *batch, struct err *err)
{
	struct building b = { .plan = plan, .batch = batch };
	int r;

	fold_table_revert(plan->fold);
	nft_batch_reset(batch);
	r = build_ports(&b, err);
	if (r == 0)
		r = build_bases(&b, err);
	if (r == 0 && stage_meters(&b) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r == 0)
		build_meters(&b, true);
	if (r == 0)
		r = build_changes(&b, err);
	if (r == 0)
		r = fold_batch_stage(plan, err);
	if (r == 0)
		r = fold_batch_elems(plan, batch, err);
	if (r == 0)
		r = commit_calls_build(plan, batch, err);
	if (r < 0)
		return r;
	for (size_t c = 0; c < plan->n; c++)
		if (!plan->changes[c].excluded)
			build_removals(&b, c);
	if (plan->view)
		build_cleanup(&b);
	fold_batch_removals(plan, batch);
	build_meters(&b, false);
	if (nft_batch_status(batch, NULL) < 0)
		return err_sys(
			err, nft_batch_status(batch, NULL), "building the transaction");
	return 0;
}
