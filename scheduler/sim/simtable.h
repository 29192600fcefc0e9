/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simtable - reports of hsim as tables for people, at most 100 columns wide.
 *
 * Order: late and undone, what was captured of what bounds leave to capture, the saving's heat and
 * electricity parts, then the rest. Absent is "-". Reads reports as JSON, so that a run and a file
 * of it look the same.
 */

#include <stdbool.h>
#include <stdio.h>

#include "scheduler/base/jsonx.h"

/** @return 0, or -HS_E_INVALID if @report is none of hsim's. @param name for the message */
int hs_simtable_check(const json_t *report, const char *name, struct hs_err *err);

/** One line a controller, twice. @param report checked */
void hs_simtable_print(const json_t *report, FILE *out);

/**
 * Medians over @n_reports, one line a controller.
 *
 * A controller that was later than asap (more late jobs, or more late seconds) counts 0 there.
 */
void hs_simtable_print_summary(json_t *const *reports, size_t n_reports, FILE *out);

/** The entry of @name in @report, or NULL. Borrowed. */
const json_t *hs_simtable_find(const json_t *report, const char *name);

/** A figure of an entry, NAN if it is absent. */
double hs_simtable_get(const json_t *entry, const char *key);
