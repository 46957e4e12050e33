/*
 * nl.c - one netlink socket. libnl opens and binds it; messages are received in batches
 * by recvmmsg(), because libnl allocates memory for each one.
 */
#include "common/nl.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/cleanup.h"
#include "common/nl_attr.h"

enum {
	DUMP_ATTEMPTS = 4,        /* of a dump that changes while it is read */
	DATAGRAMS_PER_READ = 256, /* netlink_receive() gives the loop its turn then */
};

struct netlink {
	struct nl_sock *sock; /* owned; libnl's */
	int fd;               /* of sock */
	uint32_t seq;         /* of the last message that was sent */
	size_t message_bytes; /* of each buffer */
	unsigned batch;       /* datagrams per recvmmsg() */
	uint8_t *buffers;     /* batch of message_bytes each; owned */
	struct mmsghdr *msgs; /* batch; owned, as the next two */
	struct iovec *iovs;
	struct sockaddr_nl *senders;
	bool dirty; /* a request failed half way: answers of it may still come */
	struct netlink_stats stats;
};

static int
option_on(int fd, int option)
{
	int on = 1;

	return setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* SO_RCVBUFFORCE goes beyond the system's limit; not everybody may. */
static int
set_receive_bytes(int fd, size_t bytes)
{
	int wanted = bytes / 2 > INT32_MAX ? INT32_MAX : (int)(bytes / 2);

	/* The kernel doubles what it is told, for its overhead. */
	if (bytes == 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted,
				  sizeof(wanted)) == 0)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted)) < 0
		       ? -errno
		       : 0;
}

static int
allocate(struct netlink *nl, const struct netlink_options *o)
{
	nl->batch = o->batch ? o->batch : 1;
	if (nl->batch > NETLINK_BATCH_MAX)
		nl->batch = NETLINK_BATCH_MAX;
	nl->message_bytes = o->message_bytes ? NLMSG_ALIGN(o->message_bytes)
					     : NETLINK_MESSAGE_DEFAULT;
	nl->buffers = malloc(nl->batch * nl->message_bytes);
	nl->msgs = calloc(nl->batch, sizeof(*nl->msgs));
	nl->iovs = calloc(nl->batch, sizeof(*nl->iovs));
	nl->senders = calloc(nl->batch, sizeof(*nl->senders));
	nl->sock = nl_socket_alloc();
	if (!nl->buffers || !nl->msgs || !nl->iovs || !nl->senders || !nl->sock)
		return -ENOMEM;
	for (unsigned i = 0; i < nl->batch; i++)
		nl->iovs[i] = (struct iovec){ nl->buffers + i * nl->message_bytes,
			nl->message_bytes };
	return 0;
}

static int
open_socket(struct netlink *nl, const struct netlink_options *o, struct err *err)
{
	int rc = nl_connect(nl->sock, o->protocol);

	if (rc < 0)
		return err_set(err, -EIO, "netlink socket of protocol %d: %s",
			o->protocol, nl_geterror(rc));
	nl->fd = nl_socket_get_fd(nl->sock);
	rc = nl_socket_set_nonblocking(nl->sock);
	if (rc < 0)
		return err_set(err, -EIO, "netlink socket: %s", nl_geterror(rc));
	rc = set_receive_bytes(nl->fd, o->receive_bytes);
	if (rc < 0)
		return err_sys(err, rc, "receive buffer of a netlink socket");
	/* Kernels before 4.12 and 4.20 have none of this: we get fewer words then, or
	 * dumps that are not filtered, which every reader copes with. */
	(void)option_on(nl->fd, NETLINK_EXT_ACK);
	(void)option_on(nl->fd, NETLINK_CAP_ACK);
	if (o->strict)
		(void)option_on(nl->fd, NETLINK_GET_STRICT_CHK);
	return 0;
}

struct netlink *
netlink_open(const struct netlink_options *options, struct err *err)
{
	struct netlink *nl = calloc(1, sizeof(*nl));

	if (nl)
		nl->fd = -1;
	if (!nl || allocate(nl, options) < 0)
		(void)err_sys(err, -ENOMEM, "netlink socket");
	else if (open_socket(nl, options, err) == 0)
		return nl;
	netlink_close(nl);
	return NULL;
}

void
netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		nl_socket_free(nl->sock);
	free(nl->buffers);
	free(nl->msgs);
	free(nl->iovs);
	free(nl->senders);
	free(nl);
}

int
netlink_fd(const struct netlink *nl)
{
	return nl->fd;
}

const struct netlink_stats *
netlink_stats(const struct netlink *nl)
{
	return &nl->stats;
}

int
netlink_join(struct netlink *nl, uint32_t group, struct err *err)
{
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		    sizeof(group)) == 0)
		return 0;
	return err_sys(err, -errno, "netlink multicast group %u", group);
}

