/*
 * proc_file.c - files of /proc that are kept open and read again and again.
 */
#include "agent/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER_START = 8192 };

int
proc_file_open(struct proc_file *f, const char *path, struct err *err)
{
	f->path = path;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	return f->fd < 0 ? err_sys(err, -errno, "%s", path) : 0;
}

void
proc_file_close(struct proc_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static int
grow(struct proc_buffer *b)
{
	size_t size = b->size ? b->size * 2 : BUFFER_START;
	char *data = realloc(b->data, size);

	if (!data)
		return -ENOMEM;
	b->data = data;
	b->size = size;
	return 0;
}

int
proc_file_read(const struct proc_file *f, struct proc_buffer *b, struct text *ret)
{
	size_t len = 0;
	ssize_t got;

	if (f->fd < 0)
		return -EBADF;
	do {
		if (len == b->size && (b->size >= PROC_FILE_MAX || grow(b) < 0))
			return -ENOMEM;
		got = pread(f->fd, b->data + len, b->size - len, (off_t)len);
		if (got < 0 && errno != EINTR)
			return -errno;
		len += got > 0 ? (size_t)got : 0;
	} while (got != 0);
	*ret = (struct text){ b->data, len };
	return 0;
}

int
proc_file_read_once(const char *path, struct proc_buffer *b, struct text *ret)
{
	struct proc_file f;
	int rc = proc_file_open(&f, path, NULL);

	if (rc == 0)
		rc = proc_file_read(&f, b, ret);
	proc_file_close(&f);
	return rc;
}

void
proc_buffer_done(struct proc_buffer *b)
{
	free(b->data);
	*b = (struct proc_buffer){ .data = NULL };
}
