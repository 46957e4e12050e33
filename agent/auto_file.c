/*
 * auto_file.c - see auto_file.h.
 */
#include "agent/auto_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum { FILE_MODE = 0644 };

struct auto_file {
	char *path;        /* owned */
	char *content;     /* as revision 0; NULL: nothing written yet; owned */
	uint32_t revision; /* of what is on disk */
	bool failing;      /* told so */
};

struct auto_file *
auto_file_new(const char *path)
{
	struct auto_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->path = strdup(path);
	if (f->path)
		return f;
	free(f);
	return NULL;
}

void
auto_file_free(struct auto_file *f)
{
	if (!f)
		return;
	free(f->path);
	free(f->content);
	free(f);
}

static int
write_revision(struct auto_file *f, struct hsflowd_auto content, struct err *err)
{
	char *text AUTO_FREE = NULL;

	content.revision = f->revision + 1;
	text = hsflowd_auto_build(&content);
	if (!text)
		return err_set(err, -ENOMEM, "%s: out of memory", f->path);
	return file_write_atomic(AT_FDCWD, f->path, text, strlen(text), FILE_MODE, err);
}

void
auto_file_update(struct auto_file *f, const struct hsflowd_auto *content)
{
	struct hsflowd_auto plain = *content;
	char *text AUTO_FREE = NULL;
	struct err err;

	if (f->path[0] == '\0')
		return;
	plain.revision = 0;
	text = hsflowd_auto_build(&plain);
	if (text && f->content && strcmp(text, f->content) == 0)
		return;
	if (!text)
		err_set(&err, -ENOMEM, "%s: out of memory", f->path);
	if (!text || write_revision(f, *content, &err) < 0) {
		if (!f->failing)
			log_warning("%s", err.text);
		f->failing = true;
		return;
	}
	if (f->failing)
		log_notice("%s: written again", f->path);
	f->failing = false;
	f->revision++;
	free(f->content);
	f->content = take_ptr(text);
}
