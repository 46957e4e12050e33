/*
 * test_committer_fold_random.c - random changes of many files, restarts and
 * disturbances: after each commit the kernel holds just what the files say, in their
 * order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aclserver/committer_fixture.h"

enum {
	RANDOM_ROUNDS = 150,
	RANDOM_FILES = 16,
	NAME_SIZE = 32,
	LINES_MAX = 512,
	LINE_SIZE = 160
};

/* ---- what the files say ---- */

/* Lines "place id text". Those of one run in byte order: an element knows no order. */
struct listing {
	char lines[LINES_MAX][LINE_SIZE];
	size_t n;
	size_t run; /* where the run under way begins */
};

static int
compare_line(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
end_run(struct listing *l)
{
	qsort(l->lines[l->run], l->n - l->run, LINE_SIZE, compare_line);
	l->run = l->n;
}

static void
list_rule(struct listing *l, enum place place, const char *id, const char *text,
	bool folded)
{
	if (!folded)
		end_run(l);
	assert_true(l->n < LINES_MAX);
	snprintf(l->lines[l->n++], LINE_SIZE, "%d %s %s", (int)place, id, text);
	if (!folded)
		l->run = l->n;
}

/* A run stands ahead of the chains that do not divide it. */
struct expected {
	struct listing list;
	struct listing behind; /* those chains */
	/* keys of the run under way */
	struct {
		uint64_t shape;
		struct fold_key key;
	} seen[LINES_MAX];
	size_t n_seen;
};

static bool
is_seen(struct expected *e, const struct ruleset_rule *rule)
{
	struct fold_shape shape;
	struct fold_key key;

	assert_true(fold_rule(rule, &shape, &key));
	for (size_t i = 0; i < e->n_seen; i++)
		if (e->seen[i].shape == fold_shape_hash(&shape) &&
			memcmp(&e->seen[i].key, &key, sizeof(key)) == 0)
			return true;
	e->seen[e->n_seen].shape = fold_shape_hash(&shape);
	e->seen[e->n_seen++].key = key;
	return false;
}

static void
end_region(struct expected *e)
{
	end_run(&e->list);
	assert_true(e->list.n + e->behind.n <= LINES_MAX);
	memcpy(e->list.lines[e->list.n], e->behind.lines, e->behind.n * LINE_SIZE);
	e->list.n += e->behind.n;
	e->list.run = e->list.n;
	e->behind.n = e->behind.run = 0;
	e->n_seen = 0;
}

static void
expect_place(struct expected *e, const char *id, const struct ruleset_file *file,
	enum place place)
{
	bool is_rest = strncmp(id, "50rest-", 7) == 0;
	bool folds = is_rest && fold_place(file, place);
	bool divides = file->count[place] > 0 && !folds &&
		       (!is_rest || fold_divides(file, place));

	if (divides)
		end_region(e);
	for (size_t i = 0; i < file->count[place]; i++) {
		const struct ruleset_rule *rule = &file->rules[file->first[place] + i];

		if (folds && is_seen(e, rule))
			continue;
		list_rule(folds || divides ? &e->list : &e->behind, place, id,
			rule->text, folds);
	}
}

static void
expect_file(struct expected *e, const char name[NAME_SIZE], enum place place)
{
	struct arena *arena = arena_new(0);
	struct ruleset_file file;
	char path[PATH_SIZE], id[64], text[4096];
	struct diags diags;
	FILE *f;
	size_t len;

	snprintf(path, sizeof(path), "%s/policy.d/%.*s", dir, NAME_SIZE, name);
	f = fopen(path, "r");
	if (f) {
		len = fread(text, 1, sizeof(text), f);
		fclose(f);
		diags_init(&diags);
		assert_int_equal(
			policy_compile(path, text, len, NULL, 0, arena, &file, &diags),
			0);
		diags_done(&diags);
		snprintf(id, sizeof(id), "%.*s", (int)strcspn(name, "."), name);
		expect_place(e, id, &file, place);
	}
	arena_free(arena);
}

/* Place by place, in the order of packets: what the files say, and what is there. */
static void
assert_is_as_files_say(char names[][NAME_SIZE], size_t n)
{
	struct expected *want = calloc(1, sizeof(*want));
	struct listing *have = calloc(1, sizeof(*have));
	struct kernel_rules rules;
	struct err err;
	struct nft *nft = nft_open(&err);

	assert_int_equal(kernel_rules_read(nft, &rules, &err), 0);
	for (int place = 0; place < PLACE_COUNT; place++) {
		for (size_t i = 0; i < n; i++)
			expect_file(want, names[i], (enum place)place);
		end_region(want);
		for (size_t i = 0; i < rules.n; i++)
			if ((int)rules.items[i].place == place)
				list_rule(have, (enum place)place, rules.items[i].id,
					rules.items[i].tag.text, rules.items[i].elem);
		end_run(have);
	}
	for (size_t i = 0; i < have->n && i < want->list.n; i++)
		assert_string_equal(have->lines[i], want->list.lines[i]);
	assert_int_equal(have->n, want->list.n);
	kernel_rules_done(&rules);
	nft_close(nft);
	free(have);
	free(want);
}

/* ---- changes ---- */

/* Mostly rules that fold, of few keys, so that files share them; sometimes rules that
 * divide; sometimes gone. */
static void
change_at_random(const char *name, unsigned *seed)
{
	static const struct {
		const char *before, *after; /* of a number */
	} lines[] = {
		{ "[iptables]\n-A FORWARD -s 10.0.0.", "/32 -j DROP\n" },
		{ "[iptables]\n-A FORWARD -s 10.0.", ".0/24 -j DROP\n" },
		{ "[iptables]\n-A FORWARD -i swp+ -p udp --sport ", " -j DROP\n" },
		{ "[iptables]\n-A FORWARD,OUTPUT -p udp --sport ", " -j DROP\n" },
		{ "[ip6tables]\n-A FORWARD -s 2001:db8::", "/128 -j DROP\n" },
		{ "[ebtables]\n-A FORWARD -s 02:00:00:00:00:", " -j DROP\n" },
		/* a chain, but one that only drops */
		{ "[iptables]\n-A FORWARD -p udp -m multiport --dports 53,1",
			" -j DROP\n" },
		{ "[iptables]\n-A FORWARD -s 10.0.0.", "/32 -j ACCEPT\n" },
	};
	static const size_t most_of[] = { 6, 6, 7, 8 };
	size_t most = most_of[rand_r(seed) % 4];
	char text[1024] = "";
	size_t len = 0;

	if (rand_r(seed) % 4 == 0) {
		remove_file(name);
		return;
	}
	for (int n = 1 + rand_r(seed) % 4; n > 0; n--) {
		size_t pick = (size_t)rand_r(seed) % most;

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d%s",
			lines[pick].before, 10 + rand_r(seed) % 6, lines[pick].after);
	}
	write_file(name, text);
}

