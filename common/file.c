/*
 * file.c - whole small files: bounded reads, atomic and durable writes.
 *
 * The order of the write is what makes it durable: data to the temporary, fsync of the
 * temporary, rename over the old name, fsync of the directory that holds the name.
 */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"

enum {
	FIRST_READ_SIZE = 4096, /* files of /proc and /sys claim to be empty */
	TEMP_NAME_TRIES = 8,
	TEMP_NAME_SIZE = 40,
};

/* Read all of @fd into a buffer that grows from @hint bytes. */
static int
read_all(int fd, size_t hint, size_t max, char **ret_buf, size_t *ret_len)
{
	size_t size = hint < FIRST_READ_SIZE ? FIRST_READ_SIZE : hint + 2;
	AUTO_FREE char *buf = malloc(size);
	size_t len = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, buf + len, size - len - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
		if (len == size - 1) {
			char *bigger = realloc(buf, size *= 2);

			if (!bigger)
				return -ENOMEM;
			buf = bigger;
		}
	}
	buf[len] = '\0';
	*ret_buf = take_ptr(buf);
	*ret_len = len;
	return 0;
}

int
file_read_fd(int fd, size_t max, char **ret_buf, size_t *ret_len)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uintmax_t)st.st_size > max)
		return -EFBIG;
	return read_all(fd, (size_t)st.st_size, max, ret_buf, ret_len);
}

int
file_read(int dirfd, const char *path, size_t max, char **ret_buf, size_t *ret_len)
{
	/* O_NONBLOCK: opening a FIFO that somebody left there must not hang. */
	AUTO_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : file_read_fd(fd, max, ret_buf, ret_len);
}

/* Create a file that did not exist, under a name that no reader looks for. */
static int
create_temp(int dir, char name[TEMP_NAME_SIZE], int *ret_fd)
{
	for (int i = 0; i < TEMP_NAME_TRIES; i++) {
		uint64_t r;
		int fd;

		if (getrandom(&r, sizeof(r), 0) != sizeof(r))
			return -EIO;
		snprintf(name, TEMP_NAME_SIZE, ".tapgate-%016" PRIx64 ".tmp", r);
		fd = openat(dir, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0) {
			*ret_fd = fd;
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int
write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Content, permission bits (whatever the umask is) and both on the disk. */
static int
fill(int fd, const void *buf, size_t len, mode_t mode)
{
	int result = write_all(fd, buf, len);

	if (result < 0)
		return result;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* Write the temporary and give it the name @base; no temporary is left on failure. */
static int
replace(int dir, const char *base, const void *buf, size_t len, mode_t mode)
{
	char temp[TEMP_NAME_SIZE];
	AUTO_CLOSE int fd = -1;
	int result = create_temp(dir, temp, &fd);

	if (result < 0)
		return result;
	result = fill(fd, buf, len, mode);
	if (result == 0 && renameat(dir, temp, dir, base) < 0)
		result = -errno;
	if (result < 0)
		(void)unlinkat(dir, temp, 0); /* the first failure is the one to tell */
	return result;
}

/* Open the directory of @path, whose last component is @base, below @dirfd. */
static int
open_parent(int dirfd, const char *path, const char *base, int *ret_dir)
{
	size_t len = (size_t)(base - path);
	AUTO_FREE char *parent = len ? strndup(path, len) : strdup(".");

	if (!parent)
		return -ENOMEM;
	*ret_dir = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_dir < 0 ? -errno : 0;
}

int
file_write_atomic(int dirfd, const char *path, const void *buf, size_t len, mode_t mode,
	struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	AUTO_CLOSE int dir = -1;
	int result = open_parent(dirfd, path, base, &dir);

	if (result < 0)
		return err_sys(err, result, "cannot open the directory of %s", path);
	result = replace(dir, base, buf, len, mode);
	if (result < 0)
		return err_sys(err, result, "cannot write %s", path);
	if (fsync(dir) < 0)
		return err_sys(err, -errno, "cannot sync the directory of %s", path);
	return 0;
}
