/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * jsonx - JSON values that are never NULL, numbers that may be absent, strict parsing.
 *
 * The only place that calls jansson's constructors: jansson reports out of memory as NULL, we
 * abort (style.md, 4f). Note that json_*_new() and json_object_set_new() steal their value even
 * when they fail.
 */

#include <stdint.h>

#include <jansson.h>

#include "scheduler/base/err.h"

#define HS_JSONX_DEPTH_MAX 16 /* promises.md, threats */

/** New values; owned by the caller. */
json_t *hs_jsonx_object(void);
json_t *hs_jsonx_array(void);

/** A copy of @json whose members are shared with it; owned by the caller. */
json_t *hs_jsonx_dup(const json_t *json);

/** A copy of @json that shares nothing with it; owned by the caller. */
json_t *hs_jsonx_dup_deep(const json_t *json);

/** Set @key in @object; @value is taken. */
void hs_jsonx_set(json_t *object, const char *key, json_t *value);
void hs_jsonx_set_text(json_t *object, const char *key, const char *text); /* NULL: null */
void hs_jsonx_set_int(json_t *object, const char *key, int64_t value);
void hs_jsonx_set_bool(json_t *object, const char *key, int value);

/** A number, or null where @value is NAN or infinite: absent is null. */
void hs_jsonx_set_real(json_t *object, const char *key, double value);

/** RFC 3339 UTC text, or null where @at_s is 0. */
void hs_jsonx_set_at(json_t *object, const char *key, int64_t at_s);

/** Append to @array; @value is taken. */
void hs_jsonx_add(json_t *array, json_t *value);

/** Append the members of @more to @array; they are shared. */
void hs_jsonx_extend(json_t *array, const json_t *more);
json_t *hs_jsonx_text(const char *text);
json_t *hs_jsonx_real(double value);
json_t *hs_jsonx_int(int64_t value);

/**
 * Parse @text: duplicate keys, NULs and depth over HS_JSONX_DEPTH_MAX are refused.
 *
 * @param file      name for the message; borrowed
 * @param ret_json  owned by the caller on success
 * @return 0 or -HS_E_INVALID with where = file:line:column
 */
int hs_jsonx_parse(const char *file, const char *text, size_t n_bytes, json_t **ret_json,
                   struct hs_err *err);

/** One line, keys in insertion order, C locale. Owned by the caller (free). */
char *hs_jsonx_format(const json_t *json);
