/*
 * committer.h - makes the kernel equal to the policy files.
 *
 * Used by the server's privileged process and by tapgate-acl. A commit is: find the
 * files that changed -> compile each (policy_compile) -> compare with what the kernel
 * holds (ruleset_diff for chains, fold_table for elements of sets) -> one nftables
 * transaction across all families -> map what the kernel refused back to file, line and
 * rule. What did not change is not touched and costs nothing.
 *
 * A bad file of the REST server is left out: its previous good version stays, the rest
 * commits. A bad file of the operator fails the whole commit and nothing changes.
 * Acting module; blocks for the milliseconds that files and kernel take.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "aclserver/diag.h"
#include "aclserver/policy_load.h"
#include "common/err.h"

struct committer;

enum committer_source {
	COMMITTER_SOURCE_CONF,  /* paths[0] is policy.conf */
	COMMITTER_SOURCE_FILES, /* the files paths[0…n_paths-1], in that order */
	COMMITTER_SOURCE_DIR,   /* every file of the directory paths[0] */
};

/** Called for each file before it is compiled. */
typedef void (*committer_file_fn)(const char *path, void *user_data);

struct committer_conf {
	enum committer_source source;
	const char *const *paths; /* borrowed for the committer's life */
	size_t n_paths;
	const char *run_dir; /* for the lock; borrowed */
	const char
		*state_dir;   /* for the last good copies; NULL = keep none; borrowed */
	const char *rest_dir; /* where ACLs are PUT: the policy has to include it; or
				 NULL; borrowed */
	uid_t http_uid; /* files of this user count only under names of ACLs; 0 = all */
	unsigned compile_flags;    /* enum compile_flags */
	bool announce;             /* tell other programs that the kernel changed */
	committer_file_fn on_file; /* or NULL */
	void *user_data;           /* of on_file */
};

enum commit_what {
	COMMIT_CHANGED, /* what committer_changed() named since the last commit;
			   everything where that is unknown */
	COMMIT_ALL, /* read everything again: policy.conf, directories, files, kernel */
};

enum commit_mode {
	COMMIT_INSTALL,
	COMMIT_CHECK, /* ask the compiler and the kernel, change nothing */
};

enum commit_code {
	COMMIT_OK = 0,
	COMMIT_POLICY_ERROR = 1, /* a file is wrong; see problems */
	COMMIT_KERNEL_ERROR = 3, /* the kernel refused; see problems */
};

struct commit_result {
	enum commit_code code;
	struct diags problems; /* of this commit and of every file that is still bad;
				  owned */
	bool partly;           /* code says error, but the good files were committed */
	size_t n_files;        /* policy files there are */
	size_t n_changed;      /* files whose kernel rules were changed */
	int64_t us;            /* how long it took */
};

/** A committer; nothing is read yet. NULL with @err. Needs CAP_NET_ADMIN. */
struct committer *committer_new(const struct committer_conf *conf, struct err *err);

/** The kernel's rules stay as they are. Accepts NULL. */
void committer_free(struct committer *committer);

/**
 * Commit. Never fails without saying so in @ret, which is to be released with
 * commit_result_done(). On COMMIT_POLICY_ERROR and COMMIT_KERNEL_ERROR the good REST
 * files were still committed, unless a problem concerns an operator's file or no file
 * at all: then nothing changed.
 */
void committer_commit(struct committer *committer, enum commit_what what,
	enum commit_mode mode, struct commit_result *ret);

/** Free what a result holds. */
void commit_result_done(struct commit_result *result);

/** Remember that a directory entry changed; as watch_fn of watch.h: @name NULL =
 * anything in @dir, both NULL = anything. */
void committer_changed(struct committer *committer, const char *dir, const char *name);

/** The directories to watch, borrowed until the next commit. Before the first commit
 * the policy's includes are resolved for this, so that watching can begin before
 * reading. */
const struct policy_load_watch *committer_watches(
	struct committer *committer, size_t *ret_n);

/**
 * Are our tables still there? Somebody may have flushed all of nftables, as a reload of
 * nftables.service does. What tapgate-acl removed on purpose does not count as missing.
 * Two short requests; never waits for the lock. Rules that copy frames are bound to
 * ports that are new since the last call.
 */
bool committer_is_intact(struct committer *committer);

/** True when the kernel shows packets at other places than at the last commit of
 * everything: another one is needed. Reads two short files, and the links if it matters
 * what they stand on. */
bool committer_is_outdated(struct committer *committer);

/** True once after tapgate-acl changed the kernel: what was last reported may be
 * outdated. Never waits. */
bool committer_was_overtaken(struct committer *committer);
