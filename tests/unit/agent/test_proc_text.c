/*
 * test_proc_text.c - files of /proc as kernels write them, and as they should not be.
 */
#include "agent/proc_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct text
text_of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

static struct host_sample
sample(void)
{
	struct host_sample s;

	host_sample_init(&s);
	return s;
}

static void
text_gives_lines_words_and_numbers(void **state)
{
	struct text t =
		text_of(" a\t17 \n\n18446744073709551615\n18446744073709551616 -1");
	struct text line, word;
	uint64_t n = 5;

	(void)state;
	assert_true(text_line(&t, &line));
	assert_true(text_word(&line, &word));
	assert_true(text_equals(&word, "a"));
	assert_false(text_equals(&word, "ab"));
	assert_true(text_u64(&line, &n));
	assert_int_equal(n, 17);
	assert_false(text_word(&line, &word));
	assert_true(text_line(&t, &line));
	assert_int_equal(line.len, 0);
	assert_true(text_line(&t, &line));
	assert_true(text_u64(&line, &n));
	assert_true(n == UINT64_MAX);
	assert_true(text_line(&t, &line));
	assert_false(text_u64(&line, &n));
	assert_false(text_u64(&line, &n));
	assert_true(n == UINT64_MAX);
	assert_false(text_line(&t, &line));
}

static void
hundredths_are_exact(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = { { "0.39", 39 }, { "0.1", 10 }, { "12", 1200 }, { "7.999", 799 },
		{ "1.", 100 } };
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct text t = text_of(cases[i].text);

		assert_true(text_hundredths(&t, &n));
		assert_int_equal(n, cases[i].value);
		assert_int_equal(t.len, 0);
	}
}

#define STAT                                                                           \
	"cpu  16060016 19297 7785510 130258611 465 7 30837 10 20 30\n"                 \
	"cpu0 1 2 3 4 5 6 7 8 9 10\n"                                                  \
	"cpu1 1 2 3 4 5 6 7 8 9 10\n"                                                  \
	"intr 1851322098 45 0 0 7\n"                                                   \
	"ctxt 800650455\n"                                                             \
	"btime 1402004767\nprocesses 5\nprocs_running 3\nprocs_blocked 0\n"            \
	"softirq 1 2 3\n"

static void
stat_gives_times_in_milliseconds(void **state)
{
	struct host_sample s = sample();

	(void)state;
	assert_int_equal(proc_stat_parse(text_of(STAT), 100, &s.cpu), 0);
	assert_int_equal(s.cpu.user_ms, 160600160);
	assert_int_equal(s.cpu.nice_ms, 192970);
	assert_int_equal(s.cpu.system_ms, 77855100);
	assert_int_equal(s.cpu.idle_ms, 1302586110);
	assert_int_equal(s.cpu.wait_ms, 4650);
	assert_int_equal(s.cpu.intr_ms, 70);
	assert_int_equal(s.cpu.softintr_ms, 308370);
	assert_int_equal(s.cpu.steal_ms, 100);
	assert_int_equal(s.cpu.guest_ms, 200);
	assert_int_equal(s.cpu.guest_nice_ms, 300);
	assert_int_equal(s.cpu.interrupts, 1851322098);
	assert_int_equal(s.cpu.contexts, 800650455);
	assert_int_equal(s.cpu.cpu_num, 2);
}

static void
stat_of_an_old_kernel_leaves_the_rest_unknown(void **state)
{
	struct host_sample s = sample();

	(void)state;
	assert_int_equal(
		proc_stat_parse(text_of("cpu 100 200 300 400\n"), 1000, &s.cpu), 0);
	assert_int_equal(s.cpu.idle_ms, 400);
	assert_true(s.cpu.wait_ms == COUNTER_UNKNOWN);
	assert_true(s.cpu.steal_ms == COUNTER_UNKNOWN);
	assert_true(s.cpu.contexts == COUNTER_UNKNOWN);
	assert_true(s.cpu.cpu_num == COUNTER_UNKNOWN);
	assert_int_equal(proc_stat_parse(text_of("intr 5\n"), 100, &s.cpu), -EBADMSG);
}

