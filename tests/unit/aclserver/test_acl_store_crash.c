/*
 * test_acl_store_crash.c - many threads at once, and a process that is killed at any
 * step: nothing acknowledged is lost.
 */
#include "tests/unit/aclserver/store_fixture.h"

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

/* As put_own(), with a content that no earlier call has left. */
static void *
put_anew(void *user_data)
{
	struct worker *w = user_data;
	struct acl_store_result result;
	struct err err;
	char name[16];

	snprintf(name, sizeof(name), "t%d", w->number);
	for (int i = 0; i < N_ROUNDS; i++) {
		const char *text = i % 2 ? "odd\n" : "even\n";

		w->n_failed += acl_store_put(w->f->store, name, text, strlen(text),
				       &result, &err) < 0;
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
	assert_int_equal(f->told, f->disk->n_calls[OP_SYNC_DIR]);
}

static void
changes_at_the_same_time_share_a_batch(void **state)
{
	struct fixture *f = *state;
	struct worker workers[N_THREADS];
	size_t changes = 0;

	f->disk->with_model = true;
	/* Whether two meet is up to the scheduler; that none of thousands ever do is
	 * not. */
	for (int i = 0; i < 100 && f->disk->n_calls[OP_SYNC_DIR] == (int)changes; i++) {
		run_threads(f, workers, put_anew);
		changes += N_THREADS * N_ROUNDS;
	}
	assert_true(f->disk->n_calls[OP_SYNC_DIR] < (int)changes);
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_acknowledged_before_it_is_durable),
		TEST(changes_at_the_same_time_share_a_batch),
		TEST(changes_of_one_acl_from_many_threads_end_in_one_of_them),
		TEST(a_failed_sync_of_all_falls_back_to_each_file),
		TEST(a_kill_at_any_step_loses_nothing_and_leaves_no_half_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
