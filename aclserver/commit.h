/*
 * commit.h - one commit under way. Private to committer.c, commit_gather.c,
 * commit_send.c and commit_displaced.c.
 */
#pragma once

#include <stdbool.h>

#include "aclserver/commit_lock.h"
#include "aclserver/commit_plan.h"
#include "aclserver/committer.h"
#include "aclserver/dirty.h"
#include "aclserver/span_ports.h"

struct committer {
	struct committer_conf conf;
	struct nft *nft;
	struct netlink *links;   /* for bridge_links_read() */
	struct nft_batch *batch; /* its memory is kept between commits */
	struct commit_lock lock;
	struct policy_load *load;  /* resolved includes; NULL before the first commit */
	struct policy_table table; /* as the kernel is, while known */
	struct fold_table fold;    /* likewise, the folded rules */
	struct port_table ports;   /* likewise, the marks of ports */
	struct meter_table meters; /* likewise, the sets that packets write into */
	struct span_ports span;    /* hooks of the rules that copy frames */
	bool has_base[BASE_COUNT], has_guard[BASE_COUNT];
	bool bridge_calls_ip; /* see port_marks_bridge_calls_ip() */
	bool overtaken;       /* tapgate-acl changed the kernel; see committer.h */
	bool known;           /* load, table, fold and has_base can be trusted */
	struct dirty dirty;
};

/* One commit under way. */
struct commit {
	struct committer *committer;
	enum commit_mode mode;
	struct commit_plan plan;
	struct kernel_view view;
	struct diags general; /* problems of no file, or that fail everything */
	bool failed;          /* nothing may be changed */
	bool stale;           /* the kernel is not as remembered */
	bool refused;         /* by the kernel rather than the compiler */
	bool names_out;       /* some file has "-o" in FORWARD */
	size_t n_changed;
	size_t n_seen, n_told; /* files gathered, and told to conf.on_file */
};

/**
 * Find the files to look at, compile them, and put what has to change into the plan.
 * COMMIT_ALL reads policy.conf, the directories, the kernel and every file anew;
 * COMMIT_CHANGED only what is dirty. A bad file keeps its problems; if it is the
 * operator's, commit->failed is set. Returns 0 or negative errno (then commit->general
 * says why).
 */
int commit_gather(struct commit *commit, enum commit_what what);

/** Resolve the includes of the policy. 0, or negative errno with the reasons in @diags.
 */
int commit_load_policy(
	const struct committer *c, struct policy_load **ret, struct diags *diags);

/**
 * Send the plan as one transaction (or have it checked), without what turns out to be
 * refused. Returns 0 when the kernel took it, else negative errno: commit->failed or
 * commit->stale is set.
 */
int commit_send(struct commit *commit);

/** Remember the problems of the last attempt with @file; @problems is emptied. Warnings
 * of a file that is fine are reported once, with this commit. */
void commit_keep_problems(
	struct commit *commit, struct acl_file *file, struct diags *problems);

/** Add copies of the problems @from to @to. */
void commit_copy_diags(struct diags *to, const struct diags *from);

/** Installing only what was named takes the rest away: the most frequent surprise with
 * cl-acltool, so it is said. */
void commit_warn_displaced(struct commit *commit);