static void
loadavg_counts_all_but_the_reader(void **state)
{
	struct host_sample s = sample();

	(void)state;
	assert_int_equal(
		proc_loadavg_parse(text_of("0.39 12.44 0.4 2/95 6117\n"), &s.cpu), 0);
	assert_true(s.cpu.load_one > 0.389f && s.cpu.load_one < 0.391f);
	assert_true(s.cpu.load_five > 12.43f && s.cpu.load_five < 12.45f);
	assert_true(s.cpu.load_fifteen > 0.399f && s.cpu.load_fifteen < 0.401f);
	assert_int_equal(s.cpu.proc_run, 1);
	assert_int_equal(s.cpu.proc_total, 95);
}

static void
loadavg_of_another_form_is_refused(void **state)
{
	static const char *const texts[] = { "", "0.1", "0.1 0.2 0.3", "0.1 0.2 0.3 5",
		"0.1 0.2 x 1/2", "0.1 0.2 0.3 1/", "0.1 0.2 0.3 /2", "-1 0 0 1/2" };
	struct host_sample s = sample();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(
			proc_loadavg_parse(text_of(texts[i]), &s.cpu), -EBADMSG);
	assert_true(s.cpu.proc_run == COUNTER_UNKNOWN);
}

static void
uptime_and_speed_are_whole(void **state)
{
	struct host_sample s = sample();

	(void)state;
	assert_int_equal(
		proc_uptime_parse(text_of("770774.97 1302586.11\n"), &s.cpu), 0);
	assert_int_equal(s.cpu.uptime_s, 770774);
	assert_int_equal(proc_cpuinfo_parse(text_of("processor\t: 0\n"), &s.cpu), 0);
	assert_true(s.cpu.cpu_speed_mhz == COUNTER_UNKNOWN);
	assert_int_equal(
		proc_cpuinfo_parse(
			text_of("model\t: 1\ncpu MHz\t\t: 2893.202\n"), &s.cpu),
		0);
	assert_int_equal(s.cpu.cpu_speed_mhz, 2893);
}

static void
memory_is_in_bytes(void **state)
{
	static const char text[] = "MemTotal:        2071412 kB\n"
				   "MemFree:          1045036 kB\n"
				   "MemAvailable:     1700000 kB\n"
				   "Buffers:           10 kB\n"
				   "Cached:            20 kB\n"
				   "SwapCached:            1 kB\n"
				   "SwapTotal:            30 kB\n"
				   "SwapFree:             25 kB\n"
				   "Shmem:               5 kB\n"
				   "ShmemHugePages:        9 kB\n";
	struct host_sample s = sample();

	(void)state;
	assert_int_equal(proc_meminfo_parse(text_of(text), &s.memory), 0);
	assert_int_equal(s.memory.total_bytes, UINT64_C(2071412) * 1024);
	assert_int_equal(s.memory.free_bytes, UINT64_C(1045036) * 1024);
	assert_int_equal(s.memory.buffers_bytes, 10240);
	assert_int_equal(s.memory.cached_bytes, 20480);
	assert_int_equal(s.memory.swap_total_bytes, 30720);
	assert_int_equal(s.memory.swap_free_bytes, 25600);
	assert_int_equal(s.memory.shared_bytes, 5120);
	assert_int_equal(
		proc_meminfo_parse(text_of("Nothing: 1\n"), &s.memory), -EBADMSG);
}

static void
paging_is_found_by_name(void **state)
{
	static const char text[] = "nr_free_pages 1\npgpgin 11\npgpgout 12\n"
				   "pswpin 13\npswpout 14\npgpgoutclean 99\n";
	struct host_sample s = sample();

	(void)state;
	assert_int_equal(proc_vmstat_parse(text_of(text), &s.memory), 0);
	assert_int_equal(s.memory.page_in, 11);
	assert_int_equal(s.memory.page_out, 12);
	assert_int_equal(s.memory.swap_in, 13);
	assert_int_equal(s.memory.swap_out, 14);
}

/* Whole disks end in a letter here, as sda does. */
static bool
is_disk(const char *name, void *user_data)
{
	char last = name[strlen(name) - 1];

	(*(unsigned *)user_data)++;
	return last >= 'a' && last <= 'z';
}

#define DISKS                                                                          \
	"   8       0 sda 100 5 2000 30 40 6 500 7 0 8 9\n"                            \
	"   8       1 sda1 90 5 1900 29 39 6 400 6 0 8 9 0 0 0 0 0 0\n"                \
	"   8      16 sdb 1 0 2 3 4 0 5 6 0 0 0\n"                                     \
	"   7       0 loopa 9 9 9 9 9 9 9 9 9 9 9\n"                                   \
	" 254       0 dm-a 9 9 9 9 9 9 9 9 9 9 9\n"                                    \
	"   9       0 mda 9 9 9 9 9 9 9 9 9 9 9\n"

