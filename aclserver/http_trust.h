/*
 * http_trust.h - puts tokens and certificates to use that the committer has read and
 * checked.
 */
#pragma once

#include "aclserver/access.h"
#include "aclserver/front_tls.h"
#include "aclserver/server_conf.h"
#include "aclserver/trust.h"
#include "common/err.h"

/** Give @access the tokens of @trust, and make a TLS configuration; @ret_tls stays as
 * it is where there is none. 0, or negative errno and nothing has changed. */
int http_trust_use(const struct server_conf *conf, const struct trust *trust,
	struct access *access, struct front_tls **ret_tls, struct err *err);

/** The same with the text of trust_load() that can be read from @fd. */
int http_trust_renew(const struct server_conf *conf, int fd, struct access *access,
	struct front_tls **ret_tls, struct err *err);
