/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weatherbias - three parts of one error, each fitted to what the ones before it leave over:
 *
 *   error of lead l at hour t  =  level[block of l]  +  hour_of_day[t]  +  gain[l] x fresh[t - l]
 *
 * level and hour_of_day are shrunk means; gain[l] = sum(r x) / (sum(x x) + prior), the regression
 * through 0 of what is left over, l hours later, on what is left over now.
 */
#include "forecast/weatherbias.h"

#include <stdbool.h>

#define LEADS        HS_WEATHERBIAS_LEADS
#define HOUR_S       3600
#define HOURS_A_DAY  24
#define MEMORY_H     504.0 /* three weeks: a season's drift is followed, a week's weather is not */
#define LEVEL_PRIOR  48.0  /* hours of no error that a level starts with */
#define HOUR_PRIOR   6.0   /* days of no error that an hour of day starts with */
#define GAIN_PRIOR   24.0  /* K2: a day of errors of 1 K without memory */
#define FAR_K        12.0  /* no forecast of today is off by this: the sensor is */
#define JUMP_K       8.0   /* an hour's mean does not move by this; what it is moved from is old */
#define STUCK_H      6.0
#define STUCK_MOVE_K 3.0 /* the air is said to have moved by this while the reading stood still */

void hs_weatherbias_init(struct hs_weatherbias *bias)
{
    *bias = (struct hs_weatherbias){.newest_no = -1, .last_c = (double)NAN};
    for (size_t i = 0; i < LEADS; i++) {
        bias->fresh_k[i] = (double)NAN;
        for (size_t k = 0; k < LEADS; k++) {
            bias->issued_c[i][k] = (double)NAN;
        }
    }
}

static double clip(double value, double limit)
{
    return fmax(-limit, fmin(limit, value));
}

static size_t get_block(int64_t lead)
{
    return lead <= 6 ? 0 : lead <= 24 ? 1 : 2;
}

static double get_mean_k(const struct hs_weatherbias_mean *mean, double prior)
{
    return mean->sum_k / (mean->n + prior);
}

static void add_to_mean(struct hs_weatherbias_mean *mean, double value_k, double keep_ratio)
{
    mean->sum_k = mean->sum_k * keep_ratio + value_k;
    mean->n = mean->n * keep_ratio + 1;
}

/** The error that the means say. */
static double get_usual_k(const struct hs_weatherbias *bias, int64_t no, int64_t lead)
{
    return get_mean_k(&bias->level[get_block(lead)], LEVEL_PRIOR)
           + get_mean_k(&bias->hour_of_day[no % HOURS_A_DAY], HOUR_PRIOR);
}

/* --- the sensor --- */

/** What the freshest forecast had said of hour @no; NAN: none had. */
static double get_issued_c(const struct hs_weatherbias *bias, int64_t no)
{
    for (size_t k = 0; k < LEADS; k++) {
        if (!isnan(bias->issued_c[no % LEADS][k])) {
            return bias->issued_c[no % LEADS][k];
        }
    }
    return (double)NAN;
}

static bool is_stuck(struct hs_weatherbias *bias, double t_out_c, double issued_c)
{
    if (t_out_c != bias->last_c) {
        bias->stuck_h = 0;
        bias->stuck_low_c = issued_c;
        bias->stuck_high_c = issued_c;
        return false;
    }
    bias->stuck_h++;
    bias->stuck_low_c = fmin(bias->stuck_low_c, issued_c);
    bias->stuck_high_c = fmax(bias->stuck_high_c, issued_c);
    return bias->stuck_h >= STUCK_H && bias->stuck_high_c - bias->stuck_low_c >= STUCK_MOVE_K;
}

/** Whether the sensor can be believed in this hour. */
static bool check_sensor(struct hs_weatherbias *bias, double t_out_c, double issued_c)
{
    bool is_jump = fabs(t_out_c - bias->last_c) > JUMP_K; /* false without a last one */
    bool is_far = fabs(t_out_c - issued_c) > FAR_K;
    bool stuck = is_stuck(bias, t_out_c, issued_c);

    bias->last_c = t_out_c;
    return !is_jump && !is_far && !stuck;
}

/* --- learning --- */

static void forget(struct hs_weatherbias *bias)
{
    double keep_ratio = exp(-1 / MEMORY_H);

    for (size_t b = 0; b < HS_WEATHERBIAS_BLOCKS; b++) {
        bias->level[b].sum_k *= keep_ratio;
        bias->level[b].n *= keep_ratio;
    }
    for (size_t k = 0; k < LEADS; k++) {
        bias->cross_k2[k] *= keep_ratio;
        bias->square_k2[k] *= keep_ratio;
    }
}

