/*
 * The store on a real directory, with disk operations that can be made to fail, that
 * can end the process, and that keep a model of what a power loss would leave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aclserver/acl_store.h"

enum op {
	OP_CREATE,
	OP_WRITE,
	OP_SYNC_FILE,
	OP_SYNC_ALL,
	OP_RENAME,
	OP_UNLINK,
	OP_SYNC_DIR,
	N_OPS
};

enum { MODEL_FILES = 4096, NAME_SIZE = 128 };

/* One file of the model, by its present name. */
struct model_file {
	char name[NAME_SIZE]; /* in memory; "" = free */
	int fd;               /* while it is written; else -1 */
	int version;          /* number in its content */
	bool synced;          /* its content is on the disk */
};

/* What the disk shows under a read name after a power loss. */
struct model_entry {
	char name[NAME_SIZE];
	int version; /* 0 = not there */
};

struct disk {
	pthread_mutex_t lock;
	int fail_with[N_OPS]; /* negative errno to answer; 0 = do it */
	int n_calls[N_OPS];
	int kill_at;         /* the process ends before this call; 0 = never */
	int n_all;           /* calls of all kinds */
	int version_of_next; /* for one thread: content that is written next */
	bool with_model;
	struct model_file files[MODEL_FILES];
	struct model_entry durable[64];
	struct model_entry visible[64]; /* what sync_dir makes durable */
};

struct fixture {
	char dir[64];
	struct disk *disk;
	struct store_io io;
	struct acl_store *store;
	uint64_t told; /* newest generation that the store announced */
};

/* ---- the disk ---- */

static int
begin_op(struct disk *disk, enum op op)
{
	disk->n_calls[op]++;
	if (++disk->n_all == disk->kill_at)
		kill(getpid(), SIGKILL);
	return disk->fail_with[op];
}

static struct model_file *
find_file(struct disk *disk, const char *name, int fd)
{
	for (size_t i = 0; i < MODEL_FILES; i++)
		if (name ? strcmp(disk->files[i].name, name) == 0
			 : disk->files[i].name[0] && disk->files[i].fd == fd)
			return &disk->files[i];
	return NULL;
}

static struct model_entry *
find_entry(struct model_entry *entries, const char *name)
{
	for (size_t i = 0; i < 64; i++) {
		if (entries[i].name[0] == '\0')
			snprintf(entries[i].name, NAME_SIZE, "%s", name);
		if (strcmp(entries[i].name, name) == 0)
			return &entries[i];
	}
	abort();
}

static int
disk_create(void *user_data, int dirfd, const char *name)
{
	struct disk *disk = user_data;
	int result;

	pthread_mutex_lock(&disk->lock);
	result = begin_op(disk, OP_CREATE);
	if (result == 0)
		result = store_io_system.create(NULL, dirfd, name);
	if (result >= 0 && disk->with_model) {
		struct model_file *file = find_file(disk, NULL, result);

		if (file)
			file->fd = -1; /* was closed meanwhile */
		file = find_file(disk, "", 0);
		if (!file)
			abort();
		snprintf(file->name, NAME_SIZE, "%s", name);
		file->fd = result;
		file->synced = false;
	}
	pthread_mutex_unlock(&disk->lock);
	return result;
}

static int
disk_write(void *user_data, int fd, const void *buf, size_t len)
{
	struct disk *disk = user_data;
	int result;

	pthread_mutex_lock(&disk->lock);
	result = begin_op(disk, OP_WRITE);
	if (disk->kill_at) /* a kill inside the write leaves a part */
		(void)store_io_system.write(NULL, fd, buf, len / 2);
	if (disk->kill_at && ++disk->n_all == disk->kill_at)
		kill(getpid(), SIGKILL);
	if (result == 0 && disk->kill_at)
		result = store_io_system.write(
			NULL, fd, (const char *)buf + len / 2, len - len / 2);
	else if (result == 0)
		result = store_io_system.write(NULL, fd, buf, len);
	if (disk->with_model)
		find_file(disk, NULL, fd)->version = (int)strtol(buf, NULL, 10);
	pthread_mutex_unlock(&disk->lock);
	return result;
}

