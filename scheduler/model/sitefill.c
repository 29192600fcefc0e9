/* SPDX-License-Identifier: Apache-2.0 */
/* sitefill - offers: each takes effect only where the file has left a key out. */
#include "scheduler/model/sitefill.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/units.h"
#include "scheduler/model/catalogue.h"
#include "scheduler/model/sink.h"

#define TEMPLATE_SOURCE  "the site's template"
#define TANK_SOURCE      "the template's hours of all heat of its racks"
#define REJECTION_SOURCE "all heat of its racks, times the site's redundancy"
#define RANGE_SOURCE     "the loop's supply, and what its sinks need"
#define AUX_SOURCE       "its coolings, and room air conditioning for what they do not capture"

#define DEFAULT_COOLING "air-to-water" /* as in rack.c */
#define TANK_MIN_L      100.0
#define LIFT_SPREAD_K   5.0 /* a loop serves a sink without lift from so much above its need */

struct fill {
    const struct hs_catalogue_template *kind; /* nullable */
    bool has_prices;                          /* the estate counts in the catalogue's currency */
    struct hs_assumed_list *assumed;
    char path[HS_PATH_MAX]; /* of the object at hand */
};

/* What the racks of one loop can do together. */
struct racks {
    double full_heat_w;  /* captured with all hosts busy */
    double full_elec_w;  /* of the same hosts */
    double room_elec_w;  /* for what is not captured */
    double loop_elec_w;  /* for what is */
    double supply_c;     /* lowest of all coolings; INFINITY without racks */
    double named_c;      /* lowest of those that the file names; INFINITY if none */
    const char *coolest; /* whose supply_c that is; nullable */
};

/* --- reading what the file says, whatever its shape --- */

static const char *get_word(const json_t *object, const char *key)
{
    const char *word = json_string_value(json_object_get(object, key));

    return word != NULL ? word : "";
}

static double get_real(const json_t *object, const char *key, double fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : fallback;
}

static json_t *find_named(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach (list, i, item) {
        if (strcmp(get_word(item, "name"), name) == 0) {
            return item;
        }
    }
    return NULL;
}

/* --- offers --- */

static void set_path(struct fill *fill, const char *site, const char *loop, const char *sink)
{
    snprintf(fill->path, sizeof(fill->path), "%.60s%s%.60s%s%.60s", site, *loop != '\0' ? "/" : "",
             loop, *sink != '\0' ? "/" : "", sink);
}

/* @field is the key with what it is nested in: "tank/volume_l". */
static const char *key_of(const char *field)
{
    const char *slash = strrchr(field, '/');

    return slash != NULL ? slash + 1 : field;
}

static void offer_real(struct fill *fill, json_t *object, const char *field, double value,
                       const char *source)
{
    const char *key = key_of(field);

    if (object != NULL && json_object_get(object, key) == NULL) {
        hs_jsonx_set_real(object, key, value);
        hs_assumed_add_real(fill->assumed, fill->path, field, value, source);
    }
}

static void offer_word(struct fill *fill, json_t *object, const char *field, const char *word,
                       const char *source)
{
    const char *key = key_of(field);

    if (object != NULL && json_object_get(object, key) == NULL) {
        hs_jsonx_set_text(object, key, word);
        hs_assumed_add_word(fill->assumed, fill->path, field, word, source);
    }
}

static void offer_figure(struct fill *fill, json_t *object, const char *field,
                         enum hs_catalogue_figure_id id)
{
    const struct hs_catalogue_figure *figure = hs_catalogue_get_figure(id);

    offer_real(fill, object, field, figure->value, figure->source);
}

/* The object at @key, made where the key is free; NULL where something else stands there. */
static json_t *open_object(json_t *object, const char *key)
{
    if (json_object_get(object, key) == NULL) {
        hs_jsonx_set(object, key, hs_jsonx_object());
    }
    object = json_object_get(object, key);
    return json_is_object(object) ? object : NULL;
}

static void add_named(json_t *list, const char *name)
{
    json_t *item = hs_jsonx_object();

    hs_jsonx_set_text(item, "name", name);
    hs_jsonx_add(list, item);
}

/* --- racks --- */

