/*
 * channel.c - messages between the committer and the HTTP process.
 *
 * The header is a struct in host order with every byte assigned: both ends are the same
 * program on the same machine. The decoder takes nothing on trust, because the child
 * that writes may have been taken over.
 */
#include "aclserver/channel.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct header {
	uint32_t version; /* CHANNEL_VERSION */
	uint32_t type;    /* enum channel_type */
	uint64_t generation;
	int32_t returncode;
	uint32_t report_len;
	uint64_t reserved; /* 0 */
};

_Static_assert(sizeof(struct header) == CHANNEL_HEADER_SIZE, "header without padding");

/* What a process may exit with. */
enum { RETURNCODE_MAX = 255 };

void
channel_encode(const struct channel_msg *msg, uint8_t buf[CHANNEL_HEADER_SIZE])
{
	const struct header header = {
		.version = CHANNEL_VERSION,
		.type = msg->type,
		.generation = msg->generation,
		.returncode = msg->returncode,
		.report_len = (uint32_t)msg->report_len,
	};

	memcpy(buf, &header, sizeof(header));
}

/* HELLO and DIRTY: numbers only, and only those that mean something. */
static int
check_child(const struct header *header, struct err *err)
{
	if (header->type != CHANNEL_HELLO && header->type != CHANNEL_DIRTY)
		return err_set(err, -EBADMSG,
			"channel: message type %" PRIu32 " is not one of the child's",
			header->type);
	if (header->report_len != 0)
		return err_set(err, -EBADMSG, "channel: report from the child");
	if (header->returncode != 0)
		return err_set(err, -EBADMSG, "channel: return code from the child");
	if ((header->type == CHANNEL_HELLO) != (header->generation == 0))
		return err_set(err, -EBADMSG,
			"channel: generation %" PRIu64 " in message type %" PRIu32,
			header->generation, header->type);
	return 0;
}

static int
check_parent(const struct header *header, struct err *err)
{
	if (header->type == CHANNEL_CONF && header->report_len == 0 &&
		header->returncode == 0 && header->generation == 0)
		return 0;
	if (header->type != CHANNEL_DONE)
		return err_set(err, -EBADMSG,
			"channel: message type %" PRIu32 " is not one of the parent's",
			header->type);
	if (header->returncode < 0 || header->returncode > RETURNCODE_MAX)
		return err_set(err, -EBADMSG, "channel: return code %" PRId32,
			header->returncode);
	return 0;
}

int
channel_decode(const void *buf, size_t len, bool from_child, struct channel_msg *ret,
	struct err *err)
{
	struct header header;
	int result;

	if (len < sizeof(header) || len - sizeof(header) > CHANNEL_REPORT_MAX)
		return err_set(err, -EBADMSG, "channel: message of %zu bytes", len);
	memcpy(&header, buf, sizeof(header));
	if (header.version != CHANNEL_VERSION)
		return err_set(err, -EBADMSG, "channel: version %" PRIu32 ", not %d",
			header.version, CHANNEL_VERSION);
	if (header.reserved != 0)
		return err_set(err, -EBADMSG, "channel: reserved bytes in use");
	if (header.report_len != len - sizeof(header))
		return err_set(err, -EBADMSG,
			"channel: report of %zu bytes, not %" PRIu32,
			len - sizeof(header), header.report_len);
	result = from_child ? check_child(&header, err) : check_parent(&header, err);
	if (result < 0)
		return result;
	*ret = (struct channel_msg){
		.type = (enum channel_type)header.type,
		.generation = header.generation,
		.returncode = header.returncode,
		.report_len = header.report_len,
	};
	if (ret->report_len)
		ret->report = (const char *)buf + sizeof(header);
	return 0;
}
