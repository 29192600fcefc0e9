/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * estimator - what the heat loops look like, from readings good and bad.
 *
 * Keeps the last good value of each point, sums counters and powers for the ledger, and closes
 * metered slots for the forecast. An unavailable value is unknown, never zero: demand is bridged
 * with the last good value for HS_ESTIMATOR_FRESH_SLOTS, then with the forecast, and after
 * HS_ESTIMATOR_BLIND_SLOTS heat gets no credit at all. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forecast/tankloss.h"
#include "forecast/weather.h"
#include "scheduler/base/auto.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/reading.h"

#define HS_ESTIMATOR_FRESH_SLOTS 2
#define HS_ESTIMATOR_BLIND_SLOTS 4
#define HS_ESTIMATOR_WEATHER_S   5400 /* weather holds so long: stations speak once an hour */
#define HS_ESTIMATOR_MUTE_S      86400
#define HS_ESTIMATOR_BACK_S      60 /* in order for so long is in order: contacts bounce */
#define HS_ESTIMATOR_SENSORS_MAX 8  /* heights of a tank that are told apart */

/** Last good value of a point and how its readings have been since. */
struct hs_estimator_value {
    double value; /* NAN before the first good one */
    int64_t at_s;
    int64_t received_at_s;
    unsigned n_bad;          /* bad ones in a row since */
    enum hs_quality quality; /* of the newest reading */
};

/** What a part of the plant says of itself: 1 in order, 0 not. */
struct hs_estimator_part {
    struct hs_estimator_value ok;
    int64_t off_at_s;  /* while it is not in order: since when */
    int64_t back_at_s; /* when it last came back in order */
};

struct hs_estimator_sink {
    struct hs_estimator_value demand_w;
    struct hs_estimator_value useful_wh; /* counter */
    double metered_useful_wh;            /* its rise since the start */
    double demand_wh;                    /* integral of demand_w */
    struct hs_estimator_part part;
    /* the slot being metered */
    double slot_wh;
    double slot_known_s;
};

/** One of a tank's thermometers. */
struct hs_estimator_sensor {
    double height_ratio;
    struct hs_estimator_value value;
};

struct hs_estimator_loop {
    struct hs_estimator_value tank_c; /* mean over the heights whose sensors are fresh */
    struct hs_estimator_sensor sensors[HS_ESTIMATOR_SENSORS_MAX]; /* [n_sensors] top first */
    size_t n_sensors;
    struct hs_estimator_value captured_wh; /* counter */
    struct hs_estimator_value rejected_w;
    struct hs_estimator_value supply_c;
    struct hs_estimator_value return_c;
    struct hs_estimator_value flow_l_per_min;
    struct hs_estimator_value leak;
    struct hs_estimator_value emergency;
    double first_tank_wh; /* NAN before the first reading */
    int64_t first_tank_at_s;
    double metered_captured_wh; /* its rise since the start */
    double captured_w;          /* mean over the last two counter readings; NAN if none */
    double rejected_wh;
    double lost_wh;               /* modelled from the tank's temperature */
    struct hs_tankloss tank_loss; /* learned from its temperature and meters */
    struct hs_estimator_part pump;
    struct hs_estimator_part sinks; /* the loop's word for all its sinks */
};

/** What is measured of the air outside of a site. */
enum hs_estimator_air {
    HS_ESTIMATOR_AIR_C,
    HS_ESTIMATOR_AIR_GHI_W_PER_M2,
    HS_ESTIMATOR_AIR_WIND_M_PER_S,
    HS_ESTIMATOR_N_AIR,
};

struct hs_estimator_site {
    struct hs_estimator_value air[HS_ESTIMATOR_N_AIR];
    /* the slot being metered */
    double slot_sum[HS_ESTIMATOR_N_AIR]; /* value x s */
    double slot_known_s[HS_ESTIMATOR_N_AIR];
};

