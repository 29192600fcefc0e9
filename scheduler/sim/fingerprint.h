/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * fingerprint - tells whether a scenario and the files it names are still what they were.
 *
 * FNV-1a of 64 bits: finds accidents, not forgers. Source: Fowler, Noll, Vo; IETF
 * draft-eastlake-fnv.
 */

#include "scheduler/base/err.h"

#define HS_FINGERPRINT_MAX 17 /* 16 hexadecimal digits */

struct hs_fingerprint {
    char scenario[HS_FINGERPRINT_MAX]; /* of the scenario's bytes */
    char inputs[HS_FINGERPRINT_MAX];   /* of the files it names, in its order, gunzipped */
};

/** @return 0, or what reading says */
int hs_fingerprint_read(const char *scenario_path, struct hs_fingerprint *ret_print,
                        struct hs_err *err);
