/* SPDX-License-Identifier: Apache-2.0 */
/* simtable - columns by table; medians by hand. */
#include "scheduler/sim/simtable.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"

#define SIMTABLE_API             "hsched.sim/v1"
#define SIMTABLE_CONTROLLER_W    13
#define SIMTABLE_CONTROLLERS_MAX 32
#define COUNT(array)             (sizeof(array) / sizeof((array)[0]))

struct column {
    const char *key;
    const char *minus_key; /* nullable: show the difference */
    const char *head;
    const char *unit; /* NULL: the report's currency */
    double divisor;
    int width;
    int decimals;
};

static const struct column first_columns[] = {
    {"jobs_late", NULL, "late", "jobs", 1, 6, 0},
    {"jobs_total", "jobs_done", "undone", "jobs", 1, 7, 0},
    {"late_s_sum", NULL, "late", "h, sum", 3600, 9, 1},
    {"late_s_max", NULL, "latest", "h", 3600, 8, 1},
    {"recovery_points_captured_ratio", NULL, "points", "captured", 1, 9, 3},
    {"value_captured_ratio", NULL, "value", "captured", 1, 9, 3},
    {"saving_heat_cur", NULL, "heat", NULL, 1, 12, 2},
    {"saving_electricity_cur", NULL, "electr.", NULL, 1, 12, 2},
    {"cost_cur", NULL, "cost", NULL, 1, 13, 2},
};

static const struct column rest_columns[] = {
    {"it_wh", NULL, "IT", "MWh", 1e6, 10, 3},
    {"useful_heat_wh", NULL, "useful", "MWh", 1e6, 10, 3},
    {"backup_heat_wh", NULL, "backup", "MWh", 1e6, 10, 3},
    {"rejected_heat_wh", NULL, "rejected", "MWh", 1e6, 10, 3},
    {"recovery_ratio", NULL, "recovery", "ratio", 1, 9, 3},
    {"coverage_ratio", NULL, "coverage", "ratio", 1, 9, 3},
    {"gco2", NULL, "CO2", "t", 1e6, 8, 3},
    {"wait_s_mean", NULL, "wait", "h", 3600, 6, 2},
    {"moves", NULL, "moves", "times", 1, 6, 0},
    {"suspends", NULL, "suspends", "times", 1, 9, 0},
};

static const struct column timing_columns[] = {
    {"plan_ms_p50", NULL, "plan p50", "ms", 1, 10, 2},
    {"plan_ms_p99", NULL, "plan p99", "ms", 1, 10, 2},
};

int hs_simtable_check(const json_t *report, const char *name, struct hs_err *err)
{
    const char *api = json_string_value(json_object_get(report, "api"));
    const json_t *policies = json_object_get(report, "policies");
    size_t i;
    const json_t *entry;

    if (api == NULL || strcmp(api, SIMTABLE_API) != 0 || !json_is_array(policies)) {
        return hs_err_set(err, HS_E_INVALID, name,
                          "is no report of hsim: it wants \"api\": \"%s\" and \"policies\"",
                          SIMTABLE_API);
    }
    json_array_foreach (policies, i, entry) {
        if (!json_is_string(json_object_get(entry, "name"))) {
            return hs_err_set(err, HS_E_INVALID, name, "/policies/%zu has no name", i);
        }
    }
    return 0;
}

const json_t *hs_simtable_find(const json_t *report, const char *name)
{
    size_t i;
    const json_t *entry;

    json_array_foreach (json_object_get(report, "policies"), i, entry) {
        if (strcmp(json_string_value(json_object_get(entry, "name")), name) == 0) {
            return entry;
        }
    }
    return NULL;
}

