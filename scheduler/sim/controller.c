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

#define N_CONTROLLERS (sizeof(controllers) / sizeof(controllers[0]))

int hs_controller_find(const char *name, const struct hs_controller_ops **ret_ops,
                       struct hs_err *err)
{
    const char *names[N_CONTROLLERS + 1] = {NULL};
    const char *nearest;

    for (size_t i = 0; i < N_CONTROLLERS; i++) {
        names[i] = controllers[i]->name;
        if (strcmp(names[i], name) == 0) {
            *ret_ops = controllers[i];
            return 0;
        }
    }
    nearest = hs_conf_nearest(names, name);
    return hs_err_set(err, HS_E_NOTFOUND, "policies", "no controller '%s'; the nearest is '%s'",
                      name, nearest != NULL ? nearest : names[0]);
}
