/*
 * nl_message.h - makes the netlink messages that tests of decoders read.
 */
#pragma once

#include <linux/genetlink.h>
#include <string.h>

#include "common/nl_build.h"

struct nl_message {
	_Alignas(8) uint8_t data[4096];
	struct nlbuild b;
};

/* Begin a message with its family's header of @len bytes. */
static inline void
nl_message_begin(struct nl_message *m, uint16_t type, const void *header, size_t len)
{
	nlbuild_init(&m->b, m->data, sizeof(m->data));
	nlbuild_begin(&m->b, type, 0, header, len);
}

static inline const struct nlmsghdr *
nl_message_header(const struct nl_message *m)
{
	return (const struct nlmsghdr *)m->data;
}

/* The message cut to @len bytes in memory of just that size; to be freed. */
static inline struct nlmsghdr *
nl_message_cut(const struct nl_message *m, size_t len)
{
	struct nlmsghdr *h = malloc(len);

	assert_non_null(h);
	memcpy(h, m->data, len);
	h->nlmsg_len = (uint32_t)len;
	return h;
}
