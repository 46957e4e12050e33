/*
 * dscp_name.h - DiffServ classes by name, for the dscp match and the targets that set
 * it. Pure.
 */
#pragma once

#include "aclserver/rule.h"

/** "--dscp 46", decimal or 0x hexadecimal, 0..63. Sets use->text to the form that
 * iptables -S prints. */
int dscp_name_parse_number(
	struct rule *rule, struct option_use *use, uint8_t *ret_dscp);

/** "--dscp-class AF11": EF, BE, CS0..CS7, AF11..AF43, any case. */
int dscp_name_parse_class(struct rule *rule, struct option_use *use, uint8_t *ret_dscp);
