/* SPDX-License-Identifier: Apache-2.0 */
/* plant_quality - the checks in the order in which one bad reading can be told from another. */
#include "adapters/plant/plant_quality.h"

#include <math.h>

#define FIRST_QUARTER 0.25
#define LAST_QUARTER  0.75

void hs_plant_quality_init(struct hs_plant_quality *quality)
{
    *quality = (struct hs_plant_quality){
        .good = NAN, .candidate = NAN, .seen = NAN, .counted = NAN, .is_unconfirmed = true};
}

void hs_plant_quality_reconnect(struct hs_plant_quality *quality)
{
    quality->is_unconfirmed = true;
    quality->n_agreeing = 0;
    quality->candidate = NAN;
    quality->seen = NAN; /* time without a connection is not time without a change */
}

/** Can the value have gone from @from to @to in the time? */
static bool is_near(const struct hs_pointmap_rule *rule, double from, double to, int64_t span_s)
{
    double span = span_s > 1 ? (double)span_s : 1.0; /* two readings of one second may differ */

    return isnan(rule->rate_per_s) || !(fabs(to - from) > rule->rate_per_s * span);
}

/** Has it stood still for too long? A sensor that was stuck is to be confirmed when it moves. */
static bool check_stuck(struct hs_plant_quality *quality, const struct hs_pointmap_rule *rule,
                        double value, int64_t at_s)
{
    if (isnan(quality->seen) || value != quality->seen) {
        quality->seen = value;
        quality->changed_at_s = at_s;
        if (quality->is_stuck) {
            hs_plant_quality_reconnect(quality);
            quality->seen = value;
        }
        quality->is_stuck = false;
    } else if (rule->stuck_after_s > 0 && at_s - quality->changed_at_s >= rule->stuck_after_s) {
        quality->is_stuck = true;
    }
    return quality->is_stuck;
}

/** One more that waits. @return true if enough of them agree by now */
static bool confirm(struct hs_plant_quality *quality, const struct hs_pointmap_rule *rule,
                    double value, int64_t at_s)
{
    bool agrees = !isnan(quality->candidate)
                  && is_near(rule, quality->candidate, value, at_s - quality->candidate_at_s);

    quality->n_agreeing = agrees ? quality->n_agreeing + 1 : 1;
    quality->candidate = value;
    quality->candidate_at_s = at_s;
    return quality->n_agreeing >= rule->confirm;
}

static void believe(struct hs_plant_quality *quality, double value, int64_t at_s)
{
    quality->good = value;
    quality->good_at_s = at_s;
    quality->candidate = NAN;
    quality->n_agreeing = 0;
    quality->is_unconfirmed = false;
}

static enum hs_quality judge_change(struct hs_plant_quality *quality,
                                    const struct hs_pointmap_rule *rule, double value, int64_t at_s)
{
    bool is_jump =
        !quality->is_unconfirmed && !is_near(rule, quality->good, value, at_s - quality->good_at_s);

    if ((quality->is_unconfirmed || is_jump) && !confirm(quality, rule, value, at_s)) {
        return is_jump ? HS_QUALITY_JUMPED : HS_QUALITY_UNCONFIRMED;
    }
    believe(quality, value, at_s);
    return HS_QUALITY_GOOD;
}

enum hs_quality hs_plant_quality_judge(struct hs_plant_quality *quality,
                                       const struct hs_pointmap_rule *rule, enum hs_point_kind kind,
                                       double value, int64_t at_s)
{
    enum hs_quality verdict = hs_reading_check(kind, value);

    if (rule == NULL) {
        if (verdict == HS_QUALITY_GOOD) {
            believe(quality, value, at_s);
        }
        return verdict;
    }
    if (verdict == HS_QUALITY_GOOD && (value < rule->min || value > rule->max)) {
        verdict = HS_QUALITY_OUT_OF_RANGE;
    }
    if (verdict != HS_QUALITY_GOOD) {
        quality->candidate = NAN; /* those that agree must follow on each other */
        quality->n_agreeing = 0;
        /* after so long the rate allows anything: what comes next is to be proven */
        quality->is_unconfirmed |= at_s - quality->good_at_s > rule->max_age_s;
        return verdict;
    }
    if (check_stuck(quality, rule, value, at_s)) {
        return HS_QUALITY_STUCK;
    }
    return judge_change(quality, rule, value, at_s);
}

double hs_plant_quality_unroll(struct hs_plant_quality *quality, double span, double value)
{
    if (span > 0 && quality->counted > LAST_QUARTER * span && value < FIRST_QUARTER * span) {
        quality->rolled += span;
    } else if (value < quality->counted) {
        quality->rolled = 0; /* a new meter */
    }
    quality->counted = value;
    return value + quality->rolled;
}

bool hs_plant_quality_is_stale(const struct hs_plant_quality *quality,
                               const struct hs_pointmap_rule *rule, int64_t now_at_s)
{
    return isnan(quality->good) || now_at_s - quality->good_at_s > rule->max_age_s;
}

void hs_plant_quality_init_beat(struct hs_plant_quality_beat *beat)
{
    *beat = (struct hs_plant_quality_beat){.beat = NAN};
}

bool hs_plant_quality_add_beat(struct hs_plant_quality_beat *beat, double number, int64_t max_age_s,
                               int64_t at_s)
{
    if (isnan(number)) {
        return !isnan(beat->beat) && at_s - beat->changed_at_s <= max_age_s;
    }
    if (isnan(beat->beat) || number != beat->beat) {
        beat->beat = number;
        beat->changed_at_s = at_s;
    }
    return at_s - beat->changed_at_s <= max_age_s;
}
