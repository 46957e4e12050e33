/*
 * source_afpacket.c - samples by packet sockets, for hosts and for ports that a pcap
 * block names.
 *
 * One socket per port, both directions. The kernel keeps 1 in N of the packets with a
 * random number in a socket filter, so what is not sampled costs one short program. The
 * true length and the VLAN tag come as ancillary data. Nothing stays behind after a
 * crash. Recordings do not contain these samples: they are no messages.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/agent_conf.h"
#include "agent/source.h"
#include "common/cleanup.h"
#include "common/log.h"

enum {
	BATCH = 32,        /* packets per system call */
	TURN_BATCHES = 16, /* then the loop has its turn */
	TAG_BYTES = 4,
	FRAME_BYTES = SFLOW_HEADER_BYTES_MAX,
	ADDRESSES_BYTES = 2 * ETH_ALEN,
	CONTROL_BYTES = CMSG_SPACE(sizeof(struct tpacket_auxdata)),
	SOCKET_BYTES_MAX = 2 << 20, /* of each socket's queue */
};

struct tap {
	struct source_afpacket *owner;
	struct source_port port;
	int fd;                       /* -1: the kernel refused it */
	int told;                     /* refusal that was logged; 0 = none */
	struct loop_source *readable; /* owned by the loop */
};

/* Where one packet is received; in front of it is room for its tag. */
struct slot {
	uint8_t frame[TAG_BYTES + FRAME_BYTES];
	uint8_t control[CONTROL_BYTES] __attribute__((aligned(8)));
	struct sockaddr_ll from;
};

struct source_afpacket {
	struct source_env env;
	struct tap **taps; /* sorted by ifindex; owned, as each of them */
	size_t n;
	struct source_stats stats;
	struct slot slots[BATCH];
	struct iovec iovs[BATCH];
	struct mmsghdr msgs[BATCH];
};

static bool
afpacket_wanted(const struct agent_conf *conf)
{
	return conf->n_pcaps > 0;
}

/* Reading. */

static bool
read_auxdata(struct msghdr *m, struct tpacket_auxdata *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
			c->cmsg_len < CMSG_LEN(sizeof(*ret)))
			continue;
		memcpy(ret, CMSG_DATA(c), sizeof(*ret));
		return true;
	}
	return false;
}

/* Put the tag back behind the addresses. Returns the new beginning of the frame. */
static uint8_t *
put_tag(uint8_t *frame, const struct tpacket_auxdata *aux)
{
	const bool has_type = aux->tp_status & TP_STATUS_VLAN_TPID_VALID;
	const uint16_t tag[2] = { htons(has_type ? aux->tp_vlan_tpid : ETH_P_8021Q),
		htons(aux->tp_vlan_tci) };

	memmove(frame - TAG_BYTES, frame, ADDRESSES_BYTES);
	memcpy(frame - TAG_BYTES + ADDRESSES_BYTES, tag, sizeof(tag));
	return frame - TAG_BYTES;
}

static void
set_direction(const struct tap *t, const struct slot *slot, struct packet *p)
{
	struct packet_port port = packet_port_ifindex(t->port.ifindex);

	if (slot->from.sll_pkttype == PACKET_OUTGOING)
		p->output = port;
	else
		p->input = port;
}

static int
set_header(struct slot *slot, uint32_t len, const struct tpacket_auxdata *aux,
	struct packet *p)
{
	uint8_t *frame = slot->frame + TAG_BYTES;
	uint32_t original = aux->tp_len;

	if (slot->from.sll_hatype != ARPHRD_ETHER &&
		slot->from.sll_hatype != ARPHRD_LOOPBACK)
		return packet_set_ip(p, frame, len, original);
	if (aux->tp_status & TP_STATUS_VLAN_VALID && len >= ETH_HLEN) {
		frame = put_tag(frame, aux);
		len += TAG_BYTES;
		original += TAG_BYTES;
	}
	packet_set_ethernet(p, frame, len, original);
	return 0;
}

static void
take(struct source_afpacket *s, const struct tap *t, unsigned i)
{
	struct slot *slot = &s->slots[i];
	struct tpacket_auxdata aux;
	struct packet p;

	packet_init(&p);
	p.source = data_source_port(t->port.ifindex);
	p.rate = t->port.rate;
	set_direction(t, slot, &p);
	if (!read_auxdata(&s->msgs[i].msg_hdr, &aux)) {
		s->stats.malformed++;
	} else if (set_header(slot, s->msgs[i].msg_len, &aux, &p) < 0) {
		s->stats.skipped++;
	} else {
		s->stats.packets++;
		s->env.sink->on_packet(&p, s->env.sink->user_data);
	}
}

