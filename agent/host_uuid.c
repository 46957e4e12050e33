/*
 * host_uuid.c - which machine this is.
 *
 * SHA-1 is here because a version 5 UUID wants it, and a library for 40 lines would be
 * too much; its weakness against collisions does not matter, as nobody gains by one.
 */
#include "agent/host_uuid.h"

#include <errno.h>
#include <string.h>

enum {
	UUID_BYTES = 16,
	SHA1_WORDS = 5,
	SHA1_BLOCK = 64,
	SHA1_ROUNDS = 80,
	MACHINE_ID_DIGITS = 32,
};

/* Drawn at random once: name space of machine ids of this agent. */
static const uint8_t name_space[UUID_BYTES] = { 0x5d, 0x0c, 0x8e, 0x37, 0x91, 0x4a,
	0x4f, 0x6b, 0xa2, 0xd1, 0x33, 0xc8, 0x70, 0x1e, 0x9b, 0x64 };

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
host_uuid_parse(struct text text, uint8_t ret[16])
{
	uint8_t bytes[UUID_BYTES] = { 0 }, all_and = 0xff, all_or = 0;
	size_t digits = 0;
	struct text line;

	if (!text_line(&text, &line))
		return -EINVAL;
	for (size_t i = 0; i < line.len; i++) {
		int v = hex_value(line.at[i]);

		if (line.at[i] == '-' && digits % 2 == 0)
			continue;
		if (v < 0 || digits == 2 * UUID_BYTES)
			return -EINVAL;
		bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | v);
		digits++;
	}
	for (size_t i = 0; i < UUID_BYTES; i++) {
		all_and &= bytes[i];
		all_or |= bytes[i];
	}
	if (digits != 2 * UUID_BYTES || all_and == 0xff || all_or == 0)
		return -EINVAL;
	memcpy(ret, bytes, UUID_BYTES);
	return 0;
}

static uint32_t
rotate(uint32_t v, unsigned bits)
{
	return v << bits | v >> (32 - bits);
}

/* The function and constant of round @i. (RFC 3174 §5) */
static uint32_t
mix(unsigned i, const uint32_t *s)
{
	if (i < 20)
		return ((s[1] & s[2]) | (~s[1] & s[3])) + 0x5a827999;
	if (i < 40)
		return (s[1] ^ s[2] ^ s[3]) + 0x6ed9eba1;
	if (i < 60)
		return ((s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3])) + 0x8f1bbcdc;
	return (s[1] ^ s[2] ^ s[3]) + 0xca62c1d6;
}

static void
sha1_block(const uint8_t block[SHA1_BLOCK], uint32_t hash[SHA1_WORDS])
{
	uint32_t w[SHA1_ROUNDS], s[SHA1_WORDS];

	for (unsigned i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (unsigned i = 16; i < SHA1_ROUNDS; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	memcpy(s, hash, sizeof(s));
	for (unsigned i = 0; i < SHA1_ROUNDS; i++) {
		uint32_t next = rotate(s[0], 5) + mix(i, s) + s[4] + w[i];

		s[4] = s[3];
		s[3] = s[2];
		s[2] = rotate(s[1], 30);
		s[1] = s[0];
		s[0] = next;
	}
	for (unsigned i = 0; i < SHA1_WORDS; i++)
		hash[i] += s[i];
}

/* Of one block: name space and machine id are 48 bytes, and the padding fits, too. */
static void
sha1_of_one_block(const uint8_t *data, size_t len, uint32_t hash[SHA1_WORDS])
{
	static const uint32_t start[SHA1_WORDS] = { 0x67452301, 0xefcdab89, 0x98badcfe,
		0x10325476, 0xc3d2e1f0 };
	uint8_t block[SHA1_BLOCK] = { 0 };
	size_t bits = len * 8;

	memcpy(block, data, len);
	block[len] = 0x80;
	block[SHA1_BLOCK - 2] = (uint8_t)(bits >> 8);
	block[SHA1_BLOCK - 1] = (uint8_t)bits;
	memcpy(hash, start, sizeof(start));
	sha1_block(block, hash);
}

int
host_uuid_from_machine_id(struct text text, uint8_t ret[16])
{
	uint8_t data[UUID_BYTES + MACHINE_ID_DIGITS];
	uint32_t hash[SHA1_WORDS];
	struct text line;

	if (!text_line(&text, &line) || line.len != MACHINE_ID_DIGITS)
		return -EINVAL;
	for (size_t i = 0; i < line.len; i++) {
		if (hex_value(line.at[i]) < 0)
			return -EINVAL;
	}
	memcpy(data, name_space, UUID_BYTES);
	memcpy(data + UUID_BYTES, line.at, MACHINE_ID_DIGITS);
	sha1_of_one_block(data, sizeof(data), hash);
	for (unsigned i = 0; i < UUID_BYTES; i++)
		ret[i] = (uint8_t)(hash[i / 4] >> (24 - 8 * (i % 4)));
	ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x50);
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
	return 0;
}
