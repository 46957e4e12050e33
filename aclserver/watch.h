/*
 * watch.h - which policy files changed, told by the kernel (inotify(7)).
 *
 * The HTTP process only sends numbers; the names of changed files come from here, so
 * that the privileged process never takes a name from the one that parses requests.
 * Acting module.
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

struct watch;

/** A file of a watched directory appeared, changed or went. @dir as given to
 * watch_set_dirs();
 * @name NULL: anything in @dir may have changed; both NULL: events were lost, anything
 * anywhere may have. */
typedef void (*watch_fn)(const char *dir, const char *name, void *user_data);

/** A new watcher without directories; NULL with @err set. */
struct watch *watch_new(struct err *err);

/** Accepts NULL. */
void watch_free(struct watch *watch);

/** Readable when events wait; borrowed, non-blocking. */
int watch_fd(const struct watch *watch);

/**
 * Watch exactly these directories (copied). Those already watched stay so without a
 * gap. A directory that does not exist is not an error: it is tried again by the next
 * call. Returns how many are watched from now on that were not before: what happened in
 * them until now is unknown; or negative errno with the directory named in @err.
 */
int watch_set_dirs(
	struct watch *watch, const char *const *dirs, size_t n, struct err *err);

/** Take all waiting events; never blocks. Names that begin with '.' (temporary files)
 * are left out. */
void watch_read(struct watch *watch, watch_fn fn, void *user_data);