static void
disks_are_added_up_without_partitions_and_what_lies_on_them(void **state)
{
	struct host_sample s = sample();
	unsigned asked = 0;

	(void)state;
	assert_int_equal(
		proc_diskstats_parse(text_of(DISKS), is_disk, &asked, &s.disk), 0);
	assert_int_equal(asked, 3);
	assert_int_equal(s.disk.reads, 101);
	assert_int_equal(s.disk.read_bytes, 2002 * 512);
	assert_int_equal(s.disk.read_ms, 33);
	assert_int_equal(s.disk.writes, 44);
	assert_int_equal(s.disk.written_bytes, 505 * 512);
	assert_int_equal(s.disk.write_ms, 13);
}

static void
disks_of_another_form_are_refused_whole(void **state)
{
	struct host_sample s = sample();
	unsigned asked = 0;

	(void)state;
	assert_int_equal(proc_diskstats_parse(text_of(DISKS "8 2 sdc 1 2 3\n"), is_disk,
				 &asked, &s.disk),
		-EBADMSG);
	assert_true(s.disk.reads == COUNTER_UNKNOWN);
}

static void
mounts_are_read_one_by_one(void **state)
{
	static const char text[] =
		"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
		"27 1 254:1 / / ro,relatime shared:1 master:2 - ext4 /dev/vda1 "
		"rw,errors=remount-ro\n"
		"36 27 8:17 / /my\\040disk\\134x rw - xfs /dev/sdb1 ro\n"
		"40 27 0:30 / /data rw - ubifs ubi0:data rw\n";
	struct text t = text_of(text);
	struct proc_mount m;

	(void)state;
	assert_int_equal(proc_mountinfo_next(&t, &m), 0);
	assert_false(m.is_local);
	assert_int_equal(proc_mountinfo_next(&t, &m), 0);
	assert_true(m.is_local && m.is_writable);
	assert_string_equal(m.path, "/");
	assert_int_equal(m.major, 254);
	assert_int_equal(m.minor, 1);
	assert_int_equal(proc_mountinfo_next(&t, &m), 0);
	assert_true(m.is_local);
	assert_false(m.is_writable);
	assert_string_equal(m.path, "/my disk\\x");
	assert_int_equal(proc_mountinfo_next(&t, &m), 0);
	assert_true(m.is_local && m.is_writable);
	assert_int_equal(proc_mountinfo_next(&t, &m), -ENOENT);
}

static void
line_that_is_no_mount_is_passed_over(void **state)
{
	static const char *const lines[] = {
		"36 27 8:17\n",
		"36 27 817 / /x rw - xfs /dev/sdb1 rw\n",
		"36 27 8:17 / /x rw shared:1 xfs /dev/sdb1 rw\n",
		"36 27 8:17 / /x\\09 rw - xfs /dev/sdb1 rw\n",
		"36 27 8:17 / /x\\0 rw - xfs /dev/sdb1 rw\n",
		"36 27 8:17 / /x\\000 rw - xfs /dev/sdb1 rw\n",
		"36 27 8:17 / /x rw - xfs\n",
	};
	struct proc_mount m;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct text t;

		snprintf(text, sizeof(text), "%s%s", lines[i],
			"1 1 1:1 / /good rw - ext4 /dev/a rw\n");
		t = text_of(text);
		assert_int_equal(proc_mountinfo_next(&t, &m), -EBADMSG);
		assert_int_equal(proc_mountinfo_next(&t, &m), 0);
		assert_string_equal(m.path, "/good");
	}
}

/* As Linux 6.18 writes it. */
#define SNMP                                                                           \
	"Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams " \
	"InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "   \
	"ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates "   \
	"OutTransmits\n"                                                               \
	"Ip: 1 64 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20\n"                    \
	"Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs "   \
	"InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps "    \
	"InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal "             \
	"OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs "    \
	"OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps "            \
	"OutAddrMasks OutAddrMaskReps\n"                                               \
	"Icmp: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 "  \
	"27 28 29\n"                                                                   \
	"IcmpMsg: InType3\n"                                                           \
	"IcmpMsg: 1\n"                                                                 \
	"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens "            \
	"AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs "        \
	"OutRsts InCsumErrors\n"                                                       \
	"Tcp: 1 200 120000 -1 5 6 7 8 9 10 11 12 13 14 15\n"                           \
	"Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "    \
	"InCsumErrors IgnoredMulti MemErrors\n"                                        \
	"Udp: 1 2 3 4 5 6 7 8 9\n"                                                     \
	"UdpLite: InDatagrams\n"                                                       \
	"UdpLite: 77\n"

