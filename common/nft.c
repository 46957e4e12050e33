/*
 * nft.c - the NETLINK_NETFILTER socket: open, send, receive, single requests.
 *
 * nfnetlink works inside the caller's send: when sendmsg() returns, the kernel has
 * decided, and its answers stand in our receive queue. Waiting is therefore only a
 * guard.
 */
#include "common/nft.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/cleanup.h"
#include "common/nft_internal.h"

/* The queues only have limits, no memory of their own, so large ones cost nothing. The
 * FORCE form needs CAP_NET_ADMIN; without it the administrator's limit applies. */
static void
set_queue_limits(int fd)
{
	int bytes = NFT_SOCKET_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* Extended ACK brings the reason for an error, CAP_ACK keeps the failing message itself
 * out of the answer. */
static int
set_options(int fd)
{
	struct timeval timeout = { .tv_sec = NFT_TIMEOUT_MS / 1000 };
	int on = 1;

	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	set_queue_limits(fd);
	return 0;
}

static int
bind_socket(int fd, uint32_t *ret_port)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(address);

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	*ret_port = address.nl_pid;
	return 0;
}

struct nft *
nft_open(struct err *err)
{
	AUTO_CLOSE int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	AUTO_FREE struct nft *nft = calloc(1, sizeof(*nft));
	int code;

	if (fd < 0) {
		err_sys(err, -errno, "cannot open a netfilter netlink socket");
		return NULL;
	}
	if (!nft) {
		err_sys(err, -ENOMEM, "cannot open a netfilter netlink socket");
		return NULL;
	}
	code = set_options(fd);
	if (!code)
		code = bind_socket(fd, &nft->port);
	if (code) {
		err_sys(err, code, "cannot set up a netfilter netlink socket");
		return NULL;
	}
	nft->fd = take_fd(&fd);
	nft->seq = 1;
	return take_ptr(nft);
}

void
nft_close(struct nft *nft)
{
	if (!nft)
		return;
	close(nft->fd);
	free(nft);
}

int
nft_send(struct nft *nft, struct iovec *iov, size_t n_iov)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr msg = {
		.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
		.msg_iov = iov,
		.msg_iovlen = n_iov,
	};
	ssize_t sent;

	do
		sent = sendmsg(nft->fd, &msg, 0);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* One datagram, or 0 for one that is not the kernel's. */
static ssize_t
receive_once(struct nft *nft, bool wait)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { nft->buf, sizeof(nft->buf) };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t len = recvmsg(nft->fd, &msg, wait ? 0 : MSG_DONTWAIT);

	if (len < 0 && errno == EAGAIN)
		return wait ? -ETIMEDOUT : -EAGAIN;
	if (len < 0)
		return -errno;
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 0;
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : len;
}

ssize_t
nft_receive(struct nft *nft, bool wait)
{
	ssize_t len;

	do
		len = receive_once(nft, wait);
	while (len == 0 || len == -EINTR);
	return len;
}

int64_t
nft_send_request(struct nft *nft, const struct nft_request *request)
{
	uint8_t buf[MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg) +
		    2 * (MNL_ATTR_HDRLEN + NFT_NAME_MAX + 4)]
		__attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	struct iovec iov;
	int code;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | request->type);
	nlh->nlmsg_flags = NLM_F_REQUEST | request->flags;
	nlh->nlmsg_seq = nft->seq++;
	nfg->nfgen_family = request->family;
	nfg->version = NFNETLINK_V0;
	for (size_t i = 0; i < 2 && request->attrs[i]; i++)
		if (!mnl_attr_put_strz_check(nlh, sizeof(buf), request->attr_types[i],
			    request->attrs[i]))
			return -ENAMETOOLONG;
	iov = (struct iovec){ nlh, nlh->nlmsg_len };
	code = nft_send(nft, &iov, 1);
	return code ? code : (int64_t)nlh->nlmsg_seq;
}
