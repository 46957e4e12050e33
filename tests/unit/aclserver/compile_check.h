/*
 * compile_check.h - helpers for the tests of the compiler: one line of policy in, the
 * dump of its kernel rules or the reason of its refusal out. Every rule that compiles
 * is also written out, compiled again and compared by hash.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aclserver/names.h"
#include "aclserver/ruleset.h"
#include "aclserver/ruleset_dump.h"

/* A compiled text. */
struct compiled {
	struct arena *arena;
	struct diags diags;
	struct ruleset_file file;
	int result;
};

static int
fake_service(const char *name, const char *proto, uint16_t *ret_port)
{
	static const struct {
		const char *name;
		const char *proto;
		uint16_t port;
	} services[] = {
		{ "ssh", "tcp", 22 },
		{ "bgp", "tcp", 179 },
		{ "bootps", "udp", 67 },
		{ "bootpc", "udp", 68 },
		{ "ntp", "udp", 123 },
	};

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(name, services[i].name) == 0 &&
			strcmp(proto, services[i].proto) == 0) {
			*ret_port = services[i].port;
			return 0;
		}
	return -ENOENT;
}

static int
fake_protocol(const char *name, uint8_t *ret_proto)
{
	if (strcmp(name, "hopopt") != 0)
		return -ENOENT;
	*ret_proto = 0;
	return 0;
}

static inline struct compiled
compile(const char *section, const char *rules, unsigned flags)
{
	static const struct names_source fake = { fake_service, fake_protocol, NULL };
	struct compiled c = { .arena = arena_new(0) };
	char *text;
	int len = asprintf(&text, "[%s]\n%s\n", section, rules);

	assert_true(len > 0);
	names_set_source(&fake);
	diags_init(&c.diags);
	c.result = policy_compile(
		"f", text, (size_t)len, NULL, flags, c.arena, &c.file, &c.diags);
	names_set_source(NULL);
	free(text);
	return c;
}

static inline void
compiled_done(struct compiled *c)
{
	diags_done(&c->diags);
	arena_free(c->arena);
}

/* All rules, one per line. Heap. */
static inline char *
compiled_dump(const struct compiled *c)
{
	char line[RULESET_DUMP_SIZE];
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < c->file.n_rules; i++) {
		ruleset_dump_rule(&c->file.rules[i], line, sizeof(line));
		fprintf(out, "%s\n", line);
	}
	fclose(out);
	return text;
}

/* All problems, one per line. Heap. */
static inline char *
compiled_problems(const struct compiled *c)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < c->diags.n; i++) {
		const struct diag *d = &c->diags.items[i];

		fprintf(out, "%d %s%s\n", d->line,
			d->severity == DIAG_WARNING ? "warning: " : "", d->reason);
	}
	fclose(out);
	return text;
}

/* The canonical text of each rule compiles to that rule again. */
static inline void
check_round_trip(const char *section, const struct compiled *c)
{
	for (size_t i = 0; i < c->file.n_rules; i++) {
		const struct ruleset_rule *rule = &c->file.rules[i];
		struct compiled again = compile(section, rule->text, 0);
		bool found = false;

		assert_int_equal(again.result, 0);
		for (size_t k = 0; k < again.file.n_rules; k++)
			found |= memcmp(&again.file.rules[k].hash, &rule->hash,
					 sizeof(rule->hash)) == 0;
		if (!found)
			print_error("\"%s\" does not compile to itself\n", rule->text);
		assert_true(found);
		compiled_done(&again);
	}
}

/* @rules compile without a problem to the rules that @expected dumps. */
static inline void
check_compiles(const char *section, const char *rules, const char *expected)
{
	struct compiled c = compile(section, rules, 0);
	char *problems = compiled_problems(&c);
	char *dump;

	assert_string_equal(problems, "");
	assert_int_equal(c.result, 0);
	dump = compiled_dump(&c);
	assert_string_equal(dump, expected);
	check_round_trip(section, &c);
	free(problems);
	free(dump);
	compiled_done(&c);
}

/* The terms of rule number @index of the base chain @base, without protocol and
 * counter. */
static inline void
check_base_terms(
	const struct compiled *c, const char *base, size_t index, const char *expected)
{
	char line[RULESET_DUMP_SIZE], wanted[RULESET_DUMP_SIZE];

	for (size_t i = 0; i < c->file.n_rules; i++) {
		const struct ruleset_rule *rule = &c->file.rules[i];

		ruleset_dump_place(rule->place, line, sizeof(line));
		if (strcmp(line, base) != 0 || index-- > 0)
			continue;
		ruleset_dump_rule(rule, line, sizeof(line));
		(void)snprintf(wanted, sizeof(wanted), "%s: l3proto == %s; %s%scounter",
			base,
			rule->section == POLICY_SECTION_IP6TABLES ? "0x86dd" : "0x0800",
			expected, *expected ? "; " : "");
		assert_string_equal(line, wanted);
		return;
	}
	fail_msg("no such rule in %s", base);
}

/* "-A FORWARD @options" tests @expected, for routed and for bridged packets alike, and
 * is written out as "-A FORWARD @text". */
static inline void
check_match(const char *section, const char *options, const char *expected,
	const char *text)
{
	struct compiled c;
	char *rule, *problems;

	assert_true(asprintf(&rule, "-A FORWARD %s", options) > 0);
	c = compile(section, rule, 0);
	problems = compiled_problems(&c);
	assert_string_equal(problems, "");
	assert_int_equal(c.file.n_rules, 2);
	check_base_terms(&c, "inet/filter_forward", 0, expected);
	check_base_terms(&c, "bridge/filter_forward", 0, expected);
	check_round_trip(section, &c);
	free(rule);
	assert_true(asprintf(&rule, "-A FORWARD%s%s", *text ? " " : "", text) > 0);
	assert_string_equal(c.file.rules[0].text, rule);
	free(rule);
	free(problems);
	compiled_done(&c);
}

/* "-A FORWARD @options" of [ebtables] tests @expected and is written out as "-A FORWARD
 * @text". */
static inline void
check_eb(const char *options, const char *expected, const char *text)
{
	char rule[256], dump[RULESET_DUMP_SIZE];
	struct compiled c;

	(void)snprintf(rule, sizeof(rule), "-A FORWARD %s", options);
	(void)snprintf(dump, sizeof(dump), "bridge/filter_forward eb: %s; counter\n",
		expected);
	check_compiles("ebtables", rule, dump);
	c = compile("ebtables", rule, 0);
	(void)snprintf(rule, sizeof(rule), "-A FORWARD %s", text);
	assert_string_equal(c.file.rules[0].text, rule);
	compiled_done(&c);
}

/* @rules give exactly @problems: "LINE reason" or "LINE warning: reason" lines; the
 * first rule is on line 2. */
static inline void
check_problems(
	const char *section, const char *rules, unsigned flags, const char *problems)
{
	struct compiled c = compile(section, rules, flags);
	char *text = compiled_problems(&c);

	assert_string_equal(text, problems);
	assert_int_equal(c.result, c.diags.errors ? -EINVAL : 0);
	free(text);
	compiled_done(&c);
}

/* The one line @rule is refused for @reason. */
static inline void
check_refused(const char *section, const char *rule, const char *reason)
{
	char *problems;

	assert_true(asprintf(&problems, "2 %s\n", reason) > 0);
	check_problems(section, rule, 0, problems);
	free(problems);
}
