/*
 * server_conf_listen.h - the settings "listen" and "allow_from": lists of addresses,
 * separated by blanks or commas. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/parse.h"

enum { LISTEN_MAX = 16, PREFIXES_MAX = 64, LISTEN_TEXT_SIZE = 64 };

/** One address to listen on. */
struct listen_addr {
	struct parse_addr addr;
	uint16_t port;
	bool tls; /* https */
};

struct listen_list {
	struct listen_addr items[LISTEN_MAX];
	unsigned n;
};

struct prefix_list {
	struct parse_addr items[PREFIXES_MAX];
	unsigned n;
};

/**
 * Parse "[http://|https://]ADDRESS:PORT …"; an IPv6 address stands in brackets. A
 * "http://" may be left out. Ports below 1024 and addresses given twice are refused.
 * Returns 0, or -EINVAL with @err.
 */
int listen_list_parse(const char *text, struct listen_list *ret, struct err *err);

/** True if only this machine reaches the address. */
bool listen_addr_is_loopback(const struct listen_addr *listen);

/** True if the HTTP library listens there itself: plain HTTP over IPv4, for this
 * machine only, as each of its connections holds a thread from the start. The rest is
 * the business of front.h. */
bool listen_addr_is_direct(const struct listen_addr *listen);

/** Write it as a URL without path, e.g. "https://[::1]:8443". */
void listen_addr_format(const struct listen_addr *listen, char ret[LISTEN_TEXT_SIZE]);

/** Parse "PREFIX …", IPv4 and IPv6. Returns 0, or -EINVAL with @err. */
int prefix_list_parse(const char *text, struct prefix_list *ret, struct err *err);

/** True if @addr (its length does not matter) lies in one of the prefixes. */
bool prefix_list_has(const struct prefix_list *list, const struct parse_addr *addr);
