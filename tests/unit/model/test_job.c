/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/model/job.h"
#include "scheduler/model/jobarray.h"
#include "tests/support/near.h"

#define NOW_AT_S INT64_C(1767607200) /* 2026-01-05T10:00:00Z */

/* The report of @text, owned by the caller; *ret_job is set where it parses. */
static char *parse(const char *text, struct hs_job **ret_job)
{
    struct hs_conf_report report = {.text = text};
    json_auto_t *json = NULL;
    char *errors;
    int rc;

    assert_int_equal(hs_conf_parse(NULL, text, &report, &json), 0);
    rc = hs_job_parse_request(json, NOW_AT_S, &report, ret_job);
    assert_int_equal(rc, report.n_errors == 0 ? 0 : -HS_E_INVALID);
    errors = hs_conf_report_format(&report);
    hs_conf_report_fini(&report);
    return errors;
}

static struct hs_job *parse_good(const char *text)
{
    struct hs_job *job = NULL;
    HS_AUTO_MEM char *errors = parse(text, &job);

    assert_string_equal(errors, "");
    return job;
}

static void check(const char *text, const char *want)
{
    struct hs_job *job = NULL;
    HS_AUTO_MEM char *errors = parse(text, &job);

    assert_null(job);
    assert_string_equal(errors, want);
}

static void request__has_defaults(void **state)
{
    HS_AUTO(hs_job) job = parse_good("{}");
    HS_AUTO(hs_job) fresh = hs_job_new();

    assert_string_equal(job->class_name, "deferrable");
    assert_int_equal(job->vcpus, 1);
    assert_int_equal(job->memory_mib, 2048);
    assert_int_equal(job->duration_s, 3600);
    assert_int_equal(job->submitted_at_s, NOW_AT_S);
    assert_int_equal(job->state, HS_JOB_WAITING);
    assert_false(job->interruptible);
    assert_null(job->script);
    assert_int_equal(job->vcpus, fresh->vcpus);
    assert_int_equal(job->memory_mib, fresh->memory_mib);
    assert_int_equal(job->duration_s, fresh->duration_s);
    assert_string_equal(job->class_name, fresh->class_name);
}

static void request__reads_what_people_write(void **state)
{
    HS_AUTO(hs_job)
    job = parse_good("{\"name\":\"render 7\",\"image\":\"debian-12\",\"script\":\"echo hi\\n\","
                     "\"vcpus\":4,\"memory_mib\":8192,\"limit\":\"3h\",\"earliest\":\"18:00\","
                     "\"due\":\"tomorrow 06:00\",\"class\":\"nightly\",\"interruptible\":true,"
                     "\"min_run\":\"15m\",\"sites\":[\"pool\"],\"not_sites\":[\"hall\",\"depot\"],"
                     "\"priority\":-3,\"team\":\"render\",\"now\":true,"
                     "\"env\":{\"A\":\"1\",\"B_2\":\"x=y\"}}");

    assert_string_equal(job->name, "render 7");
    assert_string_equal(job->script, "echo hi\n");
    assert_int_equal(job->duration_s, 3 * 3600);
    assert_int_equal(job->earliest_at_s, NOW_AT_S + 8 * 3600);
    assert_int_equal(job->due_at_s, NOW_AT_S + 20 * 3600);
    assert_int_equal(job->min_run_s, 900);
    assert_int_equal(job->n_not_sites, 2);
    assert_string_equal(job->not_sites[1], "depot");
    assert_string_equal(job->env[1], "B_2=x=y");
    assert_int_equal(job->priority, -3);
    assert_true(job->now);
}

static void request__refuses_what_hsched_sets(void **state)
{
    check("{\"state\":\"done\",\"id\":5}", "1:22: /id: 'id' is set by hsched, leave it out\n"
                                           "1:10: /state: 'state' is set by hsched, leave it out");
}

static void request__says_what_to_do_instead(void **state)
{
    check("{\"script_file\":\"a.sh\"}", "1:16: /script_file: send the file's text as 'script'; "
                                        "hsched submit does it for you");
    check("{\"array\":\"15-0\"}", "1:10: /array: '15-0' is no array of at most 10000 tasks: 0-15, "
                                  "or 0-15%4 for four at a time");
    check("{\"array\":[1]}", "1:10: /array: must be a text such as \"0-15%4\"");
    check("{\"after\":[\"afterlunch\"]}",
          "1:10: /after: 'afterlunch' is no condition: afterok:ID, afternotok:ID, afterany:ID or "
          "singleton");
}

