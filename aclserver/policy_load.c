/*
 * policy_load.c - where the rule files are: policy.conf, -p or -P resolved to includes.
 *
 * An include is a directory and a pattern of base names. A directory is identified by
 * its canonical path, so that one file included over two ways is known to be one. Which
 * files match is the business of policy_list.c.
 */
#include "aclserver/policy_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"

static const char wildcards[] = "*?[";

/* A path that is being resolved. */
struct source {
	const char *base;    /* directory that relative paths are taken from, "" or with
				'/' at its end */
	const char *path;    /* as written */
	bool is_glob;        /* wildcards mean something */
	int line;            /* in policy.conf */
	struct diags *diags; /* NULL: nothing can be wrong with it */
};

/* An empty load; NULL when out of memory. */
static struct policy_load *
load_new(void)
{
	struct policy_load *load = calloc(1, sizeof(*load));

	if (!load)
		return NULL;
	load->arena = arena_new(0);
	if (!load->arena) {
		free(load);
		return NULL;
	}
	return load;
}

/* Room for @n includes and what they need. */
static bool
load_reserve(struct policy_load *load, size_t n)
{
	/* A directory that is missing takes two watches and a trigger; policy.conf
	 * takes a trigger of its own. */
	load->includes = arena_alloc(load->arena, n * sizeof(*load->includes));
	load->watches = arena_alloc(load->arena, 2 * (n + 1) * sizeof(*load->watches));
	load->triggers = arena_alloc(load->arena, (n + 2) * sizeof(*load->triggers));
	return load->includes && load->watches && load->triggers;
}

void
policy_load_free(struct policy_load *load)
{
	if (!load)
		return;
	arena_free(load->arena);
	free(load);
}

static bool
has_wildcard(const char *text)
{
	return text[strcspn(text, wildcards)] != '\0';
}

/* The base name in @path; the directory part before it ends in '/' or is empty. */
static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Index of the watch of the canonical @path, which is added when it is new. Returns 0
 * or -ENOMEM. */
static int
watch_add(struct policy_load *load, const char *path, bool exists, size_t *ret)
{
	char *copy;

	for (size_t i = 0; i < load->n_watches; i++) {
		if (strcmp(load->watches[i].path, path) == 0) {
			*ret = i;
			return 0;
		}
	}
	copy = arena_strdup(load->arena, path);
	if (!copy)
		return -ENOMEM;
	load->watches[load->n_watches].path = copy;
	load->watches[load->n_watches].exists = exists;
	*ret = load->n_watches++;
	return 0;
}

static int
trigger_add(struct policy_load *load, size_t watch, const char *name)
{
	const char *copy = arena_strdup(load->arena, name);

	if (!copy)
		return -ENOMEM;
	load->triggers[load->n_triggers].watch = watch;
	load->triggers[load->n_triggers].name = copy;
	load->n_triggers++;
	return 0;
}

/* Cut the last component off @path, which ends in no slash. Returns its length with the
 * slashes before it removed; 0 when @path had one component. */
static size_t
parent_len(const char *path, size_t len)
{
	while (len && path[len - 1] != '/')
		len--;
	while (len && path[len - 1] == '/')
		len--;
	return len;
}

/* The canonical path of the longest beginning of @path that exists. @ret_missing:
 * what of @path is behind it. Heap; NULL when out of memory. */
static char *
nearest_existing(const char *path, const char **ret_missing)
{
	const char *root = path[0] == '/' ? "/" : ".";
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	while ((len = parent_len(path, len)) > 0) {
		AUTO_FREE char *parent = strndup(path, len);
		char *real = parent ? realpath(parent, NULL) : NULL;

		if (!parent || (!real && errno == ENOMEM))
			return NULL;
		if (real) {
			*ret_missing = path + len + strspn(path + len, "/");
			return real;
		}
	}
	*ret_missing = path + strspn(path, "/");
	return realpath(root, NULL);
}

/* The watch of the directory @dir, which does not exist (or cannot be looked up), and a
 * trigger for the moment when it begins to. */
