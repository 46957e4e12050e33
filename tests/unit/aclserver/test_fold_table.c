/*
 * test_fold_table.c - random changes of files, compared with a model that computes runs
 * and owners from scratch, and with a kernel of two arrays that only gets the
 * differences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aclserver/fold_table.h"

enum {
	FILES = 12,
	SHAPES = 2,
	KEYS = 5,
	VARIANTS = 2, /* rules of the same key and another content */
	RULES = SHAPES * KEYS * VARIANTS,
	RULES_PER_FILE = 4,
	ROUNDS = 4000,
	LINES = 256,
	LINE_SIZE = 128,
	KERNEL_MAX = 256,
};

static const enum place place = BASE_INET_FORWARD_FILTER * PLACE_GROUP_COUNT;

/* ---- rules ---- */

static struct ruleset_rule rules[RULES];
static struct ruleset_term terms[RULES][3];
static struct ruleset_range ranges[RULES];

static void
make_rules(void)
{
	for (uint8_t i = 0; i < RULES; i++) {
		uint8_t key = i / VARIANTS;

		ranges[i].lo[3] = ranges[i].hi[3] = key % KEYS;
		terms[i][0].kind = TERM_TEST;
		terms[i][0].test = (struct ruleset_test){
			.field = key / KEYS ? FIELD_IP_DADDR : FIELD_IP_SADDR,
			.ranges = &ranges[i],
			.n_ranges = 1,
		};
		terms[i][1].kind = TERM_COUNTER;
		terms[i][2].kind = TERM_VERDICT;
		terms[i][2].verdict = RULESET_VERDICT_DROP;
		rules[i] = (struct ruleset_rule){
			.place = place,
			.terms = terms[i],
			.n_terms = 3,
			.hash = { { (uint64_t)i + 1, 7 } },
			.line = i + 1,
			.text = "-A FORWARD -j DROP",
		};
	}
}

/* ---- the model ---- */

struct model_file {
	bool has_chain, divides;
	size_t n;
	uint8_t rules[RULES_PER_FILE]; /* indices, ascending */
};

struct text {
	char lines[LINES][LINE_SIZE];
	size_t n;
};

static int
compare_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
sort_text(struct text *t)
{
	qsort(t->lines, t->n, LINE_SIZE, compare_text);
}

/* "run shape key: file.rule file.rule …" for one key of one run. */
static void
model_key(const struct model_file *files, size_t from, size_t to, size_t run,
	size_t key, struct text *ret)
{
	char *line = ret->lines[ret->n];
	size_t len = (size_t)snprintf(
		line, LINE_SIZE, "%zu %zu %zu:", run, key / KEYS, key % KEYS);
	size_t owners = 0;

	for (size_t f = from; f < to; f++)
		for (size_t i = 0; i < files[f].n; i++) {
			if (files[f].rules[i] / VARIANTS != key)
				continue;
			owners++;
			len += (size_t)snprintf(line + len, LINE_SIZE - len, " %zu.%u",
				f, files[f].rules[i]);
		}
	assert_true(ret->n + 1 < LINES);
	ret->n += owners > 0;
}

static void
model_text(const struct model_file *files, struct text *ret)
{
	size_t from = 0, run = 0, chains = 0;

	ret->n = 0;
	for (size_t f = 0; f <= FILES; f++) {
		chains += f < FILES && files[f].has_chain;
		if (f < FILES && !(files[f].has_chain && files[f].divides))
			continue;
		for (size_t key = 0; key < SHAPES * KEYS; key++)
			model_key(files, from, f, run, key, ret);
		from = f + 1;
		run = chains;
	}
	sort_text(ret);
}

/* ---- the table ---- */

struct fixture {
	struct fold_table table;
	struct acl_file files[FILES];
	char names[FILES][8];
	/* What a kernel that gets all messages holds. */
	struct {
		char set[FOLD_SET_NAME_SIZE];
		uint8_t key;
		uint64_t owner; /* 100 * file + rule */
	} kernel[KERNEL_MAX];
	size_t n_kernel;
};

static size_t
file_index(const struct fixture *f, const struct acl_file *file)
{
	return (size_t)(file - f->files);
}

