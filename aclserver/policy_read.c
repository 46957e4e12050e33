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

int
policy_read(const char *path, char **ret_buf, size_t *ret_len, struct err *err)
{
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return err_sys(err, -errno, "cannot read it");
	if (S_ISLNK(st.st_mode) && st.st_uid != 0)
		return err_set(err, -ELOOP, "a symbolic link that root did not make");
	/* Between the two calls a file could be replaced by a link: O_NOFOLLOW shows
	 * that. */
	if (S_ISLNK(st.st_mode))
		r = file_read(AT_FDCWD, path, POLICY_FILE_MAX, ret_buf, ret_len);
	else
		r = file_read_nofollow(
			AT_FDCWD, path, POLICY_FILE_MAX, ret_buf, ret_len);
	if (r == -EFBIG)
		return err_set(err, r, "larger than %d bytes", POLICY_FILE_MAX);
	if (r == -EINVAL)
		return err_set(err, r, "not a regular file");
	return r < 0 ? err_sys(err, r, "cannot read it") : 0;
}
