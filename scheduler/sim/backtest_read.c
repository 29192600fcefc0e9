/* SPDX-License-Identifier: Apache-2.0 */
/* backtest_read - heat, weather and origins from files; a mistake is named by its line. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/signal/csvtable.h"
#include "adapters/signal/filetext.h"
#include "adapters/signal/signal.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/backtest.h"

#define S_PER_HOUR     3600
#define HEAT_SCALE     1000.0  /* kW to W; a relative series is scaled alike: figures are ratios */
#define SLOTS_MAX      4000000 /* a century of quarter hours */
#define GAP_MAX_S      (INT64_C(1830) * HS_S_PER_DAY) /* five years: a mistyped stamp */
#define FIRST_ORIGIN_H 672                            /* 28 days */
#define ORIGIN_STEP_H  6
#define CHOSEN_MAX     60

/** A stamp of a table that hs_signal_load_with() has accepted, or that is checked here. */
static int parse_stamp(const struct hs_csvtable *table, size_t row, size_t column,
                       int64_t *ret_at_s, struct hs_err *err)
{
    const char *cell = hs_csvtable_get(table, row, column);
    char where[HS_FILETEXT_WHERE_MAX];

    if (strchr(cell, 'T') == NULL || hs_timetext_parse(cell, 0, ret_at_s, NULL) != 0) {
        hs_csvtable_format_where(table, row, where);
        return hs_err_set(err, HS_E_INVALID, where,
                          "'%.40s' is no time; write RFC 3339 like 2026-01-05T10:00:00Z", cell);
    }
    return 0;
}

/** Median distance of the stamps: an odd one cannot make the grid finer. */
static int64_t find_step_s(const int64_t *at_s, size_t n)
{
    HS_AUTO_MEM double *steps_s = hs_xcalloc(n, sizeof(*steps_s));

    for (size_t i = 0; i + 1 < n; i++) {
        steps_s[i] = (double)(at_s[i + 1] - at_s[i]);
    }
    hs_reals_sort(steps_s, n - 1);
    return (int64_t)steps_s[(n - 1) / 2];
}

/** Lay the stamps of @table, known to ascend, on a grid. */
static int lay_grid(const struct hs_csvtable *table, struct hs_backtest_data *data,
                    struct hs_err *err)
{
    HS_AUTO_MEM int64_t *at_s = hs_xcalloc(table->n_rows, sizeof(*at_s));
    char where[HS_FILETEXT_WHERE_MAX];

    for (size_t row = 0; row < table->n_rows; row++) {
        int rc = parse_stamp(table, row, 0, &at_s[row], err);

        if (rc != 0) {
            return rc;
        }
    }
    hs_csvtable_format_where(table, 0, where);
    if (table->n_rows < 2) {
        return hs_err_set(err, HS_E_INVALID, where, "one row is no series; two or more are wanted");
    }
    data->from_at_s = at_s[0];
    data->step_s = find_step_s(at_s, table->n_rows);
    if (S_PER_HOUR % data->step_s != 0
        && (HS_S_PER_DAY % data->step_s != 0 || data->step_s % S_PER_HOUR != 0)) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "the step of %lld s divides no hour; use one like 900 or 3600",
                          (long long)data->step_s);
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        int64_t slot_s = data->step_s < S_PER_HOUR ? data->step_s : S_PER_HOUR;

        hs_csvtable_format_where(table, row, where);
        if (at_s[row] < 0 || at_s[row] % slot_s != 0 || (at_s[row] - at_s[0]) % data->step_s != 0) {
            return hs_err_set(err, HS_E_INVALID, where,
                              "stamp '%.40s' is off the grid of %lld s; resample the series",
                              hs_csvtable_get(table, row, 0), (long long)data->step_s);
        }
        if (row > 0 && at_s[row] - at_s[row - 1] > GAP_MAX_S) {
            return hs_err_set(err, HS_E_INVALID, where,
                              "stamp '%.40s' is %lld days after the one above; correct it, or cut "
                              "the series there",
                              hs_csvtable_get(table, row, 0),
                              (long long)((at_s[row] - at_s[row - 1]) / HS_S_PER_DAY));
        }
        if ((at_s[row] - at_s[0]) / data->step_s >= SLOTS_MAX) {
            return hs_err_set(err, HS_E_INVALID, where, "stamp '%.40s' is %d slots after the first",
                              hs_csvtable_get(table, row, 0), SLOTS_MAX);
        }
    }
    data->n = (size_t)((at_s[table->n_rows - 1] - at_s[0]) / data->step_s) + 1;
    return 0;
}

