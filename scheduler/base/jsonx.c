/* SPDX-License-Identifier: Apache-2.0 */
/* jsonx - jansson's constructors and parser with our rules about memory, depth and NAN. */
#include "scheduler/base/jsonx.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

/* 15 significant digits print 0.1 as 0.1; jansson's own 17 print 0.10000000000000001. */
#define JSONX_DIGITS 15

static json_t *must(json_t *json)
{
    if (json == NULL) {
        hs_mem_exhausted();
    }
    return json;
}

json_t *hs_jsonx_object(void)
{
    return must(json_object());
}

json_t *hs_jsonx_array(void)
{
    return must(json_array());
}

json_t *hs_jsonx_dup(const json_t *json)
{
    return must(json_copy((json_t *)(uintptr_t)json)); /* jansson forgot the const */
}

json_t *hs_jsonx_dup_deep(const json_t *json)
{
    return must(json_deep_copy(json));
}

void hs_jsonx_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, must(value)) != 0) {
        hs_mem_exhausted();
    }
}

void hs_jsonx_set_text(json_t *object, const char *key, const char *text)
{
    hs_jsonx_set(object, key, text != NULL ? hs_jsonx_text(text) : json_null());
}

void hs_jsonx_set_int(json_t *object, const char *key, int64_t value)
{
    hs_jsonx_set(object, key, hs_jsonx_int(value));
}

void hs_jsonx_set_bool(json_t *object, const char *key, int value)
{
    hs_jsonx_set(object, key, json_boolean(value));
}

void hs_jsonx_set_real(json_t *object, const char *key, double value)
{
    hs_jsonx_set(object, key, hs_jsonx_real(value));
}

void hs_jsonx_set_at(json_t *object, const char *key, int64_t at_s)
{
    char text[HS_TIMETEXT_MAX];

    hs_timetext_format(at_s, text);
    hs_jsonx_set_text(object, key, at_s != 0 ? text : NULL);
}

void hs_jsonx_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, must(value)) != 0) {
        hs_mem_exhausted();
    }
}

void hs_jsonx_extend(json_t *array, const json_t *more)
{
    size_t i;
    json_t *member;

    json_array_foreach (more, i, member) {
        hs_jsonx_add(array, json_incref(member));
    }
}

json_t *hs_jsonx_text(const char *text)
{
    json_t *json = json_string(text);
    HS_AUTO_MEM char *ascii = NULL;

    if (json != NULL) {
        return json;
    }
    /* Not UTF-8, such as a guest's output: show what can be shown. */
    ascii = hs_xstrdup(text);
    for (char *c = ascii; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    }
    return must(json_string(ascii));
}

json_t *hs_jsonx_real(double value)
{
    return isfinite(value) ? must(json_real(value)) : json_null();
}

json_t *hs_jsonx_int(int64_t value)
{
    return must(json_integer(value));
}

/* "file:line:column"; a name too long for hs_err.where loses its start, never its position. */
static int refuse(struct hs_err *err, const char *file, int line, int column, const char *text)
{
    char where[sizeof(err->where)];
    char position[32];
    size_t n_room;
    size_t n_file = strlen(file);

    snprintf(position, sizeof(position), ":%d:%d", line, column);
    n_room = sizeof(where) - 1 - strlen(position);
    if (n_file <= n_room) {
        snprintf(where, sizeof(where), "%s%s", file, position);
    } else {
        snprintf(where, sizeof(where), "..%s%s", file + n_file - (n_room - 2), position);
    }
    return hs_err_set(err, HS_E_INVALID, where, "%s", text);
}

/* Depth is checked before jansson sees the text, because jansson recurses. */
static int check_depth(const char *file, const char *text, size_t n_bytes, struct hs_err *err)
{
    int depth = 0;
    int line = 1;
    size_t line_start = 0;
    bool in_string = false;

    for (size_t i = 0; i < n_bytes; i++) {
        char c = text[i];

        if (c == '\n') {
            line++;
            line_start = i + 1;
        }
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        }
        if (depth > HS_JSONX_DEPTH_MAX) {
            return refuse(err, file, line, (int)(i - line_start) + 1,
                          "nested too deeply, 16 levels are the most");
        }
    }
    return 0;
}

int hs_jsonx_parse(const char *file, const char *text, size_t n_bytes, json_t **ret_json,
                   struct hs_err *err)
{
    const char *name = file != NULL ? file : "json";
    json_error_t error;
    json_t *json;
    int rc = check_depth(name, text, n_bytes, err);

    if (rc != 0) {
        return rc;
    }
    json = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        return refuse(err, name, error.line > 0 ? error.line : 1,
                      error.column > 0 ? error.column : 1, error.text);
    }
    *ret_json = json;
    return 0;
}

char *hs_jsonx_format(const json_t *json)
{
    char *text =
        json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(JSONX_DIGITS));

    if (text == NULL) {
        hs_mem_exhausted();
    }
    return text;
}
