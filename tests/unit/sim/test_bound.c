/* SPDX-License-Identifier: Apache-2.0 */
/* The bound's rows and their optimum on programs small enough to solve by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"
#include "scheduler/sim/bound_priv.h"
#include "scheduler/sim/controller.h"
#include "scheduler/sim/sparselp_clp.h"
#include "tests/support/near.h"

#define WORTH_CUR_PER_MWH 100.0 /* 90 ÷ 0.9 */
#define SLOT_S            3600

/* One site, one host: idle 100 W, 100 W a vCPU, 10 vCPUs of which 2 are pinned: 300 W always. */
static const char estate_format[] =
    "{\"api\": \"hsched.estate/v1\", \"estate\": \"tiny\", \"cell\": \"main\", \"slot_s\": 3600,"
    "\"currency\": \"EUR\", \"carbon_price_cur_per_t\": 0, \"sites\": [{\"name\": \"pool\","
    "\"electricity\": {\"price_cur_per_mwh\": 100%s}, \"aux_elec_ratio\": 0.1,"
    "\"loops\": [{\"name\": \"main\", \"capture_ratio\": 0.5, \"supply_c\": 50%s,"
    "\"rejection\": {\"limit_w\": 50000, \"elec_ratio\": 0.1},"
    "\"sinks\": [{\"name\": \"basin\", \"kind\": \"pool\", \"supply_min_c\": 35,"
    "\"heat_limit_w\": 1000%s, \"backup\": {\"kind\": \"gas-boiler\", \"efficiency_ratio\": 0.9,"
    "\"price_cur_per_mwh\": 90, \"gco2_per_kwh\": 200}}]}],"
    "\"racks\": [{\"name\": \"r1\", \"loop\": \"main\", \"cooling\": \"direct-to-chip\"%s,"
    "\"hosts\": [{\"name\": \"h1\", \"uri\": \"sim:\", \"vcpus\": 10, \"memory_mib\": 65536,"
    "\"idle_w\": 100, \"max_w\": 1100, \"pinned_vcpus\": 2}]}]}]}";

struct tiny {
    struct hs_scenario scenario;
    struct hs_trace trace;
    struct hs_simjobs jobs;
    struct hs_simrun_result result;
    struct hs_err err;
};

/** What differs between the cases; JSON that follows a field, "" for nothing. */
struct tiny_parts {
    const char *feeder;
    const char *tank;
    const char *sink;
    const char *rack;
};

static void open_tiny(struct tiny *tiny, struct tiny_parts parts, size_t n_slots,
                      const double *demand_w, const double *price)
{
    struct hs_conf_report report = {.file = "tiny"};
    char text[4096];

    *tiny = (struct tiny){0};
    snprintf(text, sizeof(text), estate_format, parts.feeder, parts.tank, parts.sink, parts.rack);
    assert_int_equal(hs_estate_parse("tiny", text, &report, &tiny->scenario.estate), 0);
    hs_conf_report_fini(&report);
    tiny->scenario.start_at_s = 1767571200;
    tiny->scenario.slot_s = SLOT_S;
    tiny->scenario.n_slots = n_slots;
    tiny->trace.n_slots = n_slots;
    tiny->trace.demand_heat_w = hs_xcalloc(n_slots, sizeof(double));
    tiny->trace.elec_cur_per_mwh = hs_xcalloc(n_slots, sizeof(double));
    tiny->trace.gco2_per_kwh = hs_xcalloc(n_slots, sizeof(double));
    memcpy(tiny->trace.demand_heat_w, demand_w, n_slots * sizeof(double));
    memcpy(tiny->trace.elec_cur_per_mwh, price, n_slots * sizeof(double));
}

static void add_job(struct tiny *tiny, uint32_t vcpus, double submit_s, double run_s, double due_s)
{
    double start_at_s = (double)tiny->scenario.start_at_s;
    struct hs_simjob job = {.submit_at_s = start_at_s + submit_s,
                            .run_s = run_s,
                            .estimate_s = run_s,
                            .due_at_s = start_at_s + due_s,
                            .vcpus = vcpus,
                            .memory_mib = 1024};

    HS_VEC_PUSH(&tiny->jobs, job);
}

static int solve(struct tiny *tiny, const struct hs_controller_ops *ops)
{
    struct hs_controller_input input = {
        .scenario = &tiny->scenario, .trace = &tiny->trace, .jobs = &tiny->jobs};
    struct hs_controller_options options = {0};

    free(tiny->result.sites);
    tiny->result = (struct hs_simrun_result){0};
    return ops->bound(&input, &options, &tiny->result, &tiny->err);
}

