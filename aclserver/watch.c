/*
 * watch.c - inotify on the directories that policy files come from; see watch.h.
 */
#include "aclserver/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/cleanup.h"

/* A file is read when it is complete: moved in, closed after writing, or gone. */
enum {
	WATCH_EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
		       IN_DELETE_SELF | IN_MOVE_SELF,
	WATCH_BUFFER = 64 << 10,
};

struct watched_dir {
	char *path; /* owned */
	int wd;     /* inotify's number for it */
	bool keep;  /* named by the watch_set_dirs() that runs */
};

struct watch {
	int fd;
	struct watched_dir *dirs; /* owned; few */
	size_t n;
};

struct watch *
watch_new(struct err *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch) {
		err_set(err, -ENOMEM, "file events: out of memory");
		return NULL;
	}
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0) {
		err_sys(err, -errno, "file events: inotify");
		free(watch);
		return NULL;
	}
	return watch;
}

void
watch_free(struct watch *watch)
{
	if (!watch)
		return;
	for (size_t i = 0; i < watch->n; i++)
		free(watch->dirs[i].path);
	free(watch->dirs);
	close(watch->fd);
	free(watch);
}

int
watch_fd(const struct watch *watch)
{
	return watch->fd;
}

static void
forget_dir(struct watch *watch, size_t i)
{
	free(watch->dirs[i].path);
	watch->dirs[i] = watch->dirs[--watch->n];
}

static struct watched_dir *
find_dir(struct watch *watch, const char *path)
{
	for (size_t i = 0; i < watch->n; i++)
		if (strcmp(watch->dirs[i].path, path) == 0)
			return &watch->dirs[i];
	return NULL;
}

static int
add_dir(struct watch *watch, const char *path, struct err *err)
{
	AUTO_FREE char *copy = strdup(path);
	struct watched_dir *grown;
	int wd;

	grown = realloc(watch->dirs, (watch->n + 1) * sizeof(*grown));
	if (grown)
		watch->dirs = grown;
	if (!grown || !copy)
		return err_set(err, -ENOMEM, "%s: out of memory", path);
	wd = inotify_add_watch(watch->fd, path, WATCH_EVENTS | IN_ONLYDIR);
	if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (wd < 0)
		return err_sys(err, -errno, "%s: cannot watch", path);
	watch->dirs[watch->n++] =
		(struct watched_dir){ .path = take_ptr(copy), .wd = wd, .keep = true };
	return 1;
}

static void
drop_unnamed(struct watch *watch)
{
	for (size_t i = watch->n; i-- > 0;) {
		if (watch->dirs[i].keep)
			continue;
		(void)inotify_rm_watch(watch->fd, watch->dirs[i].wd); /* may be gone */
		forget_dir(watch, i);
	}
}

int
watch_set_dirs(struct watch *watch, const char *const *dirs, size_t n, struct err *err)
{
	int added = 0;

	for (size_t i = 0; i < watch->n; i++)
		watch->dirs[i].keep = false;
	for (size_t i = 0; i < n; i++) {
		struct watched_dir *known = find_dir(watch, dirs[i]);
		int r = known ? 0 : add_dir(watch, dirs[i], err);

		if (r < 0)
			return r;
		if (known)
			known->keep = true;
		added += r;
	}
	drop_unnamed(watch);
	return added;
}

static void
dispatch(struct watch *watch, const struct inotify_event *event, watch_fn fn,
	void *user_data)
{
	if (event->mask & IN_Q_OVERFLOW) {
		fn(NULL, NULL, user_data);
		return;
	}
	for (size_t i = 0; i < watch->n; i++) {
		if (watch->dirs[i].wd != event->wd)
			continue;
		if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) {
			fn(watch->dirs[i].path, NULL, user_data);
			(void)inotify_rm_watch(watch->fd, event->wd);
			forget_dir(watch, i);
		} else if (event->len > 0 && event->name[0] != '.') {
			fn(watch->dirs[i].path, event->name, user_data);
		}
		return;
	}
}

void
watch_read(struct watch *watch, watch_fn fn, void *user_data)
{
	char buf[WATCH_BUFFER]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(watch->fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *event = (const void *)p;

			dispatch(watch, event, fn, user_data);
			p += sizeof(*event) + event->len;
		}
	}
}