static void array__is_a_job_for_each(void **state)
{
    HS_AUTO(hs_job) job = hs_job_new();
    HS_AUTO(hs_job) first = NULL;
    HS_AUTO(hs_job) again = NULL;
    struct hs_jobarray array;

    assert_int_equal(hs_jobarray_parse("3-15%4", &array, NULL), 0);
    assert_true(array.first == 3 && array.last == 15 && array.at_a_time == 4);
    assert_int_equal(hs_jobarray_parse("0-10000", &array, NULL), -HS_E_INVALID);
    memset(job->name, 'n', sizeof(job->name) - 1);
    first = hs_jobarray_dup_task(job, 9999);
    assert_int_equal(first->n_env, 1);
    assert_string_equal(first->env[0], "HSCHED_ARRAY_INDEX=9999");
    assert_string_equal(first->name + 50, "-9999");
    again = hs_jobarray_dup_task(first, 7); /* its own index is replaced, not added to */
    assert_int_equal(again->n_env, 1);
    assert_string_equal(again->env[0], "HSCHED_ARRAY_INDEX=7");
}

static void request__names_every_mistake(void **state)
{
    check(
        "{\"duration\":\"90\",\n\"vcpu\":2,\n\"due\":\"soon\",\n\"sites\":[1],\n\"env\":{\"1\":2},"
        "\n\"script\":1}",
        "1:13: /duration: '90' has no unit; write 90s, 90m or 90h\n"
        "2:8: /vcpu: unknown key 'vcpu', did you mean 'vcpus'?\n"
        "3:7: /due: 'soon' is not a time; write 2026-01-05T18:00:00Z, 18:00, 'tomorrow 06:00' or "
        "now+2h\n"
        "4:10: /sites/0: must be a name in quotes\n"
        "5:12: /env/1: '1' is not a variable; use letters, digits and '_'\n"
        "6:10: /script: must be the script's text in quotes");
    check("{\"vcpus\":0}", "1:10: /vcpus: must be 1 to 65536, is 0");
    check("[]", "1:1: must be an object (a job), not a list");
}

static void request__refuses_times_that_contradict(void **state)
{
    check("{\"duration\":\"2h\",\"limit\":\"1h\"}",
          "1:26: /limit: is shorter than the duration, so the job could never end by itself");
    check("{\"earliest\":\"now+2h\",\"due\":\"now+1h\"}",
          "1:28: /due: must be after earliest (2026-01-05T12:00:00Z)");
}

/* A job with every field away from its default. */
static struct hs_job *make_full(void)
{
    struct hs_job *job = parse_good(
        "{\"name\":\"n\",\"image\":\"i\",\"script\":\"s\",\"vcpus\":2,\"memory_mib\":512,"
        "\"duration\":\"2h\",\"limit\":\"3h\",\"earliest\":\"now+1h\",\"due\":\"now+9h\","
        "\"interruptible\":true,\"min_run\":\"5m\",\"priority\":7,\"team\":\"t\",\"now\":true,"
        "\"sites\":[\"a\"],\"not_sites\":[\"b\"],\"env\":{\"K\":\"v\"}}");

    strcpy(job->class_name, "nightly");
    job->base_class = HS_CLASS_ELASTIC;
    job->id = 42;
    job->state = HS_JOB_FAILED;
    job->since_at_s = NOW_AT_S + 5;
    job->started_at_s = NOW_AT_S + 3;
    job->ended_at_s = NOW_AT_S + 5;
    job->ran_s = 1.5;
    job->min_share = 0.25;
    job->max_share = 0.75;
    job->share = 0.5;
    job->share_at_s = NOW_AT_S + 4;
    strcpy(job->host, "pool/h1");
    job->has_exit_status = true;
    job->exit_status = 3;
    job->suspends = 1;
    job->moves = 2;
    job->cancel_wanted = true;
    strcpy(job->why, "exit status 3");
    return job;
}

