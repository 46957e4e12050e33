/*
 * span_ports.c - the difference between devices and hooks, as one transaction; see
 * span_ports.h.
 *
 * A hook goes with its device in some kernels and stays without it in others; a device
 * that was renamed keeps its hook under the old name. All of them end the same: what
 * has no device of its name is removed, what is missing is added.
 */
#include "aclserver/span_ports.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/placement.h"
#include "aclserver/span_tunnel.h"
#include "common/cleanup.h"
#include "common/nft_dump.h"
#include "common/nft_expr.h"
#include "common/nft_udata.h"

enum {
	NAME_SIZE = 16,       /* IFNAMSIZ; of a key of the map, too */
	HOOK_NAME_SIZE = 32,  /* "port_out." and a name */
	HOOK_PRIORITY = -310, /* ahead of what drops */
	TYPE_IFNAME = 41,     /* the nft tool's numbers of types */
	TYPE_IFINDEX = 20,
	SIDES = 2,
};

static const enum base sides[SIDES] = { BASE_NETDEV_PORT_IN, BASE_NETDEV_PORT_OUT };

struct device {
	char name[NAME_SIZE];
	uint32_t index;
	uint32_t mapped; /* number in the kernel's map; 0 = none */
	bool has_hook[SIDES];
};

struct binding {
	struct nft *nft;
	const struct nft_table *table;
	struct nft_batch *batch; /* owned */
	struct device *devices;  /* sorted by name; owned */
	size_t n;
	size_t mark; /* messages ahead of those that the map needs */
};

/* ---- devices ---- */

static int
compare_device(const void *a, const void *b)
{
	return strcmp(
		((const struct device *)a)->name, ((const struct device *)b)->name);
}

static int
read_devices(struct binding *b)
{
	struct if_nameindex *list = if_nameindex();
	size_t n = 0;

	if (!list)
		return errno ? -errno : -ENOMEM;
	while (list[n].if_index != 0)
		n++;
	b->devices = calloc(n + 1, sizeof(*b->devices));
	for (size_t i = 0; b->devices && i < n; i++) {
		struct device *device = &b->devices[b->n];

		if (strcmp(list[i].if_name, "lo") == 0)
			continue;
		(void)snprintf(device->name, NAME_SIZE, "%s", list[i].if_name);
		device->index = list[i].if_index;
		b->n++;
	}
	if_freenameindex(list);
	if (!b->devices)
		return -ENOMEM;
	if (b->n > 1)
		qsort(b->devices, b->n, sizeof(*b->devices), compare_device);
	return 0;
}

static struct device *
find_device(const struct binding *b, const char *name)
{
	struct device key = { 0 };

	if (b->n == 0)
		return NULL;
	(void)snprintf(key.name, NAME_SIZE, "%s", name);
	return bsearch(&key, b->devices, b->n, sizeof(key), compare_device);
}

static struct ruleset_hash
hash_devices(const struct binding *b)
{
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; i < b->n; i++) {
		hash_add_text(&h, b->devices[i].name);
		hash_add_u64(&h, b->devices[i].index);
	}
	return hash_value(&h);
}

/* ---- what the kernel has ---- */

/* The side that the chain @name is the hook of, and its device; SIDES for others. */
static int
parse_hook(const char *name, const char **ret_device)
{
	for (int side = 0; side < SIDES; side++) {
		const char *base = base_info(sides[side])->name;
		size_t len = strlen(base);

		if (strncmp(name, base, len) == 0 && name[len] == '.') {
			*ret_device = name + len + 1;
			return side;
		}
	}
	return SIDES;
}

bool
span_ports_is_hook(const char *chain)
{
	const char *device;

	return parse_hook(chain, &device) != SIDES;
}

static void
begin_chains(void *user_data)
{
	struct binding *b = user_data;

	nft_batch_reset(b->batch);
	for (size_t i = 0; i < b->n; i++)
		memset(b->devices[i].has_hook, 0, sizeof(b->devices[i].has_hook));
}

static int
on_chain(const struct nft_chain_info *info, void *user_data)
{
	struct binding *b = user_data;
	const char *name;
	int side = parse_hook(info->name, &name);
	struct device *device = side < SIDES ? find_device(b, name) : NULL;

	if (device)
		device->has_hook[side] = info->is_base;
	if (side == SIDES || (device && info->is_base))
		return 0;
	nft_batch_flush_chain(b->batch, b->table, info->name, 0);
	nft_batch_delete_chain(b->batch, b->table, info->name, 0);
	return 0;
}

