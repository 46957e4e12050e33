/*
 * prefer.h - the Prefer request header (RFC 7240), of which we know "wait". Pure.
 */
#pragma once

#include <stdint.h>

#include "common/err.h"

enum { PREFER_WAIT_MAX_S = 60 };

/**
 * Find the preference "wait" in @header.
 *
 * @header      value of Prefer; several header lines joined by ", "; NULL = not sent
 * @ret_wait_s  seconds, more than PREFER_WAIT_MAX_S are cut; -1 if it is not there
 * Returns      0, or -EINVAL with the reason: not of the form of RFC 7240, or a wait
 *              that is no whole number of seconds. Other preferences are passed over,
 * as the RFC demands; the first of several waits counts
 */
int prefer_parse(const char *header, int *ret_wait_s, struct err *err);
