/*
 * last_good.c - copies of installed policy files; see last_good.h.
 */
#include "aclserver/last_good.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static const char subdir[] = "last-good";

char *
last_good_conf_path(const char *state_dir)
{
	char *path;

	return asprintf(&path, "%s/%s/policy.conf", state_dir, subdir) < 0 ? NULL
									   : path;
}

char *
last_good_path(const char *state_dir, const struct policy_key *key)
{
	char *path;

	if (asprintf(&path, "%s/%s/%04zu/%s", state_dir, subdir, key->include,
		    key->name) < 0)
		return NULL;
	return path;
}

/* Does @path hold that text, and nothing else? */
static bool
holds(const char *path, const char *text, size_t len)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char buf[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	while (n > 0 && (size_t)n <= len && memcmp(buf, text, (size_t)n) == 0) {
		text += n;
		len -= (size_t)n;
		n = read(fd, buf, sizeof(buf));
	}
	return n == 0 && len == 0;
}

/* Replace @path without waiting for the disk; a reader sees the old or the new file,
 * never a part. */
static int
replace(const char *path, const char *text, size_t len)
{
	AUTO_FREE char *temp = NULL;
	AUTO_CLOSE int fd = -1;
	int r = 0;

	if (asprintf(&temp, "%s~", path) < 0) /* a name that no include matches */
		return -ENOMEM;
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		r = errno ? -errno : -ENOSPC;
	else if (rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	return r;
}

static int
make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "%s: cannot make the directory", path);
	return 0;
}

static int
make_dirs(const char *state_dir, const struct policy_load *load, struct err *err)
{
	int r = make_dir(state_dir, err);

	for (size_t i = 0; i <= load->n_includes && r == 0; i++) {
		AUTO_FREE char *path = NULL;
		int n = i == 0 ? asprintf(&path, "%s/%s", state_dir, subdir)
			       : asprintf(&path, "%s/%s/%04zu", state_dir, subdir,
					 i - 1);

		r = n < 0 ? err_set(err, -ENOMEM, "out of memory")
			  : make_dir(path, err);
	}
	return r;
}

static int
write_conf(FILE *out, const struct policy_load *load)
{
	fputs("# Written by tapgate: the last policy that was installed without "
	      "error.\n",
		out);
	for (size_t i = 0; i < load->vars.n; i++)
		fprintf(out, "%s = \"%s\"\n", load->vars.items[i].name,
			load->vars.items[i].value);
	for (size_t i = 0; i < load->n_includes; i++)
		fprintf(out, "include %04zu/*\n", i);
	return ferror(out) ? -ENOMEM : 0;
}

int
last_good_prepare(
	const char *state_dir, const struct policy_load *load, struct err *err)
{
	AUTO_FREE char *path = last_good_conf_path(state_dir);
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	FILE *out;
	int r = make_dirs(state_dir, load, err);

	if (r < 0)
		return r;
	out = open_memstream(&text, &len);
	if (!out || !path)
		return err_set(err, -ENOMEM, "out of memory");
	r = write_conf(out, load);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		r = replace(path, text, len);
	return r < 0 ? err_sys(err, r, "%s: cannot write", path) : 0;
}

int
last_good_put(const char *state_dir, const struct policy_key *key, const char *text,
	size_t len, struct err *err)
{
	AUTO_FREE char *path = last_good_path(state_dir, key);
	int r;

	/* The rules of a file may change without it, those of all files at once, and
	 * rename() waits for the disk where there is a file to be replaced. */
	if (path && holds(path, text, len))
		return 0;
	r = path ? replace(path, text, len) : -ENOMEM;

	return r < 0 ? err_sys(err, r, "%s: cannot keep a copy", key->name) : 0;
}

void
last_good_remove(const char *state_dir, const struct policy_key *key)
{
	AUTO_FREE char *path = last_good_path(state_dir, key);

	if (path)
		unlink(path);
}

static void
prune_include(const char *state_dir, size_t include, last_good_known_fn known,
	void *user_data)
{
	AUTO_FREE char *path = NULL;
	const struct dirent *entry;
	DIR *dir;

	if (asprintf(&path, "%s/%s/%04zu", state_dir, subdir, include) < 0)
		return;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		const struct policy_key key = { .include = include,
			.name = entry->d_name };

		if (entry->d_name[0] != '.' && !known(&key, user_data))
			last_good_remove(state_dir, &key);
	}
	if (dir)
		closedir(dir);
}

void
last_good_prune(const char *state_dir, const struct policy_load *load,
	last_good_known_fn known, void *user_data)
{
	for (size_t i = 0; i < load->n_includes; i++)
		prune_include(state_dir, i, known, user_data);
}
