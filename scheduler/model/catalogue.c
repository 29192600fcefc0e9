/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue - the tables. */
#include "scheduler/model/catalogue.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/units.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* What several rows share. Pages were read in stored copies; a figure that no page gave is ours. */
#define SUMMIT                                                                                    \
    "Summit and Sierra leave 10 to 15 % of a drawer's heat to the air: Tian et al., IBM J. Res. " \
    "Dev. 2019, doi 10.1147/JRD.2019.2958902"
#define AQUASAR "Aquasar recovers 80 % at 60 °C water: Zimmermann et al., Energy 43 (2012) 237-245"
#define AIR_SUPPLY                                                                               \
    "air cooling yields at most 30 °C: p2h-computing.de, from VDI and Umweltbundesamt; Verne, " \
    "Helsinki: 25-30 °C"
#define AIR_RAMP                                                                                   \
    "time constant of a rack with an air coil is 25 min: J. Electron. Packag. 146 (2024) 031007; " \
    "1/25 of full heat a minute"

static const struct hs_catalogue_cooling coolings[] = {
    {.name = "air-to-air",
     .capture_ratio = 0.40,
     .source = "assumed; room air mixes before the exchanger sees it",
     .supply_min_c = 20,
     .supply_max_c = 30,
     .supply_c = 28,
     .supply_source = AIR_SUPPLY,
     .elec_ratio = 0.10,
     .elec_source = "assumed; duct fans of both air streams",
     .spread_k = 10,
     .spread_source = "assumed; usual rise of air through a server",
     .ramp_ratio_per_min = 0.04,
     .ramp_source = AIR_RAMP,
     .heat_use = "low to moderate",
     .complexity = "low",
     .fit = "warming the next room directly; homes, sheds, workshops",
     .caution = "dust and noise travel with the air; of no use in summer"},
    {.name = "air-to-water",
     .capture_ratio = 0.50,
     .source = "assumed; needs hot-aisle containment to do better",
     .supply_min_c = 20,
     .supply_max_c = 30,
     .supply_c = 28,
     .supply_source = AIR_SUPPLY,
     .elec_ratio = 0.08,
     .elec_source = "assumed; fans of the coil and one pump",
     .spread_k = 5,
     .spread_source = "assumed; a coil between air and warm water leaves little",
     .ramp_ratio_per_min = 0.04,
     .ramp_source = AIR_RAMP,
     .heat_use = "moderate",
     .complexity = "low to medium",
     .fit = "small offices, retrofits",
     .caution = "lowest outlay, coldest heat: most sinks need a heat pump"},
    {.name = "rear-door",
     .capture_ratio = 0.60,
     .source = "assumed; part of the exhaust air passes the coil warm. Bound: all of 27 kW with "
               "chilled water, by calculation (IMECE2010, 44281, 405)",
     .supply_min_c = 20,
     .supply_max_c = 35,
     .supply_c = 30,
     .supply_source = "assumed; the coil stands in undiluted exhaust, some kelvin warmer than a "
                      "room's air",
     .elec_ratio = 0.05,
     .elec_source = "assumed; pump, and fans where the door has them",
     .spread_k = 6,
     .spread_source = "assumed; as air-to-water, in warmer air",
     .ramp_ratio_per_min = 0.04,
     .ramp_source = AIR_RAMP,
     .heat_use = "high",
     .complexity = "medium",
     .fit = "standard racks with a hydronic loop",
     .caution = "water above the dew point; a warm loop takes capture away"},
    /* Cold plates on processors alone leave fans, memory and power supplies to the air. */
    {.name = "direct-to-chip",
     .capture_ratio = 0.65,
     .source = "assumed; plates on processors only. Upper bounds: " SUMMIT "; " AQUASAR,
     .supply_min_c = 30,
     .supply_max_c = 60,
     .supply_c = 45,
     .supply_source = "Aquasar at 60 °C (Energy 43 (2012) 237-245); iDataCool reaches 70 °C "
                      "(arXiv:1309.4887); 45-60 °C: p2h-computing.de, from Umweltbundesamt",
     .elec_ratio = 0.04,
     .elec_source = "assumed; two pumps and the fans that stay",
     .spread_k = 8,
     .spread_source = "assumed; between 5 and 10 K at a distribution unit",
     .ramp_ratio_per_min = 0.20,
     .ramp_source = "assumed; plates follow in seconds, the water of the rack in minutes",
     .heat_use = "high",
     .complexity = "medium to high",
     .fit = "dense edge AI, plant rooms",
     .caution = "leaks, water quality; what the plates miss still needs air"},
    {.name = "immersion",
     .capture_ratio = 0.85,
     .source = "assumed; all parts are wetted, the tank's walls lose some. Bound: 90 % stated by "
               "the maker of the pool heater in Exmouth (amusementlogic.com)",
     .supply_min_c = 30,
     .supply_max_c = 55,
     .supply_c = 45,
     .supply_source = "assumed; under the 60-75 °C of p2h-computing.de, oil films are thick",
     .elec_ratio = 0.03,
     .elec_source = "assumed; one pump for oil, one for water, no fans",
     .spread_k = 8,
     .spread_source = "assumed; as direct-to-chip",
     .ramp_ratio_per_min = 0.10,
     .ramp_source = "assumed; the bath's mass smooths half of what plates would pass",
     .heat_use = "very high",
     .complexity = "high",
     .fit = "specialised edge labs, dense AI",
     .caution = "handling, fluids and warranty are a trade of their own"},
    {.name = "hybrid",
     .capture_ratio = 0.65,
     .source = "assumed; as direct-to-chip, the air side not counted",
     .supply_min_c = 25,
     .supply_max_c = 45,
     .supply_c = 40,
     .supply_source = "assumed; between its air and its liquid part",
     .elec_ratio = 0.06,
     .elec_source = "assumed; between its air and its liquid part",
     .spread_k = 6,
     .spread_source = "assumed; as rear-door",
     .ramp_ratio_per_min = 0.10,
     .ramp_source = "assumed; between its air and its liquid part, behind a store",
     .heat_use = "high",
     .complexity = "medium to high",
     .fit = "district heat, pools, buildings of several uses, with a store",
     .caution = "two circuits to balance and to maintain"},
};
const char *const hs_catalogue_cooling_words[] = {
    "air-to-air", "air-to-water", "rear-door", "direct-to-chip", "immersion", "hybrid", NULL};

