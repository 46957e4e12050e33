/*
 * bridge_links.c - a dump of all links, and which of them stand on which; see
 * bridge_links.h. The attributes are those of linux/if_link.h.
 */
#include "aclserver/bridge_links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "common/nl_attr.h"

enum {
	KIND_SIZE = 16,
	STACK_MAX = 8, /* devices on one another; the kernel has the same limit */
};

enum kind { KIND_OTHER, KIND_BRIDGE, KIND_VLAN };

struct link {
	uint32_t index;
	uint32_t below; /* the device that it stands on; 0 = none here */
	enum kind kind;
};

struct reading {
	struct link *links; /* by number; owned */
	size_t n, size;
};

/* ---- links ---- */

static enum kind
kind_of(const struct nlattr *info)
{
	static const struct nlattr_rule rules[] = {
		[IFLA_INFO_KIND] = { NLATTR_STRING, KIND_SIZE },
	};
	const struct nlattr *attrs[IFLA_INFO_KIND + 1];
	char kind[KIND_SIZE + 1];

	if (!info || nlattr_parse_nested(info, rules, IFLA_INFO_KIND + 1, attrs) < 0 ||
		!attrs[IFLA_INFO_KIND])
		return KIND_OTHER;
	nlattr_string(attrs[IFLA_INFO_KIND], kind, sizeof(kind));
	if (strcmp(kind, "bridge") == 0)
		return KIND_BRIDGE;
	return strcmp(kind, "vlan") == 0 ? KIND_VLAN : KIND_OTHER;
}

static int
add_link(struct reading *reading, const struct link *link)
{
	if (reading->n == reading->size) {
		size_t size = reading->size ? 2 * reading->size : 64;
		struct link *grown = reallocarray(reading->links, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		reading->links = grown;
		reading->size = size;
	}
	reading->links[reading->n++] = *link;
	return 0;
}

static int
on_link(const struct nlmsghdr *h, void *user_data)
{
	static const struct nlattr_rule rules[] = {
		[IFLA_LINK] = { NLATTR_U32, 0 },
		[IFLA_LINKINFO] = { NLATTR_NESTED, 0 },
		[IFLA_LINK_NETNSID] = { NLATTR_U32, 0 },
	};
	const struct nlattr *attrs[IFLA_LINK_NETNSID + 1];
	struct ifinfomsg info;
	struct link link;
	const void *data;
	size_t len;

	data = netlink_attrs(h, sizeof(info), &len);
	if (h->nlmsg_type != RTM_NEWLINK || !data)
		return 0;
	memcpy(&info, NLMSG_DATA(h), sizeof(info));
	if (nlattr_parse(data, len, rules, IFLA_LINK_NETNSID + 1, attrs) < 0)
		return -EBADMSG;
	link = (struct link){ .index = (uint32_t)info.ifi_index,
		.kind = kind_of(attrs[IFLA_LINKINFO]) };
	/* What it stands on may be in another namespace. */
	if (attrs[IFLA_LINK] && !attrs[IFLA_LINK_NETNSID])
		link.below = nlattr_u32(attrs[IFLA_LINK]);
	return add_link(user_data, &link);
}

static int
compare_link(const void *a, const void *b)
{
	uint32_t x = ((const struct link *)a)->index;
	uint32_t y = ((const struct link *)b)->index;

	return x < y ? -1 : x > y;
}

static int
read_links(struct netlink *nl, struct reading *reading, struct err *err)
{
	const struct rtgenmsg any = { 0 };
	struct nlbuild request;
	_Alignas(4) uint8_t buf[64];

	nlbuild_init(&request, buf, sizeof(buf));
	nlbuild_begin(&request, RTM_GETLINK, NLM_F_DUMP, &any, sizeof(any));
	return netlink_dump(nl, &request, on_link, reading, err);
}

/* ---- VLAN devices ---- */

static bool
is_on_bridge(const struct reading *reading, const struct link *link)
{
	for (int depth = 0; link && depth < STACK_MAX; depth++) {
		const struct link key = { .index = link->below };

		if (link->kind != KIND_VLAN)
			return link->kind == KIND_BRIDGE;
		link = bsearch(
			&key, reading->links, reading->n, sizeof(key), compare_link);
	}
	return false;
}

static int
pick_vlans(struct reading *reading, struct bridge_links *ret)
{
	uint32_t *vlans = calloc(reading->n + 1, sizeof(*vlans));
	size_t n = 0;

	if (!vlans)
		return -ENOMEM;
	if (reading->n > 1)
		qsort(reading->links, reading->n, sizeof(*reading->links),
			compare_link);
	for (size_t i = 0; i < reading->n; i++) {
		const struct link *link = &reading->links[i];

		if (link->kind != KIND_VLAN || !is_on_bridge(reading, link))
			continue;
		/* A dump that began anew may have shown a link twice. */
		if (n == 0 || vlans[n - 1] != link->index)
			vlans[n++] = link->index;
	}
	bridge_links_done(ret);
	*ret = (struct bridge_links){ vlans, n };
	return 0;
}

int
bridge_links_read(struct netlink *nl, struct bridge_links *ret, struct err *err)
{
	struct reading reading = { 0 };
	int r = read_links(nl, &reading, err);

	if (r == 0) {
		r = pick_vlans(&reading, ret);
		if (r < 0)
			err_set(err, r, "out of memory");
	}
	free(reading.links);
	return r;
}

void
bridge_links_done(struct bridge_links *links)
{
	free(links->vlans);
	*links = (struct bridge_links){ 0 };
}

bool
bridge_links_equal(const struct bridge_links *a, const struct bridge_links *b)
{
	return a->n == b->n &&
	       (a->n == 0 || memcmp(a->vlans, b->vlans, a->n * sizeof(*a->vlans)) == 0);
}