static void close_tiny(struct tiny *tiny)
{
    free(tiny->result.sites);
    HS_VEC_FINI(&tiny->jobs);
    free(tiny->trace.gco2_per_kwh);
    free(tiny->trace.elec_cur_per_mwh);
    free(tiny->trace.demand_heat_w);
    hs_estate_free(tiny->scenario.estate);
}

static const struct tiny_parts plain = {"", "", "", ""};

/*
 * No tank, demand 400 W in the second hour, a job of 8 vCPU-hours that may run in either. Base
 * 300 W gives 150 W of heat. Run early: 800 W more electricity at 50, its heat rejected. Run late
 * at 100: 950 - 400 W of heat is rejected, 250 Wh of backup saved.
 */
static void bound__puts_a_job_where_it_costs_least(void **state)
{
    const double demand_w[] = {0, 400}, late_price[] = {50, 100}, even_price[] = {100, 100};
    struct tiny tiny;

    open_tiny(&tiny, plain, 2, demand_w, late_price);
    add_job(&tiny, 8, 0, 3600, 7200);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    /* early: IT 1100 at 50 and 300 at 100, aux 0.1 of both; rejected 550 at 50 × 0.1; backup 250 */
    assert_near(tiny.result.total.cost_cur,
                (1100 * 1.1 * 50 + 300 * 1.1 * 100 + 550 * 0.1 * 50 + 250 * WORTH_CUR_PER_MWH)
                    * 1e-6,
                1e-6);
    assert_near(tiny.result.total.useful_heat_wh, 150, 1e-3);
    assert_near(tiny.result.total.it_wh, 1400, 1e-3);
    assert_near(tiny.result.electricity_cur + tiny.result.backup_cur, tiny.result.total.cost_cur,
                1e-12);
    assert_true(tiny.result.is_bound);
    assert_null(tiny.result.note);
    close_tiny(&tiny);

    open_tiny(&tiny, plain, 2, demand_w, even_price);
    add_job(&tiny, 8, 0, 3600, 7200);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    assert_near(tiny.result.total.useful_heat_wh, 400, 1e-3);
    assert_near(tiny.result.total.backup_heat_wh, 0, 1e-3);
    close_tiny(&tiny);
}

/** The same work: useful heat comes before the price of electricity. */
static void bound_useful__wants_heat_at_any_price(void **state)
{
    const double demand_w[] = {0, 400}, price[] = {1, 1000};
    struct tiny tiny;

    open_tiny(&tiny, plain, 2, demand_w, price);
    add_job(&tiny, 8, 0, 3600, 7200);
    assert_int_equal(solve(&tiny, &hs_controller_bound_useful_ops), 0);
    assert_near(tiny.result.total.useful_heat_wh, 400, 1e-3);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    assert_near(tiny.result.total.useful_heat_wh, 150, 1e-3);
    close_tiny(&tiny);
}

/** Nothing runs before its submit: all of it falls into the dear second hour. */
static void bound__keeps_submit_and_due(void **state)
{
    const double demand_w[] = {0, 0, 0}, price[] = {1, 100, 1};
    struct tiny tiny;

    open_tiny(&tiny, plain, 3, demand_w, price);
    add_job(&tiny, 8, 3600, 3600, 7200);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    assert_near(tiny.result.electricity_cur, (2 * (330 + 15) + 100 * (1100 * 1.1 + 55)) * 1e-6,
                1e-6);
    close_tiny(&tiny);
}

/** Demand of 3000 W, an exchanger of 1000 W: 2000 W are backup's whatever is captured. */
static void bound__leaves_demand_over_the_heat_limit_to_backup(void **state)
{
    const double demand_w[] = {3000}, price[] = {100};
    struct tiny tiny;

    open_tiny(&tiny, plain, 1, demand_w, price);
    add_job(&tiny, 8, 0, 3600, 3600);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    assert_near(tiny.result.total.useful_heat_wh, 550, 1e-3);
    close_tiny(&tiny);

    open_tiny(&tiny, (struct tiny_parts){"", "", "", ", \"capture_ratio\": 1"}, 1, demand_w, price);
    add_job(&tiny, 8, 0, 3600, 3600);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    assert_near(tiny.result.total.useful_heat_wh, 1000, 1e-3);
    assert_near(tiny.result.total.rejected_heat_wh, 100, 1e-3);
    close_tiny(&tiny);
}

