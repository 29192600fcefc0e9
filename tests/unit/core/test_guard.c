/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/guard.h"
#include "tests/unit/core/small_estate.h"

struct fixture {
    struct hs_machine machines[4];
    struct hs_guard_host hosts[SMALL_SITES];
    struct hs_guard_view view;
    struct hs_job job;
    struct hs_action action;
    struct hs_err err;
};

static void fill(struct fixture *f)
{
    *f = (struct fixture){0};
    for (size_t h = 0; h < SMALL_SITES; h++) {
        f->hosts[h] = (struct hs_guard_host){.is_up = true, .machines = f->machines, .elec_w = 100};
    }
    f->view = (struct hs_guard_view){.estate = small_estate(), .hosts = f->hosts};
    f->job = (struct hs_job){.id = 7, .vcpus = 2, .memory_mib = 1024, .state = HS_JOB_WAITING};
    f->action = (struct hs_action){.kind = HS_ACTION_START, .job_id = 7};
}

static int check(struct fixture *f)
{
    return hs_guard_check(&f->view, &f->action, &f->job, &f->err);
}

static void guard__lets_a_job_start_where_there_is_room(void **state)
{
    struct fixture f;

    fill(&f);
    assert_int_equal(check(&f), 0);
}

static void guard__refuses_a_host_that_does_not_answer(void **state)
{
    struct fixture f;

    fill(&f);
    f.hosts[0].is_up = false;
    assert_int_equal(check(&f), -HS_E_UNAVAILABLE);
}

static void guard__never_acts_on_a_machine_that_is_not_ours(void **state)
{
    struct fixture f;
    const enum hs_action_kind kinds[] = {HS_ACTION_SUSPEND, HS_ACTION_RESUME, HS_ACTION_SHUTDOWN,
                                         HS_ACTION_DESTROY};

    fill(&f);
    f.machines[0] = (struct hs_machine){.name = "hs-7", .state = HS_MACHINE_RUNNING, .vcpus = 1};
    f.hosts[0].n_machines = 1;
    f.job.state = HS_JOB_RUNNING;
    for (size_t i = 0; i < 4; i++) {
        f.action.kind = kinds[i];
        assert_int_equal(check(&f), -HS_E_DENIED); /* the name is ours, the tag is not */
    }
    f.machines[0].job_id = 7;
    f.action.kind = HS_ACTION_SUSPEND;
    assert_int_equal(check(&f), 0);
}

static void guard__starts_no_second_machine_for_a_job(void **state)
{
    static const enum hs_machine_state seen[] = {HS_MACHINE_RUNNING, HS_MACHINE_PAUSED,
                                                 HS_MACHINE_CRASHED, HS_MACHINE_UNKNOWN};
    struct fixture f;

    fill(&f);
    f.machines[0] = (struct hs_machine){.name = "hs-7", .job_id = 7};
    f.hosts[1].n_machines = 1;
    f.hosts[1].is_up = false; /* what it showed last still counts */
    for (size_t i = 0; i < 4; i++) {
        f.machines[0].state = seen[i];
        assert_int_equal(check(&f), -HS_E_DENIED);
        assert_non_null(strstr(f.err.text, "'office/h1'"));
    }
    f.machines[0].job_id = 8;
    assert_int_equal(check(&f), 0);
}

static void guard__counts_foreign_machines_as_taken(void **state)
{
    struct fixture f;

    fill(&f);
    f.machines[0] = (struct hs_machine){
        .name = "mail", .state = HS_MACHINE_RUNNING, .vcpus = 7, .memory_mib = 512};
    f.hosts[0].n_machines = 1;
    assert_int_equal(check(&f), -HS_E_CONFLICT);
    assert_non_null(strstr(f.err.text, "7 of 8 vCPUs"));
}

static void guard__never_overcommits_memory_not_even_with_suspended_guests(void **state)
{
    struct fixture f;

    fill(&f);
    f.machines[0] = (struct hs_machine){
        .name = "hs-3", .job_id = 3, .state = HS_MACHINE_PAUSED, .vcpus = 8, .memory_mib = 16000};
    f.hosts[0].n_machines = 1;
    assert_int_equal(check(&f), -HS_E_CONFLICT);
    assert_non_null(strstr(f.err.text, "MiB"));
}

