/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_tank - what a loop's tank was seen to lose, beside what is stated of it. */
#include <math.h>

#include "scheduler/core/cycle_priv.h"

#define TOLD_SD    2.0  /* standard errors between stated and learned that are no chance */
#define TOLD_RATIO 0.25 /* of what is stated: less is not worth a line */

static const char *doubt_text(enum hs_tankloss_doubt doubt)
{
    switch (doubt) {
    case HS_TANKLOSS_GAINS:
        return "tank gains heat from a colder room: check its thermometers and heat meters";
    case HS_TANKLOSS_INCONSISTENT:
        return "tank temperature does not follow what goes in and out: check thermometers, heat "
               "meters and volume_l";
    case HS_TANKLOSS_FINE:
        break;
    }
    return "tank temperature follows what goes in and out again";
}

void hs_cycle_get_tank_loss(const struct hs_cycle *cycle, size_t loop_idx,
                            struct hs_physics_figure *ret_w_per_k)
{
    *ret_w_per_k = hs_tankloss_get(&cycle->estimator->loops[loop_idx].tank_loss);
}

void hs_cycle_watch_tank(struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_heatloop *heatloop = &cycle->estate->loops[loop_idx];
    const struct hs_tankloss *seen = &cycle->estimator->loops[loop_idx].tank_loss;
    struct hs_cycle_loop *loop = &cycle->loops[loop_idx];
    enum hs_tankloss_doubt doubt = hs_tankloss_get_doubt(seen);
    double stated_w_per_k = heatloop->tank.loss_w_per_k;
    struct hs_physics_figure figure = hs_tankloss_get(seen);
    double off_w_per_k = fabs(figure.value - stated_w_per_k);

    if (doubt != loop->tank_doubt) {
        loop->tank_doubt = doubt;
        hs_cycle_note(cycle, "loop", heatloop->path, "%s", doubt_text(doubt));
    }
    if (!loop->is_tank_told && off_w_per_k > TOLD_SD * figure.sd
        && off_w_per_k > TOLD_RATIO * stated_w_per_k) {
        loop->is_tank_told = true;
        hs_cycle_note(cycle, "loop", heatloop->path,
                      "tank loses %.1f W/K (standard error %.1f), loss_w_per_k says %.1f: plans go "
                      "on with that",
                      figure.value, figure.sd, stated_w_per_k);
    }
}

double hs_cycle_get_tank_wh(const struct hs_cycle *cycle, size_t loop_idx)
{
    const struct hs_estimator_value *seen = &cycle->estimator->loops[loop_idx].tank_c;
    double max_wh = hs_tank_max_wh(&cycle->estate->loops[loop_idx].tank);
    double tank_wh = hs_estimator_get_tank_wh(cycle->estimator, loop_idx);
    double age_s = (double)(cycle->now_at_s - seen->at_s);

    if (isnan(tank_wh)) {
        return max_wh / 2.0;
    }
    if (seen->n_bad == 0 && age_s <= (double)cycle->estate->slot_s) {
        return tank_wh;
    }
    return fmin(max_wh, tank_wh + hs_wh_from_w(hs_cycle_get_modelled_w(cycle, loop_idx), age_s));
}
