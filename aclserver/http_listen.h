/*
 * http_listen.h - where the HTTP library is to listen, in its own words.
 */
#pragma once

#include <stdbool.h>

#include "aclserver/server_conf_listen.h"
#include "common/err.h"

enum {
	HTTP_LISTEN_PORTS_SIZE = (LISTEN_MAX + 1) * 24,
	HTTP_LISTEN_ALLOW_SIZE = (PREFIXES_MAX + 2) * 24,
};

/** Try to listen on each, as the library does not say why it cannot. 0 or negative
 * errno. All are IPv4. */
int http_listen_try(const struct listen_list *list, struct err *err);

/** Its option "listening_ports". @with_front: the last one is the kernel's choice on
 * 127.0.0.1. */
void http_listen_format(const struct listen_list *list, bool with_front,
	char ret[HTTP_LISTEN_PORTS_SIZE]);

/** Its option "access_control_list": loopback and the IPv4 part of @allow; all if that
 * is empty. */
void http_listen_format_allow(
	const struct prefix_list *allow, char ret[HTTP_LISTEN_ALLOW_SIZE]);
