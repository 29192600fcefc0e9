/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** jobview - which fields of a job a person sees, shared by submit, jobs, show and cancel. */

#include <jansson.h>

#include "ctl/table.h"

/** Jobs as rows. */
extern const struct hs_table hs_jobview_table;

/** One job as lines. */
extern const struct hs_table hs_jobview_thing;

/** Print one Job in @format: lines for table and wide. */
void hs_jobview_print(enum hs_table_format format, const json_t *job);

/**
 * The plain lines of an Explanation, on stdout or stderr: why, when and where, the price of heat
 * and electricity now and then, the saving, the latest start, the next best place, what binds it,
 * what would change it.
 *
 * @param out          stdout or stderr
 * @param explanation  borrowed
 * @param answer       what carries `at` and `currency`; borrowed
 */
void hs_jobview_explain(FILE *out, const json_t *explanation, const json_t *answer);
