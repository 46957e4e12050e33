/*
 * acl_store.c - see acl_store.h.
 */
#include "aclserver/acl_store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aclserver/acl_index.h"
#include "aclserver/acl_name.h"
#include "aclserver/batch.h"
#include "aclserver/policy.h"
#include "common/cleanup.h"
#include "common/mono.h"

enum {
	TEMPORARY_SIZE = ACL_FILE_SIZE + 64,
	RECOUNT_INTERVAL_MS = 1000, /* at the limit, the directory is counted this often
				     */
};

struct acl_store {
	int dirfd;
	uint32_t max_acls;
	const struct store_io *io;
	acl_store_changed_fn changed;
	void *user_data;
	struct batch batch;
	atomic_ulong temporaries; /* made so far; number in their names */

	pthread_mutex_t lock;   /* guards all below */
	struct acl_index index; /* every ACL there is or is being made */
	uint64_t generation;    /* of the newest batch */
	bool unsure;            /* the directory could not be synced: nothing in it is
				   known to be durable */
	struct mono recounted;  /* when the directory was last counted */
};

/** One change of one file, on its way through a batch. */
struct change {
	const char *name;               /* borrowed */
	bool is_put;                    /* else a removal */
	char temporary[TEMPORARY_SIZE]; /* is_put: holds the new content */
	int temporary_fd;               /* is_put: open for its sync; else -1 */
	bool applied;                   /* the directory shows it */
	int result;                     /* 0 or negative errno */
	const char *failed_step;        /* what could not be done, if result is not 0 */
};

/** What one request changes: member of a batch. */
struct change_set {
	struct batch_member member; /* first, so that a member is its set */
	struct change *changes;
	size_t n;
	bool announced;      /* a new generation is wanted even without any change */
	uint64_t generation; /* of the batch, when it has run */
};

static struct change_set *
set_of(struct batch_member *member)
{
	return (struct change_set *)(void *)member;
}

static void
fail(struct change *change, int result, const char *step)
{
	change->result = result;
	change->failed_step = step;
}

/* ---- running a batch: by one thread at a time ---- */

static size_t
count_puts(struct batch_member *first)
{
	size_t n = 0;

	for (struct batch_member *m = first; m; m = m->next)
		for (size_t i = 0; i < set_of(m)->n; i++)
			n += set_of(m)->changes[i].is_put;
	return n;
}

/* Sync each file by itself, so that a failure hits only the one that it belongs to. */
static void
sync_one_by_one(struct acl_store *store, struct batch_member *first)
{
	for (struct batch_member *m = first; m; m = m->next) {
		for (size_t i = 0; i < set_of(m)->n; i++) {
			struct change *change = &set_of(m)->changes[i];
			int result = 0;

			if (change->is_put)
				result = store->io->sync_file(
					store->io->user_data, change->temporary_fd);
			if (result < 0)
				fail(change, result, "write to the disk");
		}
	}
}

/* Bring the content of all new files to the disk. One sync of the file system costs
 * about as much as that of one file. */
static void
sync_contents(struct acl_store *store, struct batch_member *first)
{
	size_t n_puts = count_puts(first);

	if (n_puts == 0)
		return;
	if (n_puts > 1 && store->io->sync_all(store->io->user_data, store->dirfd) == 0)
		return;
	/* After a failure, too: it may come from a file that is not ours. */
	sync_one_by_one(store, first);
}

static void
apply(struct acl_store *store, struct change *change)
{
	const struct store_io *io = store->io;
	char file[ACL_FILE_SIZE];
	int result;

	if (change->result < 0)
		return;
	acl_name_to_file(change->name, file);
	if (change->is_put)
		result = io->rename(
			io->user_data, store->dirfd, change->temporary, file);
	else
		result = io->unlink(io->user_data, store->dirfd, file);
	if (result == -ENOENT && !change->is_put)
		return; /* somebody else was faster */
	if (result < 0)
		fail(change, result, change->is_put ? "replace" : "remove");
	change->applied = result == 0;
}

/* Returns true if anything in the directory is different now, or is to be taken so. */
static bool
apply_all(struct acl_store *store, struct batch_member *first)
{
	bool any = false;

	for (struct batch_member *m = first; m; m = m->next) {
		any |= set_of(m)->announced;
		for (size_t i = 0; i < set_of(m)->n; i++) {
			apply(store, &set_of(m)->changes[i]);
			any |= set_of(m)->changes[i].applied;
		}
	}
	return any;
}

