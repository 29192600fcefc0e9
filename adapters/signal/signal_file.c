/* SPDX-License-Identifier: Apache-2.0 */
/* signal_file - CSV column to series. */
#include "adapters/signal/signal_file.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "adapters/signal/csvtable.h"
#include "adapters/signal/filetext.h"
#include "scheduler/base/mem.h"
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

/* --- the file --- */

struct hs_signal_cache {
    char *path; /* of the table; NULL: none yet */
    struct hs_csvtable *table;
    int64_t *at_s; /* [table->n_rows] its stamps, ascending */
};

struct hs_signal_cache *hs_signal_cache_new(void)
{
    return hs_xcalloc(1, sizeof(struct hs_signal_cache));
}

static void forget(struct hs_signal_cache *cache)
{
    free(cache->at_s);
    hs_csvtable_free(cache->table);
    free(cache->path);
    *cache = (struct hs_signal_cache){0};
}

void hs_signal_cache_free(struct hs_signal_cache *cache)
{
    if (cache != NULL) {
        forget(cache);
        free(cache);
    }
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

static int fail_order(const struct hs_csvtable *table, size_t row, bool is_same, struct hs_err *err)
{
    char where[64];

    hs_csvtable_format_where(table, row, where);
    return hs_err_set(err, HS_E_INVALID, where,
                      is_same ? "stamp '%.40s' comes twice; keep one row of it"
                              : "stamp '%.40s' is before the one above; rows go in time order",
                      hs_csvtable_get(table, row, 0));
}

/** Read @path into @cache, unless it is there already. */
static int open_table(struct hs_signal_cache *cache, const char *path, struct hs_err *err)
{
    int rc;

    if (cache->path != NULL && strcmp(cache->path, path) == 0) {
        return 0;
    }
    forget(cache);
    rc = hs_csvtable_read(path, &cache->table, err);
    if (rc == 0) {
        cache->path = hs_xstrdup(path);
    }
    return rc;
}

/** The stamps of the table, once; after its column was found, which is the likelier mistake. */
static int read_stamps(struct hs_signal_cache *cache, struct hs_err *err)
{
    const struct hs_csvtable *table = cache->table;
    HS_AUTO_MEM int64_t *at_s = NULL;

    if (cache->at_s != NULL) {
        return 0;
    }
    at_s = hs_xcalloc(table->n_rows, sizeof(*at_s));
    for (size_t row = 0; row < table->n_rows; row++) {
        int rc = read_stamp(table, row, &at_s[row], err);

        if (rc == 0 && row > 0 && at_s[row] <= at_s[row - 1]) {
            rc = fail_order(table, row, at_s[row] == at_s[row - 1], err);
        }
        if (rc != 0) {
            return rc;
        }
    }
    cache->at_s = HS_STEAL(at_s);
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

/** The column as a series, rows as they are. */
static int read_column(const struct hs_signal_cache *cache, size_t column,
                       const struct hs_signal_spec *spec, const struct hs_signal_quantity *quantity,
                       struct hs_series *series, struct hs_signal_odd *odd, struct hs_err *err)
{
    const struct hs_csvtable *table = cache->table;
    double scale = get_scale(spec);
    size_t n_known = 0;
    char where[64];

    for (size_t row = 0; row < table->n_rows; row++) {
        double value = NAN;
        int rc = hs_csvtable_get_number(table, row, column, &value, err);

        if (rc != 0) {
            return rc;
        }
        value *= scale;
        n_known += !isnan(value);
        if (is_odd(quantity, value) && odd->n++ == 0) {
            odd->value = value;
            hs_csvtable_format_where(table, row, odd->where);
        }
        hs_series_add(series, cache->at_s[row] + spec->shift_s,
                      is_odd(quantity, value) ? NAN : value);
    }
    if (n_known == 0) {
        hs_filetext_format_where(table->file, table->header_line, where);
        return hs_err_set(err, HS_E_INVALID, where,
                          "every cell of column '%s' is empty; name another", spec->column);
    }
    return check_odd(quantity, odd, n_known, err);
}

int hs_signal_file_read(const struct hs_signal_spec *spec, const char *path,
                        const struct hs_signal_options *options, struct hs_series **ret_series,
                        struct hs_err *err)
{
    HS_AUTO(hs_signal_cache) own = options->cache == NULL ? hs_signal_cache_new() : NULL;
    struct hs_signal_cache *cache = own != NULL ? own : options->cache;
    HS_AUTO(hs_series) series = hs_series_new();
    struct hs_signal_odd odd = {0};
    size_t column = 0;
    int rc = open_table(cache, path, err);

    rc = rc != 0 ? rc : hs_csvtable_find(cache->table, spec->column, &column, err);
    rc = rc != 0 ? rc : read_stamps(cache, err);
    rc = rc != 0 ? rc : read_column(cache, column, spec, options->quantity, series, &odd, err);
    if (rc != 0) {
        return rc;
    }
    *ret_series = mark_gaps(series);
    if (options->odd != NULL) {
        *options->odd = odd;
    }
    return 0;
}
