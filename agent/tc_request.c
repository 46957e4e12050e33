/*
 * tc_request.c - requests to the kernel's traffic control; see tc_request.h.
 */
#include "agent/tc_request.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_BUFFER(name)                                                           \
	uint8_t name[TC_MSG_REQUEST_BYTES] __attribute__((aligned(8)))

struct netlink *
tc_request_open(struct err *err)
{
	const struct netlink_options options = { .protocol = NETLINK_ROUTE };

	return netlink_open(&options, err);
}

static void
begin(struct nlbuild *b, uint8_t *buffer)
{
	nlbuild_init(b, buffer, TC_MSG_REQUEST_BYTES);
}

int
tc_request_add(struct netlink *nl, const struct tc_filter *f, struct err *err)
{
	REQUEST_BUFFER(buffer);
	struct nlbuild b;

	begin(&b, buffer);
	tc_msg_build_filter(&b, f);
	return netlink_request(nl, &b, NULL, NULL, err);
}

int
tc_request_remove(struct netlink *nl, const struct tc_filter *f, struct err *err)
{
	REQUEST_BUFFER(buffer);
	struct nlbuild b;

	begin(&b, buffer);
	tc_msg_build_filter_removal(&b, f);
	return netlink_request(nl, &b, NULL, NULL, err);
}

int
tc_request_add_qdisc(
	struct netlink *nl, uint32_t ifindex, bool *ret_made, struct err *err)
{
	REQUEST_BUFFER(buffer);
	struct nlbuild b;
	int rc;

	begin(&b, buffer);
	tc_msg_build_qdisc(&b, ifindex);
	rc = netlink_request(nl, &b, NULL, NULL, err);
	*ret_made = rc == 0;
	return rc == -EEXIST ? 0 : rc;
}

static int
on_filter(const struct nlmsghdr *h, void *user_data)
{
	struct tc_request_hook *state = user_data;
	struct tc_msg_filter m;

	if (h->nlmsg_type != RTM_NEWTFILTER || tc_msg_decode_filter(h, &m) < 0)
		return 0;
	state->n++;
	if (m.is_ours) {
		state->has_ours = true;
		state->ours = m.filter;
		/* The kernel lists the preference itself first, as if of others. */
		state->taken &= ~(m.filter.pref < TC_REQUEST_PREFS
					  ? UINT64_C(1) << m.filter.pref
					  : 0);
	} else if (m.filter.pref < TC_REQUEST_PREFS) {
		state->taken |= UINT64_C(1) << m.filter.pref;
	}
	return 0;
}

int
tc_request_read_hook(struct netlink *nl, uint32_t ifindex, enum tc_hook hook,
	struct tc_request_hook *ret, struct err *err)
{
	REQUEST_BUFFER(buffer);
	struct nlbuild b;

	memset(ret, 0, sizeof(*ret));
	begin(&b, buffer);
	tc_msg_build_filter_dump(&b, ifindex, hook);
	return netlink_dump(nl, &b, on_filter, ret, err);
}

/* A qdisc that we made goes when it is empty, and only then. */
void
tc_request_remove_empty_qdisc(struct netlink *nl, uint32_t ifindex)
{
	REQUEST_BUFFER(buffer);
	struct tc_request_hook state;
	struct nlbuild b;

	for (enum tc_hook hook = 0; hook < TC_HOOKS; hook++) {
		if (tc_request_read_hook(nl, ifindex, hook, &state, NULL) < 0 ||
			state.n > 0)
			return;
	}
	begin(&b, buffer);
	tc_msg_build_qdisc_removal(&b, ifindex);
	(void)netlink_request(nl, &b, NULL, NULL, NULL); /* its port may be gone */
}

int
tc_request_uninstall(struct netlink *nl, const struct tc_filter *f, struct err *err)
{
	int rc = tc_request_remove(nl, f, err);

	if (rc == 0 && f->owns_qdisc)
		tc_request_remove_empty_qdisc(nl, f->ifindex);
	return rc == -ENOENT || rc == -ENODEV || rc == -EINVAL ? 0 : rc;
}

static int
on_qdisc(const struct nlmsghdr *h, void *user_data)
{
	struct tc_request_list *list = user_data;
	uint32_t *bigger, ifindex;

	if (h->nlmsg_type != RTM_NEWQDISC || tc_msg_decode_qdisc(h, &ifindex) < 0)
		return 0;
	if (list->n == list->size) {
		list->size = list->size ? list->size * 2 : 64;
		bigger = realloc(list->ifindexes, list->size * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		list->ifindexes = bigger;
	}
	list->ifindexes[list->n++] = ifindex;
	return 0;
}

int
tc_request_list(struct netlink *nl, struct tc_request_list *ret, struct err *err)
{
	REQUEST_BUFFER(buffer);
	struct nlbuild b;

	memset(ret, 0, sizeof(*ret));
	begin(&b, buffer);
	tc_msg_build_qdisc_dump(&b);
	return netlink_dump(nl, &b, on_qdisc, ret, err);
}

int
tc_request_load(struct netlink *nl, struct err *err)
{
	REQUEST_BUFFER(buffer);
	struct nlbuild b;
	int rc;

	begin(&b, buffer);
	tc_msg_build_action(&b);
	rc = netlink_request(nl, &b, NULL, NULL, err);
	if (rc < 0 && rc != -EEXIST)
		return rc;
	begin(&b, buffer);
	tc_msg_build_action_removal(&b);
	return netlink_request(nl, &b, NULL, NULL, err);
}
