/*
 * meter_table.h - the sets that packets write into (struct ruleset_meter_set): which of
 * them the kernel has, and how many policy files use each.
 *
 * A set is made with the first file that uses it and goes with the last one; between
 * the two it keeps what it knows, whatever becomes of the rules. A transaction looks
 * only at the sets that its files used or use now. State module: no I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/ruleset.h"

/** One set. */
struct meter {
	char *name;      /* owned */
	uint8_t family;  /* of its table: NFPROTO_INET, NFPROTO_BRIDGE */
	size_t n_files;  /* that use it, as installed */
	size_t n_wanted; /* the same after the transaction that is being built */
	bool in_kernel;
	bool is_wanted; /* the kernel is to have it after that transaction */
	bool is_dirty;  /* among the dirty ones */
	/* What the set is, borrowed from the rules of a change of the transaction, and
	 * the number of that change. */
	const struct ruleset_meter *spec;
	size_t change;
};

struct meter_table {
	struct meter **items; /* sorted; owned */
	size_t n, size;
	struct meter **dirty; /* those that a transaction has to look at; owned */
	size_t n_dirty, size_dirty;
};

struct meter_use {
	struct meter *meter;              /* the table's */
	const struct ruleset_meter *spec; /* borrowed from the rules; NULL once they are
					     installed */
};

/** The sets that one file uses, each once. */
struct meter_list {
	struct meter_use *items; /* owned */
	size_t n;
};

/** An empty table. */
void meter_table_init(struct meter_table *table);

/** Free all; @table is as after meter_table_init(). */
void meter_table_done(struct meter_table *table);

/** The kernel has a set of that @name. 0 or -ENOMEM. */
int meter_table_adopt(struct meter_table *table, uint8_t family, const char *name);

/** The sets that the rules of @file use, into @ret (empty before; free with
 * meter_list_done()). 0 or -ENOMEM. */
int meter_table_list(struct meter_table *table, const struct ruleset_file *file,
	struct meter_list *ret);

/** Free the list. */
void meter_list_done(struct meter_list *list);

/** Begin to count what a transaction wants: as installed. */
void meter_table_stage(struct meter_table *table);

/** In the transaction, change number @change of @file from @before to @after. 0 or
 * -ENOMEM. */
int meter_table_replace(struct meter_table *table, const struct meter_list *before,
	const struct meter_list *after, size_t change);

/** The counting is complete. @keep: sets that nobody wants stay if the kernel has them.
 */
void meter_table_settle(struct meter_table *table, bool keep);

/** The rules of a file that used @before and now use @after are installed; @before is
 * freed and takes over @after. */
void meter_table_recount(struct meter_list *before, struct meter_list *after);

/** The kernel took the transaction. */
void meter_table_accept(struct meter_table *table);

/** No transaction is under way any more; what the sets are is forgotten. */
void meter_table_release(struct meter_table *table);