static void
fail_applied(struct batch_member *first, int result)
{
	for (struct batch_member *m = first; m; m = m->next)
		for (size_t i = 0; i < set_of(m)->n; i++)
			if (set_of(m)->changes[i].applied)
				fail(&set_of(m)->changes[i], result,
					"sync the directory after changing");
}

/* A change has ended: tell the index what it left. With the lock held. */
static void
settle(struct acl_store *store, const struct change *change)
{
	bool removed = !change->is_put && change->result == 0;

	acl_index_end(&store->index, change->name, change->applied || removed,
		change->is_put);
}

/* The directory shows a new state: count it, and tell. The rules may be installed while
 * the directory is synced; whoever asked for the change is answered only after that. */
static void
announce(struct acl_store *store)
{
	uint64_t generation;

	pthread_mutex_lock(&store->lock);
	generation = ++store->generation;
	pthread_mutex_unlock(&store->lock);
	if (store->changed)
		store->changed(generation, store->user_data);
}

/* The batch is over: settle the index. */
static void
finish(struct acl_store *store, struct batch_member *first, bool any, int dir_result)
{
	pthread_mutex_lock(&store->lock);
	if (any)
		store->unsure = dir_result < 0;
	for (struct batch_member *m = first; m; m = m->next) {
		struct change_set *set = set_of(m);

		for (size_t i = 0; i < set->n; i++)
			settle(store, &set->changes[i]);
		set->generation = store->generation;
	}
	pthread_mutex_unlock(&store->lock);
}

static void
run_batch(struct batch_member *first, void *user_data)
{
	struct acl_store *store = user_data;
	int result = 0;
	bool any;

	sync_contents(store, first);
	any = apply_all(store, first);
	if (any) {
		announce(store);
		result = store->io->sync_dir(store->io->user_data, store->dirfd);
	}
	if (result < 0)
		fail_applied(first, result);
	finish(store, first, any, result);
}

/* ---- the index ---- */

/* What is known of an ACL at one moment. */
struct settled {
	bool is_durable;     /* what the directory shows now is on the disk */
	uint64_t changed;    /* stamp of its newest change */
	uint64_t generation; /* newest batch */
};

static struct settled
look_up(struct acl_store *store, const char *name)
{
	struct settled settled;
	struct acl_entry *entry;

	pthread_mutex_lock(&store->lock);
	entry = acl_index_find(&store->index, name);
	settled.is_durable = !store->unsure && !(entry && entry->pending > 0);
	settled.changed = entry ? entry->changed : 0;
	settled.generation = store->generation;
	pthread_mutex_unlock(&store->lock);
	return settled;
}

/* True if no change of @name began between @before and now, so that what was seen in
 * the directory meanwhile is durable. */
static bool
still_settled(struct acl_store *store, const char *name, const struct settled *before)
{
	struct settled now;

	if (!before->is_durable)
		return false;
	now = look_up(store, name);
	return now.is_durable && now.changed == before->changed;
}

/* Count the ACLs in the directory; the index then has the right number of them. */
static int
recount(struct acl_store *store, struct acl_names *ret, struct err *err)
{
	uint64_t stamp;
	int result;

	pthread_mutex_lock(&store->lock);
	stamp = store->index.stamp;
	store->recounted = mono_now();
	pthread_mutex_unlock(&store->lock);
	result = acl_dir_list(store->dirfd, ret, err);
	if (result < 0)
		return result;
	pthread_mutex_lock(&store->lock);
	result = acl_index_merge(&store->index, ret->items, ret->n, stamp);
	pthread_mutex_unlock(&store->lock);
	if (result < 0) {
		acl_names_done(ret);
		return err_set(err, result, "out of memory");
	}
	return 0;
}

/* A change of @name begins. -EMLINK if that would make one ACL too many. */
static int
begin_change(struct acl_store *store, const char *name, bool is_put)
{
	struct acl_entry *entry;
	int result = 0;

	pthread_mutex_lock(&store->lock);
	entry = acl_index_find(&store->index, name);
	if (!entry && is_put && store->index.n >= store->max_acls)
		result = -EMLINK;
	else if (!entry)
		entry = acl_index_add(&store->index, name);
	if (entry)
		acl_index_begin(&store->index, entry);
	else if (result == 0)
		result = -ENOMEM;
	pthread_mutex_unlock(&store->lock);
	return result;
}

