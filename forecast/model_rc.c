/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_rc - a building as a resistor and a capacity, learned by an extended Kalman filter from
 * the heat that it takes.
 *
 *   heat = usual(hour) + weekend(hour) + s ln(1 + exp(z / s)) + r
 *   z    = need at 12 C + sum_i UA_i (12 C - T_i) - sum_j A_j sun_j + UA_w (wind - mean) (20 C - T)
 *
 * T_i is the outdoor temperature as it reaches the rooms: at once (windows, air) and through
 * fabric of three time constants. A wall is a sum of such paths, so that the sum of UA_i is its
 * UA and the sum of UA_i tau_i is the heat that it gives back per kelvin: both are linear in the
 * states and so have an honest standard error. Above the change point z is negative and only the
 * usual need is left; s makes the bend of many rooms round. r is what the building does today for
 * reasons of its own: it decays with a rate learned from the residuals. People's hours (usual,
 * weekend) are smooth over the day and drift, the building drifts slowly.
 *
 * The filter starts after the first day, from what that day needed. Robust: innovations are
 * clipped; a run of zeros where heat was expected is an outage, from which nothing is learned;
 * when most hours are clipped on one side the loop is another one and is learned anew.
 */
#include <math.h>
#include <string.h>

#include "forecast/heatmodel.h"
#include "forecast/kalman.h"
#include "scheduler/base/units.h"

#define HOURS       24
#define REFERENCE_C 12.0 /* where the need is a state of its own: mid-season, least correlated */
#define ROOM_C      20.0 /* air that wind lets out */

#define CLIP                      2.0 /* innovations count as at most so many standard deviations */
#define NOISE_POWER               0.5 /* noise grows with heat to this power */
#define BEND_RATIO                0.08 /* roundness of the bend at the change point, share of usual heat */
#define CURVE_H                   2.0    /* hours over which the daily curve is smooth */
#define UA_RATIO                  0.04   /* usual heat per K that one path may have */
#define SUN_RATIO                 0.0008 /* usual heat per W/m2 */
#define WIND_RATIO                0.003  /* usual heat per K and m/s */
#define NEED_RATIO                0.4    /* need at 12 C, share of usual heat */
#define DRIFT_D                   120.0  /* days in which the building may become any other one */
#define LEVEL_DRIFT_RATIO         0.02   /* of the whole day from one to the next */
#define CURVE_DRIFT_RATIO         0.02   /* of each hour */
#define WEEKEND_LEVEL_DRIFT_RATIO 0.003  /* of days off as a whole */
#define WEEKEND_CURVE_DRIFT_RATIO 0.003  /* of each of their hours */
#define CURVE_RATIO               0.4    /* hours may differ by this share of usual heat */
#define WEEKEND_LEVEL_RATIO       0.1    /* and days off as a whole */
#define WEEKEND_CURVE_RATIO       0.1    /* and each of their hours */
#define RESIDUAL_H                504.0  /* memory of how residuals behave */
#define SCALE_H                   504.0  /* memory of what is usual heat */
#define GROWN                     1.3    /* times the heat that priors were made for */
#define LEAST_H                   168.0  /* before anything is told of the building */
#define CHANGE_POINT_SD_K         2.0
#define OUTAGE_H                  12.0 /* zeros in a row, where heat was expected, that are no need */

enum { N_PATHS = 4, N_SUNS = 2 };

static const double path_tau_h[N_PATHS] = {0, 6, 24, 72};
static const double sun_tau_h[N_SUNS] = {1, 12};

/** Where each state lies. */
enum {
    AT_UA,                     /* W/K */
    AT_SUN = AT_UA + N_PATHS,  /* m2 */
    AT_WIND = AT_SUN + N_SUNS, /* W/K per m/s */
    AT_NEED,                   /* W at 12 C */
    AT_USUAL,                  /* W by local hour */
    AT_WEEKEND = AT_USUAL + HOURS,
    AT_REST = AT_WEEKEND + HOURS, /* in units of the noise's shape */
    N_STATES,
};

/** The air outside as the building feels it. */
struct drive {
    bool has_t;
    bool has_sun;
    bool has_wind;
    double t_now_c;
    double t_c[N_PATHS];
    double sun[N_SUNS];
    double sun_usual[HOURS]; /* W/m2 by hour, where a forecast has none */
    double wind_now;
    double wind_mean;
};

