/*
 * dnssd_msg.h - decodes a DNS answer to a SRV, TXT, A or AAAA question (RFC 1035, 2782,
 * 3596). Pure; every byte is hostile.
 *
 * Only the answer section is read: the records of the name that was asked for, or of
 * the name that a chain of CNAMEs in the same section leads to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/parse.h"

enum {
	DNSSD_NAME_SIZE = 256,    /* text of a name without final dot, and NUL */
	DNSSD_RECORDS_MAX = 64,   /* further ones are counted, not kept */
	DNSSD_CNAMES_MAX = 8,     /* longest chain */
	DNSSD_TTL_MAX_S = 604800, /* larger ones are cut: a week is for ever */
};

enum dnssd_type {
	DNSSD_TYPE_A = 1,
	DNSSD_TYPE_CNAME = 5,
	DNSSD_TYPE_TXT = 16,
	DNSSD_TYPE_AAAA = 28,
	DNSSD_TYPE_SRV = 33,
};

struct dnssd_srv {
	uint16_t priority; /* lower is better */
	uint16_t weight;   /* share among equals */
	uint16_t port;     /* UDP, never 0 */
	char target[DNSSD_NAME_SIZE];
};

struct dnssd_txt_data {
	const uint8_t *data; /* RDATA, borrowed from the message */
	size_t len;
};

struct dnssd_record {
	union {
		struct dnssd_srv srv;
		struct parse_addr addr; /* A, AAAA */
		struct dnssd_txt_data txt;
	};
};

/** What a message says about one question. */
struct dnssd_msg {
	bool found;     /* at least one usable record */
	bool no_name;   /* the name does not exist (NXDOMAIN) */
	uint32_t ttl_s; /* smallest of the records and CNAMEs used; 0 if none */
	/* The chain of CNAMEs ends outside the message: ask for this name; else "". */
	char next_name[DNSSD_NAME_SIZE];
	unsigned n_records;
	struct dnssd_record records[DNSSD_RECORDS_MAX];
	unsigned n_unusable; /* root or odd SRV targets, port 0, null addresses */
	unsigned n_left_off; /* beyond DNSSD_RECORDS_MAX */
};

/**
 * Decode the answer to the question @name / @type.
 *
 * @msg      @len bytes from the network; texts are borrowed from it
 * @name     what was asked, without final dot, compared without case
 * @ret_msg  written on success only
 * Returns   0, also for "no such name" and "no such record"; -EBADMSG malformed, or not
 *           an answer to the question; -EMSGSIZE cut off (TC bit); -EREMOTEIO the
 *           server could not answer; the reason is in @err
 */
int dnssd_msg_decode(const void *msg, size_t len, const char *name,
	enum dnssd_type type, struct dnssd_msg *ret_msg, struct err *err);
