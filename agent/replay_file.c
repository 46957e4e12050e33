/*
 * replay_file.c - reading and writing recordings, through one buffer each.
 */
#include "agent/replay_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mono.h"

enum { BUFFER_BYTES = 4 * (REPLAY_MSG_RECORD_BYTES + REPLAY_MSG_MAX_BYTES) };

struct replay_reader {
	int fd;
	bool at_end;
	size_t start, end; /* unread part of buffer */
	uint8_t buffer[BUFFER_BYTES] __attribute__((aligned(8)));
	/* Netlink messages are aligned; those in the file are not. */
	uint8_t message[REPLAY_MSG_MAX_BYTES] __attribute__((aligned(8)));
};

struct replay_writer {
	FILE *file; /* owned; NULL after the first failure */
	char *path; /* owned */
	struct mono began;
	uint64_t bytes, messages;
};

/* Move what is unread to the front and read more behind it. 0 or negative errno. */
static int
refill(struct replay_reader *r)
{
	ssize_t got;

	memmove(r->buffer, r->buffer + r->start, r->end - r->start);
	r->end -= r->start;
	r->start = 0;
	do {
		got = read(r->fd, r->buffer + r->end, BUFFER_BYTES - r->end);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	r->at_end = got == 0;
	r->end += (size_t)got;
	return 0;
}

static int
read_header(struct replay_reader *r, const char *path, struct err *err)
{
	int rc = 0;

	while (!r->at_end && r->end < REPLAY_MSG_HEADER_BYTES && rc == 0)
		rc = refill(r);
	if (rc < 0)
		return err_sys(err, rc, "%s", path);
	rc = replay_msg_decode_header(r->buffer, r->end);
	r->start = REPLAY_MSG_HEADER_BYTES;
	switch (rc) {
	case 0:
		return 0;
	case -EPROTONOSUPPORT:
		return err_set(err, rc, "%s: recording of another version", path);
	case -EXDEV:
		return err_set(err, rc,
			"%s: was recorded on a machine of other byte order", path);
	default:
		return err_set(err, -EBADMSG, "%s: is no recording", path);
	}
}

struct replay_reader *
replay_reader_open(const char *path, struct err *err)
{
	struct replay_reader *r = malloc(sizeof(*r));

	if (!r) {
		(void)err_sys(err, -ENOMEM, "%s", path);
		return NULL;
	}
	r->start = r->end = 0;
	r->at_end = false;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		(void)err_sys(err, -errno, "%s", path);
	else if (read_header(r, path, err) == 0)
		return r;
	replay_reader_close(r);
	return NULL;
}

void
replay_reader_close(struct replay_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

int
replay_reader_next(struct replay_reader *r, struct replay_msg *ret)
{
	size_t used;
	int rc;

	for (;;) {
		rc = replay_msg_decode(
			r->buffer + r->start, r->end - r->start, ret, &used);
		if (rc != -EAGAIN)
			break;
		if (r->at_end)
			return r->start == r->end ? 0 : -EBADMSG;
		rc = refill(r);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	memcpy(r->message, ret->data, ret->len);
	ret->data = r->message;
	r->start += used;
	return 1;
}

/* Writing. */

static void
give_up(struct replay_writer *w, const char *why)
{
	log_error("%s: recording ends after %llu messages: %s", w->path,
		(unsigned long long)w->messages, why);
	(void)fclose(w->file);
	w->file = NULL;
}

static void
put_bytes(struct replay_writer *w, const void *data, size_t len)
{
	if (!w->file || len == 0)
		return;
	if (fwrite(data, len, 1, w->file) != 1)
		give_up(w, strerror(errno));
	w->bytes += len;
}

static int
create(struct replay_writer *w, const char *path)
{
	uint8_t header[REPLAY_MSG_HEADER_BYTES];
	struct wbuf b;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	w->file = fdopen(fd, "w");
	w->path = strdup(path);
	if (!w->file || !w->path) {
		if (!w->file)
			close(fd);
		return -ENOMEM;
	}
	wbuf_init(&b, header, sizeof(header));
	replay_msg_encode_header(&b);
	put_bytes(w, header, sizeof(header));
	return 0;
}

struct replay_writer *
replay_writer_open(const char *path, struct err *err)
{
	struct replay_writer *w = calloc(1, sizeof(*w));
	int rc = w ? create(w, path) : -ENOMEM;

	if (rc == 0) {
		w->began = mono_now();
		return w;
	}
	(void)err_sys(err, rc, "%s", path);
	if (w) {
		if (w->file)
			(void)fclose(w->file);
		free(w->path);
		free(w);
	}
	return NULL;
}

void
replay_writer_close(struct replay_writer *w)
{
	if (!w)
		return;
	if (w->file && fclose(w->file) != 0)
		log_error("%s: recording: %s", w->path, strerror(errno));
	else if (w->file)
		log_notice("%s: %llu messages recorded", w->path,
			(unsigned long long)w->messages);
	free(w->path);
	free(w);
}

void
replay_writer_put(struct replay_writer *w, enum replay_msg_source source,
	const void *data, size_t len)
{
	const struct replay_msg m = {
		.source = source,
		.time_ns = (uint64_t)(mono_now().ns - w->began.ns),
		.len = len,
	};
	uint8_t head[REPLAY_MSG_RECORD_BYTES];
	struct wbuf b;

	if (!w->file || len > REPLAY_MSG_MAX_BYTES)
		return;
	if (w->bytes + sizeof(head) + len > REPLAY_WRITER_MAX_BYTES) {
		give_up(w, "it is as long as we let it become");
		return;
	}
	wbuf_init(&b, head, sizeof(head));
	replay_msg_encode(&b, &m);
	put_bytes(w, head, sizeof(head));
	put_bytes(w, data, len);
	w->messages += w->file != NULL;
}
