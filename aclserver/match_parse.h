/*
 * match_parse.h - values that several matches take: addresses, MAC addresses, ports,
 * ranges of numbers. Each function takes the first value of an option, adds the test
 * and sets the canonical text. Returns 0, -EINVAL with the reason in rule->err, or
 * -ENOMEM. Pure.
 */
#pragma once

#include "aclserver/rule.h"

/** Address or network of @family (AF_INET, AF_INET6) for @field. One that every packet
 * has is left out of the rule. */
int match_add_address(
	struct rule *rule, struct option_use *use, int family, enum field field);

/** MAC, MAC/MASK, or a name: Unicast, Multicast, Broadcast, BGA. */
int match_add_mac(struct rule *rule, struct option_use *use, enum field field);

/** Port or range of ports, by number or by name; the names are those of rule->l4proto.
 */
int match_add_ports(struct rule *rule, struct option_use *use, enum field field);

/** "TYPE[:TYPE][/CODE[:CODE]]" or a name; @field is FIELD_ICMP_TYPE or
 * FIELD_ICMP6_TYPE.
 */
int match_add_icmp_ranges(struct rule *rule, struct option_use *use, enum field field);

/** "5", "5:9", ":9", "5:" of numbers from 0 to @max; 0 or -EINVAL. */
int match_parse_range(
	const char *text, uint32_t max, uint32_t *ret_lo, uint32_t *ret_hi);

/** Such a range, the first number not above the last. */
int match_add_range(
	struct rule *rule, struct option_use *use, enum field field, uint32_t max);

/** A number as ebtables writes it: hexadecimal with or without 0x. 0 or -EINVAL. */
int match_parse_hex(const char *text, uint32_t max, uint32_t *ret);
