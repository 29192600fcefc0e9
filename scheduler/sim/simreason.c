/* SPDX-License-Identifier: Apache-2.0 */
/* simreason - read off the plan in force. */
#include "scheduler/sim/simreason.h"

#include <math.h>

#include "scheduler/model/plan.h"

static void set_prices(json_t *object, const struct hs_plan *plan, size_t loop_idx,
                       int64_t now_at_s)
{
    int64_t slot = (now_at_s - plan->from_at_s) / plan->slot_s;
    bool is_in = now_at_s >= plan->from_at_s && slot < (int64_t)plan->n_slots;
    size_t at = loop_idx * plan->n_slots + (is_in ? (size_t)slot : 0);

    hs_jsonx_set_real(object, "elec_cur_per_mwh", is_in ? plan->elec_cur_per_mwh[at] : (double)NAN);
    hs_jsonx_set_real(object, "heat_cur_per_mwh", is_in ? plan->heat_cur_per_mwh[at] : (double)NAN);
}

static json_t *format_plan(const struct hs_plan *plan, const struct hs_action *action,
                           size_t loop_idx, int64_t now_at_s)
{
    const struct hs_placement *placement = hs_plan_find(plan, action->job_id);
    json_t *object = hs_jsonx_object();

    hs_jsonx_set_text(object, "text", action->why[0] != '\0' ? action->why : NULL);
    if (placement != NULL && placement->first_slot != SIZE_MAX) {
        hs_jsonx_set_at(object, "planned_start",
                        plan->from_at_s + (int64_t)placement->first_slot * plan->slot_s);
        hs_jsonx_set_at(object, "planned_end",
                        plan->from_at_s + (int64_t)(placement->last_slot + 1) * plan->slot_s);
    }
    set_prices(object, plan, loop_idx, now_at_s);
    if (placement != NULL) {
        hs_jsonx_set_bool(object, "is_forced", placement->is_forced);
        hs_jsonx_set_bool(object, "is_late", placement->is_late);
        hs_jsonx_set_bool(object, "is_hopeless", placement->is_hopeless);
    }
    return object;
}

json_t *hs_simreason_format(const struct hs_cycle *cycle, const struct hs_estate *estate,
                            const struct hs_action *action, int64_t now_at_s)
{
    const struct hs_plan *plan = hs_cycle_get_plan(cycle);
    json_t *explanation = hs_cycle_format_explain_brief(cycle, action->job_id, now_at_s);
    size_t loop_idx = estate->hosts[action->host_idx].loop_idx;
    json_t *reason;

    if (explanation == NULL) {
        return NULL;
    }
    reason = hs_jsonx_object();
    if (plan != NULL) {
        hs_jsonx_set(reason, "plan", format_plan(plan, action, loop_idx, now_at_s));
    }
    hs_jsonx_set(reason, "explanation", explanation);
    return reason;
}