static double sum_hosts(const json_t *rack)
{
    double elec_w = 0;
    size_t i;
    json_t *host;

    json_array_foreach (json_object_get(rack, "hosts"), i, host) {
        elec_w += fmax(0, get_real(host, "count", 1) * get_real(host, "max_w", 0));
    }
    return isfinite(elec_w) ? elec_w : 0;
}

/* The cooling that the rack names, else the one that it gets. */
static const struct hs_catalogue_cooling *find_cooling(const json_t *rack)
{
    const struct hs_catalogue_cooling *named = hs_catalogue_find_cooling(get_word(rack, "cooling"));

    return named != NULL ? named : hs_catalogue_find_cooling(DEFAULT_COOLING);
}

/* Rack's, else loop's, else the cooling's; @loop is nullable. */
static double get_capture_ratio(const json_t *rack, const json_t *loop)
{
    double ratio = get_real(rack, "capture_ratio", get_real(loop, "capture_ratio", NAN));

    return ratio >= 0 && ratio <= 1 ? ratio : find_cooling(rack)->capture_ratio;
}

static bool is_on(const json_t *rack, const json_t *loop)
{
    const char *name = get_word(rack, "loop");

    return *name == '\0' || strcmp(name, get_word(loop, "name")) == 0;
}

static void add_rack(struct racks *sum, const json_t *rack, const json_t *loop)
{
    const struct hs_catalogue_cooling *cooling = find_cooling(rack);
    double room_elec_ratio = hs_catalogue_get_figure(HS_CATALOGUE_ROOM_ELEC_RATIO)->value;
    double elec_w = sum_hosts(rack);
    double ratio = get_capture_ratio(rack, loop);

    sum->full_elec_w += elec_w;
    sum->full_heat_w += elec_w * ratio;
    sum->loop_elec_w += elec_w * ratio * cooling->elec_ratio;
    sum->room_elec_w += elec_w * (1 - ratio) * room_elec_ratio;
    if (cooling->supply_c < sum->supply_c) {
        sum->supply_c = cooling->supply_c;
        sum->coolest = cooling->name;
    }
    if (strcmp(cooling->name, get_word(rack, "cooling")) == 0) {
        sum->named_c = fmin(sum->named_c, cooling->supply_c);
    }
}

/* All racks of the site that stand on @loop, or on any where it is NULL. */
static struct racks sum_racks(const json_t *site, const json_t *loop)
{
    struct racks sum = {.supply_c = INFINITY, .named_c = INFINITY};
    size_t i;
    json_t *rack;

    json_array_foreach (json_object_get(site, "racks"), i, rack) {
        const char *name = get_word(rack, "loop");
        const json_t *of = loop;

        if (of == NULL) {
            const json_t *loops = json_object_get(site, "loops");

            of = *name != '\0' ? find_named(loops, name) : json_array_get(loops, 0);
        } else if (!is_on(rack, loop)) {
            continue;
        }
        add_rack(&sum, rack, of);
    }
    return sum;
}

/* --- what a template gives --- */

/* The kind's lift where the loop is too cold, and a heat pump where even preheat is of no use. */
static const char *choose_lift(const struct hs_catalogue_sink *kind, double need_c, double supply_c)
{
    struct hs_sink sink = {.supply_min_c = need_c};

    snprintf(sink.kind, sizeof(sink.kind), "%s", kind->name);
    if (supply_c >= need_c + LIFT_SPREAD_K) {
        return "none";
    }
    return supply_c >= hs_sink_get_return_c(&sink) + LIFT_SPREAD_K ? kind->lift : "heat-pump";
}

static void fill_sink(struct fill *fill, json_t *sink, const struct hs_catalogue_template_sink *row,
                      double supply_c)
{
    json_t *backup;
    const struct hs_catalogue_sink *kind;

    offer_word(fill, sink, "kind", row->kind, TEMPLATE_SOURCE);
    kind = hs_catalogue_find_sink(get_word(sink, "kind"));
    if (kind != NULL) {
        double need_c = get_real(sink, "supply_min_c", kind->supply_min_c);

        offer_word(fill, sink, "lift", choose_lift(kind, need_c, supply_c), RANGE_SOURCE);
    }
    backup = open_object(sink, "backup");
    offer_word(fill, backup, "backup/kind", "gas-boiler", TEMPLATE_SOURCE);
    if (fill->has_prices && strcmp(get_word(backup, "kind"), "gas-boiler") == 0) {
        offer_figure(fill, backup, "backup/price_cur_per_mwh",
                     fill->kind->is_household ? HS_CATALOGUE_GAS_PRICE_HOUSEHOLD
                                              : HS_CATALOGUE_GAS_PRICE);
    }
}

