/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plan_check - made-up cases as tests/support/planvalid.h takes them.
 */

#include "tests/bench/plan_cases.h"
#include "tests/support/planvalid.h"

/** What a plan of @cases is checked against; borrows from @cases. */
static inline struct planvalid_case plan_check_get_case(const struct plan_cases *cases)
{
    return (struct planvalid_case){.estate = cases->estate,
                                   .frame = &cases->frame,
                                   .n_slots = cases->setup.n_slots,
                                   .jobs = cases->jobs,
                                   .n_jobs = cases->n_jobs};
}

/** Check @plan by all that it says; is_feasible and why tell what came of it. */
static inline struct planvalid_report plan_check_plan(const struct plan_cases *cases,
                                                      const struct hs_plan *plan)
{
    struct planvalid_case valid = plan_check_get_case(cases);
    struct planvalid_report report;

    planvalid_check_plan(&valid, plan, &report);
    return report;
}
