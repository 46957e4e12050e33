/*
 * nl_build.c - netlink requests: values to bytes.
 */
#include "common/nl_build.h"

#include <linux/genetlink.h>
#include <string.h>

void
nlbuild_init(struct nlbuild *b, void *data, size_t size)
{
	*b = (struct nlbuild){ .data = data, .size = size };
}

/* Room for @len bytes and their padding, which is zeroed; NULL if there is none. */
static uint8_t *
reserve(struct nlbuild *b, size_t len)
{
	uint8_t *at = b->data + b->len;
	struct nlmsghdr *h;

	if (len > b->size || NLMSG_ALIGN(len) > b->size - b->len)
		b->overflow = true;
	if (b->overflow)
		return NULL;
	memset(at, 0, NLMSG_ALIGN(len));
	b->len += NLMSG_ALIGN(len);
	h = (struct nlmsghdr *)(b->data + b->start);
	h->nlmsg_len = (uint32_t)(b->len - b->start);
	return at;
}

void
nlbuild_begin(struct nlbuild *b, uint16_t type, uint16_t flags, const void *header,
	size_t len)
{
	struct nlmsghdr h = { .nlmsg_type = type,
		.nlmsg_flags = flags | NLM_F_REQUEST };
	uint8_t *at;

	/* Both at once, so that a message is never begun by half. */
	if (len > b->size || NLMSG_SPACE(len) > b->size - b->len)
		b->overflow = true;
	if (b->overflow)
		return;
	b->start = b->len;
	h.nlmsg_len = NLMSG_HDRLEN;
	memcpy(b->data + b->len, &h, sizeof(h));
	b->len += NLMSG_HDRLEN;
	b->n_msgs++;
	at = reserve(b, len);
	if (at && len > 0)
		memcpy(at, header, len);
}

void
nlbuild_begin_genl(struct nlbuild *b, uint16_t family, uint16_t flags, uint8_t cmd,
	uint8_t version)
{
	struct genlmsghdr header = { .cmd = cmd, .version = version };

	nlbuild_begin(b, family, flags, &header, sizeof(header));
}

void
nlbuild_put(struct nlbuild *b, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_type = type };
	uint8_t *at;

	if (len > UINT16_MAX - NLA_HDRLEN) {
		b->overflow = true;
		return;
	}
	at = reserve(b, NLA_HDRLEN + len);
	if (!at)
		return;
	a.nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy(at, &a, sizeof(a));
	if (len)
		memcpy(at + NLA_HDRLEN, data, len);
}

void
nlbuild_put_u8(struct nlbuild *b, uint16_t type, uint8_t v)
{
	nlbuild_put(b, type, &v, sizeof(v));
}

void
nlbuild_put_u16(struct nlbuild *b, uint16_t type, uint16_t v)
{
	nlbuild_put(b, type, &v, sizeof(v));
}

void
nlbuild_put_u32(struct nlbuild *b, uint16_t type, uint32_t v)
{
	nlbuild_put(b, type, &v, sizeof(v));
}

void
nlbuild_put_u64(struct nlbuild *b, uint16_t type, uint64_t v)
{
	nlbuild_put(b, type, &v, sizeof(v));
}

void
nlbuild_put_string(struct nlbuild *b, uint16_t type, const char *v)
{
	nlbuild_put(b, type, v, strlen(v) + 1);
}

size_t
nlbuild_nest(struct nlbuild *b, uint16_t type)
{
	size_t at = b->len;

	nlbuild_put(b, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void
nlbuild_end_nest(struct nlbuild *b, size_t at)
{
	struct nlattr a;

	if (b->overflow)
		return;
	if (b->len - at > UINT16_MAX) {
		b->overflow = true;
		return;
	}
	memcpy(&a, b->data + at, sizeof(a));
	a.nla_len = (uint16_t)(b->len - at);
	memcpy(b->data + at, &a, sizeof(a));
}
