/*
 * policy_dir.c - makes the policy directory and its permissions; see policy_dir.h.
 */
#include "aclserver/policy_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aclserver/policy_table.h"
#include "common/cleanup.h"
#include "common/log.h"

enum { POLICY_DIR_MODE = 01775, PARENT_MODE = 0755 };

/* Whatever the umask: others have to find their way through it. */
static int
make_dir(const char *path, struct err *err)
{
	if (mkdir(path, PARENT_MODE) == 0)
		(void)chmod(path, PARENT_MODE); /* it is ours */
	else if (errno != EEXIST)
		return err_sys(err, -errno, "%s: cannot make the directory", path);
	return 0;
}

static int
make_parents(const char *path, struct err *err)
{
	AUTO_FREE char *copy = strdup(path);

	int r = 0;

	if (!copy)
		return err_set(err, -ENOMEM, "%s: out of memory", path);
	for (char *slash = strchr(copy + 1, '/'); slash && r == 0;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_dir(copy, err);
		*slash = '/';
	}
	return r;
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

/* One name only, and no link of any kind: nothing else than the ACL itself can change
 * hands. */
static bool
hand_over(int dirfd, const char *name, uid_t uid, gid_t gid)
{
	AUTO_CLOSE int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || st.st_nlink != 1)
		return false;
	return fchown(fd, uid, gid) == 0;
}

static void
hand_over_acls(int dirfd, const char *path, uid_t uid, gid_t gid)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir)))
		if (policy_is_rest_name(entry->d_name))
			n += hand_over(dirfd, entry->d_name, uid, gid);
	if (dir)
		closedir(dir);
	if (n > 0)
		log_notice("%s: %zu ACLs of root now belong to user %u", path, n,
			(unsigned)uid);
}

int
policy_dir_prepare(const char *path, uid_t uid, gid_t gid, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int r = make_parents(path, err);

	if (r == 0)
		r = make_dir(path, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, -errno, "%s: cannot open the directory", path);
	if (uid == 0)
		return 0;
	hand_over_acls(fd, path, uid, gid);
	if (may_write(&st, uid, gid))
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
