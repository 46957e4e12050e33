/*
 * port_marks.h - what the kernel needs so that the hooks of IP know by which port of a
 * bridge a packet came in.
 *
 * In "bridge tapgate_ports" a chain ahead of all others puts the number of the port
 * (port_table.h) into our part of the mark (mark_bits.h); in the tables of the rules
 * the map "ports" turns a number into the name that rules compare (FIELD_PORT,
 * FIELD_ROUTE). While rules of FORWARD name output interfaces, "inet tapgate_ports"
 * marks what is routed to a bridge, too, so that it is judged in the bridge, where its
 * port is known. Behind all other chains our bits are cleared: nobody sees them on a
 * packet that leaves. The tables exist only while an installed rule needs them. Acting
 * module.
 */
#pragma once

#include "aclserver/placement.h"
#include "aclserver/port_table.h"
#include "common/err.h"
#include "common/nft.h"
#include "common/nft_udata.h"

/** Name of the map, in each table whose rules look it up. */
#define PORT_MARKS_MAP   "ports"

/** The chains that packets meet first and last in those tables, and the user data of
 * a rule that tells what the table was made of (port_table.wanted). */
#define PORT_MARKS_FIRST "prerouting"
#define PORT_MARKS_LAST  "postrouting"

enum {
	PORT_MARKS_TABLES = 2,
	PORT_MARKS_HASH = NFT_UDATA_OWN + 6,
};

/** The tables that hold nothing else: bridge, inet. */
extern const struct nft_table port_marks_tables[PORT_MARKS_TABLES];

/** Append what makes the kernel hold what port_table_settle() found out; nothing when
 * it does. Ahead of all rules of the batch. 0 or -ENOMEM. */
int port_marks_build(const struct port_table *table, struct nft_batch *batch);

/** Append the rule that makes @base of @table pass over the packets that it does not
 * judge (base_guard), ahead of all its rules. 0 or -ENOMEM. */
int port_marks_add_guard(struct nft_batch *batch, const struct nft_table *table,
	const struct base_info *base);

/** True for the user data of such a rule. */
bool port_marks_is_guard(struct nft_blob udata);

/** Append to @rule: the packet is not judged in the bridge any more. */
void port_marks_forget_route(struct nft_rule *rule);

/** True while the hooks of IP see bridged packets, too (br_netfilter, which containers
 * switch on). Then FORWARD must not judge there what it judges in the bridge. */
bool port_marks_bridge_calls_ip(void);

/** Read what the kernel holds into @table, which is empty. 0, or negative errno with
 * @err. */
int port_marks_read(struct nft *nft, struct port_table *table, struct err *err);

/** True if what was installed is still there. */
bool port_marks_is_intact(struct nft *nft, const struct port_table *table);