static int
watch_missing_dir(struct policy_load *load, const char *dir, size_t *ret)
{
	const char *missing;
	AUTO_FREE char *parent = nearest_existing(dir, &missing);
	char *path, *component;
	size_t watch, len;
	int result;

	if (!parent)
		return -ENOMEM;
	len = strlen(missing);
	while (len && missing[len - 1] == '/')
		len--;
	path = arena_printf(load->arena, "%s/%.*s", strcmp(parent, "/") ? parent : "",
		(int)len, missing);
	component = arena_strndup(load->arena, missing, strcspn(missing, "/"));
	if (!path || !component)
		return -ENOMEM;
	result = watch_add(load, parent, true, &watch);
	if (result == 0)
		result = trigger_add(load, watch, component);
	return result < 0 ? result : watch_add(load, path, false, ret);
}

/* The watch of the directory @dir ("" or ending in '/'). Returns 0 or -ENOMEM. */
static int
watch_dir(struct policy_load *load, const char *dir, size_t *ret)
{
	AUTO_FREE char *real = realpath(*dir ? dir : ".", NULL);

	if (real)
		return watch_add(load, real, true, ret);
	return errno == ENOMEM ? -ENOMEM : watch_missing_dir(load, dir, ret);
}

/* True if the path can be an include; else why not was reported. */
static bool
check_include(const struct policy_load *load, const struct source *source,
	const struct policy_load_include *include)
{
	const char *reason = NULL;

	if (!source->diags)
		return true;
	if (source->is_glob && has_wildcard(include->dir))
		reason = "a wildcard may stand in the last part of the path only";
	else if (include->pattern[strspn(include->pattern, ".")] == '\0')
		reason = "names a directory; write DIRECTORY/*.rules";
	if (reason)
		diags_add(source->diags, DIAG_ERROR, load->conf, source->line, NULL,
			"include \"%s\": %s", source->path, reason);
	return !reason;
}

/* Append an include. Returns 0, -EINVAL (in the diagnostics), or -ENOMEM. */
static int
include_add(struct policy_load *load, const struct source *source)
{
	struct policy_load_include include = { .line = source->line };
	const char *base = source->path[0] == '/' ? "" : source->base;
	const char *name = base_name(source->path);
	int result;

	include.dir = arena_printf(
		load->arena, "%s%.*s", base, (int)(name - source->path), source->path);
	include.pattern = arena_strdup(load->arena, name);
	if (!include.dir || !include.pattern)
		return -ENOMEM;
	if (!check_include(load, source, &include))
		return -EINVAL;
	include.is_glob = source->is_glob && has_wildcard(name);
	result = watch_dir(load, include.dir, &include.watch);
	if (result < 0)
		return result;
	load->includes[load->n_includes++] = include;
	return 0;
}

/* What policy.conf would say if it existed. */
static int
conf_default(struct arena *arena, struct policy_conf *ret)
{
	struct policy_include *include = arena_alloc(arena, sizeof(*include));

	if (!include)
		return -ENOMEM;
	*include = (struct policy_include){ "policy.d/*.rules", 0, true };
	*ret = (struct policy_conf){ include, 1, { 0 } };
	return 0;
}

/* Read policy.conf at @path into @ret. */
static int
conf_read(const char *path, struct arena *arena, struct policy_conf *ret,
	struct diags *diags)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int result = file_read(AT_FDCWD, path, POLICY_FILE_MAX, &text, &len);

	if (result == -ENOENT)
		return conf_default(arena, ret);
	if (result == -ENOMEM)
		return result;
	if (result < 0) {
		diags_add(diags, DIAG_ERROR, path, 0, NULL, "cannot be read: %s",
			result == -EINVAL ? "not a regular file" : strerror(-result));
		return result;
	}
	result = policy_conf_parse(path, text, len, arena, ret, diags);
	if (result == 0 && ret->n_includes > POLICY_LOAD_INCLUDES_MAX) {
		diags_add(diags, DIAG_ERROR, path, 0, NULL, "more than %d includes",
			POLICY_LOAD_INCLUDES_MAX);
		result = -EINVAL;
	}
	return result;
}

