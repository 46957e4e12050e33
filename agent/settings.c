/*
 * settings.c - table of the keys that the file and the TXT record share, and the rate
 * rule (hsflowd's, with exact speeds and a flat rate added).
 */
#include "agent/settings.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	DEFAULT_SAMPLING = 400,
	DEFAULT_POLLING_S = 30,
	DEFAULT_HEADER_BYTES = 128,
	DEFAULT_BPS_RATIO = 1000000,
	DEFAULT_RATE_MIN = 100, /* floor of the speed rule, for slow ports */
	KEY_TEXT_SIZE = 64,
};

struct key {
	const char *name;
	int (*put)(struct settings *settings, const struct key *key, const char *value,
		struct err *err);
	size_t offset; /* of the member */
	uint32_t max;  /* numbers run from 0 to this */
	unsigned bit;  /* what it marks as set */
};

void
settings_init(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->sampling = DEFAULT_SAMPLING;
	settings->polling_s = DEFAULT_POLLING_S;
	settings->header_bytes = DEFAULT_HEADER_BYTES;
}

int
settings_parse_number(
	const char *text, uint32_t min, uint32_t max, uint32_t *ret, struct err *err)
{
	uint64_t value;
	int rc;

	if (text[0] == '0' && isdigit((unsigned char)text[1]))
		return err_set(err, -EINVAL,
			"\"%s\" starts with 0, which hsflowd reads as octal; write it "
			"without",
			text);
	rc = parse_u64_scaled(text, min, max, &value);
	if (rc == -EINVAL)
		rc = parse_u64(text, min, max, &value);
	if (rc == -EINVAL)
		return err_set(err, rc, "\"%s\" is not a number", text);
	if (rc < 0)
		return err_set(
			err, rc, "%s is not in %" PRIu32 "..%" PRIu32, text, min, max);
	*ret = (uint32_t)value;
	return 0;
}

/* Ten to the power of the unit @c, 0 for an unknown one. */
static uint64_t
unit_factor(char c)
{
	static const char units[] = "KMGTP";
	const char *at = strchr(units, toupper((unsigned char)c));
	uint64_t factor = 1000;

	if (!c || !at)
		return 0;
	for (; at > units; at--)
		factor *= 1000;
	return factor;
}

/* The digits behind the decimal point, worth @factor as a whole; exact or -EINVAL. */
static int
parse_fraction(const char *digits, uint64_t factor, uint64_t *ret)
{
	uint64_t sum = 0;

	if (!*digits)
		return -EINVAL;
	for (; *digits; digits++) {
		if (!isdigit((unsigned char)*digits) || factor % 10)
			return -EINVAL;
		factor /= 10;
		sum += factor * (uint64_t)(*digits - '0');
	}
	*ret = sum;
	return 0;
}

int
settings_parse_speed(const char *text, uint64_t *ret_bps)
{
	char buf[SETTINGS_SPEED_TEXT_SIZE];
	size_t len = strlen(text);
	uint64_t factor, whole, fraction = 0;
	char *point;
	int rc;

	if (len == 0 || len >= sizeof(buf) || !isdigit((unsigned char)text[0]))
		return -EINVAL;
	memcpy(buf, text, len + 1);
	factor = unit_factor(buf[len - 1]);
	if (factor)
		buf[len - 1] = '\0';
	else
		factor = 1;
	point = strchr(buf, '.');
	if (point) {
		*point = '\0';
		rc = parse_fraction(point + 1, factor, &fraction);
		if (rc < 0)
			return rc;
	}
	if (buf[strspn(buf, "0123456789")])
		return -EINVAL;
	rc = parse_u64(buf, 0, UINT64_MAX, &whole);
	if (rc < 0)
		return rc;
	if (__builtin_mul_overflow(whole, factor, &whole) ||
		__builtin_add_overflow(whole, fraction, &whole) || whole == 0)
		return -ERANGE;
	*ret_bps = whole;
	return 0;
}

