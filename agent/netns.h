/*
 * netns.h - sockets in another network namespace.
 */
#pragma once

#include <stdbool.h>

#include "common/err.h"

enum { NETNS_NAME_MAX = 64 };

/** True if @name can be that of a namespace: 1..NETNS_NAME_MAX bytes, no '/', not "."
 * or "..", no control character. */
bool netns_name_valid(const char *name);

/**
 * Open a socket (CLOEXEC) in the namespace that `ip netns` calls @name; "" is our own.
 * The socket stays there for its life. Needs CAP_SYS_ADMIN unless @name is "", and
 * moves only the calling thread, for the time of the call.
 *
 * @type    SOCK_DGRAM, SOCK_NONBLOCK, …
 * Returns  a descriptor, or negative errno with the reason in @err
 */
int netns_socket(const char *name, int family, int type, struct err *err);
