/*
 * strict_count.c - entries of hardware memory that a policy takes; see strict_count.h.
 *
 * Rules are read from their canonical texts: one text is one simple rule, in however
 * many places of the kernel it stands.
 */
#include "aclserver/strict_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/match.h"
#include "common/cleanup.h"

enum { SPANS_MAX = 8, ERSPANS_MAX = 2 };

/* "Hardware Limitations on Number of Rules" of Cumulus Linux 3.7 to 5. */
const struct strict_switch strict_switches[] = {
	{ "Spectrum, profile default", 500, 250, 0, false },
	{ "Tomahawk", 512, 0, 256, true },
	{ "Spectrum, profile ipmc-heavy", 750, 500, 0, false },
	{ "Trident3", 768, 0, 0, true },
	{ "Trident II", 1024, 0, 0, true },
	{ "Helix4", 1024, 0, 0, true },
	{ "Spectrum, profile acl-heavy", 1750, 1000, 0, false },
	{ "Trident II+", 4096, 0, 0, true },
	{ "Spectrum, profile ip-acl-heavy", 6000, 0, 0, false },
	{ "Spectrum-2 and later", 12500, 6250, 0, false },
};
const size_t strict_n_switches = sizeof(strict_switches) / sizeof(strict_switches[0]);

/* What a rule is counted by. */
struct simple {
	const char *text;
	enum policy_section section;
};

static int
compare_simple(const void *pa, const void *pb)
{
	const struct simple *a = pa, *b = pb;

	return a->text < b->text ? -1 : a->text > b->text;
}

/* Value of the option " --NAME " in a canonical text; NULL if it has none. */
static const char *
value_of(const char *text, const char *option)
{
	const char *found = strstr(text, option);

	return found ? found + strlen(option) : NULL;
}

static size_t
list_len(const char *text, const char *option)
{
	const char *value = value_of(text, option);
	size_t n = 1;

	for (; value && *value && *value != ' '; value++)
		n += *value == ',';
	return n;
}

static bool
stays_in_kernel(const struct simple *simple)
{
	const char *append = strstr(simple->text, "-A INPUT ");

	for (const struct match *const *m = matches; append && *m; m++) {
		const char *module = strstr(append, (*m)->module.name);

		if ((*m)->hardware == MATCH_HARDWARE_INPUT && module &&
			module - append > 3 && strncmp(module - 3, "-m ", 3) == 0)
			return true;
	}
	return false;
}

static size_t
entries_of(const char *text)
{
	size_t both = list_len(text, " --ports ");

	return list_len(text, " --sports ") * list_len(text, " --dports ") *
	       (both > 1 || value_of(text, " --ports ") ? 2 * both : 1);
}

static bool
same_word(const char *a, const char *b, char end)
{
	size_t n = strcspn(a, (const char[]){ end, '\0' });

	return strncmp(a, b, n) == 0 && (b[n] == end || b[n] == '\0');
}

/* Remember @what unless it is known; what ends at a blank, or nowhere. */
static void
add_mirror(const char **list, size_t *n, const char *what, char end)
{
	for (size_t i = 0; i < *n; i++)
		if (same_word(list[i], what, end))
			return;
	if (*n < STRICT_MIRRORS_MAX)
		list[(*n)++] = what;
}

static void
add_simple(struct strict_count *count, const struct simple *simple)
{
	const char *text = simple->text;
	const char *span = value_of(text, " -j SPAN --dport ");
	const char *erspan = value_of(text, " -j ERSPAN ");
	size_t entries = entries_of(text);

	if (span)
		add_mirror(count->spans, &count->n_spans, span, ' ');
	if (erspan)
		add_mirror(count->erspans, &count->n_erspans, erspan, '\0');
	if (stays_in_kernel(simple))
		return;
	if ((strstr(text, " -o ") && !strstr(text, " -i ")) ||
		strstr(text, "-A POSTROUTING"))
		count->out += entries;
	else if (simple->section == POLICY_SECTION_IP6TABLES)
		count->ip6_in += entries;
	else
		count->ip_in += entries;
}

int
strict_count_add(struct strict_count *count, const struct ruleset_file *file)
{
	AUTO_FREE struct simple *all = calloc(file->n_rules + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < file->n_rules; i++)
		all[i] = (struct simple){ file->rules[i].text, file->rules[i].section };
	qsort(all, file->n_rules, sizeof(*all), compare_simple);
	for (size_t i = 0; i < file->n_rules; i++)
		if (i == 0 || all[i].text != all[i - 1].text)
			add_simple(count, &all[i]);
	return 0;
}

bool
strict_count_fits(const struct strict_count *count, const struct strict_switch *sw)
{
	if (sw->out > 0 && count->out > sw->out)
		return false;
	if (sw->shares)
		return count->ip_in + count->ip6_in <= sw->ip_in;
	return count->ip_in <= sw->ip_in && count->ip6_in <= sw->ip6_in;
}

const char *
strict_count_mirrors(const struct strict_count *count)
{
	if (count->n_spans > SPANS_MAX)
		return "strict: SPAN to more than 8 ports";
	if (count->n_erspans > ERSPANS_MAX)
		return "strict: more than 2 tunnels of ERSPAN";
	return NULL;
}
