/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * balance - a loop's heat of one slot: where it came from and where it went, and what is missing.
 *
 * Each part says whether it was metered, estimated from what was learned, or assumed; the residual
 * is only told where what goes in and what goes out are metered, so that no assumption hides a
 * broken meter. Definitions: docs/operate.md, Energy balance. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#define HS_BALANCE_ALARM_RATIO 0.05 /* of what was captured */
#define HS_BALANCE_ALARM_SLOTS 4    /* in a row: a slot's water is on its way for a while */

enum hs_balance_source {
    HS_BALANCE_METERED,
    HS_BALANCE_ESTIMATED, /* by figures learned from meters */
    HS_BALANCE_ASSUMED,   /* by stated figures, or by a model of the hosts */
    HS_BALANCE_UNKNOWN,
};

struct hs_balance_part {
    double wh; /* NAN: unknown */
    enum hs_balance_source source;
};

/** Sums since the start, as they are now. */
struct hs_balance_sums {
    struct hs_balance_part captured;
    struct hs_balance_part useful;
    struct hs_balance_part stored; /* in the tank now */
    struct hs_balance_part rejected;
    struct hs_balance_part lost;
    double unsure_wh; /* of a slot: what the tank's thermometers leave open */
};

/** A slot that has ended: differences of two sums. */
struct hs_balance_slot {
    int64_t from_at_s; /* 0: none has ended yet */
    int64_t until_at_s;
    struct hs_balance_sums parts;
    double residual_wh;    /* NAN where captured, useful or stored is not metered */
    double residual_ratio; /* of captured; NAN likewise, or where hardly any was */
};

struct hs_balance {
    int64_t at_s; /* of sums; INT64_MIN: none yet */
    struct hs_balance_sums sums;
    struct hs_balance_slot slot; /* the last that ended */
    unsigned n_off;              /* slots in a row whose residual was too large */
    bool is_alarmed;
};

void hs_balance_init(struct hs_balance *balance);

/**
 * The sums at the end of a slot. A slot whose sums did not all become known is begun anew.
 *
 * @return whether the alarm begins or ends
 */
bool hs_balance_close(struct hs_balance *balance, const struct hs_balance_sums *sums, int64_t at_s);

/** "metered", "estimated", "assumed", "unknown". */
const char *hs_balance_source_word(enum hs_balance_source source);