/** One column of the file, not yet on the grid. */
static int load(const char *path, const char *column, const struct hs_signal_quantity *quantity,
                double scale, struct hs_signal_cache *cache, struct hs_series **ret_series,
                struct hs_err *err)
{
    struct hs_signal_spec spec = {.scale = scale};
    struct hs_signal_options options = {.base_dir = "", .quantity = quantity, .cache = cache};

    if (strlen(path) >= sizeof(spec.csv) || strlen(column) >= sizeof(spec.column)) {
        return hs_err_set(err, HS_E_INVALID, NULL, "'%.40s': the name is too long", path);
    }
    strcpy(spec.csv, path);
    strcpy(spec.column, column);
    return hs_signal_load_with(&spec, &options, ret_series, err);
}

/** The values that lie on slots; @stride of doubles from one slot to the next. */
static void put(const struct hs_backtest_data *data, const struct hs_series *series, double *ret,
                size_t stride)
{
    for (size_t i = 0; i < series->n; i++) {
        int64_t span_s = series->at_s[i] - data->from_at_s;

        if (span_s >= 0 && span_s % data->step_s == 0 && span_s / data->step_s < (int64_t)data->n) {
            ret[(size_t)(span_s / data->step_s) * stride] = series->values[i];
        }
    }
}

/** True if @column is there and says something: an empty one is weather that is not known. */
static bool has_values(const struct hs_csvtable *table, const char *column)
{
    size_t i;

    if (!hs_csvtable_has(table, column) || hs_csvtable_find(table, column, &i, NULL) != 0) {
        return false;
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        if (*hs_csvtable_get(table, row, i) != '\0') {
            return true;
        }
    }
    return false;
}

static int read_weather(struct hs_backtest_data *data, const struct hs_csvtable *table,
                        struct hs_signal_cache *cache, struct hs_err *err)
{
    const struct {
        const char *column;
        const struct hs_signal_quantity *quantity;
        double *to;
    } columns[] = {
        {"t_out_c", &hs_signal_outdoor, &data->weather[0].t_out_c},
        {"ghi_w_m2", &hs_signal_irradiance, &data->weather[0].ghi_w_per_m2},
        {"wind_m_s", &hs_signal_wind, &data->weather[0].wind_m_per_s},
    };

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        HS_AUTO(hs_series) series = NULL;

        if (has_values(table, columns[i].column)) {
            int rc =
                load(table->file, columns[i].column, columns[i].quantity, 1, cache, &series, err);

            if (rc != 0) {
                return rc;
            }
            put(data, series, columns[i].to, sizeof(struct hs_weather) / sizeof(double));
        }
    }
    return 0;
}

int hs_backtest_read(const char *path, const char *column, struct hs_backtest_data **ret_data,
                     struct hs_err *err)
{
    HS_AUTO(hs_backtest_data) data = hs_xcalloc(1, sizeof(*data));
    HS_AUTO(hs_csvtable) table = NULL;
    HS_AUTO(hs_signal_cache) cache = hs_signal_cache_new();
    HS_AUTO(hs_series) heat = NULL;
    size_t n;
    int rc = hs_csvtable_read(path, &table, err);

    if (rc != 0) {
        return rc;
    }
    if (column == NULL) {
        column = !hs_csvtable_has(table, "heat_kw") && hs_csvtable_has(table, "heat_rel")
                     ? "heat_rel"
                     : "heat_kw";
    }
    n = strlen(column);
    /* the port itself makes W of a column that ends _kw */
    rc = load(path, column, &hs_signal_heat,
              n >= 3 && strcmp(column + n - 3, "_kw") == 0 ? 1.0 : HEAT_SCALE, cache, &heat, err);
    if (rc == 0) {
        rc = lay_grid(table, data, err);
    }
    if (rc != 0) {
        return rc;
    }
    data->heat_w = hs_xcalloc(data->n, sizeof(*data->heat_w));
    data->weather = hs_xcalloc(data->n, sizeof(*data->weather));
    for (size_t i = 0; i < data->n; i++) {
        data->heat_w[i] = (double)NAN;
        data->weather[i] = HS_WEATHER_UNKNOWN;
    }
    put(data, heat, data->heat_w, 1);
    rc = read_weather(data, table, cache, err);
    if (rc == 0) {
        *ret_data = HS_STEAL(data);
    }
    return rc;
}

