/* SPDX-License-Identifier: Apache-2.0 */
/* csvtable - one pass over the text; rows grow by doubling. */
#include "adapters/signal/csvtable.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"

#define CSVTABLE_COLUMNS_MAX 4096
#define CSVTABLE_NAMED_MAX   96 /* bytes of column names in a message */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static char *trim(char *cell)
{
    size_t n;

    cell += strspn(cell, " \t");
    n = strlen(cell);
    while (n > 0 && strchr(" \t\r", cell[n - 1]) != NULL) {
        cell[--n] = '\0';
    }
    return cell;
}

/** Cut @line at its commas into @cells [n_max]; @return cells found, n_max + 1 if more. */
static size_t cut_line(char *line, const char **cells, size_t n_max)
{
    size_t n = 0;
    char *cell = line;

    for (;;) {
        char *comma = strchr(cell, ',');

        if (n == n_max) {
            return n_max + 1;
        }
        if (comma == NULL) {
            cells[n++] = trim(cell);
            return n;
        }
        *comma = '\0';
        /* most cells have no blanks round them: years of many columns are cut here */
        cells[n++] = is_blank(cell[0]) || (comma > cell && is_blank(comma[-1])) ? trim(cell) : cell;
        cell = comma + 1;
    }
}

static int fail_line(const struct hs_csvtable *table, unsigned line_no, struct hs_err *err,
                     const char *text)
{
    char where[HS_FILETEXT_WHERE_MAX];

    hs_filetext_format_where(table->file, line_no, where);
    return hs_err_set(err, HS_E_INVALID, where, "%s", text);
}

/** What no cell may hold, header or row. */
static int check_line(const struct hs_csvtable *table, const char *line, unsigned line_no,
                      struct hs_err *err)
{
    if (strchr(line, '"') != NULL) {
        return fail_line(table, line_no, err,
                         "quoted cells are not read; write plain comma-separated values");
    }
    if (strchr(line, '\r') != NULL) {
        return fail_line(table, line_no, err,
                         "lines end in CR alone; save the file with LF or CR LF");
    }
    return 0;
}

static int read_header(struct hs_csvtable *table, char *line, unsigned line_no, struct hs_err *err)
{
    int rc = check_line(table, line, line_no, err);

    if (rc != 0) {
        return rc;
    }
    table->header_line = line_no;
    table->names = hs_xcalloc(CSVTABLE_COLUMNS_MAX + 1, sizeof(*table->names));
    table->n_columns = cut_line(line, table->names, CSVTABLE_COLUMNS_MAX);
    if (table->n_columns > CSVTABLE_COLUMNS_MAX) {
        table->n_columns = 0;
        return fail_line(table, line_no, err, "the header has more than 4096 columns");
    }
    table->names = hs_xrealloc(table->names, table->n_columns + 1, sizeof(*table->names));
    table->names[table->n_columns] = NULL;
    return 0;
}

static int fail_count(const struct hs_csvtable *table, size_t n, unsigned line_no,
                      struct hs_err *err)
{
    char where[HS_FILETEXT_WHERE_MAX];

    hs_filetext_format_where(table->file, line_no, where);
    if (n < table->n_columns) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "the line has %zu of the header's %zu cells; leave a cell empty, but "
                          "write its comma",
                          n, table->n_columns);
    }
    return hs_err_set(err, HS_E_INVALID, where,
                      "the line has more cells than the header's %zu; a comma separates cells, "
                      "a point marks decimals",
                      table->n_columns);
}

static int read_row(struct hs_csvtable *table, char *line, unsigned line_no, size_t *n_max,
                    struct hs_err *err)
{
    int rc = check_line(table, line, line_no, err);
    size_t n;

    if (rc != 0) {
        return rc;
    }
    if (table->n_rows == *n_max) {
        *n_max = *n_max > 0 ? *n_max * 2 : 256;
        table->cells = hs_xrealloc(table->cells, *n_max * table->n_columns, sizeof(*table->cells));
        table->lines = hs_xrealloc(table->lines, *n_max, sizeof(*table->lines));
    }
    n = cut_line(line, table->cells + table->n_rows * table->n_columns, table->n_columns);
    if (n != table->n_columns) {
        return fail_count(table, n, line_no, err);
    }
    table->lines[table->n_rows++] = line_no;
    return 0;
}

