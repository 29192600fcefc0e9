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
    assert_refused("", "v", -HS_E_INVALID, "a.csv", "empty");
}

static void signal__names_the_nearest_column(void **state)
{
    assert_refused("time,heat_kw,t_out_c\n", "heat_kwh", -HS_E_NOTFOUND, "a.csv", "'heat_kw'");
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

    snprintf(path, sizeof(path), "%s/a.csv.gz", dir);
    write_gzip(path, 0);
    assert_int_equal(hs_filetext_read(path, &text, &n_bytes, NULL), 0);
    assert_int_equal(strlen(text), n_bytes);
    assert_memory_equal(text, "0,0\n1,7919\n", 11);
    write_gzip(path, 40);
    assert_int_equal(hs_filetext_read(path, &none, &n_bytes, NULL), -HS_E_INVALID);
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
        cmocka_unit_test(signal__says_which_file_is_not_there),
        cmocka_unit_test(filetext__gunzips_and_refuses_a_damaged_gzip),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