#define TANK(nodes_, ambient_)                           \
    ", \"tank\": {\"volume_l\": 100, \"nodes\": " nodes_ \
    ", \"min_c\": 40, \"max_c\": 60, \"loss_w_per_k\": 2, \"ambient_c\": " ambient_ "}"

/**
 * A tank of 2326 Wh starts half full; 1163 Wh lose 2 × (40 - 20) + 2 ÷ 116.3 × 1163 = 60 Wh in the
 * first hour by the upper line, and 2326 Wh lose 80 by the lower one: at least 80 ÷ 2326 × 1163.
 */
static void bound__loses_between_the_two_lines(void **state)
{
    const double price[] = {100}, no_demand[] = {0};
    double max_wh = hs_wh_from_l_k(100, 20), lost_wh;
    struct tiny tiny;

    open_tiny(&tiny, (struct tiny_parts){"", TANK("1", "20"), "", ""}, 1, no_demand, price);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    lost_wh = tiny.result.total.lost_heat_wh;
    assert_true(lost_wh >= 80.0 / max_wh * max_wh / 2 - 1e-3 && lost_wh <= 60 + 1e-3);
    assert_near(tiny.result.total.captured_heat_wh,
                tiny.result.total.useful_heat_wh + tiny.result.total.rejected_heat_wh + lost_wh
                    + tiny.result.total.stored_heat_wh,
                1e-6);
    close_tiny(&tiny);
}

static size_t count_loss_rows(const struct tiny_parts parts)
{
    const double price[] = {100, 100}, no_demand[] = {0, 0};
    HS_AUTO(hs_bound) bound = NULL;
    struct tiny tiny;
    size_t n = 0;

    open_tiny(&tiny, parts, 2, no_demand, price);
    assert_int_equal(hs_bound_new(&tiny.scenario, &tiny.trace, &tiny.jobs, 0, &bound, NULL), 0);
    for (size_t i = 0; i < bound->lp->entries.n; i++) {
        size_t column = (size_t)bound->lp->entries.items[i].column;

        n += column == hs_bound_get_loop_column(bound, 1, 0, HS_BOUND_LOST);
    }
    close_tiny(&tiny);
    return n - 1; /* the balance */
}

static void bound__writes_loss_rows_only_where_lines_are_known(void **state)
{
    assert_int_equal(count_loss_rows(plain), 0);
    assert_int_equal(count_loss_rows((struct tiny_parts){"", TANK("1", "20"), "", ""}), 2);
    assert_int_equal(count_loss_rows((struct tiny_parts){"", TANK("1", "50"), "", ""}), 2);
    assert_int_equal(count_loss_rows((struct tiny_parts){"", TANK("5", "20"), "", ""}), 0);
}

/** 16 vCPU-hours due within two hours on 8 vCPUs fit; 24 do not, and the result says so. */
static void bound__says_where_no_schedule_is_in_time(void **state)
{
    const double demand_w[] = {0, 0, 0, 0}, price[] = {10, 10, 1, 10};
    struct tiny tiny;

    open_tiny(&tiny, plain, 4, demand_w, price);
    add_job(&tiny, 8, 0, 3600, 7200);
    add_job(&tiny, 8, 0, 3600, 7200);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    assert_null(tiny.result.note);
    add_job(&tiny, 8, 0, 3600, 7200);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
    assert_non_null(tiny.result.note);
    assert_non_null(strstr(tiny.result.note, "no schedule is in time"));
    /* all work is done in the first three hours: being late costs more than any price */
    assert_near(tiny.result.total.it_wh, 4 * 300 + 2400, 1e-3);
    assert_near(tiny.result.electricity_cur,
                (2 * 10 * (1100 * 1.1 + 55) + 1 * (1100 * 1.1 + 55) + 10 * (330 + 15)) * 1e-6,
                1e-6);
    close_tiny(&tiny);
}

/** A rack of 700 W leaves 400 W beside the base: 8 vCPU-hours need two hours, one of them dear. */
static void bound__keeps_a_rack_limit_that_can_bind(void **state)
{
    const double demand_w[] = {0, 0}, price[] = {10, 100};
    const struct tiny_parts limits[] = {{"", "", "", ", \"limit_w\": 700"},
                                        {", \"limit_w\": 700", "", "", ""}};

    for (size_t i = 0; i < 2; i++) {
        struct tiny tiny;

        open_tiny(&tiny, limits[i], 2, demand_w, price);
        add_job(&tiny, 8, 0, 3600, 7200);
        assert_int_equal(solve(&tiny, &hs_controller_bound_ops), 0);
        assert_near(tiny.result.electricity_cur, 110 * (700 * 1.1 + 35) * 1e-6, 1e-6);
        close_tiny(&tiny);
    }
}

