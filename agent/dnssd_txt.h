/*
 * dnssd_txt.h - settings in the TXT records of _sflow._udp: "sampling.10G=5000" and so
 * on, with the keys of settings.h. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/settings.h"

/** Why a string is not used, or only in part. */
enum dnssd_txt_fault {
	DNSSD_TXT_FOREIGN,   /* no setting of ours: nothing is lost with it */
	DNSSD_TXT_BAD_VALUE, /* a setting of ours whose value cannot be taken */
};

/** Called for every string that is not used, with the reason. */
typedef void (*dnssd_txt_problem_fn)(
	enum dnssd_txt_fault fault, const char *reason, void *user_data);

/**
 * Apply one TXT record.
 *
 * @rdata     @len bytes: character strings, each a length byte and key=value
 * @settings  gets what is valid; a later string wins over an earlier one
 * @problem   unknown keys, bad values, binary data, strings cut off; txtvers other
 *            than 1 is a problem, and the rest is read all the same
 * Returns    number of strings used
 */
unsigned dnssd_txt_apply(const uint8_t *rdata, size_t len, struct settings *settings,
	dnssd_txt_problem_fn problem, void *user_data);
