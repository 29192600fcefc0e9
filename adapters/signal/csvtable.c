/* SPDX-License-Identifier: Apache-2.0 */
/* csvtable - one pass over the text; rows grow by doubling. */
#include "adapters/signal/csvtable.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"

#define CSVTABLE_COLUMNS_MAX 4096

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static void format_where(const char *file, unsigned line, char *ret_where)
{
    /* a long name is cut from its front: the line number is what must be seen */
    size_t n = strlen(file);

    snprintf(ret_where, 64, "%s:%u", n > 48 ? file + n - 48 : file, line);
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
    char *rest = line;

    while (rest != NULL) {
        char *cell = strsep(&rest, ",");

        if (n == n_max) {
            return n_max + 1;
        }
        cells[n++] = trim(cell);
    }
    return n;
}

static int read_header(struct hs_csvtable *table, char *line, unsigned line_no, struct hs_err *err)
{
    char where[64];

    table->names = hs_xcalloc(CSVTABLE_COLUMNS_MAX + 1, sizeof(*table->names));
    table->n_columns = cut_line(line, table->names, CSVTABLE_COLUMNS_MAX);
    if (table->n_columns > CSVTABLE_COLUMNS_MAX) {
        format_where(table->file, line_no, where);
        return hs_err_set(err, HS_E_INVALID, where, "more than %d columns", CSVTABLE_COLUMNS_MAX);
    }
    return 0;
}

static int read_row(struct hs_csvtable *table, char *line, unsigned line_no, size_t *n_max,
                    struct hs_err *err)
{
    char where[64];
    size_t n;

    if (table->n_rows == *n_max) {
        *n_max = *n_max > 0 ? *n_max * 2 : 256;
        table->cells = hs_xrealloc(table->cells, *n_max * table->n_columns, sizeof(*table->cells));
        table->lines = hs_xrealloc(table->lines, *n_max, sizeof(*table->lines));
    }
    format_where(table->file, line_no, where);
    if (strchr(line, '"') != NULL) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "quoted cells are not read; write plain comma-separated values");
    }
    n = cut_line(line, table->cells + table->n_rows * table->n_columns, table->n_columns);
    if (n != table->n_columns) {
        return hs_err_set(err, HS_E_INVALID, where, "the line has %s%zu cells, the header has %zu",
                          n > table->n_columns ? "over " : "",
                          n > table->n_columns ? table->n_columns : n, table->n_columns);
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

    table->file = hs_xstrdup(last_part(path));
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
        return hs_err_set(err, HS_E_INVALID, table->file,
                          "the file is empty; a header line with column names is expected");
    }
    *ret_table = HS_STEAL(table);
    return 0;
}

int hs_csvtable_find(const struct hs_csvtable *table, const char *name, size_t *ret_column,
                     struct hs_err *err)
{
    const char *nearest;

    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->names[i], name) == 0) {
            *ret_column = i;
            return 0;
        }
    }
    nearest = hs_conf_nearest(table->names, name);
    return hs_err_set(err, HS_E_NOTFOUND, table->file, "no column '%s'; the nearest is '%s'", name,
                      nearest != NULL ? nearest : table->names[table->n_columns - 1]);
}

const char *hs_csvtable_get(const struct hs_csvtable *table, size_t row, size_t column)
{
    return table->cells[row * table->n_columns + column];
}

int hs_csvtable_get_number(const struct hs_csvtable *table, size_t row, size_t column,
                           double *ret_value, struct hs_err *err)
{
    const char *cell = hs_csvtable_get(table, row, column);
    char where[64];
    char *end = NULL;
    double value;

    if (*cell == '\0') {
        *ret_value = NAN;
        return 0;
    }
    value = strtod(cell, &end);
    if (end == cell || *end != '\0' || !isfinite(value)) {
        hs_csvtable_format_where(table, row, where);
        return hs_err_set(err, HS_E_INVALID, where,
                          "'%s' in column '%s' is no number; write one like 21.5 or leave it empty",
                          cell, table->names[column]);
    }
    *ret_value = value;
    return 0;
}

void hs_csvtable_format_where(const struct hs_csvtable *table, size_t row, char *ret_where)
{
    format_where(table->file, table->lines[row], ret_where);
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
