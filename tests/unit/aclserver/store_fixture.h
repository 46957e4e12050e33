/*
 * store_fixture.h - an ACL store on a real directory, with disk operations that can be
 * made to fail, that can end the process, and that keep a model of what a power loss
 * would leave.
 */
#pragma once

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

static inline int
begin_op(struct disk *disk, enum op op)
{
	disk->n_calls[op]++;
	if (++disk->n_all == disk->kill_at)
		kill(getpid(), SIGKILL);
	return disk->fail_with[op];
}

static inline struct model_file *
find_file(struct disk *disk, const char *name, int fd)
{
	for (size_t i = 0; i < MODEL_FILES; i++)
		if (name ? strcmp(disk->files[i].name, name) == 0
			 : disk->files[i].name[0] && disk->files[i].fd == fd)
			return &disk->files[i];
	return NULL;
}

static inline struct model_entry *
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

static inline int
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

/* The number that a content of the tests begins with. */
static inline int
version_in(const char *text)
{
	int version = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		version = version * 10 + (*text - '0');
	return version;
}

static inline int
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
		find_file(disk, NULL, fd)->version = version_in(buf);
	pthread_mutex_unlock(&disk->lock);
	return result;
}

static inline int
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

static inline int
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

static inline int
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

static inline int
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

static inline int
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

static inline void
on_changed(uint64_t generation, void *user_data)
{
	struct fixture *f = user_data;

	assert_int_equal(generation, f->told + 1);
	f->told = generation;
}

static inline int
open_store(struct fixture *f, uint32_t max_acls)
{
	const struct acl_store_options options = { .dir = f->dir,
		.max_acls = max_acls,
		.io = &f->io,
		.changed = on_changed,
		.user_data = f };
	struct err err = { 0 };

	f->told = 0;
	return acl_store_open(&options, &f->store, &err);
}

static inline int
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

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[512];
	DIR *dir = opendir(f->dir);
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, entry->d_name);
		(void)remove(path); /* fails for . and .. */
	}
	closedir(dir);
	assert_int_equal(rmdir(f->dir), 0);
	acl_store_free(f->store);
	free(f->disk);
	free(f);
	return 0;
}

static inline int
put(struct fixture *f, const char *name, const char *text,
	struct acl_store_result *result, struct err *err)
{
	*err = (struct err){ 0 };
	*result = (struct acl_store_result){ 0 };
	return acl_store_put(f->store, name, text, strlen(text), result, err);
}

static inline void
put_ok(struct fixture *f, const char *name, const char *text)
{
	struct acl_store_result result;
	struct err err;

	assert_int_equal(put(f, name, text, &result, &err), 0);
}

static inline void
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
static inline int
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

static inline void
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
