/*
 * acl_dir.c - see acl_dir.h.
 */
#include "aclserver/acl_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aclserver/acl_name.h"
#include "common/cleanup.h"

#define TEMPORARY_SUFFIX ".tmp"

static void
close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

void
acl_names_done(struct acl_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct acl_names){ 0 };
}

int
acl_dir_open_file(int dirfd, const char *name, struct err *err)
{
	char file[ACL_FILE_SIZE];
	AUTO_CLOSE int fd = -1;
	struct stat st;

	acl_name_to_file(name, file);
	/* Not blocking: a FIFO under this name must not hold the thread. */
	fd = openat(dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return err_set(err, -EEXIST,
			"%s is a symbolic link and was not made over REST", file);
	if (fd < 0)
		return err_sys(err, -errno, "cannot open %s", file);
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "cannot look at %s", file);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EEXIST,
			"%s is no regular file and was not made over REST", file);
	return take_fd(&fd);
}

/* Up to @size bytes from the start of @fd; fewer only at its end. */
static ssize_t
read_whole(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = pread(fd, buf + len, size - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

bool
acl_dir_same_content(int fd, const char *text, size_t len)
{
	AUTO_FREE char *heap = NULL;
	char small[1024];
	char *buf = small;
	struct stat st;

	if (fstat(fd, &st) < 0 || (size_t)st.st_size != len)
		return false;
	if (len + 1 > sizeof(small)) {
		buf = heap = malloc(len + 1);
		if (!buf)
			return false;
	}
	/* One byte more than expected, so that a file that grows meanwhile shows. */
	return read_whole(fd, buf, len + 1) == (ssize_t)len &&
	       memcmp(buf, text, len) == 0;
}

int
acl_dir_read(int dirfd, const char *name, size_t max, char **ret_text, size_t *ret_len,
	struct err *err)
{
	AUTO_CLOSE int fd = acl_dir_open_file(dirfd, name, err);
	AUTO_FREE char *text = NULL;
	struct stat st;
	ssize_t len;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "cannot look at the file of \"%s\"", name);
	if ((size_t)st.st_size > max)
		return err_set(err, -EFBIG, "the file of \"%s\" has %lld bytes", name,
			(long long)st.st_size);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	len = read_whole(fd, text, (size_t)st.st_size);
	if (len < 0)
		return err_sys(err, (int)len, "cannot read the file of \"%s\"", name);
	text[len] = '\0';
	*ret_len = (size_t)len;
	*ret_text = take_ptr(text);
	return 0;
}

/* A directory stream of its own: @dirfd has one offset, shared by all threads. */
static int
open_stream(int dirfd, DIR **ret, struct err *err)
{
	AUTO_CLOSE int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, -errno, "cannot open the policy directory");
	*ret = fdopendir(fd);
	if (!*ret)
		return err_sys(err, -errno, "cannot open the policy directory");
	(void)take_fd(&fd); /* belongs to the stream now */
	return 0;
}

static bool
is_regular(int dirfd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_REG;
	return fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode);
}

static int
add_name(struct acl_names *names, size_t *size, const char *name)
{
	if (names->n == *size) {
		size_t more = *size ? *size * 2 : 64;
		char **items = reallocarray(names->items, more, sizeof(*items));

		if (!items)
			return -ENOMEM;
		names->items = items;
		*size = more;
	}
	names->items[names->n] = strdup(name);
	if (!names->items[names->n])
		return -ENOMEM;
	names->n++;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
collect_names(DIR *dir, int dirfd, struct acl_names *names, struct err *err)
{
	size_t size = 0;

	for (;;) {
		char name[ACL_NAME_SIZE];
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			return err_sys(err, -errno, "cannot read the policy directory");
		if (!entry)
			return 0;
		if (!acl_name_from_file(entry->d_name, name) ||
			!is_regular(dirfd, entry))
			continue;
		if (add_name(names, &size, name) < 0)
			return err_set(err, -ENOMEM, "out of memory");
	}
}

int
acl_dir_list(int dirfd, struct acl_names *ret, struct err *err)
{
	CLEANUP(close_dir) DIR *dir = NULL;
	struct acl_names names = { 0 };
	int result = open_stream(dirfd, &dir, err);

	if (result < 0)
		return result;
	result = collect_names(dir, dirfd, &names, err);
	if (result < 0) {
		acl_names_done(&names);
		return result;
	}
	if (names.n > 0)
		qsort(names.items, names.n, sizeof(*names.items), compare_names);
	*ret = names;
	return 0;
}

void
acl_dir_temporary(const char *name, unsigned long number, char *ret, size_t size)
{
	char file[ACL_FILE_SIZE];

	acl_name_to_file(name, file);
	/* A name that is cut cannot be created twice: O_EXCL refuses it. */
	(void)snprintf(ret, size, ".%s.%ld-%lu%s", file, (long)getpid(), number,
		TEMPORARY_SUFFIX);
}

static bool
is_temporary(const char *file)
{
	const size_t suffix_len = strlen(TEMPORARY_SUFFIX);
	size_t len = strlen(file);

	return file[0] == '.' &&
	       strncmp(file + 1, ACL_FILE_PREFIX, strlen(ACL_FILE_PREFIX)) == 0 &&
	       len > suffix_len &&
	       strcmp(file + len - suffix_len, TEMPORARY_SUFFIX) == 0;
}

int
acl_dir_remove_temporaries(int dirfd, struct err *err)
{
	CLEANUP(close_dir) DIR *dir = NULL;
	int result = open_stream(dirfd, &dir, err);

	if (result < 0)
		return result;
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			return err_sys(err, -errno, "cannot read the policy directory");
		if (!entry)
			return 0;
		/* One that cannot be removed only costs its space. */
		if (is_temporary(entry->d_name) && is_regular(dirfd, entry))
			(void)unlinkat(dirfd, entry->d_name, 0);
	}
}
