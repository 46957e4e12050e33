/*
 * port_table.h - the interfaces that installed rules name, and the number that each has
 * in the mark of packets.
 *
 * A rule of INPUT or FORWARD with "-i swp1" must also see what came in by swp1 as a
 * port of a bridge, where the hooks of IP know the bridge's name only (FIELD_PORT); and
 * a rule of FORWARD with "-o" must know, in the bridge, to which interface IP routed a
 * packet (FIELD_ROUTE). So every name behind such options gets a number; port_marks.c
 * tells the kernel. A number stays as long as some file names the interface. State
 * module: no I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/bridge_links.h"
#include "aclserver/mark_bits.h"
#include "aclserver/ruleset.h"

enum { PORT_NAME_SIZE = 16 }; /* IFNAMSIZ; in the register, too */

enum port_kind { PORT_KIND_IN, PORT_KIND_OUT };

struct port_name {
	enum port_kind kind;
	uint32_t mark;             /* its number, where it stands in the mark */
	char text[PORT_NAME_SIZE]; /* "swp1", or "swp+"; "" = the slot is free */
	uint32_t n_files;          /* that name it, as installed */
	uint32_t n_wanted; /* the same after the transaction that is being built */
	bool is_wanted;    /* the kernel is to have it after that transaction */
	bool in_kernel;
};

enum { PORT_MAPS = 2 };

struct port_table {
	struct port_name *names; /* slots; owned */
	size_t n;
	bool routed; /* rules stand where packets are judged that leave by a bridge:
			some file names an output interface in FORWARD */
	struct bridge_links links; /* VLAN devices of bridges, as they were last seen */
	bool bridge_calls_ip;      /* the hooks of IP see bridged packets, too */
	bool is_judged_once;       /* … and rules of FORWARD pass over those there */
	uint64_t installed;        /* hash of what the kernel has; 0 = none */
	uint64_t wanted;           /* of the transaction that is being built */
	bool has_map[PORT_MAPS];   /* the kernel has the map of names: inet, bridge */
};

/** Slots, ascending: the names in one file. */
struct port_list {
	uint16_t *slots; /* owned */
	size_t n;
	bool names_out; /* a rule of FORWARD has "-o" */
	bool is_cut;    /* not all names behind "-o" got numbers */
};

/** An empty table. */
void port_table_init(struct port_table *table);

/** Free all; @table is as after port_table_init(). */
void port_table_done(struct port_table *table);

/**
 * What the rules of @file name; new names get numbers.
 * Returns  0, filling @ret (empty before; free with port_list_done()); -ENOSPC when
 * there are more than MARK_PORT_MAX names behind "-i"; -ENOMEM.
 */
int port_table_list(struct port_table *table, const struct ruleset_file *file,
	struct port_list *ret);

/** Free the list. */
void port_list_done(struct port_list *list);

/** The kernel has @name as the number that @mark holds. 0, -EINVAL (no such number),
 * -ENOMEM. */
int port_table_adopt(struct port_table *table, uint32_t mark, const char *name);

/** Begin to count what a transaction wants: as installed. */
void port_table_stage(struct port_table *table);

/** In the transaction, the file that named @before names @after. */
void port_table_replace(struct port_table *table, const struct port_list *before,
	const struct port_list *after);

/** The counting is complete. @keep: names that nobody wants stay if the kernel has
 * them. @forwards: there are rules of FORWARD. */
void port_table_settle(struct port_table *table, bool keep, bool forwards);

/** The kernel took the transaction. */
void port_table_accept(struct port_table *table);

/** The rules of a file that named @before and name @after are installed. */
void port_table_recount(struct port_table *table, const struct port_list *before,
	const struct port_list *after);
