/*
 * member_rules.h - rules that name a member of a bond see nothing, as its packets come
 * and go by the bond: said once per file and member. Pure.
 */
#pragma once

#include "aclserver/bridge_links.h"
#include "aclserver/diag.h"
#include "aclserver/ruleset.h"

/** Add a warning to @diags for each member of a bond that rules of @file name, with the
 * first of those rules. Copies of frames (SPAN) are made at the port itself and not
 * meant. 0 or -ENOMEM. @path is for messages. */
int member_rules_warn(const struct ruleset_file *file, const struct bridge_links *links,
	const char *path, struct diags *diags);
