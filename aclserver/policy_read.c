/*
 * policy_read.c - bounded read of one rule file that does not follow foreign links; see
 * policy_read.h.
 */
#include "aclserver/policy_read.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "aclserver/policy.h"
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

int
policy_read(const char *path, struct policy_text *ret, struct err *err)
{
	struct policy_text file = { 0 };
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return err_sys(err, -errno, "cannot read it");
	if (S_ISLNK(st.st_mode) && st.st_uid != 0)
		return err_set(err, -ELOOP, "a symbolic link that root did not make");
	/* Between the two calls a file could be replaced by a link: O_NOFOLLOW shows
	 * that. */
	if (S_ISLNK(st.st_mode))
		r = read_through_link(path, &file, err);
	else
		r = file_read_nofollow(
			AT_FDCWD, path, POLICY_FILE_MAX, &file.text, &file.len);
	if (r == -ENOLINK)
		return r;
	if (r == -EFBIG)
		return err_set(err, r, "larger than %d bytes", POLICY_FILE_MAX);
	if (r == -EINVAL)
		return err_set(err, r, "not a regular file");
	if (r < 0)
		return err_sys(err, r, "cannot read it");
	file.owner = st.st_uid;
	*ret = file;
	return 0;
}