static int
disk_sync_file(void *user_data, int fd)
{
	struct disk *disk = user_data;
	int result;

	pthread_mutex_lock(&disk->lock);
	result = begin_op(disk, OP_SYNC_FILE);
	if (disk->with_model && result == 0)
		find_file(disk, NULL, fd)->synced = true;
	pthread_mutex_unlock(&disk->lock);
	return result;
}

static int
disk_sync_all(void *user_data, int dirfd)
{
	struct disk *disk = user_data;
	int result;

	(void)dirfd;
	pthread_mutex_lock(&disk->lock);
	result = begin_op(disk, OP_SYNC_ALL);
	for (size_t i = 0; i < MODEL_FILES && result == 0; i++)
		disk->files[i].synced = true;
	pthread_mutex_unlock(&disk->lock);
	return result;
}

static int
disk_rename(void *user_data, int dirfd, const char *from, const char *to)
{
	struct disk *disk = user_data;
	int result;

	pthread_mutex_lock(&disk->lock);
	result = begin_op(disk, OP_RENAME);
	if (result == 0)
		result = store_io_system.rename(NULL, dirfd, from, to);
	if (disk->with_model && result == 0) {
		struct model_file *file = find_file(disk, from, 0);

		/* The rule of the whole store: nothing gets a read name before its
		 * content is on the disk. */
		assert_true(file->synced);
		find_entry(disk->visible, to)->version = file->version;
		file->name[0] = '\0';
		file->fd = -1;
	}
	pthread_mutex_unlock(&disk->lock);
	return result;
}

static int
disk_unlink(void *user_data, int dirfd, const char *name)
{
	struct disk *disk = user_data;
	int result;

	pthread_mutex_lock(&disk->lock);
	result = begin_op(disk, OP_UNLINK);
	if (result == 0)
		result = store_io_system.unlink(NULL, dirfd, name);
	if (disk->with_model && result == 0 && name[0] != '.')
		find_entry(disk->visible, name)->version = 0;
	pthread_mutex_unlock(&disk->lock);
	return result;
}

static int
disk_sync_dir(void *user_data, int dirfd)
{
	struct disk *disk = user_data;
	int result;

	(void)dirfd;
	pthread_mutex_lock(&disk->lock);
	result = begin_op(disk, OP_SYNC_DIR);
	if (result == 0)
		memcpy(disk->durable, disk->visible, sizeof(disk->durable));
	pthread_mutex_unlock(&disk->lock);
	return result;
}

/* ---- helpers ---- */

static void
on_durable(uint64_t generation, void *user_data)
{
	struct fixture *f = user_data;

	assert_int_equal(generation, f->told + 1);
	f->told = generation;
}

static int
open_store(struct fixture *f, uint32_t max_acls)
{
	const struct acl_store_options options = { .dir = f->dir,
		.max_acls = max_acls,
		.io = &f->io,
		.durable = on_durable,
		.user_data = f };
	struct err err = { 0 };

	f->told = 0;
	return acl_store_open(&options, &f->store, &err);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->disk = calloc(1, sizeof(*f->disk));
	assert_non_null(f->disk);
	pthread_mutex_init(&f->disk->lock, NULL);
	f->io = (struct store_io){ disk_create, disk_write, disk_sync_file,
		disk_sync_all, disk_rename, disk_unlink, disk_sync_dir, f->disk };
	snprintf(f->dir, sizeof(f->dir), "/tmp/tapgate-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(open_store(f, 50), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[512];
	DIR *dir = opendir(f->dir);
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, entry->d_name);
		if (entry->d_name[0] != '.' || entry->d_name[1] == '5')
			remove(path);
	}
	closedir(dir);
	rmdir(f->dir);
	acl_store_free(f->store);
	free(f->disk);
	free(f);
	return 0;
}

static int
put(struct fixture *f, const char *name, const char *text,
	struct acl_store_result *result, struct err *err)
{
	*err = (struct err){ 0 };
	*result = (struct acl_store_result){ 0 };
	return acl_store_put(f->store, name, text, strlen(text), result, err);
}

