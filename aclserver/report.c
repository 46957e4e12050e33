/*
 * report.c - the outcome of a commit as JSON, and back.
 *
 * The reader takes exactly what the writer makes: the texts of a struct diag hold no
 * control characters, so only quotes, backslashes and replaced bytes are ever escaped.
 */
#include "aclserver/report.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/json_out.h"
#include "aclserver/utf8.h"
#include "common/cleanup.h"

/* Largest count that every reader of JSON keeps exactly. */
#define COUNT_MAX ((uint64_t)1 << 53)

static const char *const severities[] = {
	[DIAG_WARNING] = "warning",
	[DIAG_ERROR] = "error",
};

static void
put_member(struct json_out *out, const char *name, const char *text)
{
	json_out_raw(out, name);
	json_out_string(out, text, strlen(text));
}

static void
put_problem(struct json_out *out, const struct diag *d)
{
	put_member(out, "{\"file\":", d->file);
	json_out_raw(out, ",\"line\":");
	json_out_int(out, d->line);
	put_member(out, ",\"severity\":", severities[d->severity]);
	put_member(out, ",\"reason\":", d->reason);
	if (d->rule)
		put_member(out, ",\"rule\":", d->rule);
	json_out_raw(out, "}");
}

/* Append the problems of one severity, as far as @out stays within @max bytes. Returns
 * how many they are. */
static size_t
put_problems(struct json_out *out, const struct diags *diags,
	enum diag_severity severity, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < diags->n; i++) {
		size_t before = out->len;

		if (diags->items[i].severity != severity)
			continue;
		if (before > 0)
			json_out_raw(out, ",");
		put_problem(out, &diags->items[i]);
		if (out->len > max)
			out->len = before;
		else
			n++;
	}
	return n;
}

static void
put_count(struct json_out *out, const char *name, size_t count)
{
	const uint64_t value = count; /* a size_t of 32 bits is never that large */

	json_out_raw(out, name);
	json_out_int(out, (long long)(value < COUNT_MAX ? value : COUNT_MAX));
}

char *
report_encode(int returncode, const struct diags *diags, size_t max, size_t *ret_len)
{
	struct json_out problems = { 0 }, out = { 0 };
	AUTO_FREE char *list = NULL;
	const size_t total = diags->errors + diags->warnings;
	size_t n, len;

	assert(max >= REPORT_SIZE_MIN);
	/* What stands around the list is shorter than REPORT_SIZE_MIN. */
	max -= REPORT_SIZE_MIN;
	n = put_problems(&problems, diags, DIAG_ERROR, max);
	n += put_problems(&problems, diags, DIAG_WARNING, max);
	assert(n <= total);
	list = json_out_take(&problems, &len);
	if (!list)
		return NULL;
	json_out_raw(&out, "{\"returncode\":");
	json_out_int(&out, returncode);
	put_count(&out, ",\"errors\":", diags->errors);
	put_count(&out, ",\"warnings\":", diags->warnings);
	/* From the totals, so that the three numbers always agree, as the reader
	 * demands.
	 */
	put_count(&out, ",\"omitted\":", total - n);
	json_out_raw(&out, ",\"problems\":[");
	json_out_raw(&out, list);
	json_out_raw(&out, "]}");
	return json_out_take(&out, ret_len);
}

/* What is left to read. */
struct reader {
	const char *p, *end;
	char *scratch, *out; /* strings of the present problem; the next free byte */
	bool failed;         /* not of the expected form; nothing is read any more */
	bool out_of_memory;
};

/* True, and past it, if @literal comes next. */
static bool
skip(struct reader *r, const char *literal)
{
	size_t len = strlen(literal);

	if (r->failed || (size_t)(r->end - r->p) < len ||
		memcmp(r->p, literal, len) != 0)
		return false;
	r->p += len;
	return true;
}

static void
expect(struct reader *r, const char *literal)
{
	r->failed = !skip(r, literal);
}

/* A number behind the literal @name, 0..@max, without leading zeros. */
static uint64_t
read_count(struct reader *r, const char *name, uint64_t max)
{
	uint64_t value = 0;
	const char *start;

	expect(r, name);
	start = r->p;
	while (!r->failed && r->p < r->end && *r->p >= '0' && *r->p <= '9') {
		value = 10 * value + (uint64_t)(*r->p++ - '0');
		r->failed = value > max;
	}
	if (r->p == start || (*start == '0' && r->p - start > 1))
		r->failed = true;
	return value;
}

