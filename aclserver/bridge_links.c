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
	uint32_t below;  /* the device that it stands on; 0 = none here */
	uint32_t master; /* the bond or team that it is a member of; 0 = none */
	enum kind kind;
	char name[LINK_NAME_SIZE];
};

struct reading {
	struct link *links; /* by number; owned */
	size_t n, size;
};

/* ---- links ---- */

/* Kind of the link itself, and whether its master is a bond or a team. */
static enum kind
kind_of(const struct nlattr *info, bool *ret_is_member)
{
	static const struct nlattr_rule rules[] = {
		[IFLA_INFO_KIND] = { NLATTR_STRING, KIND_SIZE },
		[IFLA_INFO_SLAVE_KIND] = { NLATTR_STRING, KIND_SIZE },
	};
	const struct nlattr *attrs[IFLA_INFO_SLAVE_KIND + 1];
	char kind[KIND_SIZE + 1] = "", slave[KIND_SIZE + 1] = "";

	*ret_is_member = false;
	if (!info ||
		nlattr_parse_nested(info, rules, IFLA_INFO_SLAVE_KIND + 1, attrs) < 0)
		return KIND_OTHER;
	if (attrs[IFLA_INFO_KIND])
		nlattr_string(attrs[IFLA_INFO_KIND], kind, sizeof(kind));
	if (attrs[IFLA_INFO_SLAVE_KIND])
		nlattr_string(attrs[IFLA_INFO_SLAVE_KIND], slave, sizeof(slave));
	*ret_is_member = strcmp(slave, "bond") == 0 || strcmp(slave, "team") == 0;
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
		[IFLA_IFNAME] = { NLATTR_STRING, LINK_NAME_SIZE },
		[IFLA_LINK] = { NLATTR_U32, 0 },
		[IFLA_MASTER] = { NLATTR_U32, 0 },
		[IFLA_LINKINFO] = { NLATTR_NESTED, 0 },
		[IFLA_LINK_NETNSID] = { NLATTR_U32, 0 },
	};
	const struct nlattr *attrs[IFLA_LINK_NETNSID + 1];
	struct ifinfomsg info;
	struct link link;
	const void *data;
	bool is_member;
	size_t len;

	data = netlink_attrs(h, sizeof(info), &len);
	if (h->nlmsg_type != RTM_NEWLINK || !data)
		return 0;
	memcpy(&info, NLMSG_DATA(h), sizeof(info));
	if (nlattr_parse(data, len, rules, IFLA_LINK_NETNSID + 1, attrs) < 0)
		return -EBADMSG;
	link = (struct link){ .index = (uint32_t)info.ifi_index,
		.kind = kind_of(attrs[IFLA_LINKINFO], &is_member) };
	if (attrs[IFLA_IFNAME])
		nlattr_string(attrs[IFLA_IFNAME], link.name, sizeof(link.name));
	if (is_member && attrs[IFLA_MASTER])
		link.master = nlattr_u32(attrs[IFLA_MASTER]);
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

static const struct link *
find_link(const struct reading *reading, uint32_t index)
{
	const struct link key = { .index = index };

	return bsearch(&key, reading->links, reading->n, sizeof(key), compare_link);
}

static bool
is_on_bridge(const struct reading *reading, const struct link *link)
{
	for (int depth = 0; link && depth < STACK_MAX; depth++) {
		if (link->kind != KIND_VLAN)
			return link->kind == KIND_BRIDGE;
		link = find_link(reading, link->below);
	}
	return false;
}

static int
pick_vlans(const struct reading *reading, struct bridge_links *ret)
{
	ret->vlans = calloc(reading->n + 1, sizeof(*ret->vlans));
	if (!ret->vlans)
		return -ENOMEM;
	for (size_t i = 0; i < reading->n; i++) {
		const struct link *link = &reading->links[i];

		if (link->kind == KIND_VLAN && is_on_bridge(reading, link))
			ret->vlans[ret->n++] = link->index;
	}
	return 0;
}

/* ---- members ---- */

static int
compare_member(const void *a, const void *b)
{
	return strcmp(((const struct link_member *)a)->name,
		((const struct link_member *)b)->name);
}

static int
pick_members(const struct reading *reading, struct bridge_links *ret)
{
	ret->members = calloc(reading->n + 1, sizeof(*ret->members));
	if (!ret->members)
		return -ENOMEM;
	for (size_t i = 0; i < reading->n; i++) {
		const struct link *link = &reading->links[i];
		const struct link *bond =
			link->master ? find_link(reading, link->master) : NULL;
		struct link_member *member = &ret->members[ret->n_members];

		if (!bond)
			continue;
		memcpy(member->name, link->name, sizeof(member->name));
		memcpy(member->bond, bond->name, sizeof(member->bond));
		ret->n_members++;
	}
	qsort(ret->members, ret->n_members, sizeof(*ret->members), compare_member);
	return 0;
}

/* ---- all ---- */

/* By number; a dump that began anew may have shown a link twice. */
static void
sort_links(struct reading *reading)
{
	size_t kept = 0;

	if (reading->n > 1)
		qsort(reading->links, reading->n, sizeof(*reading->links),
			compare_link);
	for (size_t i = 0; i < reading->n; i++)
		if (kept == 0 ||
			reading->links[kept - 1].index != reading->links[i].index)
			reading->links[kept++] = reading->links[i];
	reading->n = kept;
}

static int
pick(struct reading *reading, struct bridge_links *ret)
{
	struct bridge_links fresh = { 0 };
	int r;

	sort_links(reading);
	r = pick_vlans(reading, &fresh);
	if (r == 0)
		r = pick_members(reading, &fresh);
	if (r < 0) {
		bridge_links_done(&fresh);
		return r;
	}
	bridge_links_done(ret);
	*ret = fresh;
	return 0;
}

int
bridge_links_read(struct netlink *nl, struct bridge_links *ret, struct err *err)
{
	struct reading reading = { 0 };
	int r = read_links(nl, &reading, err);

	if (r == 0) {
		r = pick(&reading, ret);
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
	free(links->members);
	*links = (struct bridge_links){ 0 };
}

const struct link_member *
bridge_links_member(const struct bridge_links *links, const char *name)
{
	struct link_member key = { 0 };

	if (links->n_members == 0 || strlen(name) >= sizeof(key.name))
		return NULL;
	memcpy(key.name, name, strlen(name));
	return bsearch(
		&key, links->members, links->n_members, sizeof(key), compare_member);
}

bool
bridge_links_equal(const struct bridge_links *a, const struct bridge_links *b)
{
	return a->n == b->n &&
	       (a->n == 0 || memcmp(a->vlans, b->vlans, a->n * sizeof(*a->vlans)) == 0);
}
