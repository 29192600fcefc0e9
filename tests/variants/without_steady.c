/* SPDX-License-Identifier: Apache-2.0 */
/* Without a steady clock: plan time is wall time, whoever sets it. */
#include "scheduler/base/clock.h"

struct hs_clock *__wrap_hs_clock_new_steady(double at_s);
void __wrap_hs_clock_slew(struct hs_clock *clock, double by_s);

struct hs_clock *__wrap_hs_clock_new_steady(double at_s)
{
    return hs_clock_new_real();
}

void __wrap_hs_clock_slew(struct hs_clock *clock, double by_s)
{
}
