/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/compute/compute_sim.h"
#include "scheduler/sim/virtual_executor.h"
#include "tests/support/near.h"

#define START_AT_S INT64_C(1767600000)

static struct hs_clock *plan_clock;
static struct hs_virtual_executor *executor;
static struct hs_compute *compute;
static struct hs_host host = {.path = "site/host", .uri = "sim:"};
static int n_ended;
static struct hs_machine_end last_end;
static double ended_at_s;
static struct hs_machine listed;
static size_t n_listed;
static char log_text[160];

static void on_ended(void *arg, size_t host_idx, const struct hs_machine_end *end)
{
    n_ended++;
    last_end = *end;
    ended_at_s = hs_clock_at_exact_s(plan_clock);
}

static void on_done(int rc, const struct hs_err *err, void *arg)
{
    *(int *)arg = rc;
}

static void on_listed(int rc, const struct hs_err *err, const struct hs_machine *machines, size_t n,
                      void *arg)
{
    n_listed = n;
    if (n > 0) {
        listed = machines[0];
    }
}

static void on_text(int rc, const struct hs_err *err, const char *text, size_t n, void *arg)
{
    (void)snprintf(log_text, sizeof(log_text), "%.*s", (int)n, text);
}

static int start(void **state)
{
    const struct hs_compute_options options = {.listener = {.ended = on_ended}, .host = &host};
    struct hs_compute_options given = options;

    n_ended = 0;
    plan_clock = hs_clock_new_virtual(START_AT_S);
    executor = hs_virtual_executor_new(plan_clock);
    given.executor = hs_virtual_executor_get(executor);
    given.clock = plan_clock;
    return hs_compute_new(&given, &compute, NULL);
}

static int end(void **state)
{
    hs_compute_free(compute);
    hs_virtual_executor_free(executor);
    hs_clock_free(plan_clock);
    return 0;
}

static void advance_to(double after_s)
{
    hs_virtual_executor_advance(executor, (double)START_AT_S + after_s);
}

static int create_with(uint64_t job_id, int64_t duration_s, const char *const *env, size_t n_env)
{
    struct hs_machine_spec spec = {
        .job_id = job_id, .epoch = 1, .vcpus = 4, .memory_mib = 1024, .duration_s = duration_s};
    int rc = 1;

    spec.env = env;
    spec.n_env = n_env;
    hs_compute_create(compute, &spec, on_done, &rc);
    assert_int_equal(rc, 1);
    hs_virtual_executor_advance(executor, hs_clock_at_exact_s(plan_clock));
    return rc;
}

static int create(uint64_t job_id, int64_t duration_s)
{
    return create_with(job_id, duration_s, NULL, 0);
}

static int act(uint64_t job_id, enum hs_action_kind kind)
{
    int rc = 1;

    hs_compute_act(compute, job_id, kind, on_done, &rc);
    hs_virtual_executor_advance(executor, hs_clock_at_exact_s(plan_clock));
    return rc;
}

static void compute_sim__runs_its_duration_to_the_second(void **state)
{
    assert_int_equal(create(12, 3600), 0);
    advance_to(3599);
    assert_int_equal(n_ended, 0);
    advance_to(10000);
    assert_int_equal(n_ended, 1);
    assert_near(ended_at_s, (double)START_AT_S + 3600, 1e-6);
    assert_true(last_end.has_exit_status);
    assert_int_equal(last_end.exit_status, 0);
    hs_compute_log(compute, 12, 1000, on_text, NULL);
    advance_to(10001);
    assert_string_equal(log_text, "simulated job 12 ran 3600 s\n");
}

static void compute_sim__a_moved_machine_goes_on_where_it_was_in_its_run(void **state)
{
    struct hs_host second_host = {.path = "site/second", .uri = "sim:"};
    struct hs_compute_options options = {.executor = hs_virtual_executor_get(executor),
                                         .clock = plan_clock,
                                         .listener = {.ended = on_ended},
                                         .host = &second_host,
                                         .host_idx = 1};
    HS_AUTO(hs_compute) second = NULL;
    int rc = 1;

    assert_true(hs_compute_can_move(host.uri, second_host.uri));
    assert_false(hs_compute_can_move(host.uri, "qemu:///system"));
    assert_false(hs_compute_can_move("qemu:///system", "qemu:///system"));
    assert_int_equal(hs_compute_new(&options, &second, NULL), 0);
    assert_int_equal(create(12, 3600), 0);
    advance_to(1000);
    hs_compute_move(compute, 12, second, on_done, &rc);
    assert_int_equal(rc, 1);
    advance_to(1000);
    assert_int_equal(rc, 0);
    hs_compute_list(compute, on_listed, NULL);
    advance_to(1000);
    assert_int_equal(n_listed, 0);
    assert_int_equal(n_ended, 0); /* it left; it did not end */
    hs_compute_list(second, on_listed, NULL);
    advance_to(1000);
    assert_int_equal(n_listed, 1);
    assert_int_equal(listed.state, HS_MACHINE_RUNNING);
    hs_compute_move(compute, 12, second, on_done, &rc);
    advance_to(1000);
    assert_int_equal(rc, -HS_E_NOTFOUND);
    advance_to(10000);
    assert_int_equal(n_ended, 1);
    assert_near(ended_at_s, (double)START_AT_S + 3600, 1e-6);
}

