/* SPDX-License-Identifier: Apache-2.0 */
/* cycle_keep - what was learned of hosts and tanks, for the next life: a plain value each. */
#include <math.h>

#include "scheduler/base/packtext.h"
#include "scheduler/base/units.h"
#include "scheduler/core/cycle_priv.h"

#define STATE_VERSION 1
#define AHEAD_HOURS   2 /* a clock that was set back by so much over a restart */

/* --- forth --- */

static void set_bytes(json_t *object, const char *key, const void *bytes, size_t n)
{
    HS_AUTO_MEM char *text = hs_packtext_format(bytes, n);

    hs_jsonx_set_text(object, key, text);
}

json_t *hs_cycle_save_plant(const struct hs_cycle *cycle)
{
    const struct hs_estate *estate = cycle->estate;
    json_t *saved = hs_jsonx_object();
    json_t *hosts = hs_jsonx_object();
    json_t *tanks = hs_jsonx_object();

    for (size_t h = 0; h < estate->n_hosts; h++) {
        set_bytes(hosts, estate->hosts[h].path, &cycle->baseloads[h], sizeof(struct hs_baseload));
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        if (estate->loops[l].tank.present) {
            set_bytes(tanks, estate->loops[l].path, &cycle->estimator->loops[l].tank_loss,
                      sizeof(struct hs_tankloss));
        }
    }
    hs_jsonx_set_int(saved, "version", STATE_VERSION);
    hs_jsonx_set(saved, "hosts", hosts);
    hs_jsonx_set(saved, "tanks", tanks);
    hs_cycle_hygiene_save(cycle, saved);
    return saved;
}

/* --- back --- */

static bool are_finite(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return false;
        }
    }
    return true;
}

static bool are_sound(const struct hs_baseload_cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(cells[i].deviation) || !(cells[i].n >= 0 && isfinite(cells[i].n))) {
            return false;
        }
    }
    return true;
}

static bool parse_baseload(const json_t *json, int64_t now_no, struct hs_baseload *ret_baseload)
{
    struct hs_baseload it;

    if (!hs_packtext_parse(json_string_value(json), &it, sizeof(it)) || it.hour_no < -1
        || it.hour_no > now_no + AHEAD_HOURS || !(it.open_s >= 0) || !(it.n_hours >= 0)
        || !(it.spread >= 0) || !are_finite(&it.open_sum, 9) || !are_sound(it.days, 24)
        || !are_sound(it.weeks, HS_BASELOAD_HOURS)) {
        return false;
    }
    *ret_baseload = it;
    return true;
}

static bool parse_tank(const json_t *json, struct hs_tankloss *ret_loss)
{
    struct hs_tankloss it, fresh;

    if (!hs_packtext_parse(json_string_value(json), &it, sizeof(it)) || !(it.n_windows >= 0)
        || !isfinite(it.n_windows) || !(it.misfit >= 0) || !isfinite(it.misfit)
        || !are_finite(&it.info[0][0], HS_TANKLOSS_UNKNOWNS * HS_TANKLOSS_UNKNOWNS)
        || !are_finite(it.push, HS_TANKLOSS_UNKNOWNS)) {
        return false;
    }
    /* counters start again in this life: the window that was open cannot be closed */
    hs_tankloss_init(&fresh);
    it.open = fresh.open;
    it.newest = fresh.newest;
    it.sum_c_s = fresh.sum_c_s;
    *ret_loss = it;
    return true;
}

int hs_cycle_restore_plant(struct hs_cycle *cycle, const json_t *saved, struct hs_err *err)
{
    const struct hs_estate *estate = cycle->estate;
    const json_t *hosts = json_object_get(saved, "hosts");
    const json_t *tanks = json_object_get(saved, "tanks");
    int64_t now_no = cycle->now_at_s / (int64_t)HS_S_PER_H;
    int rc = 0;

    if (json_integer_value(json_object_get(saved, "version")) != STATE_VERSION) {
        return hs_err_set(err, HS_E_INVALID, "plant.version", "is of another build of hsched");
    }
    for (size_t h = 0; h < estate->n_hosts; h++) {
        const json_t *json = json_object_get(hosts, estate->hosts[h].path);

        if (json != NULL && !parse_baseload(json, now_no, &cycle->baseloads[h])) {
            rc = hs_err_set(err, HS_E_INVALID, "plant.hosts", "'%s' is damaged or of the future",
                            estate->hosts[h].path);
        }
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        const json_t *json = json_object_get(tanks, estate->loops[l].path);

        if (json != NULL && !parse_tank(json, &cycle->estimator->loops[l].tank_loss)) {
            rc = hs_err_set(err, HS_E_INVALID, "plant.tanks", "'%s' is damaged",
                            estate->loops[l].path);
        }
    }
    hs_cycle_hygiene_restore(cycle, saved);
    return rc;
}