int hs_csvtable_read(const char *path, struct hs_csvtable **ret_table, struct hs_err *err)
{
    HS_AUTO(hs_csvtable) table = hs_xcalloc(1, sizeof(*table));
    size_t n_bytes = 0, n_max = 0;
    unsigned line_no = 0;
    char *rest;
    int rc;

    table->file = hs_xstrdup(path);
    rc = hs_filetext_read(path, &table->text, &n_bytes, err);
    if (rc != 0) {
        return rc;
    }
    rest = table->text;
    while (rest != NULL) {
        char *line = trim(strsep(&rest, "\n"));

        line_no++;
        if (*line == '\0') {
            continue;
        }
        rc = table->names == NULL ? read_header(table, line, line_no, err)
                                  : read_row(table, line, line_no, &n_max, err);
        if (rc != 0) {
            return rc;
        }
    }
    if (table->names == NULL) {
        return fail_line(table, 1, err,
                         "the file is empty; a header with column names is expected");
    }
    if (table->n_rows == 0) {
        return fail_line(table, table->header_line, err,
                         "no row follows the header; at least one is expected");
    }
    *ret_table = HS_STEAL(table);
    return 0;
}

static int fail_column(const struct hs_csvtable *table, const char *name, struct hs_err *err)
{
    const char *nearest = hs_conf_nearest(table->names, name);
    char where[HS_FILETEXT_WHERE_MAX], names[CSVTABLE_NAMED_MAX] = "";
    size_t n = 0;

    hs_filetext_format_where(table->file, table->header_line, where);
    if (nearest != NULL) {
        return hs_err_set(err, HS_E_NOTFOUND, where, "no column '%s'; the nearest is '%s'", name,
                          nearest);
    }
    if (table->n_columns == 1 && strpbrk(table->names[0], ";\t") != NULL) {
        return hs_err_set(err, HS_E_NOTFOUND, where,
                          "no column '%s'; cells are separated by commas, not by ';' or tabs",
                          name);
    }
    for (size_t i = 0; i < table->n_columns && n < sizeof(names); i++) {
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i > 0 ? ", " : "",
                              table->names[i]);
    }
    return hs_err_set(err, HS_E_NOTFOUND, where, "no column '%s'; there are %s%s", name, names,
                      n >= sizeof(names) ? "…" : "");
}

int hs_csvtable_find(const struct hs_csvtable *table, const char *name, size_t *ret_column,
                     struct hs_err *err)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->names[i], name) == 0) {
            if (found != SIZE_MAX) {
                char where[HS_FILETEXT_WHERE_MAX];

                hs_filetext_format_where(table->file, table->header_line, where);
                return hs_err_set(err, HS_E_INVALID, where,
                                  "two columns are named '%s'; give each a name of its own", name);
            }
            found = i;
        }
    }
    if (found == SIZE_MAX) {
        return fail_column(table, name, err);
    }
    *ret_column = found;
    return 0;
}

bool hs_csvtable_has(const struct hs_csvtable *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

const char *hs_csvtable_get(const struct hs_csvtable *table, size_t row, size_t column)
{
    return table->cells[row * table->n_columns + column];
}

int hs_csvtable_get_number(const struct hs_csvtable *table, size_t row, size_t column,
                           double *ret_value, struct hs_err *err)
{
    const char *cell = hs_csvtable_get(table, row, column);
    char where[HS_FILETEXT_WHERE_MAX];
    char *end = NULL;
    double value;

    if (*cell == '\0') {
        *ret_value = NAN;
        return 0;
    }
    value = strtod(cell, &end);
    /* strtod() also takes nan, inf and 0x10, which no export means as a figure */
    if (end == cell || *end != '\0' || !isfinite(value)
        || cell[strspn(cell, "0123456789+-.eE")] != '\0') {
        hs_csvtable_format_where(table, row, where);
        return hs_err_set(err, HS_E_INVALID, where,
                          "'%.40s' in column '%.40s' is no number; write one like 21.5, or leave "
                          "the cell empty where it is unknown",
                          cell, table->names[column]);
    }
    *ret_value = value;
    return 0;
}

void hs_csvtable_format_where(const struct hs_csvtable *table, size_t row, char *ret_where)
{
    hs_filetext_format_where(table->file, table->lines[row], ret_where);
}

void hs_csvtable_free(struct hs_csvtable *table)
{
    if (table == NULL) {
        return;
    }
    free(table->lines);
    free(table->cells);
    free(table->names);
    free(table->file);
    free(table->text);
    free(table);
}