static void
table_elem(
	struct fixture *f, size_t run, const struct fold_elem *elem, struct text *ret)
{
	char *line = ret->lines[ret->n];
	size_t len = (size_t)snprintf(line, LINE_SIZE, "%zu %d %u:", run,
		elem->set->shape.parts[0].field == FIELD_IP_DADDR, elem->key[3]);

	for (const struct fold_owner *o = elem->owners; o; o = o->next) {
		assert_ptr_equal(o->elem, elem);
		len += (size_t)snprintf(line + len, LINE_SIZE - len, " %zu.%u",
			file_index(f, o->file), (unsigned)o->hash.w[0] - 1);
	}
	assert_true(ret->n + 1 < LINES);
	ret->n += elem->owners != NULL;
}

static void
table_text(struct fixture *f, struct text *ret)
{
	const struct fold_place *p = &f->table.places[place];

	ret->n = 0;
	for (size_t i = 0; p->runs && i <= p->n; i++)
		for (const struct fold_set *set = p->runs[i] ? p->runs[i]->sets : NULL;
			set; set = set->next)
			for (const struct fold_elem *e = set->elems; e; e = e->next)
				table_elem(f, i, e, ret);
	sort_text(ret);
}

static void
assert_same_text(const struct text *a, const struct text *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		assert_string_equal(a->lines[i], b->lines[i]);
	assert_int_equal(a->n, b->n);
}

static uint64_t
owner_number(const struct fixture *f, const struct fold_owner *owner)
{
	return 100 * file_index(f, owner->file) + owner->hash.w[0] - 1;
}

/* ---- the kernel ---- */

static size_t
kernel_find(const struct fixture *f, const struct fold_elem *elem)
{
	size_t i = 0;

	while (i < f->n_kernel && (strcmp(f->kernel[i].set, elem->set->name) != 0 ||
					  f->kernel[i].key != elem->key[3]))
		i++;
	return i;
}

/* What fold_batch.c sends. */
static void
kernel_apply(struct fixture *f)
{
	for (size_t i = 0; i < f->table.n_dirty; i++) {
		const struct fold_elem *elem = f->table.dirty[i];
		size_t at = kernel_find(f, elem);

		if (fold_elem_is_current(elem))
			continue;
		assert_int_equal(elem->in_kernel, at < f->n_kernel);
		if (at < f->n_kernel)
			f->kernel[at] = f->kernel[--f->n_kernel];
		if (!elem->owners)
			continue;
		assert_true(f->n_kernel < KERNEL_MAX);
		f->kernel[f->n_kernel].key = elem->key[3];
		f->kernel[f->n_kernel].owner = owner_number(f, elem->owners);
		memcpy(f->kernel[f->n_kernel++].set, elem->set->name,
			sizeof(elem->set->name));
	}
	for (size_t i = 0; i < f->table.n_dirty_sets; i++)
		if (!f->table.dirty_sets[i]->in_kernel)
			f->table.dirty_sets[i]->new_rule = 1;
}

static void
assert_only_one(const struct fixture *f, const struct fold_set *one)
{
	for (const struct fold_run *run = f->table.runs; run; run = run->next)
		for (const struct fold_set *set = run->sets; set; set = set->next)
			assert_true(set == one || strcmp(set->name, one->name) != 0);
}

/* Every element is in the kernel, with its first owner, in its own set. */
static void
assert_kernel(struct fixture *f)
{
	size_t n = 0;

	for (const struct fold_run *run = f->table.runs; run; run = run->next) {
		assert_non_null(run->sets);
		for (const struct fold_set *set = run->sets; set; set = set->next) {
			assert_true(set->in_kernel);
			assert_int_equal(set->rule, 1);
			assert_only_one(f, set);
			for (const struct fold_elem *e = set->elems; e; e = e->next) {
				size_t at = kernel_find(f, e);

				n++;
				assert_true(at < f->n_kernel);
				assert_true(f->kernel[at].owner ==
					    owner_number(f, e->owners));
			}
		}
	}
	assert_int_equal(n, f->n_kernel);
	assert_int_equal(n, f->table.n_elems);
	assert_int_equal(f->table.n_dirty, 0);
	assert_int_equal(f->table.n_dirty_sets, 0);
}

/* ---- changes ---- */