/* One batch; how many there were, 0 at the end, negative errno. */
static int
read_batch(struct source_afpacket *s, const struct tap *t)
{
	int got;

	for (unsigned i = 0; i < BATCH; i++) {
		s->iovs[i] =
			(struct iovec){ s->slots[i].frame + TAG_BYTES, FRAME_BYTES };
		s->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &s->slots[i].from,
			.msg_namelen = sizeof(s->slots[i].from),
			.msg_iov = &s->iovs[i],
			.msg_iovlen = 1,
			.msg_control = s->slots[i].control,
			.msg_controllen = CONTROL_BYTES,
		};
	}
	got = recvmmsg(t->fd, s->msgs, BATCH, MSG_DONTWAIT, NULL);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < got; i++)
		take(s, t, (unsigned)i);
	return got;
}

/* Until it is empty, at most TURN_BATCHES. */
static void
read_tap(struct source_afpacket *s, const struct tap *t)
{
	int got = BATCH;

	s->env.sink->on_begin(s->env.sink->user_data);
	for (int i = 0; i < TURN_BATCHES && got == BATCH; i++)
		got = read_batch(s, t);
	/* The port went down: it says so once, and comes back by itself. */
	if (got < 0)
		log_debug(
			"afpacket", "%s: receiving: %s", t->port.name, strerror(-got));
}

static void
on_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct tap *t = user_data;

	(void)loop;
	(void)fd;
	(void)events;
	read_tap(t->owner, t);
}

/* Opening and changing a tap. */

static int
set_filter(int fd, const struct source_port *port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RANDOM),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, port->rate),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, port->header_bytes < FRAME_BYTES
						  ? port->header_bytes
						  : FRAME_BYTES),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code),
		.filter = code,
	};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) <
			       0
		       ? -errno
		       : 0;
}

static int
set_promisc(int fd, const struct source_port *port, bool on)
{
	const struct packet_mreq request = {
		.mr_ifindex = (int)port->ifindex,
		.mr_type = PACKET_MR_PROMISC,
	};
	int option = on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;

	return setsockopt(fd, SOL_PACKET, option, &request, sizeof(request)) < 0
		       ? -errno
		       : 0;
}

static void
set_queue(const struct source_afpacket *s, int fd)
{
	size_t wanted = s->env.receive_bytes ? s->env.receive_bytes : SOCKET_BYTES_MAX;
	int bytes = wanted > SOCKET_BYTES_MAX ? SOCKET_BYTES_MAX : (int)wanted;

	bytes /= 2; /* the kernel doubles it */
	/* Smaller than wanted: more is lost in a burst, and counted. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* A socket that receives nothing but the samples of @port; or negative errno. It is
 * bound last: before that it receives nothing at all. */
static int
open_tap_socket(const struct source_afpacket *s, const struct source_port *port)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)port->ifindex,
	};
	AUTO_CLOSE int fd =
		socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, rc;

	if (fd < 0)
		return -errno;
	rc = set_filter(fd, port);
	if (rc < 0)
		return rc;
	set_queue(s, fd);
	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0)
		return -errno;
	rc = port->promisc ? set_promisc(fd, port, true) : 0;
	if (rc < 0)
		return rc;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return take_fd(&fd);
}

static void
open_tap(struct tap *t)
{
	int fd = open_tap_socket(t->owner, &t->port);

	if (fd >= 0) {
		t->readable =
			loop_add_fd(t->owner->env.loop, fd, LOOP_READ, on_readable, t);
		if (t->readable) {
			t->fd = fd;
			t->told = 0;
			return;
		}
		close(fd);
		fd = -ENOMEM;
	}
	/* -ENODEV: it has just vanished; its event is on the way. */
	if (fd != t->told && fd != -ENODEV)
		log_about(LOG_LEVEL_WARNING, LOG_PORT, t->port.name,
			"%s: is not sampled: packet socket: %s", t->port.name,
			strerror(-fd));
	t->told = fd;
}

