/*
 * policy_read.c - bounded read of one rule file that does not follow foreign links; see
 * policy_read.h.
 */
#include "aclserver/policy_read.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "aclserver/policy.h"
#include "common/cleanup.h"
#include "common/file.h"

/* A link of root's: the file that it points to. */
static int
read_through_link(const char *path, struct policy_text *ret, struct err *err)
{
	int r = file_read(AT_FDCWD, path, POLICY_FILE_MAX, &ret->text, &ret->len);

	if (r == -ENOENT)
		return err_set(err, -ENOLINK, "a symbolic link that points to nothing");
	return r;
}

/* Not a link: the file itself, and who owns it. */
static int
read_directly(const char *path, struct policy_text *ret, struct err *err)
{
	/* Between lstat() and this a file could be replaced by a link: O_NOFOLLOW shows
	 * that. O_NONBLOCK: a FIFO must not hang. */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink > 1 && (st.st_mode & S_IROTH) == 0)
		return err_set(err, -EMLINK,
			"a file with several names (hard links) that not everybody may "
			"read");
	ret->owner = st.st_uid;
	return file_read_fd(fd, POLICY_FILE_MAX, &ret->text, &ret->len);
}

int
policy_read(const char *path, struct policy_text *ret, struct err *err)
{
	struct policy_text file = { .owner = 0 }; /* links are followed for root only */
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return err_sys(err, -errno, "cannot read it");
	if (S_ISLNK(st.st_mode) && st.st_uid != 0)
		return err_set(err, -ELOOP, "a symbolic link that root did not make");
	if (S_ISLNK(st.st_mode))
		r = read_through_link(path, &file, err);
	else
		r = read_directly(path, &file, err);
	if (r == -ENOLINK || r == -EMLINK)
		return r; /* @err has the reason */
	if (r == -EFBIG)
		return err_set(err, r, "larger than %d bytes", POLICY_FILE_MAX);
	if (r == -EINVAL)
		return err_set(err, r, "not a regular file");
	if (r < 0)
		return err_sys(err, r, "cannot read it");
	*ret = file;
	return 0;
}
