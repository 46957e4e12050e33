/*
 * fold.c - rules to shapes and keys, and shapes to what a set can carry; see fold.h.
 */
#include "aclserver/fold.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_ether.h>

#include "aclserver/hash.h"
#include "aclserver/nft_field.h"
#include "common/parse.h"
#include "common/rbuf.h"
#include "common/wbuf.h"

enum {
	KEY_ALIGN = 4,  /* every part begins at a register of 4 bytes */
	TYPE_BITS = 6,  /* of each type in the type of a concatenation */
	TYPE_NAME = 41, /* the nft tool's number for interface names */
	SHAPE_TYPE = NFT_UDATA_OWN + 2,
	HASH_DIGITS = 16,
};

static const char eb_prefix[] = "eb_";

bool
fold_is_name(enum field field)
{
	return field == FIELD_IIFNAME || field == FIELD_OIFNAME ||
	       field == FIELD_PORT || field == FIELD_ROUTE;
}

uint8_t
fold_part_len(enum field field)
{
	return fold_is_name(field) ? FOLD_NAME_SIZE : nft_field(field)->len;
}

bool
fold_part_is_whole(const struct fold_part *part)
{
	for (size_t i = 0; i < fold_part_len(part->field); i++)
		if (part->mask[i] != 0xff)
			return false;
	return true;
}

/* Bytes that one part of the key takes. */
static size_t
room_of(const struct fold_shape *shape, size_t part)
{
	size_t len = fold_part_len(shape->parts[part].field);

	if (shape->n_parts == 1)
		return len;
	return (len + KEY_ALIGN - 1) / KEY_ALIGN * KEY_ALIGN;
}

size_t
fold_key_len(const struct fold_shape *shape)
{
	size_t len = 0;

	for (size_t i = 0; i < shape->n_parts; i++)
		len += room_of(shape, i);
	return len;
}

/* ---- rules ---- */

/* One part with its value, while a rule is looked at. */
struct cell {
	struct fold_part part;
	uint8_t value[FIELD_SIZE_MAX];
};

struct looking {
	struct fold_shape *shape;
	struct cell cells[FOLD_PARTS_MAX]; /* by ascending field */
};

/* Fields that fill their bytes, in network order, and that the nft tool can name. */
static bool
can_be_part(enum field field)
{
	const struct nft_field *at = nft_field(field);

	if (fold_is_name(field))
		return true;
	switch (at->source) {
	case NFT_SOURCE_LINK:
	case NFT_SOURCE_NETWORK:
	case NFT_SOURCE_TRANSPORT:
		return at->form != NFT_FORM_HOST && at->bits == 0 &&
		       at->type != NFT_TYPE_INTEGER;
	default:
		return false;
	}
}

static bool
add_cell(struct looking *look, const struct cell *cell)
{
	struct fold_shape *shape = look->shape;
	size_t i = shape->n_parts;

	if (i == FOLD_PARTS_MAX)
		return false;
	while (i > 0 && look->cells[i - 1].part.field >= cell->part.field) {
		if (look->cells[i - 1].part.field == cell->part.field)
			return false;
		look->cells[i] = look->cells[i - 1];
		i--;
	}
	look->cells[i] = *cell;
	shape->n_parts++;
	return true;
}

static bool
look_at_mapped_name(struct looking *look, const struct ruleset_test *test)
{
	char *name = test->field == FIELD_PORT ? look->shape->port_name
					       : look->shape->route_name;
	int len;

	if (name[0] != '\0' || !test->ifname)
		return false;
	len = snprintf(
		name, FOLD_NAME_SIZE, "%s%s", test->ifname, test->prefix ? "+" : "");
	return len > 0 && len < FOLD_NAME_SIZE;
}

static bool
look_at_name(struct looking *look, const struct ruleset_test *test)
{
	char *prefix = test->field == FIELD_IIFNAME ? look->shape->in_prefix
						    : look->shape->out_prefix;
	struct cell cell = { .part.field = test->field };
	size_t len = test->ifname ? strnlen(test->ifname, FOLD_NAME_SIZE) : 0;

	if (test->field == FIELD_PORT || test->field == FIELD_ROUTE)
		return look_at_mapped_name(look, test);
	if (len >= FOLD_NAME_SIZE || (len == 0 && !test->prefix))
		return false;
	if (test->prefix) { /* "+" is every interface, and so tests nothing */
		if (prefix[0] != '\0')
			return false;
		memcpy(prefix, test->ifname ? test->ifname : "", len);
		return true;
	}
	memcpy(cell.value, test->ifname, len);
	memset(cell.part.mask, 0xff, FOLD_NAME_SIZE);
	return add_cell(look, &cell);
}

