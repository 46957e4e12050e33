/*
 * fold_change.c - changes of the folded rules, each with what undoes it; see
 * fold_table.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "aclserver/fold_internal.h"

enum { STEPS_KEEP = 1024 };

/* Room for the step comes before the change, so that every change can be undone. */
static struct fold_step *
next_step(struct fold_table *table)
{
	if (table->n_steps == table->size_steps) {
		size_t size = table->size_steps ? 2 * table->size_steps : 64;
		struct fold_step *grown =
			reallocarray(table->steps, size, sizeof(*grown));

		if (!grown)
			return NULL;
		table->steps = grown;
		table->size_steps = size;
	}
	return &table->steps[table->n_steps];
}

/* A new run needs the arrays, which a place without chains does not have yet. */
static struct fold_run *
run_of(struct fold_table *table, enum place place, const struct acl_file *file)
{
	struct fold_place *p = &table->places[place];
	size_t index = fold_table_run_index(table, place, file);

	if (fold_place_reserve(p) < 0)
		return NULL;
	if (!p->runs[index])
		p->runs[index] = fold_run_new(table, place, p->last_number + 1);
	return p->runs[index];
}

static struct fold_set *
set_of(struct fold_table *table, struct fold_run *run, const struct fold_shape *shape,
	uint64_t hash)
{
	struct fold_place *place = &table->places[run->place];
	struct fold_set *set = fold_set_find(run, hash);

	if (set)
		return set;
	set = fold_set_new(
		run, shape, place->is_mixed ? ++place->last_number : run->number);
	if (!set)
		return NULL;
	(void)fold_mark_set(table, set); /* its first element tries again */
	return set;
}

/* ---- owners ---- */

static int
remove_owner(struct fold_table *table, struct fold_owner *owner)
{
	struct fold_step *step = next_step(table);

	if (!step || fold_mark(table, owner->elem) < 0)
		return -ENOMEM;
	*step = (struct fold_step){ .kind = FOLD_STEP_REMOVE, .owner = owner };
	table->n_steps++;
	fold_unlink(owner);
	fold_unlink_file(owner);
	return 0;
}

static int
move_owner(struct fold_table *table, struct fold_owner *owner, struct fold_run *to)
{
	struct fold_elem *from = owner->elem;
	struct fold_set *set = set_of(table, to, &from->set->shape, from->set->hash);
	struct fold_elem *elem = set ? fold_elem_get(table, set, from->key) : NULL;
	struct fold_step *step = next_step(table);

	if (!elem || !step || fold_mark(table, elem) < 0 || fold_mark(table, from) < 0)
		return -ENOMEM;
	*step = (struct fold_step){
		.kind = FOLD_STEP_MOVE,
		.owner = owner,
		.elem = from,
	};
	table->n_steps++;
	fold_unlink(owner);
	fold_link(owner, elem);
	return 0;
}

static int
add_owner(struct fold_table *table, struct fold_elem *elem, struct acl_file *file,
	const struct ruleset_rule *rule, uint64_t cookie)
{
	struct fold_step *step = next_step(table);
	struct fold_owner *owner = fold_owner_of_rule(file, rule);

	if (!owner || !step || fold_mark(table, elem) < 0) {
		free(owner);
		return -ENOMEM;
	}
	*step = (struct fold_step){ .kind = FOLD_STEP_ADD, .owner = owner };
	table->n_steps++;
	owner->cookie = cookie;
	owner->seen = table->generation;
	fold_link(owner, elem);
	fold_link_file(owner);
	return 0;
}

static int
want_rule(struct fold_table *table, struct acl_file *file,
	const struct ruleset_rule *rule, uint64_t cookie)
{
	struct fold_shape shape;
	struct fold_owner *owner;
	struct fold_elem *elem;
	struct fold_run *run;
	struct fold_set *set;
	struct fold_key key;

	if (!fold_rule(rule, &shape, &key))
		return -EINVAL;
	run = run_of(table, rule->place, file);
	set = run ? set_of(table, run, &shape, fold_shape_hash(&shape)) : NULL;
	elem = set ? fold_elem_get(table, set, key.bytes) : NULL;
	if (!elem)
		return -ENOMEM;
	if (!set->in_kernel && set->n_live == 0)
		set->cookie = cookie;
	owner = fold_owner_find(table, elem, file, rule);
	if (!owner)
		return add_owner(table, elem, file, rule, cookie);
	owner->seen = table->generation;
	return 0;
}

int
fold_table_set_rules(struct fold_table *table, struct acl_file *file, enum place place,
	const struct ruleset_rule *rules, size_t n, uint64_t cookie)
{
	struct fold_owner *next;
	int r = 0;

	table->generation++;
	for (size_t i = 0; i < n && r == 0; i++)
		r = want_rule(table, file, &rules[i], cookie + i);
	for (struct fold_owner *o = file->owners; o && r == 0; o = next) {
		next = o->file_next;
		if (o->elem->set->run->place == place && o->seen != table->generation)
			r = remove_owner(table, o);
	}
	return r;
}

