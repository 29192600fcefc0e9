/* SPDX-License-Identifier: Apache-2.0 */
/* controller - the table. */
#include "scheduler/sim/controller.h"

#include <stdio.h>
#include <string.h>

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
#define LIST_MAX      128

/** All names, for an error; the room holds them. */
static void list_names(char ret_text[LIST_MAX])
{
    size_t n = 0;

    ret_text[0] = '\0';
    for (size_t i = 0; i < N_CONTROLLERS && n < LIST_MAX; i++) {
        n += (size_t)snprintf(ret_text + n, LIST_MAX - n, "%s%s", i > 0 ? ", " : "",
                              controllers[i]->name);
    }
}

int hs_controller_find(const char *name, const struct hs_controller_ops **ret_ops,
                       struct hs_err *err)
{
    char names[LIST_MAX];

    for (size_t i = 0; i < N_CONTROLLERS; i++) {
        if (strcmp(controllers[i]->name, name) == 0) {
            *ret_ops = controllers[i];
            return 0;
        }
    }
    list_names(names);
    return hs_err_set(err, HS_E_NOTFOUND, "policies", "no controller '%.32s'; there are %s", name,
                      names);
}