static void
pick_rules(struct model_file *file, unsigned *seed)
{
	uint32_t picked = 0;

	file->n = 0;
	for (int i = rand_r(seed) % (RULES_PER_FILE + 1); i > 0; i--)
		picked |= 1u << rand_r(seed) % RULES;
	for (uint8_t i = 0; i < RULES; i++)
		if (picked & 1u << i)
			file->rules[file->n++] = i;
}

static void
change_model(struct model_file *file, unsigned *seed)
{
	*file = (struct model_file){
		.has_chain = rand_r(seed) % 3 == 0,
		.divides = rand_r(seed) % 2 == 0,
	};
	if (!file->has_chain)
		pick_rules(file, seed);
}

/* As fold_batch_stage() does for one file. */
static void
change_table(struct fixture *f, size_t index, const struct model_file *want)
{
	struct acl_file *file = &f->files[index];
	struct ruleset_rule list[RULES_PER_FILE];

	for (size_t i = 0; i < want->n; i++)
		list[i] = rules[want->rules[i]];
	if (want->has_chain) {
		assert_int_equal(
			fold_table_set_rules(&f->table, file, place, NULL, 0, 0), 0);
		assert_int_equal(
			fold_table_add_chain(&f->table, place, file, want->divides), 0);
		return;
	}
	assert_int_equal(fold_table_remove_chain(&f->table, place, file), 0);
	assert_int_equal(
		fold_table_set_rules(&f->table, file, place, list, want->n, 5), 0);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_rules();
	fold_table_init(&f->table);
	for (size_t i = 0; i < FILES; i++) {
		snprintf(f->names[i], sizeof(f->names[i]), "f%02zu", i);
		f->files[i].key.name = f->names[i];
		f->files[i].id = f->names[i];
	}
	*state = f;
	return f ? 0 : -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	fold_table_done(&f->table);
	free(f);
	return 0;
}

/* ---- tests ---- */

static void
random_changes_are_as_the_model_says(void **state)
{
	struct fixture *f = *state;
	struct model_file now[FILES] = { 0 }, next[FILES];
	struct text *want = calloc(2, sizeof(*want)), *have = want + 1;
	unsigned seed = 3;

	for (int round = 0; round < ROUNDS; round++) {
		memcpy(next, now, sizeof(next));
		for (int n = 1 + rand_r(&seed) % 4; n > 0; n--) {
			size_t index = (size_t)rand_r(&seed) % FILES;

			change_model(&next[index], &seed);
			change_table(f, index, &next[index]);
		}
		model_text(next, want);
		table_text(f, have);
		assert_same_text(have, want);
		if (rand_r(&seed) % 3 == 0) {
			fold_table_revert(&f->table);
		} else {
			kernel_apply(f);
			fold_table_accept(&f->table);
			memcpy(now, next, sizeof(now));
		}
		model_text(now, want);
		table_text(f, have);
		assert_same_text(have, want);
		assert_kernel(f);
	}
	free(want);
}

static void
what_does_not_change_makes_no_difference(void **state)
{
	const struct model_file file = { .n = 2, .rules = { 0, 7 } };
	struct fixture *f = *state;

	change_table(f, 3, &file);
	assert_int_equal(f->table.n_dirty, 2);
	kernel_apply(f);
	fold_table_accept(&f->table);
	change_table(f, 3, &file);
	assert_int_equal(f->table.n_dirty, 0);
	assert_int_equal(f->table.n_dirty_sets, 0);
	assert_int_equal(f->table.n_steps, 0);
}

static void
differences_are_seen_by_content(void **state)
{
	const struct model_file model = { .n = 2, .rules = { 0, 7 } };
	struct ruleset_rule list[] = { rules[7], rules[0] };
	struct ruleset_file file = { .rules = list, .n_rules = 2 };
	struct fixture *f = *state;

	file.count[place] = 2;
	assert_true(fold_table_differs(&f->files[3], place, &file));
	change_table(f, 3, &model);
	assert_false(fold_table_differs(&f->files[3], place, &file));
	assert_true(fold_table_differs(&f->files[3], place, NULL));
	assert_false(fold_table_differs(&f->files[4], place, NULL));
	list[0] = rules[6];
	assert_true(fold_table_differs(&f->files[3], place, &file));
	file.count[place] = 1;
	assert_true(fold_table_differs(&f->files[3], place, &file));
}

