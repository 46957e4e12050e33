/*
 * parse.c - strict text to value: numbers, durations, addresses, names.
 *
 * The only file that turns digits into numbers; the C library's functions for it accept
 * blanks, signs and trailing text, and depend on the locale.
 */
#include "common/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { IFNAME_MAX = 15, MAC_LEN = 6 };

/* Value of the digit @c in base 10 or 16, -1 if it is none. */
static int
digit_value(char c, unsigned base)
{
	int v = -1;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (c >= 'a' && c <= 'f')
		v = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - 'A' + 10;
	return v < (int)base ? v : -1;
}

/*
 * The digits at the start of @text; *@ret_end is behind the last one. -EINVAL without a
 * digit, -ERANGE above 64 bit (then too *@ret_end is set: the form may still be wrong).
 */
static int
scan_digits(const char *text, unsigned base, uint64_t *ret, const char **ret_end)
{
	uint64_t value = 0;
	int digit, result = 0;
	const char *p;

	for (p = text; (digit = digit_value(*p, base)) >= 0; p++)
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, (unsigned)digit, &value))
			result = -ERANGE;
	*ret_end = p;
	if (p == text)
		return -EINVAL;
	*ret = value;
	return result;
}

/* A decimal number with one of the @units behind it. */
struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit decimal_units[] = {
	{ "", 1 },
	{ "k", 1000 },
	{ "m", 1000000 },
	{ "g", 1000000000 },
	{ NULL, 0 },
};

static const struct unit duration_units[] = {
	{ "", 1000 },
	{ "ms", 1 },
	{ "s", 1000 },
	{ "min", 60000 },
	{ "h", 3600000 },
	{ NULL, 0 },
};

static int
parse_with_unit(const char *text, const struct unit *units,
	int (*compare)(const char *, const char *), uint64_t *ret)
{
	const char *end;
	uint64_t value = 0;
	int result = scan_digits(text, 10, &value, &end);

	if (result == -EINVAL)
		return -EINVAL;
	while (units->name && compare(units->name, end) != 0)
		units++;
	if (!units->name)
		return -EINVAL;
	if (result < 0 || __builtin_mul_overflow(value, units->factor, &value))
		return -ERANGE;
	*ret = value;
	return 0;
}

int
parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t value = 0;
	int result;

	if (text[0] == '0' && text[1] == 'x')
		result = scan_digits(text + 2, 16, &value, &end);
	else
		result = scan_digits(text, 10, &value, &end);
	if (result == -EINVAL || *end)
		return -EINVAL;
	if (result < 0 || value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int
parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t value;
	int result = parse_u64(text, min, max, &value);

	if (result == 0)
		*ret = (uint32_t)value;
	return result;
}

int
parse_u64_scaled(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	int result = parse_with_unit(text, decimal_units, strcasecmp, &value);

	if (result < 0)
		return result;
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int
parse_bool(const char *text, bool *ret)
{
	static const char *const words[][2] = {
		{ "off", "on" },
		{ "no", "yes" },
		{ "false", "true" },
		{ "0", "1" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (int value = 0; value < 2; value++)
			if (strcasecmp(text, words[i][value]) == 0) {
				*ret = value;
				return 0;
			}
	return -EINVAL;
}

int
parse_duration_ms(const char *text, int64_t *ret_ms)
{
	uint64_t value;
	int result = parse_with_unit(text, duration_units, strcmp, &value);

	if (result < 0)
		return result;
	if (value > INT64_MAX)
		return -ERANGE;
	*ret_ms = (int64_t)value;
	return 0;
}

int
parse_addr(const char *text, struct parse_addr *ret)
{
	struct parse_addr addr = { 0 };

	if (strchr(text, ':')) {
		addr.family = AF_INET6;
		addr.prefix_len = 128;
	} else {
		addr.family = AF_INET;
		addr.prefix_len = 32;
	}
	if (inet_pton(addr.family, text, addr.bytes) != 1)
		return -EINVAL;
	*ret = addr;
	return 0;
}

/* 255.255.255.0 → 24; -EINVAL if it is no netmask. */
static int
parse_netmask(const char *text, uint8_t *ret_prefix_len)
{
	struct in_addr addr;
	uint32_t host_bits;

	if (inet_pton(AF_INET, text, &addr) != 1)
		return -EINVAL;
	host_bits = ~ntohl(addr.s_addr);
	if (host_bits & (host_bits + 1))
		return -EINVAL;
	*ret_prefix_len = (uint8_t)(32 - __builtin_popcount(host_bits));
	return 0;
}

static int
parse_prefix_len(const char *text, uint8_t max, uint8_t *ret)
{
	const char *end;
	uint64_t value = 0;
	int result = scan_digits(text, 10, &value, &end);

	if (result == -EINVAL || *end)
		return -EINVAL;
	if (result < 0 || value > max)
		return -ERANGE;
	*ret = (uint8_t)value;
	return 0;
}

int
parse_prefix(const char *text, struct parse_addr *ret)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	struct parse_addr addr;
	int result;

	if (!slash)
		return parse_addr(text, ret);
	if ((size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	result = parse_addr(address, &addr);
	if (result < 0)
		return result;
	if (addr.family == AF_INET && strchr(slash, '.'))
		result = parse_netmask(slash + 1, &addr.prefix_len);
	else
		result = parse_prefix_len(slash + 1, addr.prefix_len, &addr.prefix_len);
	if (result == 0)
		*ret = addr;
	return result;
}

int
parse_mac(const char *text, uint8_t ret[6])
{
	uint8_t mac[MAC_LEN];
	const char *p = text, *end;
	uint64_t octet = 0;

	for (int i = 0; i < MAC_LEN; i++) {
		if (i > 0 && *p++ != ':')
			return -EINVAL;
		if (scan_digits(p, 16, &octet, &end) < 0 || end - p > 2)
			return -EINVAL;
		mac[i] = (uint8_t)octet;
		p = end;
	}
	if (*p)
		return -EINVAL;
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

bool
parse_is_ifname(const char *text)
{
	size_t len = strnlen(text, IFNAME_MAX + 1);

	if (len == 0 || len > IFNAME_MAX)
		return false;
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '/' || *p == ':')
			return false;
	return true;
}