static void
free_tap(struct tap *t)
{
	if (!t)
		return;
	loop_remove(t->readable);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

static struct tap *
new_tap(struct source_afpacket *s, const struct source_port *port)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->owner = s;
	t->port = *port;
	t->fd = -1;
	open_tap(t);
	return t;
}

static void
change_tap(struct tap *t, const struct source_port *port)
{
	const struct source_port old = t->port;
	int rc = 0;

	if (t->fd < 0) {
		t->port = *port;
		open_tap(t);
		return;
	}
	/* What waits was taken at the old rate. */
	if (old.rate != port->rate || old.header_bytes != port->header_bytes) {
		read_tap(t->owner, t);
		rc = set_filter(t->fd, port);
	}
	if (rc == 0 && old.promisc != port->promisc)
		rc = set_promisc(t->fd, port, port->promisc);
	if (rc < 0)
		log_about(LOG_LEVEL_WARNING, LOG_PORT, old.name,
			"%s: sampling stays as it was: %s", old.name, strerror(-rc));
	else
		t->port = *port;
}

static size_t
count_open(const struct source_afpacket *s)
{
	size_t open = 0;

	for (size_t i = 0; i < s->n; i++)
		open += s->taps[i] && s->taps[i]->fd >= 0;
	return open;
}

/* Merge: both lists are sorted. A port without memory for it is tried again later. */
static size_t
afpacket_configure(void *ctx, const struct source_port *ports, size_t n)
{
	struct source_afpacket *s = ctx;
	struct tap **taps = calloc(n + 1, sizeof(struct tap *));
	size_t old = 0, kept = 0;

	if (!taps) {
		log_error("afpacket: port list: %s", strerror(ENOMEM));
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		struct tap *t;

		while (old < s->n && s->taps[old]->port.ifindex < ports[i].ifindex)
			free_tap(s->taps[old++]);
		if (old < s->n && s->taps[old]->port.ifindex == ports[i].ifindex) {
			t = s->taps[old++];
			change_tap(t, &ports[i]);
		} else {
			t = new_tap(s, &ports[i]);
		}
		if (t)
			taps[kept++] = t;
	}
	while (old < s->n)
		free_tap(s->taps[old++]);
	free(s->taps);
	s->taps = taps;
	s->n = kept;
	s->stats.ports = count_open(s);
	s->stats.failed = n - s->stats.ports;
	return s->stats.failed;
}

/* The kernel counts what did not fit into a queue, since it was asked last. */
static void
count_drops(struct source_afpacket *s, const struct tap *t)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	if (t->fd < 0 ||
		getsockopt(t->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		return;
	if (stats.tp_drops == 0)
		return;
	s->stats.overruns++;
	s->stats.lost += stats.tp_drops;
	s->env.sink->on_lost(
		t->port.ifindex, stats.tp_drops, t->port.rate, s->env.sink->user_data);
}

static void
afpacket_tick(void *ctx)
{
	struct source_afpacket *s = ctx;

	for (size_t i = 0; i < s->n; i++) {
		count_drops(s, s->taps[i]);
		if (s->taps[i]->fd < 0)
			open_tap(s->taps[i]);
	}
	s->stats.failed += s->stats.ports;
	s->stats.ports = count_open(s);
	s->stats.failed -= s->stats.ports;
}

static void
afpacket_close(void *ctx)
{
	struct source_afpacket *s = ctx;

	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		free_tap(s->taps[i]);
	free(s->taps);
	free(s);
}

/* Sockets are opened with the ports. */
static int
afpacket_open(const struct agent_conf *conf, const struct source_env *env,
	void **ret_ctx, struct err *err)
{
	struct source_afpacket *s = calloc(1, sizeof(*s));

	(void)conf;
	if (!s)
		return err_sys(err, -ENOMEM, "afpacket");
	s->env = *env;
	*ret_ctx = s;
	return 0;
}

static void
afpacket_stats(const void *ctx, struct source_stats *ret)
{
	const struct source_afpacket *s = ctx;

	*ret = s->stats;
}

const struct source_ops source_afpacket = {
	.name = "afpacket",
	.wants_raw = true,
	.taps = true,
	.wanted = afpacket_wanted,
	.chooses = afpacket_wanted,
	.open = afpacket_open,
	.close = afpacket_close,
	.configure = afpacket_configure,
	.tick = afpacket_tick,
	.stats = afpacket_stats,
};
