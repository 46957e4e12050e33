/*
 * nft_emit.h - from the ruleset model to kernel rules: one struct ruleset_rule becomes
 * one rule message (and, for lists of values, the anonymous sets in front of it).
 *
 * What a field means in the kernel's terms (which header, which bytes, which byte
 * order) is one table in nft_field.c; placement and order are the caller's.
 */
#pragma once

#include "aclserver/fold.h"
#include "aclserver/ruleset.h"
#include "common/err.h"
#include "common/nft.h"
#include "common/nft_udata.h"

/** Where and how one rule is emitted. */
struct nft_emit {
	struct nft_batch *batch; /* receives the messages */
	struct nft_table table;  /* its family decides how some fields are read */
	struct nft_rule_at at;   /* chain and position */
	uint64_t packets; /* the counter starts from these: 0, or those of the rule that
			     it takes over */
	uint64_t bytes;
};

/**
 * Append @rule to the batch; all its messages carry @cookie. Its user data is
 * that of nft_emit_write_tag().
 * Returns  0; -EOPNOTSUPP (the family cannot do it) or -EINVAL (a malformed model: a
 * bug of ours) with the reason in @err, then the batch is as before; or the batch's own
 * failure.
 */
int nft_emit_rule(const struct nft_emit *emit, const struct ruleset_rule *rule,
	uint64_t cookie, struct err *err);

/** Load an interface name. @or_none: also for a packet that has none, as "", where the
 * rule would else end; only for FIELD_PORT and FIELD_ROUTE. */
void nft_emit_load_name(struct nft_rule *rule, enum field field, bool or_none);

enum {
	NFT_EMIT_TEXT_SIZE = 228, /* with its NUL; longer texts are cut */
	NFT_EMIT_ID_SIZE = 100,   /* of a file's id, with its NUL */
};

/** What the user data of an emitted rule says. */
struct nft_emit_tag {
	struct ruleset_hash hash;
	enum policy_section section;
	int line;
	bool is_part;                  /* likewise of ruleset_rule */
	char text[NFT_EMIT_TEXT_SIZE]; /* ruleset_rule.text */
};

/** The user data of @rule: everything of struct nft_emit_tag. */
void nft_emit_write_tag(const struct ruleset_rule *rule, struct nft_udata *ret);

/** Read user data back. False when it is not of a rule of ours; @ret is then as before.
 */
bool nft_emit_read_tag(struct nft_blob udata, struct nft_emit_tag *ret);

/** Append the set of a meter. */
void nft_emit_meter_set(const struct nft_emit *emit, const struct ruleset_meter *meter,
	uint64_t cookie);

/** Append the test @meter to @out. 0; -EINVAL for a malformed model. */
int nft_emit_meter(struct nft_rule *out, const struct ruleset_meter *meter);

/* Folded rules; see fold.h. */

/** Load the key of @shape into the registers from the first one on, which is current
 * afterwards. What has to be there is tested before. */
void nft_emit_fold_key(struct nft_rule *out, const struct fold_shape *shape);

/** The user data of the call of a chain: whether it divides runs, see fold_table.h. */
void nft_emit_write_call(bool divides, struct nft_udata *ret);

/** Read it back; true for a call that does not say. */
bool nft_emit_call_divides(struct nft_blob udata);

/** Append the set of @shape, called @name. */
void nft_emit_fold_set(const struct nft_emit *emit, const char *name,
	const struct fold_shape *shape, uint64_t cookie);

/** Append the rule that looks packets up in the set @name and drops what is found. 0 or
 * -ENOMEM. */
int nft_emit_fold_lookup(const struct nft_emit *emit, const char *name,
	const struct fold_shape *shape, uint64_t cookie);

/** The name of the set that a rule of nft_emit_fold_lookup() looks up. False when
 * @udata is not of such a rule. */
bool nft_emit_read_lookup(struct nft_blob udata, char ret_name[FOLD_SET_NAME_SIZE]);

/** The user data of the element that stands for @rule of the file @id: as of a rule,
 * with the id ahead of the text, which is cut to what then fits. */
void nft_emit_write_elem_tag(
	const struct ruleset_rule *rule, const char *id, struct nft_udata *ret);

/** The id in the user data of an element. False when there is none; nft_emit_read_tag()
 * reads the rest. */
bool nft_emit_read_id(struct nft_blob udata, char ret_id[NFT_EMIT_ID_SIZE]);