void
settings_format_speed(uint64_t bps, char ret[SETTINGS_SPEED_TEXT_SIZE])
{
	static const char units[] = "PTGMK";
	uint64_t factor = 1000000000000000;
	const char *unit = units;
	char fraction[SETTINGS_SPEED_TEXT_SIZE];
	int width = 15; /* decimal places of factor */

	for (; *unit && bps < factor; unit++) {
		factor /= 1000;
		width -= 3;
	}
	snprintf(fraction, sizeof(fraction), "%0*" PRIu64, width, bps % factor);
	while (width > 0 && fraction[width - 1] == '0')
		width--;
	snprintf(ret, SETTINGS_SPEED_TEXT_SIZE, "%" PRIu64 "%s%.*s%.1s", bps / factor,
		width ? "." : "", width, fraction, unit);
}

/* The key was set: 1 if it had been before, else 0. */
static int
mark(struct settings *settings, const struct key *key)
{
	int again = (settings->set & key->bit) != 0;

	settings->set |= key->bit;
	return again;
}

static int
put_number(struct settings *settings, const struct key *key, const char *value,
	struct err *err)
{
	uint32_t *field = (uint32_t *)((char *)settings + key->offset);
	int rc = settings_parse_number(value, 0, key->max, field, err);

	if (rc < 0)
		return err_prefix(err, "%s", key->name);
	return mark(settings, key);
}

static int
put_agent_ip(struct settings *settings, const struct key *key, const char *value,
	struct err *err)
{
	if (parse_addr(value, &settings->agent_ip) < 0)
		return err_set(err, -EINVAL,
			"%s: \"%s\" is not an IPv4 or IPv6 address", key->name, value);
	return mark(settings, key);
}

static int
put_agent_device(struct settings *settings, const struct key *key, const char *value,
	struct err *err)
{
	size_t len = strlen(value);

	if (len == 0 || len >= SETTINGS_DEVICE_SIZE)
		return err_set(err, -EINVAL,
			"%s: \"%s\" is not an interface name or alias", key->name,
			value);
	memset(settings->agent_device, 0, sizeof(settings->agent_device));
	memcpy(settings->agent_device, value, len);
	return mark(settings, key);
}

