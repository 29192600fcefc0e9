/* SPDX-License-Identifier: Apache-2.0 */
/* signal_file - CSV column to series. */
#include "adapters/signal/signal_file.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "adapters/signal/csvtable.h"
#include "adapters/signal/filetext.h"
#include "scheduler/base/timetext.h"

#define SIGNAL_FILE_W_PER_KW  1000.0
#define SIGNAL_FILE_NEAR      4  /* distances looked at on either side of one */
#define SIGNAL_FILE_ODD_SHARE 10 /* one value in so many may be odd */

static double get_scale(const struct hs_signal_spec *spec)
{
    size_t n = strlen(spec->column);
    bool is_kw = n >= 3 && strcmp(spec->column + n - 3, "_kw") == 0;

    return is_kw ? SIGNAL_FILE_W_PER_KW * spec->scale : spec->scale;
}

static int read_stamp(const struct hs_csvtable *table, size_t row, int64_t *ret_at_s,
                      struct hs_err *err)
{
    const char *cell = hs_csvtable_get(table, row, 0);
    char where[64];

    /* relative times are for people; a stamp that counts from now is a mistake in data */
    if (strchr(cell, 'T') == NULL || hs_timetext_parse(cell, 0, ret_at_s, NULL) != 0) {
        hs_csvtable_format_where(table, row, where);
        return hs_err_set(err, HS_E_INVALID, where,
                          "'%.40s' is no time; write RFC 3339 like 2026-01-05T10:00:00Z", cell);
    }
    return 0;
}

/* --- gaps --- */

static void sort_steps(int64_t *steps, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int64_t step_s = steps[i];
        size_t at = i;

        for (; at > 0 && steps[at - 1] > step_s; at--) {
            steps[at] = steps[at - 1];
        }
        steps[at] = step_s;
    }
}

/**
 * The usual distance of stamps round row @i: the median of those near it. Markets have gone from
 * hours to quarters of an hour within a file, so the whole file's is not asked.
 */
static int64_t find_usual_s(const struct hs_series *series, size_t i)
{
    size_t from = i > SIGNAL_FILE_NEAR ? i - SIGNAL_FILE_NEAR : 0;
    size_t to = i + SIGNAL_FILE_NEAR + 1;
    int64_t steps[2 * SIGNAL_FILE_NEAR + 1];
    size_t n = 0;

    to = to < series->n - 1 ? to : series->n - 1;
    for (size_t k = from; k < to; k++) {
        steps[n++] = series->at_s[k + 1] - series->at_s[k];
    }
    sort_steps(steps, n);
    return n > 0 ? steps[(n - 1) / 2] : 0;
}

/** @series with an unknown value where rows are missing. Owned by the caller. */
static struct hs_series *mark_gaps(const struct hs_series *series)
{
    struct hs_series *marked = hs_series_new();
    int64_t usual_s = 0;

    for (size_t i = 0; i < series->n; i++) {
        int64_t step_s = i + 1 < series->n ? series->at_s[i + 1] - series->at_s[i] : 0;

        usual_s = step_s != usual_s ? find_usual_s(series, i) : usual_s;
        hs_series_add(marked, series->at_s[i], series->values[i]);
        if (2 * step_s > 3 * usual_s && !isnan(series->values[i])) {
            hs_series_add(marked, series->at_s[i] + usual_s, NAN);
        }
        /* how long the last value holds; the longest, where the step changes within the file */
        marked->step_s = usual_s > marked->step_s ? usual_s : marked->step_s;
    }
    return marked;
}

/* --- values --- */

static bool is_odd(const struct hs_signal_quantity *quantity, double value)
{
    return quantity != NULL && (value < quantity->min || value > quantity->max);
}

static int check_odd(const struct hs_signal_quantity *quantity, const struct hs_signal_odd *odd,
                     size_t n_known, struct hs_err *err)
{
    if (odd->n * SIGNAL_FILE_ODD_SHARE <= n_known) {
        return 0;
    }
    return hs_err_set(err, HS_E_INVALID, odd->where,
                      "%g %s is no %s, which is %g to %g, nor are %zu more of %zu values; check "
                      "column, unit and scale",
                      odd->value, quantity->unit, quantity->name, quantity->min, quantity->max,
                      odd->n - 1, n_known);
}

/** Add the row to @series; @at_s must be after the one before. */
static int add_row(const struct hs_csvtable *table, size_t row, const struct hs_signal_spec *spec,
                   struct hs_series *series, struct hs_err *err)
{
    const char *cell = hs_csvtable_get(table, row, 0);
    int64_t at_s = 0;
    char where[64];
    int rc = read_stamp(table, row, &at_s, err);

    if (rc != 0) {
        return rc;
    }
    at_s += spec->shift_s;
    if (series->n > 0 && at_s <= series->at_s[series->n - 1]) {
        hs_csvtable_format_where(table, row, where);
        return at_s == series->at_s[series->n - 1]
                   ? hs_err_set(err, HS_E_INVALID, where,
                                "stamp '%.40s' comes twice; keep one row of it", cell)
                   : hs_err_set(err, HS_E_INVALID, where,
                                "stamp '%.40s' is before the one above; rows go in time order",
                                cell);
    }
    hs_series_add(series, at_s, NAN);
    return 0;
}

static int read_rows(const struct hs_csvtable *table, const struct hs_signal_spec *spec,
                     const struct hs_signal_quantity *quantity, struct hs_series *series,
                     struct hs_signal_odd *odd, struct hs_err *err)
{
    double scale = get_scale(spec);
    size_t column = 0, n_known = 0;
    int rc = hs_csvtable_find(table, spec->column, &column, err);

    for (size_t row = 0; rc == 0 && row < table->n_rows; row++) {
        double value = NAN;

        rc = add_row(table, row, spec, series, err);
        rc = rc != 0 ? rc : hs_csvtable_get_number(table, row, column, &value, err);
        if (rc != 0 || isnan(value)) {
            continue;
        }
        value *= scale;
        n_known++;
        if (!is_odd(quantity, value)) {
            series->values[row] = value;
        } else if (odd->n++ == 0) {
            odd->value = value;
            hs_csvtable_format_where(table, row, odd->where);
        }
    }
    if (rc == 0 && n_known == 0) {
        char where[64];

        hs_filetext_format_where(table->file, table->header_line, where);
        rc = hs_err_set(err, HS_E_INVALID, where,
                        "every cell of column '%s' is empty; name another", spec->column);
    }
    return rc != 0 ? rc : check_odd(quantity, odd, n_known, err);
}

int hs_signal_file_read(const struct hs_signal_spec *spec, const char *path,
                        const struct hs_signal_quantity *quantity, struct hs_series **ret_series,
                        struct hs_signal_odd *ret_odd, struct hs_err *err)
{
    HS_AUTO(hs_csvtable) table = NULL;
    HS_AUTO(hs_series) series = hs_series_new();
    struct hs_signal_odd odd = {0};
    int rc = hs_csvtable_read(path, &table, err);

    rc = rc != 0 ? rc : read_rows(table, spec, quantity, series, &odd, err);
    if (rc != 0) {
        return rc;
    }
    *ret_series = mark_gaps(series);
    *ret_odd = odd;
    return 0;
}
