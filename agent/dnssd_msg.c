/*
 * dnssd_msg.c - bounded decoder of DNS answers.
 *
 * Names are decoded to text with dots. A label with other bytes than letters, digits,
 * '-' and '_' makes the name odd: it equals nothing and is no target, because nothing
 * that we ask for or connect to has such a name. Compression pointers must point
 * backwards, each before the last, so that no loop is possible.
 */
#include "agent/dnssd_msg.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/rbuf.h"

enum {
	HEADER_BYTES = 12,
	FLAG_QR = 0x8000,
	FLAG_TC = 0x0200,
	OPCODE_MASK = 0x7800,
	RCODE_MASK = 0x000f,
	RCODE_NXDOMAIN = 3,
	CLASS_IN = 1,
	LABEL_MAX = 63,
	POINTER_MASK = 0xc0,
	WIRE_NAME_MAX = 255,
};

struct name {
	char text[DNSSD_NAME_SIZE];
	size_t len;
	bool odd; /* holds bytes that no host or service name has */
};

struct header {
	uint16_t flags;
	uint16_t questions;
	uint16_t answers;
};

struct rr {
	struct name owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl_s;
	struct rbuf rdata; /* over the whole message: starts at rdata, ends behind it */
};

static bool
is_name_char(uint8_t c)
{
	return isalnum(c) || c == '-' || c == '_';
}

/* Add one label of @n bytes behind a dot; false if the name becomes too long. */
static bool
append_label(struct name *name, const uint8_t *label, size_t n)
{
	if (name->len + (name->len > 0) + n >= sizeof(name->text))
		return false;
	if (name->len > 0)
		name->text[name->len++] = '.';
	for (size_t i = 0; i < n; i++) {
		if (!is_name_char(label[i]))
			name->odd = true;
		name->text[name->len++] = (char)label[i];
	}
	name->text[name->len] = '\0';
	return true;
}

/*
 * Read a name at @r, following compression pointers into the message in front of it.
 * @r ends up behind the name as it stands there. False if malformed.
 */
static bool
get_name(struct rbuf *r, struct name *ret_name)
{
	struct rbuf walk = *r;
	size_t before = r->pos; /* pointers must lead in front of this */
	size_t wire_len = 1;
	bool jumped = false;
	uint8_t n;

	memset(ret_name, 0, sizeof(*ret_name));
	while ((n = rbuf_get_u8(&walk)) != 0) {
		if ((n & POINTER_MASK) == POINTER_MASK) {
			size_t target =
				(size_t)(n & ~POINTER_MASK) << 8 | rbuf_get_u8(&walk);

			if (!rbuf_ok(&walk) || target >= before)
				return false;
			if (!jumped)
				r->pos = walk.pos;
			jumped = true;
			before = target;
			walk.pos = target;
			continue;
		}
		const uint8_t *label = rbuf_get_bytes(&walk, n);

		wire_len += n + 1U;
		if (n > LABEL_MAX || !label || wire_len > WIRE_NAME_MAX ||
			!append_label(ret_name, label, n))
			return false;
	}
	if (!jumped)
		r->pos = walk.pos;
	return rbuf_ok(&walk);
}

static bool
name_is(const struct name *name, const char *text)
{
	return !name->odd && strcasecmp(name->text, text) == 0;
}

/* Read one resource record; @r ends up behind it. False if malformed. */
static bool
get_rr(struct rbuf *r, struct rr *ret_rr)
{
	uint16_t rdlength;

	if (!get_name(r, &ret_rr->owner))
		return false;
	ret_rr->type = rbuf_get_be16(r);
	ret_rr->class = rbuf_get_be16(r);
	ret_rr->ttl_s = rbuf_get_be32(r);
	rdlength = rbuf_get_be16(r);
	if (!rbuf_ok(r) || rdlength > rbuf_left(r))
		return false;
	/* Names in RDATA may point anywhere in front, so the reader keeps the message.
	 */
	ret_rr->rdata = *r;
	ret_rr->rdata.len = r->pos + rdlength;
	r->pos += rdlength;
	if (ret_rr->ttl_s & 0x80000000)
		ret_rr->ttl_s = 0; /* RFC 2181 §8 */
	if (ret_rr->ttl_s > DNSSD_TTL_MAX_S)
		ret_rr->ttl_s = DNSSD_TTL_MAX_S;
	return true;
}