/* A key of one such name is fine: rules that test nothing else fold, too. */
static bool
use_name_as_key(struct looking *look, enum field field, char name[FOLD_NAME_SIZE])
{
	struct cell cell = { .part.field = field };
	size_t len = strlen(name);

	if (len == 0 || name[len - 1] == '+')
		return false;
	memcpy(cell.value, name, len);
	memset(cell.part.mask, 0xff, FOLD_NAME_SIZE);
	memset(name, 0, FOLD_NAME_SIZE);
	return add_cell(look, &cell);
}

static bool
has_key(struct looking *look)
{
	struct fold_shape *shape = look->shape;

	return shape->n_parts > 0 ||
	       use_name_as_key(look, FIELD_PORT, shape->port_name) ||
	       use_name_as_key(look, FIELD_ROUTE, shape->route_name);
}

static bool
look_at_field(struct looking *look, const struct ruleset_test *test)
{
	struct nft_encoding enc = { nft_field(test->field),
		field_info(test->field)->size, false };
	struct cell cell = { .part.field = test->field };
	struct nft_cell lo, hi, mask;

	if (test->n_ranges != 1 || !can_be_part(test->field))
		return false;
	lo = nft_field_cell(&enc, test->ranges->lo);
	hi = nft_field_cell(&enc, test->ranges->hi);
	if (!nft_field_prefix(&lo, &hi, enc.at->len, &mask))
		return false;
	if (test->has_mask) {
		if (memcmp(&lo, &hi, sizeof(lo)) != 0)
			return false;
		mask = nft_field_cell(&enc, test->mask);
	}
	memcpy(cell.part.mask, mask.bytes, enc.at->len);
	memcpy(cell.value, lo.bytes, enc.at->len);
	return add_cell(look, &cell);
}

static bool
is_single_value(const struct ruleset_test *test)
{
	return test->n_ranges == 1 && !test->has_mask &&
	       memcmp(test->ranges->lo, test->ranges->hi,
		       field_info(test->field)->size) == 0;
}

static bool
look_at_test(struct looking *look, const struct ruleset_test *test)
{
	struct fold_shape *shape = look->shape;

	if (test->negate)
		return false;
	if (fold_is_name(test->field))
		return look_at_name(look, test);
	if (test->field == FIELD_L3PROTO) {
		if (!is_single_value(test) || shape->l3proto != 0)
			return false;
		shape->l3proto =
			(uint16_t)(test->ranges->lo[0] << 8 | test->ranges->lo[1]);
		/* inet knows no others; the emitter says so in its own words. */
		return base_info(place_base(shape->place))->family == NFPROTO_BRIDGE ||
		       shape->l3proto == ETH_P_IP || shape->l3proto == ETH_P_IPV6;
	}
	if (test->field == FIELD_L4PROTO) {
		if (!is_single_value(test) || shape->l4proto != FOLD_L4PROTO_NONE)
			return false;
		shape->l4proto = test->ranges->lo[0];
		return true;
	}
	return look_at_field(look, test);
}

static bool
only_counts_and_drops(const struct ruleset_rule *rule, size_t first)
{
	return rule->n_terms == first + 2 && rule->terms[first].kind == TERM_COUNTER &&
	       rule->terms[first + 1].kind == TERM_VERDICT &&
	       rule->terms[first + 1].verdict == RULESET_VERDICT_DROP;
}

bool
fold_rule(const struct ruleset_rule *rule, struct fold_shape *ret_shape,
	struct fold_key *ret_key)
{
	struct looking look = { .shape = ret_shape };
	size_t n_tests = 0;

	*ret_shape = (struct fold_shape){
		.place = rule->place,
		.l4proto = FOLD_L4PROTO_NONE,
	};
	*ret_key = (struct fold_key){ 0 };
	for (; n_tests < rule->n_terms; n_tests++) {
		const struct ruleset_term *term = &rule->terms[n_tests];

		if (term->kind != TERM_TEST)
			break;
		if (!look_at_test(&look, &term->test))
			return false;
	}
	if (!only_counts_and_drops(rule, n_tests) || !has_key(&look))
		return false;
	for (size_t i = 0; i < ret_shape->n_parts; i++)
		ret_shape->parts[i] = look.cells[i].part;
	if (fold_key_len(ret_shape) > FOLD_KEY_MAX)
		return false;
	for (size_t i = 0; i < ret_shape->n_parts; i++) {
		memcpy(ret_key->bytes + ret_key->len, look.cells[i].value,
			fold_part_len(ret_shape->parts[i].field));
		ret_key->len += room_of(ret_shape, i);
	}
	return true;
}

