/*
 * sdnotify.h - tells systemd READY, RELOADING, STOPPING and feeds the watchdog; silent
 * elsewhere. The protocol is a datagram to NOTIFY_SOCKET (sd_notify(3)); no libsystemd
 * needed.
 */
#pragma once

#include <stdint.h>

/** Send lines such as "READY=1\nSTATUS=…". 0 if there is nobody to tell; negative errno
 * on failure, which no daemon should die of. */
int sdnotify_send(const char *state);

/** RELOADING=1 with the MONOTONIC_USEC that Type=notify-reload wants. */
int sdnotify_reloading(void);

/** How often WATCHDOG=1 must be sent, in ms (half of WATCHDOG_USEC); 0 if no watchdog
 * is on. */
int64_t sdnotify_watchdog_ms(void);
