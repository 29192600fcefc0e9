/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/core/kinds.h"
#include "tests/unit/core/small_estate.h"

#define N 4

/* A host without figures may say that it draws the same busy as idle. */
static void kinds_guide__has_a_price_where_a_vcpu_draws_nothing(void **state)
{
    struct hs_estate estate = *small_estate();
    struct hs_host hosts[SMALL_SITES] = {estate.hosts[0], estate.hosts[1]};
    const double slot_h[N] = {0.1, 1, 1, 1};
    const double elec_cur_per_mwh[SMALL_SITES * N] = {100, 100, 100, 100, 100, 100, 100, 100};
    const double heat_cur_per_wh[SMALL_SITES * N] = {1e-4, 0, 1e-4, 0};
    const double room_cur[SMALL_SITES * N] = {0, 0.1, 0, 0.1};

    hosts[0].idle_w = hosts[0].max_w;
    estate.hosts = hosts;

    struct hs_kinds *kinds = hs_kinds_new(&estate, N);

    hs_kinds_set_elec(kinds, slot_h, elec_cur_per_mwh);
    hs_kinds_guide(kinds, slot_h, heat_cur_per_wh, room_cur);
    for (size_t k = 0; k < kinds->n; k++) {
        for (size_t t = 0; t <= N; t++) {
            assert_true(isfinite(kinds->items[k].net_cur_per_w[t]));
        }
    }
    hs_kinds_free(kinds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_guide__has_a_price_where_a_vcpu_draws_nothing),
    };

    return cmocka_run_group_tests_name("kinds", tests, NULL, NULL);
}
