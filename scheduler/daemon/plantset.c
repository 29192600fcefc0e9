/* SPDX-License-Identifier: Apache-2.0 */
/* plantset - the plants of hschedd.json, and what the log says of them. */
#include "scheduler/daemon/plantset.h"

#include <string.h>

#include "adapters/plant/plant_push.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/announce.h"

#define PERIOD_PLAN_S 60.0

struct hs_plantset {
    struct hs_plantset_options options;
    struct hs_plant *push;   /* one of the items */
    struct hs_plant **items; /* [n] */
    size_t n;
    bool is_fed;
    struct hs_announce **announces; /* [n_announces] */
    size_t n_announces;
};

static void on_reading(void *arg, const struct hs_reading *reading)
{
    struct hs_plantset *plants = arg;

    plants->options.reading(plants->options.arg, reading);
}

static void on_refused(void *arg, const char *text)
{
    (void)arg;
    HS_LOG_WARN("plant", "not a reading: %s", text);
}

static void on_connection(void *arg, bool is_up, const char *text)
{
    (void)arg;
    if (is_up) {
        HS_LOG_INFO("plant", "%s", text);
    } else {
        HS_LOG_WARN("plant", "%s", text);
    }
}

static void add(struct hs_plantset *plants, struct hs_plant *plant)
{
    plants->items = hs_xrealloc(plants->items, plants->n + 1, sizeof(*plants->items));
    plants->items[plants->n++] = plant;
    hs_plant_start(plant);
}

/* The one source that has no point map: stream, replay or simulation. */
static int add_main(struct hs_plantset *plants, const struct hs_plant_options *options,
                    struct hs_err *err)
{
    const struct hs_config *config = plants->options.config;
    struct hs_plant *plant = NULL;
    int rc = 0;

    if (strcmp(config->plant_kind, "redis") == 0) {
        const struct hs_redis_access access = hs_config_get_redis_access(
            config->readings.url[0] != '\0' ? &config->readings : &config->redis);

        rc = hs_plant_redis_new(options, &access, config->cell, &plant, err);
    } else if (strcmp(config->plant_kind, "csv") == 0) {
        plant = hs_plant_csv_new(options, plants->options.heat_by_sink);
    } else if (strcmp(config->plant_kind, "sim") == 0) {
        plant = hs_plant_sim_new(options, plants->options.heat_by_sink);
        plants->is_fed = true;
    }
    if (rc == 0 && plant != NULL) {
        add(plants, plant);
    }
    return rc;
}

static void add_announce(struct hs_plantset *plants, struct hs_plant *plant,
                         const struct hs_config_mqtt *mqtt)
{
    const struct hs_announce_options options = {.plant = plant,
                                                .config = plants->options.config,
                                                .mqtt = mqtt,
                                                .clock = plants->options.clock};

    if (mqtt->discovery[0] != '\0') {
        plants->announces =
            hs_xrealloc(plants->announces, plants->n_announces + 1, sizeof(*plants->announces));
        plants->announces[plants->n_announces++] = hs_announce_new(&options);
    }
}

int hs_plantset_new(const struct hs_plantset_options *options, struct hs_plantset **ret_plants,
                    struct hs_err *err)
{
    HS_AUTO(hs_plantset) plants = hs_xcalloc(1, sizeof(*plants));
    const struct hs_config *config = options->config;
    const struct hs_plant_options plant_options = {
        .executor = options->executor,
        .clock = options->clock,
        .estate = config->estate,
        .listener = {.reading = on_reading,
                     .refused = on_refused,
                     .connection = on_connection,
                     .arg = plants},
        .period_plan_s = PERIOD_PLAN_S,
    };
    int rc;

    plants->options = *options;
    plants->push = hs_plant_push_new(&plant_options);
    add(plants, plants->push);
    rc = add_main(plants, &plant_options, err);
    for (size_t i = 0; i < config->n_modbus && rc == 0; i++) {
        struct hs_plant *plant = NULL;

        rc = hs_plant_modbus_new(&plant_options, &config->modbus[i], &plant, err);
        if (rc == 0) {
            plants->is_fed |= config->modbus[i].can_write;
            add(plants, plant);
        }
    }
    for (size_t i = 0; i < config->n_mqtt && rc == 0; i++) {
        const struct hs_plant_mqtt_broker broker = hs_config_get_broker(&config->mqtt[i]);
        struct hs_plant *plant = NULL;

        rc = hs_plant_mqtt_new(&plant_options, &broker, &plant, err);
        if (rc == 0) {
            plants->is_fed |= broker.can_write;
            add(plants, plant);
            add_announce(plants, plant, &config->mqtt[i]);
        }
    }
    if (rc == 0) {
        *ret_plants = HS_STEAL(plants);
    }
    return rc;
}

bool hs_plantset_is_fed(const struct hs_plantset *plants)
{
    return plants != NULL && plants->is_fed;
}

void hs_plantset_feed(struct hs_plantset *plants, const double *rack_elec_w, size_t n_racks)
{
    const struct hs_pointmap *map = plants->options.config->estate->points;

    for (size_t i = 0; i < plants->n; i++) {
        (void)hs_plant_feed(plants->items[i], rack_elec_w, n_racks, NULL); /* others measure it */
    }
    for (size_t r = 0; r < n_racks; r++) {
        const struct hs_point point = {.kind = HS_POINT_RACK_ELEC_W, .thing_idx = r};

        if (hs_pointmap_find(map, &point, true) != NULL) {
            (void)hs_plantset_write(plants, &point, rack_elec_w[r], NULL);
        }
    }
}

void hs_plantset_announce(struct hs_plantset *plants, const struct hs_cycle *cycle)
{
    for (size_t i = 0; i < plants->n_announces; i++) {
        hs_announce_tick(plants->announces[i], cycle);
    }
}

int hs_plantset_push(struct hs_plantset *plants, const json_t *json, struct hs_err *err)
{
    return hs_plant_push_take(plants->push, json, err);
}

int hs_plantset_write(struct hs_plantset *plants, const struct hs_point *point, double value,
                      struct hs_err *err)
{
    int rc = hs_err_set(err, HS_E_NOTFOUND, "plant", "no device is named for this point");

    for (size_t i = 0; i < plants->n && rc == -HS_E_NOTFOUND; i++) {
        struct hs_err own;
        int own_rc = hs_plant_write(plants->items[i], point, value, &own);

        if (own_rc != -HS_E_NOTFOUND && own_rc != -HS_E_UNSUPPORTED) {
            rc = own_rc;
            if (rc != 0 && err != NULL) {
                *err = own;
            }
        }
    }
    return rc;
}

void hs_plantset_free(struct hs_plantset *plants)
{
    if (plants == NULL) {
        return;
    }
    for (size_t i = 0; i < plants->n_announces; i++) {
        hs_announce_free(plants->announces[i]);
    }
    free(plants->announces);
    for (size_t i = plants->n; i > 0; i--) {
        hs_plant_free(plants->items[i - 1]);
    }
    free(plants->items);
    free(plants);
}
