/* SPDX-License-Identifier: Apache-2.0 */
/* conf - a JSON object into a struct, by a table of fields. */
#include "scheduler/base/conf.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define POINTER_MAX 512

/* Doubles hold every whole number up to here. */
#define WHOLE_MAX 9007199254740992.0

static const char *const known_everywhere[] = {"$schema", "$comment", "description"};

/* One value on its way into the struct. */
struct slot {
    const struct hs_conf_field *field;
    const json_t *value;
    const char *pointer; /* of the value */
    char *dst;           /* the struct, not yet the field */
    struct hs_conf_report *report;
};

static const char *type_word(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static bool refuse_type(const struct slot *slot, const char *want)
{
    hs_conf_report_add(slot->report, slot->pointer, "must be %s, not %s", want,
                       type_word(slot->value));
    return false;
}

static void store_number(const struct hs_conf_field *field, char *dst, double value)
{
    void *at = dst + field->offset;

    switch (field->type) {
    case HS_CONF_REAL:
        *(double *)at = value;
        break;
    case HS_CONF_INT:
        *(int *)at = (int)value;
        break;
    case HS_CONF_INT64:
    case HS_CONF_DURATION:
        *(int64_t *)at = (int64_t)value;
        break;
    case HS_CONF_UINT32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case HS_CONF_UINT64:
        *(uint64_t *)at = (uint64_t)value;
        break;
    case HS_CONF_BOOL:
        *(bool *)at = value != 0;
        break;
    default:
        break;
    }
}

static void store_text(const struct hs_conf_field *field, char *dst, const char *text)
{
    if (field->size > 0) {
        snprintf(dst + field->offset, field->size, "%s", text);
    }
}

/* "60 W", "1h30m" */
static void write_quantity(const struct hs_conf_field *field, double value, char ret_text[64])
{
    const char *unit = field->unit != NULL ? field->unit : "";

    if (field->type == HS_CONF_DURATION) {
        hs_timetext_format_duration((int64_t)value, ret_text);
    } else {
        snprintf(ret_text, 64, "%.10g%s%.32s", value, *unit != '\0' ? " " : "", unit);
    }
}

static bool check_range(const struct slot *slot, double value)
{
    const struct hs_conf_field *field = slot->field;
    char least[64], most[64], is[64];

    if (!(field->max > field->min) || (value >= field->min && value <= field->max)) {
        return true;
    }
    write_quantity(field, field->min, least);
    write_quantity(field, field->max, most);
    write_quantity(field, value, is);
    if (isinf(field->max)) {
        hs_conf_report_add(slot->report, slot->pointer, "must be at least %s, is %s", least, is);
    } else if (isinf(field->min)) {
        hs_conf_report_add(slot->report, slot->pointer, "must be at most %s, is %s", most, is);
    } else {
        hs_conf_report_add(slot->report, slot->pointer, "must be %s to %s, is %s", least, most, is);
    }
    return false;
}

static double whole_max(enum hs_conf_type type)
{
    return type == HS_CONF_INT ? INT32_MAX : type == HS_CONF_UINT32 ? UINT32_MAX : WHOLE_MAX;
}

static double whole_min(enum hs_conf_type type)
{
    return type == HS_CONF_INT     ? INT32_MIN
           : type == HS_CONF_INT64 ? -WHOLE_MAX
                                   : 0; /* the unsigned ones */
}

static bool read_number(const struct slot *slot)
{
    enum hs_conf_type type = slot->field->type;
    double value = json_number_value(slot->value);

    if (!json_is_number(slot->value)) {
        return refuse_type(slot, type == HS_CONF_REAL ? "a number" : "a whole number");
    }
    if (type != HS_CONF_REAL) {
        if (floor(value) != value) {
            hs_conf_report_add(slot->report, slot->pointer, "must be a whole number, is %.10g",
                               value);
            return false;
        }
        if (!(value >= whole_min(type) && value <= whole_max(type))) {
            bool low = value < whole_min(type);

            hs_conf_report_add(slot->report, slot->pointer, "must be at %s %.16g, is %.10g",
                               low ? "least" : "most", low ? whole_min(type) : whole_max(type),
                               value);
            return false;
        }
    }
    if (!check_range(slot, value)) {
        return false;
    }
    store_number(slot->field, slot->dst, value);
    return true;
}

static bool read_duration(const struct slot *slot)
{
    struct hs_err err;
    int64_t span_s;

    if (json_is_number(slot->value)) {
        hs_conf_report_add(slot->report, slot->pointer,
                           "a duration needs a unit: write \"90m\", \"1h30m\" or \"2d\"");
        return false;
    }
    if (!json_is_string(slot->value)) {
        return refuse_type(slot, "a duration such as \"90m\"");
    }
    if (hs_timetext_parse_duration(json_string_value(slot->value), &span_s, &err) != 0) {
        hs_conf_report_add(slot->report, slot->pointer, "%s", err.text);
        return false;
    }
    if (!check_range(slot, (double)span_s)) {
        return false;
    }
    store_number(slot->field, slot->dst, (double)span_s);
    return true;
}

static bool is_name(const char *text)
{
    if (!isalnum((unsigned char)*text)) {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (!isalnum((unsigned char)*text) && strchr("._-", *text) == NULL) {
            return false;
        }
    }
    return true;
}

static void list_words(const char *const *words, char *ret_list, size_t n_bytes)
{
    size_t n = 0;

    ret_list[0] = '\0';
    for (; *words != NULL && n < n_bytes; words++) {
        n += (size_t)snprintf(ret_list + n, n_bytes - n, "%s%s", n > 0 ? ", " : "", *words);
    }
}

static bool check_word(const struct slot *slot, const char *text)
{
    const char *nearest = hs_conf_nearest(slot->field->words, text);
    char list[400];

    for (const char *const *word = slot->field->words; *word != NULL; word++) {
        if (strcmp(*word, text) == 0) {
            return true;
        }
    }
    list_words(slot->field->words, list, sizeof(list));
    if (nearest != NULL) {
        hs_conf_report_add(slot->report, slot->pointer,
                           "'%.64s' is not known, did you mean '%s'? (one of %s)", text, nearest,
                           list);
    } else {
        hs_conf_report_add(slot->report, slot->pointer, "'%.64s' is not known, use one of %s", text,
                           list);
    }
    return false;
}

static bool read_text(const struct slot *slot)
{
    const struct hs_conf_field *field = slot->field;
    const char *text = json_string_value(slot->value);

    if (text == NULL) {
        return refuse_type(slot, field->type == HS_CONF_NAME ? "a name in quotes" : "a text");
    }
    if (field->type == HS_CONF_WORD && !check_word(slot, text)) {
        return false;
    }
    if (field->type == HS_CONF_NAME && !is_name(text)) {
        hs_conf_report_add(slot->report, slot->pointer,
                           "'%.64s' is not a name; use letters, digits, '.', '_' and '-', first a "
                           "letter or digit",
                           text);
        return false;
    }
    if (field->size > 0 && strlen(text) >= field->size) {
        hs_conf_report_add(slot->report, slot->pointer, "is longer than %zu bytes",
                           field->size - 1);
        return false;
    }
    store_text(field, slot->dst, text);
    return true;
}

static bool read_bool(const struct slot *slot)
{
    if (!json_is_boolean(slot->value)) {
        return refuse_type(slot, "true or false");
    }
    store_number(slot->field, slot->dst, json_is_true(slot->value));
    return true;
}

static bool read_value(const struct slot *slot)
{
    const struct hs_conf_field *field = slot->field;

    switch (field->type) {
    case HS_CONF_TEXT:
    case HS_CONF_NAME:
    case HS_CONF_WORD:
        return read_text(slot);
    case HS_CONF_BOOL:
        return read_bool(slot);
    case HS_CONF_DURATION:
        return read_duration(slot);
    case HS_CONF_OBJECT:
        return hs_conf_read(field->table, slot->value, slot->pointer, slot->dst + field->offset,
                            slot->report);
    case HS_CONF_CHILDREN:
        return json_is_array(slot->value) || json_is_object(slot->value)
               || refuse_type(slot, "a list or an object");
    case HS_CONF_ANY:
        return true;
    default:
        return read_number(slot);
    }
}

static bool has_presence(const struct hs_conf_field *field)
{
    return field->type == HS_CONF_OBJECT && field->present_offset != 0
           && field->present_offset != SIZE_MAX;
}

static void set_defaults(const struct hs_conf_table *table, char *dst)
{
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct hs_conf_field *field = &table->fields[i];

        if (field->type == HS_CONF_OBJECT) {
            set_defaults(field->table, dst + field->offset);
        } else if (field->default_text != NULL) {
            store_text(field, dst, field->default_text);
        } else if (field->has_default) {
            store_number(field, dst, field->default_number);
        }
        if (has_presence(field)) {
            *(bool *)(dst + field->present_offset) = false;
        }
    }
}

