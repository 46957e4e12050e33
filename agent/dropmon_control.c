/*
 * dropmon_control.c - configures, starts and stops NET_DM. (linux/net_dropmon.h)
 */
#include "agent/dropmon_control.h"

#include <errno.h>
#include <linux/net_dropmon.h>
#include <stdlib.h>

#include "agent/dropmon_msg.h"
#include "common/nl.h"

enum {
	FAMILY_VERSION = 2,
	REQUEST_BYTES = 256,
	OUR_QUEUE_LEN = 1021,    /* how we know what is ours */
	KERNEL_QUEUE_LEN = 1000, /* what the kernel starts with */
};

struct dropmon_control {
	struct netlink *nl; /* owned */
	uint16_t family;
	bool was_ours; /* claimed since it was opened */
};

struct dropmon_control *
dropmon_control_open(struct err *err)
{
	const struct netlink_options options = { .protocol = NETLINK_GENERIC };
	struct dropmon_control *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (!c) {
		(void)err_sys(err, -ENOMEM, "drop monitor");
		return NULL;
	}
	c->nl = netlink_open(&options, err);
	if (c->nl)
		rc = netlink_family(c->nl, "NET_DM", &c->family, err);
	if (c->nl && rc == 0)
		return c;
	if (rc == -ENOENT)
		(void)err_set(err, rc,
			"this kernel has no drop monitor (NET_DM), or the agent does "
			"not run in the machine's first network namespace");
	dropmon_control_close(c);
	return NULL;
}

void
dropmon_control_close(struct dropmon_control *c)
{
	if (!c)
		return;
	netlink_close(c->nl);
	free(c);
}

uint16_t
dropmon_control_family(const struct dropmon_control *c)
{
	return c->family;
}

/* Requests. */

static int
on_config(const struct nlmsghdr *h, void *user_data)
{
	return dropmon_msg_decode_config(h, user_data);
}

static int
get_config(struct dropmon_control *c, struct dropmon_config *ret, struct err *err)
{
	_Alignas(4) uint8_t memory[REQUEST_BYTES];
	struct nlbuild b;

	nlbuild_init(&b, memory, sizeof(memory));
	nlbuild_begin_genl(&b, c->family, 0, NET_DM_CMD_CONFIG_GET, FAMILY_VERSION);
	return netlink_request(c->nl, &b, on_config, ret, err);
}

static int
set_config(
	struct dropmon_control *c, const struct dropmon_config *config, struct err *err)
{
	_Alignas(4) uint8_t memory[REQUEST_BYTES];
	struct nlbuild b;

	nlbuild_init(&b, memory, sizeof(memory));
	nlbuild_begin_genl(&b, c->family, NLM_F_ACK, NET_DM_CMD_CONFIG, FAMILY_VERSION);
	nlbuild_put_u8(&b, NET_DM_ATTR_ALERT_MODE,
		config->packets ? NET_DM_ALERT_MODE_PACKET : NET_DM_ALERT_MODE_SUMMARY);
	nlbuild_put_u32(&b, NET_DM_ATTR_TRUNC_LEN, config->trunc_bytes);
	nlbuild_put_u32(&b, NET_DM_ATTR_QUEUE_LEN, config->queue_len);
	return netlink_request(c->nl, &b, NULL, NULL, err);
}

/* @cmd: start or stop one of the two. */
static int
switch_one(struct dropmon_control *c, uint8_t cmd, uint16_t which, struct err *err)
{
	_Alignas(4) uint8_t memory[REQUEST_BYTES];
	struct nlbuild b;
	int rc;

	nlbuild_init(&b, memory, sizeof(memory));
	nlbuild_begin_genl(&b, c->family, NLM_F_ACK, cmd, FAMILY_VERSION);
	nlbuild_put(&b, which, NULL, 0);
	rc = netlink_request(c->nl, &b, NULL, NULL, err);
	/* It does so already. */
	return rc == -EAGAIN ? 0 : rc;
}

