/* SPDX-License-Identifier: Apache-2.0 */
/* Moves, filler and ramps: what a plan owes to hosts that are left, to ceilings, to its last self.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/place_priv.h"
#include "tests/unit/core/small_estate.h"

#define N      24
#define FROM   INT64_C(1700000000)
#define SLOT_S INT64_C(1000)

struct horizon {
    double elec[SMALL_SITES * N];
    double zeros[N];
    double demand_wh[SMALL_SITES][N];
    double worth[1];
    struct hs_thermal_input inputs[SMALL_SITES];
    struct hs_place_frame frame;
};

static void set(struct horizon *h, double elec_cur_per_mwh)
{
    memset(h, 0, sizeof(*h));
    h->worth[0] = 90.0;
    for (size_t i = 0; i < SMALL_SITES * N; i++) {
        h->elec[i] = elec_cur_per_mwh;
    }
    for (size_t s = 0; s < SMALL_SITES; s++) {
        h->inputs[s] = (struct hs_thermal_input){.slot_s = (double)SLOT_S,
                                                 .captured_wh = h->zeros,
                                                 .sink_demand_wh = h->demand_wh[s],
                                                 .sink_cur_per_mwh = h->worth,
                                                 .reject_cur_per_wh = h->zeros};
    }
    h->frame = (struct hs_place_frame){
        .now_at_s = FROM, .from_at_s = FROM, .elec_cur_per_mwh = h->elec, .thermal = h->inputs};
}

static struct hs_place_job job_of(uint64_t id, enum hs_place_freedom freedom, int64_t run_slots,
                                  int64_t due_slot)
{
    return (struct hs_place_job){.job_id = id,
                                 .freedom = freedom,
                                 .size = {.vcpus = 2, .memory_mib = 1024},
                                 .remaining_s = (double)(run_slots * SLOT_S),
                                 .due_at_s = FROM + due_slot * SLOT_S,
                                 .host_idx = SIZE_MAX};
}

static const struct hs_placement *find(struct hs_place *place, uint64_t job_id)
{
    const struct hs_placement *placement = hs_plan_find(hs_place_get_plan(place), job_id);

    assert_non_null(placement);
    return placement;
}

/* Two jobs of more memory than the host has for both: one waits there to be moved away later. */
static void plan_a_late_move(struct hs_place *place, struct horizon *h, bool frees_memory)
{
    static const bool first_site_only[SMALL_SITES] = {true, false};
    struct hs_place_job jobs[2] = {job_of(1, HS_PLACE_INTERRUPTIBLE, 2, 20),
                                   job_of(2, HS_PLACE_CONTIGUOUS, 2, 12)};

    set(h, 100.0);
    h->demand_wh[1][15] = h->demand_wh[1][16] = 1000.0; /* it is to go on there, and then */
    h->frame.frees_memory = frees_memory;
    for (size_t t = 0; t < N; t++) {
        h->elec[t] = t >= 4 && t < 6 ? 20.0 : 100.0;      /* for the other job, here */
        h->elec[N + t] = t >= 15 && t < 17 ? 1.0 : 200.0; /* there */
    }
    jobs[0].size.memory_mib = 12288;
    jobs[0].host_idx = 0;
    jobs[0].is_movable = true;
    jobs[1].size.memory_mib = 8192;
    jobs[1].site_allowed = first_site_only;
    hs_place_set(place, &h->frame);
    hs_place_plan(place, jobs, 2);
}

static void move__holds_the_memory_of_the_host_that_it_leaves_until_then(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);

    plan_a_late_move(place, &h, false);

    const struct hs_placement *moved = find(place, 1);
    const struct hs_placement *other = find(place, 2);

    size_t left_at = moved->host_idx == 1 ? moved->first_slot : moved->last_slot + 1;

    assert_int_equal(other->host_idx, 0);
    assert_true(other->first_slot >= left_at);
    assert_false(other->is_late);
    assert_false(moved->is_late);
}

static void move__leaves_no_memory_behind_where_suspended_work_is_saved(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);

    plan_a_late_move(place, &h, true);
    assert_int_equal(find(place, 1)->host_idx, 1);
    assert_int_equal(find(place, 1)->first_slot, 15);
    assert_int_equal(find(place, 2)->first_slot, 4);
}

