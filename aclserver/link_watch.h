/*
 * link_watch.h - says when interfaces come, go or change. Acting module (rtnetlink).
 */
#pragma once

#include "common/err.h"
#include "common/loop.h"

struct link_watch; /* owned by who started it */

/** Something changed; what, is to be read anew. Often called several times in a row. */
typedef void (*link_watch_fn)(void *user_data);

/** Begin; @fn is called from the loop. NULL with @err. */
struct link_watch *link_watch_start(
	struct loop *loop, link_watch_fn fn, void *user_data, struct err *err);

/** End; before the loop is freed. Accepts NULL. */
void link_watch_stop(struct link_watch *watch);
