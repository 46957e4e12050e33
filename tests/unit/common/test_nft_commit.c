/*
 * test_nft_commit.c - outcomes of commits against the running kernel: done, refused
 * with every error at its message, not attempted, unknown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/nft_internal.h"
#include "tests/unit/common/nft_fixture.h"

static void
every_wrong_message_is_reported_with_its_cookie(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_rule_at at = { .chain = "c" };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 2);
	add_jump(f, &at, "nowhere", 33);
	add_counting(f, &at, 0, 4);
	nft_batch_delete_rule(f->batch, &INET, &(struct nft_rule_ref){ "c", 4711 }, 55);
	nft_batch_delete_chain(f->batch, &INET, "other", 66);
	add_counting(f, &at, 0, 7);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	assert_int_equal(result.n_errors, 3);
	assert_int_equal(result.errors[0].cookie, 33);
	assert_int_equal(result.errors[0].code, -ENOENT);
	assert_int_equal(result.errors[0].msg_type, NFT_MSG_NEWRULE);
	assert_false(result.errors[0].is_batch);
	assert_int_equal(result.errors[1].cookie, 55);
	assert_int_equal(result.errors[1].msg_type, NFT_MSG_DELRULE);
	assert_int_equal(result.errors[2].cookie, 66);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");
}

static void
error_of_the_last_message_is_reported_too(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_delete_chain(f->batch, &INET, "other", 2);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.n_errors, 1);
	assert_int_equal(result.errors[0].cookie, 2);
	nft_result_done(&result);
}

static void
check_mode_validates_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_CHECK };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 2);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	assert_int_equal(result.outcome, NFT_OUTCOME_DONE);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");

	nft_batch_delete_chain(f->batch, &INET, "other", 3);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	assert_int_equal(result.errors[0].cookie, 3);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");
}

static void
checked_batch_can_be_committed(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_CHECK };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	nft_result_done(&result);
	commit(f);
	assert_string_equal(nft_env_list("list ruleset"), "table inet tg {\n}\n");
}

static void
jump_loop_is_refused_in_both_modes(void **state)
{
	struct fixture *f = *state;
	struct nft_base_chain base = {
		.name = "b", .type = "filter", .hook = NF_INET_FORWARD
	};
	struct nft_commit_how how = { .mode = NFT_MODE_CHECK };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	commit(f);
	nft_batch_add_base_chain(f->batch, &INET, &base, 2);
	nft_batch_add_chain(f->batch, &INET, "x", NO_UDATA, 3);
	nft_batch_add_chain(f->batch, &INET, "y", NO_UDATA, 3);
	add_jump(f, &(struct nft_rule_at){ .chain = "x" }, "y", 4);
	add_jump(f, &(struct nft_rule_at){ .chain = "y" }, "x", 5);
	add_jump(f, &(struct nft_rule_at){ .chain = "b" }, "x", 6);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EMLINK);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	nft_result_done(&result);
	how.mode = NFT_MODE_COMMIT;
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EMLINK);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "table inet tg {\n}\n");
}

static void
count_handle(uint64_t cookie, uint64_t handle, void *user_data)
{
	uint64_t *next = user_data;

	assert_true(cookie == (*next)++);
	assert_true(handle != 0);
}

static void
large_batch_commits_and_its_handles_come_back(void **state)
{
	struct fixture *f = *state;
	enum { N = 30000 };
	uint64_t n_handles = 0;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT,
		.on_handle = count_handle,
		.user_data = &n_handles };
	struct nft_result result;
	const char *text;

	nft_batch_add_table(f->batch, &INET, 0);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 0);
	for (int i = 0; i < N; i++)
		add_counting(f,
			&(struct nft_rule_at){ .chain = "c", .want_handle = true },
			(uint64_t)i, (uint64_t)i);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	nft_result_done(&result);
	assert_int_equal(n_handles, N);
	assert_int_equal(nft_env_run("nft list chain inet tg c | grep -c counter | tr "
				     "-d '\\n'",
				 &text),
		0);
	assert_string_equal(text, "30000");
}

static void
large_batch_of_errors_is_refused_with_the_first_thousand(void **state)
{
	struct fixture *f = *state;
	enum { N = 20000 };
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 0);
	for (int i = 0; i < N; i++)
		nft_batch_delete_chain(f->batch, &INET, "none", (uint64_t)i);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	assert_int_equal(result.n_errors, NFT_ERRORS_MAX);
	assert_int_equal(result.errors[NFT_ERRORS_MAX - 1].cookie, NFT_ERRORS_MAX - 1);
	assert_int_equal(result.n_errors + result.omitted, N);
	nft_result_done(&result);
}

static void
empty_batch_is_done_without_the_kernel(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	assert_int_equal(result.outcome, NFT_OUTCOME_DONE);
}

static void
failed_batch_is_not_attempted(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "", NO_UDATA, 2);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EINVAL);
	assert_int_equal(result.outcome, NFT_OUTCOME_NOT_ATTEMPTED);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");
}

/* The queue that the kernel may fill with answers, made too small for them. */
static void
shrink_queue(struct fixture *f)
{
	int bytes = 4096;

	assert_int_equal(
		setsockopt(f->nft->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)),
		0);
}