/* Fill the buffers: number of datagrams, 0 = nothing there, negative errno. */
static int
receive_batch(struct netlink *nl, unsigned n)
{
	int got;

	for (unsigned i = 0; i < n; i++)
		nl->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &nl->senders[i],
			.msg_namelen = sizeof(nl->senders[i]),
			.msg_iov = &nl->iovs[i],
			.msg_iovlen = 1,
		};
	do {
		got = recvmmsg(nl->fd, nl->msgs, n, MSG_DONTWAIT, NULL);
	} while (got < 0 && errno == EINTR);
	if (got >= 0)
		return got;
	if (errno == EAGAIN)
		return 0;
	if (errno == ENOBUFS)
		nl->stats.overruns++;
	return -errno;
}

/* Show the messages of datagram @i to @fn, as far as they are in order. */
static int
deliver(struct netlink *nl, unsigned i, netlink_fn fn, void *user_data)
{
	const struct msghdr *m = &nl->msgs[i].msg_hdr;
	size_t left = nl->msgs[i].msg_len;
	const uint8_t *at = nl->iovs[i].iov_base;
	int result = 0;

	if (m->msg_namelen != sizeof(struct sockaddr_nl) ||
		nl->senders[i].nl_pid != 0) {
		nl->stats.foreign++;
		return 0;
	}
	if (m->msg_flags & MSG_TRUNC) {
		nl->stats.truncated++;
		return -ENOBUFS;
	}
	while (left >= NLMSG_HDRLEN) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)at;
		size_t step = NLMSG_ALIGN((size_t)h->nlmsg_len);
		int rc;

		if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > left)
			break;
		nl->stats.messages++;
		rc = fn(h, user_data);
		if (rc < 0 && result == 0)
			result = rc;
		step = step < left ? step : left;
		at += step;
		left -= step;
	}
	nl->stats.malformed += left > 0;
	return result;
}

struct event_reader {
	netlink_fn fn;
	void *user_data;
};

/* Control messages are none of the reader's business, except that events were lost. */
static int
on_event(const struct nlmsghdr *h, void *user_data)
{
	const struct event_reader *reader = user_data;

	if (h->nlmsg_type == NLMSG_OVERRUN)
		return -ENOBUFS;
	if (h->nlmsg_type < NLMSG_MIN_TYPE)
		return 0;
	return reader->fn(h, reader->user_data);
}

int
netlink_receive(struct netlink *nl, netlink_fn fn, void *user_data)
{
	struct event_reader reader = { fn, user_data };
	int total = 0, result = 0, got;

	do {
		got = receive_batch(nl, nl->batch);
		for (int i = 0; i < got; i++) {
			int rc = deliver(nl, (unsigned)i, on_event, &reader);

			if (rc < 0 && result == 0)
				result = rc;
		}
		total += got > 0 ? got : 0;
	} while (got == (int)nl->batch && total < DATAGRAMS_PER_READ && result == 0);
	if (result == 0 && got < 0)
		result = got;
	return result < 0 ? result : total;
}

/* What is expected in answer to a request. */
struct exchange {
	struct netlink *nl;
	netlink_fn fn; /* NULL: answers are not wanted */
	void *user_data;
	struct err *err;
	uint32_t first_seq; /* of the request's messages */
	unsigned n_msgs;
	unsigned n_open; /* of them, not answered to the end */
	/* Per message: it ends with an acknowledgement or DONE; it has ended. */
	bool wants_ack[NETLINK_REQUEST_MAX];
	bool done[NETLINK_REQUEST_MAX];
	bool interrupted; /* the dump changed under the reader */
	int result;       /* first refusal */
};

/* The kernel's words in an acknowledgement; "" if it says none. */
static void
read_ack_text(const struct nlmsghdr *h, char *ret, size_t size)
{
	static const struct nlattr_rule rules[] = {
		[NLMSGERR_ATTR_MSG] = { NLATTR_STRING, 256 },
	};
	const struct nlattr *attrs[NLMSGERR_ATTR_MSG + 1];
	const struct nlmsgerr *e = NLMSG_DATA(h);
	size_t skip = sizeof(*e);

	ret[0] = '\0';
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	/* Without NLM_F_CAPPED the whole refused request stands in between. */
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > h->nlmsg_len)
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (skip > NLMSG_PAYLOAD(h, 0))
		return;
	if (nlattr_parse((const uint8_t *)e + skip, NLMSG_PAYLOAD(h, 0) - skip, rules,
		    NLMSGERR_ATTR_MSG + 1, attrs) == 0 &&
		attrs[NLMSGERR_ATTR_MSG])
		nlattr_string(attrs[NLMSGERR_ATTR_MSG], ret, size);
}

static void
end_message(struct exchange *x, unsigned i, int code, const char *text)
{
	if (!x->done[i])
		x->n_open--;
	x->done[i] = true;
	if (code >= 0 || x->result < 0)
		return;
	x->result = code;
	if (text[0] != '\0')
		(void)err_set(x->err, code, "%s (%s)", text, strerror(-code));
	else
		(void)err_set(x->err, code, "%s", strerror(-code));
}

