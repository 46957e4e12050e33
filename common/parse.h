/*
 * parse.h - strict text to value. Every function takes the whole string: no leading
 * blanks, no trailing text, no sign unless stated. Returns 0, -EINVAL (not of that
 * form) or -ERANGE (of that form, but out of range); outputs are written on success
 * only.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/** Decimal, or hexadecimal with 0x in front. A leading zero does not mean octal. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
/** As parse_u64(), 32 bit. */
int parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret);

/** Digits with an optional decimal multiplier K M G (10^3, 10^6, 10^9), either case. */
int parse_u64_scaled(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/** "on/off", "yes/no", "true/false", "1/0", any case. */
int parse_bool(const char *text, bool *ret);

/** Duration in ms: digits and an optional unit ms, s, min, h; no unit means seconds.
 * Units are written in lower case. */
int parse_duration_ms(const char *text, int64_t *ret_ms);

struct parse_addr {
	int family;         /* AF_INET or AF_INET6 */
	uint8_t bytes[16];  /* network order; 4 or 16 used */
	uint8_t prefix_len; /* 0..32 or 0..128 */
};

/** IPv4 (four decimal octets without leading zeros) or IPv6 address without prefix
 * length or zone; @prefix_len becomes 32 or 128. */
int parse_addr(const char *text, struct parse_addr *ret);

/** Address with optional /length, or for IPv4 /netmask (contiguous only, else -EINVAL).
 * Host bits are kept as written; without a length it is that of a single address. */
int parse_prefix(const char *text, struct parse_addr *ret);

/** Six hex octets of one or two digits separated by ':'. */
int parse_mac(const char *text, uint8_t ret[6]);

/** Linux interface name: 1..15 bytes, no '/', ':', blank or control character, not "."
 * or ".." (what dev_valid_name() of the kernel accepts). */
bool parse_is_ifname(const char *text);