/* Warmest need among the sinks that are served without a lift; 0 if none is. */
static double get_need_c(const json_t *sinks)
{
    double need_c = 0;
    size_t i;
    json_t *sink;

    json_array_foreach (sinks, i, sink) {
        const struct hs_catalogue_sink *kind = hs_catalogue_find_sink(get_word(sink, "kind"));
        const char *lift = get_word(sink, "lift");

        if (kind != NULL && (*lift == '\0' || strcmp(lift, "none") == 0)) {
            need_c = fmax(need_c, get_real(sink, "supply_min_c", kind->supply_min_c));
        }
    }
    return need_c;
}

static void fill_tank(struct fill *fill, json_t *loop, double full_heat_w, double supply_c)
{
    json_t *tank = open_object(loop, "tank");
    double spread_k = hs_catalogue_get_figure(HS_CATALOGUE_TANK_SPREAD_K)->value;
    double min_c, max_c, volume_l;

    offer_real(fill, tank, "tank/max_c", supply_c, RANGE_SOURCE);
    max_c = get_real(tank, "max_c", supply_c);
    min_c = fmin(fmax(max_c - spread_k, get_need_c(json_object_get(loop, "sinks"))), max_c - 1);
    offer_real(fill, tank, "tank/min_c", fmax(0, min_c), RANGE_SOURCE);
    min_c = get_real(tank, "min_c", min_c);
    volume_l = full_heat_w * fill->kind->tank_h / hs_wh_from_l_k(1, fmax(1, max_c - min_c));
    offer_real(fill, tank, "tank/volume_l", fmax(TANK_MIN_L, round(volume_l / 10) * 10),
               TANK_SOURCE);
    volume_l = fmax(1, get_real(tank, "volume_l", TANK_MIN_L));
    offer_real(fill, tank, "tank/loss_w_per_k",
               round(hs_catalogue_get_tank_loss_w_per_k(volume_l) * 10) / 10,
               hs_catalogue_get_figure(HS_CATALOGUE_TANK_LOSS)->source);
}

static void fill_rejection(struct fill *fill, const json_t *site, json_t *loop, double full_heat_w)
{
    json_t *rejection = open_object(loop, "rejection");
    const struct hs_catalogue_redundancy *level =
        hs_catalogue_find_redundancy(get_word(site, "redundancy"));

    if (level != NULL && full_heat_w > 0) {
        offer_real(fill, rejection, "rejection/limit_w",
                   ceil(full_heat_w * level->heat_ratio / 100) * 100, REJECTION_SOURCE);
    }
    offer_figure(fill, rejection, "rejection/elec_ratio", HS_CATALOGUE_REJECTION_ELEC_RATIO);
}

/* How fast the heat of each rack on @loop may rise. */
static void fill_ramps(struct fill *fill, const json_t *site, const json_t *loop)
{
    size_t i;
    json_t *rack;

    json_array_foreach (json_object_get(site, "racks"), i, rack) {
        const struct hs_catalogue_cooling *cooling = find_cooling(rack);
        double full_heat_w;

        if (!json_is_object(rack) || !is_on(rack, loop)) {
            continue;
        }
        full_heat_w = sum_hosts(rack) * get_capture_ratio(rack, loop);
        if (full_heat_w > 0) {
            set_path(fill, get_word(site, "name"), get_word(rack, "name"), "");
            offer_real(fill, rack, "ramp_w_per_min",
                       fmax(1, round(full_heat_w * cooling->ramp_ratio_per_min)),
                       cooling->ramp_source);
        }
    }
}

