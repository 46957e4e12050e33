/*
 * fuzz_compile.c - policy_compile() on arbitrary bytes: it compiles or says why not,
 * its result holds together, and the canonical text of every rule compiles to that very
 * rule again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/names.h"
#include "aclserver/ruleset.h"
#include "aclserver/ruleset_dump.h"
#include "tests/fuzz/fuzz.h"

enum {
	ARENA_LIMIT = 64 << 20,
	ROUND_TRIPS_MAX = 32, /* of one input; lists make many rules of few bytes */
};

/* Every name of three letters is a service. */
static int
fuzz_service(const char *name, const char *proto, uint16_t *ret_port)
{
	(void)proto;
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz") != 3 || name[3])
		return -ENOENT;
	*ret_port = (uint16_t)(name[0] << 8 | name[2]);
	return 0;
}

static int
fuzz_protocol(const char *name, uint8_t *ret_proto)
{
	(void)name;
	(void)ret_proto;
	return -ENOENT;
}

static const struct names_source names = { fuzz_service, fuzz_protocol, NULL };

static int
compile(const char *text, size_t len, unsigned flags, struct arena *arena,
	struct ruleset_file *ret)
{
	struct diags diags;
	int result;

	diags_init(&diags);
	result = policy_compile("fuzz", text, len, NULL, flags, arena, ret, &diags);
	if (result != 0 && result != -EINVAL && result != -ENOMEM)
		abort();
	if ((result == -EINVAL) != (diags.errors > 0) && result != -ENOMEM)
		abort();
	for (size_t i = 0; i < diags.n; i++)
		if (!*diags.items[i].reason || strchr(diags.items[i].reason, '\n'))
			abort();
	diags_done(&diags);
	return result;
}

static void
check_round_trip(const struct ruleset_rule *rule)
{
	static const char *const sections[] = { "iptables", "ip6tables", "ebtables" };
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct ruleset_file file;
	bool found = false;
	char *text;
	int len;

	len = asprintf(&text, "[%s]\n%s\n", sections[rule->section], rule->text);
	if (!arena || len < 0 || compile(text, (size_t)len, 0, arena, &file) != 0)
		abort();
	for (size_t i = 0; i < file.n_rules; i++)
		found |= memcmp(&file.rules[i].hash, &rule->hash, sizeof(rule->hash)) ==
			 0;
	if (!found)
		abort();
	free(text);
	arena_free(arena);
}

static void
check_file(const struct ruleset_file *file)
{
	char line[RULESET_DUMP_SIZE];
	size_t n = 0;

	for (int place = 0; place < PLACE_COUNT; place++) {
		if (file->first[place] != n)
			abort();
		n += file->count[place];
	}
	if (n != file->n_rules)
		abort();
	for (size_t i = 0; i < n; i++) {
		ruleset_dump_rule(&file->rules[i], line, sizeof(line));
		if (!*line)
			abort();
		/* What a rule of -m recent becomes depends on the others. */
		if (i < ROUND_TRIPS_MAX && !strstr(file->rules[i].text, "-m recent"))
			check_round_trip(&file->rules[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_LIMIT);
	struct ruleset_file file;

	if (!arena)
		return 0;
	names_set_source(&names);
	if (compile((const char *)data, size, COMPILE_STRICT, arena, &file) == 0)
		check_file(&file);
	arena_free(arena);
	arena = arena_new(ARENA_LIMIT);
	if (arena && compile((const char *)data, size, 0, arena, &file) == 0)
		check_file(&file);
	arena_free(arena);
	return 0;
}
