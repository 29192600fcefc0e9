/* SPDX-License-Identifier: Apache-2.0 */
/* account - sums and the ratios derived from them. */
#include "scheduler/model/account.h"

#include <math.h>

void hs_account_add(struct hs_account *dst, const struct hs_account *src)
{
    dst->it_wh += src->it_wh;
    dst->captured_heat_wh += src->captured_heat_wh;
    dst->useful_heat_wh += src->useful_heat_wh;
    dst->rejected_heat_wh += src->rejected_heat_wh;
    dst->lost_heat_wh += src->lost_heat_wh;
    dst->stored_heat_wh += src->stored_heat_wh;
    dst->demand_heat_wh += src->demand_heat_wh;
    dst->backup_heat_wh += src->backup_heat_wh;
    dst->cost_cur += src->cost_cur;
    dst->gco2 += src->gco2;
    dst->aux_wh += src->aux_wh;
    dst->lift_elec_wh += src->lift_elec_wh;
    dst->missed_heat_wh += src->missed_heat_wh;
}

static double ratio(double part, double whole)
{
    return whole != 0 ? part / whole : NAN;
}

double hs_account_get_balance_residual_ratio(const struct hs_account *account)
{
    return ratio(account->captured_heat_wh - account->useful_heat_wh - account->stored_heat_wh
                     - account->rejected_heat_wh - account->lost_heat_wh,
                 account->captured_heat_wh);
}

json_t *hs_account_format(const struct hs_account *account)
{
    json_t *json = hs_jsonx_object();

    hs_jsonx_set_real(json, "it_wh", account->it_wh);
    hs_jsonx_set_real(json, "captured_heat_wh", account->captured_heat_wh);
    hs_jsonx_set_real(json, "useful_heat_wh", account->useful_heat_wh);
    hs_jsonx_set_real(json, "rejected_heat_wh", account->rejected_heat_wh);
    hs_jsonx_set_real(json, "lost_heat_wh", account->lost_heat_wh);
    hs_jsonx_set_real(json, "stored_heat_wh", account->stored_heat_wh);
    hs_jsonx_set_real(json, "balance_residual_ratio",
                      hs_account_get_balance_residual_ratio(account));
    hs_jsonx_set_real(json, "demand_heat_wh", account->demand_heat_wh);
    hs_jsonx_set_real(json, "recovery_ratio", ratio(account->useful_heat_wh, account->it_wh));
    hs_jsonx_set_real(json, "used_ratio",
                      ratio(account->useful_heat_wh, account->captured_heat_wh));
    hs_jsonx_set_real(json, "coverage_ratio",
                      ratio(account->useful_heat_wh, account->demand_heat_wh));
    /* ISO/IEC 30134-6: reused energy over all energy of the data centre */
    hs_jsonx_set_real(json, "erf",
                      ratio(account->useful_heat_wh, account->it_wh + account->aux_wh));
    hs_jsonx_set_real(json, "backup_heat_wh", account->backup_heat_wh);
    hs_jsonx_set_real(json, "cost_cur", account->cost_cur);
    /* These compare runs and are known to whoever has several; the order stays the report's. */
    hs_jsonx_set_real(json, "saving_heat_cur", NAN);
    hs_jsonx_set_real(json, "saving_electricity_cur", NAN);
    hs_jsonx_set_real(json, "value_captured_ratio", NAN);
    hs_jsonx_set_real(json, "recovery_points_captured_ratio", NAN);
    hs_jsonx_set_real(json, "gco2", account->gco2);
    return json;
}