/* A set of the kernel with one element of @file. */
static void
adopt_one(struct fixture *f, size_t file, uint8_t rule, uint32_t run, size_t index)
{
	struct fold_name name = { .place = place, .run = run };
	struct fold_adopted about = {
		.file = &f->files[file],
		.hash = rules[rule].hash,
		.line = rules[rule].line,
	};
	struct fold_shape shape;
	struct fold_key key;
	struct fold_set *set;

	assert_true(fold_rule(&rules[rule], &shape, &key));
	name.shape = fold_shape_hash(&shape);
	about.key = key.bytes;
	set = fold_table_adopt_set(&f->table, &name, &shape, 1, index);
	assert_non_null(set);
	assert_int_equal(fold_table_adopt_elem(&f->table, set, &about), 0);
	assert_true(f->n_kernel < KERNEL_MAX);
	f->kernel[f->n_kernel].key = key.bytes[3];
	f->kernel[f->n_kernel].owner = 100 * file + rule;
	memcpy(f->kernel[f->n_kernel++].set, set->name, sizeof(set->name));
}

static void
what_is_adopted_in_its_place_is_no_difference(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		fold_table_adopt_chain(&f->table, place, &f->files[4], true), 0);
	adopt_one(f, 2, 0, 1, 0);
	adopt_one(f, 3, 10, 1, 0);
	adopt_one(f, 5, 0, 2, 1);
	fold_table_revert(&f->table);
	assert_kernel(f);
	/* The same as an earlier one's: the kernel has it under that name. */
	assert_int_equal(fold_table_adopt_duplicates(
				 &f->table, &f->files[3], place, &rules[1], 1),
		0);
	assert_non_null(f->files[3].owners);
	assert_kernel(f);
}

static void
lost_elements_move_to_where_their_files_are(void **state)
{
	struct model_file model[FILES] = { 0 };
	struct text *want = calloc(2, sizeof(*want)), *have = want + 1;
	struct fixture *f = *state;

	assert_int_equal(
		fold_table_adopt_chain(&f->table, place, &f->files[4], true), 0);
	adopt_one(f, 2, 0, 1, 0);
	adopt_one(f, 5, 2, 1, SIZE_MAX);
	adopt_one(f, 3, 4, 3, 0); /* a second set of the shape in the run */
	adopt_one(f, 2, 10, 4, 0);
	fold_table_revert(&f->table);
	assert_int_equal(fold_table_rescue(&f->table), 0);
	model[4].has_chain = model[4].divides = true;
	model[2] = (struct model_file){ .n = 2, .rules = { 0, 10 } };
	model[3] = (struct model_file){ .n = 1, .rules = { 4 } };
	model[5] = (struct model_file){ .n = 1, .rules = { 2 } };
	model_text(model, want);
	table_text(f, have);
	assert_same_text(have, want);
	kernel_apply(f);
	fold_table_accept(&f->table);
	assert_kernel(f);
	free(want);
}

static void
elements_of_nobody_and_empty_sets_go(void **state)
{
	struct fixture *f = *state;
	struct fold_name name = { .place = place, .run = 1 };
	struct fold_shape shape;
	struct fold_key key;
	struct fold_set *set;

	assert_true(fold_rule(&rules[0], &shape, &key));
	name.shape = fold_shape_hash(&shape);
	set = fold_table_adopt_set(&f->table, &name, &shape, 1, SIZE_MAX);
	assert_non_null(set);
	fold_table_revert(&f->table);
	assert_int_equal(f->table.n_dirty_sets, 1);
	assert_int_equal(fold_table_adopt_elem(&f->table, set,
				 &(struct fold_adopted){ .key = key.bytes }),
		0);
	fold_table_revert(&f->table);
	assert_int_equal(f->table.n_dirty, 1);
	assert_true(set->in_kernel && set->n_live == 0);
	fold_table_accept(&f->table);
	assert_int_equal(f->table.n_elems, 0);
	assert_null(f->table.runs);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(random_changes_are_as_the_model_says),
		CASE(what_does_not_change_makes_no_difference),
		CASE(differences_are_seen_by_content),
		CASE(what_is_adopted_in_its_place_is_no_difference),
		CASE(lost_elements_move_to_where_their_files_are),
		CASE(elements_of_nobody_and_empty_sets_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
