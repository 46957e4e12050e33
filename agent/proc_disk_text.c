/*
 * proc_disk_text.c - /proc/diskstats and /proc/self/mountinfo.
 */
#include <errno.h>
#include <string.h>

#include "agent/proc_text.h"

/* In /proc/diskstats, whatever the disk. */
enum { SECTOR_BYTES = 512 };

/* The columns of a line behind the name, as far as they are wanted. */
enum {
	DISK_READS,
	DISK_READS_MERGED,
	DISK_SECTORS_READ,
	DISK_READ_MS,
	DISK_WRITES,
	DISK_WRITES_MERGED,
	DISK_SECTORS_WRITTEN,
	DISK_WRITE_MS,
	DISK_COLUMNS,
};

/* Devices whose traffic is another device's too, or no disk's at all. */
static bool
is_derived(const char *name)
{
	static const char *const prefixes[] = { "loop", "ram", "zram", "md", "dm-" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/* As /sys/block spells it; false if it is too long to be one. */
static bool
copy_name(const struct text *word, char ret[PROC_DISK_NAME_SIZE])
{
	if (word->len >= PROC_DISK_NAME_SIZE)
		return false;
	for (size_t i = 0; i < word->len; i++)
		ret[i] = word->at[i] == '/' ? '!' : word->at[i];
	ret[word->len] = '\0';
	return true;
}

static void
add_disk(const uint64_t columns[DISK_COLUMNS], uint64_t sums[DISK_COLUMNS])
{
	for (size_t i = 0; i < DISK_COLUMNS; i++)
		sums[i] += columns[i];
}

int
proc_diskstats_parse(struct text text, proc_is_disk_fn is_disk, void *user_data,
	struct host_disk *ret)
{
	uint64_t columns[DISK_COLUMNS], sums[DISK_COLUMNS] = { 0 };
	char name[PROC_DISK_NAME_SIZE];
	struct text line, word;

	while (text_line(&text, &line)) {
		/* Major and minor number. */
		if (!text_skip(&line, 2) || !text_word(&line, &word))
			return -EBADMSG;
		for (size_t i = 0; i < DISK_COLUMNS; i++) {
			if (!text_u64(&line, &columns[i]))
				return -EBADMSG;
		}
		if (copy_name(&word, name) && !is_derived(name) &&
			is_disk(name, user_data))
			add_disk(columns, sums);
	}
	ret->reads = sums[DISK_READS];
	ret->read_bytes = sums[DISK_SECTORS_READ] * SECTOR_BYTES;
	ret->read_ms = sums[DISK_READ_MS];
	ret->writes = sums[DISK_WRITES];
	ret->written_bytes = sums[DISK_SECTORS_WRITTEN] * SECTOR_BYTES;
	ret->write_ms = sums[DISK_WRITE_MS];
	return 0;
}

/* Blank, tab, newline and backslash stand as three octal digits behind a backslash. */
static int
unescape(const struct text *word, char ret[PROC_MOUNT_PATH_SIZE])
{
	size_t len = 0;

	for (size_t i = 0; i < word->len; i++, len++) {
		const char *c = &word->at[i];

		if (len + 1 >= PROC_MOUNT_PATH_SIZE)
			return -ENAMETOOLONG;
		ret[len] = *c;
		if (*c != '\\')
			continue;
		if (word->len - i < 4 || c[1] < '0' || c[1] > '3' || c[2] < '0' ||
			c[2] > '7' || c[3] < '0' || c[3] > '7')
			return -EBADMSG;
		ret[len] = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
		if (ret[len] == '\0')
			return -EBADMSG;
		i += 3;
	}
	ret[len] = '\0';
	return 0;
}

/* "major:minor" */
static bool
read_device(struct text *line, struct proc_mount *ret)
{
	uint64_t major, minor;
	struct text word;

	if (!text_word(line, &word) || !text_digits(&word, &major) ||
		!text_char(&word, ':') || !text_digits(&word, &minor) || word.len > 0)
		return false;
	ret->major = (unsigned)major;
	ret->minor = (unsigned)minor;
	return true;
}

/* Behind the separator: type, source, options of the file system itself. */
static bool
read_file_system(struct text *line, struct proc_mount *ret)
{
	struct text source, options;

	if (!text_skip(line, 1) || !text_word(line, &source) ||
		!text_word(line, &options))
		return false;
	ret->is_local = text_starts(&source, "/dev/") || text_starts(&source, "ubi");
	ret->is_writable = text_equals(&options, "rw") || text_starts(&options, "rw,");
	return true;
}

int
proc_mountinfo_next(struct text *t, struct proc_mount *ret)
{
	struct text line, path, word;
	int rc;

	if (!text_line(t, &line))
		return -ENOENT;
	/* Number of the mount and of its parent, device, root in it, path, options. */
	if (!text_skip(&line, 2) || !read_device(&line, ret) || !text_skip(&line, 1) ||
		!text_word(&line, &path) || !text_skip(&line, 1))
		return -EBADMSG;
	rc = unescape(&path, ret->path);
	if (rc < 0)
		return rc;
	/* Any number of tags, then a hyphen. */
	do {
		if (!text_word(&line, &word))
			return -EBADMSG;
	} while (!text_equals(&word, "-"));
	return read_file_system(&line, ret) ? 0 : -EBADMSG;
}