static void bound__refuses_what_it_has_no_row_for(void **state)
{
    const double demand_w[] = {0}, price[] = {10};
    struct tiny tiny;

    open_tiny(&tiny, (struct tiny_parts){"", "", ", \"lift\": \"heat-pump\"", ""}, 1, demand_w,
              price);
    assert_int_equal(solve(&tiny, &hs_controller_bound_ops), -HS_E_UNSUPPORTED);
    assert_string_equal(tiny.err.where, "pool/main/basin");
    assert_non_null(strstr(tiny.err.text, "heat-pump"));
    close_tiny(&tiny);
}

static void jobfluid__adds_what_each_job_must_and_may_have_done(void **state)
{
    HS_AUTO(hs_jobfluid) fluid = hs_jobfluid_new(4, 3600);

    hs_jobfluid_add(fluid, 2, 1800, 3 * 3600, 3600); /* open 0.5 h to 3 h */
    hs_jobfluid_add(fluid, 1, 0, 7200, 5400);
    hs_jobfluid_apply(fluid);
    assert_near(fluid->may_vcpu_h[0], 2 * 0.5 + 1, 1e-12);
    assert_near(fluid->may_vcpu_h[1], 2 * 1 + 1.5, 1e-12);
    assert_near(fluid->may_vcpu_h[3], 3.5, 1e-12);
    assert_near(fluid->must_vcpu_h[0], 0.5, 1e-12); /* 1.5 h in two: half an hour is due in one */
    assert_near(fluid->must_vcpu_h[1], 1.5, 1e-12);
    assert_near(fluid->must_vcpu_h[2], 3.5, 1e-12);
    assert_near(fluid->open_vcpus[0], 2 * 0.5 + 1, 1e-12);
    assert_near(fluid->open_vcpus[2], 2, 1e-12);
    assert_near(fluid->open_vcpus[3], 0, 1e-12);
}

/** maximise 3x + 2y with x + y <= 4, x + 3y <= 6, x <= 3: 11 at (3, 1). */
static void sparselp_clp__solves_by_either_method(void **state)
{
    const enum hs_sparselp_clp_method methods[] = {HS_SPARSELP_CLP_BARRIER, HS_SPARSELP_CLP_PRIMAL};

    for (size_t i = 0; i < 2; i++) {
        HS_AUTO(hs_sparselp) lp = hs_sparselp_new();
        double values[2] = {0};
        size_t x = hs_sparselp_add_column(lp, 0, 3, -3);
        size_t y = hs_sparselp_add_column(lp, 0, INFINITY, -2);
        size_t first = hs_sparselp_add_row(lp, -INFINITY, 4);
        size_t second = hs_sparselp_add_row(lp, -INFINITY, 6);

        hs_sparselp_set(lp, first, x, 1);
        hs_sparselp_set(lp, first, y, 1);
        hs_sparselp_set(lp, second, x, 1);
        hs_sparselp_set(lp, second, y, 3);
        assert_int_equal(hs_sparselp_clp_solve(lp, methods[i], values, NULL), 0);
        assert_near(values[0], 3, 1e-7);
        assert_near(values[1], 1, 1e-7);
        lp->rows.items[first].lower = 4.5; /* x + y >= 4.5 and <= 5 against x + 3y <= 6, x <= 3 */
        lp->rows.items[first].upper = 5;
        assert_int_equal(hs_sparselp_clp_solve(lp, methods[i], values, NULL), -HS_E_CONFLICT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bound__puts_a_job_where_it_costs_least),
        cmocka_unit_test(bound_useful__wants_heat_at_any_price),
        cmocka_unit_test(bound__keeps_submit_and_due),
        cmocka_unit_test(bound__leaves_demand_over_the_heat_limit_to_backup),
        cmocka_unit_test(bound__loses_between_the_two_lines),
        cmocka_unit_test(bound__writes_loss_rows_only_where_lines_are_known),
        cmocka_unit_test(bound__says_where_no_schedule_is_in_time),
        cmocka_unit_test(bound__keeps_a_rack_limit_that_can_bind),
        cmocka_unit_test(bound__refuses_what_it_has_no_row_for),
        cmocka_unit_test(jobfluid__adds_what_each_job_must_and_may_have_done),
        cmocka_unit_test(sparselp_clp__solves_by_either_method),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