/* Header and question must be those of an answer to what we asked. */
static int
get_question(struct rbuf *r, const char *name, enum dnssd_type type,
	struct header *ret_header, struct err *err)
{
	struct name asked;
	uint16_t qtype, qclass;

	rbuf_get_be16(r); /* the transport has matched the id */
	ret_header->flags = rbuf_get_be16(r);
	ret_header->questions = rbuf_get_be16(r);
	ret_header->answers = rbuf_get_be16(r);
	(void)rbuf_get_bytes(r, HEADER_BYTES - 8);
	if (!rbuf_ok(r))
		return err_set(err, -EBADMSG, "answer shorter than a header");
	if (!(ret_header->flags & FLAG_QR) || (ret_header->flags & OPCODE_MASK))
		return err_set(err, -EBADMSG, "not an answer to a query");
	if (ret_header->questions != 1 || !get_name(r, &asked))
		return err_set(err, -EBADMSG, "answer without the question");
	qtype = rbuf_get_be16(r);
	qclass = rbuf_get_be16(r);
	if (!rbuf_ok(r) || qtype != type || qclass != CLASS_IN ||
		!name_is(&asked, name))
		return err_set(err, -EBADMSG, "answer to another question");
	return 0;
}

static int
check_rcode(const struct header *header, struct err *err)
{
	static const char *const names[] = { "", "FORMERR", "SERVFAIL", "", "NOTIMP",
		"REFUSED" };
	unsigned rcode = header->flags & RCODE_MASK;

	if (header->flags & FLAG_TC)
		return err_set(err, -EMSGSIZE, "answer is cut off");
	if (rcode == 0 || rcode == RCODE_NXDOMAIN)
		return 0;
	if (rcode < sizeof(names) / sizeof(names[0]))
		return err_set(err, -EREMOTEIO, "server says %s", names[rcode]);
	return err_set(err, -EREMOTEIO, "server says error %u", rcode);
}

/* SRV RDATA; false if malformed. Unusable records are counted. */
static bool
get_srv(struct rbuf r, struct dnssd_record *ret_record, bool *ret_usable)
{
	struct dnssd_srv *srv = &ret_record->srv;
	struct name target;

	srv->priority = rbuf_get_be16(&r);
	srv->weight = rbuf_get_be16(&r);
	srv->port = rbuf_get_be16(&r);
	if (!rbuf_ok(&r) || !get_name(&r, &target) || rbuf_left(&r) != 0)
		return false;
	memcpy(srv->target, target.text, sizeof(srv->target));
	*ret_usable = target.len > 0 && !target.odd && srv->port != 0;
	return true;
}

static bool
get_addr(struct rbuf r, enum dnssd_type type, struct dnssd_record *ret_record,
	bool *ret_usable)
{
	static const uint8_t null_addr[16];
	size_t n = type == DNSSD_TYPE_A ? 4 : 16;
	struct parse_addr *addr = &ret_record->addr;

	if (rbuf_left(&r) != n)
		return false;
	memset(addr, 0, sizeof(*addr));
	addr->family = type == DNSSD_TYPE_A ? AF_INET : AF_INET6;
	addr->prefix_len = (uint8_t)(n * 8);
	memcpy(addr->bytes, rbuf_get_bytes(&r, n), n);
	*ret_usable = memcmp(addr->bytes, null_addr, n) != 0;
	return true;
}

/* TXT RDATA must consist of whole character strings (RFC 1035 §3.3.14). */
static bool
get_txt(struct rbuf r, struct dnssd_record *ret_record)
{
	ret_record->txt.data = r.data + r.pos;
	ret_record->txt.len = rbuf_left(&r);
	if (ret_record->txt.len == 0)
		return false;
	while (rbuf_left(&r) > 0)
		if (!rbuf_get_bytes(&r, rbuf_get_u8(&r)))
			return false;
	return true;
}

