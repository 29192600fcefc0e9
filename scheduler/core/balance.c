/* SPDX-License-Identifier: Apache-2.0 */
/* balance - see balance.h. */
#include "scheduler/core/balance.h"

#include <math.h>

#define LEAST_WH 100.0 /* of less heat a ratio says nothing */

void hs_balance_init(struct hs_balance *balance)
{
    *balance = (struct hs_balance){.at_s = INT64_MIN};
}

/* What came to a sum; as sure as the less sure of its ends. */
static struct hs_balance_part differ(const struct hs_balance_part *from,
                                     const struct hs_balance_part *to)
{
    return (struct hs_balance_part){
        .wh = to->wh - from->wh,
        .source = to->source > from->source ? to->source : from->source,
    };
}

static void fill_slot(struct hs_balance *balance, const struct hs_balance_sums *sums, int64_t at_s)
{
    const struct hs_balance_sums *last = &balance->sums;
    struct hs_balance_slot *slot = &balance->slot;
    bool is_metered;

    *slot = (struct hs_balance_slot){
        .from_at_s = balance->at_s,
        .until_at_s = at_s,
        .parts = {.captured = differ(&last->captured, &sums->captured),
                  .useful = differ(&last->useful, &sums->useful),
                  .stored = differ(&last->stored, &sums->stored),
                  .rejected = differ(&last->rejected, &sums->rejected),
                  .lost = differ(&last->lost, &sums->lost)},
        .residual_wh = NAN,
        .residual_ratio = NAN,
    };
    is_metered = slot->parts.captured.source == HS_BALANCE_METERED
                 && slot->parts.useful.source == HS_BALANCE_METERED
                 && slot->parts.stored.source == HS_BALANCE_METERED;
    if (!is_metered) {
        return;
    }
    slot->residual_wh = slot->parts.captured.wh - slot->parts.useful.wh - slot->parts.stored.wh
                        - slot->parts.rejected.wh - slot->parts.lost.wh;
    if (slot->parts.captured.wh >= LEAST_WH) {
        slot->residual_ratio = slot->residual_wh / slot->parts.captured.wh;
    }
}

bool hs_balance_close(struct hs_balance *balance, const struct hs_balance_sums *sums, int64_t at_s)
{
    bool was_alarmed = balance->is_alarmed;

    if (balance->at_s == INT64_MIN || at_s <= balance->at_s) {
        balance->at_s = at_s;
        balance->sums = *sums;
        return false;
    }
    fill_slot(balance, sums, at_s);
    balance->at_s = at_s;
    balance->sums = *sums;
    if (!isnan(balance->slot.residual_ratio)) { /* what is not known ends nothing */
        bool is_off = fabs(balance->slot.residual_ratio) > HS_BALANCE_ALARM_RATIO
                      && fabs(balance->slot.residual_wh) > sums->unsure_wh;

        balance->n_off = is_off ? balance->n_off + 1 : 0;
        balance->is_alarmed =
            is_off ? was_alarmed || balance->n_off >= HS_BALANCE_ALARM_SLOTS : false;
    }
    return balance->is_alarmed != was_alarmed;
}

const char *hs_balance_source_word(enum hs_balance_source source)
{
    static const char *const words[] = {
        [HS_BALANCE_METERED] = "metered",
        [HS_BALANCE_ESTIMATED] = "estimated",
        [HS_BALANCE_ASSUMED] = "assumed",
        [HS_BALANCE_UNKNOWN] = "unknown",
    };

    return words[source];
}