/** The parts that last: means over the leads of each block, then what the day's hour adds. */
static void learn_usual(struct hs_weatherbias *bias, int64_t no, const double *error_k)
{
    struct hs_weatherbias_mean sums[HS_WEATHERBIAS_BLOCKS] = {0};
    double rest_k = 0, n_blocks = 0;

    for (size_t k = 0; k < LEADS; k++) {
        if (!isnan(error_k[k])) {
            add_to_mean(&sums[get_block((int64_t)k + 1)], error_k[k], 1);
        }
    }
    for (size_t b = 0; b < HS_WEATHERBIAS_BLOCKS; b++) {
        if (sums[b].n > 0) {
            double mean_k = get_mean_k(&sums[b], 0);

            rest_k += mean_k - get_mean_k(&bias->level[b], LEVEL_PRIOR);
            n_blocks++;
            add_to_mean(&bias->level[b], mean_k, 1);
        }
    }
    if (n_blocks > 0) {
        add_to_mean(&bias->hour_of_day[no % HOURS_A_DAY], rest_k / n_blocks,
                    exp(-HOURS_A_DAY / MEMORY_H));
    }
}

/** How much of a fresh error is left so many hours later. */
static void learn_gain(struct hs_weatherbias *bias, int64_t no, const double *error_k)
{
    for (int64_t lead = 1; lead <= LEADS && lead <= no; lead++) {
        double then_k = bias->fresh_k[(no - lead) % LEADS];
        double rest_k = error_k[lead - 1] - get_usual_k(bias, no, lead);

        if (!isnan(then_k) && !isnan(rest_k)) {
            bias->cross_k2[lead - 1] += rest_k * then_k;
            bias->square_k2[lead - 1] += then_k * then_k;
        }
    }
}

static double find_fresh_k(const struct hs_weatherbias *bias, int64_t no, const double *error_k)
{
    for (int64_t lead = 1; lead <= LEADS; lead++) {
        if (!isnan(error_k[lead - 1])) {
            return error_k[lead - 1] - get_usual_k(bias, no, lead);
        }
    }
    return (double)NAN;
}

static void learn(struct hs_weatherbias *bias, int64_t no, double t_out_c)
{
    double error_k[LEADS];

    for (size_t k = 0; k < LEADS; k++) {
        error_k[k] = clip(t_out_c - bias->issued_c[no % LEADS][k], FAR_K);
        error_k[k] = isnan(bias->issued_c[no % LEADS][k]) ? (double)NAN : error_k[k];
    }
    learn_gain(bias, no, error_k);
    learn_usual(bias, no, error_k);
    bias->fresh_k[no % LEADS] = find_fresh_k(bias, no, error_k);
    bias->n_seen++;
}

/** Time has come to hour @no: nothing is known of those left out. */
static void skip_to(struct hs_weatherbias *bias, int64_t no)
{
    int64_t from_no = no - bias->newest_no > LEADS ? no - LEADS : bias->newest_no + 1;

    for (int64_t skipped = from_no; skipped < no; skipped++) {
        forget(bias);
        bias->fresh_k[skipped % LEADS] = (double)NAN;
        for (size_t k = 0; k < LEADS; k++) {
            bias->issued_c[skipped % LEADS][k] = (double)NAN;
        }
        bias->last_c = (double)NAN;
    }
}

void hs_weatherbias_observe(struct hs_weatherbias *bias, int64_t no, double t_out_c)
{
    if (no <= bias->newest_no) {
        return;
    }
    if (bias->newest_no >= 0) {
        skip_to(bias, no);
    }
    forget(bias);
    bias->fresh_k[no % LEADS] = (double)NAN;
    if (isnan(t_out_c)) {
        bias->last_c = (double)NAN;
    } else if (check_sensor(bias, t_out_c, get_issued_c(bias, no))) {
        learn(bias, no, t_out_c);
    }
    for (size_t k = 0; k < LEADS; k++) {
        bias->issued_c[no % LEADS][k] = (double)NAN; /* from now on the row of no + LEADS */
    }
    bias->newest_no = no;
}

void hs_weatherbias_foresee(struct hs_weatherbias *bias, const struct hs_outlook *outlook)
{
    for (int64_t lead = 1; lead <= LEADS && bias->newest_no >= 0; lead++) {
        int64_t no = bias->newest_no + lead;

        bias->issued_c[no % LEADS][lead - 1] = hs_outlook_get(outlook, no * HOUR_S).t_out_c;
    }
}

/* --- use --- */

double hs_weatherbias_get_k(const struct hs_weatherbias *bias, int64_t no)
{
    int64_t lead = no - bias->newest_no;
    double error_k;

    if (bias->newest_no < 0 || lead < 1) {
        return 0;
    }
    error_k = get_usual_k(bias, no, lead);
    /* the newest error that is known, with the gain of its age at that hour */
    for (int64_t age = lead; age <= LEADS && no - age >= 0; age++) {
        double fresh_k = bias->fresh_k[(no - age) % LEADS];

        if (!isnan(fresh_k)) {
            double gain = bias->cross_k2[age - 1] / (bias->square_k2[age - 1] + GAIN_PRIOR);

            error_k += fmax(0, fmin(1, gain)) * fresh_k;
            break;
        }
    }
    return clip(error_k, HS_WEATHERBIAS_MAX_K);
}
