/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * decisionlog - every decision of a run as a line of JSON (docs/simulator.md, Traces of decisions).
 *
 * A head for each controller, then its decisions in order, numbered through the file from 1. Lines
 * are the same for the same run, byte for byte: `hsim replay` goes by that.
 */

#include <stdint.h>
#include <stdio.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/sim/fingerprint.h"
#include "scheduler/sim/simrun.h"

#define HS_DECISIONLOG_API "hsched.trace/v1"

/** Where the decisions of one controller come from. */
struct hs_decisionlog_head {
    const char *scenario_path; /* as the user gave it */
    struct hs_fingerprint print;
    uint64_t seed;
    const char *version;
};

/** The line that begins a controller's part; owned by the caller. @param first_seq of it */
char *hs_decisionlog_format_head(const struct hs_decisionlog_head *head, const char *controller,
                                 uint64_t first_seq);

/** The line of what just changed in @run; owned by the caller. */
char *hs_decisionlog_format(const struct hs_simrun *run, const char *controller, uint64_t seq,
                            size_t job_idx, enum hs_simrun_change change);

/** Host as site/rack/host. @param ret_path [HS_DECISIONLOG_PATH_MAX] */
#define HS_DECISIONLOG_PATH_MAX 320
void hs_decisionlog_format_host(const struct hs_estate *estate, size_t host_idx, char *ret_path);

/** RFC 3339 UTC, with milliseconds unless it is a whole second. @param ret_text [HS_TIMETEXT_MAX]
 */
void hs_decisionlog_format_at(double at_s, char *ret_text);
