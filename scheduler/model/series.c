/* SPDX-License-Identifier: Apache-2.0 */
/* series - look-ups by bisection over ascending stamps. */
#include "scheduler/model/series.h"

#include <assert.h>
#include <math.h>

#include "scheduler/base/mem.h"

#define SERIES_DAYS_BACK 7
#define SERIES_DAY_S     INT64_C(86400)

struct hs_series *hs_series_new(void)
{
    return hs_xcalloc(1, sizeof(struct hs_series));
}

void hs_series_add(struct hs_series *series, int64_t at_s, double value)
{
    size_t n = series->n;

    assert(n == 0 || at_s >= series->at_s[n - 1]);
    if ((n & (n - 1)) == 0) { /* full at every power of two */
        size_t n_max = n > 0 ? 2 * n : 1;

        series->at_s = hs_xrealloc(series->at_s, n_max, sizeof(*series->at_s));
        series->values = hs_xrealloc(series->values, n_max, sizeof(*series->values));
    }
    series->at_s[n] = at_s;
    series->values[n] = value;
    series->n = n + 1;
}

/* How many stamps lie at or before @at_s. */
static size_t count_until(const struct hs_series *series, int64_t at_s)
{
    size_t low = 0, high = series->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (series->at_s[middle] <= at_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

double hs_series_get_held(const struct hs_series *series, int64_t at_s)
{
    for (size_t i = count_until(series, at_s); i > 0; i--) {
        if (!isnan(series->values[i - 1])) {
            return series->values[i - 1];
        }
    }
    return NAN;
}

double hs_series_get_mean(const struct hs_series *series, int64_t from_at_s, int64_t to_at_s)
{
    double held = hs_series_get_held(series, from_at_s);
    double sum = 0;
    double known_s = 0;
    int64_t at_s = from_at_s;

    if (to_at_s <= from_at_s) {
        return held;
    }
    for (size_t i = count_until(series, from_at_s); at_s < to_at_s; i++) {
        int64_t next_at_s = i < series->n && series->at_s[i] < to_at_s ? series->at_s[i] : to_at_s;

        if (!isnan(held)) {
            sum += held * (double)(next_at_s - at_s);
            known_s += (double)(next_at_s - at_s);
        }
        at_s = next_at_s;
        if (i < series->n && !isnan(series->values[i])) {
            held = series->values[i];
        }
    }
    return known_s > 0 ? sum / known_s : NAN;
}

bool hs_series_is_known(const struct hs_series *series, int64_t at_s)
{
    size_t n = count_until(series, at_s);

    return n > 0 && !isnan(series->values[n - 1])
           && (series->step_s <= 0 || at_s - series->at_s[n - 1] < series->step_s);
}

double hs_series_get_expected(const struct hs_series *series, int64_t at_s)
{
    for (int day = 0; day <= SERIES_DAYS_BACK; day++) {
        int64_t then_at_s = at_s - day * SERIES_DAY_S;

        if (hs_series_is_known(series, then_at_s)) {
            return hs_series_get_held(series, then_at_s);
        }
    }
    return hs_series_get_held(series, at_s);
}

/* Until when the value of row @i was measured. */
static int64_t get_end_at_s(const struct hs_series *series, size_t i)
{
    int64_t next_at_s = i + 1 < series->n ? series->at_s[i + 1] : INT64_MAX;

    if (isnan(series->values[i])) {
        return series->at_s[i];
    }
    return series->step_s > 0 && series->at_s[i] + series->step_s < next_at_s
               ? series->at_s[i] + series->step_s
               : next_at_s;
}

double hs_series_get_known_ratio(const struct hs_series *series, int64_t from_at_s, int64_t to_at_s)
{
    size_t first = count_until(series, from_at_s);
    int64_t known_s = 0;

    for (size_t i = first > 0 ? first - 1 : 0; i < series->n && series->at_s[i] < to_at_s; i++) {
        int64_t begin_at_s = series->at_s[i] > from_at_s ? series->at_s[i] : from_at_s;
        int64_t end_at_s = get_end_at_s(series, i);

        end_at_s = end_at_s < to_at_s ? end_at_s : to_at_s;
        known_s += end_at_s > begin_at_s ? end_at_s - begin_at_s : 0;
    }
    return to_at_s > from_at_s ? (double)known_s / (double)(to_at_s - from_at_s) : 0.0;
}

void hs_series_free(struct hs_series *series)
{
    if (series != NULL) {
        free(series->values);
        free(series->at_s);
        free(series);
    }
}
