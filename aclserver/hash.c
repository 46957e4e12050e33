/*
 * hash.c - 128-bit content hash over XXH3.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "aclserver/hash.h"

#include <endian.h>
#include <string.h>

/*
 * Part of every hash. Must be raised when the same rule compiles to other kernel rules
 * than before in a way that the terms do not show (a change in nft_emit.c), so that an
 * upgrade replaces what an older version installed.
 */
enum { HASH_COMPILER_VERSION = 1 };

_Static_assert(sizeof(XXH3_state_t) <= HASH_STATE_SIZE, "state grew");
_Static_assert(
	_Alignof(XXH3_state_t) <= HASH_STATE_ALIGN, "state needs more alignment");

static XXH3_state_t *
state_of(struct hash *h)
{
	return (XXH3_state_t *)h->state;
}

void
hash_init(struct hash *h)
{
	XXH3_INITSTATE(state_of(h));
	(void)XXH3_128bits_reset(state_of(h)); /* fails for NULL only */
	hash_add_u64(h, HASH_COMPILER_VERSION);
}

void
hash_add(struct hash *h, const void *data, size_t len)
{
	(void)XXH3_128bits_update(state_of(h), data, len); /* fails for NULL only */
}

void
hash_add_u64(struct hash *h, uint64_t value)
{
	uint64_t le = htole64(value);

	hash_add(h, &le, sizeof(le));
}

void
hash_add_text(struct hash *h, const char *text)
{
	hash_add(h, text ? "=" : "-", 1);
	if (text)
		hash_add(h, text, strlen(text) + 1);
}

struct ruleset_hash
hash_value(const struct hash *h)
{
	XXH128_hash_t value = XXH3_128bits_digest((const XXH3_state_t *)h->state);
	struct ruleset_hash ret = { { value.low64, value.high64 } };

	/* All zero means "no rules". */
	if (ret.w[0] == 0 && ret.w[1] == 0)
		ret.w[0] = 1;
	return ret;
}