static void fill_template_loop(struct fill *fill, json_t *site, json_t *loop)
{
    const char *site_name = get_word(site, "name");
    struct racks racks = sum_racks(site, loop);
    const struct hs_catalogue_cooling *cooling =
        hs_catalogue_find_cooling(racks.coolest != NULL ? racks.coolest : DEFAULT_COOLING);
    double supply_c;
    json_t *sinks;

    offer_real(fill, loop, "supply_c", cooling->supply_c, cooling->supply_source);
    supply_c = get_real(loop, "supply_c", cooling->supply_c);
    if (json_object_get(loop, "sinks") == NULL) {
        hs_jsonx_set(loop, "sinks", hs_jsonx_array());
        for (size_t i = 0; i < HS_CATALOGUE_SINKS_MAX && fill->kind->sinks[i].name != NULL; i++) {
            add_named(json_object_get(loop, "sinks"), fill->kind->sinks[i].name);
        }
    }
    sinks = json_object_get(loop, "sinks");
    for (size_t i = 0; i < HS_CATALOGUE_SINKS_MAX && fill->kind->sinks[i].name != NULL; i++) {
        json_t *sink = find_named(sinks, fill->kind->sinks[i].name);

        if (sink != NULL) {
            set_path(fill, site_name, get_word(loop, "name"), get_word(sink, "name"));
            fill_sink(fill, sink, &fill->kind->sinks[i], supply_c);
        }
    }
    set_path(fill, site_name, get_word(loop, "name"), "");
    fill_tank(fill, loop, racks.full_heat_w, supply_c);
    fill_rejection(fill, site, loop, racks.full_heat_w);
    fill_ramps(fill, site, loop);
}

static void fill_template(struct fill *fill, json_t *site)
{
    json_t *electricity = open_object(site, "electricity");
    struct racks racks;

    if (fill->has_prices) {
        offer_figure(fill, electricity, "electricity/price_cur_per_mwh",
                     fill->kind->is_household ? HS_CATALOGUE_ELEC_PRICE_HOUSEHOLD
                                              : HS_CATALOGUE_ELEC_PRICE);
    }
    offer_figure(fill, electricity, "electricity/gco2_per_kwh", HS_CATALOGUE_ELEC_GCO2);
    offer_word(fill, site, "redundancy", fill->kind->redundancy, TEMPLATE_SOURCE);
    if (json_object_get(site, "loops") == NULL) {
        hs_jsonx_set(site, "loops", hs_jsonx_array());
        add_named(json_object_get(site, "loops"), HS_CATALOGUE_LOOP);
    }
    racks = sum_racks(site, NULL);
    if (racks.full_elec_w > 0) {
        double aux_ratio = (racks.loop_elec_w + racks.room_elec_w) / racks.full_elec_w;

        offer_real(fill, site, "aux_elec_ratio", round(aux_ratio * 1000) / 1000, AUX_SOURCE);
    }
}

static void fill_site(struct fill *fill, json_t *site)
{
    size_t i;
    json_t *loop;

    fill->kind = hs_catalogue_find_template(get_word(site, "template"));
    set_path(fill, get_word(site, "name"), "", "");
    if (fill->kind != NULL) {
        fill_template(fill, site);
    }
    json_array_foreach (json_object_get(site, "loops"), i, loop) {
        const char *name = get_word(loop, "name");
        double named_c;

        if (!json_is_object(loop)) {
            continue;
        }
        set_path(fill, get_word(site, "name"), name, "");
        if (fill->kind != NULL && strcmp(name, HS_CATALOGUE_LOOP) == 0) {
            fill_template_loop(fill, site, loop);
            continue;
        }
        named_c = sum_racks(site, loop).named_c;
        if (isfinite(named_c)) {
            offer_real(fill, loop, "supply_c", named_c, "the coolings of its racks");
        }
    }
}

void hs_sitefill_apply(json_t *estate, struct hs_assumed_list *assumed)
{
    struct fill fill = {.assumed = assumed};
    const char *currency = get_word(estate, "currency");
    size_t i;
    json_t *site;

    fill.has_prices = *currency == '\0' || strcmp(currency, HS_CATALOGUE_CURRENCY) == 0;
    json_array_foreach (json_object_get(estate, "sites"), i, site) {
        if (json_is_object(site)) {
            fill_site(&fill, site);
        }
    }
}