static void
put_ok(struct fixture *f, const char *name, const char *text)
{
	struct acl_store_result result;
	struct err err;

	assert_int_equal(put(f, name, text, &result, &err), 0);
}

static void
assert_content(struct fixture *f, const char *name, const char *expected)
{
	struct err err;
	char *text = NULL;
	size_t len;
	int result = acl_store_get(f->store, name, &text, &len, &err);

	if (!expected) {
		assert_int_equal(result, -ENOENT);
		return;
	}
	assert_int_equal(result, 0);
	assert_string_equal(text, expected);
	assert_int_equal(len, strlen(expected));
	free(text);
}

/* Files in the directory, whatever their names. */
static int
count_files(const struct fixture *f)
{
	DIR *dir = opendir(f->dir);
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 &&
		     strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void
write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* ---- tests ---- */

static void
a_put_makes_a_file_that_get_and_list_show(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct acl_names names;
	struct err err;

	assert_int_equal(put(f, "b", "two\n", &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(result.generation, 1);
	assert_int_equal(f->told, 1);
	put_ok(f, "a_1", "one\n");
	assert_content(f, "b", "two\n");
	assert_content(f, "a_1", "one\n");
	assert_content(f, "c", NULL);
	assert_int_equal(acl_store_list(f->store, &names, &err), 0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.items[0], "a_1");
	assert_string_equal(names.items[1], "b");
	acl_names_done(&names);
	assert_int_equal(count_files(f), 2);
}

static void
the_file_can_be_read_by_others(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct stat st;

	put_ok(f, "a", "x\n");
	snprintf(path, sizeof(path), "%s/50rest-a.rules", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static void
the_same_content_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;
	int n_all;

	put_ok(f, "a", "x\n");
	n_all = f->disk->n_all;
	assert_int_equal(put(f, "a", "x\n", &result, &err), 0);
	assert_false(result.changed);
	assert_int_equal(result.generation, 1);
	assert_int_equal(f->disk->n_all, n_all);
	assert_int_equal(put(f, "a", "y\n", &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(result.generation, 2);
	assert_content(f, "a", "y\n");
}

static void
an_empty_acl_is_a_file_of_no_bytes(void **state)
{
	struct fixture *f = *state;

	put_ok(f, "a", "");
	assert_content(f, "a", "");
}

static void
delete_removes_and_is_no_error_twice(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;

	put_ok(f, "a", "x\n");
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(result.generation, 2);
	assert_content(f, "a", NULL);
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), 0);
	assert_false(result.changed);
	assert_int_equal(result.generation, 2);
}

static void
delete_all_touches_only_what_rest_made(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;
	char from[128];

	put_ok(f, "a", "x\n");
	put_ok(f, "b", "x\n");
	write_file(f, "00control.rules", "op\n");
	write_file(f, "50rest-.rules", "op\n");
	write_file(f, "50rest-Upper.rules", "op\n");
	write_file(f, "50rest-x.rules.bak", "op\n");
	snprintf(from, sizeof(from), "%s/50rest-link.rules", f->dir);
	assert_int_equal(symlink("00control.rules", from), 0);
	assert_int_equal(acl_store_delete_all(f->store, &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(result.generation, 3);
	assert_int_equal(count_files(f), 5);
	assert_content(f, "a", NULL);
	assert_int_equal(acl_store_delete_all(f->store, &result, &err), 0);
	assert_false(result.changed);
}

static void
a_link_is_never_followed_or_replaced(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	char from[128];
	struct err err;
	char *text;
	size_t len;

	write_file(f, "00control.rules", "op\n");
	snprintf(from, sizeof(from), "%s/50rest-link.rules", f->dir);
	assert_int_equal(symlink("00control.rules", from), 0);
	assert_int_equal(put(f, "link", "x\n", &result, &err), -EEXIST);
	assert_non_null(strstr(err.text, "symbolic link"));
	assert_int_equal(acl_store_delete(f->store, "link", &result, &err), -EEXIST);
	assert_int_equal(acl_store_get(f->store, "link", &text, &len, &err), -EEXIST);
	assert_int_equal(count_files(f), 2);
}

static void
what_is_no_file_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/50rest-d.rules", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(put(f, "d", "x\n", &result, &err), -EEXIST);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(put(f, "d", "x\n", &result, &err), -EEXIST);
}

static void
no_more_acls_than_allowed(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;
	char path[128];

	acl_store_free(f->store);
	put_ok((open_store(f, 2), f), "a", "x\n");
	put_ok(f, "b", "x\n");
	assert_int_equal(put(f, "c", "x\n", &result, &err), -EMLINK);
	assert_non_null(strstr(err.text, "2 ACLs"));
	put_ok(f, "a", "y\n");
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), 0);
	put_ok(f, "c", "x\n");
	/* Somebody else removes one: the list notices. */
	snprintf(path, sizeof(path), "%s/50rest-b.rules", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(put(f, "d", "x\n", &result, &err), -EMLINK);
	struct acl_names names;
	assert_int_equal(acl_store_list(f->store, &names, &err), 0);
	acl_names_done(&names);
	put_ok(f, "d", "x\n");
}

static void
leftovers_of_a_killed_process_are_removed_at_start(void **state)
{
	struct fixture *f = *state;

	put_ok(f, "a", "x\n");
	acl_store_free(f->store);
	write_file(f, ".50rest-a.rules.123-4.tmp", "half");
	write_file(f, ".50rest-zz.tmp", "half");
	write_file(f, ".other.tmp", "not ours");
	assert_int_equal(open_store(f, 50), 0);
	assert_int_equal(count_files(f), 2);
	assert_content(f, "a", "x\n");
	assert_int_equal(f->disk->n_calls[OP_SYNC_ALL], 2); /* one per start */
}

static void
a_missing_directory_is_an_error(void **state)
{
	struct fixture *f = *state;
	const struct acl_store_options options = { .dir = "/nonexistent/x" };
	struct acl_store *store = NULL;
	struct err err;

	(void)f;
	assert_int_equal(acl_store_open(&options, &store, &err), -ENOENT);
	assert_null(store);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
}

/* @op fails with @code: the PUT says so, and the old content is there. */
static void
assert_put_fails(struct fixture *f, enum op op, int code)
{
	struct acl_store_result result;
	struct err err;
	uint64_t told = f->told;

	f->disk->fail_with[op] = code;
	assert_int_equal(put(f, "a", "new\n", &result, &err), code);
	assert_string_not_equal(err.text, "");
	f->disk->fail_with[op] = 0;
	assert_content(f, "a", "old\n");
	assert_int_equal(count_files(f), 1);
	assert_int_equal(f->told, told);
}

static void
a_disk_error_keeps_the_old_content_and_no_temporary(void **state)
{
	struct fixture *f = *state;

	put_ok(f, "a", "old\n");
	assert_put_fails(f, OP_CREATE, -EROFS);
	assert_put_fails(f, OP_CREATE, -ENOSPC);
	assert_put_fails(f, OP_WRITE, -ENOSPC);
	assert_put_fails(f, OP_WRITE, -EDQUOT);
	assert_put_fails(f, OP_SYNC_FILE, -EIO);
	assert_put_fails(f, OP_RENAME, -EPERM);
	put_ok(f, "a", "new\n");
	assert_content(f, "a", "new\n");
}

static void
an_unsynced_directory_is_told_and_never_taken_for_durable(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;

	put_ok(f, "a", "old\n");
	f->disk->fail_with[OP_SYNC_DIR] = -EIO;
	assert_int_equal(put(f, "a", "new\n", &result, &err), -EIO);
	assert_non_null(strstr(err.text, "sync the directory"));
	assert_int_equal(f->told, 2); /* the files did change */
	f->disk->fail_with[OP_SYNC_DIR] = 0;
	/* The same content is there, but it must be written again. */
	assert_int_equal(put(f, "a", "new\n", &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(put(f, "a", "new\n", &result, &err), 0);
	assert_false(result.changed);
}

static void
a_failed_delete_says_so(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;

	put_ok(f, "a", "old\n");
	f->disk->fail_with[OP_UNLINK] = -EPERM;
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), -EPERM);
	assert_non_null(strstr(err.text, "another user"));
	assert_int_equal(acl_store_delete_all(f->store, &result, &err), -EPERM);
	f->disk->fail_with[OP_UNLINK] = 0;
	assert_content(f, "a", "old\n");
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), 0);
	assert_true(result.changed);
}

/* ---- many threads ---- */

enum { N_THREADS = 16, N_ROUNDS = 40 };

struct worker {
	struct fixture *f;
	pthread_t thread;
	int number;
	int n_failed;
};

static void
assert_durable(struct fixture *f, const char *name, int at_least)
{
	char file[NAME_SIZE];

	snprintf(file, sizeof(file), "50rest-%s.rules", name);
	pthread_mutex_lock(&f->disk->lock);
	assert_true(find_entry(f->disk->durable, file)->version >= at_least);
	pthread_mutex_unlock(&f->disk->lock);
}

/* Each thread has an ACL of its own, whose versions rise. */
static void *
put_own(void *user_data)
{
	struct worker *w = user_data;
	char name[16], text[32];

	snprintf(name, sizeof(name), "t%d", w->number);
	for (int version = 1; version <= N_ROUNDS; version++) {
		snprintf(text, sizeof(text), "%d\n", version);
		put_ok(w->f, name, text);
		assert_durable(w->f, name, version);
	}
	return NULL;
}

static void
run_threads(struct fixture *f, struct worker *workers, void *(*fn)(void *))
{
	for (int i = 0; i < N_THREADS; i++) {
		workers[i] = (struct worker){ .f = f, .number = i };
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, fn, &workers[i]), 0);
	}
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static void
nothing_is_acknowledged_before_it_is_durable(void **state)
{
	struct fixture *f = *state;
	struct worker workers[N_THREADS];
	char name[16], text[16];

	f->disk->with_model = true;
	run_threads(f, workers, put_own);
	for (int i = 0; i < N_THREADS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		snprintf(text, sizeof(text), "%d\n", N_ROUNDS);
		assert_content(f, name, text);
	}
	assert_int_equal(count_files(f), N_THREADS);
	/* The batches were shared: fewer directory syncs than changes. */
	assert_true(f->disk->n_calls[OP_SYNC_DIR] < N_THREADS * N_ROUNDS);
	assert_int_equal(f->told, f->disk->n_calls[OP_SYNC_DIR]);
}

/* All threads change one ACL: put two contents by turns, and remove it. */
static void *
fight(void *user_data)
{
	struct worker *w = user_data;
	struct acl_store_result result;
	struct err err;

	for (int i = 0; i < N_ROUNDS; i++) {
		int code = 0;

		if ((w->number + i) % 3 == 0)
			code = acl_store_delete(w->f->store, "x", &result, &err);
		else
			code = put(w->f, "x", i % 2 ? "1\n" : "2\n", &result, &err);
		w->n_failed += code != 0;
	}
	return NULL;
}

static void
changes_of_one_acl_from_many_threads_end_in_one_of_them(void **state)
{
	struct fixture *f = *state;
	struct worker workers[N_THREADS];
	struct acl_store_result result;
	struct err err;
	char file[] = "50rest-x.rules";

	f->disk->with_model = true;
	run_threads(f, workers, fight);
	for (int i = 0; i < N_THREADS; i++)
		assert_int_equal(workers[i].n_failed, 0);
	assert_int_equal(put(f, "x", "3\n", &result, &err), 0);
	assert_int_equal(find_entry(f->disk->durable, file)->version, 3);
	assert_int_equal(count_files(f), 1);
}

static void *
put_or_fail(void *user_data)
{
	struct worker *w = user_data;
	struct acl_store_result result;
	char name[16], text[32];
	struct err err;

	snprintf(name, sizeof(name), "t%d", w->number);
	for (int i = 0; i < N_ROUNDS; i++) {
		snprintf(text, sizeof(text), "%d\n", i);
		w->n_failed += put(w->f, name, text, &result, &err) != 0;
	}
	return NULL;
}

static void
a_failed_sync_of_all_falls_back_to_each_file(void **state)
{
	struct fixture *f = *state;
	struct worker workers[N_THREADS];

	f->disk->with_model = true;
	f->disk->fail_with[OP_SYNC_ALL] = -EIO;
	run_threads(f, workers, put_or_fail);
	for (int i = 0; i < N_THREADS; i++)
		assert_int_equal(workers[i].n_failed, 0);
	assert_true(f->disk->n_calls[OP_SYNC_FILE] > 0);
}

/* ---- a kill at every step ---- */

/* In a process that ends before its call number @kill_at: put two versions and delete,
 * saying through @fd what was acknowledged. */
static void
run_and_die(struct fixture *f, int kill_at, int fd)
{
	struct acl_store_result result;
	struct err err;

	f->disk->kill_at = kill_at;
	f->disk->n_all = 0;
	if (put(f, "a", "first version\n", &result, &err) == 0)
		(void)!write(fd, "1", 1);
	if (put(f, "a", "second version\n", &result, &err) == 0)
		(void)!write(fd, "2", 1);
	if (acl_store_delete(f->store, "a", &result, &err) == 0)
		(void)!write(fd, "3", 1);
	_exit(0);
}

/* What the directory may show after @acknowledged changes: that one or the next. */
static void
assert_state(struct fixture *f, size_t acknowledged)
{
	static const char *const contents[] = { NULL, "first version\n",
		"second version\n", NULL, NULL };
	struct err err;
	char *text = NULL;
	size_t len;
	int result = acl_store_get(f->store, "a", &text, &len, &err);
	const char *seen = result == 0 ? text : NULL;
	bool found = false;

	for (size_t i = acknowledged; i <= acknowledged + 1 && i < 5; i++)
		found |= seen && contents[i] ? strcmp(seen, contents[i]) == 0
					     : seen == contents[i];
	assert_true(found);
	free(text);
}

static void
a_kill_at_any_step_loses_nothing_and_leaves_no_half_file(void **state)
{
	struct fixture *f = *state;
	bool killed = true;
	int n_kills = 0;

	for (int kill_at = 1; killed; kill_at++) {
		struct acl_store_result result;
		struct err err;
		char said[8];
		ssize_t n;
		int status, fds[2];
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0)
			run_and_die(f, kill_at, fds[1]);
		close(fds[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		killed = WIFSIGNALED(status);
		n_kills += killed;
		n = read(fds[0], said, sizeof(said));
		close(fds[0]);
		acl_store_free(f->store);
		assert_int_equal(open_store(f, 50), 0);
		assert_state(f, n < 0 ? 0 : (size_t)n);
		assert_int_equal(acl_store_delete_all(f->store, &result, &err), 0);
		assert_int_equal(count_files(f), 0);
	}
	/* Two PUTs of create, write (twice), sync, rename, sync; a removal of two. */
	assert_int_equal(n_kills, 14);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_put_makes_a_file_that_get_and_list_show),
		TEST(the_file_can_be_read_by_others),
		TEST(the_same_content_again_changes_nothing),
		TEST(an_empty_acl_is_a_file_of_no_bytes),
		TEST(delete_removes_and_is_no_error_twice),
		TEST(delete_all_touches_only_what_rest_made),
		TEST(a_link_is_never_followed_or_replaced),
		TEST(what_is_no_file_is_left_alone),
		TEST(no_more_acls_than_allowed),
		TEST(leftovers_of_a_killed_process_are_removed_at_start),
		TEST(a_missing_directory_is_an_error),
		TEST(a_disk_error_keeps_the_old_content_and_no_temporary),
		TEST(an_unsynced_directory_is_told_and_never_taken_for_durable),
		TEST(a_failed_delete_says_so),
		TEST(nothing_is_acknowledged_before_it_is_durable),
		TEST(changes_of_one_acl_from_many_threads_end_in_one_of_them),
		TEST(a_failed_sync_of_all_falls_back_to_each_file),
		TEST(a_kill_at_any_step_loses_nothing_and_leaves_no_half_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