/* Somebody disturbs our bases, behind which sets and chains stay. */
static void
disturb(unsigned *seed)
{
	static const char *const commands[] = {
		"nft flush chain inet tapgate filter_forward",
		"nft flush chain bridge tapgate filter_forward",
		"nft delete table bridge tapgate",
		"nft flush chain inet tapgate filter_output",
		"nft add rule inet tapgate filter_forward counter",
	};
	const char *ignored;

	(void)nft_env_run(
		commands[rand_r(seed) % (sizeof(commands) / sizeof(commands[0]))],
		&ignored); /* may not be there */
}

/* What makes a commit look at everything: an operator's bad file, a restart. */
static struct committer *
interrupt(struct committer *c, unsigned *seed)
{
	switch (rand_r(seed) % 12) {
	case 0:
		write_file("99op.rules", "[iptables]\n-A FORWARD --bogus\n");
		assert_int_equal(commit_file(c, "99op.rules", COMMIT_POLICY_ERROR), 0);
		remove_file("99op.rules");
		break;
	case 1:
		disturb(seed);
		/* fall through */
	case 2:
		committer_free(c);
		c = new_committer();
		break;
	}
	return c;
}

static void
whatever_changes_the_kernel_holds_what_the_files_say(void **state)
{
	struct committer *c = new_committer();
	char names[RANDOM_FILES][NAME_SIZE];
	char policy_d[PATH_SIZE];
	unsigned seed = 11;

	(void)state;
	snprintf(policy_d, sizeof(policy_d), "%s/policy.d", dir);
	/* Operators' before and behind those that fold. */
	for (int i = 0; i < RANDOM_FILES; i++)
		snprintf(names[i], sizeof(names[i]), "%s%02d.rules",
			i == 0                  ? "30op"
			: i == RANDOM_FILES - 1 ? "60op"
						: "50rest-f",
			i);
	commit(c, COMMIT_ALL, COMMIT_OK);
	for (int round = 0; round < RANDOM_ROUNDS; round++) {
		for (int n = 1 + rand_r(&seed) % 4; n > 0; n--) {
			const char *name = names[rand_r(&seed) % RANDOM_FILES];

			change_at_random(name, &seed);
			committer_changed(c, policy_d, name);
		}
		c = interrupt(c, &seed);
		commit(c, COMMIT_CHANGED, COMMIT_OK);
		assert_is_as_files_say(names, RANDOM_FILES);
		assert_adopts();
	}
	committer_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			whatever_changes_the_kernel_holds_what_the_files_say, setup),
	};

	return RUN_WITH_POLICY(tests);
}