static void
on_ack(struct exchange *x, unsigned i, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	char text[256];

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e))) {
		end_message(x, i, -EBADMSG, "acknowledgement too short");
		return;
	}
	read_ack_text(h, text, sizeof(text));
	end_message(x, i, e->error > 0 ? -EBADMSG : e->error, text);
}

/* DONE carries the error of a dump. */
static void
on_done(struct exchange *x, unsigned i, const struct nlmsghdr *h)
{
	int32_t code = 0;

	if (NLMSG_PAYLOAD(h, 0) >= sizeof(code))
		memcpy(&code, NLMSG_DATA(h), sizeof(code));
	end_message(x, i, code > 0 ? 0 : code, "");
}

static int
on_answer(const struct nlmsghdr *h, void *user_data)
{
	struct exchange *x = user_data;
	unsigned i = h->nlmsg_seq - x->first_seq;
	int rc = 0;

	/* What an earlier exchange that failed left behind. */
	if (i >= x->n_msgs || x->done[i])
		return 0;
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (h->nlmsg_type == NLMSG_ERROR) {
		on_ack(x, i, h);
	} else if (h->nlmsg_type == NLMSG_DONE) {
		on_done(x, i, h);
	} else if (h->nlmsg_type >= NLMSG_MIN_TYPE) {
		if (x->fn)
			rc = x->fn(h, x->user_data);
		if (!x->wants_ack[i] && !(h->nlmsg_flags & NLM_F_MULTI))
			end_message(x, i, 0, "");
	}
	return rc;
}

/* Number the messages of @b and note what each waits for. */
static int
prepare(struct exchange *x, const struct nlbuild *b)
{
	if (!nlbuild_ok(b) || b->n_msgs == 0 || b->n_msgs > NETLINK_REQUEST_MAX)
		return err_sys(x->err, -EOVERFLOW, "netlink request");
	x->first_seq = x->nl->seq + 1;
	x->n_msgs = x->n_open = b->n_msgs;
	for (size_t at = 0, i = 0; at < b->len; i++) {
		struct nlmsghdr *h = (struct nlmsghdr *)(b->data + at);

		h->nlmsg_seq = ++x->nl->seq;
		x->wants_ack[i] = h->nlmsg_flags & NLM_F_ACK ||
				  (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
		at += NLMSG_ALIGN((size_t)h->nlmsg_len);
	}
	return 0;
}

/* Neither answers nor an overrun that an earlier request left behind must be taken for
 * those of the next. */
static void
drain(struct netlink *nl)
{
	int got;

	do {
		got = receive_batch(nl, nl->batch);
	} while (got > 0 || got == -ENOBUFS);
	nl->dirty = false;
}

static int
send_request(struct exchange *x, const struct nlbuild *b)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;

	if (x->nl->dirty)
		drain(x->nl);
	do {
		sent = sendto(x->nl->fd, b->data, b->len, MSG_DONTWAIT,
			(struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? err_sys(x->err, -errno, "sending a netlink request") : 0;
}

/* Read until every message is answered. */
static int
read_answers(struct exchange *x)
{
	int result = 0;

	while (x->n_open > 0) {
		int got = receive_batch(x->nl, x->nl->batch);

		if (got == 0 && result < 0)
			return result;
		if (got == 0)
			return err_set(x->err, -ENODATA, "netlink: no answer");
		if (got < 0)
			return err_sys(x->err, got, "netlink answer");
		for (int i = 0; i < got; i++) {
			int rc = deliver(x->nl, (unsigned)i, on_answer, x);

			if (rc < 0 && result == 0)
				result = err_sys(x->err, rc, "netlink answer");
		}
		if (result == -ECANCELED)
			return result;
	}
	return result;
}

int
netlink_request(struct netlink *nl, const struct nlbuild *request, netlink_fn fn,
	void *user_data, struct err *err)
{
	struct exchange x = {
		.nl = nl,
		.fn = fn,
		.user_data = user_data,
		.err = err,
	};
	int rc = prepare(&x, request);

	if (rc == 0)
		rc = send_request(&x, request);
	if (rc == 0)
		rc = read_answers(&x);
	nl->dirty = x.n_open > 0;
	if (rc < 0)
		return rc;
	if (x.result < 0)
		return x.result;
	if (x.interrupted)
		return err_set(err, -EINTR, "the dump changed while it was read");
	return 0;
}

int
netlink_dump(struct netlink *nl, const struct nlbuild *request, netlink_fn fn,
	void *user_data, struct err *err)
{
	int rc = -EINTR;

	for (int i = 0; i < DUMP_ATTEMPTS && rc == -EINTR; i++)
		rc = netlink_request(nl, request, fn, user_data, err);
	return rc;
}

const void *
netlink_attrs(const struct nlmsghdr *h, size_t header_len, size_t *ret_len)
{
	size_t skip = NLMSG_SPACE(header_len);

	*ret_len = 0;
	if (h->nlmsg_len < NLMSG_LENGTH(header_len))
		return NULL;
	*ret_len = h->nlmsg_len > skip ? h->nlmsg_len - skip : 0;
	return (const uint8_t *)h + skip;
}
