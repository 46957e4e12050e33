/*
 * policy_table.c - sorted table of policy files and their installed chains; see
 * policy_table.h.
 */
#include "aclserver/policy_table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/acl_name.h"
#include "aclserver/hash.h"
#include "common/cleanup.h"

enum {
	ID_READABLE_MAX = 80, /* bytes of a file name that its chains show */
};

static const char eb_prefix[] = "eb_";

void
policy_table_init(struct policy_table *table)
{
	*table = (struct policy_table){ 0 };
}

static void
acl_file_free(struct acl_file *file)
{
	if (!file)
		return;
	diags_done(&file->problems);
	free((char *)file->key.name);
	free(file->id);
	free(file->chains);
	port_list_done(&file->ports);
	meter_list_done(&file->meters);
	free(file);
}

void
policy_table_done(struct policy_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		acl_file_free(table->files[i]);
	free(table->files);
	policy_table_init(table);
}

/* Index of @key, or of where it would be; *@ret_found says which. */
static size_t
search(const struct policy_table *table, const struct policy_key *key, bool *ret_found)
{
	size_t lo = 0, hi = table->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (policy_key_cmp(&table->files[mid]->key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_found = lo < table->n && policy_key_cmp(&table->files[lo]->key, key) == 0;
	return lo;
}

struct acl_file *
policy_table_find(const struct policy_table *table, const struct policy_key *key)
{
	bool found;
	size_t i = search(table, key, &found);

	return found ? table->files[i] : NULL;
}

static bool
has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && strcmp(text + n - m, suffix) == 0;
}

/* The nft tool can print and read back only some characters in a name; a name that had
 * to be changed or that does not tell the directory gets a hash of the path, so that
 * two files never share chains. */
static char *
make_id(const struct policy_key *key, const char *path)
{
	char readable[ID_READABLE_MAX + 1];
	size_t len = strlen(key->name);
	bool exact = key->include == 0 && has_suffix(key->name, ACL_FILE_SUFFIX);
	struct hash h;
	char *id;

	if (has_suffix(key->name, ACL_FILE_SUFFIX))
		len -= strlen(ACL_FILE_SUFFIX);
	if (len > ID_READABLE_MAX) {
		len = ID_READABLE_MAX;
		exact = false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)key->name[i];
		bool plain = c < 0x80 && (isalnum(c) || c == '-' || c == '_');

		readable[i] = plain ? (char)c : '_';
		exact = exact && plain;
	}
	readable[len] = '\0';
	if (exact)
		return strdup(readable);
	hash_init(&h);
	hash_add_text(&h, path);
	if (asprintf(&id, "%s.%016" PRIx64, readable, hash_value(&h).w[0]) < 0)
		return NULL;
	return id;
}

static struct acl_file *
acl_file_new(const struct policy_key *key, const char *path)
{
	struct acl_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	diags_init(&file->problems);
	file->key.include = key->include;
	file->key.name = strdup(key->name);
	file->id = make_id(key, path);
	file->is_rest = policy_is_rest_name(key->name);
	if (file->key.name && file->id)
		return file;
	acl_file_free(file);
	return NULL;
}

struct acl_file *
policy_table_add(
	struct policy_table *table, const struct policy_key *key, const char *path)
{
	struct acl_file *file;
	bool found;
	size_t i = search(table, key, &found);

	if (found)
		return table->files[i];
	if (table->n == table->size) {
		size_t size = table->size ? 2 * table->size : 64;
		struct acl_file **grown = realloc(table->files, size * sizeof(*grown));

		if (!grown)
			return NULL;
		table->files = grown;
		table->size = size;
	}
	file = acl_file_new(key, path);
	if (!file)
		return NULL;
	memmove(&table->files[i + 1], &table->files[i],
		(table->n - i) * sizeof(*table->files));
	table->files[i] = file;
	table->n++;
	return file;
}

void
policy_table_remove(struct policy_table *table, struct acl_file *file)
{
	bool found;
	size_t i = search(table, &file->key, &found);

	if (file->problems.errors > 0)
		table->n_bad--;
	table->n--;
	memmove(&table->files[i], &table->files[i + 1],
		(table->n - i) * sizeof(*table->files));
	acl_file_free(file);
}

const struct acl_chain *
acl_file_chain(const struct acl_file *file, enum place place)
{
	for (size_t i = 0; i < file->n_chains; i++)
		if (file->chains[i].place == place)
			return &file->chains[i];
	return NULL;
}

/* Where the chain of @place is, or would be. */
static size_t
chain_index(const struct acl_file *file, enum place place)
{
	size_t i = 0;

	while (i < file->n_chains && file->chains[i].place < place)
		i++;
	return i;
}

static void
remove_chain(struct acl_file *file, size_t i)
{
	file->n_chains--;
	memmove(&file->chains[i], &file->chains[i + 1],
		(file->n_chains - i) * sizeof(*file->chains));
}

int
acl_file_set_chain(
	struct acl_file *file, enum place place, const struct acl_chain *chain)
{
	size_t i = chain_index(file, place);
	bool found = i < file->n_chains && file->chains[i].place == place;
	struct acl_chain *grown;

	if (found && chain) {
		file->chains[i] = *chain;
	} else if (found) {
		remove_chain(file, i);
	} else if (chain) {
		grown = realloc(file->chains, (file->n_chains + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		file->chains = grown;
		memmove(&grown[i + 1], &grown[i],
			(file->n_chains - i) * sizeof(*grown));
		grown[i] = *chain;
		file->n_chains++;
	}
	return 0;
}

void
policy_table_set_problems(
	struct policy_table *table, struct acl_file *file, struct diags *problems)
{
	if (file->problems.errors > 0)
		table->n_bad--;
	diags_done(&file->problems);
	diags_move(&file->problems, problems);
	if (file->problems.errors > 0)
		table->n_bad++;
}

bool
policy_is_rest_name(const char *name)
{
	char ignored[ACL_NAME_SIZE];

	return acl_name_from_file(name, ignored);
}

void
acl_chain_name(char buf[ACL_CHAIN_NAME_SIZE], enum place place, const char *id)
{
	snprintf(buf, ACL_CHAIN_NAME_SIZE, "%s%s/%s",
		place_group(place) == PLACE_GROUP_EB ? eb_prefix : "",
		base_info(place_base(place))->name, id);
}

static enum base
find_base(uint8_t family, const char *name, size_t len)
{
	for (int base = 0; base < BASE_COUNT; base++) {
		const struct base_info *info = base_info((enum base)base);

		if (info->family == family && strlen(info->name) == len &&
			strncmp(info->name, name, len) == 0)
			return (enum base)base;
	}
	return BASE_COUNT;
}

enum place
acl_chain_parse(uint8_t family, const char *name, const char **ret_id)
{
	enum place_group group = PLACE_GROUP_IP;
	const char *slash = strchr(name, '/');
	enum base base;

	if (!slash || slash[1] == '\0')
		return (enum place)PLACE_COUNT;
	if (strncmp(name, eb_prefix, strlen(eb_prefix)) == 0) {
		group = PLACE_GROUP_EB;
		name += strlen(eb_prefix);
	}
	base = find_base(family, name, (size_t)(slash - name));
	if (base == BASE_COUNT)
		return (enum place)PLACE_COUNT;
	*ret_id = slash + 1;
	return place_make(base, group);
}
