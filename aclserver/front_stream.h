/*
 * front_stream.h - a client's connection, plain or over TLS, without blocking.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "aclserver/front_tls.h"

struct front_stream {
	int fd;              /* owned; -1 = none */
	struct ssl_st *ssl;  /* owned; NULL = plain */
	bool wants_write;    /* what last gave -EAGAIN waits for room to write */
	bool handshake_done; /* always true for a plain one */
	bool end_told;       /* front_stream_end() succeeded */
};

/** Take over the connected socket @fd; @tls is borrowed for the call, NULL for a plain
 * connection. 0 or -ENOMEM; @fd is the caller's then. */
int front_stream_init(struct front_stream *s, int fd, const struct front_tls *tls);

/** Close at once. Accepts a closed one. */
void front_stream_done(struct front_stream *s);

/** 0, -EAGAIN, or -EPROTO with the reason in @err. */
int front_stream_handshake(struct front_stream *s, struct err *err);

/** Whether there is something to read: 1; 0 at the end; -EAGAIN; other negative errno.
 * Takes nothing away. */
int front_stream_peek(struct front_stream *s);

/** Number of bytes; 0 at the end, which over TLS the client must have said (else
 * -EPROTO); -EAGAIN; other negative errno. @len of at least 16 KiB takes all that TLS
 * has decrypted, so that a wait for the socket is right afterwards. */
ssize_t front_stream_read(struct front_stream *s, void *buf, size_t len);

/** Number of bytes, -EAGAIN, or other negative errno. */
ssize_t front_stream_write(struct front_stream *s, const void *buf, size_t len);

/** Say that no more will come. 0, -EAGAIN, or other negative errno. */
int front_stream_end(struct front_stream *s);
