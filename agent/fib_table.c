/*
 * fib_table.c - the prefixes of the kernel's routing tables. Places are found by linear
 * probing; a removal moves those behind it up, so that no marks of dead places pile up.
 */
#include "agent/fib_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct fib_prefix) == 24, "no padding, a multiple of 8");

void
fib_table_init(struct fib_table *t, size_t limit)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
}

void
fib_table_done(struct fib_table *t)
{
	free(t->places);
	free(t->filter);
	fib_table_init(t, t->limit);
}

static struct fib_lengths *
lengths_of(struct fib_table *t, uint8_t family)
{
	return &t->lengths[family == AF_INET6];
}

/* Whoever makes prefixes collide must be able to add routes. */
static uint64_t
hash_of(const struct fib_prefix *p)
{
	uint64_t words[2], h = UINT64_C(0x9e3779b97f4a7c15);

	memcpy(words, p->dst, sizeof(words));
	h = (h ^ p->table ^ (uint64_t)p->len << 32 ^ (uint64_t)p->family << 40) *
	    UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	for (int i = 0; i < 2; i++) {
		h = (h ^ words[i]) * UINT64_C(0xd6e8feb86659fd93);
		h ^= h >> 32;
	}
	return h;
}

static size_t
home_of(const struct fib_table *t, const struct fib_prefix *p)
{
	return hash_of(p) & (t->size - 1);
}

/* Bits of the hash that do not choose the place choose the bit. */
static void
mark(struct fib_table *t, const struct fib_prefix *p)
{
	const uint64_t h = hash_of(p) >> 24;

	t->filter[h >> 3 & (t->size - 1)] |= (uint8_t)(1 << (h & 7));
}

static bool
is_marked(const struct fib_table *t, uint64_t hash)
{
	const uint64_t h = hash >> 24;

	return t->filter[h >> 3 & (t->size - 1)] & 1 << (h & 7);
}

static bool
is_same(const struct fib_prefix *a, const struct fib_prefix *b)
{
	return a->table == b->table && a->family == b->family && a->len == b->len &&
	       memcmp(a->dst, b->dst, sizeof(a->dst)) == 0;
}

/* The place of @p, or the empty one where it belongs. There is always an empty one. */
static struct fib_prefix *
place_from(const struct fib_table *t, const struct fib_prefix *p, size_t i)
{
	while (t->places[i].family && !is_same(&t->places[i], p))
		i = (i + 1) & (t->size - 1);
	return &t->places[i];
}

static struct fib_prefix *
place_of(const struct fib_table *t, const struct fib_prefix *p)
{
	return place_from(t, p, home_of(t, p));
}

static int
grow(struct fib_table *t)
{
	struct fib_table bigger = *t;

	bigger.size = t->size ? t->size * 2 : FIB_TABLE_START;
	bigger.places = calloc(bigger.size, sizeof(*bigger.places));
	bigger.filter = calloc(bigger.size, 1);
	if (!bigger.places || !bigger.filter) {
		free(bigger.places);
		free(bigger.filter);
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->size; i++) {
		if (!t->places[i].family)
			continue;
		*place_of(&bigger, &t->places[i]) = t->places[i];
		mark(&bigger, &t->places[i]);
	}
	free(t->places);
	free(t->filter);
	*t = bigger;
	return 0;
}

static void
count_length(struct fib_lengths *l, uint8_t len)
{
	unsigned i = l->n;

	if (l->n_prefixes[len]++ > 0)
		return;
	for (; i > 0 && l->present[i - 1] < len; i--)
		l->present[i] = l->present[i - 1];
	l->present[i] = len;
	l->n++;
}

static void
discount_length(struct fib_lengths *l, uint8_t len)
{
	unsigned i = 0;

	if (--l->n_prefixes[len] > 0)
		return;
	while (l->present[i] != len)
		i++;
	l->n--;
	memmove(&l->present[i], &l->present[i + 1], l->n - i);
}

int
fib_table_add(struct fib_table *t, const struct fib_prefix *p, bool replace)
{
	struct fib_prefix *place = t->size ? place_of(t, p) : NULL;
	int rc;

	if (place && place->family) {
		place->several = p->several || !replace;
		return 0;
	}
	if (t->n >= t->limit)
		return -ENOSPC;
	if ((t->n + 1) * 2 > t->size) {
		rc = grow(t);
		if (rc < 0)
			return rc;
		place = place_of(t, p);
	}
	*place = *p;
	mark(t, p);
	t->n++;
	count_length(lengths_of(t, p->family), p->len);
	return 0;
}

/* Empty place @i: move what would not be found behind it any more. */
static void
close_gap(struct fib_table *t, size_t gap)
{
	const size_t mask = t->size - 1;

	for (size_t i = (gap + 1) & mask; t->places[i].family; i = (i + 1) & mask) {
		size_t home = home_of(t, &t->places[i]);

		/* It stays if its home lies behind the gap. */
		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		t->places[gap] = t->places[i];
		gap = i;
	}
	memset(&t->places[gap], 0, sizeof(t->places[gap]));
}

bool
fib_table_remove(struct fib_table *t, const struct fib_prefix *p)
{
	struct fib_prefix *place = t->size ? place_of(t, p) : NULL;

	if (!place || !place->family)
		return true;
	if (place->several)
		return false;
	close_gap(t, (size_t)(place - t->places));
	t->n--;
	discount_length(lengths_of(t, p->family), p->len);
	return true;
}

/* The first @len bits of @addr, the rest 0. */
static void
cut(const uint8_t *addr, unsigned len, uint8_t ret[16])
{
	memset(ret, 0, 16);
	memcpy(ret, addr, (len + 7) / 8);
	if (len % 8)
		ret[len / 8] &= (uint8_t)(0xff << (8 - len % 8));
}

int
fib_table_match(
	const struct fib_table *t, uint32_t table, uint8_t family, const uint8_t *addr)
{
	const struct fib_lengths *l = &t->lengths[family == AF_INET6];
	struct fib_prefix p = { .table = table, .family = family };
	uint64_t h;

	for (unsigned i = 0; i < l->n; i++) {
		p.len = l->present[i];
		cut(addr, p.len, p.dst);
		h = hash_of(&p);
		/* A bit stays when its prefix goes: then it only costs a look. */
		if (is_marked(t, h) && place_from(t, &p, h & (t->size - 1))->family)
			return p.len;
	}
	return -1;
}
