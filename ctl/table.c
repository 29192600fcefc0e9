/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libsmartcols/libsmartcols.h>

#include "ctl/client.h"
#include "ctl/say.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

static const char *const formats[] = {"table", "wide", "json", "jsonl", "csv", "name", NULL};

/** What catches the eye on a terminal: SGR colours by word. */
static const struct {
    const char *word;
    const char *color;
} colors[] = {
    {"failed", "red"},  {"down", "red"},   {"safe", "red"},       {"running", "green"},
    {"up", "green"},    {"done", "green"}, {"cancelled", "gray"}, {"over-temperature", "red"},
    {"unknown", "red"},
};

enum hs_exit hs_table_get_format(const struct hs_args *args, enum hs_table_format *ret_format)
{
    const char *word = hs_args_get(args, "output");
    const char *nearest = NULL;

    *ret_format = HS_TABLE_TABLE;
    if (word == NULL) {
        return HS_EXIT_OK;
    }
    for (size_t i = 0; formats[i] != NULL; i++) {
        if (strcmp(formats[i], word) == 0) {
            *ret_format = (enum hs_table_format)i;
            return HS_EXIT_OK;
        }
    }
    nearest = hs_conf_nearest(formats, word);
    hs_say_error("unknown format '%s'; %s%s%s", word, nearest != NULL ? "did you mean '" : "",
                 nearest != NULL ? nearest : "there are table, wide, json, jsonl, csv and name",
                 nearest != NULL ? "'?" : "");
    return HS_EXIT_USAGE;
}

const char *hs_table_get_currency(const json_t *answer)
{
    const char *currency = hs_render_find_text(answer, "currency");

    return currency != NULL ? currency : "cur";
}

void hs_table_print_json(const json_t *json, bool indents)
{
    HS_AUTO_MEM char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)
                                                  | (indents ? JSON_INDENT(2) : 0));

    if (text == NULL) {
        abort();
    }
    puts(text);
}

/** Put the currency in, and leave out what this locale cannot print. */
static char *table_title(const char *title, const char *currency)
{
    char *text = hs_xcalloc(strlen(title) + strlen(currency) + 1, 1);
    char *end = text;
    bool is_utf8 = hs_render_is_utf8();

    for (const char *c = title; *c != '\0'; c++) {
        if (*c == '$') {
            end = stpcpy(end, currency);
        } else if (is_utf8 || (unsigned char)*c < 0x80) {
            *end++ = *c;
        }
    }
    return text;
}

static char *table_cell(const struct hs_table_column *column, const json_t *item, int64_t ref_at_s)
{
    const json_t *value = hs_render_find(item, column->key);
    const json_t *fallback = NULL;
    HS_AUTO_MEM char *text = NULL;

    if (column->fallback_key != NULL
        && (value == NULL || (json_is_string(value) && json_string_length(value) == 0))) {
        fallback = hs_render_find(item, column->fallback_key);
    }
    if (fallback == NULL) {
        return hs_render_value(value, column->kind, ref_at_s);
    }
    text = hs_render_value(fallback, column->kind, ref_at_s);
    return strcmp(text, "-") == 0 ? HS_STEAL(text) : hs_say_format("~%s", text);
}

static bool table_is_right(enum hs_render_kind kind, const json_t *items, const char *key)
{
    switch (kind) {
    case HS_RENDER_KW:
    case HS_RENDER_KWH:
    case HS_RENDER_PERCENT:
    case HS_RENDER_CELSIUS:
    case HS_RENDER_PRICE:
    case HS_RENDER_MONEY:
    case HS_RENDER_MEMORY:
    case HS_RENDER_DURATION:
        return true;
    case HS_RENDER_TEXT:
    case HS_RENDER_AT:
    case HS_RENDER_YES:
        break;
    }
    return json_is_number(hs_render_find(json_array_get(items, 0), key));
}

static const char *table_color(const char *text)
{
    for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
        if (strcmp(colors[i].word, text) == 0) {
            return colors[i].color;
        }
    }
    return NULL;
}

static struct libscols_table *smartcols_new(bool is_terminal)
{
    struct libscols_table *out = scols_new_table();
    const char *no_color = getenv("NO_COLOR");

    if (out == NULL) {
        abort();
    }
    scols_table_set_column_separator(out, "  ");
    scols_table_set_termforce(out, is_terminal ? SCOLS_TERMFORCE_AUTO : SCOLS_TERMFORCE_NEVER);
    scols_table_enable_colors(out, is_terminal && (no_color == NULL || no_color[0] == '\0'));
    return out;
}