/* Zero what lies behind the prefix length, so that equal networks are equal bytes. */
static void
clear_host_bits(struct parse_addr *prefix)
{
	for (unsigned bit = prefix->prefix_len; bit < 128; bit++)
		prefix->bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

static int
put_agent_cidr(struct settings *settings, const struct key *key, const char *value,
	struct err *err)
{
	struct settings_cidr cidr = { .avoid = value[0] == '!' };

	if (parse_prefix(value + cidr.avoid, &cidr.prefix) < 0)
		return err_set(err, -EINVAL,
			"%s: \"%s\" is not of the form [!]ADDRESS/LENGTH", key->name,
			value);
	if (settings->n_cidrs == SETTINGS_CIDRS_MAX)
		return err_set(err, -ENOSPC, "%s: more than %d", key->name,
			SETTINGS_CIDRS_MAX);
	clear_host_bits(&cidr.prefix);
	settings->cidrs[settings->n_cidrs++] = cidr;
	return 0;
}

static const struct key keys[] = {
	{ "sampling", put_number, offsetof(struct settings, sampling),
		SETTINGS_RATE_MAX, SETTINGS_SAMPLING },
	{ "packetSamplingRate", put_number, offsetof(struct settings, sampling),
		SETTINGS_RATE_MAX, SETTINGS_SAMPLING },
	{ "sampling.flat", put_number, offsetof(struct settings, flat),
		SETTINGS_RATE_MAX, SETTINGS_FLAT },
	{ "sampling.bps_ratio", put_number, offsetof(struct settings, bps_ratio),
		UINT32_MAX, SETTINGS_BPS_RATIO },
	{ "polling", put_number, offsetof(struct settings, polling_s),
		SETTINGS_POLLING_MAX_S, SETTINGS_POLLING },
	{ "counterPollingInterval", put_number, offsetof(struct settings, polling_s),
		SETTINGS_POLLING_MAX_S, SETTINGS_POLLING },
	{ "headerBytes", put_number, offsetof(struct settings, header_bytes),
		SETTINGS_HEADER_MAX_BYTES, SETTINGS_HEADER },
	{ "agentIP", put_agent_ip, 0, 0, SETTINGS_AGENT_IP },
	{ "agent", put_agent_device, 0, 0, SETTINGS_AGENT_DEVICE },
	{ "agent.cidr", put_agent_cidr, 0, 0, 0 },
};

/* Where the rule of @speed_bps is or belongs in the sorted list. */
static unsigned
speed_index(const struct settings *settings, uint64_t speed_bps)
{
	unsigned i = 0;

	while (i < settings->n_speeds && settings->speeds[i].speed_bps < speed_bps)
		i++;
	return i;
}

/* Add or replace one rule: 0, 1 if replaced, -ENOSPC. */
static int
set_speed(struct settings *settings, struct settings_speed rule)
{
	unsigned i = speed_index(settings, rule.speed_bps);
	struct settings_speed *at = &settings->speeds[i];

	if (i < settings->n_speeds && at->speed_bps == rule.speed_bps) {
		at->rate = rule.rate;
		return 1;
	}
	if (settings->n_speeds == SETTINGS_SPEEDS_MAX)
		return -ENOSPC;
	memmove(at + 1, at, (settings->n_speeds - i) * sizeof(*at));
	*at = rule;
	settings->n_speeds++;
	return 0;
}

/* sampling.SPEED; @speed is what stands behind the point. */
static int
put_speed(struct settings *settings, const char *speed, const char *value,
	struct err *err)
{
	struct settings_speed rule;
	int rc;

	if (settings_parse_speed(speed, &rule.speed_bps) < 0)
		return err_set(err, -EINVAL,
			"sampling.%s: \"%s\" is not a speed such as 100M, 2.5G or 1.6T",
			speed, speed);
	if (settings_parse_number(value, 0, SETTINGS_RATE_MAX, &rule.rate, err) < 0)
		return err_prefix(err, "sampling.%s", speed);
	rc = set_speed(settings, rule);
	if (rc < 0)
		return err_set(err, rc, "sampling.%s: more than %d speeds", speed,
			SETTINGS_SPEEDS_MAX);
	return rc;
}

/* Keys with an open end: sampling.X and polling.X. */
static int
put_dotted(
	struct settings *settings, const char *key, const char *value, struct err *err)
{
	if (strncasecmp(key, "sampling.", 9) == 0 && key[9]) {
		if (isdigit((unsigned char)key[9]))
			return put_speed(settings, key + 9, value, err);
		return err_set(err, -EOPNOTSUPP,
			"%s: sampling of application transactions is not done here",
			key);
	}
	if (strncasecmp(key, "polling.", 8) == 0 && key[8])
		return err_set(err, -EOPNOTSUPP,
			"%s: counters of applications are not polled here", key);
	return err_set(err, -ENOENT, "unknown keyword \"%s\"", key);
}

int
settings_put(
	struct settings *settings, const char *key, const char *value, struct err *err)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcasecmp(key, keys[i].name) == 0)
			return keys[i].put(settings, &keys[i], value, err);
	if (strcasecmp(key, "dropLimit") == 0)
		return err_set(err, -EOPNOTSUPP,
			"%s: use dropmon { limit= } in the configuration file", key);
	return put_dotted(settings, key, value, err);
}

/* The rates that hold for every speed: flat and ratio exclude each other. */
static void
overlay_rates(struct settings *base, const struct settings *over)
{
	if (over->set & SETTINGS_SAMPLING)
		base->sampling = over->sampling;
	if (over->set & (SETTINGS_FLAT | SETTINGS_BPS_RATIO)) {
		base->set &= ~(unsigned)(SETTINGS_FLAT | SETTINGS_BPS_RATIO);
		base->flat = over->flat;
		base->bps_ratio = over->bps_ratio;
	}
}

