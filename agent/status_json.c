/*
 * status_json.c - the status as JSON, both ways, by the tables of status.c. The agent's
 * only user of cJSON.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "agent/status.h"

enum { NUMBER_SIZE = 24 };

/* Doubles, which is what cJSON keeps, are exact up to here. */
#define EXACT_MAX 9007199254740992.0

/* A number as it is: cJSON's own would go through a double and 15 digits. */
static cJSON *
new_number(uint64_t value)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return cJSON_CreateRaw(text);
}

static cJSON *
encode_field(const struct status_field *f, const char *at)
{
	uint64_t number;
	bool flag;

	switch (f->type) {
	case STATUS_TEXT:
		return cJSON_CreateString(at);
	case STATUS_NUMBER:
		memcpy(&number, at, sizeof(number));
		return new_number(number);
	case STATUS_FLAG:
		memcpy(&flag, at, sizeof(flag));
		return cJSON_CreateBool(flag);
	}
	return NULL;
}

/* NULL when out of memory. */
static cJSON *
encode_object(const struct status_field *fields, const char *base)
{
	cJSON *object = cJSON_CreateObject();

	for (const struct status_field *f = fields; object && f->name; f++) {
		cJSON *value = encode_field(f, base + f->offset);

		/* The name is a constant: cJSON need not copy it. */
		if (!value || !cJSON_AddItemToObjectCS(object, f->name, value)) {
			cJSON_Delete(value);
			cJSON_Delete(object);
			return NULL;
		}
	}
	return object;
}

static cJSON *
encode_list(const struct status *s, const struct status_list *list)
{
	cJSON *array = cJSON_CreateArray();
	const char *items;
	size_t n;

	memcpy(&items, (const char *)s + list->items_offset, sizeof(items));
	memcpy(&n, (const char *)s + list->n_offset, sizeof(n));
	for (size_t i = 0; array && i < n; i++) {
		const char *base = items + i * list->item_size;
		cJSON *value = list->plain ? encode_field(list->fields, base)
					   : encode_object(list->fields, base);

		if (!value || !cJSON_AddItemToArray(array, value)) {
			cJSON_Delete(value);
			cJSON_Delete(array);
			return NULL;
		}
	}
	return array;
}

/* Takes @value; false when it is NULL or out of memory. */
static bool
add_member(cJSON *root, const char *name, cJSON *value)
{
	if (value && cJSON_AddItemToObjectCS(root, name, value))
		return true;
	cJSON_Delete(value);
	return false;
}

char *
status_json_encode(const struct status *s)
{
	cJSON *root = cJSON_CreateObject();
	bool ok = root && add_member(root, "ok", cJSON_CreateBool(s->n_warnings == 0));
	char *text = NULL;

	for (const struct status_part *p = status_parts; ok && p->name; p++)
		ok = add_member(root, p->name,
			encode_object(p->fields, (const char *)s + p->offset));
	for (const struct status_list *l = status_lists; ok && l->name; l++)
		ok = add_member(root, l->name, encode_list(s, l));
	if (ok)
		text = cJSON_Print(root);
	cJSON_Delete(root);
	return text;
}

/* False if the value is of another type than the field. */
static bool
decode_field(const struct status_field *f, const cJSON *value, char *at)
{
	uint64_t number;
	bool flag;

	switch (f->type) {
	case STATUS_TEXT:
		if (!cJSON_IsString(value))
			return false;
		snprintf(at, f->size, "%s", value->valuestring);
		return true;
	case STATUS_NUMBER:
		if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0) ||
			value->valuedouble > EXACT_MAX)
			return false;
		number = (uint64_t)value->valuedouble;
		memcpy(at, &number, sizeof(number));
		return true;
	case STATUS_FLAG:
		if (!cJSON_IsBool(value))
			return false;
		flag = cJSON_IsTrue(value);
		memcpy(at, &flag, sizeof(flag));
		return true;
	}
	return false;
}

static int
decode_object(const struct status_field *fields, const cJSON *object, char *base,
	struct err *err)
{
	for (const struct status_field *f = fields; f->name; f++) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, f->name);

		if (value && !decode_field(f, value, base + f->offset))
			return err_set(
				err, -EINVAL, "\"%s\" is not as expected", f->name);
	}
	return 0;
}

static int
decode_list(struct status *s, const struct status_list *list, const cJSON *array,
	struct err *err)
{
	const cJSON *value;

	cJSON_ArrayForEach(value, array)
	{
		char *item = status_add(s, list);
		int r = 0;

		if (!item)
			return err_set(err, -ENOMEM, "\"%s\" is too long", list->name);
		if (!list->plain)
			r = decode_object(list->fields, value, item, err);
		else if (!decode_field(list->fields, value, item))
			r = err_set(err, -EINVAL, "\"%s\" has something else than text",
				list->name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
decode_root(const cJSON *root, struct status *s, struct err *err)
{
	int r = 0;

	for (const struct status_part *p = status_parts; r == 0 && p->name; p++)
		r = decode_object(p->fields,
			cJSON_GetObjectItemCaseSensitive(root, p->name),
			(char *)s + p->offset, err);
	for (const struct status_list *l = status_lists; r == 0 && l->name; l++)
		r = decode_list(
			s, l, cJSON_GetObjectItemCaseSensitive(root, l->name), err);
	return r;
}

int
status_json_decode(const char *text, size_t len, struct status *ret, struct err *err)
{
	cJSON *root = cJSON_ParseWithLength(text, len);
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!cJSON_IsObject(root))
		r = err_set(err, -EINVAL, "not a JSON object");
	else
		r = decode_root(root, ret, err);
	cJSON_Delete(root);
	if (r < 0)
		status_done(ret);
	return r;
}