void hs_backtest_data_free(struct hs_backtest_data *data)
{
    if (data != NULL) {
        free(data->origins_h);
        hs_issuedcsv_free(data->issued);
        free(data->weather);
        free(data->heat_w);
        free(data);
    }
}

/* --- origins --- */

static int check_origin(const struct hs_backtest_data *data, const char *word, const char *where,
                        int64_t *ret_origin_h, struct hs_err *err)
{
    int64_t span_s = (int64_t)data->n * data->step_s;
    char *end = NULL;
    long long origin_h = strtoll(word, &end, 10);

    if (end == word || *end != '\0' || origin_h < 1 || origin_h > INT_MAX) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "'%.40s' is no origin; write whole hours of history, one a line", word);
    }
    if (origin_h * S_PER_HOUR > span_s) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "origin %lld is past the end: the series has %lld hours", origin_h,
                          (long long)(span_s / S_PER_HOUR));
    }
    if (origin_h * S_PER_HOUR % data->step_s != 0) {
        return hs_err_set(err, HS_E_INVALID, where, "origin %lld lies within a step of %lld s",
                          origin_h, (long long)data->step_s);
    }
    *ret_origin_h = origin_h;
    return 0;
}

static int compare_hours(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int hs_backtest_read_origins(struct hs_backtest_data *data, const char *path, struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    HS_VEC(int64_t) origins = {0};
    size_t n_bytes = 0;
    unsigned line_no = 0;
    int rc = hs_filetext_read(path, &text, &n_bytes, err);
    char *rest = text;
    char *line;

    while (rc == 0 && (line = strsep(&rest, "\n")) != NULL) {
        char where[HS_FILETEXT_WHERE_MAX];
        int64_t origin_h = 0;

        line_no++;
        line[strcspn(line, "#\r")] = '\0';
        line += strspn(line, " \t");
        for (size_t n = strlen(line); n > 0 && strchr(" \t", line[n - 1]) != NULL;) {
            line[--n] = '\0';
        }
        if (*line != '\0') {
            hs_filetext_format_where(path, line_no, where);
            rc = check_origin(data, line, where, &origin_h, err);
            HS_VEC_PUSH(&origins, origin_h);
        }
    }
    if (rc == 0 && origins.n == 0) {
        char where[HS_FILETEXT_WHERE_MAX];

        hs_filetext_format_where(path, 1, where);
        rc = hs_err_set(err, HS_E_INVALID, where,
                        "no origin; write whole hours of history, one a line");
    }
    if (rc != 0) {
        HS_VEC_FINI(&origins);
        return rc;
    }
    qsort(origins.items, origins.n, sizeof(*origins.items), compare_hours);
    data->origins_h = origins.items;
    for (size_t i = 0; i < origins.n; i++) {
        if (i == 0 || origins.items[i] != data->origins_h[data->n_origins - 1]) {
            data->origins_h[data->n_origins++] = origins.items[i];
        }
    }
    return 0;
}

int hs_backtest_choose_origins(struct hs_backtest_data *data, int64_t horizon_s, struct hs_err *err)
{
    int64_t hours = (int64_t)data->n * data->step_s / S_PER_HOUR;
    int64_t step_h =
        data->step_s > ORIGIN_STEP_H * S_PER_HOUR ? data->step_s / S_PER_HOUR : ORIGIN_STEP_H;
    int64_t first_h = hours >= 2 * FIRST_ORIGIN_H ? FIRST_ORIGIN_H : hours / 2;
    int64_t last_h = hours - horizon_s / S_PER_HOUR;
    size_t n, n_chosen;

    if (data->step_s > S_PER_HOUR) {
        first_h -= first_h % (data->step_s / S_PER_HOUR);
    }
    if (first_h < 1 || last_h < first_h) {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "the series of %lld hours is too short: half of it and the horizon are "
                          "wanted",
                          (long long)hours);
    }
    n = (size_t)((last_h - first_h) / step_h) + 1;
    n_chosen = n < CHOSEN_MAX ? n : CHOSEN_MAX;
    data->origins_h = hs_xcalloc(n_chosen, sizeof(*data->origins_h));
    data->n_origins = n_chosen;
    for (size_t i = 0; i < n_chosen; i++) {
        double at = n_chosen > 1 ? (double)i * (double)(n - 1) / (double)(n_chosen - 1) : 0;

        data->origins_h[i] = first_h + step_h * (int64_t)nearbyint(at);
    }
    return 0;
}