struct rc_state {
    bool is_ready;
    double n_seen; /* hours with heat and temperature */
    double n_learned;
    double scale_w; /* usual heat in the season: all priors are shares of it */
    double sized_w; /* scale for which the priors were set */
    struct drive drive;
    double last_e;
    double last2_e;
    double c[3]; /* autocovariance of the residuals at lags 0, 1, 2 h */
    double n_c;
    double one_sided; /* mean sign of clipped innovations, over a day or so */
    double recent_w;
    double recent_expected_w;
    double zero_run_h;
    struct hs_kalman filter;
};

static void rc_init(void *state)
{
    memset(state, 0, sizeof(struct rc_state));
}

static double pass(double *old, double now, double tau_h)
{
    double keep = tau_h > 0 ? exp(-1.0 / tau_h) : 0.0;
    double mean = now + (*old - now) * tau_h * (1 - keep);

    *old = now + (*old - now) * keep;
    return mean;
}

/** What of the weather reaches the rooms in one hour, mean over the hour. */
struct felt {
    double t_c[N_PATHS];
    double sun[N_SUNS];
    double wind; /* difference from the usual one */
};

static void feel(struct drive *drive, const struct hs_weather *weather, int hour, bool is_past,
                 struct felt *ret_felt)
{
    double sun = weather->ghi_w_per_m2;
    double wind = weather->wind_m_per_s;

    if (!isnan(weather->t_out_c)) {
        for (size_t i = 0; i < N_PATHS && !drive->has_t; i++) {
            drive->t_c[i] = weather->t_out_c;
        }
        drive->has_t = true;
        drive->t_now_c = weather->t_out_c;
    }
    if (is_past && !isnan(sun)) {
        drive->sun_usual[hour] += (sun - drive->sun_usual[hour]) * (drive->has_sun ? 0.1 : 1.0);
        drive->has_sun = true;
    }
    if (is_past && !isnan(wind)) {
        drive->wind_mean += (wind - drive->wind_mean) * (drive->has_wind ? 0.003 : 1.0);
        drive->has_wind = true;
    }
    sun = isnan(sun) ? drive->sun_usual[hour] : sun;
    for (size_t i = 0; i < N_PATHS; i++) {
        ret_felt->t_c[i] = pass(&drive->t_c[i], drive->t_now_c, path_tau_h[i]);
    }
    for (size_t i = 0; i < N_SUNS; i++) {
        ret_felt->sun[i] = pass(&drive->sun[i], sun, sun_tau_h[i]);
    }
    ret_felt->wind = isnan(wind) || !drive->has_wind ? 0 : wind - drive->wind_mean;
}

static double noise_shape(const struct rc_state *state, double heat_w)
{
    return pow(fmin(fmax(heat_w / state->scale_w, 0.2), 3.0), NOISE_POWER);
}

/** Heat expected without the rest, and its derivative by each state. */
static double expect(const struct rc_state *state, const struct felt *felt,
                     const struct hs_calendar_hour *at, double *ret_h)
{
    const double *x = state->filter.x;
    double bend_w = BEND_RATIO * state->scale_w;
    double z = x[AT_NEED];
    double h[N_STATES] = {0};
    double slope;
    double heat_w;

    h[AT_NEED] = 1;
    for (size_t i = 0; i < N_PATHS; i++) {
        h[AT_UA + i] = REFERENCE_C - felt->t_c[i];
        z += x[AT_UA + i] * h[AT_UA + i];
    }
    for (size_t i = 0; i < N_SUNS; i++) {
        h[AT_SUN + i] = -felt->sun[i];
        z += x[AT_SUN + i] * h[AT_SUN + i];
    }
    h[AT_WIND] = felt->wind * (ROOM_C - felt->t_c[0]);
    z += x[AT_WIND] * h[AT_WIND];
    slope = 1 / (1 + exp(-z / bend_w));
    heat_w = z > 30 * bend_w ? z : bend_w * log1p(exp(z / bend_w));
    for (size_t i = 0; i < AT_USUAL; i++) {
        h[i] *= slope;
    }
    h[AT_USUAL + at->hour] = 1;
    heat_w += x[AT_USUAL + at->hour];
    if (at->weekday >= 5 || at->is_holiday) {
        h[AT_WEEKEND + at->hour] = 1;
        heat_w += x[AT_WEEKEND + at->hour];
    }
    h[AT_REST] = noise_shape(state, heat_w);
    if (ret_h != NULL) {
        memcpy(ret_h, h, sizeof(h));
    }
    return heat_w;
}

