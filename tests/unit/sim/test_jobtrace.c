/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scheduler/sim/jobtrace.h"
#include "scheduler/sim/swf.h"
#include "tests/support/near.h"

static char path[64];

static int setup(void **state)
{
    int fd;

    snprintf(path, sizeof(path), "%s", "/tmp/hs-trace-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int teardown(void **state)
{
    return unlink(path);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void swf__reads_records_and_skips_comments(void **state)
{
    struct hs_jobtrace trace = {0};

    write_file("; Version: 2.2\n  1 10.5 -1 300 4 -1 -1 8 600 2048 1 1 1 1 -1 1 1 1\n\n"
               "2 20 -1 60.25 -1 -1 -1 8 -1 -1 1 1 1 1 -1 1 1 1\r\n");
    assert_int_equal(hs_swf_read(path, &trace, NULL), 0);
    assert_int_equal(trace.n, 2);
    assert_near(trace.items[0].submit_s, 10.5, 0);
    assert_near(trace.items[0].procs, 4, 0);
    assert_near(trace.items[0].requested_s, 600, 0);
    assert_near(trace.items[0].memory_mib_per_proc, 2, 0);
    assert_near(trace.items[1].run_s, 60.25, 0);
    assert_near(trace.items[1].procs, 8, 0);
    assert_near(trace.items[1].requested_s, 0, 0);
    HS_VEC_FINI(&trace);
}

static void assert_refused(const char *text, const char *line, const char *part)
{
    struct hs_jobtrace trace = {0};
    struct hs_err err;

    write_file(text);
    assert_int_equal(hs_swf_read(path, &trace, &err), -HS_E_INVALID);
    assert_non_null(strstr(err.where, line));
    assert_non_null(strstr(err.text, part));
    assert_non_null(strstr(err.text, "18 numbers"));
    HS_VEC_FINI(&trace);
}

static void swf__says_the_line_of_what_is_wrong(void **state)
{
    assert_refused(";\n1 2 3\n", ":2", "3 fields");
    assert_refused("1 10 -1 300 4 -1 -1 8 600 2048 1 1 1 1 -1 1 1 1 9\n", ":1", "19 fields");
    assert_refused("1 10 -1 3e 4 -1 -1 8 600 2048 1 1 1 1 -1 1 1 1\n", ":1", "no number");
    assert_refused("1 10 -1 nan 4 -1 -1 8 600 2048 1 1 1 1 -1 1 1 1\n", ":1", "no number");
}

static void splitmix64__gives_the_published_first_outputs(void **state)
{
    /* first two outputs of the reference generator seeded with 1234567 */
    assert_true(hs_jobtrace_splitmix64(UINT64_C(1234567)) == UINT64_C(6457827717110365317));
    assert_true(hs_jobtrace_splitmix64(UINT64_C(1234567) + UINT64_C(0x9e3779b97f4a7c15))
                == UINT64_C(3203168211198807973));
}

static void jobs__are_cut_into_pieces_and_dropped_by_rule(void **state)
{
    struct hs_host hosts[2] = {{.vcpus = 16, .memory_mib = 65536, .pinned_vcpus = 6},
                               {.vcpus = 8, .memory_mib = 65536}};
    struct hs_estate estate = {.hosts = hosts, .n_hosts = 2};
    struct hs_scenario_trace trace = {.scale_cpus = 2.3,
                                      .slack_ratio = 1,
                                      .min_slack_s = 500,
                                      .max_run_s = 5000,
                                      .offset_s = 100};
    struct hs_scenario scenario = {.estate = &estate,
                                   .start_at_s = 1000000,
                                   .slot_s = 900,
                                   .n_slots = 10,
                                   .seed = 7,
                                   .traces = &trace,
                                   .n_traces = 1};
    struct hs_simjobs jobs = {0};

    snprintf(trace.path, sizeof(trace.path), "%s", path);
    /* before the start; 23 vCPUs; too long; no processors; due after the end; one vCPU */
    write_file("arrival_s,run_s,cpus\n99,100,1\n100,200,10\n150,5001,1\n160,50,0\n8900,300,1\n"
               "200,1000,0.1\n");
    assert_int_equal(hs_jobtrace_make(&scenario, &jobs, NULL), 0);
    assert_int_equal(jobs.n, 4);
    assert_int_equal(jobs.n_long, 1);
    assert_int_equal(jobs.n_bad, 1);
    assert_int_equal(jobs.n_after_end, 1);
    assert_int_equal(jobs.items[0].vcpus, 10);
    assert_int_equal(jobs.items[1].vcpus, 10);
    assert_int_equal(jobs.items[2].vcpus, 3);
    assert_int_equal(jobs.items[2].record_idx, 1);
    assert_int_equal(jobs.items[2].memory_mib, 3 * 2048);
    assert_near(jobs.items[2].submit_at_s, 1000000, 0);
    assert_near(jobs.items[2].due_at_s, 1000000 + 700, 0);
    assert_near(jobs.items[3].due_at_s, 1000000 + 100 + 2000, 0);
    assert_int_equal(jobs.items[3].vcpus, 1);
    hs_jobtrace_fini(&jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swf__reads_records_and_skips_comments),
        cmocka_unit_test(swf__says_the_line_of_what_is_wrong),
        cmocka_unit_test(splitmix64__gives_the_published_first_outputs),
        cmocka_unit_test(jobs__are_cut_into_pieces_and_dropped_by_rule),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
