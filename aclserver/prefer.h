/*
 * prefer.h - the Prefer request header (RFC 7240), of which we know "wait". Pure.
 */
#pragma once

enum { PREFER_WAIT_MAX_S = 60 };

/**
 * Find the preference "wait" in @header.
 *
 * @header  value of Prefer; several header lines joined by ", "; NULL = not sent
 * Returns  seconds, more than PREFER_WAIT_MAX_S are cut; -1 if it is not there, or is
 * no whole number of seconds. What is unknown or malformed is passed over, as the RFC
 * demands; the first of several waits counts
 */
int prefer_wait_s(const char *header);
