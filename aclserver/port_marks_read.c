/*
 * port_marks_read.c - what the kernel holds of port_marks.c, and whether the bridge
 * shows its packets to the hooks of IP; see port_marks.h.
 */
#include "aclserver/port_marks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "aclserver/kernel_view.h"
#include "common/cleanup.h"
#include "common/nft_dump.h"
#include "common/nft_udata.h"

/* ---- reading ---- */

static void
forget_names(void *user_data)
{
	struct port_table *table = user_data;

	table->n = 0;
}

static int
on_name(const struct nft_elem_info *info, void *user_data)
{
	struct port_table *table = user_data;
	char name[PORT_NAME_SIZE + 1] = "";
	uint32_t key;
	int r;

	if (info->key_len != sizeof(key) || info->data_len != PORT_NAME_SIZE)
		return -EBADMSG;
	memcpy(&key, info->key, sizeof(key));
	memcpy(name, info->data, PORT_NAME_SIZE);
	if (key == 0)
		return 0;
	r = port_table_adopt(table, key, name);
	return r == -EINVAL ? -EBADMSG : r;
}

struct hash_reading {
	uint64_t hash;
};

static void
forget_hash(void *user_data)
{
	*(struct hash_reading *)user_data = (struct hash_reading){ 0 };
}

static int
on_rule(const struct nft_rule_info *info, void *user_data)
{
	struct hash_reading *reading = user_data;
	size_t len = 0;
	const uint8_t *hash = nft_udata_find(
		info->udata.data, info->udata.len, PORT_MARKS_HASH, &len);

	if (hash && len == sizeof(reading->hash))
		memcpy(&reading->hash, hash, sizeof(reading->hash));
	return 0;
}

static int
ignore_name(const struct nft_elem_info *info, void *user_data)
{
	(void)info;
	(void)user_data;
	return 0;
}

/* The names are the same in both maps. */
static int
read_maps(struct nft *nft, struct port_table *table, struct err *err)
{
	struct nft_reader reader = {
		.begin = forget_names,
		.elem = on_name,
		.user_data = table,
	};

	for (size_t i = 0; i < PORT_MAPS; i++) {
		int r = nft_list_elems(
			nft, &kernel_tables[i], PORT_MARKS_MAP, &reader, err);

		if (r < 0 && r != -ENOENT)
			return err_prefix(err, "reading the names of ports");
		table->has_map[i] = r == 0;
		reader.begin = NULL;
		reader.elem = ignore_name;
	}
	return 0;
}

int
port_marks_read(struct nft *nft, struct port_table *table, struct err *err)
{
	static const char *const chains[] = { PORT_MARKS_FIRST, PORT_MARKS_LAST };
	struct hash_reading reading[PORT_MARKS_TABLES] = { 0 };
	struct nft_reader reader = { .begin = forget_hash, .rule = on_rule };
	int r = read_maps(nft, table, err);

	for (size_t i = 0; i < PORT_MARKS_TABLES && r == 0; i++) {
		reader.user_data = &reading[i];
		r = nft_list_rules(nft, &port_marks_tables[i], chains[i], &reader, err);
		if (r < 0)
			return err_prefix(err, "reading the marks of ports");
	}
	table->installed = reading[0].hash;
	/* One is missing, or of an older version: equal to nothing that is wanted. */
	if (reading[0].hash != reading[1].hash)
		table->installed = UINT64_MAX - 1;
	return r;
}

bool
port_marks_is_intact(struct nft *nft, const struct port_table *table)
{
	struct err err;

	return table->installed == 0 ||
	       nft_table_exists(nft, &port_marks_tables[0], &err) != 0;
}

/* ---- br_netfilter ---- */

static bool
is_on(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value = '0';

	/* Without the module there is no such file. */
	return fd >= 0 && read(fd, &value, 1) == 1 && value != '0';
}

bool
port_marks_bridge_calls_ip(void)
{
	return is_on("/proc/sys/net/bridge/bridge-nf-call-iptables") ||
	       is_on("/proc/sys/net/bridge/bridge-nf-call-ip6tables");
}
