/*
 * ruleset_dump.h - a compiled rule as one line of text, for tests: neither program
 * calls it.
 *
 *   inet/filter_forward: l3proto == 0x0800; ip saddr in 10.0.0.0-10.0.0.255; counter;
 * drop
 *
 * Not a language: nothing reads it back. Pure.
 */
#pragma once

#include <stddef.h>

#include "aclserver/ruleset.h"

/** Longest line, NUL included; what is longer ends in "...". */
enum { RULESET_DUMP_SIZE = 4096 };

/** "family/base" of @place, with " eb" behind it for the group of ebtables rules. */
void ruleset_dump_place(enum place place, char *ret, size_t size);

/** The line for @rule, without newline. */
void ruleset_dump_rule(const struct ruleset_rule *rule, char *ret, size_t size);
