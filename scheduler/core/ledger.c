/* SPDX-License-Identifier: Apache-2.0 */
/* ledger - see ledger.h. */
#include "scheduler/core/ledger.h"

#include <math.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

struct site_sum {
    double it_wh;
    double elec_cur; /* IT and auxiliary electricity, carbon price in */
    double elec_gco2;
};

struct loop_sum {
    double modelled_captured_wh; /* where no meter says */
};

struct hs_ledger {
    const struct hs_estate *estate;
    int64_t at_s;
    struct site_sum *sites;
    struct loop_sum *loops;
    struct hs_ledger_prices *prices; /* [n_sites] the newest */
};

struct hs_ledger *hs_ledger_new(const struct hs_estate *estate, int64_t now_at_s)
{
    struct hs_ledger *ledger = hs_xcalloc(1, sizeof(*ledger));

    ledger->estate = estate;
    ledger->at_s = now_at_s;
    ledger->sites = hs_xcalloc(estate->n_sites, sizeof(*ledger->sites));
    ledger->loops = hs_xcalloc(estate->n_loops, sizeof(*ledger->loops));
    ledger->prices = hs_xcalloc(estate->n_sites, sizeof(*ledger->prices));
    return ledger;
}

void hs_ledger_free(struct hs_ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    free(ledger->prices);
    free(ledger->loops);
    free(ledger->sites);
    free(ledger);
}

static double elec_cur_per_mwh(const struct hs_ledger *ledger, size_t site_idx)
{
    const struct hs_ledger_prices *prices = &ledger->prices[site_idx];

    return prices->price_cur_per_mwh
           + hs_cur_per_mwh_from_carbon(ledger->estate->carbon_price_cur_per_t,
                                        prices->gco2_per_kwh);
}

void hs_ledger_run(struct hs_ledger *ledger, int64_t now_at_s, const double *host_elec_w,
                   const struct hs_ledger_prices *prices)
{
    const struct hs_estate *estate = ledger->estate;
    double span_s = (double)(now_at_s - ledger->at_s);

    for (size_t s = 0; s < estate->n_sites; s++) {
        ledger->prices[s] = prices[s];
    }
    if (span_s <= 0) {
        return;
    }
    ledger->at_s = now_at_s;
    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];
        struct site_sum *site = &ledger->sites[host->site_idx];
        double it_wh = hs_wh_from_w(host_elec_w[h], span_s);
        double all_wh = it_wh * (1.0 + estate->sites[host->site_idx].aux_elec_ratio);

        site->it_wh += it_wh;
        site->elec_cur += hs_cur_from_wh(all_wh, elec_cur_per_mwh(ledger, host->site_idx));
        site->elec_gco2 += hs_gco2_from_wh(all_wh, prices[host->site_idx].gco2_per_kwh);
        ledger->loops[host->loop_idx].modelled_captured_wh +=
            it_wh * estate->racks[host->rack_idx].capture_ratio;
    }
}

/* Mean worth and carbon of backup over a loop's sinks, weighted by demand. */
static void mean_backup(const struct hs_ledger *ledger, const struct hs_estimator *est,
                        const struct hs_heatloop *loop, double *ret_cur_per_mwh,
                        double *ret_gco2_per_kwh)
{
    double demand_wh = 0.0;

    *ret_cur_per_mwh = 0.0;
    *ret_gco2_per_kwh = 0.0;
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        const struct hs_sink *sink = &ledger->estate->sinks[k];
        double weight_wh = est->sinks[k].demand_wh;

        demand_wh += weight_wh;
        *ret_cur_per_mwh +=
            weight_wh * hs_sink_worth_cur_per_mwh(sink, ledger->estate->carbon_price_cur_per_t);
        *ret_gco2_per_kwh += weight_wh * sink->backup_gco2_per_kwh / sink->backup_efficiency_ratio;
    }
    if (demand_wh > 0) {
        *ret_cur_per_mwh /= demand_wh;
        *ret_gco2_per_kwh /= demand_wh;
    }
}

static void add_loop(const struct hs_ledger *ledger, const struct hs_estimator *est,
                     size_t loop_idx, struct hs_account *account)
{
    const struct hs_heatloop *loop = &ledger->estate->loops[loop_idx];
    const struct hs_estimator_loop *seen = &est->loops[loop_idx];
    double worth_cur_per_mwh;
    double backup_gco2_per_kwh;
    double stored_wh = isnan(seen->first_tank_wh)
                           ? 0.0
                           : hs_estimator_get_tank_wh(est, loop_idx) - seen->first_tank_wh;
    double dump_wh = seen->rejected_wh * loop->rejection_elec_ratio;

    account->captured_heat_wh += isnan(seen->captured_wh.value)
                                     ? ledger->loops[loop_idx].modelled_captured_wh
                                     : seen->metered_captured_wh;
    account->rejected_heat_wh += seen->rejected_wh;
    account->lost_heat_wh += seen->lost_wh;
    account->stored_heat_wh += stored_wh;
    account->aux_wh += dump_wh;
    /* Rejection is rare: charged at the site's present price rather than slot by slot. */
    account->cost_cur += hs_cur_from_wh(dump_wh, elec_cur_per_mwh(ledger, loop->site_idx));
    account->gco2 += hs_gco2_from_wh(dump_wh, ledger->prices[loop->site_idx].gco2_per_kwh);
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        const struct hs_sink *sink = &ledger->estate->sinks[k];
        const struct hs_estimator_sink *sink_seen = &est->sinks[k];
        double backup_wh = fmax(0.0, sink_seen->demand_wh - sink_seen->metered_useful_wh);

        account->demand_heat_wh += sink_seen->demand_wh;
        account->useful_heat_wh += sink_seen->metered_useful_wh;
        account->backup_heat_wh += backup_wh;
        account->cost_cur += hs_cur_from_wh(
            backup_wh, hs_sink_worth_cur_per_mwh(sink, ledger->estate->carbon_price_cur_per_t));
        account->gco2 +=
            hs_gco2_from_wh(backup_wh, sink->backup_gco2_per_kwh / sink->backup_efficiency_ratio);
    }
    mean_backup(ledger, est, loop, &worth_cur_per_mwh, &backup_gco2_per_kwh);
    account->cost_cur -= hs_cur_from_wh(stored_wh, worth_cur_per_mwh);
    account->gco2 -= hs_gco2_from_wh(stored_wh, backup_gco2_per_kwh);
}

void hs_ledger_get_site(const struct hs_ledger *ledger, const struct hs_estimator *est,
                        size_t site_idx, struct hs_account *ret_account)
{
    const struct hs_site *site = &ledger->estate->sites[site_idx];
    const struct site_sum *sum = &ledger->sites[site_idx];

    *ret_account = (struct hs_account){
        .it_wh = sum->it_wh,
        .aux_wh = sum->it_wh * site->aux_elec_ratio,
        .cost_cur = sum->elec_cur,
        .gco2 = sum->elec_gco2,
    };
    for (size_t l = site->first_loop_idx; l < site->first_loop_idx + site->n_loops; l++) {
        add_loop(ledger, est, l, ret_account);
    }
}