static int
stop_both(struct dropmon_control *c, struct err *err)
{
	int rc = switch_one(c, NET_DM_CMD_STOP, NET_DM_ATTR_SW_DROPS, err);

	return rc < 0 ? rc : switch_one(c, NET_DM_CMD_STOP, NET_DM_ATTR_HW_DROPS, err);
}

/* Ownership. */

static bool
is_ours(const struct dropmon_config *config)
{
	return config->packets && config->queue_len == OUR_QUEUE_LEN;
}

/* It runs: by a killed agent, by others, or, if we were there before, by ourselves. */
static int
settle(struct dropmon_control *c, const struct dropmon_wish *wish,
	const struct dropmon_config *found, enum dropmon_owner *ret_owner,
	struct err *err)
{
	const struct dropmon_config config = { true, wish->trunc_bytes, OUR_QUEUE_LEN };
	int rc;

	if (is_ours(found) && c->was_ours)
		return 0;
	if (!is_ours(found) && !wish->force) {
		*ret_owner = found->packets ? DROPMON_OTHERS : DROPMON_OTHERS_SUMS;
		return 0;
	}
	rc = stop_both(c, err);
	return rc < 0 ? rc : set_config(c, &config, err);
}

static int
start(struct dropmon_control *c, const struct dropmon_wish *wish, struct err *err)
{
	int rc = 0;

	if (wish->sw)
		rc = switch_one(c, NET_DM_CMD_START, NET_DM_ATTR_SW_DROPS, err);
	if (rc == 0 && wish->hw)
		rc = switch_one(c, NET_DM_CMD_START, NET_DM_ATTR_HW_DROPS, err);
	return rc;
}

int
dropmon_control_claim(struct dropmon_control *c, const struct dropmon_wish *wish,
	enum dropmon_owner *ret_owner, struct err *err)
{
	const struct dropmon_config config = { true, wish->trunc_bytes, OUR_QUEUE_LEN };
	enum dropmon_owner owner = DROPMON_NOBODY;
	struct dropmon_config found;
	int rc;

	*ret_owner = DROPMON_NOBODY;
	if (!wish->sw && !wish->hw)
		return 0;
	rc = get_config(c, &found, err);
	if (rc == 0)
		rc = set_config(c, &config, err);
	if (rc == -EBUSY)
		rc = settle(c, wish, &found, &owner, err);
	if (rc == 0 && owner == DROPMON_NOBODY) {
		rc = start(c, wish, err);
		owner = rc == 0 ? DROPMON_OURS : DROPMON_NOBODY;
	}
	c->was_ours = owner == DROPMON_OURS;
	*ret_owner = owner;
	return rc < 0 ? err_prefix(err, "drop monitor") : 0;
}

int
dropmon_control_stop(struct dropmon_control *c, struct err *err)
{
	const struct dropmon_config config = { false, 0, KERNEL_QUEUE_LEN };
	struct dropmon_config found;
	int rc = get_config(c, &found, err);

	c->was_ours = false;
	if (rc == 0 && !is_ours(&found))
		return 0;
	if (rc == 0)
		rc = stop_both(c, err);
	if (rc == 0)
		rc = set_config(c, &config, err);
	return rc < 0 ? err_prefix(err, "drop monitor: stopping it") : 0;
}

static int
on_stats(const struct nlmsghdr *h, void *user_data)
{
	return dropmon_msg_decode_stats(h, user_data);
}

int
dropmon_control_lost(struct dropmon_control *c, uint64_t *ret_lost)
{
	_Alignas(4) uint8_t memory[REQUEST_BYTES];
	struct nlbuild b;

	nlbuild_init(&b, memory, sizeof(memory));
	nlbuild_begin_genl(&b, c->family, 0, NET_DM_CMD_STATS_GET, FAMILY_VERSION);
	return netlink_request(c->nl, &b, on_stats, ret_lost, NULL);
}
