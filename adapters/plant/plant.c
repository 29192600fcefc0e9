/* SPDX-License-Identifier: Apache-2.0 */
/* plant - the checks that every backend would repeat. */
#include "adapters/plant/plant.h"

void hs_plant_start(struct hs_plant *plant)
{
    plant->ops->start(plant);
}

int hs_plant_feed(struct hs_plant *plant, const double *rack_elec_w, size_t n_racks,
                  struct hs_err *err)
{
    if (plant->ops->feed == NULL) {
        return hs_err_set(err, HS_E_UNSUPPORTED, plant->ops->name,
                          "a real plant is not told what the racks draw");
    }
    plant->ops->feed(plant, rack_elec_w, n_racks);
    return 0;
}

void hs_plant_deliver(struct hs_plant *plant, struct hs_reading *reading)
{
    reading->quality = hs_reading_check(reading->point.kind, reading->value);
    plant->options.listener.reading(plant->options.listener.arg, reading);
}

void hs_plant_free(struct hs_plant *plant)
{
    if (plant != NULL) {
        plant->ops->destroy(plant);
    }
}
