/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * servefault - what `hsim serve` does wrong on purpose, from when to when.
 *
 * Written as KIND[:NAME]@TIME+DURATION, as freeze:pool/main/supply_c@2026-01-05T12:00:00Z+30m. NAME
 * is a point, or of disconnect and mute a device; without it, all. Times are plan time. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/err.h"
#include "scheduler/model/reading.h"

enum hs_servefault_kind {
    HS_SERVEFAULT_FREEZE,     /* says again what it said before */
    HS_SERVEFAULT_NAN,        /* knows nothing: NaN, or the point's sentinel */
    HS_SERVEFAULT_SWAP,       /* the other word order */
    HS_SERVEFAULT_SCALE,      /* ten times too much */
    HS_SERVEFAULT_DISCONNECT, /* nobody is there */
    HS_SERVEFAULT_MUTE,       /* somebody is there and never answers */
    HS_SERVEFAULT_KIND_COUNT_,
};

struct hs_servefault {
    enum hs_servefault_kind kind;
    char name[HS_POINT_MAX]; /* "": all */
    int64_t from_at_s;
    int64_t until_at_s;
};

/** @return 0 or -HS_E_INVALID saying what would be right */
int hs_servefault_parse(const char *text, struct hs_servefault *ret_fault, struct hs_err *err);

/** Is one of @kind upon @name at that time? @param faults [n] */
bool hs_servefault_check(const struct hs_servefault *faults, size_t n, enum hs_servefault_kind kind,
                         const char *name, int64_t at_s);
