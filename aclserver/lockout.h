/*
 * lockout.h - finds rules with which an ACL cuts off the interface that it came in by.
 *
 * "-A INPUT -j DROP" also holds for the loopback, and so for the server's own port: it
 * is installed, and from then on nobody can take it back over HTTP. That may be what
 * the operator wants, so it is told, not refused. Pure.
 */
#pragma once

#include <stddef.h>

#include "aclserver/server_conf_listen.h"

/**
 * Look through the policy text @text (@len bytes) of an ACL for a rule that drops what
 * clients send to one of the addresses @listens, or what they are answered; also on the
 * way from the front to the HTTP server, where that is taken (front.h).
 *
 * Judged are clients about which all is known that the rule tests: those on this
 * machine, which come by the loopback, and where the rule tests neither interface nor
 * address, those on others. ACCEPT of an earlier rule of the same text counts; other
 * files and variables of policy.conf do not. A text that does not compile has no such
 * rule.
 * Returns  the line, 1-based; 0 if there is none, or if it takes too much memory to say
 */
int lockout_find(const char *text, size_t len, const struct listen_list *listens);
