/*
 * policy_list.c - which rule files belong to the includes of a struct policy_load, and
 * in which order.
 *
 * Listing reads directories; resolving a single name looks at the includes only, so
 * both go through first_match() and cannot disagree.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "aclserver/policy_load.h"
#include "common/cleanup.h"

/* Names that no pattern matches. */
static bool
is_skipped(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || name[0] == '.' || name[len - 1] == '~')
		return true;
	if (name[0] == '#' && name[len - 1] == '#')
		return true;
	return strstr(name, ".dpkg-") != NULL;
}

static bool
include_matches(
	const struct policy_load_include *include, size_t watch, const char *name)
{
	if (include->watch != watch)
		return false;
	if (!include->is_glob)
		return strcmp(include->pattern, name) == 0;
	return !is_skipped(name) && fnmatch(include->pattern, name, 0) == 0;
}

/* Index of the first include that matches @name in a directory; n_includes for none. */
static size_t
first_match(const struct policy_load *load, size_t watch, const char *name)
{
	size_t i = 0;

	while (i < load->n_includes &&
		!include_matches(&load->includes[i], watch, name))
		i++;
	return i;
}

enum policy_load_event
policy_load_resolve(const struct policy_load *load, size_t watch, const char *name,
	struct policy_key *ret)
{
	size_t include;

	for (size_t i = 0; i < load->n_triggers; i++) {
		if (load->triggers[i].watch == watch &&
			strcmp(load->triggers[i].name, name) == 0)
			return POLICY_LOAD_RESCAN;
	}
	include = first_match(load, watch, name);
	if (include == load->n_includes)
		return POLICY_LOAD_NOTHING;
	ret->include = include;
	ret->name = name;
	return POLICY_LOAD_FILE;
}

int
policy_key_cmp(const struct policy_key *a, const struct policy_key *b)
{
	if (a->include != b->include)
		return a->include < b->include ? -1 : 1;
	return strcmp(a->name, b->name);
}

char *
policy_load_path(const struct policy_load *load, const struct policy_key *key)
{
	char *path;

	if (asprintf(&path, "%s%s", load->includes[key->include].dir, key->name) < 0)
		return NULL;
	return path;
}

const struct policy_load_include *
policy_load_required(const struct policy_load *load, const struct policy_key *key)
{
	size_t watch = load->includes[key->include].watch;

	for (size_t i = key->include; i < load->n_includes; i++) {
		const struct policy_load_include *include = &load->includes[i];

		if (!include->is_glob && include_matches(include, watch, key->name))
			return include;
	}
	return NULL;
}

/* Report what is wrong with an include as a whole. */
static void
include_error(const struct policy_load *load, const struct policy_load_include *include,
	const char *reason, struct diags *diags)
{
	const char *name = include->is_glob && !load->conf ? "" : include->pattern;
	AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s%s", include->dir, name) < 0) {
		path = NULL;
		diags_add(diags, DIAG_ERROR, name, 0, NULL, "%s", reason);
	} else if (load->conf) {
		diags_add(diags, DIAG_ERROR, load->conf, include->line, NULL,
			"include \"%s\": %s", path, reason);
	} else {
		diags_add(diags, DIAG_ERROR, path, 0, NULL, "%s", reason);
	}
}

/* The list of files under construction. */
struct lister {
	const struct policy_load *load;
	struct policy_files files;
	size_t size; /* keys that files.items has room for */
	struct diags *diags;
};

/* Append a file. Returns 0, -ENOMEM, or -E2BIG. */
static int
append(struct lister *l, size_t include, const char *name)
{
	struct policy_files *files = &l->files;
	char *copy;

	if (files->n == POLICY_LOAD_FILES_MAX)
		return -E2BIG;
	if (files->n == l->size) {
		size_t size = l->size ? 2 * l->size : 64;
		struct policy_key *items =
			arena_alloc(files->arena, size * sizeof(*items));

		if (!items)
			return -ENOMEM;
		if (files->n)
			memcpy(items, files->items, files->n * sizeof(*items));
		files->items = items;
		l->size = size;
	}
	copy = arena_strdup(files->arena, name);
	if (!copy)
		return -ENOMEM;
	files->items[files->n].include = include;
	files->items[files->n].name = copy;
	files->n++;
	return 0;
}

