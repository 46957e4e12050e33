/*
 * committer.c - the story of a commit, and what is remembered between commits; see
 * committer.h.
 */
#include "aclserver/committer.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/commit.h"
#include "aclserver/last_good.h"
#include "aclserver/port_marks.h"
#include "common/mono.h"
#include "common/nft_dump.h"
#include "common/priv.h"

enum {
	LOCK_WAIT_MS = 30000,
	BATCH_KEEP_BYTES = 64 << 10,
};

/* ---- afterwards ---- */

/* Files keep the problems of their last attempt. */
static void
keep_problems(struct commit *commit)
{
	for (size_t i = 0; i < commit->plan.n; i++)
		commit_keep_problems(commit, commit->plan.changes[i].file,
			&commit->plan.changes[i].problems);
}

static void
forget_removed(struct commit *commit)
{
	struct policy_table *table = &commit->committer->table;

	for (size_t i = 0; i < commit->plan.n; i++)
		if (commit->plan.changes[i].removed &&
			!commit->plan.changes[i].excluded)
			policy_table_remove(table, commit->plan.changes[i].file);
}

static size_t
count_changed(const struct commit *commit)
{
	size_t n = 0;

	for (size_t i = 0; i < commit->plan.n; i++)
		n += !commit->plan.changes[i].excluded;
	return n;
}

static bool
has_file(const struct policy_key *key, void *user_data)
{
	return policy_table_find(user_data, key) != NULL;
}

static int
write_copies(struct commit *commit, const char *dir, struct err *err)
{
	int r = 0;

	if (commit->plan.view) {
		r = last_good_prepare(dir, commit->committer->load, err);
		last_good_prune(dir, commit->committer->load, has_file,
			&commit->committer->table);
	}
	for (size_t i = 0; i < commit->plan.n && r == 0; i++) {
		const struct commit_change *change = &commit->plan.changes[i];

		if (change->excluded || change->problems.errors > 0)
			continue;
		if (change->removed)
			last_good_remove(dir, &change->file->key);
		else
			r = last_good_put(dir, &change->file->key, change->source.text,
				change->source.len, err);
	}
	return r;
}

/* Copies are a comfort: that they cannot be kept is a warning, not a failure. */
static void
keep_copies(struct commit *commit)
{
	const char *dir = commit->committer->conf.state_dir;
	struct err err;
	int r;

	if (!dir)
		return;
	r = priv_files_as_owner(dir);
	if (r == 0)
		r = write_copies(commit, dir, &err);
	else
		err_sys(&err, r, "cannot become its owner");
	priv_files_as_self();
	if (r < 0)
		diags_add(&commit->general, DIAG_WARNING, dir, 0, NULL,
			"no copies of the last good policy: %s", err.text);
}

/* ---- rules that copy frames ---- */

static const enum place span_places[] = { BASE_NETDEV_PORT_IN * PLACE_GROUP_COUNT,
	BASE_NETDEV_PORT_OUT *PLACE_GROUP_COUNT };

static bool
has_span(const struct committer *c)
{
	return fold_table_is_installed(&c->fold, span_places[0]) ||
	       fold_table_is_installed(&c->fold, span_places[1]);
}

/* Bind them to the ports there are, or forget them all. */
static int
follow_ports(struct committer *c, bool again, struct err *err)
{
	const struct nft_table *table = kernel_table_of(BASE_NETDEV_PORT_IN);
	int r;

	if (has_span(c))
		return span_ports_bind(&c->span, c->nft, table, again, err);
	if (!c->has_base[BASE_NETDEV_PORT_IN] && !c->has_base[BASE_NETDEV_PORT_OUT])
		return 0;
	r = span_ports_unbind(&c->span, c->nft, table, err);
	if (r == 0)
		c->has_base[BASE_NETDEV_PORT_IN] = c->has_base[BASE_NETDEV_PORT_OUT] =
			false;
	return r;
}

/* Does the commit change one of them? Before it is applied. */
static bool
touches_span(const struct commit *commit)
{
	for (size_t i = 0; i < commit->plan.n; i++)
		for (size_t k = 0; k < sizeof(span_places) / sizeof(span_places[0]);
			k++)
			if (commit_change_differs_at(
				    &commit->plan.changes[i], span_places[k]))
				return true;
	return false;
}

