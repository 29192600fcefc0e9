/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * instants - what services issue, values at instants, as what heat needs, means of hours.
 *
 * Between two instants at most six hours apart a value goes straight; over a longer gap, before
 * the first and after the last it is unknown. Sun is issued as the mean of the hour before its
 * stamp. Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/model/outlook.h"

struct hs_instant {
    int64_t at_s;
    double t_out_c; /* NAN: unknown, as each of these */
    double wind_m_per_s;
    double ghi_before_w_per_m2; /* mean of the hour that ends at at_s */
};

/**
 * Hours from the one of @issued_at_s on, as far as a temperature is known.
 *
 * @param instants     [n] at_s strictly ascending
 * @param issued_at_s  when the forecast came out; hours before its own are no forecast
 * @param ret_outlook  n_hours is 0 if nothing is known of any hour
 */
void hs_instants_get_outlook(const struct hs_instant *instants, size_t n, int64_t issued_at_s,
                             struct hs_outlook *ret_outlook);
