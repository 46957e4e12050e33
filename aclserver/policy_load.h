/*
 * policy_load.h - which rule files there are, in which order, and which directories
 * tell about changes.
 *
 * A struct policy_load is the resolved list of includes: from policy.conf, from files
 * named one by one (-p), or from a directory (-P). Every rule file has a key, (index of
 * the first include that matches it, base name); files are installed in the order of
 * their keys. The key of a single name is found without reading a directory, so a
 * caller that keeps a sorted table by key can follow file events:
 *
 *     policy_load_conf(), watch every directory in watches[], policy_load_list();
 *     for each event (watch, name): policy_load_resolve()
 *
 * An event that was caused by a directory (IN_ISDIR) concerns no file, but may still
 * mean POLICY_LOAD_RESCAN; IN_DELETE_SELF, IN_MOVE_SELF and a queue overflow always
 * mean it. To rescan, load anew and list anew. Watch policy.conf's directory before the
 * first load, and try to watch missing directories too: one that can be watched has
 * appeared since it was loaded, so load anew. Acting module: reads policy.conf and
 * directories, never a rule file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/diag.h"
#include "aclserver/policy.h"
#include "common/arena.h"
#include "common/err.h"

enum {
	POLICY_LOAD_FILES_MAX = 100000,  /* rule files */
	POLICY_LOAD_INCLUDES_MAX = 1000, /* include lines, or files named with -p */
};

/** One include: a file, or all files of one directory that match a pattern. */
struct policy_load_include {
	const char *dir;     /* directory part as paths in messages begin with it: "" or
				ends in '/' */
	const char *pattern; /* base name, or fnmatch() pattern of base names */
	bool is_glob;        /* pattern is one; else the file has to exist */
	int line;            /* in policy.conf; 0 = not from there */
	size_t watch;        /* index of its directory in watches */
};

/** A directory whose events matter. */
struct policy_load_watch {
	const char *path; /* canonical; relative ones are taken from the working
			     directory */
	bool exists; /* existed when it was loaded; a missing directory has no events:
			its nearest existing ancestor is in the list as well */
};

/** Something whose appearance or change makes everything stale: policy.conf, or the
 * next component of the path to a missing directory. */
struct policy_load_trigger {
	size_t watch;     /* index in watches */
	const char *name; /* base name */
};

/** The resolved includes. Read-only for callers. */
struct policy_load {
	struct arena *arena; /* owned; holds all texts and arrays */
	const char *conf;    /* path of policy.conf, for messages; NULL for -p and -P */
	struct policy_load_include *includes; /* in the order written */
	size_t n_includes;
	struct policy_load_watch *watches; /* each directory once */
	size_t n_watches;
	struct policy_load_trigger *triggers;
	size_t n_triggers;
	struct policy_vars vars; /* of policy.conf; none for -p and -P */
};

/** Identity and position of a rule file. */
struct policy_key {
	size_t include;   /* index of the first include that matches */
	const char *name; /* base name; borrowed, see the function that filled it */
};

/** All rule files, sorted by key. */
struct policy_files {
	struct arena *arena; /* owned; holds items and their names */
	struct policy_key *items;
	size_t n;
};

/**
 * Read policy.conf and resolve its includes. Relative includes are taken from the
 * directory of @path. A wildcard is accepted in the last part of a path only. If @path
 * does not exist, all files "*.rules" of policy.d beside it are included.
 *
 * @ret     new; free with policy_load_free(); set on success only
 * Returns  0; -EINVAL when errors were added to @diags (all of them); -ENOMEM; another
 *          negative errno when @path cannot be read (in @diags)
 */
int policy_load_conf(const char *path, struct policy_load **ret, struct diags *diags);

/**
 * The files @paths (n of them), in that order (-p). Returns 0; -ENOENT with "Cannot
 * find policy files: ['a', 'b']" in @err, which names every missing one; -E2BIG;
 * -ENOMEM.
 */
int policy_load_files(
	const char *const *paths, size_t n, struct policy_load **ret, struct err *err);

/** Every file of the directory @path, whatever its suffix (-P). Returns 0; -ENOENT with
 * "Cannot find policy dir PATH" in @err, also when it is no directory; -ENOMEM. */
int policy_load_dir(const char *path, struct policy_load **ret, struct err *err);

/** Accepts NULL. */
void policy_load_free(struct policy_load *load);

/**
 * List the rule files that exist now. Sub-directories, dot files and the leavings of
 * editors and of dpkg (".*", "*~", "#*#", "*.dpkg-*") are not among the matches of a
 * pattern. A file that several includes match is listed once, at the first.
 *
 * @ret     filled on success only; free with policy_files_done(); names live until then
 * Returns  0; -EINVAL when errors were added to @diags: a file included by name is
 *          missing, a directory is missing or not readable, or there are more than
 *          POLICY_LOAD_FILES_MAX files; -ENOMEM
 */
int policy_load_list(
	const struct policy_load *load, struct policy_files *ret, struct diags *diags);

/** Free the list; it is empty afterwards. Accepts a zeroed one. */
void policy_files_done(struct policy_files *files);

enum policy_load_event {
	POLICY_LOAD_NOTHING, /* no include matches */
	POLICY_LOAD_FILE,    /* a rule file, present or not: its key was filled */
	POLICY_LOAD_RESCAN,  /* load and list anew */
};

/**
 * What a change of the directory entry @name in watches[@watch] means. Touches no file.
 * @ret  filled for POLICY_LOAD_FILE only; its name borrows @name
 */
enum policy_load_event policy_load_resolve(const struct policy_load *load, size_t watch,
	const char *name, struct policy_key *ret);

/** Negative, 0 or positive as @a is installed before, is, or is installed after @b. */
int policy_key_cmp(const struct policy_key *a, const struct policy_key *b);

/** Path of a rule file, for messages and for reading; newly allocated, NULL when out of
 * memory. */
char *policy_load_path(const struct policy_load *load, const struct policy_key *key);

/** The include that names exactly this file, so that its absence is an error; NULL when
 * only patterns match it. */
const struct policy_load_include *policy_load_required(
	const struct policy_load *load, const struct policy_key *key);
