/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/policy.h"
#include "tests/support/near.h"

/* The report of @text read on top of @policy, owned by the caller. */
static char *parse(struct hs_policy *policy, const char *text)
{
    struct hs_conf_report report = {0};
    int rc = hs_policy_parse(policy, NULL, text, &report);
    char *errors = hs_conf_report_format(&report);

    assert_int_equal(rc, report.n_errors == 0 ? 0 : -HS_E_INVALID);
    hs_conf_report_fini(&report);
    return errors;
}

static void check(const char *text, const char *want)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO_MEM char *errors = parse(policy, text);

    assert_string_equal(errors, want);
    assert_int_equal(policy->n_classes, 5);
    assert_near(policy->heat_weight, 1, 0);
}

static void new__has_the_five_base_classes(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();

    assert_int_equal(policy->n_classes, 5);
    assert_int_equal(hs_policy_find_class(policy, "elastic")->base, HS_CLASS_ELASTIC);
    assert_null(hs_policy_find_class(policy, "nightly"));
    assert_near(policy->waiting_weight, 0.01, 0);
}

static void parse__reads_the_example(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    const char *root = getenv("HSCHED_TEST_ROOT");
    char path[4096];
    char text[4096] = "";
    HS_AUTO_MEM char *errors = NULL;
    const struct hs_policy_class *nightly;
    FILE *file;

    snprintf(path, sizeof(path), "%s/docs/examples/policies.d/default.json",
             root != NULL ? root : ".");
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    errors = parse(policy, text);
    assert_string_equal(errors, "");
    nightly = hs_policy_find_class(policy, "nightly");
    assert_int_equal(nightly->base, HS_CLASS_DEFERRABLE);
    assert_int_equal(nightly->priority, 10);
    assert_int_equal(nightly->max_moves_per_day, 2);
    assert_int_equal(nightly->min_run_s, 900);
    assert_int_equal(nightly->max_wait_s, 2 * 86400);
}

static void parse__lets_a_later_file_replace_what_it_names(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO_MEM char *first =
        parse(policy, "{\"classes\":{\"a\":{\"base\":\"filler\",\"priority\":1},"
                      "\"b\":{\"base\":\"movable\"}},"
                      "\"weights\":{\"heat\":2,\"carbon\":3}}");
    HS_AUTO_MEM char *second = parse(policy, "{\"classes\":{\"a\":{\"base\":\"elastic\"},"
                                             "\"deferrable\":{\"priority\":5}},"
                                             "\"weights\":{\"heat\":4}}");

    assert_string_equal(first, "");
    assert_string_equal(second, "");
    assert_int_equal(policy->n_classes, 7);
    assert_int_equal(hs_policy_find_class(policy, "a")->base, HS_CLASS_ELASTIC);
    assert_int_equal(hs_policy_find_class(policy, "a")->priority, 0);
    assert_int_equal(hs_policy_find_class(policy, "b")->base, HS_CLASS_MOVABLE);
    assert_int_equal(policy->classes[HS_CLASS_DEFERRABLE].priority, 5);
    assert_int_equal(policy->classes[HS_CLASS_DEFERRABLE].base, HS_CLASS_DEFERRABLE);
    assert_near(policy->heat_weight, 4, 0);
    assert_near(policy->carbon_weight, 3, 0);
}

static void parse__changes_nothing_on_an_error(void **state)
{
    check("{\"weights\":{\"heat\":2,\"wating\":1},\"classes\":{\"a\":{\"base\":\"filler\"}}}",
          "1:31: /weights/wating: unknown key 'wating', did you mean 'waiting'?");
    check("{\"weights\":{\"heat\":-1}}", "1:20: /weights/heat: must be 0 to 1000, is -1");
    check("{\"clases\":{}}", "1:11: /clases: unknown key 'clases', did you mean 'classes'?");
    check("{", "1:1: string or '}' expected near end of file");
}

