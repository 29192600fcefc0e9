/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_quality - is this value to be believed? One state a point, judged reading by reading.
 *
 * Fresh, in range, not faster than it can change, not stuck, and after a connection was made again
 * confirmed by several readings that agree. What is not known is NAN, never zero. Every bad state
 * ends by itself. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/model/pointmap.h"
#include "scheduler/model/reading.h"

struct hs_plant_quality {
    double good; /* last one believed; NAN before the first */
    int64_t good_at_s;
    double candidate; /* newest of those that wait for confirmation */
    int64_t candidate_at_s;
    int n_agreeing;
    bool is_unconfirmed; /* the connection is new */
    double seen;         /* what the sensor has said since changed_at_s */
    int64_t changed_at_s;
    bool is_stuck;
    double counted; /* last number of a counter; NAN before the first */
    double rolled;  /* what its roll-overs come to */
};

/** Nothing known yet, and the connection is new. */
void hs_plant_quality_init(struct hs_plant_quality *quality);

/** The connection was made again: who answers there now is to be proven. */
void hs_plant_quality_reconnect(struct hs_plant_quality *quality);

/**
 * Judge a reading. Readings come in time order.
 *
 * @param rule   nullable: only what the quantity can be at all is checked
 * @param value  NAN where the device says that it knows nothing
 * @return GOOD, NOT_A_NUMBER, OUT_OF_RANGE, STUCK, JUMPED or UNCONFIRMED
 */
enum hs_quality hs_plant_quality_judge(struct hs_plant_quality *quality,
                                       const struct hs_pointmap_rule *rule, enum hs_point_kind kind,
                                       double value, int64_t at_s);

/**
 * A counter that goes on where it rolled over. Called with what was believed only. A fall from its
 * last quarter to its first is a roll-over, any other a new meter, which is left to be seen.
 *
 * @param span  by how much it falls when it rolls over; 0: it does not
 */
double hs_plant_quality_unroll(struct hs_plant_quality *quality, double span, double value);

/** True if the last good value is older than the rule allows, or there is none. */
bool hs_plant_quality_is_stale(const struct hs_plant_quality *quality,
                               const struct hs_pointmap_rule *rule, int64_t now_at_s);

/** The sign of life of a device: a number that it changes all the time, whatever it measures. */
struct hs_plant_quality_beat {
    double beat; /* NAN before the first */
    int64_t changed_at_s;
};

void hs_plant_quality_init_beat(struct hs_plant_quality_beat *beat);

/** Take in the number. @return true if the device is alive: it changed within @max_age_s */
bool hs_plant_quality_add_beat(struct hs_plant_quality_beat *beat, double number, int64_t max_age_s,
                               int64_t at_s);
