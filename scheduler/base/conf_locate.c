/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_locate - where in a JSON text the value at a JSON pointer stands.
 *
 * jansson keeps no positions, so this walks the text again, only when there is something to
 * complain about. The text has been parsed before; on anything unexpected the walk stops at the
 * last place it was sure of.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/conf.h"

#define KEY_MAX 256

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* From the opening quote to behind the closing one. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        at += at[0] == '\\' && at[1] != '\0' ? 1 : 0;
    }
    return *at == '"' ? at + 1 : at;
}

static const char *skip_value(const char *at)
{
    int depth = 0;

    if (*at != '{' && *at != '[') {
        return *at == '"' ? skip_string(at) : at + strcspn(at, ",]} \t\r\n");
    }
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        depth += *at == '{' || *at == '[' ? 1 : *at == '}' || *at == ']' ? -1 : 0;
        at++;
    } while (*at != '\0' && depth > 0);
    return at;
}

/* One token of a JSON pointer with ~1 and ~0 undone (RFC 6901); NULL at the end. */
static const char *read_token(const char *pointer, char token[KEY_MAX])
{
    size_t n = 0;

    if (*pointer != '/') {
        return NULL;
    }
    for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
        char c = *pointer;

        if (c == '~' && (pointer[1] == '0' || pointer[1] == '1')) {
            pointer++;
            c = *pointer == '0' ? '~' : '/';
        }
        if (n < KEY_MAX - 1) {
            token[n++] = c;
        }
    }
    token[n] = '\0';
    return pointer;
}

static bool is_key(const char *quoted, const char *end, const char *key)
{
    size_t n = (size_t)(end - quoted);
    bool same;
    json_t *decoded;

    if (memchr(quoted, '\\', n) == NULL) {
        return n == strlen(key) + 2 && memcmp(quoted + 1, key, n - 2) == 0;
    }
    decoded = json_loadb(quoted, n, JSON_DECODE_ANY, NULL);
    same = json_is_string(decoded) && strcmp(json_string_value(decoded), key) == 0;
    json_decref(decoded);
    return same;
}

/* The value of @key in the object at @at, or NULL. */
static const char *find_member(const char *at, const char *key)
{
    at = skip_space(at + 1);
    while (*at == '"') {
        const char *end = skip_string(at);
        const char *value = skip_space(end);
        bool found = is_key(at, end, key);

        if (*value != ':') {
            return NULL;
        }
        value = skip_space(value + 1);
        if (found) {
            return value;
        }
        at = skip_space(skip_value(value));
        at = *at == ',' ? skip_space(at + 1) : at;
    }
    return NULL;
}

/* Item number @index of the array at @at, or NULL. */
static const char *find_item(const char *at, const char *index)
{
    char *end;
    unsigned long n = strtoul(index, &end, 10);

    if (*end != '\0') {
        return NULL;
    }
    at = skip_space(at + 1);
    for (; n > 0 && *at != '\0' && *at != ']'; n--) {
        at = skip_space(skip_value(at));
        at = *at == ',' ? skip_space(at + 1) : at;
    }
    return *at != '\0' && *at != ']' ? at : NULL;
}

void hs_conf_locate(const char *text, const char *pointer, int *ret_line, int *ret_column)
{
    const char *found = skip_space(text);
    char token[KEY_MAX];
    int line = 1, column = 1;

    while ((pointer = read_token(pointer, token)) != NULL) {
        const char *next = *found == '{'   ? find_member(found, token)
                           : *found == '[' ? find_item(found, token)
                                           : NULL;

        if (next == NULL) {
            break;
        }
        found = next;
    }
    for (const char *at = text; at < found; at++) {
        if (*at == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*at & 0xc0U) != 0x80) { /* a character, not a byte of one */
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}