/* Rules of @over first, so that those of @base are left out when there are too many. */
static void
overlay_speeds(struct settings *base, const struct settings *over)
{
	struct settings merged = *over;

	for (unsigned i = 0; i < base->n_speeds; i++) {
		unsigned at = speed_index(over, base->speeds[i].speed_bps);

		if (at == over->n_speeds ||
			over->speeds[at].speed_bps != base->speeds[i].speed_bps)
			(void)set_speed(&merged, base->speeds[i]);
	}
	memcpy(base->speeds, merged.speeds, sizeof(base->speeds));
	base->n_speeds = merged.n_speeds;
}

void
settings_overlay(struct settings *base, const struct settings *over)
{
	overlay_rates(base, over);
	overlay_speeds(base, over);
	if (over->set & SETTINGS_POLLING)
		base->polling_s = over->polling_s;
	if (over->set & SETTINGS_HEADER)
		base->header_bytes = over->header_bytes;
	if (over->set & SETTINGS_AGENT_IP)
		base->agent_ip = over->agent_ip;
	if (over->set & SETTINGS_AGENT_DEVICE)
		memcpy(base->agent_device, over->agent_device,
			sizeof(base->agent_device));
	if (over->n_cidrs) {
		memcpy(base->cidrs, over->cidrs, sizeof(base->cidrs));
		base->n_cidrs = over->n_cidrs;
	}
	base->set |= over->set;
}

static bool
addr_equal(const struct parse_addr *a, const struct parse_addr *b)
{
	return a->family == b->family && a->prefix_len == b->prefix_len &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool
rules_equal(const struct settings *a, const struct settings *b)
{
	if (a->n_speeds != b->n_speeds || a->n_cidrs != b->n_cidrs)
		return false;
	for (unsigned i = 0; i < a->n_speeds; i++)
		if (a->speeds[i].speed_bps != b->speeds[i].speed_bps ||
			a->speeds[i].rate != b->speeds[i].rate)
			return false;
	for (unsigned i = 0; i < a->n_cidrs; i++)
		if (a->cidrs[i].avoid != b->cidrs[i].avoid ||
			!addr_equal(&a->cidrs[i].prefix, &b->cidrs[i].prefix))
			return false;
	return true;
}

bool
settings_equal(const struct settings *a, const struct settings *b)
{
	return a->set == b->set && a->sampling == b->sampling && a->flat == b->flat &&
	       a->bps_ratio == b->bps_ratio && a->polling_s == b->polling_s &&
	       a->header_bytes == b->header_bytes &&
	       addr_equal(&a->agent_ip, &b->agent_ip) &&
	       strcmp(a->agent_device, b->agent_device) == 0 && rules_equal(a, b);
}

/* N = speed/ratio with a floor; speeds beyond 32 bit of N do not exist. */
static uint32_t
rate_by_ratio(uint64_t speed_bps, uint32_t ratio, uint32_t floor)
{
	uint64_t rate = speed_bps / ratio;

	if (rate < floor)
		return floor;
	return rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
}

uint32_t
settings_rate(const struct settings *settings, uint64_t speed_bps)
{
	unsigned i = speed_index(settings, speed_bps);

	if (speed_bps && i < settings->n_speeds &&
		settings->speeds[i].speed_bps == speed_bps)
		return settings->speeds[i].rate;
	if (settings->set & SETTINGS_FLAT)
		return settings->flat;
	if (speed_bps == 0)
		return settings->sampling;
	if (!(settings->set & SETTINGS_BPS_RATIO))
		return rate_by_ratio(speed_bps, DEFAULT_BPS_RATIO, DEFAULT_RATE_MIN);
	if (settings->bps_ratio == 0)
		return settings->sampling;
	return rate_by_ratio(speed_bps, settings->bps_ratio, 1);
}