/* Usual design supply temperatures; a meter or the building's heating curve knows better. */
static const struct hs_catalogue_sink sinks[] = {
    {"space-heating-floor", 30, "heat-pump", "assumed; usual design of floors and ceilings"},
    {"space-heating-low-temperature", 35, "heat-pump",
     "assumed; large or fan-assisted emitters on a mild day"},
    {"space-heating-radiator", 55, "heat-pump",
     "assumed; radiators of old size: a heat pump or other emitters"},
    {"dhw", 55, "preheat", "assumed; usual hot water, the final heater does the rest"},
    {"pool", 30, "heat-pump", "Exmouth's basin is kept at about 30 °C (gymtopia.org)"},
    {"district-return", 45, "heat-pump", "assumed; returns of networks built before 2010"},
    {"district-preheat", 35, "preheat", "assumed; above a low-temperature network's return"},
    {"process", 50, "preheat", "assumed; wash water before its final heater"},
    {"greenhouse", 30, "heat-pump", "assumed; pipes under the benches"},
    {"absorption", 70, "heat-pump",
     "iDataCool drives an adsorption chiller at 70 °C "
     "(arXiv:1309.4887)"},
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
   carbon is claimed for it. */
#define IPCC "carbon: IPCC 2006, vol. 2, table 2.2; efficiency assumed"

static const struct hs_catalogue_backup backups[] = {
    {"gas-boiler", NULL, 0.90, 202, 0, IPCC},
    {"oil-boiler", NULL, 0.85, 267, 0, IPCC},
    {"electric", "resistive", 0.99, NAN, 1, "assumed; carbon as the site's electricity"},
    {"heat-pump", NULL, 3.0, NAN, 1, "assumed yearly mean; carbon as the site's electricity"},
    {"district", "district-heat", 1.0, NAN, 0, "assumed, at the meter; its carbon must be given"},
    {"biomass", NULL, 0.80, 0, 0, "assumed; counted as free of carbon, so nothing is claimed"},
};
const char *const hs_catalogue_backup_words[] = {"gas-boiler", "oil-boiler",    "electric",
                                                 "heat-pump",  "district",      "biomass",
                                                 "resistive",  "district-heat", NULL};

static const struct hs_catalogue_redundancy redundancies[] = {
    {"n", 1.0, "rejection for all heat, none to spare"},
    {"n+1", 1.25, "one unit of five may fail"},
    {"2n", 2.0, "half of all units may fail"},
};
const char *const hs_catalogue_redundancy_words[] = {"n", "n+1", "2n", NULL};

#define HEATING                                    \
    {                                              \
        "heating", "space-heating-low-temperature" \
    }
#define HOT_WATER          \
    {                      \
        "hot-water", "dhw" \
    }
#define PROCESS              \
    {                        \
        "process", "process" \
    }

static const struct hs_catalogue_template templates[] = {
    {"office",
     "space-heating-low-temperature",
     {HEATING, HOT_WATER},
     3,
     "n",
     false,
     "high",
     "medium",
     "seasonal mismatch, noise"},
    {"school",
     "space-heating-low-temperature",
     {HEATING, HOT_WATER},
     4,
     "n",
     false,
     "high",
     "medium to high",
     "budget cycles, maintenance windows; empty in holidays"},
    {"clinic",
     "space-heating-low-temperature",
     {HEATING, HOT_WATER},
     4,
     "n+1",
     false,
     "medium to high",
     "high",
     "regulatory scrutiny, uptime"},
    {"care-home",
     "dhw",
     {HOT_WATER, HEATING},
     4,
     "n+1",
     false,
     "high",
     "medium to high",
     "regulatory scrutiny, hygiene of hot water"},
    {"warehouse",
     "process",
     {PROCESS, HEATING},
     3,
     "n",
     false,
     "medium",
     "medium",
     "dust, airflow, variable demand"},
    {"mixed-use",
     "space-heating-low-temperature",
     {HEATING, HOT_WATER},
     4,
     "n+1",
     false,
     "very high",
     "high",
     "complex ownership and metering"},
    {"leisure-centre",
     "pool",
     {{"basin", "pool"}, HOT_WATER},
     3,
     "n",
     false,
     "very high",
     "medium",
     "closures in holidays"},
    {"apartment-block",
     "dhw",
     {HOT_WATER, HEATING},
     4,
     "n",
     false,
     "high",
     "medium to high",
     "hygiene of hot water, billing"},
    {"hospital",
     "space-heating-low-temperature",
     {HEATING, HOT_WATER},
     6,
     "2n",
     false,
     "medium to high",
     "high",
     "regulatory scrutiny, uptime"},
    {"laundry", "process", {PROCESS}, 6, "n", false, "high", "medium", "demand follows shifts"},
    {"campus",
     "space-heating-low-temperature",
     {HEATING, HOT_WATER},
     4,
     "n+1",
     false,
     "high",
     "medium to high",
     "maintenance windows, several owners"},
    {"municipal",
     "space-heating-low-temperature",
     {HEATING, HOT_WATER},
     3,
     "n",
     false,
     "high",
     "medium",
     "budget cycles"},
    {"home", "dhw", {HOT_WATER, HEATING}, 6, "n", true, "medium", "low", "noise, small tank"},
    {"greenhouse",
     "greenhouse",
     {{"beds", "greenhouse"}},
     6,
     "n",
     false,
     "medium to high",
     "low to medium",
     "no demand in summer; damp air"},
    {"district",
     "district-preheat",
     {{"network", "district-preheat"}},
     2,
     "n+1",
     false,
     "high",
     "high",
     "return temperature is the network's affair"},
};
const char *const hs_catalogue_template_words[] = {
    "office",         "school",          "clinic",   "care-home", "warehouse", "mixed-use",
    "leisure-centre", "apartment-block", "hospital", "laundry",   "campus",    "municipal",
    "home",           "greenhouse",      "district", NULL};

static const struct hs_catalogue_figure figures[HS_CATALOGUE_N_FIGURES] = {
    [HS_CATALOGUE_ELEC_PRICE] = {"electricity price", 200, "EUR/MWh",
                                 "EU mean of non-household consumers, second half of 2023, "
                                 "Eurostat by qery.no"},
    [HS_CATALOGUE_ELEC_PRICE_HOUSEHOLD] = {"electricity price, home", 285, "EUR/MWh",
                                           "EU mean of households, second half of 2023: Eurostat, "
                                           "25 April 2024"},
    [HS_CATALOGUE_ELEC_GCO2] = {"electricity carbon", 281, "g/kWh",
                                "EU-27 in 2018: EEA indicator IND-353; it has fallen since"},
    [HS_CATALOGUE_GAS_PRICE] = {"gas price", 60, "EUR/MWh",
                                "assumed; low in Eurostat's 46 to 128 for non-household "
                                "consumers, second half of 2023, so that heat is not overvalued"},
    [HS_CATALOGUE_GAS_PRICE_HOUSEHOLD] = {"gas price, home", 110, "EUR/MWh",
                                          "assumed; under the EU mean of households of 113, second "
                                          "half of 2023, Eurostat, 25 April 2024"},
    [HS_CATALOGUE_REJECTION_ELEC_RATIO] = {"electricity for each Wh rejected", 0.03, "",
                                           "assumed; fans of a dry cooler"},
    [HS_CATALOGUE_ROOM_ELEC_RATIO] = {"electricity for each Wh that is not captured", 0.25, "",
                                      "assumed; a room air conditioner with a yearly mean of 4"},
    [HS_CATALOGUE_TANK_SPREAD_K] = {"tank, warmest minus coldest", 10, "K",
                                    "assumed; what a loop of low temperature leaves"},
    [HS_CATALOGUE_TANK_LOSS] = {"tank loss at 1000 l", 3.3, "W/K",
                                "assumed; (16.66 + 8.33 l^0.4) W at 45 K, the worst of class C in "
                                "Regulation (EU) No 812/2013, used beyond its 500 l"},
};

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

const struct hs_catalogue_redundancy *hs_catalogue_find_redundancy(const char *name)
{
    FIND(redundancies, strcmp(redundancies[i].name, name) == 0);
}

const struct hs_catalogue_template *hs_catalogue_find_template(const char *name)
{
    FIND(templates, strcmp(templates[i].name, name) == 0);
}

const struct hs_catalogue_figure *hs_catalogue_get_figure(enum hs_catalogue_figure_id id)
{
    return &figures[id];
}

double hs_catalogue_get_flow_l_per_min_kw(const struct hs_catalogue_cooling *cooling)
{
    return 1000 / (60 * HS_WATER_WH_PER_L_K * cooling->spread_k);
}

double hs_catalogue_get_tank_loss_w_per_k(double volume_l)
{
    return (16.66 + 8.33 * pow(volume_l, 0.4)) / 45;
}
