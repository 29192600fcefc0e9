/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * table - an answer of the daemon in the format that the user chose with -o.
 *
 * Rows of data say which fields a table shows. table and wide are for people (libsmartcols);
 * json and jsonl are the daemon's own values; csv has a column a field, named as the field; name
 * is one name a line. On a terminal tables are cut to its width and states coloured, unless
 * NO_COLOR is set; in a pipe never.
 */

#include <stdint.h>

#include <jansson.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/render.h"

enum hs_table_format {
    HS_TABLE_TABLE,
    HS_TABLE_WIDE,
    HS_TABLE_JSON,
    HS_TABLE_JSONL,
    HS_TABLE_CSV,
    HS_TABLE_NAME,
};

enum hs_table_use {
    HS_TABLE_IN_TABLE = 1, /* table and wide */
    HS_TABLE_IN_WIDE = 2,  /* wide only */
    HS_TABLE_IN_CSV = 4,
    HS_TABLE_CUTS = 8, /* may be cut to fit a terminal: never what is typed again */
};

/** A column of everything, and one of wide and csv. */
#define HS_TABLE_ALWAYS (HS_TABLE_IN_TABLE | HS_TABLE_IN_CSV)
#define HS_TABLE_EXTRA  (HS_TABLE_IN_WIDE | HS_TABLE_IN_CSV)

struct hs_table_column {
    const char *title;        /* "HEAT $/MWh": $ becomes the currency; csv uses the key */
    const char *key;          /* path in an item: "reasons.0.text" */
    const char *fallback_key; /* nullable; shown as "~value" where key is absent */
    enum hs_render_kind kind;
    unsigned uses; /* of enum hs_table_use */
};

struct hs_table {
    const char *name_key;                  /* what -o name prints */
    const char *none;                      /* said on stderr when there is no row: "no jobs" */
    const struct hs_table_column *columns; /* [n_columns] */
    size_t n_columns;
};

/** The format given with -o, else table. A wrong one is said on stderr. */
enum hs_exit hs_table_get_format(const struct hs_args *args, enum hs_table_format *ret_format);

/**
 * Print the items of @answer, or @answer itself if it is one thing.
 *
 * @param items  what to show as rows, borrowed; NULL: the `items` of @answer
 */
void hs_table_print(const struct hs_table *table, enum hs_table_format format, const json_t *answer,
                    const json_t *items);

/** Print @json on stdout: indented, or as one line. */
void hs_table_print_json(const json_t *json, bool indents);

/** A list of one; owned by the caller. */
json_t *hs_table_wrap(const json_t *thing);

/** "key  value" lines of one thing; what is absent is left out. $ as in a title. */
void hs_table_print_thing(const struct hs_table *table, const json_t *thing, const char *currency);

/** The currency of @answer, else "cur". Borrowed from it or static. */
const char *hs_table_get_currency(const json_t *answer);

/** GET @path and print its items: the whole of a listing command. */
enum hs_exit hs_table_show(const struct hs_args *args, const char *path,
                           const struct hs_table *table);
