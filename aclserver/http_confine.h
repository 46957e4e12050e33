/*
 * http_confine.h - what the HTTP process gives up before it reads the first byte of a
 * client.
 */
#pragma once

#include <sys/types.h>

#include "aclserver/server_conf.h"
#include "common/err.h"

/** Allow this process the descriptors that its connections take; warns if the system
 * does not. Before http_confine(). */
void http_confine_prepare(const struct server_conf *conf);

/** Become @uid/@gid without capabilities, ask to end with the parent, install the
 * system call filter. 0, or negative errno: then the process has to end. */
int http_confine(const struct server_conf *conf, uid_t uid, gid_t gid, struct err *err);
