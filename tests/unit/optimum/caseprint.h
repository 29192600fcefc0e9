/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* caseprint - a smallcase and its plan to look at. */

#include "scheduler/model/plan.h"
#include "tests/unit/optimum/smallcase.h"

/* Hosts, and what takes or bounds their room. */
void caseprint_hours(const struct smallcase *c);

/* Each job, and the quarters of its vCPUs' time that it runs at by slot. */
void caseprint_plan(const struct smallcase *c, const struct hs_plan *plan);
