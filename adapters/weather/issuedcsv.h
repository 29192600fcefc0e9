/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * issuedcsv - weather forecasts with issue times and leads from a CSV file, plain or .gz, to be
 * used as they were issued.
 *
 * Columns issue_utc, lead_h, valid_start_utc, t_out_c_fc and, where known, ghi_w_m2_fc and
 * wind_m_s_fc; a row is the mean of one hour. Rows go by issue, then by hour. Lead 1 covers the
 * hour in which the forecast is issued. Blocking; errors say file:line.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/model/outlook.h"

struct hs_issuedcsv;

/**
 * @param ret_issued  owned by the caller on success
 * @return 0, -HS_E_NOTFOUND (file or column), -HS_E_INVALID with where = file:line, -HS_E_SYSTEM
 */
int hs_issuedcsv_read(const char *path, struct hs_issuedcsv **ret_issued, struct hs_err *err);

/** Forecasts in the file, at least 1. */
size_t hs_issuedcsv_get_n(const struct hs_issuedcsv *issued);

/** In order of issue. @param i  0..n-1. Borrowed */
const struct hs_outlook *hs_issuedcsv_get(const struct hs_issuedcsv *issued, size_t i);

/** The newest issued at @now_at_s or before, NULL if none was. Borrowed. */
const struct hs_outlook *hs_issuedcsv_find(const struct hs_issuedcsv *issued, int64_t now_at_s);

/** When the next one after @now_at_s comes out; INT64_MAX: none does. */
int64_t hs_issuedcsv_get_next_at_s(const struct hs_issuedcsv *issued, int64_t now_at_s);

/** Accepts NULL. */
void hs_issuedcsv_free(struct hs_issuedcsv *issued);
HS_DEFINE_AUTO(hs_issuedcsv);
