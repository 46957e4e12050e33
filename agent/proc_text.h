/*
 * proc_text.h - files of /proc: text to counters. Pure.
 *
 * One function per file of the kernel, each in proc_NAME_text.c. All leave unknown what
 * the text does not have, and return -EBADMSG when it is not of the form that the
 * kernel's documentation gives (proc(5), Documentation/admin-guide/iostats.rst); then
 * what was understood so far is filled in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/counters.h"
#include "agent/text.h"

/** /proc/stat: times of the line "cpu" at @ticks per second, number of "cpuN" lines,
 * first number of "intr", "ctxt". */
int proc_stat_parse(struct text text, uint64_t ticks, struct host_cpu *ret);

/** /proc/loadavg: three averages, running (without the reader itself) and all tasks. */
int proc_loadavg_parse(struct text text, struct host_cpu *ret);

/** /proc/uptime: the first number, whole seconds. */
int proc_uptime_parse(struct text text, struct host_cpu *ret);

/** /proc/cpuinfo: the first "cpu MHz", whole; not every architecture has it. */
int proc_cpuinfo_parse(struct text text, struct host_cpu *ret);

/** /proc/meminfo: MemTotal, MemFree, Shmem, Buffers, Cached, SwapTotal, SwapFree. */
int proc_meminfo_parse(struct text text, struct host_memory *ret);

/** /proc/vmstat: pgpgin, pgpgout, pswpin, pswpout. */
int proc_vmstat_parse(struct text text, struct host_memory *ret);

enum { PROC_DISK_NAME_SIZE = 64 };

/** True if @name (as in /sys/block, '!' for '/') is a whole disk and no partition. */
typedef bool (*proc_is_disk_fn)(const char *name, void *user_data);

/** /proc/diskstats: sums over the disks. Left out: what is no whole disk, and devices
 * on top of others (md, dm) or of memory and files (ram, zram, loop). All or nothing.
 */
int proc_diskstats_parse(struct text text, proc_is_disk_fn is_disk, void *user_data,
	struct host_disk *ret);

enum { PROC_MOUNT_PATH_SIZE = 1024 };

/* One line of /proc/self/mountinfo. */
struct proc_mount {
	unsigned major, minor;           /* of the device */
	bool is_writable;                /* the file system is: our own mount of it
					    may be read-only all the same */
	bool is_local;                   /* a block device or UBI volume */
	char path[PROC_MOUNT_PATH_SIZE]; /* where; escapes are resolved */
};

/** The next line of /proc/self/mountinfo; @t moves behind it. 0; -ENOENT at the end;
 * -EBADMSG, -ENAMETOOLONG: this line is to be passed over. */
int proc_mountinfo_next(struct text *t, struct proc_mount *ret);

/** /proc/net/snmp: the groups Ip, Icmp, Tcp, Udp of @ret, by the names of the columns,
 * as kernels add columns in the middle. Sets ret->has for the groups found. */
int proc_snmp_parse(struct text text, struct host_sample *ret);
