/* SPDX-License-Identifier: Apache-2.0 */
/* mqttpayload - words, numbers in the C locale, and jansson for the rest. */
#include "adapters/plant/mqttpayload.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scheduler/base/jsonx.h"

#define NUMBER_MAX 64
#define TOKEN_MAX  128

static const struct {
    const char *word;
    double value;
} words[] = {
    {"true", 1},  {"on", 1},     {"false", 0},  {"off", 0},           {"", NAN},
    {"nan", NAN}, {"null", NAN}, {"none", NAN}, {"unavailable", NAN}, {"unknown", NAN},
};

/* A number as JSON writes it, with a sign and blanks around it allowed. */
static bool parse_number(const char *text, double *ret_value)
{
    double value;
    char *end;

    if (text[strspn(text, "+-.0123456789eE")] != '\0') {
        return false; /* no hexadecimal, no infinity */
    }
    value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value)) {
        return false;
    }
    *ret_value = value;
    return true;
}

static int read_text(const char *text, size_t n_bytes, double *ret_value, struct hs_err *err)
{
    char trimmed[NUMBER_MAX];
    size_t first = 0;

    while (first < n_bytes && strchr(" \t\r\n", text[first]) != NULL && text[first] != '\0') {
        first++;
    }
    while (n_bytes > first && strchr(" \t\r\n", text[n_bytes - 1]) != NULL
           && text[n_bytes - 1] != '\0') {
        n_bytes--;
    }
    n_bytes -= first;
    if (n_bytes >= sizeof(trimmed) || memchr(text + first, '\0', n_bytes) != NULL) {
        return hs_err_set(err, HS_E_INVALID, NULL, "'%.30s' is not a number", text + first);
    }
    memcpy(trimmed, text + first, n_bytes);
    trimmed[n_bytes] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(words[i].word, trimmed) == 0) {
            *ret_value = words[i].value;
            return 0;
        }
    }
    if (parse_number(trimmed, ret_value)) {
        return 0;
    }
    return hs_err_set(err, HS_E_INVALID, NULL, "'%.30s' is not a number", trimmed);
}

/* One token of a pointer, unescaped. @return what follows it, or NULL if it is too long */
static const char *cut_token(const char *pointer, char *ret_token)
{
    size_t n = 0;

    while (*pointer != '\0' && *pointer != '/') {
        char c = *pointer++;

        if (c == '~' && (*pointer == '0' || *pointer == '1')) {
            c = *pointer++ == '1' ? '/' : '~';
        }
        if (n + 1 >= TOKEN_MAX) {
            return NULL;
        }
        ret_token[n++] = c;
    }
    ret_token[n] = '\0';
    return pointer;
}

static const json_t *find(const json_t *json, const char *pointer)
{
    char token[TOKEN_MAX];

    while (json != NULL && pointer != NULL && *pointer == '/') {
        char *end;
        unsigned long idx;

        pointer = cut_token(pointer + 1, token);
        idx = strtoul(token, &end, 10);
        if (json_is_array(json)) {
            json = end != token && *end == '\0' && token[0] >= '0' && token[0] <= '9'
                       ? json_array_get(json, idx)
                       : NULL;
        } else {
            json = json_object_get(json, token);
        }
    }
    return pointer != NULL ? json : NULL;
}

int hs_mqttpayload_read(const char *payload, size_t n_bytes, const char *pointer, double *ret_value,
                        struct hs_err *err)
{
    json_auto_t *json = NULL;
    const json_t *member;
    int rc;

    if (n_bytes > HS_MQTTPAYLOAD_MAX) {
        return hs_err_set(err, HS_E_INVALID, NULL, "%zu bytes are more than the %d that are read",
                          n_bytes, HS_MQTTPAYLOAD_MAX);
    }
    if (pointer[0] == '\0') {
        return read_text(payload, n_bytes, ret_value, err);
    }
    rc = hs_jsonx_parse("payload", payload, n_bytes, &json, err);
    if (rc != 0) {
        return rc;
    }
    member = find(json, pointer);
    if (member == NULL) {
        return hs_err_set(err, HS_E_NOTFOUND, NULL, "the payload has nothing at '%.60s'", pointer);
    }
    if (json_is_string(member)) {
        return read_text(json_string_value(member), json_string_length(member), ret_value, err);
    }
    if (json_is_number(member) || json_is_boolean(member) || json_is_null(member)) {
        *ret_value = json_is_number(member)    ? json_number_value(member)
                     : json_is_boolean(member) ? (double)json_is_true(member)
                                               : (double)NAN;
        return 0;
    }
    return hs_err_set(err, HS_E_INVALID, NULL, "'%.60s' is a list or an object, not a number",
                      pointer);
}