static bool
may_recount(struct acl_store *store)
{
	bool may;

	pthread_mutex_lock(&store->lock);
	may = mono_diff_ms(store->recounted, mono_now()) >= RECOUNT_INTERVAL_MS;
	pthread_mutex_unlock(&store->lock);
	return may;
}

/* As begin_change(); at the limit, files that were removed by others are noticed. */
static int
begin_put(struct acl_store *store, const char *name, struct err *err)
{
	struct acl_names names = { 0 };
	int result = begin_change(store, name, true);

	if (result == -EMLINK && may_recount(store)) {
		result = recount(store, &names, err);
		acl_names_done(&names);
		if (result < 0)
			return result;
		result = begin_change(store, name, true);
	}
	if (result == -EMLINK)
		return err_set(err, result,
			"there are %u ACLs already, which is the limit",
			store->max_acls);
	if (result < 0)
		return err_set(err, result, "out of memory");
	return 0;
}

static void
cancel_change(struct acl_store *store, const char *name)
{
	pthread_mutex_lock(&store->lock);
	acl_index_end(&store->index, name, false, false);
	pthread_mutex_unlock(&store->lock);
}

/* ---- requests ---- */

static int
explain(const struct change *change, struct err *err)
{
	char file[ACL_FILE_SIZE];

	if (change->result == 0)
		return 0;
	acl_name_to_file(change->name, file);
	if (change->result == -EPERM || change->result == -EACCES)
		return err_sys(err, change->result,
			"cannot %s %s, which belongs to another user",
			change->failed_step, file);
	return err_sys(err, change->result, "cannot %s %s", change->failed_step, file);
}

static int
write_temporary(struct acl_store *store, struct change *change, const char *text,
	size_t len, struct err *err)
{
	const struct store_io *io = store->io;
	int result;

	acl_dir_temporary(change->name, atomic_fetch_add(&store->temporaries, 1),
		change->temporary, sizeof(change->temporary));
	change->temporary_fd =
		io->create(io->user_data, store->dirfd, change->temporary);
	if (change->temporary_fd == -ENOENT)
		return err_set(err, -ENOENT, "the policy directory is gone");
	if (change->temporary_fd < 0)
		return err_sys(err, change->temporary_fd,
			"cannot create a file in the policy directory");
	result = io->write(io->user_data, change->temporary_fd, text, len);
	if (result < 0)
		return err_sys(
			err, result, "cannot write a file in the policy directory");
	return 0;
}

/* The temporary of a change that was not applied goes away. */
static void
drop_temporary(struct acl_store *store, struct change *change)
{
	if (change->temporary_fd < 0)
		return;
	close(change->temporary_fd);
	/* One that cannot be removed is removed at the next start. */
	if (!change->applied)
		(void)store->io->unlink(
			store->io->user_data, store->dirfd, change->temporary);
}

static int
submit(struct acl_store *store, struct change_set *set, struct acl_store_result *ret,
	struct err *err)
{
	int result = 0;

	batch_submit(&store->batch, &set->member);
	*ret = (struct acl_store_result){ false, set->generation };
	for (size_t i = 0; i < set->n; i++) {
		ret->changed |= set->changes[i].applied;
		if (result == 0)
			result = explain(&set->changes[i], err);
	}
	return result;
}

static int
put_changed(struct acl_store *store, struct change *change, const char *text,
	size_t len, struct acl_store_result *ret, struct err *err)
{
	struct change_set set = { .changes = change, .n = 1 };
	int result = begin_put(store, change->name, err);

	if (result < 0)
		return result;
	result = write_temporary(store, change, text, len, err);
	if (result < 0)
		cancel_change(store, change->name);
	else
		result = submit(store, &set, ret, err);
	drop_temporary(store, change);
	return result;
}

int
acl_store_put(struct acl_store *store, const char *name, const char *text, size_t len,
	struct acl_store_result *ret, struct err *err)
{
	struct change change = { .name = name, .is_put = true, .temporary_fd = -1 };
	struct settled before = look_up(store, name);
	/* Kept open beyond the rename: then the kernel frees the old file in this
	 * thread, and not in the one that works for the whole batch. */
	AUTO_CLOSE int old_fd = acl_dir_open_file(store->dirfd, name, err);

