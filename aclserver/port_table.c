/*
 * port_table.c - names of ports and their numbers; see port_table.h.
 *
 * There are about as many names as the switch has ports, so they are searched one by
 * one.
 */
#include "aclserver/port_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/hash.h"

/* Part of the hash: what port_marks.c makes of the names has changed when it does. */
enum { LAYOUT_VERSION = 1 };

void
port_table_init(struct port_table *table)
{
	*table = (struct port_table){ 0 };
}

void
port_table_done(struct port_table *table)
{
	free(table->names);
	port_table_init(table);
}

void
port_list_done(struct port_list *list)
{
	free(list->ids);
	*list = (struct port_list){ 0 };
}

/* ---- numbers ---- */

static int
grow_to(struct port_table *table, size_t n)
{
	struct port_name *grown = reallocarray(table->names, n, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	memset(grown + table->n, 0, (n - table->n) * sizeof(*grown));
	table->names = grown;
	table->n = n;
	return 0;
}

/* The number of @text, or the lowest free one. */
static size_t
find_id(const struct port_table *table, const char *text)
{
	size_t free_id = table->n + 1;

	for (size_t id = 1; id <= table->n; id++) {
		const struct port_name *name = port_table_at(table, id);

		if (strcmp(name->text, text) == 0)
			return id;
		if (name->text[0] == '\0' && free_id > id)
			free_id = id;
	}
	return free_id;
}

static int
number_of(struct port_table *table, const char *text, uint16_t *ret_id)
{
	size_t id = find_id(table, text);

	if (id > MARK_PORT_MAX)
		return -ENOSPC;
	if (id > table->n && grow_to(table, id) < 0)
		return -ENOMEM;
	snprintf(port_table_at(table, id)->text, PORT_NAME_SIZE, "%s", text);
	*ret_id = (uint16_t)id;
	return 0;
}

int
port_table_adopt(struct port_table *table, size_t id, const char *name)
{
	if (id == 0 || id > MARK_PORT_MAX || name[0] == '\0' ||
		strnlen(name, PORT_NAME_SIZE) >= PORT_NAME_SIZE)
		return -EINVAL;
	if (id > table->n && grow_to(table, id) < 0)
		return -ENOMEM;
	snprintf(port_table_at(table, id)->text, PORT_NAME_SIZE, "%s", name);
	port_table_at(table, id)->in_kernel = true;
	return 0;
}

/* ---- lists ---- */

static int
list_add(struct port_list *list, uint16_t id)
{
	uint16_t *grown;
	size_t at = list->n;

	while (at > 0 && list->ids[at - 1] >= id) {
		if (list->ids[at - 1] == id)
			return 0;
		at--;
	}
	grown = reallocarray(list->ids, list->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->ids = grown;
	memmove(grown + at + 1, grown + at, (list->n - at) * sizeof(*grown));
	grown[at] = id;
	list->n++;
	return 0;
}

static int
list_rule(struct port_table *table, const struct ruleset_rule *rule,
	struct port_list *list)
{
	int r = 0;

	for (size_t i = 0; i < rule->n_terms && r == 0; i++) {
		const struct ruleset_test *test = &rule->terms[i].test;
		char text[PORT_NAME_SIZE];
		uint16_t id;

		if (rule->terms[i].kind != TERM_TEST || test->field != FIELD_PORT)
			continue;
		snprintf(text, sizeof(text), "%s%s", test->ifname,
			test->prefix ? "+" : "");
		r = number_of(table, text, &id);
		if (r == 0)
			r = list_add(list, id);
	}
	return r;
}

int
port_table_list(struct port_table *table, const struct ruleset_file *file,
	struct port_list *ret)
{
	int r = 0;

	for (size_t i = 0; i < file->n_rules && r == 0; i++)
		r = list_rule(table, &file->rules[i], ret);
	if (r < 0)
		port_list_done(ret);
	return r;
}

/* ---- transactions ---- */

void
port_table_stage(struct port_table *table)
{
	for (size_t id = 1; id <= table->n; id++)
		port_table_at(table, id)->n_wanted = port_table_at(table, id)->n_files;
}

void
port_table_replace(struct port_table *table, const struct port_list *before,
	const struct port_list *after)
{
	for (size_t i = 0; i < before->n; i++)
		port_table_at(table, before->ids[i])->n_wanted--;
	for (size_t i = 0; i < after->n; i++)
		port_table_at(table, after->ids[i])->n_wanted++;
}

static uint64_t
hash_wanted(const struct port_table *table)
{
	struct hash h;
	bool any = false;

	hash_init(&h);
	hash_add_u64(&h, LAYOUT_VERSION);
	for (size_t id = 1; id <= table->n; id++) {
		if (!port_table_at(table, id)->is_wanted)
			continue;
		hash_add_u64(&h, id);
		hash_add_text(&h, port_table_at(table, id)->text);
		any = true;
	}
	return any ? hash_value(&h).w[0] | 1 : 0;
}

void
port_table_settle(struct port_table *table, bool keep)
{
	for (size_t id = 1; id <= table->n; id++) {
		struct port_name *name = port_table_at(table, id);

		name->is_wanted = name->n_wanted > 0 || (keep && name->in_kernel);
	}
	table->wanted = hash_wanted(table);
}

void
port_table_accept(struct port_table *table)
{
	for (size_t id = 1; id <= table->n; id++) {
		struct port_name *name = port_table_at(table, id);

		name->in_kernel = name->is_wanted;
		if (!name->in_kernel && name->n_files == 0)
			*name = (struct port_name){ 0 };
	}
	table->has_map = table->has_map || table->wanted != 0;
	table->installed = table->wanted;
}

void
port_table_recount(struct port_table *table, const struct port_list *before,
	const struct port_list *after)
{
	for (size_t i = 0; i < before->n; i++)
		port_table_at(table, before->ids[i])->n_files--;
	for (size_t i = 0; i < after->n; i++)
		port_table_at(table, after->ids[i])->n_files++;
}
