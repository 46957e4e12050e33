/*
 * auto_file.h - keeps hsflowd.auto on disk as the agent's settings change. Acting
 * module.
 */
#pragma once

#include "agent/hsflowd_auto.h"

#define AUTO_FILE_PATH "/etc/hsflowd.auto"

struct auto_file; /* owned by who made it */

/** @path is copied; "" = write nothing. NULL: out of memory. */
struct auto_file *auto_file_new(const char *path);

/** The file stays, as hsflowd leaves it. Accepts NULL. */
void auto_file_free(struct auto_file *f);

/** Write the file, whole and with the next revision, if @content is not what it has;
 * content->revision is ignored. A failure is logged once, until it works again. Blocks
 * for as long as the disk needs. */
void auto_file_update(struct auto_file *f, const struct hsflowd_auto *content);