/* ---- runs ---- */

/* Which owners of a run are meant. */
enum side { SIDE_BEFORE, SIDE_BEHIND, SIDE_ALL };

static bool
is_on_side(const struct fold_owner *owner, const struct acl_file *file, enum side side)
{
	bool behind;

	if (side == SIDE_ALL)
		return true;
	behind = policy_key_cmp(&owner->file->key, &file->key) > 0;
	return behind == (side == SIDE_BEHIND);
}

static size_t
count_before(const struct fold_run *run, const struct acl_file *file)
{
	size_t n = 0;

	for (const struct fold_set *set = run->sets; set; set = set->next)
		for (const struct fold_elem *e = set->elems; e; e = e->next)
			for (const struct fold_owner *o = e->owners; o; o = o->next)
				n += is_on_side(o, file, SIDE_BEFORE);
	return n;
}

static int
move_elem_side(struct fold_table *table, struct fold_elem *elem, struct fold_run *to,
	const struct acl_file *file, enum side side)
{
	struct fold_owner *next;
	int r = 0;

	for (struct fold_owner *o = elem->owners; o && r == 0; o = next) {
		next = o->next;
		if (is_on_side(o, file, side))
			r = move_owner(table, o, to);
	}
	return r;
}

static int
move_side(struct fold_table *table, struct fold_run *from, struct fold_run *to,
	const struct acl_file *file, enum side side)
{
	int r = 0;

	for (struct fold_set *set = from->sets; set; set = set->next)
		for (struct fold_elem *e = set->elems; e && r == 0; e = e->next)
			r = move_elem_side(table, e, to, file, side);
	return r;
}

/* A chain that divides came to @index, into the run at @start: the side with fewer
 * owners becomes a run of its own. With chains between @start and @index the old run
 * has to stay ahead of those, where its lookups are. */
static int
split(struct fold_table *table, enum place place, size_t start, size_t index)
{
	struct fold_place *p = &table->places[place];
	struct fold_run *run = p->runs[start], *fresh;
	const struct acl_file *file = p->chains[index].file;
	size_t n_before = run ? count_before(run, file) : 0;
	bool stays = start < index;

	if (!run || n_before == run->n_owners)
		return 0;
	if (n_before == 0 && !stays) {
		p->runs[start] = NULL;
		p->runs[index + 1] = run;
		return 0;
	}
	fresh = fold_run_new(table, place, p->last_number + 1);
	if (!fresh)
		return -ENOMEM;
	if (stays || n_before >= run->n_owners - n_before) {
		p->runs[index + 1] = fresh;
		return move_side(table, run, fresh, file, SIDE_BEHIND);
	}
	p->runs[index] = fresh;
	p->runs[index + 1] = run;
	return move_side(table, run, fresh, file, SIDE_BEFORE);
}

static bool
has_chain(const struct fold_place *p, size_t index, const struct acl_file *file)
{
	return index < p->n && p->chains[index].file == file;
}

int
fold_table_add_chain(
	struct fold_table *table, enum place place, struct acl_file *file, bool divides)
{
	struct fold_place *p = &table->places[place];
	const struct fold_chain chain = { .file = file, .divides = divides };
	size_t index = fold_table_chain_index(table, place, file);
	size_t start = fold_table_run_index(table, place, file);
	struct fold_step *step;

	if (has_chain(p, index, file) && p->chains[index].divides == divides)
		return 0;
	if (fold_table_remove_chain(table, place, file) < 0)
		return -ENOMEM;
	step = next_step(table);
	if (!step || fold_place_reserve(p) < 0)
		return -ENOMEM;
	*step = (struct fold_step){
		.kind = FOLD_STEP_ADD_CHAIN,
		.place = place,
		.chain = chain,
		.before = p->runs[start],
	};
	table->n_steps++;
	fold_place_insert(p, index, &chain, p->runs[index], NULL);
	return divides ? split(table, place, start, index) : 0;
}

/* The chain that was at @index divided two runs: the one with fewer owners goes into
 * the other. With chains between @start and @index it has to be the one ahead of those,
 * where packets of both meet it. */
static int
join(struct fold_table *table, enum place place, size_t start,
	const struct fold_step *step)
{
	struct fold_place *p = &table->places[place];
	struct fold_run *keep = step->before, *other = step->behind;
	size_t index = fold_table_chain_index(table, place, step->chain.file);
	bool stays = start < index;

	if (!stays && (!keep || (other && other->n_owners > keep->n_owners))) {
		keep = step->behind;
		other = step->before;
	}
	if (!keep && other) {
		keep = fold_run_new(table, place, p->last_number + 1);
		if (!keep)
			return -ENOMEM;
	}
	p->runs[start] = keep;
	return other ? move_side(table, other, keep, step->chain.file, SIDE_ALL) : 0;
}