/* The rules are installed; without their ports they copy nothing. */
static void
bind_span(struct commit *commit, bool touched)
{
	struct committer *c = commit->committer;
	struct err err;

	if (!touched && c->span.bound == has_span(c) && !commit->plan.view)
		return;
	if (follow_ports(c, true, &err) < 0)
		diags_add(&commit->general, DIAG_WARNING, "SPAN", 0, NULL,
			"nothing is copied yet: %s", err.text);
}

static void
take_over(struct commit *commit)
{
	struct committer *c = commit->committer;
	bool touched;
	struct err err;

	commit->n_changed = count_changed(commit);
	if (commit->mode == COMMIT_CHECK)
		return;
	if (c->conf.announce && nft_batch_count(c->batch) > 0 &&
		commit_lock_bump(&c->lock, &err) < 0)
		diags_add(&commit->general, DIAG_WARNING, c->conf.run_dir, 0, NULL,
			"%s", err.text);
	dirty_clear(&c->dirty);
	touched = touches_span(commit);
	if (commit_plan_apply(&commit->plan) < 0)
		c->known = false; /* out of memory: read the kernel next time */
	bind_span(commit, touched);
	keep_copies(commit);
}

static void
run_commit(struct commit *commit, enum commit_what what)
{
	struct committer *c = commit->committer;

	(void)commit_gather(commit, what); /* says so in commit->failed */
	if (!commit->failed && commit_send(commit) == 0)
		take_over(commit);
	else
		commit->failed = true;
	if (commit->stale)
		return;
	keep_problems(commit);
	if (!commit->failed && commit->mode == COMMIT_INSTALL)
		forget_removed(commit);
	/* A check, or a failure, leaves files to be looked at again. */
	if (commit->failed || commit->mode == COMMIT_CHECK) {
		c->known = false;
		if (touches_span(commit))
			(void)span_ports_tunnels(
				c->nft, kernel_table_of(BASE_NETDEV_PORT_IN), NULL);
	}
}

static void
commit_init(struct commit *commit, struct committer *c, enum commit_mode mode)
{
	*commit = (struct commit){
		.committer = c,
		.mode = mode,
		.plan = { .table = &c->table,
			.fold = &c->fold,
			.ports = &c->ports,
			.meters = &c->meters,
			.nft = c->nft,
			.has_base = c->has_base,
			.has_guard = c->has_guard },
	};
	diags_init(&commit->general);
}

static void
commit_done(struct commit *commit)
{
	fold_table_revert(&commit->committer->fold); /* of what was not accepted */
	commit_plan_done(&commit->plan);
	meter_table_release(&commit->committer->meters);
	kernel_view_done(&commit->view);
	diags_done(&commit->general);
}

/* What is wrong now: of this commit, and of the files that were already bad. */
static void
fill_result(struct commit *commit, struct commit_result *ret)
{
	const struct policy_table *table = &commit->committer->table;

	commit_warn_displaced(commit);
	ret->partly = !commit->failed;
	ret->n_files = table->n;
	ret->n_changed = commit->failed ? 0 : commit->n_changed;
	diags_move(&ret->problems, &commit->general);
	for (size_t i = 0; i < table->n && table->n_bad > 0; i++)
		if (table->files[i]->problems.errors > 0)
			commit_copy_diags(&ret->problems, &table->files[i]->problems);
	if (ret->problems.errors == 0 && !commit->failed)
		ret->code = COMMIT_OK;
	else
		ret->code = commit->refused ? COMMIT_KERNEL_ERROR : COMMIT_POLICY_ERROR;
}

/* A large commit is rare: what it took is not kept for the small ones. */
static void
give_back(struct committer *c)
{
	struct nft_batch *fresh;

	if (nft_batch_bytes(c->batch) < BATCH_KEEP_BYTES)
		return;
	fresh = nft_batch_new();
	if (!fresh)
		return;
	nft_batch_free(c->batch);
	c->batch = fresh;
	(void)malloc_trim(0);
}

void
committer_commit(struct committer *c, enum commit_what what, enum commit_mode mode,
	struct commit_result *ret)
{
	struct mono start = mono_now();
	struct commit commit;
	bool others = false;
	struct err err;

	*ret = (struct commit_result){ 0 };
	diags_init(&ret->problems);
	commit_init(&commit, c, mode);
	if (commit_lock_take(&c->lock, LOCK_WAIT_MS, &others, &err) < 0) {
		diags_add(&ret->problems, DIAG_ERROR, c->conf.run_dir, 0, NULL, "%s",
			err.text);
		ret->code = COMMIT_KERNEL_ERROR;
		commit_done(&commit);
		return;
	}
	if (others || !c->known || c->dirty.all)
		what = COMMIT_ALL;
	run_commit(&commit, what);
	if (commit.stale) {
		/* Somebody else changed our tables: look again, once, and then believe
		 * it. */
		commit_done(&commit);
		commit_init(&commit, c, mode);
		run_commit(&commit, COMMIT_ALL);
	}
	fill_result(&commit, ret);
	commit_lock_release(&c->lock);
	commit_done(&commit);
	give_back(c);
	ret->us = mono_diff_us(start, mono_now());
}

