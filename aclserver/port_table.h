/*
 * port_table.h - the ports that installed rules name, and the number that each has in
 * the mark of packets.
 *
 * A rule of INPUT or FORWARD with "-i swp1" must also see what came in by swp1 as a
 * port of a bridge, where the hooks of IP know the bridge's name only (FIELD_PORT). So
 * every name behind such a "-i" gets a number; port_marks.c tells the kernel. A number
 * stays as long as some file names the port. State module: no I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/mark_bits.h"
#include "aclserver/ruleset.h"

enum { PORT_NAME_SIZE = 16 }; /* IFNAMSIZ; in the register, too */

struct port_name {
	char text[PORT_NAME_SIZE]; /* "swp1", or "swp+"; "" = the number is free */
	uint32_t n_files;          /* that name it, as installed */
	uint32_t n_wanted; /* the same after the transaction that is being built */
	bool is_wanted;    /* the kernel is to have it after that transaction */
	bool in_kernel;
};

struct port_table {
	struct port_name *names; /* by number, from 1 on; owned */
	size_t n;                /* highest number */
	uint64_t installed; /* port_table_hash() of what the kernel has; 0 = none */
	uint64_t wanted;    /* of the transaction that is being built */
	bool has_map;       /* the kernel has the map of names */
};

/** Numbers of ports, ascending; those that one file names. */
struct port_list {
	uint16_t *ids; /* owned */
	size_t n;
};

/** An empty table. */
void port_table_init(struct port_table *table);

/** Free all; @table is as after port_table_init(). */
void port_table_done(struct port_table *table);

/** The entry of number @id, 1 … table->n. */
static inline struct port_name *
port_table_at(const struct port_table *table, size_t id)
{
	return &table->names[id - 1];
}

/**
 * The ports that the rules of @file name; new names get numbers.
 * Returns  0, filling @ret (empty before; free with port_list_done()); -ENOSPC when
 * there are more than MARK_PORT_MAX names; -ENOMEM.
 */
int port_table_list(struct port_table *table, const struct ruleset_file *file,
	struct port_list *ret);

/** Free the list. */
void port_list_done(struct port_list *list);

/** The kernel has @name as number @id. 0, -EINVAL (no such number), -ENOMEM. */
int port_table_adopt(struct port_table *table, size_t id, const char *name);

/** Begin to count what a transaction wants: as installed. */
void port_table_stage(struct port_table *table);

/** In the transaction, the file that named @before names @after. */
void port_table_replace(struct port_table *table, const struct port_list *before,
	const struct port_list *after);

/** The counting is complete. @keep: names that nobody wants stay if the kernel has
 * them. */
void port_table_settle(struct port_table *table, bool keep);

/** The kernel took the transaction. */
void port_table_accept(struct port_table *table);

/** The rules of a file that named @before and name @after are installed. */
void port_table_recount(struct port_table *table, const struct port_list *before,
	const struct port_list *after);
