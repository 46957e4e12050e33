/*
 * policy_dump.h - rules and problems as text, so that tests compare whole outcomes.
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/policy.h"

/* One rule per line, "eb 3: -A|INPUT|'quoted'". Heap. */
static inline char *
dump_rules(const struct policy_rules *rules)
{
	static const char *const sections[] = { "ip", "ip6", "eb" };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < rules->n; i++) {
		const struct policy_rule *rule = &rules->items[i];

		fprintf(out, "%s %d: ", sections[rule->section], rule->line);
		for (size_t k = 0; k < rule->n_tokens; k++) {
			const char *quote = rule->tokens[k].quoted ? "'" : "";

			fprintf(out, "%s%s%s%s", k ? "|" : "", quote,
				rule->tokens[k].text, quote);
		}
		fputc('\n', out);
	}
	fclose(out);
	return text;
}

/* One problem per line. Heap. */
static inline char *
dump_diags(const struct diags *diags)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < diags->n; i++) {
		char *line = diag_format(&diags->items[i]);

		fprintf(out, "%s\n", line);
		free(line);
	}
	fclose(out);
	return text;
}
