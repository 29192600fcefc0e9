/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simplot - a run's plots as SVG files: each loop's day of largest demand and whole span, and the
 * controllers side by side.
 */

#include "scheduler/base/err.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/sim/simrecord.h"

/**
 * Write <controller>-<site>-<loop>-day.svg and -span.svg into @folder.
 *
 * The day is the one, counted from the start, in which the estate's demand is largest: the same
 * for all controllers.
 *
 * @return 0 or -HS_E_SYSTEM
 */
int hs_simplot_write_loops(const char *folder, const char *controller, const struct hs_simrun *run,
                           const struct hs_simrecord *record, struct hs_err *err);

/** Write compare.svg of @report into @folder. @return 0 or -HS_E_SYSTEM */
int hs_simplot_write_compare(const char *folder, const json_t *report, struct hs_err *err);
