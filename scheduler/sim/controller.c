/* SPDX-License-Identifier: Apache-2.0 */
/* controller - the table. */
#include "scheduler/sim/controller.h"

#include <string.h>

#include "scheduler/base/conf.h"

/* clang-format off */
static const struct hs_controller_ops *const controllers[] = {
    &hs_controller_heat_ops,
    &hs_controller_perfect_ops,
    &hs_controller_asap_ops,
    &hs_controller_thermostat_ops,
    &hs_controller_sticky_ops,
    &hs_controller_carbon_ops,
    &hs_controller_bound_ops,
    &hs_controller_bound_useful_ops,
    &hs_controller_bound_jobs_ops,
};
/* clang-format on */

/* Names that scenarios may carry and that docs/simulator.md describes. */
static const char *const all_names[] = {"heat",   "asap",  "perfect",      "thermostat", "sticky",
                                        "carbon", "bound", "bound_useful", "bound_jobs", NULL};

int hs_controller_find(const char *name, const struct hs_controller_ops **ret_ops,
                       struct hs_err *err)
{
    const char *nearest = hs_conf_nearest(all_names, name);

    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
        if (strcmp(controllers[i]->name, name) == 0) {
            *ret_ops = controllers[i];
            return 0;
        }
    }
    for (size_t i = 0; all_names[i] != NULL; i++) {
        if (strcmp(all_names[i], name) == 0) {
            return hs_err_set(err, HS_E_UNSUPPORTED, "policies",
                              "this version lacks the controller '%s'; choose others with "
                              "--policies",
                              name);
        }
    }
    return hs_err_set(err, HS_E_NOTFOUND, "policies", "no controller '%s'; the nearest is '%s'",
                      name, nearest != NULL ? nearest : all_names[0]);
}