/** Add a smooth daily curve of variance: common to all hours, and of neighbouring hours. */
static void add_curve(struct hs_kalman *filter, size_t at, double common_var, double own_var)
{
    for (size_t i = 0; i < HOURS; i++) {
        for (size_t j = i; j < HOURS; j++) {
            double apart = fmin((double)(j - i), (double)(HOURS - (j - i)));

            hs_kalman_add(filter, at + i, at + j, common_var + own_var * exp(-apart / CURVE_H));
        }
    }
}

static double square(double x)
{
    return x * x;
}

static double prior_var(size_t i, double scale_w)
{
    if (i < AT_SUN) {
        return square(UA_RATIO * scale_w);
    }
    if (i < AT_WIND) {
        return square(SUN_RATIO * scale_w);
    }
    if (i == AT_WIND) {
        return square(WIND_RATIO * scale_w);
    }
    return square(NEED_RATIO * scale_w);
}

/** Heat has grown beyond what the priors were made for: a season came, or the loop grew. */
static void grow(struct rc_state *state)
{
    double more = square(state->scale_w) - square(state->sized_w);

    if (state->scale_w < GROWN * state->sized_w) {
        return;
    }
    for (size_t i = 0; i < AT_USUAL; i++) {
        hs_kalman_add(&state->filter, i, i, prior_var(i, 1) * more);
    }
    add_curve(&state->filter, AT_USUAL, 0, square(CURVE_RATIO) * more);
    add_curve(&state->filter, AT_WEEKEND, square(WEEKEND_LEVEL_RATIO) * more,
              square(WEEKEND_CURVE_RATIO) * more);
    state->sized_w = state->scale_w;
}

static void add_drift(struct rc_state *state)
{
    double scale_w = state->scale_w;
    double drift = 1.0 / DRIFT_D; /* a day's share of the prior */

    for (size_t i = 0; i < AT_USUAL; i++) {
        hs_kalman_add(&state->filter, i, i, drift * prior_var(i, scale_w));
        hs_kalman_cap(&state->filter, i, 2 * prior_var(i, state->sized_w));
    }
    add_curve(&state->filter, AT_USUAL, square(LEVEL_DRIFT_RATIO * scale_w),
              square(CURVE_DRIFT_RATIO * scale_w));
    add_curve(&state->filter, AT_WEEKEND, square(WEEKEND_LEVEL_DRIFT_RATIO * scale_w),
              square(WEEKEND_CURVE_DRIFT_RATIO * scale_w));
}

/** A day has been seen: what it needed is what the building is taken for. */
static void size_up(struct rc_state *state, double mean_w, double mean_t_c)
{
    struct hs_kalman *filter = &state->filter;
    double weather_w = 0.7 * mean_w;
    double ua = mean_t_c < 14 ? weather_w / (17 - mean_t_c) : 0.05 * mean_w;

    state->scale_w = mean_w;
    state->sized_w = mean_w;
    hs_kalman_init(filter, N_STATES);
    for (size_t i = 0; i < AT_USUAL; i++) {
        hs_kalman_add(filter, i, i, prior_var(i, mean_w));
    }
    for (size_t i = 0; i < N_PATHS; i++) {
        filter->x[AT_UA + i] = ua / N_PATHS;
    }
    filter->x[AT_NEED] = mean_t_c < 14 ? weather_w - ua * (REFERENCE_C - mean_t_c) : 0;
    for (size_t i = 0; i < HOURS; i++) {
        filter->x[AT_USUAL + i] = mean_w - weather_w;
    }
    add_curve(filter, AT_USUAL, square(0.2 * mean_w), square(CURVE_RATIO * mean_w));
    add_curve(filter, AT_WEEKEND, square(WEEKEND_LEVEL_RATIO * mean_w),
              square(WEEKEND_CURVE_RATIO * mean_w));
    state->c[0] = square(0.25 * mean_w);
    state->c[1] = 0.6 * state->c[0];
    state->c[2] = 0.5 * state->c[0];
    hs_kalman_add(filter, AT_REST, AT_REST, state->c[1]);
}

/** How the rest behaves: phi an hour, its variance, and that of the noise on top. */
static double rest_phi(const struct rc_state *state, double *ret_rest_var, double *ret_noise_var)
{
    double c0 = fmax(state->c[0], square(1e-4 * state->scale_w));
    double phi = state->c[1] > 0.05 * c0 ? state->c[2] / state->c[1] : 0.5;
    double rest;

    phi = fmin(fmax(phi, 0.3), 0.98);
    rest = fmin(fmax(state->c[1] / phi, 0.02 * c0), 0.95 * c0);
    *ret_rest_var = rest;
    *ret_noise_var = c0 - rest;
    return phi;
}

