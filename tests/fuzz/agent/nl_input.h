/*
 * nl_input.h - any bytes as a netlink message: a header whose length is right, as the
 * receiver has checked it, and the rest as it comes.
 */
#pragma once

#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* NULL if there are too few bytes; to be freed. */
static inline struct nlmsghdr *
nl_input(const uint8_t *data, size_t size)
{
	struct nlmsghdr *h;

	if (size < sizeof(*h) || size > UINT16_MAX)
		return NULL;
	h = malloc(size);
	if (!h)
		return NULL;
	memcpy(h, data, size);
	h->nlmsg_len = (uint32_t)size;
	return h;
}