static void
ip_groups_are_found_by_name(void **state)
{
	struct host_sample s = sample();

	(void)state;
	assert_int_equal(proc_snmp_parse(text_of(SNMP), &s), 0);
	assert_int_equal(
		s.has, HOST_HAS_IP | HOST_HAS_ICMP | HOST_HAS_TCP | HOST_HAS_UDP);
	for (unsigned i = 2; i < MIB2_IP_COUNT; i++)
		assert_int_equal(s.ip[i], i + 1);
	/* The columns between and behind those of the record. */
	assert_int_equal(s.icmp[MIB2_ICMP_IN_ERRORS], 2);
	assert_int_equal(s.icmp[MIB2_ICMP_IN_DEST_UNREACHS], 4);
	assert_int_equal(s.icmp[MIB2_ICMP_IN_PARAM_PROBS], 6);
	assert_int_equal(s.icmp[MIB2_ICMP_IN_TIMESTAMPS], 11);
	assert_int_equal(s.icmp[MIB2_ICMP_IN_ADDR_MASKS], 13);
	assert_int_equal(s.icmp[MIB2_ICMP_OUT_ERRORS], 16);
	assert_int_equal(s.icmp[MIB2_ICMP_OUT_DEST_UNREACHS], 19);
	assert_int_equal(s.icmp[MIB2_ICMP_OUT_ADDR_MASK_REPS], 29);
	assert_true(s.tcp[MIB2_TCP_MAX_CONN] == COUNTER_UNKNOWN);
	assert_int_equal(s.tcp[MIB2_TCP_IN_CSUM_ERRS], 15);
	assert_int_equal(s.udp[MIB2_UDP_IN_DATAGRAMS], 1);
	assert_int_equal(s.udp[MIB2_UDP_IN_CSUM_ERRORS], 7);
}

static void
column_that_is_missing_is_unknown(void **state)
{
	struct host_sample s = sample();

	(void)state;
	assert_int_equal(proc_snmp_parse(text_of("Ip: InDelivers\nIp: 5\n"), &s), 0);
	assert_int_equal(s.has, HOST_HAS_IP);
	assert_int_equal(s.ip[MIB2_IP_IN_DELIVERS], 5);
	assert_true(s.ip[MIB2_IP_FORWARDING] == COUNTER_UNKNOWN);
}

static void
groups_that_do_not_match_are_refused(void **state)
{
	static const char *const texts[] = { "", "Ip: A B\n", "Ip: A B\nIp: 1\n",
		"Ip: A\nTcp: 1\n", "Ip: A\nIp: x\n", "Tcp: A\nTcp: 1\n" };
	struct host_sample s = sample();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		s.has = 0;
		assert_int_equal(proc_snmp_parse(text_of(texts[i]), &s), -EBADMSG);
		assert_false(s.has & HOST_HAS_IP);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_gives_lines_words_and_numbers),
		cmocka_unit_test(hundredths_are_exact),
		cmocka_unit_test(stat_gives_times_in_milliseconds),
		cmocka_unit_test(stat_of_an_old_kernel_leaves_the_rest_unknown),
		cmocka_unit_test(loadavg_counts_all_but_the_reader),
		cmocka_unit_test(loadavg_of_another_form_is_refused),
		cmocka_unit_test(uptime_and_speed_are_whole),
		cmocka_unit_test(memory_is_in_bytes),
		cmocka_unit_test(paging_is_found_by_name),
		cmocka_unit_test(
			disks_are_added_up_without_partitions_and_what_lies_on_them),
		cmocka_unit_test(disks_of_another_form_are_refused_whole),
		cmocka_unit_test(mounts_are_read_one_by_one),
		cmocka_unit_test(line_that_is_no_mount_is_passed_over),
		cmocka_unit_test(ip_groups_are_found_by_name),
		cmocka_unit_test(column_that_is_missing_is_unknown),
		cmocka_unit_test(groups_that_do_not_match_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