/* List a file that is included by name. */
static int
list_file(struct lister *l, size_t index)
{
	const struct policy_load_include *include = &l->load->includes[index];
	const struct policy_key key = { index, include->pattern };
	AUTO_FREE char *path = policy_load_path(l->load, &key);
	struct stat st;

	if (!path)
		return -ENOMEM;
	if (stat(path, &st) < 0) {
		include_error(l->load, include,
			errno == ENOENT ? "no such file" : strerror(errno), l->diags);
		return -EINVAL;
	}
	if (!S_ISREG(st.st_mode)) {
		include_error(l->load, include, "not a regular file", l->diags);
		return -EINVAL;
	}
	if (first_match(l->load, include->watch, include->pattern) != index)
		return 0;
	return append(l, index, include->pattern);
}

/* What a symbolic link points to is not looked at: if it is no file, reading it will
 * say so. */
static bool
is_directory(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static int
key_cmp(const void *a, const void *b)
{
	return policy_key_cmp(a, b);
}

/* List the files of an open directory that belong to include @index, in byte order. */
static int
list_entries(struct lister *l, size_t index, DIR *dir)
{
	size_t watch = l->load->includes[index].watch;
	size_t first = l->files.n;
	struct dirent *entry;
	int result = 0;

	while (result == 0 && (errno = 0, entry = readdir(dir))) {
		if (first_match(l->load, watch, entry->d_name) == index &&
			!is_directory(dir, entry))
			result = append(l, index, entry->d_name);
	}
	if (result == 0 && errno != 0)
		result = -errno;
	if (l->files.n > first)
		qsort(l->files.items + first, l->files.n - first,
			sizeof(*l->files.items), key_cmp);
	return result;
}

static int
list_glob(struct lister *l, size_t index)
{
	const struct policy_load_include *include = &l->load->includes[index];
	DIR *dir = opendir(*include->dir ? include->dir : ".");
	int result;

	/* Not an empty list: a directory that is not there, or was moved away for a
	 * moment, must not look like a policy without rules. */
	if (!dir) {
		include_error(l->load, include,
			errno == ENOENT ? "no such directory" : strerror(errno),
			l->diags);
		return -EINVAL;
	}
	result = list_entries(l, index, dir);
	closedir(dir);
	if (result == 0 || result == -ENOMEM || result == -E2BIG)
		return result;
	include_error(l->load, include, strerror(-result), l->diags);
	return -EINVAL;
}

/* List every include, so that all errors are reported. */
static int
list_all(struct lister *l)
{
	int result = 0;

	for (size_t i = 0; i < l->load->n_includes; i++) {
		bool is_glob = l->load->includes[i].is_glob;
		int listed = is_glob ? list_glob(l, i) : list_file(l, i);

		if (listed == -ENOMEM)
			return listed;
		if (listed == -E2BIG) {
			diags_add(l->diags, DIAG_ERROR,
				l->load->conf ? l->load->conf
					      : l->load->includes[i].dir,
				0, NULL, "more than %d policy files",
				POLICY_LOAD_FILES_MAX);
			return -EINVAL;
		}
		result = listed < 0 ? listed : result;
	}
	return result;
}

int
policy_load_list(
	const struct policy_load *load, struct policy_files *ret, struct diags *diags)
{
	struct lister l = { .load = load, .diags = diags };
	int result;

	l.files.arena = arena_new(0);
	result = l.files.arena ? list_all(&l) : -ENOMEM;
	if (result == 0)
		*ret = l.files;
	else
		policy_files_done(&l.files);
	return result;
}

void
policy_files_done(struct policy_files *files)
{
	arena_free(files->arena);
	*files = (struct policy_files){ 0 };
}
