/*
 * settings.h - the settings that may come from hsflowd.conf or from a DNS TXT record,
 * and the sampling rate that follows from them. Pure.
 *
 * Both sources spell them alike ("sampling.10G = 5000", "sampling.10G=5000"), so one
 * table serves both. Each source fills a struct of its own that remembers what was set;
 * settings_overlay() lays the TXT record's over the file's, key by key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/parse.h"

enum {
	SETTINGS_SPEEDS_MAX = 32,  /* sampling.SPEED rules */
	SETTINGS_CIDRS_MAX = 32,   /* agent.cidr lines */
	SETTINGS_DEVICE_SIZE = 64, /* interface name or alias, with NUL */
	SETTINGS_RATE_MAX = 10000000,
	SETTINGS_POLLING_MAX_S = 300,
	SETTINGS_HEADER_MAX_BYTES = 256,
};

/** Which members of a struct settings were set by somebody; the others hold defaults.
 */
enum settings_bit {
	SETTINGS_SAMPLING = 1 << 0,
	SETTINGS_FLAT = 1 << 1,
	SETTINGS_BPS_RATIO = 1 << 2,
	SETTINGS_POLLING = 1 << 3,
	SETTINGS_HEADER = 1 << 4,
	SETTINGS_AGENT_IP = 1 << 5,
	SETTINGS_AGENT_DEVICE = 1 << 6,
};

struct settings_speed {
	uint64_t speed_bps; /* exactly this speed */
	uint32_t rate;      /* 1 in N; 0 = not sampled */
};

struct settings_cidr {
	struct parse_addr prefix; /* host bits zero */
	bool avoid;               /* written as "!prefix": never elect these */
};

struct settings {
	unsigned set;          /* SETTINGS_* bits */
	uint32_t sampling;     /* 1 in N where no speed rule applies; 0 = off */
	uint32_t flat;         /* 1 in N whatever the speed; only with SETTINGS_FLAT */
	uint32_t bps_ratio;    /* N = speed/ratio; only with SETTINGS_BPS_RATIO */
	uint32_t polling_s;    /* counter interval; 0 = off */
	uint32_t header_bytes; /* of each sampled packet */
	struct parse_addr agent_ip;              /* only with SETTINGS_AGENT_IP */
	char agent_device[SETTINGS_DEVICE_SIZE]; /* name or alias; "" = none */
	unsigned n_speeds;
	struct settings_speed speeds[SETTINGS_SPEEDS_MAX]; /* by speed, ascending */
	unsigned n_cidrs;
	struct settings_cidr cidrs[SETTINGS_CIDRS_MAX]; /* in the order written */
};

/** Nothing set: sampling 400, polling 30 s, 128 header bytes (hsflowd's defaults). */
void settings_init(struct settings *settings);

/**
 * Set one key. Keys are case-insensitive: sampling, sampling.SPEED, sampling.flat,
 * sampling.bps_ratio, polling, headerBytes, agentIP, agent, agent.cidr (adds one) and
 * hsflowd's old names packetSamplingRate and counterPollingInterval.
 * @settings  unchanged on failure
 * @err       says what is wrong with the key or its value
 * Returns    0; 1 if an earlier value of the key was replaced; -ENOENT unknown key;
 * -EOPNOTSUPP known to hsflowd, but not done here (rates of applications, dropLimit);
 * -EINVAL, -ERANGE bad value; -ENOSPC too many rules
 */
int settings_put(
	struct settings *settings, const char *key, const char *value, struct err *err);

/**
 * Lay @over upon *@base: what @over sets replaces, the rest stays. A rate rule for all
 * speeds (flat or ratio) in @over silences the other kind in @base; agent.cidr lists
 * are replaced whole. Speed rules are merged; when that makes too many, those of @base
 * give way.
 */
void settings_overlay(struct settings *base, const struct settings *over);

/** True if both say the same and set the same. */
bool settings_equal(const struct settings *a, const struct settings *b);

/**
 * The sampling rate N (1 in N, 0 = none) of a port that runs at @speed_bps, 0 if the
 * speed is unknown. First that applies: the rule of exactly this speed, flat, ratio
 * (0 = use sampling), speed/10^6 but at least 100; unknown speed: flat, else sampling.
 */
uint32_t settings_rate(const struct settings *settings, uint64_t speed_bps);

/** A decimal number with an optional K, M or G (10^3…), or hexadecimal with 0x; a
 * leading zero is refused because hsflowd takes it for octal. */
int settings_parse_number(
	const char *text, uint32_t min, uint32_t max, uint32_t *ret, struct err *err);

/** "2.5G", "100M", "1000000000": bit/s with optional fraction and K M G T P. Exact, or
 * -EINVAL; 0 is -ERANGE. */
int settings_parse_speed(const char *text, uint64_t *ret_bps);

enum { SETTINGS_SPEED_TEXT_SIZE = 24 };

/** The shortest exact spelling of @bps, such as "2.5G". */
void settings_format_speed(uint64_t bps, char ret[SETTINGS_SPEED_TEXT_SIZE]);
