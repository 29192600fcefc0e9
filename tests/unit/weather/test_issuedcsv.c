/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/weather/issuedcsv.h"
#include "tests/support/near.h"

#define HEAD  "issue_utc,lead_h,valid_start_utc,t_out_c_fc,ghi_w_m2_fc\n"
#define AT_10 INT64_C(1767607200) /* 2026-01-05T10:00:00Z */

static char path[64];

static int setup(void **state)
{
    int fd;

    snprintf(path, sizeof(path), "%s", "/tmp/hs-issued-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    return unlink(path);
}

static int read_text(const char *text, struct hs_issuedcsv **ret_issued, struct hs_err *err)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return hs_issuedcsv_read(path, ret_issued, err);
}

static void issuedcsv__reads_issues_and_their_hours(void **state)
{
    HS_AUTO(hs_issuedcsv) issued = NULL;
    const struct hs_outlook *outlook;

    assert_int_equal(read_text(HEAD "2026-01-05T10:00:00Z,1,2026-01-05T10:00:00Z,-1.5,0\n"
                                    "2026-01-05T10:00:00Z,3,2026-01-05T12:00:00Z,2.5,80\n"
                                    "2026-01-05T11:00:00Z,1,2026-01-05T11:00:00Z,,9999\n",
                               &issued, NULL),
                     0);
    assert_int_equal(hs_issuedcsv_get_n(issued), 2);
    outlook = hs_issuedcsv_get(issued, 0);
    assert_int_equal(outlook->issued_at_s, AT_10);
    assert_int_equal(outlook->from_at_s, AT_10);
    assert_int_equal(outlook->n_hours, 3);
    assert_near(outlook->hours[0].t_out_c, -1.5, 0);
    assert_true(isnan(outlook->hours[1].t_out_c)); /* lead 2 is missing, not 0 */
    assert_near(outlook->hours[2].ghi_w_per_m2, 80, 0);
    assert_true(isnan(outlook->hours[2].wind_m_per_s));
    outlook = hs_issuedcsv_get(issued, 1);
    assert_true(isnan(outlook->hours[0].t_out_c));
    assert_true(isnan(outlook->hours[0].ghi_w_per_m2)); /* 9999 is no sun */
}

static void issuedcsv__finds_the_newest_issue_that_was_out(void **state)
{
    HS_AUTO(hs_issuedcsv) issued = NULL;

    assert_int_equal(read_text(HEAD "2026-01-05T10:00:00Z,1,2026-01-05T10:00:00Z,1,0\n"
                                    "2026-01-05T12:00:00Z,1,2026-01-05T12:00:00Z,2,0\n"
                                    "2026-01-05T13:00:00Z,1,2026-01-05T13:00:00Z,3,0\n",
                               &issued, NULL),
                     0);
    assert_null(hs_issuedcsv_find(issued, AT_10 - 1)); /* nothing sees the future */
    assert_near(hs_issuedcsv_find(issued, AT_10)->hours[0].t_out_c, 1, 0);
    assert_near(hs_issuedcsv_find(issued, AT_10 + 2 * 3600 - 1)->hours[0].t_out_c, 1, 0);
    assert_near(hs_issuedcsv_find(issued, AT_10 + 2 * 3600)->hours[0].t_out_c, 2, 0);
    assert_near(hs_issuedcsv_find(issued, AT_10 + 90000)->hours[0].t_out_c, 3, 0);
}

static void assert_refused(const char *text, unsigned line, const char *part)
{
    HS_AUTO(hs_issuedcsv) issued = NULL;
    struct hs_err err = {0};
    char line_text[16];

    snprintf(line_text, sizeof(line_text), ":%u", line);
    assert_true(read_text(text, &issued, &err) < 0);
    assert_null(issued);
    assert_non_null(strstr(err.where, line_text));
    if (strstr(err.text, part) == NULL) {
        fail_msg("'%s' does not say '%s'", err.text, part);
    }
}

static void issuedcsv__refuses_what_would_land_in_the_wrong_hour(void **state)
{
    assert_refused("issue_utc,lead_h,valid_start_utc,t_out\n1,2,3,4\n", 1, "t_out_c_fc");
    assert_refused(HEAD "2026-01-05,1,2026-01-05T10:00:00Z,1,0\n", 2, "RFC 3339");
    assert_refused(HEAD "2026-01-05T10:00:00Z,1,2026-01-05T10:30:00Z,1,0\n", 2, "full hour");
    assert_refused(HEAD "2026-01-05T10:00:00Z,1,2026-01-05T12:00:00Z,1,0\n", 2, "lead_h 1");
    assert_refused(HEAD "2026-01-05T10:00:00Z,,2026-01-05T10:00:00Z,1,0\n", 2, "lead_h");
    assert_refused(HEAD "2026-01-05T10:00:00Z,1,2026-01-05T10:00:00Z,1,0\n"
                        "2026-01-05T09:00:00Z,1,2026-01-05T09:00:00Z,1,0\n",
                   3, "in order of issue");
    assert_refused(HEAD "2026-01-05T10:00:00Z,2,2026-01-05T11:00:00Z,1,0\n"
                        "2026-01-05T10:00:00Z,2,2026-01-05T11:00:00Z,1,0\n",
                   3, "before");
}

static void issuedcsv__reads_the_shared_record(void **state)
{
    const char *shared = getenv("HSCHED_TEST_SHARED");
    HS_AUTO(hs_issuedcsv) issued = NULL;
    char file[512];

    snprintf(file, sizeof(file), "%s/data/wxfc_dk_sonderborg.csv.gz", shared != NULL ? shared : "");
    if (shared == NULL || access(file, R_OK) != 0) {
        print_message("skipped: no shared data under HSCHED_TEST_SHARED\n");
        skip();
    }
    assert_int_equal(hs_issuedcsv_read(file, &issued, NULL), 0);
    assert_int_equal(hs_issuedcsv_get_n(issued), 935); /* 33,660 rows of 36 leads */
    for (size_t i = 0; i < hs_issuedcsv_get_n(issued); i++) {
        assert_int_equal(hs_issuedcsv_get(issued, i)->n_hours, 36);
        assert_int_equal(hs_issuedcsv_get(issued, i)->from_at_s,
                         hs_issuedcsv_get(issued, i)->issued_at_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issuedcsv__reads_issues_and_their_hours),
        cmocka_unit_test(issuedcsv__finds_the_newest_issue_that_was_out),
        cmocka_unit_test(issuedcsv__refuses_what_would_land_in_the_wrong_hour),
        cmocka_unit_test(issuedcsv__reads_the_shared_record),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
