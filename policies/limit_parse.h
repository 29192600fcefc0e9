/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** limit_parse - one entry of a policy file's `limits`. */

#include "policies/limit.h"
#include "scheduler/base/conf.h"

extern const struct hs_conf_table hs_limit_table;

/** @return whether it is right; else @report says what is not. @param pointer  where it lies */
bool hs_limit_parse_item(const json_t *item, const char *pointer, struct hs_limit *ret_limit,
                         struct hs_conf_report *report);