int
fold_table_remove_chain(
	struct fold_table *table, enum place place, struct acl_file *file)
{
	struct fold_place *p = &table->places[place];
	size_t index = fold_table_chain_index(table, place, file);
	size_t start = fold_table_run_index(table, place, file);
	struct fold_step *step = next_step(table), done;

	if (!has_chain(p, index, file))
		return 0;
	if (!step)
		return -ENOMEM;
	done = (struct fold_step){
		.kind = FOLD_STEP_REMOVE_CHAIN,
		.place = place,
		.chain = p->chains[index],
		.before = p->runs[start],
		.behind = p->runs[index + 1],
	};
	*step = done; /* joining may move the list */
	table->n_steps++;
	fold_place_remove(p, index, p->runs[index]);
	return done.chain.divides ? join(table, place, start, &done) : 0;
}

static int
rescue_elem(struct fold_table *table, struct fold_elem *elem)
{
	enum place place = elem->set->run->place;
	struct fold_owner *next;
	int r = 0;

	for (struct fold_owner *o = elem->owners; o && r == 0; o = next) {
		struct fold_run *to = run_of(table, place, o->file);

		next = o->next;
		r = to ? move_owner(table, o, to) : -ENOMEM;
	}
	return r;
}

int
fold_table_rescue(struct fold_table *table)
{
	int r = 0;

	for (struct fold_run *run = table->runs; run && r == 0; run = run->next) {
		if (!run->is_lost)
			continue;
		for (struct fold_set *set = run->sets; set && r == 0; set = set->next)
			for (struct fold_elem *e = set->elems; e && r == 0; e = e->next)
				r = rescue_elem(table, e);
	}
	return r;
}

/* ---- the kernel's answer ---- */

static void
accept_elem(struct fold_elem *elem)
{
	/* An owner that moved may already be installed elsewhere. */
	if (elem->installed && elem->installed->installed_in == elem)
		elem->installed->installed_in = NULL;
	elem->installed = elem->owners;
	elem->in_kernel = elem->owners != NULL;
	if (elem->installed)
		elem->installed->installed_in = elem;
}

static void
accept_set(struct fold_set *set)
{
	set->in_kernel = set->n_live > 0;
	if (set->new_rule != 0)
		set->rule = set->new_rule;
	set->new_rule = 0;
	set->cookie = 0;
}

/* A large change is rare: what it took is not kept for the small ones. */
static void
give_back(struct fold_table *table)
{
	if (table->size_steps > STEPS_KEEP) {
		free(table->steps);
		table->steps = NULL;
		table->size_steps = 0;
	}
	if (table->size_dirty > STEPS_KEEP && table->n_dirty == 0) {
		free(table->dirty);
		table->dirty = NULL;
		table->size_dirty = 0;
	}
}

void
fold_table_accept(struct fold_table *table)
{
	for (size_t i = 0; i < table->n_dirty; i++)
		accept_elem(table->dirty[i]);
	for (size_t i = 0; i < table->n_dirty_sets; i++)
		accept_set(table->dirty_sets[i]);
	for (size_t i = 0; i < table->n_steps; i++) {
		struct fold_step *step = &table->steps[i];

		if (step->kind == FOLD_STEP_ADD)
			step->owner->cookie = 0;
	}
	/* Behind the loop above: an owner may have been added and removed. */
	for (size_t i = 0; i < table->n_steps; i++)
		if (table->steps[i].kind == FOLD_STEP_REMOVE)
			free(table->steps[i].owner);
	table->n_steps = 0;
	fold_sweep(table);
	give_back(table);
}

static void
undo_chain(struct fold_table *table, const struct fold_step *step)
{
	struct fold_place *p = &table->places[step->place];
	const struct acl_file *file = step->chain.file;
	size_t index = fold_table_chain_index(table, step->place, file);
	size_t start = fold_table_run_index(table, step->place, file);

	if (step->kind == FOLD_STEP_ADD_CHAIN)
		fold_place_remove(p, index, p->runs[index]);
	else
		fold_place_insert(p, index, &step->chain, p->runs[index], step->behind);
	p->runs[start] = step->before;
}

static void
undo(struct fold_table *table, const struct fold_step *step)
{
	switch (step->kind) {
	case FOLD_STEP_ADD:
		fold_unlink(step->owner);
		fold_unlink_file(step->owner);
		free(step->owner);
		return;
	case FOLD_STEP_REMOVE:
		fold_link(step->owner, step->owner->elem);
		fold_link_file(step->owner);
		return;
	case FOLD_STEP_MOVE:
		fold_unlink(step->owner);
		fold_link(step->owner, step->elem);
		return;
	case FOLD_STEP_ADD_CHAIN:
	case FOLD_STEP_REMOVE_CHAIN:
		undo_chain(table, step);
		return;
	}
}

void
fold_table_revert(struct fold_table *table)
{
	while (table->n_steps > 0)
		undo(table, &table->steps[--table->n_steps]);
	for (size_t i = 0; i < table->n_dirty_sets; i++)
		table->dirty_sets[i]->new_rule = 0;
	fold_sweep(table);
}
