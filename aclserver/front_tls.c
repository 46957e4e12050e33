/*
 * front_tls.c - see front_tls.h.
 */
#include "aclserver/front_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/cleanup.h"

struct front_tls {
	SSL_CTX *ctx; /* owned; connections hold references */
};

/* For TLS 1.2; those of 1.3 are all fine. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

enum { VERIFY_DEPTH = 8 };

void
front_tls_free(struct front_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

/* ---- PEM ---- */

static void
free_bio(BIO **bio)
{
	BIO_free(*bio);
}

/* @what went wrong, as OpenSSL sees it. */
static int
fail(struct err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return err_set(
		err, -EINVAL, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

/* A key with a passphrase: there is nobody to ask. */
static int
refuse_passphrase(char *buf, int size, int writing, void *user_data)
{
	(void)buf, (void)size, (void)writing;
	*(bool *)user_data = true;
	return -1;
}

static BIO *
open_part(const struct trust *trust, enum trust_part part)
{
	return BIO_new_mem_buf(trust->text[part], (int)trust->len[part]);
}

/* True if the last certificate was followed by the end of the text; else it was wrong.
 */
static bool
is_end_of_pem(void)
{
	unsigned long code = ERR_peek_last_error();
	bool is_end = code == 0 || (ERR_GET_LIB(code) == ERR_LIB_PEM &&
					   ERR_GET_REASON(code) == PEM_R_NO_START_LINE);

	if (is_end)
		ERR_clear_error();
	return is_end;
}

static int
use_certificates(SSL_CTX *ctx, const struct trust *trust, struct err *err)
{
	CLEANUP(free_bio) BIO *bio = open_part(trust, TRUST_CERTIFICATE);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	int result;

	if (!cert)
		return fail(err, "tls_certificate: there is no certificate in PEM");
	result = SSL_CTX_use_certificate(ctx, cert);
	X509_free(cert);
	if (result != 1)
		return fail(err, "tls_certificate: cannot be used");
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
			X509_free(cert);
			return fail(err, "tls_certificate: chain");
		}
	return is_end_of_pem() ? 0 : fail(err, "tls_certificate: chain");
}

static int
use_key(SSL_CTX *ctx, const struct trust *trust, struct err *err)
{
	CLEANUP(free_bio) BIO *bio = open_part(trust, TRUST_KEY);
	bool encrypted = false;
	EVP_PKEY *key =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &encrypted)
		    : NULL;
	int result;

	if (!key && encrypted)
		return fail(
			err, "tls_key: has a passphrase; there is nobody to type it");
	if (!key)
		return fail(err, "tls_key: there is no private key in PEM");
	result = SSL_CTX_use_PrivateKey(ctx, key);
	EVP_PKEY_free(key);
	if (result != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return fail(err, "tls_key: does not belong to tls_certificate");
	return 0;
}

static int
use_client_ca(SSL_CTX *ctx, const struct trust *trust, struct err *err)
{
	CLEANUP(free_bio) BIO *bio = open_part(trust, TRUST_CLIENT_CA);
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509 *cert;
	int n = 0;

	while (bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		bool added = X509_STORE_add_cert(store, cert) == 1 &&
			     SSL_CTX_add_client_CA(ctx, cert) == 1;

		X509_free(cert);
		if (!added)
			return fail(err, "tls_client_ca: cannot be used");
		n++;
	}
	if (n == 0 || !is_end_of_pem())
		return fail(err, "tls_client_ca: there is no certificate in PEM");
	return 0;
}

/* ---- the context ---- */

static int
select_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
	const unsigned char *offered, unsigned offered_len, void *user_data)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl, (void)user_data;
	if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, offered,
		    offered_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
set_up(SSL_CTX *ctx, struct err *err)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_cipher_list(ctx, ciphers) != 1 ||
		SSL_CTX_set_num_tickets(ctx, 0) != 1)
		return fail(err, "TLS");
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					    SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify_depth(ctx, VERIFY_DEPTH);
	SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
	return 0;
}

static int
fill(SSL_CTX *ctx, const struct trust *trust, bool client_required, struct err *err)
{
	int result = set_up(ctx, err);

	if (result == 0)
		result = use_certificates(ctx, trust, err);
	if (result == 0)
		result = use_key(ctx, trust, err);
	if (result < 0 || !trust->text[TRUST_CLIENT_CA])
		return result;
	SSL_CTX_set_verify(ctx,
		SSL_VERIFY_PEER |
			(client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
		NULL);
	return use_client_ca(ctx, trust, err);
}

int
front_tls_new(const struct trust *trust, bool client_required, struct front_tls **ret,
	struct err *err)
{
	struct front_tls *tls = calloc(1, sizeof(*tls));
	int result;

	if (!tls)
		return err_set(err, -ENOMEM, "out of memory");
	ERR_clear_error();
	tls->ctx = SSL_CTX_new(TLS_server_method());
	result = tls->ctx ? fill(tls->ctx, trust, client_required, err)
			  : fail(err, "TLS");
	if (result < 0) {
		front_tls_free(tls);
		return result;
	}
	*ret = tls;
	return 0;
}

struct ssl_st *
front_tls_open(const struct front_tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->ctx);

	if (!ssl)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}

/* ---- names of a client ---- */

/* Where they are collected. */
struct names {
	char *to;
	size_t room; /* for names, their NULs, and the last one */
	int result;
};

static void
add_name(struct names *names, const ASN1_STRING *string)
{
	unsigned char *text = NULL;
	int len = ASN1_STRING_to_UTF8(&text, string);

	/* A name with a NUL inside would be taken for its beginning. */
	if (len <= 0 || memchr(text, '\0', (size_t)len)) {
		OPENSSL_free(text);
		return;
	}
	if ((size_t)len + 2 > names->room) {
		names->result = -E2BIG;
	} else {
		memcpy(names->to, text, (size_t)len);
		names->to[len] = '\0';
		names->to += len + 1;
		names->room -= (size_t)len + 1;
	}
	OPENSSL_free(text);
}

static void
add_common_names(struct names *names, const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int i = -1;

	while ((i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0)
		add_name(names,
			X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
}

static void
add_alternative_names(struct names *names, const X509 *cert)
{
	GENERAL_NAMES *list = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; list && i < sk_GENERAL_NAME_num(list); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);

		if (name->type == GEN_DNS || name->type == GEN_EMAIL ||
			name->type == GEN_URI)
			add_name(names, name->d.ia5);
	}
	GENERAL_NAMES_free(list);
}

int
front_tls_names(struct ssl_st *ssl, char ret[FRONT_NAMES_SIZE])
{
	struct names names = { .to = ret, .room = FRONT_NAMES_SIZE };
	const X509 *cert = SSL_get0_peer_certificate(ssl);

	if (cert && SSL_get_verify_result(ssl) == X509_V_OK) {
		add_common_names(&names, cert);
		add_alternative_names(&names, cert);
	}
	*names.to = '\0';
	return names.result;
}
