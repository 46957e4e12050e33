/*
 * store_io.c - the disk operations of acl_store, done by the kernel.
 */
#include "aclserver/store_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FILE_MODE = 0644 };

static int
result_of(int result)
{
	return result < 0 ? -errno : 0;
}

static int
create_file(void *user_data, int dirfd, const char *name)
{
	int fd = openat(dirfd, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	(void)user_data;
	return fd < 0 ? -errno : fd;
}

static int
write_file(void *user_data, int fd, const void *buf, size_t len)
{
	const char *p = buf;

	(void)user_data;
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int
sync_file(void *user_data, int fd)
{
	(void)user_data;
	return result_of(fsync(fd));
}

static int
sync_all(void *user_data, int dirfd)
{
	(void)user_data;
	return result_of(syncfs(dirfd));
}

static int
rename_file(void *user_data, int dirfd, const char *from, const char *to)
{
	(void)user_data;
	return result_of(renameat(dirfd, from, dirfd, to));
}

static int
unlink_file(void *user_data, int dirfd, const char *name)
{
	(void)user_data;
	return result_of(unlinkat(dirfd, name, 0));
}

const struct store_io store_io_system = {
	.create = create_file,
	.write = write_file,
	.sync_file = sync_file,
	.sync_all = sync_all,
	.rename = rename_file,
	.unlink = unlink_file,
	.sync_dir = sync_file,
	.user_data = NULL,
};
