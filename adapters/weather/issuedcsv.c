/* SPDX-License-Identifier: Apache-2.0 */
/* issuedcsv - rows to outlooks, one pass. */
#include "adapters/weather/issuedcsv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/signal/csvtable.h"
#include "adapters/weather/weathervalue.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define HOUR_S    3600
#define NO_COLUMN SIZE_MAX

struct hs_issuedcsv {
    struct hs_outlook *outlooks; /* [n] issued_at_s ascending */
    size_t n;
};

struct columns {
    size_t issue;
    size_t lead_h;
    size_t valid;
    size_t t_out_c;
    size_t ghi_w_per_m2; /* NO_COLUMN if absent, as is the next */
    size_t wind_m_per_s;
};

static int find_optional(const struct hs_csvtable *table, const char *name, size_t *ret_column,
                         struct hs_err *err)
{
    *ret_column = NO_COLUMN;
    return hs_csvtable_has(table, name) ? hs_csvtable_find(table, name, ret_column, err) : 0;
}

static int find_columns(const struct hs_csvtable *table, struct columns *ret_columns,
                        struct hs_err *err)
{
    int rc = hs_csvtable_find(table, "issue_utc", &ret_columns->issue, err);

    rc = rc != 0 ? rc : hs_csvtable_find(table, "lead_h", &ret_columns->lead_h, err);
    rc = rc != 0 ? rc : hs_csvtable_find(table, "valid_start_utc", &ret_columns->valid, err);
    rc = rc != 0 ? rc : hs_csvtable_find(table, "t_out_c_fc", &ret_columns->t_out_c, err);
    rc = rc != 0 ? rc : find_optional(table, "ghi_w_m2_fc", &ret_columns->ghi_w_per_m2, err);
    return rc != 0 ? rc : find_optional(table, "wind_m_s_fc", &ret_columns->wind_m_per_s, err);
}

static int read_stamp(const struct hs_csvtable *table, size_t row, size_t column, int64_t *ret_at_s,
                      struct hs_err *err)
{
    const char *cell = hs_csvtable_get(table, row, column);
    char where[64];

    if (strchr(cell, 'T') == NULL || hs_timetext_parse(cell, 0, ret_at_s, NULL) != 0) {
        hs_csvtable_format_where(table, row, where);
        return hs_err_set(err, HS_E_INVALID, where,
                          "'%.40s' in column '%.40s' is no time; write RFC 3339 like "
                          "2026-01-05T10:00:00Z",
                          cell, table->names[column]);
    }
    return 0;
}

static int read_number(const struct hs_csvtable *table, size_t row, size_t column,
                       double *ret_value, struct hs_err *err)
{
    *ret_value = NAN;
    return column != NO_COLUMN ? hs_csvtable_get_number(table, row, column, ret_value, err) : 0;
}

/** One row of the file. */
struct issued_row {
    int64_t issued_at_s;
    int64_t valid_at_s;
    double lead_h;
    struct hs_weather weather;
};

static int read_row(const struct hs_csvtable *table, const struct columns *columns, size_t row,
                    struct issued_row *ret_row, struct hs_err *err)
{
    struct hs_weather *weather = &ret_row->weather;
    int rc = read_stamp(table, row, columns->issue, &ret_row->issued_at_s, err);

    rc = rc != 0 ? rc : read_stamp(table, row, columns->valid, &ret_row->valid_at_s, err);
    rc = rc != 0 ? rc : read_number(table, row, columns->lead_h, &ret_row->lead_h, err);
    rc = rc != 0 ? rc : read_number(table, row, columns->t_out_c, &weather->t_out_c, err);
    rc = rc != 0 ? rc : read_number(table, row, columns->ghi_w_per_m2, &weather->ghi_w_per_m2, err);
    rc = rc != 0 ? rc : read_number(table, row, columns->wind_m_per_s, &weather->wind_m_per_s, err);
    weather->t_out_c = hs_weathervalue_check_t_c(weather->t_out_c);
    weather->ghi_w_per_m2 = hs_weathervalue_check_ghi(weather->ghi_w_per_m2);
    weather->wind_m_per_s = hs_weathervalue_check_wind(weather->wind_m_per_s);
    return rc;
}