static void study_residual(struct rc_state *state, double e)
{
    double a = 1.0 / fmin(fmax(state->n_learned, 72), RESIDUAL_H);
    double limit = 3 * sqrt(state->c[0]);

    e = fmin(fmax(e, -limit), limit);
    state->c[0] += a * (e * e - state->c[0]);
    state->c[1] += a * (e * state->last_e - state->c[1]);
    state->c[2] += a * (e * state->last2_e - state->c[2]);
    state->last2_e = state->last_e;
    state->last_e = e;
}

static void learn_hour(struct rc_state *state, double heat_w, const struct hs_weather *weather,
                       const struct hs_calendar_hour *at)
{
    struct felt felt;
    double h[N_STATES];
    double rest_var;
    double noise_var;
    double phi = rest_phi(state, &rest_var, &noise_var);
    double expected_w;
    double shape;
    double innovation;

    feel(&state->drive, weather, at->hour, true, &felt);
    hs_kalman_decay(&state->filter, AT_REST, phi, rest_var * (1 - phi * phi));
    if (isnan(heat_w) || isnan(weather->t_out_c)) {
        return;
    }
    expected_w = expect(state, &felt, at, h);
    shape = h[AT_REST];
    state->zero_run_h =
        heat_w <= 0 && expected_w > 0.3 * state->scale_w ? state->zero_run_h + 1 : 0;
    if (state->zero_run_h > OUTAGE_H) {
        return;
    }
    state->scale_w += (fabs(heat_w) - state->scale_w) / fmin(fmax(state->n_learned, 48), SCALE_H);
    innovation = heat_w - expected_w - shape * state->filter.x[AT_REST];
    study_residual(state, (heat_w - expected_w) / shape);
    (void)hs_kalman_update(&state->filter, h, innovation, shape * shape * noise_var, CLIP);
    state->n_learned++;
    if (fmod(state->n_learned, HOURS) < 0.5) {
        grow(state);
        add_drift(state);
    }
}

static void begin(struct rc_state *state, const struct hs_heatmodel_view *view)
{
    const struct hs_heathistory *history = view->history;
    double sum_w = 0;
    double sum_c = 0;
    double n = 0;
    int64_t from_no = history->newest_no - 2 * HOURS + 1;

    for (int64_t no = from_no; no <= history->newest_no; no++) {
        double heat_w = hs_heathistory_get_heat_w(history, no);
        struct hs_weather weather = hs_heathistory_get_weather(history, no);

        if (!isnan(heat_w) && !isnan(weather.t_out_c)) {
            sum_w += heat_w;
            sum_c += weather.t_out_c;
            n++;
        }
    }
    if (n < HOURS || sum_w <= 0) {
        return;
    }
    size_up(state, sum_w / n, sum_c / n);
    state->drive.has_t = true;
    for (size_t i = 0; i < N_PATHS; i++) {
        state->drive.t_c[i] = sum_c / n;
    }
    state->is_ready = true;
    for (int64_t no = from_no; no <= history->newest_no; no++) {
        struct hs_weather weather = hs_heathistory_get_weather(history, no);
        struct hs_calendar_hour at = hs_calendar_get_hour(view->calendar, no * 3600);

        learn_hour(state, hs_heathistory_get_heat_w(history, no), &weather, &at);
    }
}

static void rc_learn(void *opaque, const struct hs_heatmodel_view *view)
{
    struct rc_state *state = opaque;
    const struct hs_heathistory *history = view->history;
    struct hs_weather weather = hs_heathistory_get_weather(history, history->newest_no);
    struct hs_calendar_hour at;

    if (!state->is_ready) {
        begin(state, view);
        return;
    }
    at = hs_calendar_get_hour(view->calendar, history->newest_no * 3600);
    learn_hour(state, hs_heathistory_get_heat_w(history, history->newest_no), &weather, &at);
}

