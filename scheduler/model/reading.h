/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * reading - one value of one point, with its two times and how far it can be trusted.
 *
 * Points are paths: `<site>/<loop>/<sink>/demand_heat_w` (docs/operate.md, Readings). Only good or
 * substituted values go on; an unavailable value is NAN, never zero.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/err.h"
#include "scheduler/model/estate.h"

#define HS_POINT_MAX 256

enum hs_quality {
    HS_QUALITY_GOOD,
    HS_QUALITY_SUBSTITUTED,
    HS_QUALITY_STALE,
    HS_QUALITY_OUT_OF_RANGE,
    HS_QUALITY_NOT_A_NUMBER,
    HS_QUALITY_UNKNOWN,     /* no value yet */
    HS_QUALITY_JUMPED,      /* further than the sensor can have gone in the time */
    HS_QUALITY_STUCK,       /* it, or its device's heartbeat, has stood still for too long */
    HS_QUALITY_UNCONFIRMED, /* the first ones of a connection, until enough agree */
};

enum hs_point_kind {
    HS_POINT_DEMAND_HEAT_W,        /* thing_idx: sink */
    HS_POINT_USEFUL_HEAT_WH,       /* sink; counter */
    HS_POINT_TANK_C,               /* loop; height 0..1 */
    HS_POINT_SUPPLY_C,             /* loop */
    HS_POINT_RETURN_C,             /* loop */
    HS_POINT_FLOW_L_PER_MIN,       /* loop */
    HS_POINT_CAPTURED_HEAT_WH,     /* loop; counter */
    HS_POINT_REJECTED_HEAT_W,      /* loop */
    HS_POINT_PUMP_OK,              /* loop; 1 in order, 0 not */
    HS_POINT_SINKS_OK,             /* loop: all its sinks; 1 in order, 0 not */
    HS_POINT_SINK_OK,              /* sink; 1 in order, 0 not */
    HS_POINT_LEAK,                 /* loop; 1: water where none should be, 0 dry */
    HS_POINT_EMERGENCY,            /* loop; 1: somebody has thrown the switch, 0 not */
    HS_POINT_RACK_ELEC_W,          /* rack */
    HS_POINT_RACK_INLET_C,         /* rack; what its machines are cooled with */
    HS_POINT_OUTDOOR_C,            /* site */
    HS_POINT_OUTDOOR_GHI_W_PER_M2, /* site; global horizontal irradiance */
    HS_POINT_OUTDOOR_WIND_M_PER_S, /* site */
    HS_POINT_ELEC_W,               /* site */
    HS_POINT_REJECTION_WANTED,     /* loop; what hschedd tells the plant: 1 asks for rejection */
    HS_POINT_HEAT_OFFER_W,         /* loop; told: heat that is to come in the next hour */
    HS_POINT_HEARTBEAT,            /* loop; told: 0 and 1 by turns while hschedd lives */
    HS_POINT_KIND_COUNT_,
};

/** A point's path, resolved. */
struct hs_point {
    enum hs_point_kind kind;
    size_t thing_idx;    /* sink, loop, rack or site by kind */
    double height_ratio; /* HS_POINT_TANK_C only */
};

struct hs_reading {
    struct hs_point point;
    double value;
    int64_t taken_at_s;    /* source time, plan UTC */
    int64_t received_at_s; /* when we got it, plan UTC */
    enum hs_quality quality;
};

/**
 * Resolve a point's path.
 *
 * @return 0 or -HS_E_NOTFOUND naming the part that is unknown and the nearest known one
 */
int hs_reading_parse_point(const struct hs_estate *estate, const char *path,
                           struct hs_point *ret_point, struct hs_err *err);

/** Write the path of @point. @param ret_path [HS_POINT_MAX] */
void hs_reading_format_point(const struct hs_estate *estate, const struct hs_point *point,
                             char *ret_path);

/** True for what hschedd tells the plant and never reads. */
bool hs_reading_is_outbound(enum hs_point_kind kind);

/** HS_QUALITY_GOOD, OUT_OF_RANGE or NOT_A_NUMBER for @value at a point of @kind. */
enum hs_quality hs_reading_check(enum hs_point_kind kind, double value);

/** Stable lower-case word ("good", "stale", "not-a-number"). */
const char *hs_reading_quality_word(enum hs_quality quality);