struct hs_estimator {
    const struct hs_estate *estate;
    int64_t start_at_s;
    int64_t slot_at_s;                       /* the slot being metered */
    struct hs_estimator_site *sites;         /* [n_sites] */
    struct hs_estimator_sink *sinks;         /* [n_sinks] */
    struct hs_estimator_loop *loops;         /* [n_loops] */
    struct hs_estimator_value *rack_elec_w;  /* [n_racks] as metered */
    struct hs_estimator_value *rack_inlet_c; /* [n_racks] */
};

/**
 * Called when a slot is closed, slots in time order: a sink's mean demand, NAN if less than half
 * of it was known, and its site's mean weather, unknown where nothing was.
 */
typedef void hs_estimator_slot_fn(void *arg, size_t sink_idx, int64_t slot_at_s, double demand_w,
                                  const struct hs_weather *weather);

/** Nothing known. Owned by the caller. */
struct hs_estimator *hs_estimator_new(const struct hs_estate *estate, int64_t now_at_s);

/** Take in one reading, good or bad. */
void hs_estimator_add(struct hs_estimator *estimator, const struct hs_reading *reading);

/** What is known of @point, or NULL for a kind, or a height, of which nothing is. */
const struct hs_estimator_value *hs_estimator_find_value(const struct hs_estimator *estimator,
                                                         const struct hs_point *point);

/** Close every slot that ended by @now_at_s. */
void hs_estimator_close(struct hs_estimator *estimator, int64_t now_at_s,
                        hs_estimator_slot_fn *closed, void *arg);

/** Usable energy in the loop's tank, Wh; NAN if no reading has come. */
double hs_estimator_get_tank_wh(const struct hs_estimator *estimator, size_t loop_idx);

/**
 * Electric power of the rack by its meter, W. NAN if it has none, or none that spoke in the last
 * HS_ESTIMATOR_FRESH_SLOTS.
 */
double hs_estimator_get_rack_elec_w(const struct hs_estimator *estimator, size_t rack_idx,
                                    int64_t now_at_s);

/** Demand of all the loop's sinks by their last good values, W; NAN if one is unknown. */
double hs_estimator_get_demand_w(const struct hs_estimator *estimator, size_t loop_idx);

/** Seconds since the needed point (demands, tank) that has been silent longest was good. */
double hs_estimator_get_silent_s(const struct hs_estimator *estimator, size_t loop_idx,
                                 int64_t now_at_s);

/** Most bad readings in a row at a needed point. */
unsigned hs_estimator_get_n_bad(const struct hs_estimator *estimator, size_t loop_idx);

/**
 * For how long the sink has taken no heat by its own word, its loop's or its pump's, s; below 0
 * if it takes heat. A word that nobody has repeated for HS_ESTIMATOR_MUTE_S no longer counts: a
 * contact that fails does not give the sink back. Nor does one that has been in order for less than
 * HS_ESTIMATOR_BACK_S.
 */
double hs_estimator_get_off_s(const struct hs_estimator *estimator, size_t sink_idx,
                              int64_t now_at_s);

/** Does its, its loop's or its pump's newest word say that the sink takes no heat? */
bool hs_estimator_says_off(const struct hs_estimator *estimator, size_t sink_idx, int64_t now_at_s);

/**
 * The hottest that a thermometer of the loop (supply, return, tank) has said of late, degrees
 * Celsius; NAN if none has spoken in the last HS_ESTIMATOR_FRESH_SLOTS.
 */
double hs_estimator_get_hottest_c(const struct hs_estimator *estimator, size_t loop_idx,
                                  int64_t now_at_s);

/** How long no thermometer of the loop has had a good value, s; INFINITY: none ever had. */
double hs_estimator_get_mute_s(const struct hs_estimator *estimator, size_t loop_idx,
                               int64_t now_at_s);

/** What cools the rack's machines, degrees Celsius; NAN as for hs_estimator_get_hottest_c(). */
double hs_estimator_get_inlet_c(const struct hs_estimator *estimator, size_t rack_idx,
                                int64_t now_at_s);

/** Accepts NULL. */
void hs_estimator_free(struct hs_estimator *estimator);
HS_DEFINE_AUTO(hs_estimator);