static void guard__counts_no_memory_of_guests_saved_to_disk_until_they_come_back(void **state)
{
    struct fixture f;

    fill(&f);
    f.machines[0] = (struct hs_machine){
        .name = "hs-3", .job_id = 3, .state = HS_MACHINE_PAUSED, .vcpus = 8, .memory_mib = 16000};
    f.hosts[0].n_machines = 1;
    f.view.frees_memory = true;
    assert_int_equal(check(&f), 0);
    f.machines[0] = (struct hs_machine){
        .name = "hs-7", .job_id = 7, .state = HS_MACHINE_PAUSED, .vcpus = 2, .memory_mib = 1024};
    f.action.kind = HS_ACTION_RESUME;
    assert_int_equal(check(&f), 0);
    f.hosts[0].coming_memory_mib = 16000;
    assert_int_equal(check(&f), -HS_E_CONFLICT);
    assert_non_null(strstr(f.err.text, "MiB"));
}

/* Its idling is in what the rack draws already: the job adds what its vCPUs add. */
static void guard__counts_the_idling_of_a_host_that_may_sleep_once(void **state)
{
    struct fixture f;
    struct hs_host *host = &small_estate()->hosts[0];
    double elec_w = hs_host_elec_w(host, 8);

    fill(&f);
    host->sleeps = true;
    f.machines[0] = (struct hs_machine){
        .name = "hs-3", .job_id = 3, .state = HS_MACHINE_RUNNING, .vcpus = 6, .memory_mib = 512};
    f.hosts[0].n_machines = 1;
    f.hosts[0].elec_w = hs_host_elec_w(host, 6) + 600 - elec_w; /* so that all 8 just go */
    assert_int_equal(check(&f), 0);
    f.hosts[0].elec_w += 1;
    assert_int_equal(check(&f), -HS_E_CONFLICT);
    host->sleeps = false;
}

static void guard__keeps_a_rack_under_its_limit(void **state)
{
    struct fixture f;

    fill(&f);
    f.hosts[0].elec_w = 550; /* the rack may draw 600 W, the job adds 100 W */
    assert_int_equal(check(&f), -HS_E_CONFLICT);
    assert_non_null(strstr(f.err.text, "rack 'pool/r1' would draw 650 W"));
}

static void guard__counts_what_was_asked_for_and_is_not_seen_yet(void **state)
{
    struct fixture f;

    fill(&f);
    f.hosts[0].coming_vcpus = 7;
    assert_int_equal(check(&f), -HS_E_CONFLICT);
}

static void guard__keeps_a_job_out_of_a_barred_site(void **state)
{
    struct fixture f;
    char pool[] = "pool";
    char *barred[] = {pool};

    fill(&f);
    f.job.not_sites = barred;
    f.job.n_not_sites = 1;
    assert_int_equal(check(&f), -HS_E_DENIED);
    f.action.host_idx = 1;
    assert_int_equal(check(&f), 0);
}

static void guard__starts_nothing_that_is_over(void **state)
{
    struct fixture f;

    fill(&f);
    f.job.state = HS_JOB_CANCELLED;
    assert_int_equal(check(&f), -HS_E_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard__lets_a_job_start_where_there_is_room),
        cmocka_unit_test(guard__refuses_a_host_that_does_not_answer),
        cmocka_unit_test(guard__never_acts_on_a_machine_that_is_not_ours),
        cmocka_unit_test(guard__starts_no_second_machine_for_a_job),
        cmocka_unit_test(guard__counts_foreign_machines_as_taken),
        cmocka_unit_test(guard__never_overcommits_memory_not_even_with_suspended_guests),
        cmocka_unit_test(guard__counts_no_memory_of_guests_saved_to_disk_until_they_come_back),
        cmocka_unit_test(guard__counts_the_idling_of_a_host_that_may_sleep_once),
        cmocka_unit_test(guard__keeps_a_rack_under_its_limit),
        cmocka_unit_test(guard__counts_what_was_asked_for_and_is_not_seen_yet),
        cmocka_unit_test(guard__keeps_a_job_out_of_a_barred_site),
        cmocka_unit_test(guard__starts_nothing_that_is_over),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