static void parse__checks_classes(void **state)
{
    check("{\"classes\":{\"a\":{}}}", "1:17: /classes/a: 'base' is missing: pinned, movable, "
                                      "deferrable, elastic or filler");
    check("{\"classes\":{\"filler\":{\"base\":\"pinned\"}}}",
          "1:22: /classes/filler: 'filler' is a base class and cannot be based on 'pinned'");
    check("{\"classes\":{\"a\":{\"base\":\"filler\",\"min_run\":15}}}",
          "1:44: /classes/a/min_run: a duration needs a unit: write \"90m\", \"1h30m\" or \"2d\"");
    check(
        "{\"classes\":{\"a\":{\"base\":\"filler\",\"max_share\":0.5}}}",
        "1:17: /classes/a: 'min_share' and 'max_share' are of elastic classes, this one is filler");
    check("{\"classes\":{\"elastic\":{\"min_share\":0.6,\"max_share\":0.7}}}",
          "1:23: /classes/elastic: shares are given in quarters, and there is none from min_share "
          "0.6 "
          "to max_share 0.7");
    check("{\"classes\":[]}", "1:12: /classes: must be an object: {\"NAME\": {…}}");
    check("{\"classes\":{\"a b\":{\"base\":\"filler\"}}}",
          "1:19: /classes/a b: 'a b' is not a name of a class");
}

static void parse__checks_the_shape_of_what_comes_later(void **state)
{
    check("{\"limits\":[{\"site\":\"pool\"}]}",
          "1:12: /limits/0: 'elec_w' is missing: most IT electricity in that time");
    check("{\"limits\":[{\"site\":\"pool\",\"elec_w\":1,\"from\":\"25:00\"}]}",
          "1:12: /limits/0: 'from' and 'to' must be times such as 22:00");
    check("{\"migration\":{\"downtime_ms\":[\"x\"]}}",
          "1:30: /migration/downtime_ms/0: must be one of milliseconds above 0");
    check("{\"teams\":{\"render\":{\"shares\":2}}}",
          "1:30: /teams/render/shares: unknown key 'shares', did you mean 'share'?");
}

static void apply__fills_what_the_request_left_open(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO_MEM char *errors =
        parse(policy, "{\"classes\":{\"nightly\":{\"base\":\"deferrable\",\"priority\":10,"
                      "\"min_run\":\"15m\",\"max_wait\":\"1d\"}}}");
    HS_AUTO(hs_job) job = hs_job_new();
    HS_AUTO(hs_job) own = hs_job_new();

    assert_string_equal(errors, "");
    strcpy(job->class_name, "nightly");
    job->submitted_at_s = 1000;
    assert_int_equal(hs_policy_apply(policy, job, NULL), 0);
    assert_int_equal(job->base_class, HS_CLASS_DEFERRABLE);
    assert_int_equal(job->priority, 10);
    assert_int_equal(job->min_run_s, 900);
    assert_int_equal(job->due_at_s, 1000 + 86400 + 3600);
    strcpy(own->class_name, "nightly");
    own->submitted_at_s = 1000;
    own->priority = -1;
    own->min_run_s = 60;
    own->due_at_s = 5000;
    assert_int_equal(hs_policy_apply(policy, own, NULL), 0);
    assert_int_equal(own->priority, -1);
    assert_int_equal(own->min_run_s, 60);
    assert_int_equal(own->due_at_s, 5000);
}

static void apply__knows_what_a_class_allows(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO(hs_job) job = hs_job_new();

    strcpy(job->class_name, "filler");
    assert_int_equal(hs_policy_apply(policy, job, NULL), 0);
    assert_true(job->interruptible);
    strcpy(job->class_name, "pinned");
    assert_int_equal(hs_policy_apply(policy, job, NULL), 0);
    assert_false(job->interruptible);
}

static void apply__names_the_nearest_class(void **state)
{
    HS_AUTO(hs_policy) policy = hs_policy_new();
    HS_AUTO(hs_job) job = hs_job_new();
    struct hs_err err = {0};

    strcpy(job->class_name, "deferable");
    assert_int_equal(hs_policy_apply(policy, job, &err), -HS_E_INVALID);
    assert_string_equal(err.text, "there is no class 'deferable', did you mean 'deferrable'?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new__has_the_five_base_classes),
        cmocka_unit_test(parse__reads_the_example),
        cmocka_unit_test(parse__lets_a_later_file_replace_what_it_names),
        cmocka_unit_test(parse__changes_nothing_on_an_error),
        cmocka_unit_test(parse__checks_classes),
        cmocka_unit_test(parse__checks_the_shape_of_what_comes_later),
        cmocka_unit_test(apply__fills_what_the_request_left_open),
        cmocka_unit_test(apply__knows_what_a_class_allows),
        cmocka_unit_test(apply__names_the_nearest_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
