/*
 * nl_attr.c - netlink attributes: bytes to values.
 *
 * Written against linux/netlink.h and not with libnl's nla_parse(), because that takes
 * no notice of duplicates, and a call into a library for each attribute would be felt
 * in the packet path.
 */
#include "common/nl_attr.h"

#include <errno.h>
#include <string.h>

/* Copied out, so that a message may lie at any address. */
static struct nlattr
header_of(const struct nlattr *a)
{
	struct nlattr header;

	memcpy(&header, a, sizeof(header));
	return header;
}

uint16_t
nlattr_type(const struct nlattr *a)
{
	return header_of(a).nla_type & NLA_TYPE_MASK;
}

const void *
nlattr_data(const struct nlattr *a)
{
	return (const uint8_t *)a + NLA_HDRLEN;
}

size_t
nlattr_len(const struct nlattr *a)
{
	return header_of(a).nla_len - (size_t)NLA_HDRLEN;
}

void
nlattr_iter_init(struct nlattr_iter *it, const void *data, size_t len)
{
	*it = (struct nlattr_iter){ .next = data, .left = len };
}

const struct nlattr *
nlattr_iter_next(struct nlattr_iter *it)
{
	const struct nlattr *a = (const struct nlattr *)it->next;
	size_t len, step;

	if (it->left == 0 || it->failed)
		return NULL;
	len = it->left < sizeof(*a) ? 0 : header_of(a).nla_len;
	if (len < NLA_HDRLEN || len > it->left) {
		it->failed = true;
		return NULL;
	}
	/* The last one may come without its padding. */
	step = NLA_ALIGN(len) < it->left ? NLA_ALIGN(len) : it->left;
	it->next += step;
	it->left -= step;
	return a;
}

static bool
fits(const struct nlattr *a, const struct nlattr_rule *rule)
{
	static const size_t sizes[] = {
		[NLATTR_U8] = 1,
		[NLATTR_U16] = 2,
		[NLATTR_U32] = 4,
		[NLATTR_U64] = 8,
	};
	size_t len = nlattr_len(a);

	switch (rule->kind) {
	case NLATTR_U8:
	case NLATTR_U16:
	case NLATTR_U32:
	case NLATTR_U64:
		return len >= sizes[rule->kind];
	case NLATTR_STRING:
		return strnlen(nlattr_data(a), len) <= rule->size;
	case NLATTR_BINARY:
		return len >= rule->size;
	case NLATTR_SKIP:
	case NLATTR_NESTED:
	case NLATTR_FLAG:
		return true;
	}
	return false;
}

int
nlattr_parse(const void *data, size_t len, const struct nlattr_rule *rules,
	size_t n_rules, const struct nlattr **ret_attrs)
{
	const struct nlattr *a;
	struct nlattr_iter it;

	memset(ret_attrs, 0, n_rules * sizeof(*ret_attrs));
	nlattr_iter_init(&it, data, len);
	while ((a = nlattr_iter_next(&it))) {
		uint16_t type = nlattr_type(a);

		if (type >= n_rules || rules[type].kind == NLATTR_SKIP)
			continue;
		if (ret_attrs[type] || !fits(a, &rules[type]))
			return -EBADMSG;
		ret_attrs[type] = a;
	}
	return it.failed ? -EBADMSG : 0;
}

int
nlattr_parse_nested(const struct nlattr *parent, const struct nlattr_rule *rules,
	size_t n_rules, const struct nlattr **ret_attrs)
{
	return nlattr_parse(
		nlattr_data(parent), nlattr_len(parent), rules, n_rules, ret_attrs);
}

/* The first @size bytes of the payload to @ret, or nothing. */
static void
read_number(const struct nlattr *a, void *ret, size_t size)
{
	if (nlattr_len(a) >= size)
		memcpy(ret, nlattr_data(a), size);
}

uint8_t
nlattr_u8(const struct nlattr *a)
{
	uint8_t v = 0;

	read_number(a, &v, sizeof(v));
	return v;
}

uint16_t
nlattr_u16(const struct nlattr *a)
{
	uint16_t v = 0;

	read_number(a, &v, sizeof(v));
	return v;
}

uint32_t
nlattr_u32(const struct nlattr *a)
{
	uint32_t v = 0;

	read_number(a, &v, sizeof(v));
	return v;
}

uint64_t
nlattr_u64(const struct nlattr *a)
{
	uint64_t v = 0;

	read_number(a, &v, sizeof(v));
	return v;
}

void
nlattr_string(const struct nlattr *a, char *ret, size_t size)
{
	size_t len = strnlen(nlattr_data(a), nlattr_len(a));

	if (len >= size)
		len = size - 1;
	memcpy(ret, nlattr_data(a), len);
	ret[len] = '\0';
}
