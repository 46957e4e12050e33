/*
 * test_replay.c - recordings: format, writing, reading, damage; gaps in sequences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/replay_file.h"
#include "agent/seq_track.h"
#include "common/log.h"
#include "common/mono.h"

static int64_t clock_ns;

static int64_t
fake_clock(void *user_data)
{
	(void)user_data;
	return clock_ns;
}

static void
no_log(enum log_level level, const char *topic, const char *line, void *user_data)
{
	(void)level;
	(void)topic;
	(void)line;
	(void)user_data;
}

struct file {
	char directory[32];
	char path[48];
};

static int
set_up(void **state)
{
	struct file *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->directory, sizeof(f->directory), "/tmp/test_replay.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof(f->path), "%s/recording", f->directory);
	log_set_sink(no_log, NULL);
	clock_ns = 0;
	mono_set_source(fake_clock, NULL);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct file *f = *state;

	mono_set_source(NULL, NULL);
	log_set_sink(NULL, NULL);
	unlink(f->path);
	rmdir(f->directory);
	free(f);
	return 0;
}

static void
write_bytes(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void
record(const char *path)
{
	struct err err;
	struct replay_writer *w = replay_writer_open(path, &err);
	static uint8_t big[REPLAY_MSG_MAX_BYTES] = { 7 };

	assert_non_null(w);
	replay_writer_put(w, REPLAY_MSG_NFLOG, "first", 5);
	clock_ns = 1500000;
	for (int i = 0; i < 9; i++)
		replay_writer_put(w, REPLAY_MSG_PSAMPLE, big, sizeof(big));
	replay_writer_put(w, REPLAY_MSG_PSAMPLE, big, 0);
	replay_writer_close(w);
}

static void
what_was_recorded_is_read_again(void **state)
{
	const struct file *f = *state;
	struct replay_reader *r;
	struct replay_msg m;
	struct err err;

	record(f->path);
	r = replay_reader_open(f->path, &err);
	assert_non_null(r);
	assert_int_equal(replay_reader_next(r, &m), 1);
	assert_int_equal(m.source, REPLAY_MSG_NFLOG);
	assert_int_equal(m.time_ns, 0);
	assert_int_equal(m.len, 5);
	assert_memory_equal(m.data, "first", 5);
	for (int i = 0; i < 9; i++) {
		assert_int_equal(replay_reader_next(r, &m), 1);
		assert_int_equal(m.source, REPLAY_MSG_PSAMPLE);
		assert_int_equal(m.time_ns, 1500000);
		assert_int_equal(m.len, REPLAY_MSG_MAX_BYTES);
		assert_int_equal(m.data[0], 7);
	}
	assert_int_equal(replay_reader_next(r, &m), 1);
	assert_int_equal(m.len, 0);
	assert_int_equal(replay_reader_next(r, &m), 0);
	assert_int_equal(replay_reader_next(r, &m), 0);
	replay_reader_close(r);
}

static void
a_recording_is_not_overwritten(void **state)
{
	const struct file *f = *state;
	struct err err;

	write_bytes(f->path, "x", 1);
	assert_null(replay_writer_open(f->path, &err));
	assert_int_equal(err.code, -EEXIST);
}

static void
a_recording_that_was_cut_off_is_read_up_to_there(void **state)
{
	const struct file *f = *state;
	struct replay_reader *r;
	struct replay_msg m;
	struct err err;

	record(f->path);
	assert_int_equal(truncate(f->path, 12 + 16 + 5 + 16 + 1000), 0);
	r = replay_reader_open(f->path, &err);
	assert_non_null(r);
	assert_int_equal(replay_reader_next(r, &m), 1);
	assert_int_equal(replay_reader_next(r, &m), -EBADMSG);
	replay_reader_close(r);
}

static void
open_fails_with(const char *path, const void *data, size_t len, const char *text)
{
	struct err err = { 0 };

	write_bytes(path, data, len);
	assert_null(replay_reader_open(path, &err));
	assert_non_null(strstr(err.text, text));
}

static void
other_files_are_refused_with_the_reason(void **state)
{
	const struct file *f = *state;
	uint8_t header[12] = "tapgate\n\0\1";

	open_fails_with(f->path, "", 0, "no recording");
	open_fails_with(f->path, "tapgate\n", 8, "no recording");
	open_fails_with(f->path, "tapgate!\0\1\2\0", 12, "no recording");
	header[9] = 2;
	open_fails_with(f->path, header, sizeof(header), "another version");
	header[9] = 1;
	header[10] = 9;
	open_fails_with(f->path, header, sizeof(header), "byte order");
}

static void
records_that_make_no_sense_are_rejected(void **state)
{
	uint8_t record[REPLAY_MSG_RECORD_BYTES] = { 0 };
	struct replay_msg m;
	size_t used;

	(void)state;
	record[12] = REPLAY_MSG_NFLOG;
	assert_int_equal(replay_msg_decode(record, sizeof(record), &m, &used), 0);
	assert_int_equal(used, sizeof(record));
	record[15] = 1;
	assert_int_equal(
		replay_msg_decode(record, sizeof(record), &m, &used), -EBADMSG);
	record[15] = 0;
	record[12] = 99;
	assert_int_equal(
		replay_msg_decode(record, sizeof(record), &m, &used), -EBADMSG);
	record[12] = REPLAY_MSG_PSAMPLE;
	record[1] = 2;
	assert_int_equal(
		replay_msg_decode(record, sizeof(record), &m, &used), -EBADMSG);
	record[1] = 0;
	record[3] = 1;
	assert_int_equal(replay_msg_decode(record, sizeof(record), &m, &used), -EAGAIN);
}

static void
missing_numbers_are_counted(void **state)
{
	struct seq_track t = { 0 };

	(void)state;
	assert_int_equal(seq_track(&t, 13), 0);
	assert_int_equal(seq_track(&t, 14), 0);
	assert_int_equal(seq_track(&t, 18), 3);
	assert_int_equal(seq_track(&t, UINT32_MAX - 1), 0);
	assert_int_equal(seq_track(&t, 1), 2);
	assert_int_equal(seq_track(&t, 0), 0);
	assert_int_equal(seq_track(&t, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_recorded_is_read_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_recording_is_not_overwritten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_recording_that_was_cut_off_is_read_up_to_there, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			other_files_are_refused_with_the_reason, set_up, tear_down),
		cmocka_unit_test(records_that_make_no_sense_are_rejected),
		cmocka_unit_test(missing_numbers_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
