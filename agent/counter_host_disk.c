/*
 * counter_host_disk.c - disks. (sFlow host_disk_io)
 *
 *     reads, writes       /proc/diskstats, whole disks only (those in /sys/block)
 *     total, free         statvfs(3) of the local, writable file systems of
 *     fullest partition   /proc/self/mountinfo, each device once
 *
 * Whether a file system is writable is asked of the file system and not of our mount of
 * it, which a service manager may have made read-only for us.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/counter.h"
#include "agent/proc_file.h"
#include "agent/proc_text.h"

enum { FILE_SYSTEMS_MAX = 256 }; /* that are added up; more are left out */

struct counter_host_disk {
	struct proc_file diskstats, mountinfo;
	struct proc_buffer buffer;
	int sys_block;                   /* -1: then every device counts as a disk */
	dev_t devices[FILE_SYSTEMS_MAX]; /* that were added up in this round */
	size_t n_devices;
};

static bool
is_disk(const char *name, void *user_data)
{
	const struct counter_host_disk *ctx = user_data;

	return ctx->sys_block < 0 || faccessat(ctx->sys_block, name, F_OK, 0) == 0;
}

/* True once for each device, as long as there is room. */
static bool
is_first(struct counter_host_disk *ctx, dev_t device)
{
	for (size_t i = 0; i < ctx->n_devices; i++) {
		if (ctx->devices[i] == device)
			return false;
	}
	if (ctx->n_devices == FILE_SYSTEMS_MAX)
		return false;
	ctx->devices[ctx->n_devices++] = device;
	return true;
}

/* Another file system may be mounted over the path. Major 0 belongs to file systems
 * with several device numbers (btrfs), where that cannot be told. */
static bool
is_visible(const struct proc_mount *m)
{
	struct stat st;

	return m->major == 0 ||
	       (stat(m->path, &st) == 0 && st.st_dev == makedev(m->major, m->minor));
}

static void
add_file_system(const struct proc_mount *m, struct host_disk *ret)
{
	struct statvfs fs;
	uint64_t used;
	int32_t percent100;

	if (!is_visible(m) || statvfs(m->path, &fs) < 0 || fs.f_blocks == 0)
		return;
	ret->total_bytes += (uint64_t)fs.f_blocks * fs.f_frsize;
	ret->free_bytes += (uint64_t)fs.f_bfree * fs.f_frsize;
	used = fs.f_bfree < fs.f_blocks ? fs.f_blocks - fs.f_bfree : 0;
	percent100 = (int32_t)((double)used * 10000 / (double)fs.f_blocks);
	if (percent100 > ret->fullest_percent100)
		ret->fullest_percent100 = percent100;
}

static void
read_file_systems(struct counter_host_disk *ctx, struct host_disk *ret)
{
	struct proc_mount m;
	struct text text;
	int rc;

	if (proc_file_read(&ctx->mountinfo, &ctx->buffer, &text) < 0)
		return;
	ctx->n_devices = 0;
	ret->total_bytes = ret->free_bytes = 0;
	while ((rc = proc_mountinfo_next(&text, &m)) != -ENOENT) {
		if (rc == 0 && m.is_local && m.is_writable &&
			is_first(ctx, makedev(m.major, m.minor)))
			add_file_system(&m, ret);
	}
	/* None, as in a container: not known rather than empty. */
	if (ret->total_bytes == 0)
		ret->total_bytes = ret->free_bytes = COUNTER_UNKNOWN;
}

static void
counter_host_disk_read(
	void *data, const struct iface_table *ifaces, struct host_sample *sample)
{
	struct counter_host_disk *ctx = data;
	struct text text;

	(void)ifaces;
	if (proc_file_read(&ctx->diskstats, &ctx->buffer, &text) == 0)
		(void)proc_diskstats_parse(text, is_disk, ctx, &sample->disk);
	read_file_systems(ctx, &sample->disk);
	sample->has |= HOST_HAS_DISK;
}

static void
counter_host_disk_close(void *data)
{
	struct counter_host_disk *ctx = data;

	if (!ctx)
		return;
	proc_file_close(&ctx->diskstats);
	proc_file_close(&ctx->mountinfo);
	proc_buffer_done(&ctx->buffer);
	if (ctx->sys_block >= 0)
		close(ctx->sys_block);
	free(ctx);
}

static int
counter_host_disk_open(void **ret_ctx, struct err *err)
{
	struct counter_host_disk *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return err_sys(err, -ENOMEM, "counters of the disks");
	ctx->sys_block = open("/sys/block", O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)proc_file_open(&ctx->mountinfo, "/proc/self/mountinfo", NULL);
	if (proc_file_open(&ctx->diskstats, "/proc/diskstats", err) < 0) {
		counter_host_disk_close(ctx);
		return err->code;
	}
	*ret_ctx = ctx;
	return 0;
}

const struct counter_source counter_host_disk = {
	.name = "counter_host_disk",
	.open = counter_host_disk_open,
	.close = counter_host_disk_close,
	.read_host = counter_host_disk_read,
};
