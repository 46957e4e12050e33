/*
 * proc_stat_text.c - /proc/stat, /proc/loadavg, /proc/uptime and /proc/cpuinfo.
 */
#include <errno.h>

#include "agent/proc_text.h"

enum { MS_PER_S = 1000 };

/* Ticks to milliseconds without overflow for any count that time can reach. */
static uint64_t
ticks_to_ms(uint64_t count, uint64_t ticks)
{
	return count / ticks * MS_PER_S + count % ticks * MS_PER_S / ticks;
}

/* The columns behind "cpu". Kernels of old had fewer. */
static void
read_times(struct text *line, uint64_t ticks, struct host_cpu *ret)
{
	uint64_t *const columns[] = {
		&ret->user_ms,
		&ret->nice_ms,
		&ret->system_ms,
		&ret->idle_ms,
		&ret->wait_ms,
		&ret->intr_ms,
		&ret->softintr_ms,
		&ret->steal_ms,
		&ret->guest_ms,
		&ret->guest_nice_ms,
	};
	uint64_t count;

	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		if (!text_u64(line, &count))
			return;
		*columns[i] = ticks_to_ms(count, ticks);
	}
}

int
proc_stat_parse(struct text text, uint64_t ticks, struct host_cpu *ret)
{
	struct text line, word;
	uint64_t n_cpus = 0, number;
	bool has_times = false;

	while (text_line(&text, &line)) {
		if (!text_word(&line, &word))
			continue;
		if (text_equals(&word, "cpu")) {
			read_times(&line, ticks, ret);
			has_times = true;
		} else if (text_starts(&word, "cpu")) {
			n_cpus++;
		} else if (text_equals(&word, "intr") && text_u64(&line, &number)) {
			ret->interrupts = number;
		} else if (text_equals(&word, "ctxt") && text_u64(&line, &number)) {
			ret->contexts = number;
		}
	}
	if (n_cpus > 0)
		ret->cpu_num = n_cpus;
	return has_times ? 0 : -EBADMSG;
}

int
proc_loadavg_parse(struct text text, struct host_cpu *ret)
{
	float *const loads[] = { &ret->load_one, &ret->load_five, &ret->load_fifteen };
	uint64_t hundredths, running, total;
	struct text word;

	for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
		if (!text_word(&text, &word) || !text_hundredths(&word, &hundredths) ||
			word.len > 0)
			return -EBADMSG;
		*loads[i] = (float)hundredths / 100;
	}
	/* "running/all"; who reads this is running, and not worth telling. */
	if (!text_word(&text, &word))
		return -EBADMSG;
	for (size_t i = 0; i < word.len; i++) {
		struct text left = { word.at, i };
		struct text right = { word.at + i + 1, word.len - i - 1 };

		if (word.at[i] != '/')
			continue;
		if (!text_u64(&left, &running) || !text_u64(&right, &total))
			return -EBADMSG;
		ret->proc_run = running > 0 ? running - 1 : 0;
		ret->proc_total = total;
		return 0;
	}
	return -EBADMSG;
}

int
proc_uptime_parse(struct text text, struct host_cpu *ret)
{
	uint64_t hundredths;

	if (!text_hundredths(&text, &hundredths))
		return -EBADMSG;
	ret->uptime_s = hundredths / 100;
	return 0;
}

int
proc_cpuinfo_parse(struct text text, struct host_cpu *ret)
{
	struct text line, word;
	uint64_t hundredths;

	while (text_line(&text, &line)) {
		if (!text_starts(&line, "cpu MHz"))
			continue;
		while (line.len > 0 && !text_char(&line, ':')) {
			line.at++;
			line.len--;
		}
		if (!text_word(&line, &word) || !text_hundredths(&word, &hundredths))
			return -EBADMSG;
		ret->cpu_speed_mhz = hundredths / 100;
		return 0;
	}
	return 0;
}
