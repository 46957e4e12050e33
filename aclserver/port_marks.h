/*
 * port_marks.h - what the kernel needs so that the hooks of IP know by which port of a
 * bridge a packet came in.
 *
 * In "bridge tapgate_ports" a chain ahead of all others puts the number of the port
 * (port_table.h) into our part of the mark (mark_bits.h); in "inet tapgate" the map
 * "ports" turns the number into the name that rules compare (FIELD_PORT). Behind all
 * other chains our bits are cleared: nobody sees them on a packet that leaves. The
 * tables exist only while an installed rule names a port in this way. Acting module.
 */
#pragma once

#include "aclserver/port_table.h"
#include "common/err.h"
#include "common/nft.h"

/** Name of the map, in the table of the rules that look it up. */
#define PORT_MARKS_MAP "ports"

enum { PORT_MARKS_TABLES = 2 };

/** The tables that hold nothing else: bridge, inet. */
extern const struct nft_table port_marks_tables[PORT_MARKS_TABLES];

/** Append what makes the kernel hold what port_table_settle() found out; nothing when
 * it does. @rules: the table of the rules. Ahead of all rules of the batch. 0 or
 * -ENOMEM. */
int port_marks_build(const struct port_table *table, const struct nft_table *rules,
	struct nft_batch *batch);

/** Read what the kernel holds into @table, which is empty. 0, or negative errno with
 * @err. */
int port_marks_read(struct nft *nft, const struct nft_table *rules,
	struct port_table *table, struct err *err);

/** True if what was installed is still there. */
bool port_marks_is_intact(struct nft *nft, const struct port_table *table);
