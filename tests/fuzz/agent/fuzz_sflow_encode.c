/*
 * fuzz_sflow_encode.c - samples of arbitrary content into buffers of arbitrary size.
 *
 * Whatever the structs hold: never a byte behind the buffer; either the whole sample,
 * of which every length and count agrees with the others, or the buffer as it was.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/sflow_encode.h"
#include "common/rbuf.h"
#include "tests/fuzz/fuzz.h"

enum {
	BUFFER_MAX = 2048,
	GUARD = 64, /* bytes behind the buffer that must stay */
	GUARD_BYTE = 0xa5,
	TEXT_MAX = 300, /* longer than any text that is sent */
	ADAPTERS_MAX = 40,
	FRONT = 4, /* bytes in the buffer before the sample */
};

/* The input as an endless supply of values: it begins anew, changed, at its end. */
struct supply {
	const uint8_t *data;
	size_t size;
	size_t pos;
};

static uint8_t
take_u8(struct supply *s)
{
	size_t at = s->pos++;

	if (s->size == 0)
		return 0;
	return (uint8_t)(s->data[at % s->size] + at / s->size);
}

static void
take_bytes(struct supply *s, void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = take_u8(s);
}

static uint32_t
take_u32(struct supply *s)
{
	uint32_t v;

	take_bytes(s, &v, sizeof(v));
	return v;
}

/* A text of up to @size - 1 bytes, or NULL. */
static const char *
take_text(struct supply *s, char *buf, size_t size)
{
	uint8_t kind = take_u8(s);
	size_t len;

	if (kind == 0)
		return NULL;
	len = (kind * 7u) % size;
	take_bytes(s, buf, len);
	buf[len] = '\0';
	return buf;
}

static int
take_family(struct supply *s)
{
	static const int families[] = { AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX };

	return families[take_u8(s) % 4];
}

/* Everything a struct packet may point to. */
struct packet_memory {
	uint8_t header[512];
	char texts[5][TEXT_MAX];
};

static void
take_packet(struct supply *s, struct packet *p, struct packet_memory *m)
{
	take_bytes(s, p, sizeof(*p));
	take_bytes(s, m->header, sizeof(m->header));
	p->input.kind = take_u8(s) % 6;
	p->output.kind = take_u8(s) % 6;
	p->header = m->header;
	p->header_len %= sizeof(m->header) + 1;
	p->frame_len %= 20000;
	p->stripped %= 20;
	p->router.next_hop.family = take_family(s);
	p->gateway.next_hop.family = take_family(s);
	p->tunnel_in.src.family = take_family(s);
	p->tunnel_out.src.family = take_family(s);
	p->trap_group = take_text(s, m->texts[0], TEXT_MAX);
	p->trap_name = take_text(s, m->texts[1], TEXT_MAX);
	p->linux_reason = take_text(s, m->texts[2], TEXT_MAX);
	p->function = take_text(s, m->texts[3], TEXT_MAX);
	p->acl.name = take_text(s, m->texts[4], TEXT_MAX);
}

/* A buffer with something in front of the sample and a guard behind. */
struct target {
	uint8_t bytes[BUFFER_MAX + GUARD];
	size_t size;
	struct wbuf w;
	unsigned cut;
	unsigned *ret_cut; /* NULL or &cut */
	struct sflow_options options;
};

static void
target_init(struct target *t, struct supply *s)
{
	memset(t->bytes, GUARD_BYTE, sizeof(t->bytes));
	t->size = FRONT + take_u32(s) % (BUFFER_MAX - FRONT + 1);
	t->ret_cut = take_u8(s) & 1 ? &t->cut : NULL;
	t->options.compact = take_u8(s) & 1;
	t->options.header_max = take_u32(s) % 600;
	wbuf_init(&t->w, t->bytes, t->size);
	wbuf_put_be32(&t->w, 0x01020304);
}

/* Records of the sample are as many as it says, and fill it. */
static void
check_records(struct rbuf *sample, size_t fixed_len)
{
	uint32_t n;

	(void)rbuf_get_bytes(sample, fixed_len);
	n = rbuf_get_be32(sample);
	require(n > 0);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len;

		(void)rbuf_get_be32(sample);
		len = rbuf_get_be32(sample);
		require(len % 4 == 0);
		(void)rbuf_get_bytes(sample, len);
		require(rbuf_ok(sample));
	}
	require(rbuf_left(sample) == 0);
}