static const struct hs_conf_field *find_field(const struct hs_conf_table *table, const char *key)
{
    for (size_t i = 0; i < table->n_fields; i++) {
        if (strcmp(table->fields[i].name, key) == 0) {
            return &table->fields[i];
        }
    }
    return NULL;
}

static bool is_known_everywhere(const char *key)
{
    for (size_t i = 0; i < sizeof(known_everywhere) / sizeof(known_everywhere[0]); i++) {
        if (strcmp(known_everywhere[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static void report_unknown(const struct hs_conf_table *table, const char *pointer, const char *key,
                           struct hs_conf_report *report)
{
    HS_AUTO_MEM const char **words = hs_xcalloc(table->n_fields + 1, sizeof(*words));
    const char *nearest;
    char list[400];

    for (size_t i = 0; i < table->n_fields; i++) {
        words[i] = table->fields[i].name;
    }
    nearest = hs_conf_nearest(words, key);
    if (nearest != NULL) {
        hs_conf_report_add(report, pointer, "unknown key '%.64s', did you mean '%s'?", key,
                           nearest);
    } else {
        list_words(words, list, sizeof(list));
        hs_conf_report_add(report, pointer, "unknown key '%.64s' in a %s, which has %s", key,
                           table->name, list);
    }
}

/* @pointer plus one key, with '~' and '/' written as RFC 6901 wants them. */
static void join_pointer(const char *pointer, const char *key, char ret_pointer[POINTER_MAX])
{
    size_t n = (size_t)snprintf(ret_pointer, POINTER_MAX, "%s/", pointer);

    for (; *key != '\0' && n + 3 < POINTER_MAX; key++) {
        if (*key == '~' || *key == '/') {
            ret_pointer[n++] = '~';
            ret_pointer[n++] = *key == '~' ? '0' : '1';
        } else {
            ret_pointer[n++] = *key;
        }
    }
    if (n < POINTER_MAX) {
        ret_pointer[n] = '\0';
    }
}

static void read_members(const struct hs_conf_table *table, const json_t *object,
                         const char *pointer, char *dst, struct hs_conf_report *report)
{
    const char *key;
    json_t *value;

    /* jansson's iteration macro wants a mutable object but does not change it */
    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        const struct hs_conf_field *field = find_field(table, key);
        char where[POINTER_MAX];

        join_pointer(pointer, key, where);
        if (field == NULL) {
            if (!is_known_everywhere(key)) {
                report_unknown(table, where, key, report);
            }
        } else if (!json_is_null(value)) {
            struct slot slot = {field, value, where, dst, report};

            if (has_presence(field)) {
                *(bool *)(dst + field->present_offset) = true;
            }
            (void)read_value(&slot);
        }
    }
}

static void report_missing(const struct hs_conf_table *table, const json_t *object,
                           const char *pointer, struct hs_conf_report *report)
{
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct hs_conf_field *field = &table->fields[i];
        const json_t *value = json_object_get(object, field->name);

        if (field->required && (value == NULL || json_is_null(value))) {
            hs_conf_report_add(report, pointer, "'%s' is missing: %s", field->name,
                               field->help != NULL ? field->help : "it is required");
        }
    }
}

bool hs_conf_read(const struct hs_conf_table *table, const json_t *object, const char *pointer,
                  void *dst, struct hs_conf_report *report)
{
    size_t n_errors_before = report->n_errors;

    set_defaults(table, dst);
    if (!json_is_object(object)) {
        hs_conf_report_add(report, pointer, "must be an object (a %s), not %s", table->name,
                           object != NULL ? type_word(object) : "nothing");
        return false;
    }
    read_members(table, object, pointer, dst, report);
    report_missing(table, object, pointer, report);
    return report->n_errors == n_errors_before;
}

int hs_conf_parse(const char *file, const char *text, struct hs_conf_report *report,
                  json_t **ret_json)
{
    struct hs_err err;
    int rc = hs_jsonx_parse("", text, strlen(text), ret_json, &err);

    report->file = file;
    report->text = NULL; /* jansson has said where; there is no value to locate */
    if (rc != 0) {
        char place[256];

        snprintf(place, sizeof(place), "%s%s", file != NULL ? file : "",
                 file != NULL ? err.where : err.where + 1);
        report->file = place;
        hs_conf_report_add(report, "", "%s", err.text);
        report->file = file;
    }
    report->text = text;
    return rc;
}