static int throttle(uint64_t job_id, double share)
{
    int rc = 1;

    hs_compute_throttle(compute, job_id, share, on_done, &rc);
    hs_virtual_executor_advance(executor, hs_clock_at_exact_s(plan_clock));
    return rc;
}

static void compute_sim__a_throttled_machine_runs_so_much_slower(void **state)
{
    assert_true(hs_compute_can_throttle(host.uri));
    assert_int_equal(create(12, 3600), 0);
    advance_to(1000);
    assert_int_equal(throttle(12, 0.25), 0);
    advance_to(5000); /* 1000 s at full share, 4000 s at a quarter */
    hs_compute_list(compute, on_listed, NULL);
    advance_to(5000);
    assert_near(listed.cpu_s, 4 * 2000.0, 1e-6);
    assert_int_equal(act(12, HS_ACTION_SUSPEND), 0);
    advance_to(6000);
    assert_int_equal(act(12, HS_ACTION_RESUME), 0); /* at its share */
    advance_to(7000);
    assert_int_equal(throttle(12, 1.0), 0);
    advance_to(99999);
    assert_int_equal(n_ended, 1);
    assert_near(ended_at_s, (double)START_AT_S + 7000 + 1350, 1e-6);
    assert_int_equal(throttle(12, 0.5), -HS_E_NOTFOUND);
}

static void compute_sim__suspended_time_is_no_running_time(void **state)
{
    assert_int_equal(create(12, 3600), 0);
    advance_to(1000);
    assert_int_equal(act(12, HS_ACTION_SUSPEND), 0);
    advance_to(50000);
    assert_int_equal(n_ended, 0);
    hs_compute_list(compute, on_listed, NULL);
    advance_to(50000);
    assert_int_equal(n_listed, 1);
    assert_int_equal(listed.state, HS_MACHINE_PAUSED);
    assert_near(listed.cpu_s, 4 * 1000.0, 1e-6); /* vCPU-seconds: 4 vCPUs, 1000 s */
    assert_int_equal(act(12, HS_ACTION_RESUME), 0);
    advance_to(99999);
    assert_int_equal(n_ended, 1);
    assert_near(ended_at_s, (double)START_AT_S + 50000 + 2600, 1e-6);
}

static void compute_sim__jobs_env_overrides_time_and_exit(void **state)
{
    static const char *const env[] = {"OTHER=1", "HSCHED_SIM_RUN_S=5", "HSCHED_SIM_EXIT=9"};

    assert_int_equal(create_with(12, 3600, env, 3), 0);
    advance_to(6);
    assert_int_equal(n_ended, 1);
    assert_int_equal(last_end.exit_status, 9);
}

static void compute_backend__is_chosen_by_the_uri(void **state)
{
    assert_string_equal(hs_compute_backend("sim:")->name, "sim");
    assert_string_equal(hs_compute_backend("qemu+tls://h1.pool.example/system")->name, "libvirt");
    assert_string_equal(hs_compute_backend("test:///default")->name, "libvirt");
}

static void compute_backend__has_every_slot(void **state)
{
    const struct hs_compute_ops *const backends[] = {&hs_compute_sim_ops, &hs_compute_libvirt_ops};

    for (size_t i = 0; i < 2; i++) {
        assert_non_null(backends[i]->summary);
        assert_non_null(backends[i]->new);
        assert_non_null(backends[i]->list);
        assert_non_null(backends[i]->create);
        assert_non_null(backends[i]->act);
        assert_non_null(backends[i]->log);
        assert_non_null(backends[i]->collect);
        assert_non_null(backends[i]->clean);
        assert_non_null(backends[i]->destroy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(compute_sim__runs_its_duration_to_the_second, start, end),
        cmocka_unit_test_setup_teardown(
            compute_sim__a_moved_machine_goes_on_where_it_was_in_its_run, start, end),
        cmocka_unit_test_setup_teardown(compute_sim__a_throttled_machine_runs_so_much_slower, start,
                                        end),
        cmocka_unit_test_setup_teardown(compute_sim__suspended_time_is_no_running_time, start, end),
        cmocka_unit_test_setup_teardown(compute_sim__jobs_env_overrides_time_and_exit, start, end),
        cmocka_unit_test(compute_backend__is_chosen_by_the_uri),
        cmocka_unit_test(compute_backend__has_every_slot),
    };
    return cmocka_run_group_tests_name("compute_sim", tests, NULL, NULL);
}