/* Bytes of the fixed part, without the count, by sample type. */
static size_t
fixed_len_of(uint32_t tag)
{
	static const size_t lens[] = { 0, 28, 8, 40, 12, 28 };

	require(tag >= 1 && tag <= 5);
	return lens[tag];
}

static void
check_whole(const struct target *t)
{
	struct rbuf r;
	struct rbuf sample;
	uint32_t tag;

	rbuf_init(&r, t->bytes + FRONT, t->w.len - FRONT);
	tag = rbuf_get_be32(&r);
	sample = rbuf_sub(&r, rbuf_get_be32(&r));
	require(rbuf_ok(&r) && rbuf_left(&r) == 0);
	check_records(&sample, fixed_len_of(tag));
}

static void
check(const struct target *t, int rc)
{
	require(wbuf_ok(&t->w) && t->w.len <= t->size && t->w.len % 4 == 0);
	for (size_t i = t->size; i < sizeof(t->bytes); i++)
		require(t->bytes[i] == GUARD_BYTE);
	require(memcmp(t->bytes, "\1\2\3\4", FRONT) == 0);
	if (rc == 0)
		check_whole(t);
	else
		require(rc < 0 && t->w.len == FRONT);
}

static void
run_flow(struct target *t, struct supply *s, bool discard)
{
	struct packet_memory memory;
	struct packet p;
	struct flow_sample flow = { .packet = &p, .seq = take_u32(s) };
	struct discard_sample dropped = { .packet = &p, .seq = take_u32(s) };

	take_packet(s, &p, &memory);
	if (discard)
		check(t, sflow_put_discard_sample(
				 &t->w, &t->options, &dropped, t->ret_cut));
	else
		check(t, sflow_put_flow_sample(&t->w, &t->options, &flow, t->ret_cut));
}

static void
run_if(struct target *t, struct supply *s)
{
	char name[TEXT_MAX];
	struct optics optics;
	struct if_sample c;

	if_sample_init(&c, take_u32(s));
	take_bytes(s, &c.generic.in, sizeof(c.generic.in));
	take_bytes(s, &c.ethernet, sizeof(c.ethernet));
	take_bytes(s, &c.lag, sizeof(c.lag));
	take_bytes(s, &optics, sizeof(optics));
	optics.n_lanes %= OPTICS_LANES_MAX + 2;
	c.has = take_u8(s);
	c.optics = &optics;
	c.name = take_text(s, name, sizeof(name));
	check(t, sflow_put_if_sample(&t->w, &t->options, &c, t->ret_cut));
}

static void
run_host(struct target *t, struct supply *s)
{
	struct host_adapter adapters[ADAPTERS_MAX];
	char hostname[TEXT_MAX];
	char release[TEXT_MAX];
	struct host_sample c;

	host_sample_init(&c);
	take_bytes(s, &c.memory, sizeof(c.memory));
	take_bytes(s, &c.ip, sizeof(c.ip));
	take_bytes(s, adapters, sizeof(adapters));
	c.source.index = take_u32(s);
	c.has = take_u32(s);
	c.descr.hostname = take_text(s, hostname, sizeof(hostname));
	c.descr.os_release = take_text(s, release, sizeof(release));
	c.adapters = adapters;
	c.n_adapters = take_u8(s) % (ADAPTERS_MAX + 1);
	for (size_t i = 0; i < c.n_adapters; i++)
		adapters[i].n_macs %= HOST_MACS_MAX + (take_u8(s) == 0);
	check(t, sflow_put_host_sample(&t->w, &t->options, &c, t->ret_cut));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct supply s = { data, size, 0 };
	struct target t;
	uint8_t kind = take_u8(&s) % 4;

	target_init(&t, &s);
	if (kind < 2)
		run_flow(&t, &s, kind == 1);
	else if (kind == 2)
		run_if(&t, &s);
	else
		run_host(&t, &s);
	return 0;
}