void
commit_result_done(struct commit_result *result)
{
	diags_done(&result->problems);
}

/* ---- life ---- */

struct committer *
committer_new(const struct committer_conf *conf, struct err *err)
{
	const struct netlink_options options = { .protocol = NETLINK_ROUTE };
	struct committer *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	c->conf = *conf;
	c->lock.fd = -1;
	policy_table_init(&c->table);
	fold_table_init(&c->fold);
	port_table_init(&c->ports);
	meter_table_init(&c->meters);
	dirty_init(&c->dirty);
	c->nft = nft_open(err);
	if (c->nft)
		c->links = netlink_open(&options, err);
	if (c->links && commit_lock_open(&c->lock, conf->run_dir, err) == 0) {
		c->batch = nft_batch_new();
		if (c->batch)
			return c;
		err_set(err, -ENOMEM, "out of memory");
	}
	committer_free(c);
	return NULL;
}

void
committer_free(struct committer *c)
{
	if (!c)
		return;
	policy_load_free(c->load);
	fold_table_done(&c->fold);
	port_table_done(&c->ports);
	meter_table_done(&c->meters);
	policy_table_done(&c->table);
	dirty_done(&c->dirty);
	nft_batch_free(c->batch);
	netlink_close(c->links);
	nft_close(c->nft);
	commit_lock_close(&c->lock);
	free(c);
}

void
committer_changed(struct committer *c, const char *dir, const char *name)
{
	struct policy_key key;

	if (!c->load || !dir || !name) {
		c->dirty.all = true;
		return;
	}
	for (size_t i = 0; i < c->load->n_watches; i++) {
		if (strcmp(c->load->watches[i].path, dir) != 0)
			continue;
		switch (policy_load_resolve(c->load, i, name, &key)) {
		case POLICY_LOAD_FILE:
			dirty_add(&c->dirty, &key);
			break;
		case POLICY_LOAD_RESCAN:
			c->dirty.all = true;
			break;
		case POLICY_LOAD_NOTHING:
			break;
		}
	}
}

const struct policy_load_watch *
committer_watches(struct committer *c, size_t *ret_n)
{
	struct diags ignored; /* the commit will find the same */

	diags_init(&ignored);
	if (!c->load && commit_load_policy(c, &c->load, &ignored) < 0)
		c->load = NULL;
	diags_done(&ignored);
	*ret_n = c->load ? c->load->n_watches : 0;
	return c->load ? c->load->watches : NULL;
}

static bool
tables_are_there(struct committer *c)
{
	for (int place = 0; place < PLACE_COUNT; place++) {
		struct err err;

		if (!fold_table_is_installed(&c->fold, (enum place)place))
			continue;
		if (nft_table_exists(c->nft,
			    kernel_table_of(place_base((enum place)place)), &err) == 0)
			return false;
	}
	return port_marks_is_intact(c->nft, &c->ports);
}

bool
committer_is_intact(struct committer *c)
{
	bool changed = false;
	bool intact;

	if (commit_lock_take(&c->lock, 0, &changed, NULL) < 0)
		return true; /* a commit is under way */
	if (changed) {
		/* On purpose; the next commit reads everything. */
		c->known = false;
		c->overtaken = true;
	}
	intact = !c->known || tables_are_there(c);
	/* Tried again a second later. */
	if (intact && c->known && has_span(c))
		(void)follow_ports(c, false, NULL);
	commit_lock_release(&c->lock);
	return intact;
}

bool
committer_is_outdated(struct committer *c)
{
	struct bridge_links links = { 0 };
	bool outdated;

	if (!c->known)
		return false;
	if (c->bridge_calls_ip != port_marks_bridge_calls_ip())
		return true;
	if (!c->ports.routed || bridge_links_read(c->links, &links, NULL) < 0)
		return false;
	outdated = !bridge_links_equal(&links, &c->ports.links);
	bridge_links_done(&links);
	return outdated;
}

bool
committer_was_overtaken(struct committer *c)
{
	bool overtaken = c->overtaken;

	c->overtaken = false;
	return overtaken;
}