double hs_simtable_get(const json_t *entry, const char *key)
{
    const json_t *value = json_object_get(entry, key);

    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const char *get_currency(const json_t *report)
{
    const char *currency = json_string_value(json_object_get(report, "currency"));

    return currency != NULL ? currency : "cur";
}

/** Right-aligned; a number too wide loses decimals before it loses its place. */
static void print_number(double value, int width, int decimals, FILE *out)
{
    char text[64] = "-";

    if (!isnan(value)) {
        do {
            snprintf(text, sizeof(text), "%.*f", decimals, value);
        } while (decimals-- > 0 && (int)strlen(text) >= width);
        if (strtod(text, NULL) == 0 && text[0] == '-') {
            memmove(text, text + 1, strlen(text)); /* nobody wants to read -0.00 */
        }
    }
    fprintf(out, "%*s", width, text);
}

static double get_cell(const json_t *entry, const struct column *column)
{
    double value = hs_simtable_get(entry, column->key);

    if (column->minus_key != NULL) {
        value -= hs_simtable_get(entry, column->minus_key);
    }
    return value / column->divisor;
}

static void print_heads(const struct column *columns, size_t n_columns, const char *currency,
                        FILE *out)
{
    fprintf(out, "%-*s", SIMTABLE_CONTROLLER_W, "controller");
    for (size_t c = 0; c < n_columns; c++) {
        fprintf(out, "%*s", columns[c].width, columns[c].head);
    }
    fprintf(out, "\n%-*s", SIMTABLE_CONTROLLER_W, "");
    for (size_t c = 0; c < n_columns; c++) {
        fprintf(out, "%*s", columns[c].width, columns[c].unit != NULL ? columns[c].unit : currency);
    }
    fputc('\n', out);
}

/** The report says so, by simratio's rule; a bound and a report without asap say nothing. */
static bool is_later(const json_t *entry)
{
    return json_is_true(json_object_get(entry, "is_later_than_asap"));
}

static void print_block(const json_t *report, const struct column *columns, size_t n_columns,
                        FILE *out)
{
    size_t i;
    const json_t *entry;

    print_heads(columns, n_columns, get_currency(report), out);
    json_array_foreach (json_object_get(report, "policies"), i, entry) {
        const char *name = json_string_value(json_object_get(entry, "name"));
        int name_w = (int)strlen(name);
        int later_w = name_w < SIMTABLE_CONTROLLER_W ? SIMTABLE_CONTROLLER_W - name_w : 1;

        fprintf(out, "%s%-*s", name, later_w, is_later(entry) ? "*" : "");
        for (size_t c = 0; c < n_columns; c++) {
            print_number(get_cell(entry, &columns[c]), columns[c].width, columns[c].decimals, out);
        }
        fputc('\n', out);
    }
}

/** What the star means, if there is one: its savings were bought with lateness. */
static void print_later_note(const json_t *report, FILE *out)
{
    size_t i;
    const json_t *entry;

    json_array_foreach (json_object_get(report, "policies"), i, entry) {
        if (is_later(entry)) {
            fputs("* later than asap: more late jobs, or more late hours in all\n", out);
            return;
        }
    }
}

static bool has_timings(const json_t *report)
{
    size_t i;
    const json_t *entry;

    json_array_foreach (json_object_get(report, "policies"), i, entry) {
        if (!isnan(hs_simtable_get(entry, "plan_ms_p50"))) {
            return true;
        }
    }
    return false;
}

void hs_simtable_print(const json_t *report, FILE *out)
{
    const char *name = json_string_value(json_object_get(report, "scenario"));
    const char *start = json_string_value(json_object_get(report, "start"));
    double days = hs_simtable_get(report, "days");

    if (name != NULL && start != NULL && !isnan(days)) {
        fprintf(out, "%s: %g day%s from %.10s\n\n", name, days, days == 1 ? "" : "s", start);
    }
    fprintf(out, "%*s\n", SIMTABLE_CONTROLLER_W + 48 + 24, "saving against asap");
    print_block(report, first_columns, COUNT(first_columns), out);
    print_later_note(report, out);
    fputc('\n', out);
    print_block(report, rest_columns, COUNT(rest_columns), out);
    if (has_timings(report)) {
        fputc('\n', out);
        print_block(report, timing_columns, COUNT(timing_columns), out);
    }
}

/* --- medians over reports --- */

/** NAN for none. @param values sorted in place */
static double get_median(double *values, size_t n)
{
    if (n == 0) {
        return (double)NAN;
    }
    hs_reals_sort(values, n);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/** Median of @key over the reports that have it for @name; as a share of asap's cost if asked. */
static double summarise(json_t *const *reports, size_t n_reports, const char *name, const char *key,
                        bool is_of_cost)
{
    HS_AUTO_MEM double *values = hs_xcalloc(n_reports, sizeof(*values));
    size_t n = 0;

    for (size_t i = 0; i < n_reports; i++) {
        const json_t *asap = hs_simtable_find(reports[i], "asap");
        const json_t *entry = hs_simtable_find(reports[i], name);
        double value = hs_simtable_get(entry, key);

        if (is_of_cost) {
            value = value * 100 / fabs(hs_simtable_get(asap, "cost_cur"));
        }
        if (isfinite(value)) {
            values[n++] = is_later(entry) ? 0 : value;
        }
    }
    return get_median(values, n);
}

static void print_summary_line(json_t *const *reports, size_t n_reports, const char *name,
                               FILE *out)
{
    size_t n_later = 0, n_found = 0;
    double n_late_jobs = 0;

    for (size_t i = 0; i < n_reports; i++) {
        const json_t *entry = hs_simtable_find(reports[i], name);
        double late = hs_simtable_get(entry, "jobs_late");

        n_found += entry != NULL;
        n_later += is_later(entry);
        n_late_jobs += isnan(late) ? 0 : late;
    }
    fprintf(out, "%-*s%8zu%8zu%8.0f", SIMTABLE_CONTROLLER_W, name, n_found, n_later, n_late_jobs);
    print_number(summarise(reports, n_reports, name, "recovery_points_captured_ratio", false), 10,
                 3, out);
    print_number(summarise(reports, n_reports, name, "value_captured_ratio", false), 10, 3, out);
    print_number(summarise(reports, n_reports, name, "saving_heat_cur", true), 16, 2, out);
    print_number(summarise(reports, n_reports, name, "saving_electricity_cur", true), 16, 2, out);
    fputc('\n', out);
}

static bool is_listed(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void hs_simtable_print_summary(json_t *const *reports, size_t n_reports, FILE *out)
{
    const char *names[SIMTABLE_CONTROLLERS_MAX];
    size_t n_names = 0, j;
    const json_t *entry;

    fprintf(out,
            "medians over %zu reports; a controller that is later than asap counts 0 there\n\n"
            "%-*s%8s%8s%8s%10s%10s%16s%16s\n%-*s%8s%8s%8s%10s%10s%16s%16s\n",
            n_reports, SIMTABLE_CONTROLLER_W, "controller", "in", "later", "late", "points",
            "value", "heat saving", "electr. saving", SIMTABLE_CONTROLLER_W, "", "reports", "in",
            "jobs", "captured", "captured", "% of asap", "% of asap");
    for (size_t i = 0; i < n_reports; i++) {
        json_array_foreach (json_object_get(reports[i], "policies"), j, entry) {
            const char *name = json_string_value(json_object_get(entry, "name"));

            if (n_names < SIMTABLE_CONTROLLERS_MAX && !is_listed(names, n_names, name)) {
                names[n_names++] = name;
                print_summary_line(reports, n_reports, name, out);
            }
        }
    }
}
