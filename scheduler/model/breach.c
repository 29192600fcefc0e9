/* SPDX-License-Identifier: Apache-2.0 */
/* breach - see breach.h. */
#include "scheduler/model/breach.h"

static const struct {
    const char *word;
    const char *unit;
} rows[HS_BREACH_COUNT_] = {
    [HS_BREACH_LATE] = {"late", "s"},       [HS_BREACH_COMFORT] = {"comfort", "Wh"},
    [HS_BREACH_HYGIENE] = {"hygiene", "s"}, [HS_BREACH_LIMIT] = {"limit", "W"},
    [HS_BREACH_RAMP] = {"ramp", "W"},
};

const char *hs_breach_word(enum hs_breach_kind kind)
{
    return rows[kind].word;
}

const char *hs_breach_unit(enum hs_breach_kind kind)
{
    return rows[kind].unit;
}