bool
fold_place(const struct ruleset_file *file, enum place place)
{
	struct fold_shape shape;
	struct fold_key key;

	for (size_t i = 0; i < file->count[place]; i++)
		if (!fold_rule(&file->rules[file->first[place] + i], &shape, &key))
			return false;
	return file->count[place] > 0;
}

static bool
rule_divides(const struct ruleset_rule *rule)
{
	for (size_t i = 0; i < rule->n_terms; i++)
		if (rule->terms[i].kind != TERM_TEST)
			return !only_counts_and_drops(rule, i);
	return true;
}

bool
fold_divides(const struct ruleset_file *file, enum place place)
{
	for (size_t i = 0; i < file->count[place]; i++)
		if (rule_divides(&file->rules[file->first[place] + i]))
			return true;
	return false;
}

/* ---- sets ---- */

uint64_t
fold_shape_hash(const struct fold_shape *shape)
{
	struct hash h;

	hash_init(&h);
	hash_add_u64(&h, shape->place);
	hash_add_u64(&h, shape->l3proto);
	hash_add_u64(&h, (uint64_t)(shape->l4proto + 1));
	hash_add_text(&h, shape->in_prefix);
	hash_add_text(&h, shape->out_prefix);
	hash_add_text(&h, shape->port_name);
	hash_add_text(&h, shape->route_name);
	for (size_t i = 0; i < shape->n_parts; i++) {
		const struct fold_part *part = &shape->parts[i];

		hash_add_text(&h, field_info(part->field)->name);
		hash_add(&h, part->mask, fold_part_len(part->field));
	}
	return hash_value(&h).w[0];
}

static void
put_prefix(struct wbuf *w, const char *prefix)
{
	wbuf_put_u8(w, (uint8_t)strlen(prefix));
	wbuf_put_bytes(w, prefix, strlen(prefix));
}

static bool
get_prefix(struct rbuf *r, char ret[FOLD_NAME_SIZE])
{
	uint8_t len = rbuf_get_u8(r);
	const uint8_t *text = len < FOLD_NAME_SIZE ? rbuf_get_bytes(r, len) : NULL;

	if (!text || memchr(text, '\0', len))
		return false;
	memcpy(ret, text, len);
	return true;
}

/* Value of SHAPE_TYPE: EtherType (2 bytes), transport protocol + 1 (2), the four
 * prefixes (1 byte of length each, then the text), and for each part its field (1) and
 * its mask. */
void
fold_shape_encode(const struct fold_shape *shape, struct nft_udata *ret)
{
	uint8_t bytes[4 + 4 * FOLD_NAME_SIZE + FOLD_PARTS_MAX * (1 + FIELD_SIZE_MAX)];
	uint32_t order = NFT_KEY_ORDER_BIG;
	struct wbuf w;

	wbuf_init(&w, bytes, sizeof(bytes));
	wbuf_put_be16(&w, shape->l3proto);
	wbuf_put_be16(&w, (uint16_t)(shape->l4proto + 1));
	put_prefix(&w, shape->in_prefix);
	put_prefix(&w, shape->out_prefix);
	put_prefix(&w, shape->port_name);
	put_prefix(&w, shape->route_name);
	for (size_t i = 0; i < shape->n_parts; i++) {
		wbuf_put_u8(&w, (uint8_t)shape->parts[i].field);
		wbuf_put_bytes(
			&w, shape->parts[i].mask, fold_part_len(shape->parts[i].field));
	}
	nft_udata_init(ret);
	/* Both fit into empty user data. */
	(void)nft_udata_put(ret, NFT_UDATA_KEY_ORDER, &order, sizeof(order));
	(void)nft_udata_put(ret, SHAPE_TYPE, bytes, w.len);
}

