/*
 * proc_file.h - files of /proc that are kept open and read again and again.
 */
#pragma once

#include <stddef.h>

#include "agent/text.h"
#include "common/err.h"

enum { PROC_FILE_MAX = 1 << 20 }; /* bytes; longer ones give -ENOMEM */

struct proc_file {
	int fd;           /* -1 when not open */
	const char *path; /* borrowed for ever */
};

/* Memory for what is read; grows as needed and is kept. Zeroed: empty. */
struct proc_buffer {
	char *data; /* owned */
	size_t size;
};

/** 0, or negative errno with the reason; then f->fd is -1. */
int proc_file_open(struct proc_file *f, const char *path, struct err *err);
/** No-op if it is not open. */
void proc_file_close(struct proc_file *f);

/** Read the whole file anew. 0; -EBADF if it is not open; other negative errno. @ret
 * points into @b until the next call with it. */
int proc_file_read(const struct proc_file *f, struct proc_buffer *b, struct text *ret);

/** Open, read and close. 0 or negative errno. */
int proc_file_read_once(const char *path, struct proc_buffer *b, struct text *ret);

/** Free the memory. */
void proc_buffer_done(struct proc_buffer *b);
