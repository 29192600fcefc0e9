/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * csvtable - a CSV text cut into cells in place: a header line, then rows of as many cells.
 *
 * Commas separate, empty lines are skipped, CR LF is accepted; there is no quoting (measured
 * data need none: a quote is an error that says so). At least one row is expected. Errors say
 * file:line.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_csvtable {
    char *text; /* owned; the cells point into it */
    char *file; /* owned; the path, for messages */
    unsigned header_line;
    const char **names; /* [n_columns + 1] NULL-terminated */
    size_t n_columns;
    const char **cells; /* [n_rows][n_columns] row-major, blanks trimmed */
    unsigned *lines;    /* [n_rows] line in the file, from 1 */
    size_t n_rows;
};

/**
 * Read and cut a file, plain or .gz.
 *
 * @param ret_table  owned by the caller on success
 * @return 0, -HS_E_NOTFOUND, -HS_E_SYSTEM, or -HS_E_INVALID with where = file:line
 */
int hs_csvtable_read(const char *path, struct hs_csvtable **ret_table, struct hs_err *err);

/** Column named @name. @return 0 or -HS_E_NOTFOUND naming the nearest, or those there are */
int hs_csvtable_find(const struct hs_csvtable *table, const char *name, size_t *ret_column,
                     struct hs_err *err);

/** Whether there is such a column, for those that may be left out. */
bool hs_csvtable_has(const struct hs_csvtable *table, const char *name);

/** The cell. Borrowed. */
const char *hs_csvtable_get(const struct hs_csvtable *table, size_t row, size_t column);

/**
 * The cell as a number; NAN for an empty cell.
 *
 * @return 0 or -HS_E_INVALID with where = file:line
 */
int hs_csvtable_get_number(const struct hs_csvtable *table, size_t row, size_t column,
                           double *ret_value, struct hs_err *err);

/** "file:line" of @row for messages. @param ret_where [64] */
void hs_csvtable_format_where(const struct hs_csvtable *table, size_t row, char *ret_where);

/** Accepts NULL. */
void hs_csvtable_free(struct hs_csvtable *table);
HS_DEFINE_AUTO(hs_csvtable);
