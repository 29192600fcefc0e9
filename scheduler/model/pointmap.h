/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * pointmap - which register or topic feeds which quantity, and how far its values are believed.
 *
 * Read from `points` of estate.json, which hangs on the thing that is measured (docs/plant.md). The
 * devices and brokers themselves are hschedd.json's; here they are names. Plain values; pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/model/reading.h"

#define HS_POINTMAP_SENTINELS_MAX 4
#define HS_POINTMAP_WHERE_MAX     320
#define HS_POINTMAP_TOPIC_MAX     256
#define HS_POINTMAP_POINTER_MAX   160

enum hs_pointmap_table {
    HS_POINTMAP_HOLDING,
    HS_POINTMAP_INPUT,
    HS_POINTMAP_COIL,
    HS_POINTMAP_DISCRETE
};

enum hs_pointmap_type {
    HS_POINTMAP_INT16,
    HS_POINTMAP_UINT16,
    HS_POINTMAP_INT32,
    HS_POINTMAP_UINT32,
    HS_POINTMAP_INT64,
    HS_POINTMAP_UINT64,
    HS_POINTMAP_FLOAT32,
    HS_POINTMAP_FLOAT64,
    HS_POINTMAP_BOOL,
};

/** How the bytes ABCD of a number lie in two registers; longer ones alike. */
enum hs_pointmap_order {
    HS_POINTMAP_ABCD, /* as the standard's single registers: big end first */
    HS_POINTMAP_CDAB, /* low word first */
    HS_POINTMAP_BADC, /* bytes of each word swapped */
    HS_POINTMAP_DCBA, /* both */
    HS_POINTMAP_ORDER_COUNT_,
};

/** Where a number lies in a Modbus device. */
struct hs_pointmap_register {
    enum hs_pointmap_table table;
    enum hs_pointmap_type type;
    int order;    /* enum hs_pointmap_order; -1: the device's */
    int address;  /* as the maker's list writes it */
    int base;     /* 0 or 1: what that list calls the first one; -1: the device's */
    int unit;     /* 0..255; -1: the device's */
    double scale; /* value = raw x scale + offset */
    double offset;
    double sentinels[HS_POINTMAP_SENTINELS_MAX]; /* raw numbers that mean: nothing is known */
    size_t n_sentinels;
    double rollover; /* a counter begins anew at this number, before scale; NAN: see get_span */
};

/** What makes a value believable. */
struct hs_pointmap_rule {
    double min; /* NAN: as the quantity's own bounds */
    double max;
    double rate_per_s;     /* most it can change; NAN: any */
    int64_t max_age_s;     /* older is stale */
    int64_t stuck_after_s; /* as long without any change is stuck; 0: may stand still */
    int confirm;           /* readings of one connection that must agree before one is believed */
};

struct hs_pointmap_row {
    struct hs_point point;
    char path[HS_POINT_MAX];
    char pointer[HS_POINTMAP_WHERE_MAX]; /* JSON pointer of the entry, for messages */
    char modbus[HS_NAME_MAX];            /* device's name, or "" */
    char mqtt[HS_NAME_MAX];              /* broker's name, or "" */
    bool is_write;                       /* hschedd writes it; else it reads it */
    struct hs_pointmap_register reg;
    char topic[HS_POINTMAP_TOPIC_MAX];
    char member[HS_POINTMAP_POINTER_MAX]; /* JSON pointer into the payload; "": plain number */
    struct hs_pointmap_rule rule;
};

struct hs_pointmap {
    struct hs_pointmap_row *rows; /* [n_rows] in the file's order */
    size_t n_rows;
};

/** Fields of one entry of `points`. */
extern const struct hs_conf_table hs_pointmap_table;

/* NULL-terminated, in the order of their enums */
extern const char *const hs_pointmap_table_words[];
extern const char *const hs_pointmap_type_words[];
extern const char *const hs_pointmap_order_words[];

/**
 * Read every `points` of an estate.
 *
 * @param object   the estate's JSON, templates filled in
 * @param pointer  where it lies in its file
 * @param ret_map  {0}; the caller's in any case (hs_pointmap_free)
 */
void hs_pointmap_read(const struct hs_estate *estate, const json_t *object, const char *pointer,
                      struct hs_conf_report *report, struct hs_pointmap *ret_map);

/**
 * By how much a counter falls when it is full and begins anew, in the point's unit; 0: it does not,
 * or is no counter. Without `rollover` it is the range of uint16 and uint32.
 */
double hs_pointmap_get_span(const struct hs_pointmap_row *row);

/** The row that reads (or writes) @point, or NULL. */
const struct hs_pointmap_row *hs_pointmap_find(const struct hs_pointmap *map,
                                               const struct hs_point *point, bool is_write);

/** Accepts NULL. */
void hs_pointmap_free(struct hs_pointmap *map);
HS_DEFINE_AUTO(hs_pointmap);
