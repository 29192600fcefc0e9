/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * askagain - when a public service may be asked again: not before its answer has expired, not all
 * at the same second, more and more seldom while it fails. Pure: time and chance come in.
 *
 * Sources: RFC 9111 (freshness), api.met.no/doc/TermsOfService (spread, no needless traffic).
 */

#include <stdbool.h>
#include <stdint.h>

#define HS_ASKAGAIN_MIN_S   600.0   /* real; models of the weather run every few hours */
#define HS_ASKAGAIN_USUAL_S 3600.0  /* where the answer does not say */
#define HS_ASKAGAIN_MAX_S   86400.0 /* no answer keeps us away for longer than a day */

/** What an answer says of its own age; "" and -1: nothing. */
struct hs_askagain_headers {
    const char *cache_control;
    int64_t date_at_s;
    int64_t expires_at_s;
};

/**
 * How long the answer is fresh, from its receipt on, s: max-age, else Expires less Date (so that
 * a clock of ours that is wrong does no harm), else an hour; never under ten minutes.
 *
 * @param received_at_s  stands in for a Date that is missing
 */
double hs_askagain_get_fresh_s(const struct hs_askagain_headers *headers, int64_t received_at_s);

/** How long to wait while an answer is fresh for @fresh_s: a little longer. @param io_chance */
double hs_askagain_get_wait_s(double fresh_s, uint64_t *io_chance);

/**
 * How long to wait after a failure.
 *
 * @param n_failures     in a row, >= 1
 * @param retry_after_s  what the service asked for; 0: nothing
 * @param is_refusal     the service will not take this request (4xx): trying soon is no use
 */
double hs_askagain_get_backoff_s(unsigned n_failures, double retry_after_s, bool is_refusal,
                                 uint64_t *io_chance);
