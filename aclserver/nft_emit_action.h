/*
 * nft_emit_action.h - what a rule does, as nftables expressions. Private to the
 * emitter: nft_emit.c calls it for every term that is neither test nor counter.
 */
#pragma once

#include "aclserver/ruleset.h"
#include "common/err.h"
#include "common/nft_expr.h"

/**
 * Append @term to @out, a rule of a table of @family.
 * Returns  0; -EOPNOTSUPP (the family cannot do it) or -EINVAL (a malformed model) with
 * the reason in @err
 */
int nft_emit_action(struct nft_rule *out, uint8_t family,
	const struct ruleset_term *term, struct err *err);
