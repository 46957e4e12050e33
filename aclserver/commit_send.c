/*
 * commit_send.c - one transaction for the whole plan, and what to do when the kernel
 * says no; see commit.h.
 */
#include <errno.h>
#include <string.h>

#include "aclserver/commit.h"

enum {
	REBUILD_MAX = 8
}; /* transactions tried without what was refused, before giving up */

/* ---- the transaction ---- */

/* Take what was excluded since into account: an operator's file fails everything. */
static void
note_excluded(struct commit *commit)
{
	for (size_t i = 0; i < commit->plan.n; i++) {
		const struct commit_change *change = &commit->plan.changes[i];

		if (change->excluded && !change->file->is_rest)
			commit->failed = true;
	}
}

/* The kernel refused and did not say what: ask it for each REST file alone. */
static size_t
find_guilty(struct commit *commit)
{
	struct committer *c = commit->committer;
	const struct nft_commit_how how = { .mode = NFT_MODE_CHECK };
	size_t excluded = 0;
	struct diags ignored;

	diags_init(&ignored);
	for (size_t i = 0; i < commit->plan.n; i++) {
		struct commit_plan alone = commit->plan;
		struct nft_result result = { 0 };
		struct err err;

		if (commit->plan.changes[i].excluded ||
			!commit->plan.changes[i].file->is_rest)
			continue;
		alone.changes = &commit->plan.changes[i];
		alone.n = 1;
		alone.view = NULL;
		if (commit_plan_build(&alone, c->batch, &err) == 0 &&
			nft_commit(c->nft, c->batch, &how, &result) < 0) {
			(void)commit_plan_blame(&alone, &result, &ignored);
			if (!alone.changes[0].excluded)
				diags_add(&alone.changes[0].problems, DIAG_ERROR,
					alone.changes[0].path, 0, NULL,
					"refused by the kernel: %s",
					strerror(-result.code));
			alone.changes[0].excluded = true;
			excluded++;
		}
		nft_result_done(&result);
	}
	diags_done(&ignored);
	return excluded;
}

/* True when the transaction should be built and sent again. */
static bool
handle_refusal(struct commit *commit, const struct nft_result *result)
{
	struct diags general;
	size_t excluded;
	bool again;

	commit->refused = true;
	if (result->outcome != NFT_OUTCOME_REFUSED) {
		diags_add(&commit->general, DIAG_ERROR, "nftables", 0, NULL,
			"transaction failed: %s", strerror(-result->code));
		commit->failed = true;
		commit->committer->known = false;
		return false;
	}
	/* Somebody else may have changed our tables: look at the kernel before a file
	 * is blamed. */
	if (!commit->plan.view) {
		commit->stale = true;
		return false;
	}
	diags_init(&general);
	excluded = commit_plan_blame(&commit->plan, result, &general);
	if (excluded == 0)
		excluded = find_guilty(commit);
	note_excluded(commit);
	again = excluded > 0 && !commit->failed;
	if (!again) {
		commit->failed = true;
		diags_move(&commit->general, &general);
	}
	diags_done(&general);
	return again;
}

int
commit_send(struct commit *commit)
{
	struct committer *c = commit->committer;
	const struct nft_commit_how how = {
		.mode = commit->mode == COMMIT_CHECK ? NFT_MODE_CHECK : NFT_MODE_COMMIT,
		.on_handle = commit_plan_on_handle,
		.user_data = &commit->plan,
	};

	for (int i = 0; i < REBUILD_MAX; i++) {
		struct nft_result result = { 0 };
		bool again = false;
		struct err err;
		int r = commit_plan_build(&commit->plan, c->batch, &err);

		if (r < 0) {
			diags_add(&commit->general, DIAG_ERROR, "nftables", 0, NULL,
				"%s", err.text);
			/* A chain that is remembered and not there: read the kernel. */
			commit->stale = !commit->plan.view;
			commit->refused = true;
			return r;
		}
		note_excluded(commit);
		if (commit->failed)
			return -EINVAL;
		r = nft_commit(c->nft, c->batch, &how, &result);
		if (r < 0)
			again = handle_refusal(commit, &result);
		nft_result_done(&result);
		if (!again)
			return r;
	}
	commit->failed = true;
	return -EINVAL;
}