static bool rc_predict(const void *opaque, const struct hs_heatmodel_view *view, size_t n_hours,
                       double *ret_heat_w)
{
    const struct rc_state *state = opaque;
    struct drive drive = state->drive;
    double rest_var;
    double noise_var;
    double phi;
    double rest;

    if (!state->is_ready) {
        return false;
    }
    phi = rest_phi(state, &rest_var, &noise_var);
    rest = state->filter.x[AT_REST];
    for (size_t i = 0; i < n_hours; i++) {
        int64_t at_s = (view->history->newest_no + 1 + (int64_t)i) * 3600;
        struct hs_weather weather = hs_outlook_get(view->outlook, at_s);
        struct hs_calendar_hour at = hs_calendar_get_hour(view->calendar, at_s);
        struct felt felt;
        double heat_w;

        feel(&drive, &weather, at.hour, false, &felt);
        rest *= phi;
        heat_w = expect(state, &felt, &at, NULL);
        heat_w += rest * noise_shape(state, heat_w);
        if (state->zero_run_h > OUTAGE_H && (double)i < state->zero_run_h) {
            heat_w = 0;
        }
        ret_heat_w[i] = fmax(heat_w, 0);
    }
    return true;
}

/** A figure that is told only if it is known to @worst of itself. */
static struct hs_physics_figure tell(double value, double sd, double worst)
{
    bool is_known = value > 0 && sd < worst * value;

    return (struct hs_physics_figure){is_known ? value : (double)NAN, is_known ? sd : (double)NAN};
}

/** value / by and its standard error, from the states behind both: to first order. */
static struct hs_physics_figure divide(const struct hs_kalman *filter, const double *value_of,
                                       const double *by_of, double plus)
{
    struct hs_physics_figure ratio;
    double sd;
    double by = hs_kalman_get_sum(filter, by_of, &sd);
    double w[N_STATES];

    ratio.value = hs_kalman_get_sum(filter, value_of, &sd) / by;
    for (size_t i = 0; i < N_STATES; i++) {
        w[i] = (value_of[i] - ratio.value * by_of[i]) / by;
    }
    (void)hs_kalman_get_sum(filter, w, &ratio.sd);
    ratio.value += plus;
    return ratio;
}

static void rc_get_physics(const void *opaque, struct hs_physics *physics)
{
    const struct rc_state *state = opaque;
    double ua_of[N_STATES] = {0};
    double capacity_of[N_STATES] = {0};
    double sun_of[N_STATES] = {0};
    double base_of[N_STATES] = {0};
    double need_of[N_STATES] = {0};
    struct hs_physics_figure figure;

    if (!state->is_ready || state->n_learned < LEAST_H) {
        return;
    }
    for (size_t i = 0; i < N_PATHS; i++) {
        ua_of[AT_UA + i] = 1;
        capacity_of[AT_UA + i] = path_tau_h[i];
    }
    for (size_t i = 0; i < N_SUNS; i++) {
        sun_of[AT_SUN + i] = 1;
    }
    for (size_t i = 0; i < HOURS; i++) {
        base_of[AT_USUAL + i] = 1.0 / HOURS;
    }
    need_of[AT_NEED] = 1;
    figure.value = hs_kalman_get_sum(&state->filter, ua_of, &figure.sd);
    physics->ua_w_per_k = tell(figure.value, figure.sd, 0.4);
    if (isnan(physics->ua_w_per_k.value)) {
        return;
    }
    figure.value = hs_kalman_get_sum(&state->filter, capacity_of, &figure.sd);
    physics->capacity_wh_per_k = tell(figure.value, figure.sd, 0.6);
    figure.value = hs_kalman_get_sum(&state->filter, sun_of, &figure.sd);
    physics->solar_aperture_m2 =
        state->drive.has_sun ? tell(figure.value, figure.sd, 0.6) : physics->solar_aperture_m2;
    figure.value = hs_kalman_get_sum(&state->filter, base_of, &figure.sd);
    physics->base_w = tell(figure.value, figure.sd, 0.5);
    figure = divide(&state->filter, capacity_of, ua_of, 0);
    physics->time_constant_h = tell(figure.value, figure.sd, 0.6);
    figure = divide(&state->filter, need_of, ua_of, REFERENCE_C);
    if (figure.sd < CHANGE_POINT_SD_K) {
        physics->change_point_c = figure;
    }
}

const struct hs_heatmodel hs_heatmodel_rc = {
    .name = "rc",
    .summary = "building of resistors and a capacity, by a Kalman filter",
    .state_bytes = sizeof(struct rc_state),
    .init = rc_init,
    .learn = rc_learn,
    .predict = rc_predict,
    .get_physics = rc_get_physics,
};
