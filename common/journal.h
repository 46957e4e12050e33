/*
 * journal.h - the native protocol of systemd's journal: one datagram per entry, with
 * fields by which it can be filtered; see "Native Journal Protocol" of systemd's
 * documentation. No libsystemd needed. log.c is its only user.
 */
#pragma once

#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum { JOURNAL_FIELDS_MAX = 8 };

/** KEY=value; the value has no newline. */
struct journal_field {
	const char *key, *value; /* borrowed */
};

/** A descriptor for journal_send(), or negative errno. */
int journal_open(void);

/**
 * Send one entry to the journal that listens at @path.
 *
 * @fields  at most JOURNAL_FIELDS_MAX, MESSAGE among them
 * Returns  0, or negative errno when nobody took it; -EAGAIN if the journal is behind.
 *          Never waits. Any thread may call
 */
int journal_send(
	int fd, const char *path, const struct journal_field *fields, size_t n_fields);
