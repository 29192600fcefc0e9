/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * conf - one flat table per object drives parsing, checks, help and docs/config.md.
 *
 * Reads a JSON object into a C struct by a table of fields. Unknown keys, wrong types, values
 * out of range and missing fields are collected, not thrown: up to HS_CONF_ERRORS_MAX, each as
 * `file:line:column: /json/pointer: text`, with the nearest known key. `$schema`, `$comment`
 * and `description` are allowed everywhere. Pure; knows jansson.
 */

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

#define HS_CONF_ERRORS_MAX 20

enum hs_conf_type {
    HS_CONF_TEXT,     /* char[size] in the struct */
    HS_CONF_NAME,     /* char[size]: [A-Za-z0-9][A-Za-z0-9._-]*, no '/' */
    HS_CONF_WORD,     /* char[size]: one of .words */
    HS_CONF_REAL,     /* double */
    HS_CONF_INT,      /* int */
    HS_CONF_INT64,    /* int64_t */
    HS_CONF_UINT32,   /* uint32_t */
    HS_CONF_UINT64,   /* uint64_t */
    HS_CONF_BOOL,     /* bool */
    HS_CONF_DURATION, /* int64_t seconds, from "90m" */
    HS_CONF_OBJECT,   /* .table read into the struct at .offset (0: the same struct) */
    HS_CONF_CHILDREN, /* array or object that the owner of the table reads itself */
    HS_CONF_ANY,      /* accepted, kept for the owner of the table to read */
};

struct hs_conf_table;

struct hs_conf_field {
    const char *name;
    enum hs_conf_type type;
    size_t offset; /* offsetof() in the struct */
    size_t size;   /* TEXT, NAME, WORD: bytes at offset; 0: checked but not kept */
    double min;    /* numbers; durations in s. Neither is checked unless max > min */
    double max;
    bool required;
    bool has_default;
    double default_number; /* also bool; durations in s */
    const char *default_text;
    const char *unit;                  /* "W", "l", "cur/MWh", "" */
    const char *help;                  /* one clause for docs/config.md and `hsched help field` */
    const char *const *words;          /* WORD: NULL-terminated */
    const struct hs_conf_table *table; /* OBJECT; also CHILDREN, for the docs only */
    size_t present_offset; /* OBJECT: offsetof a bool that says whether it was given; 0 or
                              SIZE_MAX: none, so it cannot be the first member */
};

struct hs_conf_table {
    const char *name;                   /* "tank", for docs and messages */
    const struct hs_conf_field *fields; /* [n_fields] */
    size_t n_fields;
};

/** Errors of one file. Starts as {0} plus file and text, which are borrowed (nullable). */
struct hs_conf_report {
    const char *file;                 /* name for messages */
    const char *text;                 /* the JSON text, to find line and column */
    size_t n_errors;                  /* found, may exceed the kept ones */
    char *errors[HS_CONF_ERRORS_MAX]; /* owned, "file:line:column: /pointer: text" */
};

/**
 * Add one error at @pointer ("" is the root). Without a file its name is left out, without a
 * text the line and column are. Control characters of the input never reach the message.
 */
__attribute__((format(printf, 3, 4))) void
hs_conf_report_add(struct hs_conf_report *report, const char *pointer, const char *fmt, ...);

/** Release the kept errors. */
void hs_conf_report_fini(struct hs_conf_report *report);

/** All errors, one a line; owned by the caller (free). */
char *hs_conf_report_format(const struct hs_conf_report *report);

/**
 * Parse the text of a file; a mistake in the syntax becomes the report's only error.
 *
 * @param file      sets the report's file, nullable; borrowed for the report's life
 * @param text      sets the report's text; borrowed for the report's life
 * @param ret_json  owned by the caller on success
 * @return 0 or -HS_E_INVALID
 */
int hs_conf_parse(const char *file, const char *text, struct hs_conf_report *report,
                  json_t **ret_json);

/**
 * Read @object by @table into @dst. Defaults first, then what is given (null counts as absent).
 * A field without default that is not given leaves @dst as it is. Never stops at an error.
 *
 * @param pointer  JSON pointer of @object, for messages; borrowed
 * @return true if this object added no error
 */
bool hs_conf_read(const struct hs_conf_table *table, const json_t *object, const char *pointer,
                  void *dst, struct hs_conf_report *report);

/** Line and column (1-based) of the value at @pointer in @text, or of the nearest parent. */
void hs_conf_locate(const char *text, const char *pointer, int *ret_line, int *ret_column);

/** The word of @words (NULL-terminated) nearest to @word, or NULL if none is near. */
const char *hs_conf_nearest(const char *const *words, const char *word);

/** What a person may write, as Markdown: @table, then every table below it. Owned (free). */
char *hs_conf_format_markdown(const struct hs_conf_table *table);