static bool
add_record(const struct rr *rr, enum dnssd_type type, struct dnssd_msg *msg)
{
	struct dnssd_record record;
	bool usable = true, ok;

	if (type == DNSSD_TYPE_SRV)
		ok = get_srv(rr->rdata, &record, &usable);
	else if (type == DNSSD_TYPE_TXT)
		ok = get_txt(rr->rdata, &record);
	else
		ok = get_addr(rr->rdata, type, &record, &usable);
	if (!ok)
		return false;
	if (!usable)
		msg->n_unusable++;
	else if (msg->n_records == DNSSD_RECORDS_MAX)
		msg->n_left_off++;
	else
		msg->records[msg->n_records++] = record;
	return true;
}

static void
use_ttl(struct dnssd_msg *msg, bool *has_ttl, uint32_t ttl_s)
{
	if (!*has_ttl || ttl_s < msg->ttl_s)
		msg->ttl_s = ttl_s;
	*has_ttl = true;
}

/*
 * One pass over the answer section: take the records of @name, and its CNAME. False if
 * malformed, which a single bad record makes the whole message: half an answer is none.
 */
static bool
scan_answers(struct rbuf r, unsigned n_answers, const char *name, enum dnssd_type type,
	struct dnssd_msg *msg)
{
	bool has_ttl = msg->next_name[0] != '\0';
	struct name alias;
	struct rr rr;

	msg->next_name[0] = '\0';
	for (unsigned i = 0; i < n_answers; i++) {
		if (!get_rr(&r, &rr))
			return false;
		if (rr.class != CLASS_IN || !name_is(&rr.owner, name))
			continue;
		if (rr.type == type) {
			if (!add_record(&rr, type, msg))
				return false;
			use_ttl(msg, &has_ttl, rr.ttl_s);
		} else if (rr.type == DNSSD_TYPE_CNAME) {
			if (!get_name(&rr.rdata, &alias) || alias.odd ||
				rbuf_left(&rr.rdata) != 0)
				return false;
			memcpy(msg->next_name, alias.text, sizeof(msg->next_name));
			use_ttl(msg, &has_ttl, rr.ttl_s);
		}
	}
	return true;
}

int
dnssd_msg_decode(const void *data, size_t len, const char *name, enum dnssd_type type,
	struct dnssd_msg *ret_msg, struct err *err)
{
	char current[DNSSD_NAME_SIZE] = "";
	struct header header;
	struct dnssd_msg msg;
	struct rbuf r;
	int rc;

	rbuf_init(&r, data, len);
	rc = get_question(&r, name, type, &header, err);
	if (rc == 0)
		rc = check_rcode(&header, err);
	if (rc < 0)
		return rc;
	memset(&msg, 0, sizeof(msg));
	memccpy(current, name, '\0', sizeof(current) - 1);
	for (int i = 0; i <= DNSSD_CNAMES_MAX; i++) {
		if (!scan_answers(r, header.answers, current, type, &msg))
			return err_set(err, -EBADMSG, "malformed record");
		if (msg.n_records || msg.n_unusable || !msg.next_name[0])
			break;
		if (i == DNSSD_CNAMES_MAX)
			return err_set(err, -EBADMSG, "more than %d CNAMEs in a row",
				DNSSD_CNAMES_MAX);
		memcpy(current, msg.next_name, sizeof(current));
	}
	/* The name in @current owned nothing here: the server may know no more than the
	 * alias, and the question goes on with the alias' target. */
	msg.no_name = (header.flags & RCODE_MASK) == RCODE_NXDOMAIN;
	msg.found = msg.n_records > 0;
	if (!msg.found && !msg.n_unusable && !msg.no_name &&
		strcasecmp(current, name) != 0)
		memcpy(msg.next_name, current, sizeof(msg.next_name));
	else
		msg.next_name[0] = '\0';
	*ret_msg = msg;
	return 0;
}
