/*
 * front_stream.c - see front_stream.h.
 */
#include "aclserver/front_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
front_stream_init(struct front_stream *s, int fd, const struct front_tls *tls)
{
	*s = (struct front_stream){ .fd = -1, .handshake_done = !tls };
	if (tls) {
		s->ssl = front_tls_open(tls, fd);
		if (!s->ssl)
			return -ENOMEM;
	}
	s->fd = fd;
	return 0;
}

void
front_stream_done(struct front_stream *s)
{
	SSL_free(s->ssl);
	s->ssl = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* What an operation of OpenSSL that did not succeed means; 0 is the client's end. */
static int
result_of(struct front_stream *s, int code)
{
	int saved_errno = errno;

	switch (SSL_get_error(s->ssl, code)) {
	case SSL_ERROR_WANT_READ:
		s->wants_write = false;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		s->wants_write = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return saved_errno ? -saved_errno : -EPROTO;
	default:
		return -EPROTO;
	}
}

static int
refuse_handshake(struct front_stream *s, struct err *err)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	long verified = SSL_get_verify_result(s->ssl);

	if (verified != X509_V_OK)
		reason = X509_verify_cert_error_string(verified);
	return err_set(err, -EPROTO, "%s", reason ? reason : "the client has left");
}

int
front_stream_handshake(struct front_stream *s, struct err *err)
{
	int code, result;

	if (s->handshake_done)
		return 0;
	ERR_clear_error();
	errno = 0;
	code = SSL_accept(s->ssl);
	if (code == 1) {
		s->handshake_done = true;
		s->wants_write = false;
		return 0;
	}
	result = result_of(s, code);
	return result == -EAGAIN ? result : refuse_handshake(s, err);
}

int
front_stream_peek(struct front_stream *s)
{
	char byte;
	ssize_t n;

	if (s->ssl) {
		ERR_clear_error();
		errno = 0;
		n = SSL_peek(s->ssl, &byte, 1);
		return n > 0 ? 1 : result_of(s, (int)n);
	}
	n = recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n < 0 ? -errno : (int)n;
}

ssize_t
front_stream_read(struct front_stream *s, void *buf, size_t len)
{
	ssize_t n;

	if (s->ssl) {
		ERR_clear_error();
		errno = 0;
		n = SSL_read(s->ssl, buf, (int)len);
		if (n > 0)
			s->wants_write = false;
		return n > 0 ? n : result_of(s, (int)n);
	}
	n = recv(s->fd, buf, len, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

ssize_t
front_stream_write(struct front_stream *s, const void *buf, size_t len)
{
	ssize_t n;

	if (s->ssl) {
		int result;

		ERR_clear_error();
		errno = 0;
		n = SSL_write(s->ssl, buf, (int)len);
		if (n > 0) {
			s->wants_write = false;
			return n;
		}
		result = result_of(s, (int)n);
		return result == 0 ? -EPIPE : result;
	}
	n = send(s->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

int
front_stream_end(struct front_stream *s)
{
	if (s->ssl && !s->end_told) {
		int code, result;

		ERR_clear_error();
		errno = 0;
		code = SSL_shutdown(s->ssl);
		/* 0: said; that the client says so as well is not waited for. */
		result = code >= 0 ? 0 : result_of(s, code);
		if (result < 0)
			return result;
	}
	s->end_told = true;
	s->wants_write = false;
	return shutdown(s->fd, SHUT_WR) < 0 ? -errno : 0;
}
