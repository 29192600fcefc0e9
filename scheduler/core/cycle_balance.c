/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_balance - a loop's sums at the end of each slot into its balance; see cycle_priv.h. */
#include <math.h>

#include "scheduler/core/cycle_priv.h"

#define UNSURE_K 0.1 /* what usual thermometers tell apart */

static bool is_known(const struct hs_estimator_value *value)
{
    return !isnan(value->value) && value->n_bad == 0;
}

static struct hs_balance_part metered(double wh, bool is_known)
{
    return (struct hs_balance_part){wh, is_known ? HS_BALANCE_METERED : HS_BALANCE_UNKNOWN};
}

static void fill_sums(const struct hs_cycle *cycle, size_t loop_idx,
                      struct hs_balance_sums *ret_sums)
{
    const struct hs_heatloop *loop = &cycle->estate->loops[loop_idx];
    const struct hs_estimator_loop *seen = &cycle->estimator->loops[loop_idx];
    bool has_meters = true;
    double useful_wh = 0.0;

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        useful_wh += cycle->estimator->sinks[k].metered_useful_wh;
        has_meters = has_meters && is_known(&cycle->estimator->sinks[k].useful_wh);
    }
    *ret_sums = (struct hs_balance_sums){
        .captured = metered(seen->metered_captured_wh, is_known(&seen->captured_wh)),
        .useful = metered(useful_wh, has_meters),
        /* without a tank nothing is kept */
        .stored = loop->tank.present ? metered(hs_estimator_get_tank_wh(cycle->estimator, loop_idx),
                                               is_known(&seen->tank_c))
                                     : metered(0.0, true),
        .rejected = {seen->rejected_wh,
                     is_known(&seen->rejected_w) ? HS_BALANCE_METERED : HS_BALANCE_ASSUMED},
        .lost = {seen->lost_wh, HS_BALANCE_ASSUMED},
        .unsure_wh = loop->tank.present ? UNSURE_K * loop->tank.volume_l * HS_WATER_WH_PER_L_K : 0,
    };
}

void hs_cycle_close_balances(struct hs_cycle *cycle)
{
    int64_t slot_s = cycle->estate->slot_s;
    int64_t slot_at_s = cycle->now_at_s - cycle->now_at_s % slot_s;

    for (size_t l = 0; l < cycle->estate->n_loops; l++) {
        struct hs_balance *balance = &cycle->loops[l].balance;
        struct hs_balance_sums sums;

        if (balance->at_s != INT64_MIN && slot_at_s <= balance->at_s) {
            continue;
        }
        fill_sums(cycle, l, &sums);
        if (hs_balance_close(balance, &sums, slot_at_s)) {
            hs_cycle_note(cycle, "balance", cycle->estate->loops[l].path,
                          balance->is_alarmed
                              ? "%.0f %% of the captured heat (%.0f Wh) are not accounted for: "
                                "check its heat meters and thermometers"
                              : "%.0f %% of the captured heat (%.0f Wh) are not accounted for: in "
                                "order again",
                          balance->slot.residual_ratio * 100.0, balance->slot.parts.captured.wh);
        }
    }
}

static void set_part(json_t *object, const char *key, const struct hs_balance_part *part)
{
    json_t *item = hs_jsonx_object();

    hs_jsonx_set_real(item, "wh", part->source == HS_BALANCE_UNKNOWN ? (double)NAN : part->wh);
    hs_jsonx_set_text(item, "source", hs_balance_source_word(part->source));
    hs_jsonx_set(object, key, item);
}

json_t *hs_cycle_format_balance(const struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_balance *balance = &cycle->loops[loop_idx].balance;
    const struct hs_balance_slot *slot = &balance->slot;
    json_t *object = hs_jsonx_object();

    if (slot->from_at_s == 0) {
        return object;
    }
    hs_jsonx_set_at(object, "from", slot->from_at_s);
    hs_jsonx_set_at(object, "until", slot->until_at_s);
    set_part(object, "captured", &slot->parts.captured);
    set_part(object, "useful", &slot->parts.useful);
    set_part(object, "stored", &slot->parts.stored);
    set_part(object, "rejected", &slot->parts.rejected);
    set_part(object, "lost", &slot->parts.lost);
    hs_jsonx_set_real(object, "residual_wh", slot->residual_wh);
    hs_jsonx_set_real(object, "residual_ratio", slot->residual_ratio);
    hs_jsonx_set_bool(object, "alarm", balance->is_alarmed);
    return object;
}
