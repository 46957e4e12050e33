/*
 * replay_file.h - reading and writing recordings. Acting module over replay_msg.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/replay_msg.h"
#include "common/err.h"

struct replay_reader; /* owned by who opened it */
struct replay_writer; /* likewise */

enum { REPLAY_WRITER_MAX_BYTES = 1 << 30 }; /* a recording stops growing there */

/** Open @path and check its header. NULL with the reason in @err. */
struct replay_reader *replay_reader_open(const char *path, struct err *err);
/** Accepts NULL. */
void replay_reader_close(struct replay_reader *r);

/**
 * The next record, borrowed until the next call.
 *
 * Returns 1; 0 at the end of the file; -EBADMSG if it is damaged or ends within a
 *         record; other negative errno from reading
 */
int replay_reader_next(struct replay_reader *r, struct replay_msg *ret);

/** Create @path (which must not exist) with mode 0600. NULL with the reason in @err. */
struct replay_writer *replay_writer_open(const char *path, struct err *err);

/** Write what is buffered and close. Accepts NULL. Logs how much was recorded. */
void replay_writer_close(struct replay_writer *w);

/** Add one message, @len at most REPLAY_MSG_MAX_BYTES, with the present time. Buffered;
 * the first failure (disk full, limit) is logged, and nothing more is written. */
void replay_writer_put(struct replay_writer *w, enum replay_msg_source source,
	const void *data, size_t len);
