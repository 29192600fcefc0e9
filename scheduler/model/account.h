/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * account - energy, heat, money and carbon over a span; the same definitions for all readers.
 *
 * Definitions: docs/simulator.md, "Plant" and "Report". Sums are exact;
 * ratios are derived when asked for and NAN where their divisor is 0.
 */

#include <stddef.h>

#include "scheduler/base/jsonx.h"

struct hs_account {
    double it_wh;
    double captured_heat_wh;
    double useful_heat_wh;
    double rejected_heat_wh;
    double lost_heat_wh;
    double stored_heat_wh; /* end minus start */
    double demand_heat_wh;
    double backup_heat_wh;
    double cost_cur;
    double gco2;
    double aux_wh;         /* pumps, cooling, rejection and heat pump electricity */
    double lift_elec_wh;   /* heat pumps' part of aux_wh; it warms sinks, but is not useful heat */
    double missed_heat_wh; /* capturable heat that the cooling was too slow to hand over */
};

/** dst += src. */
void hs_account_add(struct hs_account *dst, const struct hs_account *src);

/** (captured - useful - stored - rejected - lost) / captured. */
double hs_account_get_balance_residual_ratio(const struct hs_account *account);

/** The named figures of docs/simulator.md's report up to gco2; absent is null. Owned. */
json_t *hs_account_format(const struct hs_account *account);
