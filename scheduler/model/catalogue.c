/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue - the tables. */
#include "scheduler/model/catalogue.h"

#include <math.h>
#include <string.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

static const struct hs_catalogue_cooling coolings[] = {
    {"air-to-air", 0.40, "assumed; room air mixes before the exchanger sees it"},
    {"air-to-water", 0.50, "assumed; needs hot-aisle containment to do better"},
    {"rear-door", 0.60, "assumed; part of the exhaust air passes the coil warm"},
    /* Cold plates on processors alone leave fans, memory and power supplies to the air. Bounds:
       about 0.5 in 70 °C water without insulation (iDataCool, arXiv:1309.4887), 0.85 to 0.9 in
       Summit and Sierra (Tian et al., ITherm 2019). */
    {"direct-to-chip", 0.65,
     "assumed; between iDataCool (arXiv:1309.4887) and Summit (ITherm 2019)"},
    {"immersion", 0.85, "assumed; all parts are wetted, the tank's walls lose some"},
    {"hybrid", 0.65, "assumed; as direct-to-chip"},
};
const char *const hs_catalogue_cooling_words[] = {
    "air-to-air", "air-to-water", "rear-door", "direct-to-chip", "immersion", "hybrid", NULL};

/* Usual design supply temperatures; a meter or the building's heating curve knows better. */
static const struct hs_catalogue_sink sinks[] = {
    {"space-heating-floor", 30},
    {"space-heating-low-temperature", 35},
    {"space-heating-radiator", 55},
    {"dhw", 55},
    {"pool", 30},
    {"district-return", 45},
    {"district-preheat", 35},
    {"process", 50},
    {"greenhouse", 30},
    {"absorption", 70},
};
const char *const hs_catalogue_sink_words[] = {"space-heating-floor",
                                               "space-heating-low-temperature",
                                               "space-heating-radiator",
                                               "dhw",
                                               "pool",
                                               "district-return",
                                               "district-preheat",
                                               "process",
                                               "greenhouse",
                                               "absorption",
                                               NULL};

const char *const hs_catalogue_lift_words[] = {"none", "preheat", "heat-pump", NULL};

/* Fuel carbon: IPCC 2006 guidelines, vol. 2, table 2.2, net calorific value: natural gas 56.1,
   gas oil 74.1 kg/GJ; biomass is accounted elsewhere and counts nothing here, so that no avoided
   carbon is claimed for it. Efficiencies are assumed. */
static const struct hs_catalogue_backup backups[] = {
    {"gas-boiler", NULL, 0.90, 202, 0},         {"oil-boiler", NULL, 0.85, 267, 0},
    {"electric", "resistive", 0.99, NAN, 1},    {"heat-pump", NULL, 3.0, NAN, 1},
    {"district", "district-heat", 1.0, NAN, 0}, {"biomass", NULL, 0.80, 0, 0},
};
const char *const hs_catalogue_backup_words[] = {"gas-boiler", "oil-boiler",    "electric",
                                                 "heat-pump",  "district",      "biomass",
                                                 "resistive",  "district-heat", NULL};

static const struct hs_catalogue_template templates[] = {
    {"office", "space-heating-low-temperature", "seasonal mismatch, noise"},
    {"school", "space-heating-low-temperature", "budget cycles, maintenance windows"},
    {"clinic", "space-heating-low-temperature", "regulatory scrutiny, uptime"},
    {"care-home", "dhw", "regulatory scrutiny, hygiene of hot water"},
    {"warehouse", "process", "dust, airflow, variable demand"},
    {"mixed-use", "space-heating-low-temperature", "complex ownership and metering"},
    {"leisure-centre", "pool", "closures in holidays"},
    {"apartment-block", "dhw", "hygiene of hot water, billing"},
    {"hospital", "space-heating-low-temperature", "regulatory scrutiny, uptime"},
    {"laundry", "process", "demand follows shifts"},
    {"campus", "space-heating-low-temperature", "maintenance windows, several owners"},
    {"municipal", "space-heating-low-temperature", "budget cycles"},
    {"home", "dhw", "noise, small tank"},
    {"greenhouse", "greenhouse", "no demand in summer"},
    {"district", "district-preheat", "return temperature is the network's affair"},
};
const char *const hs_catalogue_template_words[] = {
    "office",         "school",          "clinic",   "care-home", "warehouse", "mixed-use",
    "leisure-centre", "apartment-block", "hospital", "laundry",   "campus",    "municipal",
    "home",           "greenhouse",      "district", NULL};

#define FIND(table, is_it)                  \
    for (size_t i = 0; i < N(table); i++) { \
        if (is_it) {                        \
            return &(table)[i];             \
        }                                   \
    }                                       \
    return NULL

const struct hs_catalogue_cooling *hs_catalogue_find_cooling(const char *name)
{
    FIND(coolings, strcmp(coolings[i].name, name) == 0);
}

const struct hs_catalogue_sink *hs_catalogue_find_sink(const char *name)
{
    FIND(sinks, strcmp(sinks[i].name, name) == 0);
}

const struct hs_catalogue_backup *hs_catalogue_find_backup(const char *name_or_alias)
{
    FIND(backups,
         strcmp(backups[i].name, name_or_alias) == 0
             || (backups[i].alias != NULL && strcmp(backups[i].alias, name_or_alias) == 0));
}

const struct hs_catalogue_template *hs_catalogue_find_template(const char *name)
{
    FIND(templates, strcmp(templates[i].name, name) == 0);
}