static int
read_int(struct reader *r, const char *name)
{
	expect(r, name);
	if (skip(r, "-")) {
		uint64_t value = read_count(r, "", (uint64_t)INT_MAX + 1);

		r->failed = r->failed || value == 0;
		return (int)-(int64_t)value;
	}
	return (int)read_count(r, "", INT_MAX);
}

/* One character of a string into @out. Returns how many bytes it became, 0 when none
 * can be read. */
static size_t
read_char(struct reader *r, char *out)
{
	size_t len = utf8_sequence(r->p, (size_t)(r->end - r->p));

	if (skip(r, "\\ufffd")) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return 3;
	}
	if (skip(r, "\\\"") || skip(r, "\\\\")) {
		*out = r->p[-1];
		return 1;
	}
	if (len == 0 || *r->p == '\\' || (unsigned char)*r->p < 0x20 || *r->p == 0x7f)
		return 0;
	memcpy(out, r->p, len);
	r->p += len;
	return len;
}

/* A string behind the literal @name, into the scratch buffer; NULL when there is none.
 */
static const char *
read_string(struct reader *r, const char *name)
{
	char *text = r->out;

	expect(r, name);
	expect(r, "\"");
	while (!r->failed && !skip(r, "\"")) {
		size_t len = read_char(r, r->out);

		r->failed = len == 0;
		r->out += len;
	}
	*r->out++ = '\0';
	return text;
}

static void
read_problem(struct reader *r, struct diags *diags)
{
	const char *file, *reason, *rule = NULL;
	enum diag_severity severity = DIAG_WARNING;
	size_t kept = diags->n;
	int line;

	r->out = r->scratch;
	file = read_string(r, "{\"file\":");
	line = (int)read_count(r, ",\"line\":", INT_MAX);
	expect(r, ",\"severity\":\"");
	if (skip(r, severities[DIAG_ERROR]))
		severity = DIAG_ERROR;
	else
		expect(r, severities[DIAG_WARNING]);
	reason = read_string(r, "\",\"reason\":");
	if (skip(r, ","))
		rule = read_string(r, "\"rule\":");
	expect(r, "}");
	if (r->failed || kept == DIAGS_MAX) {
		r->failed = true;
		return;
	}
	diags_add(diags, severity, file, line, rule, "%s", reason);
	r->out_of_memory = diags->n == kept;
}

static void
read_report(struct reader *r, struct report *report)
{
	struct diags *diags = &report->diags;
	uint64_t errors, warnings, omitted;

	report->returncode = read_int(r, "{\"returncode\":");
	errors = read_count(r, ",\"errors\":", COUNT_MAX);
	warnings = read_count(r, ",\"warnings\":", COUNT_MAX);
	omitted = read_count(r, ",\"omitted\":", COUNT_MAX);
	expect(r, ",\"problems\":[");
	if (!skip(r, "]")) {
		do
			read_problem(r, diags);
		while (!r->out_of_memory && skip(r, ","));
		expect(r, "]");
	}
	expect(r, "}");
	if (r->p != r->end || errors < diags->errors || warnings < diags->warnings ||
		errors + warnings != diags->n + omitted)
		r->failed = true;
	diags->errors = errors;
	diags->warnings = warnings;
	diags->omitted = omitted;
}

int
report_decode(const char *text, size_t len, struct report *ret)
{
	/* Strings do not become longer by decoding, and their quotes make room for the
	 * NUL; the two bytes are for those of a text that ends early. */
	AUTO_FREE char *scratch = malloc(len + 3);
	struct reader r = { .p = text, .end = text + len, .scratch = scratch };
	struct report report = { 0 };

	if (!scratch)
		return -ENOMEM;
	diags_init(&report.diags);
	read_report(&r, &report);
	if (!r.failed && !r.out_of_memory) {
		*ret = report;
		return 0;
	}
	report_done(&report);
	return r.out_of_memory ? -ENOMEM : -EBADMSG;
}

void
report_done(struct report *report)
{
	diags_done(&report->diags);
	report->returncode = 0;
}