static void
begin_elems(void *user_data)
{
	struct binding *b = user_data;

	nft_batch_rewind(b->batch, b->mark);
	for (size_t i = 0; i < b->n; i++)
		b->devices[i].mapped = 0;
}

static int
on_elem(const struct nft_elem_info *info, void *user_data)
{
	struct binding *b = user_data;
	char name[NAME_SIZE + 1] = "";
	struct device *device;

	if (info->key_len != NAME_SIZE || info->data_len != sizeof(uint32_t))
		return 0;
	memcpy(name, info->key, NAME_SIZE);
	device = find_device(b, name);
	if (device)
		memcpy(&device->mapped, info->data, sizeof(device->mapped));
	if (!device || device->mapped != device->index) {
		const struct nft_set_ref set = { SPAN_PORTS_MAP, 0, NAME_SIZE };
		const struct nft_elem elem = { .key = info->key };

		nft_batch_delete_elems(b->batch, b->table, &set, &elem, 1, 0);
	}
	return 0;
}

/* ---- changes ---- */

void
span_ports_build(struct nft_batch *batch, const struct nft_table *table)
{
	const uint32_t order = NFT_KEY_ORDER_HOST; /* as the nft tool has names */
	struct nft_udata udata;
	struct nft_set_spec map = {
		.name = SPAN_PORTS_MAP,
		.id = nft_batch_new_id(batch),
		.flags = NFT_SET_MAP,
		.key_type = TYPE_IFNAME,
		.key_len = NAME_SIZE,
		.data_type = TYPE_IFINDEX,
		.data_len = sizeof(uint32_t),
	};

	nft_udata_init(&udata);
	/* Empty before, so both fit. */
	(void)nft_udata_put(&udata, NFT_UDATA_KEY_ORDER, &order, sizeof(order));
	(void)nft_udata_put(&udata, NFT_UDATA_DATA_ORDER, &order, sizeof(order));
	map.udata = nft_udata_blob(&udata);
	nft_batch_add_set(batch, table, &map, 0);
}

static int
add_hook(struct binding *b, const struct device *device, int side)
{
	const char *devices[] = { device->name };
	char name[HOOK_NAME_SIZE];
	const struct nft_base_chain chain = {
		.name = name,
		.type = "filter",
		.hook = side == 0 ? NF_NETDEV_INGRESS : NF_NETDEV_EGRESS,
		.priority = HOOK_PRIORITY,
		.devices = devices,
		.n_devices = 1,
	};
	const struct nft_rule_at at = { .chain = name, .where = NFT_WHERE_APPEND };
	struct nft_rule *rule = nft_rule_new();

	if (!rule)
		return -ENOMEM;
	(void)snprintf(name, sizeof(name), "%s.%s", base_info(sides[side])->name,
		device->name);
	nft_batch_add_base_chain(b->batch, b->table, &chain, 0);
	nft_rule_verdict(rule, NFT_JUMP, base_info(sides[side])->name);
	nft_batch_add_rule(b->batch, b->table, &at, rule, 0);
	nft_rule_free(rule);
	return 0;
}

static void
add_to_map(struct binding *b, const struct device *device)
{
	const struct nft_set_ref set = { SPAN_PORTS_MAP, 0, NAME_SIZE };
	const struct nft_elem elem = {
		.key = device->name,
		.data = &device->index,
		.data_len = sizeof(device->index),
	};

	nft_batch_add_elems(b->batch, b->table, &set, &elem, 1, 0);
}

static int
read_kernel(struct binding *b, struct err *err)
{
	struct nft_reader reader = {
		.begin = begin_chains, .chain = on_chain, .user_data = b
	};
	int r = nft_list_chains(b->nft, b->table, &reader, err);

	b->mark = nft_batch_count(b->batch);
	reader.begin = begin_elems;
	reader.elem = on_elem;
	return r < 0 ? r
		     : nft_list_elems(b->nft, b->table, SPAN_PORTS_MAP, &reader, err);
}

