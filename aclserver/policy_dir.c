/*
 * policy_dir.c - makes the policy directory and its permissions; see policy_dir.h.
 */
#include "aclserver/policy_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

enum { POLICY_DIR_MODE = 01775, PARENT_MODE = 0755 };

static int
make_parents(const char *path, struct err *err)
{
	AUTO_FREE char *copy = strdup(path);

	if (!copy)
		return err_set(err, -ENOMEM, "%s: out of memory", path);
	for (char *slash = strchr(copy + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, PARENT_MODE) < 0 && errno != EEXIST)
			return err_sys(
				err, -errno, "%s: cannot make the directory", copy);
		*slash = '/';
	}
	return 0;
}

static bool
may_write(const struct stat *st, uid_t uid, gid_t gid)
{
	if (st->st_uid == uid)
		return (st->st_mode & S_IWUSR) != 0;
	if (st->st_gid == gid)
		return (st->st_mode & S_IWGRP) != 0;
	return (st->st_mode & S_IWOTH) != 0;
}

int
policy_dir_prepare(const char *path, uid_t uid, gid_t gid, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int r = make_parents(path, err);

	if (r < 0)
		return r;
	if (mkdir(path, PARENT_MODE) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "%s: cannot make the directory", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, -errno, "%s: cannot open the directory", path);
	if (uid == 0 || may_write(&st, uid, gid))
		return 0;
	if (fchown(fd, (uid_t)-1, gid) < 0 || fchmod(fd, POLICY_DIR_MODE) < 0)
		return err_sys(err, -errno,
			"%s: cannot let group %u, which the HTTP process has, write to "
			"it",
			path, (unsigned)gid);
	log_notice("%s: group %u may now make files in it (mode 1775)", path,
		(unsigned)gid);
	return 0;
}