/* Two fillers for the heat of one: the first asks for more than the second leaves it. */
static void plan_fillers(struct hs_place *place, struct horizon *h, size_t host_idx)
{
    struct hs_place_job jobs[2] = {job_of(1, HS_PLACE_FILLER, 1, 11),
                                   job_of(2, HS_PLACE_FILLER, 1, 11)};

    set(h, 20.0);
    h->demand_wh[0][10] = 30.0; /* a job gives 22 Wh */
    for (size_t t = 0; t < N; t++) {
        h->elec[N + t] = 500.0;
        h->elec[t] = t == 10 ? 20.0 : 500.0;
    }
    jobs[0].ceiling_cur_per_mwh = -40.0;
    jobs[0].host_idx = host_idx;
    jobs[1].ceiling_cur_per_mwh = 100.0;
    hs_place_set(place, &h->frame);
    hs_place_plan(place, jobs, 2);
}

static void filler__stays_out_where_it_earns_less_than_its_ceiling_asks(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);

    plan_fillers(place, &h, SIZE_MAX);
    assert_int_equal(find(place, 1)->host_idx, SIZE_MAX);
    assert_int_equal(find(place, 2)->first_slot, 10);
}

static void filler__on_a_host_stays_suspended_where_it_earns_too_little(void **state)
{
    struct horizon h;
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);

    plan_fillers(place, &h, 0);
    assert_int_equal(find(place, 1)->host_idx, SIZE_MAX);
}

static void ramp__puts_off_the_same_job_when_nothing_has_changed(void **state)
{
    struct horizon h;
    struct hs_estate estate = *small_estate();
    struct hs_rack racks[SMALL_SITES];
    struct hs_place_job jobs[2] = {job_of(1, HS_PLACE_CONTIGUOUS, 2, 16),
                                   job_of(2, HS_PLACE_CONTIGUOUS, 2, 16)};
    struct hs_placement last[2];

    memcpy(racks, estate.racks, sizeof(racks));
    racks[0].ramp_w_per_min = 100.0 * 0.8 / ((double)SLOT_S / 60.0); /* one start a slot */
    estate.racks = racks;
    set(&h, 100.0);
    for (size_t t = 0; t < N; t++) {
        h.elec[N + t] = 500.0;
        h.elec[t] = t == 10 || t == 11 ? 50.0 : 100.0;
    }
    h.frame.ramp_cur_per_kw = 1.0;

    HS_AUTO(hs_place) place = hs_place_new(&estate, N);

    hs_place_set(place, &h.frame);
    hs_place_plan(place, jobs, 2);
    for (size_t i = 0; i < 2; i++) {
        last[i] = *find(place, jobs[i].job_id);
        jobs[i].last = &last[i];
        jobs[i].last_from_at_s = FROM;
    }
    assert_int_not_equal(last[0].first_slot, last[1].first_slot);
    hs_place_set(place, &h.frame);
    hs_place_refresh(place, jobs, 2);
    assert_int_equal(find(place, 1)->first_slot, last[0].first_slot);
    assert_int_equal(find(place, 2)->first_slot, last[1].first_slot);
}

/* A long run and three short ones, each of which takes a host: only if the long one goes first, and
 * the short ones one after the other, is nobody late. */
static void last__leaves_room_for_who_is_due_soon(void **state)
{
    struct horizon h;
    struct hs_place_job jobs[4];
    const struct hs_place_job *order[4];
    HS_AUTO(hs_place) place = hs_place_new(small_estate(), N);

    set(&h, 100.0);
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = i == 0 ? job_of(i + 1, HS_PLACE_CONTIGUOUS, 10, 13)
                         : job_of(i + 1, HS_PLACE_CONTIGUOUS, 3, 10);
        jobs[i].size.vcpus = SMALL_HOST_VCPUS;
        order[i] = &jobs[i];
    }
    hs_place_set(place, &h.frame);
    hs_place_plan_from(place, order, 4, HS_PLACE_MODE_LAST);
    for (size_t i = 0; i < 4; i++) {
        assert_false(find(place, i + 1)->is_late);
    }
    /* first due, first served would begin the long one behind a short one */
    assert_true(find(place, 1)->first_slot <= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(move__holds_the_memory_of_the_host_that_it_leaves_until_then),
        cmocka_unit_test(move__leaves_no_memory_behind_where_suspended_work_is_saved),
        cmocka_unit_test(filler__stays_out_where_it_earns_less_than_its_ceiling_asks),
        cmocka_unit_test(filler__on_a_host_stays_suspended_where_it_earns_too_little),
        cmocka_unit_test(ramp__puts_off_the_same_job_when_nothing_has_changed),
        cmocka_unit_test(last__leaves_room_for_who_is_due_soon),
    };

    return cmocka_run_group_tests_name("place_rules", tests, NULL, NULL);
}