static bool
decode_part(struct rbuf *r, struct fold_part *ret)
{
	const uint8_t *mask;

	*ret = (struct fold_part){ .field = (enum field)rbuf_get_u8(r) };
	if (!rbuf_ok(r) || ret->field >= FIELD_COUNT || !can_be_part(ret->field))
		return false;
	mask = rbuf_get_bytes(r, fold_part_len(ret->field));
	if (!mask)
		return false;
	memcpy(ret->mask, mask, fold_part_len(ret->field));
	return !fold_is_name(ret->field) || fold_part_is_whole(ret);
}

/* Beside others, where none of ours is. */
static bool
has_mapped_name_in_key(const struct fold_shape *shape)
{
	for (size_t i = 0; i < shape->n_parts && shape->n_parts > 1; i++)
		if (shape->parts[i].field == FIELD_PORT ||
			shape->parts[i].field == FIELD_ROUTE)
			return true;
	return false;
}

bool
fold_shape_decode(struct nft_blob udata, enum place place, struct fold_shape *ret)
{
	size_t len = 0;
	const uint8_t *bytes = nft_udata_find(udata.data, udata.len, SHAPE_TYPE, &len);
	struct fold_shape shape = { .place = place };
	struct rbuf r;

	if (!bytes)
		return false;
	rbuf_init(&r, bytes, len);
	shape.l3proto = rbuf_get_be16(&r);
	shape.l4proto = rbuf_get_be16(&r) - 1;
	if (!get_prefix(&r, shape.in_prefix) || !get_prefix(&r, shape.out_prefix) ||
		!get_prefix(&r, shape.port_name) || !get_prefix(&r, shape.route_name))
		return false;
	while (rbuf_ok(&r) && rbuf_left(&r) > 0) {
		if (shape.n_parts == FOLD_PARTS_MAX ||
			!decode_part(&r, &shape.parts[shape.n_parts]))
			return false;
		shape.n_parts++;
	}
	if (!rbuf_ok(&r) || shape.n_parts == 0 || has_mapped_name_in_key(&shape) ||
		shape.l4proto > UINT8_MAX || fold_key_len(&shape) > FOLD_KEY_MAX)
		return false;
	*ret = shape;
	return true;
}

uint32_t
fold_key_type(const struct fold_shape *shape)
{
	uint32_t type = 0;

	for (size_t i = 0; i < shape->n_parts; i++) {
		enum field field = shape->parts[i].field;
		uint32_t one = fold_is_name(field) ? (uint32_t)TYPE_NAME
						   : (uint32_t)nft_field(field)->type;

		type = type << TYPE_BITS | one;
	}
	return type;
}

/* ---- names ---- */

void
fold_set_name(char buf[FOLD_SET_NAME_SIZE], const struct fold_name *name)
{
	snprintf(buf, FOLD_SET_NAME_SIZE, "%s%s.%" PRIu32 ".%016" PRIx64,
		place_group(name->place) == PLACE_GROUP_EB ? eb_prefix : "",
		base_info(place_base(name->place))->name, name->run, name->shape);
}

static bool
read_hash(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < HASH_DIGITS; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret = value;
	return text[HASH_DIGITS] == '\0';
}

static bool
find_place(uint8_t family, const char *name, size_t len, enum place *ret)
{
	enum place_group group = PLACE_GROUP_IP;

	if (strncmp(name, eb_prefix, strlen(eb_prefix)) == 0) {
		group = PLACE_GROUP_EB;
		name += strlen(eb_prefix);
		len -= strlen(eb_prefix);
	}
	for (int base = 0; base < BASE_COUNT; base++) {
		const struct base_info *info = base_info((enum base)base);

		if (info->family == family && strlen(info->name) == len &&
			memcmp(info->name, name, len) == 0) {
			*ret = place_make((enum base)base, group);
			return true;
		}
	}
	return false;
}

bool
fold_set_parse(uint8_t family, const char *name, struct fold_name *ret)
{
	const char *dot = strchr(name, '.');
	const char *hash = dot ? strchr(dot + 1, '.') : NULL;
	struct fold_name found;
	char number[16];
	uint64_t run;

	if (!hash || (size_t)(hash - dot) > sizeof(number))
		return false;
	memcpy(number, dot + 1, (size_t)(hash - dot - 1));
	number[hash - dot - 1] = '\0';
	if (!find_place(family, name, (size_t)(dot - name), &found.place) ||
		parse_u64(number, 0, FOLD_RUN_MAX, &run) < 0 ||
		!read_hash(hash + 1, &found.shape))
		return false;
	found.run = (uint32_t)run;
	*ret = found;
	return true;
}
