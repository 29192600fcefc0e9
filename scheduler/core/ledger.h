/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * ledger - electricity and its money and carbon per site, joined with metered heat for reports.
 *
 * IT energy is modelled from what runs (docs/simulator.md, Plant) and integrated over
 * the true times of change. Heat comes from the estimator's meters. Definitions:
 * docs/simulator.md, Plant and Report. Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/core/estimator.h"
#include "scheduler/model/account.h"
#include "scheduler/model/estate.h"

struct hs_ledger;

/** Prices that hold now at a site. */
struct hs_ledger_prices {
    double price_cur_per_mwh; /* electricity without carbon */
    double gco2_per_kwh;
};

/** Empty since @now_at_s. @param estate kept. Owned by the caller. */
struct hs_ledger *hs_ledger_new(const struct hs_estate *estate, int64_t now_at_s);

/**
 * Everything has drawn @host_elec_w since the last call.
 *
 * @param host_elec_w  [n_hosts]
 * @param prices       [n_sites]
 */
void hs_ledger_run(struct hs_ledger *ledger, int64_t now_at_s, const double *host_elec_w,
                   const struct hs_ledger_prices *prices);

/** Sums of @site_idx since the start with what the meters of @estimator say. */
void hs_ledger_get_site(const struct hs_ledger *ledger, const struct hs_estimator *estimator,
                        size_t site_idx, struct hs_account *ret_account);

/** Accepts NULL. */
void hs_ledger_free(struct hs_ledger *ledger);
HS_DEFINE_AUTO(hs_ledger);