static int
build(struct binding *b, struct err *err)
{
	int r = read_kernel(b, err);

	if (r < 0)
		return r;
	/* Both bases, so that every hook has something to jump to. */
	for (int side = 0; side < SIDES; side++)
		nft_batch_ensure_chain(
			b->batch, b->table, base_info(sides[side])->name, 0);
	for (size_t i = 0; i < b->n && r == 0; i++) {
		const struct device *device = &b->devices[i];

		for (int side = 0; side < SIDES && r == 0; side++)
			if (!device->has_hook[side])
				r = add_hook(b, device, side);
		if (device->mapped != device->index)
			add_to_map(b, device);
	}
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

static int
send_batch(struct nft *nft, struct nft_batch *batch, struct err *err)
{
	const struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result = { 0 };
	int r = nft_commit(nft, batch, &how, &result);

	nft_result_done(&result);
	return r < 0 ? err_sys(err, r, "hooks of ports") : 0;
}

static void
binding_done(struct binding *b)
{
	nft_batch_free(b->batch);
	free(b->devices);
}

/* ---- tunnels ---- */

/* Names of devices that rules copy to. */
struct wanted {
	char (*names)[NAME_SIZE]; /* owned */
	size_t n, size;
};

static void
wanted_done(struct wanted *wanted)
{
	free(wanted->names);
}

static void
begin_rules(void *user_data)
{
	struct wanted *wanted = user_data;

	wanted->n = 0;
}

static int
on_rule(const struct nft_rule_info *info, void *user_data)
{
	struct wanted *wanted = user_data;

	if (info->constant.len != NAME_SIZE)
		return 0;
	if (wanted->n == wanted->size) {
		size_t size = wanted->size ? 2 * wanted->size : 8;
		void *grown = reallocarray(wanted->names, size, NAME_SIZE);

		if (!grown)
			return -ENOMEM;
		wanted->names = grown;
		wanted->size = size;
	}
	memcpy(wanted->names[wanted->n], info->constant.data, NAME_SIZE);
	wanted->names[wanted->n++][NAME_SIZE - 1] = '\0';
	return 0;
}

static bool
is_wanted(const struct wanted *wanted, const char *name)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (strcmp(wanted->names[i], name) == 0)
			return true;
	return false;
}

static int
remove_tunnels(const struct wanted *wanted, struct err *err)
{
	struct if_nameindex *list = if_nameindex();
	struct span_tunnel ignored;
	int r = 0;

	if (!list)
		return err_sys(
			err, errno ? -errno : -ENOMEM, "list of network devices");
	for (size_t i = 0; list[i].if_index != 0 && r == 0; i++)
		if (span_tunnel_parse(list[i].if_name, &ignored) &&
			!is_wanted(wanted, list[i].if_name))
			r = span_tunnel_remove(list[i].if_index, err);
	if_freenameindex(list);
	return r;
}

int
span_ports_tunnels(struct nft *nft, const struct nft_table *table, struct err *err)
{
	CLEANUP(wanted_done) struct wanted wanted = { 0 };
	const struct nft_reader reader = {
		.begin = begin_rules, .rule = on_rule, .user_data = &wanted
	};
	int r = nft_list_rules(nft, table, NULL, &reader, err);

	for (size_t i = 0; i < wanted.n && r == 0; i++)
		r = span_tunnel_need(wanted.names[i], err);
	return r < 0 ? r : remove_tunnels(&wanted, err);
}

/* ---- all ---- */

int
span_ports_bind(struct span_ports *ports, struct nft *nft,
	const struct nft_table *table, bool again, struct err *err)
{
	CLEANUP(binding_done) struct binding b = { .nft = nft, .table = table };
	struct ruleset_hash links;
	int r = read_devices(&b);

	if (r < 0)
		return err_sys(err, r, "list of network devices");
	links = hash_devices(&b);
	if (ports->bound && !again && memcmp(&links, &ports->links, sizeof(links)) == 0)
		return 0;
	r = span_ports_tunnels(nft, table, err);
	if (r < 0)
		return r;
	free(take_ptr(b.devices));
	b.n = 0;
	r = read_devices(&b);
	if (r < 0)
		return err_sys(err, r, "list of network devices");
	links = hash_devices(&b);
	b.batch = nft_batch_new();
	r = b.batch ? build(&b, err) : err_set(err, -ENOMEM, "out of memory");
	if (r == 0)
		r = send_batch(nft, b.batch, err);
	ports->bound = r == 0;
	ports->links = links;
	return r;
}

int
span_ports_unbind(struct span_ports *ports, struct nft *nft,
	const struct nft_table *table, struct err *err)
{
	struct nft_batch *batch = nft_batch_new();
	int r;

	if (!batch)
		return err_set(err, -ENOMEM, "out of memory");
	nft_batch_delete_table(batch, table, 0);
	r = send_batch(nft, batch, err);
	nft_batch_free(batch);
	if (r < 0)
		return r;
	ports->bound = false;
	return remove_tunnels(&(struct wanted){ 0 }, err);
}
