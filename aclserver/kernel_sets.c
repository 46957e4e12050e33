/*
 * kernel_sets.c - dumps the sets of one table; see kernel_sets.h.
 */
#include "aclserver/kernel_sets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/meter_name.h"
#include "aclserver/port_marks.h"
#include "aclserver/span_ports.h"
#include "common/nft_dump.h"

/* ---- elements ---- */

void
kernel_set_done(struct kernel_set *set)
{
	for (size_t i = 0; i < set->n_elems; i++)
		free(set->elems[i]);
	free(set->elems);
	set->elems = NULL;
	set->n_elems = set->size_elems = 0;
}

static void
forget_elems(void *user_data)
{
	struct kernel_set *set = user_data;

	while (set->n_elems > 0)
		free(set->elems[--set->n_elems]);
}

static int
on_elem(const struct nft_elem_info *info, void *user_data)
{
	struct kernel_set *set = user_data;
	struct kernel_elem *elem;

	if (info->key_len != set->key_len)
		return -EBADMSG;
	if (set->n_elems == set->size_elems) {
		size_t size = set->size_elems ? 2 * set->size_elems : 16;
		struct kernel_elem **grown =
			reallocarray(set->elems, size, sizeof(struct kernel_elem *));

		if (!grown)
			return -ENOMEM;
		set->elems = grown;
		set->size_elems = size;
	}
	elem = malloc(sizeof(*elem) + info->key_len + info->udata.len);
	if (!elem)
		return -ENOMEM;
	elem->packets = info->packets;
	elem->bytes = info->bytes;
	elem->adopted = false;
	elem->udata_len = info->udata.len;
	memcpy(elem->data, info->key, info->key_len);
	if (info->udata.len > 0)
		memcpy(elem->data + info->key_len, info->udata.data, info->udata.len);
	set->elems[set->n_elems++] = elem;
	return 0;
}

int
kernel_set_read(struct nft *nft, const struct nft_table *table, struct kernel_set *set,
	struct err *err)
{
	const struct nft_reader reader = {
		.begin = forget_elems,
		.elem = on_elem,
		.user_data = set,
	};

	return nft_list_elems(nft, table, set->text, &reader, err);
}

/* ---- sets ---- */

struct reading {
	struct kernel_sets *sets;
	uint8_t family;
};

static void
forget_sets(void *user_data)
{
	struct reading *reading = user_data;
	struct kernel_sets *sets = reading->sets;

	sets->n = 0; /* no elements yet */
	while (sets->n_unknown > 0)
		free(sets->unknown[--sets->n_unknown]);
	while (sets->n_meters > 0)
		free(sets->meters[--sets->n_meters]);
}

static int
add_name(char ***names, size_t *n, const char *name)
{
	char **grown = reallocarray(*names, *n + 1, sizeof(char *));

	if (!grown)
		return -ENOMEM;
	*names = grown;
	grown[*n] = strdup(name);
	if (!grown[*n])
		return -ENOMEM;
	++*n;
	return 0;
}

/* Is it a set that this version could have made, under this name? */
static bool
is_ours(const struct reading *reading, const struct nft_set_info *info,
	struct kernel_set *ret)
{
	*ret = (struct kernel_set){ .key_len = info->key_len };
	if (info->flags != 0 || strlen(info->name) >= sizeof(ret->text) ||
		!fold_set_parse(reading->family, info->name, &ret->name) ||
		!fold_shape_decode(info->udata, ret->name.place, &ret->shape))
		return false;
	memcpy(ret->text, info->name, strlen(info->name) + 1);
	return fold_shape_hash(&ret->shape) == ret->name.shape &&
	       fold_key_len(&ret->shape) == info->key_len;
}

static int
on_set(const struct nft_set_info *info, void *user_data)
{
	struct reading *reading = user_data;
	struct kernel_sets *sets = reading->sets;
	struct kernel_set set;

	if (info->flags & NFT_SET_ANONYMOUS ||
		strcmp(info->name, PORT_MARKS_MAP) == 0 ||
		strcmp(info->name, SPAN_PORTS_MAP) == 0)
		return 0;
	if (info->flags & NFT_SET_EVAL && meter_name_is_ours(info->name))
		return add_name(&sets->meters, &sets->n_meters, info->name);
	if (!is_ours(reading, info, &set))
		return add_name(&sets->unknown, &sets->n_unknown, info->name);
	if (sets->n == sets->size) {
		size_t size = sets->size ? 2 * sets->size : 16;
		struct kernel_set *grown =
			reallocarray(sets->items, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		sets->items = grown;
		sets->size = size;
	}
	sets->items[sets->n++] = set;
	return 0;
}

static int
compare_set(const void *a, const void *b)
{
	return strcmp(((const struct kernel_set *)a)->text,
		((const struct kernel_set *)b)->text);
}

int
kernel_sets_read(struct nft *nft, const struct nft_table *table,
	struct kernel_sets *ret, struct err *err)
{
	struct reading reading = { .sets = ret, .family = table->family };
	const struct nft_reader reader = {
		.begin = forget_sets,
		.set = on_set,
		.user_data = &reading,
	};
	int r;

	*ret = (struct kernel_sets){ 0 };
	r = nft_list_sets(nft, table, &reader, err);
	if (r < 0)
		return err_prefix(err, "reading installed sets");
	if (ret->n > 0)
		qsort(ret->items, ret->n, sizeof(*ret->items), compare_set);
	for (size_t i = 0; i < ret->n && r == 0; i++)
		r = kernel_set_read(nft, table, &ret->items[i], err);
	return r;
}

void
kernel_sets_done(struct kernel_sets *sets)
{
	for (size_t i = 0; i < sets->n; i++)
		kernel_set_done(&sets->items[i]);
	free(sets->items);
	for (size_t i = 0; i < sets->n_unknown; i++)
		free(sets->unknown[i]);
	free(sets->unknown);
	for (size_t i = 0; i < sets->n_meters; i++)
		free(sets->meters[i]);
	free(sets->meters);
	*sets = (struct kernel_sets){ 0 };
}

struct kernel_set *
kernel_sets_find(const struct kernel_sets *sets, const char *name)
{
	struct kernel_set key = { 0 };
	size_t len = strlen(name);

	if (sets->n == 0 || len >= sizeof(key.text))
		return NULL;
	memcpy(key.text, name, len + 1);
	return bsearch(&key, sets->items, sets->n, sizeof(key), compare_set);
}
