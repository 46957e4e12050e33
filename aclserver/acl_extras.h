/*
 * acl_extras.h - matches and targets in the words of "iptables -L": "tcp dpt:bgp",
 * "limit: avg 1/min". Between acl_columns.c and the table in acl_extras.c. Pure, but
 * for the names of services (names.h).
 */
#pragma once

#include "aclserver/rule_options.h"
#include "common/wbuf.h"

/** Append what @loaded asks for or does, behind a blank; nothing when it has no
 * options. */
void acl_extras_put(struct wbuf *w, const struct loaded *loaded, bool numeric);
