/* SPDX-License-Identifier: Apache-2.0 */
/* plant - the checks that every backend would repeat. */
#include "adapters/plant/plant.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "adapters/plant/plant_quality.h"

#define TEXT_MAX 320

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

int hs_plant_write(struct hs_plant *plant, const struct hs_point *point, double value,
                   struct hs_err *err)
{
    if (plant->ops->write == NULL) {
        return hs_err_set(err, HS_E_UNSUPPORTED, plant->ops->name, "this plant is read only");
    }
    return plant->ops->write(plant, point, value, err);
}

void hs_plant_deliver(struct hs_plant *plant, struct hs_reading *reading)
{
    reading->quality = hs_reading_check(reading->point.kind, reading->value);
    plant->options.listener.reading(plant->options.listener.arg, reading);
}

void hs_plant_deliver_by(struct hs_plant *plant, const struct hs_pointmap_row *row,
                         struct hs_plant_quality *quality, double value)
{
    int64_t now_at_s = hs_clock_at_s(plant->options.clock);
    struct hs_reading reading = {
        .point = row->point,
        .value = value,
        .taken_at_s = now_at_s,
        .received_at_s = now_at_s,
        .quality = hs_plant_quality_judge(quality, &row->rule, row->point.kind, value, now_at_s),
    };

    if (reading.quality == HS_QUALITY_GOOD) {
        reading.value = hs_plant_quality_unroll(quality, hs_pointmap_get_span(row), value);
    }
    plant->options.listener.reading(plant->options.listener.arg, &reading);
}

void hs_plant_deliver_bad(struct hs_plant *plant, const struct hs_pointmap_row *row,
                          enum hs_quality verdict)
{
    int64_t now_at_s = hs_clock_at_s(plant->options.clock);
    const struct hs_reading reading = {
        .point = row->point,
        .value = NAN,
        .taken_at_s = now_at_s,
        .received_at_s = now_at_s,
        .quality = verdict,
    };

    plant->options.listener.reading(plant->options.listener.arg, &reading);
}

int hs_plant_check_source(const struct hs_plant *plant, const char *path,
                          const struct hs_point *point, struct hs_err *err)
{
    const struct hs_pointmap_row *row =
        hs_pointmap_find(plant->options.estate->points, point, false);

    if (hs_reading_is_outbound(point->kind)) {
        return hs_err_set(err, HS_E_INVALID, NULL, "point '%.80s' is told to the plant, not read",
                          path);
    }
    if (row != NULL) {
        return hs_err_set(err, HS_E_CONFLICT, NULL, "point '%.80s' is read from %s '%s'", path,
                          row->modbus[0] != '\0' ? "modbus" : "mqtt",
                          row->modbus[0] != '\0' ? row->modbus : row->mqtt);
    }
    return 0;
}

void hs_plant_tell_connection(struct hs_plant *plant, bool is_up, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    if (plant->options.listener.connection != NULL) {
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        plant->options.listener.connection(plant->options.listener.arg, is_up, text);
    }
}

void hs_plant_free(struct hs_plant *plant)
{
    if (plant != NULL) {
        plant->ops->destroy(plant);
    }
}
