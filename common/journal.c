/*
 * journal.c - see journal.h.
 */
#include "common/journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static struct iovec
piece(const char *text)
{
	return (struct iovec){ (void *)text, strlen(text) };
}

int
journal_open(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* The address goes along each time: the journal may be started anew. */
int
journal_send(
	int fd, const char *path, const struct journal_field *fields, size_t n_fields)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct iovec pieces[4 * JOURNAL_FIELDS_MAX];
	struct msghdr msg = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = pieces,
	};

	if (n_fields > JOURNAL_FIELDS_MAX || strlen(path) >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, strlen(path));
	for (size_t i = 0; i < n_fields; i++) {
		pieces[msg.msg_iovlen++] = piece(fields[i].key);
		pieces[msg.msg_iovlen++] = piece("=");
		pieces[msg.msg_iovlen++] = piece(fields[i].value);
		pieces[msg.msg_iovlen++] = piece("\n");
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