	if (old_fd < 0 && old_fd != -ENOENT)
		return old_fd;
	if (old_fd >= 0 && acl_dir_same_content(old_fd, text, len) &&
		still_settled(store, name, &before)) {
		*ret = (struct acl_store_result){ false, before.generation };
		return 0;
	}
	return put_changed(store, &change, text, len, ret, err);
}

int
acl_store_delete(struct acl_store *store, const char *name,
	struct acl_store_result *ret, struct err *err)
{
	struct change change = { .name = name, .temporary_fd = -1 };
	struct change_set set = { .changes = &change, .n = 1 };
	struct settled before = look_up(store, name);
	AUTO_CLOSE int old_fd =
		acl_dir_open_file(store->dirfd, name, err); /* as above */

	if (old_fd < 0 && old_fd != -ENOENT)
		return old_fd;
	if (old_fd == -ENOENT && still_settled(store, name, &before)) {
		*ret = (struct acl_store_result){ false, before.generation };
		return 0;
	}
	if (begin_change(store, name, false) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return submit(store, &set, ret, err);
}

/* Begin the removal of all @names; how many could be begun. */
static size_t
begin_removals(
	struct acl_store *store, const struct acl_names *names, struct change *changes)
{
	size_t n = 0;

	while (n < names->n && begin_change(store, names->items[n], false) == 0) {
		changes[n] =
			(struct change){ .name = names->items[n], .temporary_fd = -1 };
		n++;
	}
	return n;
}

int
acl_store_delete_all(
	struct acl_store *store, struct acl_store_result *ret, struct err *err)
{
	AUTO_FREE struct change *changes = NULL;
	CLEANUP(acl_names_done) struct acl_names names = { 0 };
	struct change_set set = { .n = 0 };
	int result = recount(store, &names, err);

	if (result < 0)
		return result;
	changes = calloc(names.n + 1, sizeof(*changes));
	if (!changes)
		return err_set(err, -ENOMEM, "out of memory");
	set.changes = changes;
	set.n = begin_removals(store, &names, changes);
	/* Also with nothing to remove: then what others are removing is waited for. */
	result = submit(store, &set, ret, err);
	if (result == 0 && set.n < names.n)
		result = err_set(err, -ENOMEM, "out of memory");
	return result;
}

uint64_t
acl_store_announce(struct acl_store *store)
{
	struct change_set set = { .announced = true };

	batch_submit(&store->batch, &set.member);
	return set.generation;
}

int
acl_store_get(struct acl_store *store, const char *name, char **ret_text,
	size_t *ret_len, struct err *err)
{
	return acl_dir_read(
		store->dirfd, name, POLICY_FILE_MAX, ret_text, ret_len, err);
}

int
acl_store_list(struct acl_store *store, struct acl_names *ret, struct err *err)
{
	return recount(store, ret, err);
}

void
acl_store_free(struct acl_store *store)
{
	if (!store)
		return;
	batch_done(&store->batch);
	acl_index_done(&store->index);
	pthread_mutex_destroy(&store->lock);
	if (store->dirfd >= 0)
		close(store->dirfd);
	free(store);
}

/* Fill @store, whose directory is open, from what an earlier process left. */
static int
load(struct acl_store *store, struct err *err)
{
	struct acl_names names = { 0 };
	int result = acl_dir_remove_temporaries(store->dirfd, err);

	if (result == 0)
		result = recount(store, &names, err);
	acl_names_done(&names);
	if (result < 0)
		return result;
	store->unsure = store->io->sync_all(store->io->user_data, store->dirfd) < 0;
	return 0;
}

int
acl_store_open(const struct acl_store_options *options, struct acl_store **ret,
	struct err *err)
{
	struct acl_store *store = calloc(1, sizeof(*store));
	int result;

	if (!store)
		return err_set(err, -ENOMEM, "out of memory");
	store->max_acls = options->max_acls;
	store->io = options->io ? options->io : &store_io_system;
	store->changed = options->changed;
	store->user_data = options->user_data;
	pthread_mutex_init(&store->lock, NULL);
	batch_init(&store->batch, run_batch, store);
	store->dirfd = open(options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = store->dirfd < 0 ? err_sys(err, -errno, "cannot open %s", options->dir)
				  : load(store, err);
	if (result < 0) {
		acl_store_free(store);
		return result;
	}
	*ret = store;
	return 0;
}