static void format__comes_back_by_parse(void **state)
{
    HS_AUTO(hs_job) job = make_full();
    HS_AUTO(hs_job) copy = hs_job_dup(job);
    HS_AUTO(hs_job) back = NULL;
    HS_AUTO(hs_job) fresh = hs_job_new();
    HS_AUTO(hs_job) fresh_back = NULL;
    json_auto_t *json = hs_job_format(job);
    json_auto_t *copy_json = hs_job_format(copy);
    json_auto_t *back_json = NULL;
    json_auto_t *fresh_json = hs_job_format(fresh);
    json_auto_t *fresh_back_json = NULL;

    assert_int_equal(hs_job_parse(json, &back, NULL), 0);
    back_json = hs_job_format(back);
    assert_true(json_equal(json, back_json));
    assert_true(json_equal(json, copy_json));
    assert_int_equal(back->id, 42);
    assert_int_equal(back->state, HS_JOB_FAILED);
    assert_int_equal(back->base_class, HS_CLASS_ELASTIC);
    assert_near(back->ran_s, 1.5, 0);
    assert_near(back->min_share, 0.25, 0);
    assert_near(back->max_share, 0.75, 0);
    assert_near(back->share, 0.5, 0);
    assert_int_equal(back->share_at_s, NOW_AT_S + 4);
    assert_string_equal(back->env[0], "K=v");
    assert_string_equal(back->script, "s");
    assert_true(back->has_exit_status && back->exit_status == 3);
    assert_true(back->cancel_wanted);
    assert_int_equal(back->due_at_s, NOW_AT_S + 9 * 3600);
    assert_int_equal(hs_job_parse(fresh_json, &fresh_back, NULL), 0);
    fresh_back_json = hs_job_format(fresh_back);
    assert_true(json_equal(fresh_json, fresh_back_json));
}

static void format__writes_absent_as_null(void **state)
{
    HS_AUTO(hs_job) job = hs_job_new();
    json_auto_t *json = hs_job_format(job);
    static const char *const keys[] = {"id",  "name",    "image",   "team", "limit_s",
                                       "due", "started", "script",  "host", "exit_status",
                                       "why", "ended",   "earliest"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_true(json_is_null(json_object_get(json, keys[i])));
    }
}

static void parse__names_the_field_that_is_wrong(void **state)
{
    static const char *const rows[][2] = {
        {"vcpus", "[-1]"},      {"state", "[\"flying\"]"},  {"due", "[\"x\"]"},
        {"env", "[[]]"},        {"sites", "[[1]]"},         {"ran_s", "[-1]"},
        {"now", "[1]"},         {"base_class", "[1]"},      {"memory_mib", "[1.5]"},
        {"name", "[5]"},        {"exit_status", "[\"0\"]"}, {"share", "[0]"},
        {"min_share", "[1.5]"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        HS_AUTO(hs_job) job = make_full();
        json_auto_t *json = hs_job_format(job);
        json_auto_t *wrong = NULL;
        struct hs_job *back = NULL;
        struct hs_err err = {0};

        assert_int_equal(hs_jsonx_parse("row", rows[i][1], strlen(rows[i][1]), &wrong, NULL), 0);
        assert_int_equal(json_object_set(json, rows[i][0], json_array_get(wrong, 0)), 0);
        assert_int_equal(hs_job_parse(json, &back, &err), -HS_E_PROTOCOL);
        assert_null(back);
        assert_string_equal(err.where + 1, rows[i][0]);
    }
}

static void parse__skips_what_it_does_not_know(void **state)
{
    HS_AUTO(hs_job) job = make_full();
    HS_AUTO(hs_job) back = NULL;
    json_auto_t *json = hs_job_format(job);

    hs_jsonx_set_text(json, "planned_host", "pool/h2");
    assert_int_equal(hs_job_parse(json, &back, NULL), 0);
}

static void words__are_stable_and_over_is_final(void **state)
{
    HS_AUTO(hs_job) job = hs_job_new();

    assert_string_equal(hs_job_state_word(HS_JOB_SUSPENDED), "suspended");
    assert_string_equal(hs_job_class_word(HS_CLASS_FILLER), "filler");
    assert_false(hs_job_is_over(job));
    job->state = HS_JOB_CANCELLED;
    assert_true(hs_job_is_over(job));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request__has_defaults),
        cmocka_unit_test(request__reads_what_people_write),
        cmocka_unit_test(request__refuses_what_hsched_sets),
        cmocka_unit_test(request__says_what_to_do_instead),
        cmocka_unit_test(array__is_a_job_for_each),
        cmocka_unit_test(request__names_every_mistake),
        cmocka_unit_test(request__refuses_times_that_contradict),
        cmocka_unit_test(format__comes_back_by_parse),
        cmocka_unit_test(format__writes_absent_as_null),
        cmocka_unit_test(parse__names_the_field_that_is_wrong),
        cmocka_unit_test(parse__skips_what_it_does_not_know),
        cmocka_unit_test(words__are_stable_and_over_is_final),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
