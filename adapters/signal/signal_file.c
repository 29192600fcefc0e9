/* SPDX-License-Identifier: Apache-2.0 */
/* signal_file - CSV column to series. */
#include "adapters/signal/signal_file.h"

#include <string.h>

#include "adapters/signal/csvtable.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define SIGNAL_FILE_W_PER_KW 1000.0

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
                          "'%s' is no time; write RFC 3339 like 2026-01-05T10:00:00Z", cell);
    }
    return 0;
}

static int compare_steps(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/** Median distance of the stamps: gaps are few, so it is the usual one. */
static int64_t find_step_s(const struct hs_series *series)
{
    HS_AUTO_MEM int64_t *steps = NULL;

    if (series->n < 2) {
        return 0;
    }
    steps = hs_xcalloc(series->n - 1, sizeof(*steps));
    for (size_t i = 0; i + 1 < series->n; i++) {
        steps[i] = series->at_s[i + 1] - series->at_s[i];
    }
    qsort(steps, series->n - 1, sizeof(*steps), compare_steps);
    return steps[(series->n - 1) / 2];
}

int hs_signal_file_read(const struct hs_signal_spec *spec, const char *path,
                        struct hs_series **ret_series, struct hs_err *err)
{
    HS_AUTO(hs_csvtable) table = NULL;
    HS_AUTO(hs_series) series = hs_series_new();
    double scale = get_scale(spec);
    size_t column = 0;
    int rc = hs_csvtable_read(path, &table, err);

    if (rc == 0) {
        rc = hs_csvtable_find(table, spec->column, &column, err);
    }
    for (size_t row = 0; rc == 0 && row < table->n_rows; row++) {
        int64_t at_s = 0;
        double value = 0;

        rc = read_stamp(table, row, &at_s, err);
        at_s += spec->shift_s;
        if (rc == 0 && series->n > 0 && at_s <= series->at_s[series->n - 1]) {
            char where[64];

            hs_csvtable_format_where(table, row, where);
            rc = hs_err_set(err, HS_E_INVALID, where,
                            "stamp '%s' is not after the one before; rows go in time order",
                            hs_csvtable_get(table, row, 0));
        }
        if (rc == 0) {
            rc = hs_csvtable_get_number(table, row, column, &value, err);
        }
        if (rc == 0) {
            hs_series_add(series, at_s, value * scale);
        }
    }
    if (rc != 0) {
        return rc;
    }
    series->step_s = find_step_s(series);
    *ret_series = HS_STEAL(series);
    return 0;
}
