/*
 * rule_text.c - the canonical text of a parsed rule.
 */
#include "aclserver/rule_text.h"

#include <errno.h>
#include <string.h>

#include "common/wbuf.h"

static void
put(struct wbuf *w, const char *text)
{
	wbuf_put_bytes(w, text, strlen(text));
}

/* Whether @text as one bare word would be read as something else. */
static bool
needs_quotes(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || text[0] == '-' || text[0] == '!' || text[0] == ',' ||
		text[len - 1] == ',')
		return true;
	return strpbrk(text, " \t\"'\\$#") != NULL;
}

static void
put_value(struct wbuf *w, const char *text)
{
	wbuf_put_u8(w, ' ');
	if (!needs_quotes(text)) {
		put(w, text);
		return;
	}
	wbuf_put_u8(w, '"');
	for (; *text; text++) {
		if (strchr("\"\\$", *text))
			wbuf_put_u8(w, '\\');
		wbuf_put_u8(w, (uint8_t)*text);
	}
	wbuf_put_u8(w, '"');
}

static void
put_use(struct wbuf *w, const struct option_use *use)
{
	const struct rule_option *option = use->option;

	if (use->omit)
		return;
	put(w, use->negate ? " ! " : " ");
	if (option->letter) {
		wbuf_put_u8(w, '-');
		wbuf_put_u8(w, (uint8_t)option->letter);
	} else {
		put(w, "--");
		put(w, option->names[0]);
	}
	if (use->text) {
		/* Made by us of what was checked: nothing in it needs quotes. */
		wbuf_put_u8(w, ' ');
		put(w, use->text);
		return;
	}
	for (size_t i = 0; i < option->n_args; i++)
		put_value(w, use->args[i]);
}

static void
put_module(struct wbuf *w, const struct module_use *use)
{
	for (size_t i = 0; i < use->module->n_options; i++)
		if (use->uses[i])
			put_use(w, use->uses[i]);
}

static void
put_basic(struct wbuf *w, const struct module_use *use, const char *letters)
{
	for (; *letters; letters++)
		for (size_t i = 0; i < use->module->n_options; i++)
			if (use->module->options[i].letter == *letters && use->uses[i])
				put_use(w, use->uses[i]);
}

/* The basic options of [ebtables] that have no letter. */
static void
put_long_basic(struct wbuf *w, const struct module_use *use)
{
	for (size_t i = 0; i < use->module->n_options; i++)
		if (use->uses[i] && !use->module->options[i].letter)
			put_use(w, use->uses[i]);
}

static void
put_matches(struct wbuf *w, const struct rule_options *options, bool by_proto)
{
	bool eb = options->source->section == POLICY_SECTION_EBTABLES;

	for (size_t i = 1; i < options->n_loaded; i++) {
		const struct loaded *loaded = &options->loaded[i];

		if (!loaded->match || by_proto != (loaded->at == LOADED_BY_PROTO))
			continue;
		/* "-p tcp -m tcp" says no more than "-p tcp". */
		if (loaded->match->has_proto && loaded->use.n_uses == 0)
			continue;
		if (!eb) {
			put(w, " -m ");
			put(w, loaded->match->module.name);
		}
		put_module(w, &loaded->use);
	}
}

static void
put_target(struct wbuf *w, const struct rule_options *options)
{
	for (size_t i = 1; i < options->n_loaded; i++)
		if (options->loaded[i].target) {
			put(w, " -j ");
			put(w, options->loaded[i].target->module.name);
			put_module(w, &options->loaded[i].use);
		}
}

int
rule_text(struct rule *rule, const struct rule_options *options)
{
	bool eb = rule->section == POLICY_SECTION_EBTABLES;
	uint8_t text[POLICY_LINE_MAX];
	struct wbuf w;

	wbuf_init(&w, text, sizeof(text));
	if (strcmp(rule->table, "filter") != 0) {
		put(&w, "-t ");
		put(&w, rule->table);
		put(&w, " ");
	}
	put(&w, "-A ");
	put(&w, rule->chain);
	put_basic(&w, &options->loaded[0].use, eb ? "psdio" : "sdiopf");
	put_long_basic(&w, &options->loaded[0].use);
	put_matches(&w, options, true);
	put_matches(&w, options, false);
	put_target(&w, options);
	if (!wbuf_ok(&w))
		return err_set(rule->err, -EINVAL,
			"longer than %d bytes when written out", POLICY_LINE_MAX);
	rule->text = arena_strndup(rule->arena, (const char *)text, w.len);
	return rule->text ? 0 : -ENOMEM;
}