/* Watch policy.conf itself. */
static int
watch_conf(struct policy_load *load, const char *dir)
{
	size_t watch;
	int result = watch_dir(load, dir, &watch);

	return result < 0 ? result : trigger_add(load, watch, base_name(load->conf));
}

/* Resolve every include of @conf, so that all errors are reported. */
static int
conf_resolve(
	struct policy_load *load, const struct policy_conf *conf, struct diags *diags)
{
	const char *name = base_name(load->conf);
	const char *dir =
		arena_strndup(load->arena, load->conf, (size_t)(name - load->conf));
	int result = dir ? watch_conf(load, dir) : -ENOMEM;

	for (size_t i = 0; i < conf->n_includes && result != -ENOMEM; i++) {
		const struct source source = {
			.base = dir,
			.path = conf->includes[i].pattern,
			.is_glob = conf->includes[i].is_glob,
			.line = conf->includes[i].line,
			.diags = diags,
		};
		int added = include_add(load, &source);

		result = added < 0 ? added : result;
	}
	return result;
}

static int
conf_load(struct policy_load *load, const char *path, struct diags *diags)
{
	struct policy_conf conf;
	int result = conf_read(path, load->arena, &conf, diags);

	if (result < 0)
		return result;
	load->conf = arena_strdup(load->arena, path);
	if (!load->conf || !load_reserve(load, conf.n_includes))
		return -ENOMEM;
	load->vars = conf.vars;
	return conf_resolve(load, &conf, diags);
}

int
policy_load_conf(const char *path, struct policy_load **ret, struct diags *diags)
{
	struct policy_load *load = load_new();
	int result = load ? conf_load(load, path, diags) : -ENOMEM;

	if (result == 0)
		*ret = take_ptr(load);
	policy_load_free(load);
	return result;
}

static bool
is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* 0 if all @paths exist; else -ENOENT with the list of those that do not, in the form
 * that cl-acltool prints. */
static int
check_files(const char *const *paths, size_t n, struct err *err)
{
	AUTO_FREE char *missing = NULL;
	size_t len, count = 0;
	FILE *out = open_memstream(&missing, &len);

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (!is_regular(paths[i]))
			fprintf(out, "%s'%s'", count++ ? ", " : "", paths[i]);
	}
	if (fclose(out) != 0)
		return err_set(err, -ENOMEM, "out of memory");
	if (count == 0)
		return 0;
	return err_set(err, -ENOENT, "Cannot find policy files: [%s]", missing);
}

int
policy_load_files(
	const char *const *paths, size_t n, struct policy_load **ret, struct err *err)
{
	struct policy_load *load;
	int result;

	if (n > POLICY_LOAD_INCLUDES_MAX)
		return err_set(err, -E2BIG, "more than %d policy files named",
			POLICY_LOAD_INCLUDES_MAX);
	result = check_files(paths, n, err);
	if (result < 0)
		return result;
	load = load_new();
	if (!load || !load_reserve(load, n))
		result = -ENOMEM;
	for (size_t i = 0; i < n && result == 0; i++) {
		const struct source source = { .base = "", .path = paths[i] };

		result = include_add(load, &source);
	}
	if (result == 0)
		*ret = take_ptr(load);
	else
		err_set(err, result, "out of memory");
	policy_load_free(load);
	return result;
}

int
policy_load_dir(const char *path, struct policy_load **ret, struct err *err)
{
	struct policy_load *load = NULL;
	AUTO_FREE char *pattern = NULL;
	size_t len = strlen(path);
	struct stat st;
	int result = -ENOMEM;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(err, -ENOENT, "Cannot find policy dir %s", path);
	while (len && path[len - 1] == '/')
		len--;
	if (asprintf(&pattern, "%.*s/*", (int)len, path) < 0)
		pattern = NULL;
	load = pattern ? load_new() : NULL;
	if (load && load_reserve(load, 1)) {
		const struct source source = {
			.base = "", .path = pattern, .is_glob = true
		};

		result = include_add(load, &source);
	}
	if (result == 0)
		*ret = take_ptr(load);
	else
		err_set(err, result, "out of memory");
	policy_load_free(load);
	return result;
}