static void
lost_answers_leave_the_outcome_unknown(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	shrink_queue(f);
	nft_batch_add_table(f->batch, &INET, 0);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 0);
	for (int i = 0; i < 1000; i++)
		add_counting(f,
			&(struct nft_rule_at){ .chain = "c", .want_handle = true }, 0,
			0);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOBUFS);
	assert_int_equal(result.outcome, NFT_OUTCOME_UNKNOWN);
	nft_result_done(&result);
	/* The socket is as good as before. */
	nft_batch_reset(f->batch);
	nft_batch_add_table(f->batch, &BRIDGE, 0);
	commit(f);
}

static void
lost_errors_still_mean_refused(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	shrink_queue(f);
	nft_batch_add_table(f->batch, &INET, 0);
	for (int i = 0; i < 1000; i++)
		nft_batch_delete_chain(f->batch, &INET, "none", 8);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	assert_int_equal(result.errors[0].cookie, 8);
	assert_true(result.omitted > 0);
	nft_result_done(&result);
}

static void
message_too_large_for_the_socket_is_not_attempted(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;
	int bytes = 4096;

	assert_int_equal(
		setsockopt(f->nft->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)),
		0);
	for (int i = 0; i < 1000; i++)
		nft_batch_add_table(f->batch, &INET, 0);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EMSGSIZE);
	assert_int_equal(result.outcome, NFT_OUTCOME_NOT_ATTEMPTED);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");
}

/* What a process without privilege gets; true if it is as it should be. */
static bool
is_refused_as_a_whole(void)
{
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_batch *batch = nft_batch_new();
	struct nft_result result;
	struct nft *nft;
	bool ok;

	if (setresuid(65534, 65534, 65534) < 0)
		return false;
	nft = nft_open(NULL);
	nft_batch_add_table(batch, &INET, 5);
	nft_commit(nft, batch, &how, &result);
	ok = result.outcome == NFT_OUTCOME_REFUSED && result.code == -EPERM &&
	     result.n_errors == 1 && result.errors[0].is_batch &&
	     result.errors[0].cookie == 0;
	nft_result_done(&result);
	nft_batch_free(batch);
	nft_close(nft);
	return ok;
}

static void
error_of_the_whole_batch_belongs_to_no_message(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(is_refused_as_a_whole() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_wrong_message_is_reported_with_its_cookie),
		CASE(error_of_the_last_message_is_reported_too),
		CASE(check_mode_validates_and_leaves_nothing),
		CASE(checked_batch_can_be_committed),
		CASE(jump_loop_is_refused_in_both_modes),
		CASE(large_batch_commits_and_its_handles_come_back),
		CASE(large_batch_of_errors_is_refused_with_the_first_thousand),
		CASE(empty_batch_is_done_without_the_kernel),
		CASE(failed_batch_is_not_attempted),
		CASE(lost_answers_leave_the_outcome_unknown),
		CASE(lost_errors_still_mean_refused),
		CASE(error_of_the_whole_batch_belongs_to_no_message),
		CASE(message_too_large_for_the_socket_is_not_attempted),
	};

	return RUN_IN_NETNS(tests);
}
