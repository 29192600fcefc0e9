/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "adapters/signal/filetext.h"
#include "adapters/signal/signal.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "tests/support/near.h"

static char dir[64];

static int setup(void **state)
{
    snprintf(dir, sizeof(dir), "%s", "/tmp/hs-signal-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.csv", "a.csv.gz"};

    for (size_t i = 0; i < 2; i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct hs_signal_spec spec_of(const char *column)
{
    struct hs_signal_spec spec = {.csv = "a.csv", .scale = 1};

    snprintf(spec.column, sizeof(spec.column), "%s", column);
    return spec;
}

static void signal__reads_scales_and_shifts_a_column(void **state)
{
    struct hs_signal_spec spec = spec_of("heat_kw");
    HS_AUTO(hs_series) series = NULL;

    write_file("a.csv", "time_utc,heat_kw,t_out_c\r\n2026-01-05T10:00:00Z,1.5,3\r\n"
                        "2026-01-05T11:00:00Z,,4\n\n2026-01-05T12:00:00Z, 2 ,5\n");
    spec.scale = 2;
    spec.shift_s = 7 * 86400;
    assert_int_equal(hs_signal_load(&spec, dir, &series, NULL), 0);
    assert_int_equal(series->n, 3);
    assert_near(series->values[0], 3000, 0);
    assert_true(isnan(series->values[1]));
    assert_near(series->values[2], 4000, 0);
    assert_int_equal(series->at_s[0], INT64_C(1767607200) + 7 * 86400);
    assert_int_equal(series->step_s, 3600);
}

static void assert_refused(const char *text, const char *column, int rc, const char *where,
                           const char *part)
{
    struct hs_signal_spec spec = spec_of(column);
    struct hs_series *series = NULL;
    struct hs_err err;

    write_file("a.csv", text);
    assert_int_equal(hs_signal_load(&spec, dir, &series, &err), rc);
    assert_null(series);
    assert_string_equal(err.where, where);
    if (strstr(err.text, part) == NULL) {
        fail_msg("'%s' does not say '%s'", err.text, part);
    }
}

static void signal__says_the_line_of_what_is_wrong(void **state)
{
    assert_refused("t,v\n2026-01-05T10:00:00Z,x\n", "v", -HS_E_INVALID, "a.csv:2", "'x'");
    assert_refused("t,v\n2026-01-05T10:00:00Z,1,2\n", "v", -HS_E_INVALID, "a.csv:2", "cells");
    assert_refused("t,v\n\nyesterday,1\n", "v", -HS_E_INVALID, "a.csv:3", "RFC 3339");
    assert_refused("t,v\n2026-01-05T10:00:00Z,1\n2026-01-05T09:00:00Z,1\n", "v", -HS_E_INVALID,
                   "a.csv:3", "time order");
    assert_refused("t,v\n2026-01-05T10:00:00Z,nan\n", "v", -HS_E_INVALID, "a.csv:2", "no number");
    assert_refused("t,v\n2026-01-05T10:00:00Z,1\n2026-01-05T10:00:00Z,1\n", "v", -HS_E_INVALID,
                   "a.csv:3", "twice");
    assert_refused("t,v\n2026-01-05T10:00:00Z,0x10\n", "v", -HS_E_INVALID, "a.csv:2", "no number");
    assert_refused("t,v,v\n2026-01-05T10:00:00Z,1,1\n", "v", -HS_E_INVALID, "a.csv:1",
                   "two columns");
    assert_refused("", "v", -HS_E_INVALID, "a.csv:1", "empty");
    assert_refused("\n\nt,v\n", "v", -HS_E_INVALID, "a.csv:3", "no row");
}

static void signal__names_the_nearest_column(void **state)
{
    assert_refused("time,heat_kw,t_out_c\n0,1,2\n", "heat_kwh", -HS_E_NOTFOUND, "a.csv:1",
                   "'heat_kw'");
    assert_refused("time,a,b\n0,1,2\n", "heat_kw", -HS_E_NOTFOUND, "a.csv:1", "time, a, b");
    assert_refused("time;a\n0;1\n", "a", -HS_E_NOTFOUND, "a.csv:1", "by commas");
}

static void append_rows(char *text, size_t size, int64_t from_at_s, int64_t step_s, int n)
{
    for (int i = 0; i < n; i++) {
        char stamp[HS_TIMETEXT_MAX];
        size_t used = strlen(text);

        hs_timetext_format(from_at_s + i * step_s, stamp);
        snprintf(text + used, size - used, "%s,%d\n", stamp, i);
    }
}

static void signal__marks_missing_rows_as_unknown(void **state)
{
    struct hs_signal_spec spec = spec_of("v");
    HS_AUTO(hs_series) series = NULL;
    char text[2048] = "t,v\n";

    /* ten hours, two rows missing, ten hours more */
    append_rows(text, sizeof(text), 0, 3600, 10);
    append_rows(text, sizeof(text), INT64_C(12) * 3600, 3600, 10);
    write_file("a.csv", text);
    assert_int_equal(hs_signal_load(&spec, dir, &series, NULL), 0);
    assert_true(hs_series_is_known(series, INT64_C(10) * 3600 - 1));
    assert_false(hs_series_is_known(series, INT64_C(10) * 3600));
    assert_false(hs_series_is_known(series, INT64_C(12) * 3600 - 1));
    assert_true(hs_series_is_known(series, INT64_C(12) * 3600));
    assert_near(hs_series_get_held(series, INT64_C(11) * 3600), 9, 0);
    assert_near(hs_series_get_known_ratio(series, 0, INT64_C(22) * 3600), 20.0 / 22, 1e-12);
    assert_near(hs_series_get_known_ratio(series, INT64_C(11) * 3600, INT64_C(13) * 3600), 0.5,
                1e-12);
}

static void signal__takes_a_new_step_for_no_gap(void **state)
{
    struct hs_signal_spec spec = spec_of("v");
    HS_AUTO(hs_series) series = NULL;
    char text[8192] = "t,v\n";

    /* a market that goes from hours to quarters of an hour, most of the file in quarters */
    append_rows(text, sizeof(text), 0, 3600, 20);
    append_rows(text, sizeof(text), INT64_C(20) * 3600, 900, 100);
    write_file("a.csv", text);
    assert_int_equal(hs_signal_load(&spec, dir, &series, NULL), 0);
    assert_int_equal(series->n, 120);
    assert_near(hs_series_get_known_ratio(series, 0, INT64_C(45) * 3600), 1, 0);
}

static int load_as(const struct hs_signal_spec *spec, const struct hs_signal_quantity *quantity,
                   struct hs_series **ret_series, struct hs_signal_odd *ret_odd, struct hs_err *err)
{
    struct hs_signal_options options = {.base_dir = dir, .quantity = quantity, .odd = ret_odd};

    return hs_signal_load_with(spec, &options, ret_series, err);
}

static void signal__counts_what_the_quantity_cannot_have_as_unknown(void **state)
{
    struct hs_signal_spec spec = spec_of("v");
    HS_AUTO(hs_series) series = NULL;
    struct hs_series *none = NULL;
    struct hs_signal_odd odd = {0};
    struct hs_err err;
    char text[2048] = "t,v\n";

    append_rows(text, sizeof(text), 0, 3600, 18);
    strcat(text, "1970-01-01T18:00:00Z,-9999\n1970-01-01T19:00:00Z,5\n");
    write_file("a.csv", text);
    assert_int_equal(load_as(&spec, &hs_signal_heat, &series, &odd, NULL), 0);
    assert_int_equal(odd.n, 1);
    assert_string_equal(odd.where, "a.csv:20");
    assert_false(hs_series_is_known(series, INT64_C(18) * 3600));
    assert_near(hs_series_get_held(series, INT64_C(18) * 3600), 17, 0);
    /* a scale of -1 makes seventeen of twenty values negative: that is no odd reading */
    spec.scale = -1;
    assert_int_equal(load_as(&spec, &hs_signal_heat, &none, &odd, &err), -HS_E_INVALID);
    assert_string_equal(err.where, "a.csv:3");
    assert_non_null(strstr(err.text, "scale"));
    assert_int_equal(load_as(&spec, &hs_signal_price, &none, &odd, NULL), 0);
    assert_int_equal(odd.n, 0);
    hs_series_free(none);
}

static void signal__reads_a_file_once_for_many_columns(void **state)
{
    HS_AUTO(hs_signal_cache) cache = hs_signal_cache_new();
    struct hs_signal_options options = {.base_dir = dir, .cache = cache};
    struct hs_signal_spec spec = spec_of("a");
    HS_AUTO(hs_series) a = NULL;
    HS_AUTO(hs_series) b = NULL;
    char path[128];

    write_file("a.csv", "t,a,b\n1970-01-01T00:00:00Z,1,2\n1970-01-01T01:00:00Z,3,4\n");
    assert_int_equal(hs_signal_load_with(&spec, &options, &a, NULL), 0);
    snprintf(path, sizeof(path), "%s/a.csv", dir);
    assert_int_equal(unlink(path), 0);
    spec = spec_of("b");
    spec.shift_s = 3600;
    assert_int_equal(hs_signal_load_with(&spec, &options, &b, NULL), 0);
    assert_near(hs_series_get_held(a, 3600), 3, 0);
    assert_near(hs_series_get_held(b, 3600), 2, 0);
    assert_near(hs_series_get_held(b, 7200), 4, 0);
}

static void signal__says_which_file_is_not_there(void **state)
{
    struct hs_signal_spec spec = spec_of("v");
    struct hs_series *series = NULL;
    struct hs_err err;

    snprintf(spec.csv, sizeof(spec.csv), "absent.csv");
    assert_int_equal(hs_signal_load(&spec, dir, &series, &err), -HS_E_NOTFOUND);
    assert_non_null(strstr(err.text, "absent.csv"));
}

static void write_gzip(const char *path, size_t n_cut)
{
    gzFile file = gzopen(path, "wb");
    FILE *raw;
    long size;

    for (int i = 0; i < 50000; i++) {
        assert_true(gzprintf(file, "%d,%d\n", i, i * 7919) > 0);
    }
    assert_int_equal(gzclose(file), Z_OK);
    raw = fopen(path, "r");
    (void)fseek(raw, 0, SEEK_END);
    size = ftell(raw);
    (void)fclose(raw);
    assert_int_equal(truncate(path, size - (long)n_cut), 0);
}

static void filetext__gunzips_and_refuses_a_damaged_gzip(void **state)
{
    char path[128];
    HS_AUTO_MEM char *text = NULL;
    char *none = NULL;
    size_t n_bytes = 0;
    struct hs_err err;

    snprintf(path, sizeof(path), "%s/a.csv.gz", dir);
    write_gzip(path, 0);
    assert_int_equal(hs_filetext_read(path, &text, &n_bytes, NULL), 0);
    assert_int_equal(strlen(text), n_bytes);
    assert_memory_equal(text, "0,0\n1,7919\n", 11);
    write_gzip(path, 40);
    assert_int_equal(hs_filetext_read(path, &none, &n_bytes, &err), -HS_E_INVALID);
    assert_non_null(strstr(err.where, "a.csv.gz:"));
    assert_non_null(strstr(err.text, "cut short"));
    write_file("a.csv.gz", "plain\n");
    assert_int_equal(hs_filetext_read(path, &none, &n_bytes, NULL), -HS_E_INVALID);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signal__reads_scales_and_shifts_a_column),
        cmocka_unit_test(signal__says_the_line_of_what_is_wrong),
        cmocka_unit_test(signal__names_the_nearest_column),
        cmocka_unit_test(signal__marks_missing_rows_as_unknown),
        cmocka_unit_test(signal__takes_a_new_step_for_no_gap),
        cmocka_unit_test(signal__counts_what_the_quantity_cannot_have_as_unknown),
        cmocka_unit_test(signal__reads_a_file_once_for_many_columns),
        cmocka_unit_test(signal__says_which_file_is_not_there),
        cmocka_unit_test(filetext__gunzips_and_refuses_a_damaged_gzip),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