/** Refuse what would put a figure in the wrong hour. */
static int check_row(const struct hs_csvtable *table, size_t row, const struct issued_row *seen,
                     const struct hs_outlook *last, struct hs_err *err)
{
    int64_t lead_s = (int64_t)(seen->lead_h * HOUR_S);
    int64_t off_s = seen->valid_at_s - (seen->issued_at_s + lead_s - HOUR_S);
    bool is_same = last != NULL && last->issued_at_s == seen->issued_at_s;
    char where[64];

    hs_csvtable_format_where(table, row, where);
    if (seen->valid_at_s % HOUR_S != 0) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "valid_start_utc is not at the full hour; rows are means of hours");
    }
    if (!(seen->lead_h >= 1) || off_s <= -HOUR_S || off_s >= HOUR_S) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "lead_h %g does not fit; 1 is the hour in which the forecast is issued",
                          seen->lead_h);
    }
    if (last != NULL && seen->issued_at_s < last->issued_at_s) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "issue_utc is before the one above; rows go in order of issue");
    }
    if (is_same && seen->valid_at_s < last->from_at_s + (int64_t)last->n_hours * HOUR_S) {
        return hs_err_set(err, HS_E_INVALID, where,
                          "this hour of the same issue was there before; hours go in time order");
    }
    return 0;
}

/** Append to the outlook; missing hours between are unknown, those too far ahead are left out. */
static void add_hour(struct hs_outlook *outlook, const struct issued_row *row)
{
    int64_t i = (row->valid_at_s - outlook->from_at_s) / HOUR_S;

    if (i < HS_OUTLOOK_HOURS) {
        while ((int64_t)outlook->n_hours < i) {
            outlook->hours[outlook->n_hours++] = HS_WEATHER_UNKNOWN;
        }
        outlook->hours[outlook->n_hours++] = row->weather;
    }
}

static void add_row(struct hs_issuedcsv *issued, size_t *n_max, const struct issued_row *row)
{
    if (issued->n == 0 || issued->outlooks[issued->n - 1].issued_at_s != row->issued_at_s) {
        if (issued->n == *n_max) {
            *n_max = *n_max > 0 ? *n_max * 2 : 16;
            issued->outlooks = hs_xrealloc(issued->outlooks, *n_max, sizeof(*issued->outlooks));
        }
        issued->outlooks[issued->n++] =
            (struct hs_outlook){.issued_at_s = row->issued_at_s, .from_at_s = row->valid_at_s};
    }
    add_hour(&issued->outlooks[issued->n - 1], row);
}

int hs_issuedcsv_read(const char *path, struct hs_issuedcsv **ret_issued, struct hs_err *err)
{
    HS_AUTO(hs_issuedcsv) issued = hs_xcalloc(1, sizeof(*issued));
    HS_AUTO(hs_csvtable) table = NULL;
    struct columns columns;
    size_t n_max = 0;
    int rc = hs_csvtable_read(path, &table, err);

    rc = rc != 0 ? rc : find_columns(table, &columns, err);
    if (rc != 0) {
        return rc;
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        const struct hs_outlook *last = issued->n > 0 ? &issued->outlooks[issued->n - 1] : NULL;
        struct issued_row seen;

        rc = read_row(table, &columns, row, &seen, err);
        rc = rc != 0 ? rc : check_row(table, row, &seen, last, err);
        if (rc != 0) {
            return rc;
        }
        add_row(issued, &n_max, &seen);
    }
    *ret_issued = HS_STEAL(issued);
    return 0;
}

size_t hs_issuedcsv_get_n(const struct hs_issuedcsv *issued)
{
    return issued->n;
}

const struct hs_outlook *hs_issuedcsv_get(const struct hs_issuedcsv *issued, size_t i)
{
    return &issued->outlooks[i];
}

/** Forecasts issued at @now_at_s or before. */
static size_t count_until(const struct hs_issuedcsv *issued, int64_t now_at_s)
{
    size_t from = 0, to = issued->n; /* the first that is later than now lies between */

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (issued->outlooks[middle].issued_at_s <= now_at_s) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

const struct hs_outlook *hs_issuedcsv_find(const struct hs_issuedcsv *issued, int64_t now_at_s)
{
    size_t n = count_until(issued, now_at_s);

    return n > 0 ? &issued->outlooks[n - 1] : NULL;
}

int64_t hs_issuedcsv_get_next_at_s(const struct hs_issuedcsv *issued, int64_t now_at_s)
{
    size_t n = count_until(issued, now_at_s);

    return n < issued->n ? issued->outlooks[n].issued_at_s : INT64_MAX;
}

void hs_issuedcsv_free(struct hs_issuedcsv *issued)
{
    if (issued != NULL) {
        free(issued->outlooks);
        free(issued);
    }
}
