/*
 * policy_read.c - bounded read of one rule file that does not follow foreign links; see
 * policy_read.h.
 */
#include "aclserver/policy_read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aclserver/policy.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { LINKS_MAX = 8 };

/* ---- links ---- */

/* Put what the link @fd says in the place of @path, its name. */
static int
follow(int fd, char path[PATH_MAX])
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(fd, "", target, sizeof(target));
	const char *slash = strrchr(path, '/');
	size_t at = 0;

	if (len < 0)
		return -errno;
	if (slash && target[0] != '/')
		at = (size_t)(slash - path) + 1;
	if (at + (size_t)len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path + at, target, (size_t)len);
	path[at + (size_t)len] = '\0';
	return 0;
}

/* Go from @path along links of root to what is none. Each one is held while it is
 * looked at: a name that means another link a moment later leads nowhere. */
static int
follow_all(char path[PATH_MAX], bool *ret_linked, struct err *err)
{
	*ret_linked = false;
	for (int i = 0; i <= LINKS_MAX; i++) {
		AUTO_CLOSE int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		struct stat st;
		int r;

		if (fd < 0 && errno == ENOENT && *ret_linked)
			return err_set(err, -ENOLINK,
				"a symbolic link that points to nothing");
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(err, -errno, "cannot read it");
		if (!S_ISLNK(st.st_mode))
			return 0;
		if (st.st_uid != 0)
			return err_set(err, -ELOOP,
				"a symbolic link that root did not make%s",
				*ret_linked ? ", behind one that it made" : "");
		r = follow(fd, path);
		if (r < 0)
			return err_sys(err, r, "cannot read it");
		*ret_linked = true;
	}
	return err_set(err, -ELOOP, "more than %d symbolic links in a row", LINKS_MAX);
}

/* ---- the file ---- */

/* Where no link of root leads here, it matters who owns it, and that it is no second
 * name of a secret. */
static int
check(int fd, bool linked, uid_t *ret_owner, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "cannot read it");
	if (!linked && st.st_nlink > 1 && (st.st_mode & S_IROTH) == 0)
		return err_set(err, -EMLINK,
			"a file with several names (hard links) that not everybody may "
			"read");
	*ret_owner = linked ? 0 : st.st_uid;
	return 0;
}

int
policy_read(const char *path, struct policy_text *ret, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct policy_text file;
	char real[PATH_MAX];
	bool linked;
	int r;

	if (strlen(path) >= sizeof(real))
		return err_sys(err, -ENAMETOOLONG, "cannot read it");
	memcpy(real, path, strlen(path) + 1);
	r = follow_all(real, &linked, err);
	if (r < 0)
		return r;
	/* O_NOFOLLOW: it may have become a link by now. O_NONBLOCK: a FIFO must not
	 * hang. */
	fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, -errno, "cannot read it");
	r = check(fd, linked, &file.owner, err);
	if (r < 0)
		return r;
	r = file_read_fd(fd, POLICY_FILE_MAX, &file.text, &file.len);
	if (r == -EFBIG)
		return err_set(err, r, "larger than %d bytes", POLICY_FILE_MAX);
	if (r == -EINVAL)
		return err_set(err, r, "not a regular file");
	if (r < 0)
		return err_sys(err, r, "cannot read it");
	*ret = file;
	return 0;
}
