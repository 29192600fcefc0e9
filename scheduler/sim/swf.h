/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * swf - job logs in the Standard Workload Format, version 2.2.
 *
 * Lines that start with ';' are comments, every other line is a record of 18 numbers, decimals
 * allowed, -1 where unknown.
 * Source: https://www.cs.huji.ac.il/labs/parallel/workload/swf.html
 */

#include <stddef.h>

#include "scheduler/base/err.h"
#include "scheduler/sim/jobtrace.h"

/**
 * Read the records of a log, plain or .gz, in file order.
 *
 * Processors are those allocated (field 5), else those requested (8). Memory is field 10,
 * KiB per processor.
 *
 * @param ret_trace  appended to
 * @return 0, -HS_E_NOTFOUND, -HS_E_SYSTEM, or -HS_E_INVALID with where = file:line
 */
int hs_swf_read(const char *path, struct hs_jobtrace *ret_trace, struct hs_err *err);
