/* SPDX-License-Identifier: Apache-2.0 */
/* simratio - shares of the possible saving and of the possible recovery. */
#include "scheduler/sim/simratio.h"

#include <math.h>

#define SIMRATIO_SAVING_MIN_RATIO   0.01  /* of asap's cost; under it shares are noise */
#define SIMRATIO_RECOVERY_MIN_RATIO 0.002 /* 0.2 points */
#define SIMRATIO_LATE_S             1e-3  /* sums of thousands of jobs; less is rounding */

static bool is_usable(const struct hs_simrun_result *asap, const struct hs_simrun_result *bound)
{
    return asap != NULL && bound != NULL && bound->note == NULL;
}

double hs_simratio_get_value(const struct hs_simratio_marks *marks,
                             const struct hs_simrun_result *result)
{
    double asap_cur, possible_cur;

    if (!is_usable(marks->asap, marks->bound)) {
        return (double)NAN;
    }
    asap_cur = marks->asap->total.cost_cur;
    possible_cur = asap_cur - marks->bound->total.cost_cur;
    if (!(possible_cur > 0) || possible_cur < SIMRATIO_SAVING_MIN_RATIO * fabs(asap_cur)) {
        return (double)NAN;
    }
    return (asap_cur - result->total.cost_cur) / possible_cur;
}

static double get_recovery(const struct hs_simrun_result *result)
{
    return result->total.it_wh > 0 ? result->total.useful_heat_wh / result->total.it_wh
                                   : (double)NAN;
}

double hs_simratio_get_recovery(const struct hs_simratio_marks *marks,
                                const struct hs_simrun_result *result)
{
    double asap, possible;

    if (!is_usable(marks->asap, marks->bound_useful)) {
        return (double)NAN;
    }
    asap = get_recovery(marks->asap);
    possible = get_recovery(marks->bound_useful) - asap;
    if (!(possible > SIMRATIO_RECOVERY_MIN_RATIO)) {
        return (double)NAN;
    }
    return (get_recovery(result) - asap) / possible;
}

bool hs_simratio_is_later(const struct hs_simrun_result *asap,
                          const struct hs_simrun_result *result)
{
    return result->jobs_late > asap->jobs_late
           || result->late_s_sum > asap->late_s_sum + SIMRATIO_LATE_S;
}
