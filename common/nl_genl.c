/*
 * nl_genl.c - numbers of generic netlink families and their multicast groups.
 * (linux/genetlink.h, CTRL_CMD_GETFAMILY)
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "common/nl.h"
#include "common/nl_attr.h"

/* What is asked of a family, and found. */
struct family {
	const char *group; /* wanted group; NULL = none */
	uint16_t id;
	uint32_t group_id; /* 0 = there is no such group */
};

/* One group: its number if it is the wanted one, else 0. */
static uint32_t
match_group(const struct nlattr *entry, const char *wanted)
{
	static const struct nlattr_rule rules[] = {
		[CTRL_ATTR_MCAST_GRP_NAME] = { NLATTR_STRING, GENL_NAMSIZ },
		[CTRL_ATTR_MCAST_GRP_ID] = { NLATTR_U32 },
	};
	const struct nlattr *attrs[CTRL_ATTR_MCAST_GRP_ID + 1];
	char name[GENL_NAMSIZ + 1];

	if (nlattr_parse_nested(entry, rules, CTRL_ATTR_MCAST_GRP_ID + 1, attrs) < 0 ||
		!attrs[CTRL_ATTR_MCAST_GRP_NAME] || !attrs[CTRL_ATTR_MCAST_GRP_ID])
		return 0;
	nlattr_string(attrs[CTRL_ATTR_MCAST_GRP_NAME], name, sizeof(name));
	return strcmp(name, wanted) == 0 ? nlattr_u32(attrs[CTRL_ATTR_MCAST_GRP_ID])
					 : 0;
}

static void
find_group(struct family *f, const struct nlattr *groups)
{
	const struct nlattr *entry;
	struct nlattr_iter it;

	nlattr_iter_init(&it, nlattr_data(groups), nlattr_len(groups));
	while (f->group_id == 0 && (entry = nlattr_iter_next(&it)))
		f->group_id = match_group(entry, f->group);
}

static int
on_family(const struct nlmsghdr *h, void *user_data)
{
	static const struct nlattr_rule rules[] = {
		[CTRL_ATTR_FAMILY_ID] = { NLATTR_U16 },
		[CTRL_ATTR_MCAST_GROUPS] = { NLATTR_NESTED },
	};
	const struct nlattr *attrs[CTRL_ATTR_MCAST_GROUPS + 1];
	struct family *f = user_data;
	const void *data;
	size_t len;

	data = netlink_attrs(h, GENL_HDRLEN, &len);
	if (!data ||
		nlattr_parse(data, len, rules, CTRL_ATTR_MCAST_GROUPS + 1, attrs) < 0 ||
		!attrs[CTRL_ATTR_FAMILY_ID])
		return -EBADMSG;
	f->id = nlattr_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	if (f->group && attrs[CTRL_ATTR_MCAST_GROUPS])
		find_group(f, attrs[CTRL_ATTR_MCAST_GROUPS]);
	return 0;
}

static int
ask(struct netlink *nl, const char *name, struct family *f, struct err *err)
{
	_Alignas(4) uint8_t memory[128];
	struct nlbuild b;
	int rc;

	nlbuild_init(&b, memory, sizeof(memory));
	nlbuild_begin_genl(&b, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	nlbuild_put_string(&b, CTRL_ATTR_FAMILY_NAME, name);
	rc = netlink_request(nl, &b, on_family, f, err);
	if (rc < 0)
		(void)err_prefix(err, "generic netlink family %s", name);
	return rc;
}

int
netlink_family(struct netlink *nl, const char *name, uint16_t *ret_id, struct err *err)
{
	struct family f = { .group = NULL };
	int rc = ask(nl, name, &f, err);

	if (rc == 0)
		*ret_id = f.id;
	return rc;
}

int
netlink_group(struct netlink *nl, const char *family, const char *group,
	uint32_t *ret_group, struct err *err)
{
	struct family f = { .group = group };
	int rc = ask(nl, family, &f, err);

	if (rc < 0)
		return rc;
	if (f.group_id == 0)
		return err_set(err, -ENOENT,
			"generic netlink family %s: it has no group %s", family, group);
	*ret_group = f.group_id;
	return 0;
}