static void print_table(const struct hs_table *table, bool is_wide, const json_t *answer,
                        const json_t *items)
{
    bool is_terminal = isatty(STDOUT_FILENO) != 0;
    struct libscols_table *out = smartcols_new(is_terminal);
    unsigned uses = HS_TABLE_IN_TABLE | (is_wide ? HS_TABLE_IN_WIDE : 0U);
    int64_t ref_at_s = hs_render_find_now(answer);

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct hs_table_column *column = &table->columns[i];
        HS_AUTO_MEM char *title = table_title(column->title, hs_table_get_currency(answer));
        int flags = table_is_right(column->kind, items, column->key) ? SCOLS_FL_RIGHT : 0;

        if (is_terminal && !is_wide && (column->uses & HS_TABLE_CUTS) != 0) {
            flags |= SCOLS_FL_TRUNC;
        }
        if ((column->uses & uses) != 0) {
            scols_table_new_column(out, title, 0, flags);
        }
    }
    for (size_t row = 0; row < json_array_size(items); row++) {
        struct libscols_line *line = scols_table_new_line(out, NULL);
        size_t n = 0;

        for (size_t i = 0; i < table->n_columns; i++) {
            if ((table->columns[i].uses & uses) != 0) {
                HS_AUTO_MEM char *cell =
                    table_cell(&table->columns[i], json_array_get(items, row), ref_at_s);

                scols_line_set_data(line, n, cell);
                scols_cell_set_color(scols_line_get_cell(line, n), table_color(cell));
                n++;
            }
        }
    }
    scols_print_table(out);
    scols_unref_table(out);
}

/** RFC 4180: quoted where it must be; no locale, numbers as JSON has them. */
static void print_csv_value(const json_t *value)
{
    HS_AUTO_MEM char *dumped = NULL;
    HS_AUTO_MEM char *many = NULL;
    const char *text = json_string_value(value);

    if (json_is_array(value) || json_is_object(value)) {
        many = hs_render_value(value, HS_RENDER_TEXT, 0);
        text = strcmp(many, "-") == 0 ? "" : many;
    } else if (text == NULL && value != NULL && !json_is_null(value)) {
        dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
        text = dumped;
    }
    if (text == NULL || text[strcspn(text, "\",\r\n")] == '\0') {
        fputs(text != NULL ? text : "", stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            putchar('"');
        }
        putchar(*text);
    }
    putchar('"');
}

static void print_csv(const struct hs_table *table, const json_t *items)
{
    const char *separator = "";

    for (size_t i = 0; i < table->n_columns; i++) {
        if ((table->columns[i].uses & HS_TABLE_IN_CSV) != 0) {
            printf("%s%s", separator, table->columns[i].key);
            separator = ",";
        }
    }
    putchar('\n');
    for (size_t row = 0; row < json_array_size(items); row++) {
        separator = "";
        for (size_t i = 0; i < table->n_columns; i++) {
            if ((table->columns[i].uses & HS_TABLE_IN_CSV) != 0) {
                fputs(separator, stdout);
                print_csv_value(hs_render_find(json_array_get(items, row), table->columns[i].key));
                separator = ",";
            }
        }
        putchar('\n');
    }
}

static void print_names(const struct hs_table *table, const json_t *items)
{
    for (size_t row = 0; row < json_array_size(items); row++) {
        HS_AUTO_MEM char *name = hs_render_value(
            hs_render_find(json_array_get(items, row), table->name_key), HS_RENDER_TEXT, 0);

        puts(name);
    }
}

void hs_table_print(const struct hs_table *table, enum hs_table_format format, const json_t *answer,
                    const json_t *items)
{
    items = items != NULL ? items : json_object_get(answer, "items");
    switch (format) {
    case HS_TABLE_TABLE:
    case HS_TABLE_WIDE:
        if (json_array_size(items) > 0) {
            print_table(table, format == HS_TABLE_WIDE, answer, items);
        } else if (table->none != NULL) {
            hs_say_note("%s", table->none);
        }
        break;
    case HS_TABLE_JSON:
        hs_table_print_json(answer, true);
        break;
    case HS_TABLE_JSONL:
        for (size_t row = 0; row < json_array_size(items); row++) {
            hs_table_print_json(json_array_get(items, row), false);
        }
        break;
    case HS_TABLE_CSV:
        print_csv(table, items);
        break;
    case HS_TABLE_NAME:
        print_names(table, items);
        break;
    }
}

json_t *hs_table_wrap(const json_t *thing)
{
    json_t *items = hs_jsonx_array();

    hs_jsonx_add(items, json_incref((json_t *)thing)); /* only its count changes */
    return items;
}

void hs_table_print_thing(const struct hs_table *table, const json_t *thing, const char *currency)
{
    int64_t ref_at_s = hs_render_find_now(thing);
    int width = 0;

    for (size_t i = 0; i < table->n_columns; i++) {
        HS_AUTO_MEM char *title = table_title(table->columns[i].title, currency);
        int n = (int)strlen(title);

        width = n > width ? n : width;
    }
    for (size_t i = 0; i < table->n_columns; i++) {
        HS_AUTO_MEM char *title = table_title(table->columns[i].title, currency);
        HS_AUTO_MEM char *cell = table_cell(&table->columns[i], thing, ref_at_s);

        if (strcmp(cell, "-") != 0) {
            printf("%-*s  %s\n", width, title, cell);
        }
    }
}

enum hs_exit hs_table_show(const struct hs_args *args, const char *path,
                           const struct hs_table *table)
{
    json_auto_t *answer = NULL;
    enum hs_table_format format = HS_TABLE_TABLE;
    enum hs_exit status = hs_table_get_format(args, &format);

    if (status == HS_EXIT_OK) {
        status = hs_client_fetch(args, path, &answer);
    }
    if (status == HS_EXIT_OK) {
        hs_table_print(table, format, answer, NULL);
    }
    return status;
}
