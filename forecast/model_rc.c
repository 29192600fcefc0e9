/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_rc - a building as resistors and a capacity, learned by a Kalman filter from the heat
 * that it takes.
 *
 *   heat = base + sum_i UA_i (18 C - T_i)+ + sum_k U_k (knee_k - T_24)+ - sum_j A_j sun_j
 *          + UA_w (wind - usual wind) (20 C - T)+ + swing (day(hour) + weekend(hour)) + rest
 *
 * T_i is the outdoor temperature as it reaches the rooms: at once (windows, air) and through
 * fabric of three time constants. A wall is a sum of such paths: the sum of UA_i is its UA, the
 * sum of UA_i tau_i is the heat that it gives back per kelvin. Knees move the change point. With
 * fixed knees all is linear in the states: the filter cannot lock into a wrong bend, and each
 * figure is a sum of states with an honest standard error.
 *
 * The day's curve is smooth over the hours and drifts; it swings with how cold it is, as night
 * setback and morning peaks do. rest is what the building does today for reasons of its own: it
 * decays at a rate learned from the residuals, so that these may be correlated. The filter
 * starts after the first day, from what that day needed.
 *
 * Robust: innovations are clipped; zeros in a row where heat was expected are an outage, from
 * which nothing is learned and which is expected to last as long again; when most innovations are
 * clipped to one side it is another loop, and is sized anew.
 *
 * Source: heat load by RC networks in state-space form: Bacher and Madsen,
 * doi 10.1016/j.enbuild.2011.02.005.
 */
#include <math.h>
#include <string.h>

#include "forecast/model_rc_priv.h"

#define HOURS      HS_RC_HOURS
#define S_PER_HOUR 3600
#define LEAST_H    168.0 /* learned before anything is told of the building */

#define CLIP         1.7   /* innovations count as at most so many standard deviations */
#define RESIDUAL_H   336.0 /* memory of how residuals behave */
#define SCALE_H      504.0 /* memory of what is usual heat */
#define NOISE_POWER  0.4   /* noise grows with heat to this power */
#define OUTAGE_H     12.0  /* zeros in a row where heat was expected */
#define OUTAGE_RATIO 0.3   /* of usual heat is expected heat */
#define GROWN        1.3   /* times the heat that the priors were made for */
#define CHANGED      0.6   /* mean side of clipped innovations over a day: another loop */

/* Standard deviations of the priors, shares of usual heat. */
#define UA_RATIO            0.04   /* per K, of each path */
#define KNEE_RATIO          0.03   /* per K */
#define SUN_RATIO           0.0008 /* per W/m2 */
#define WIND_RATIO          0.003  /* per K and m/s */
#define BASE_RATIO          0.2
#define LEVEL_RATIO         0.1 /* the day's curve as a whole */
#define CURVE_RATIO         0.4 /* each of its hours */
#define WEEKEND_LEVEL_RATIO 0.1
#define WEEKEND_CURVE_RATIO 0.2
#define CURVE_H             2.0 /* hours over which a curve is smooth */

/* Drift from one day to the next, standard deviations as shares of usual heat. */
#define DRIFT_D             400.0 /* days after which a building may be any other one */
#define LEVEL_DRIFT         0.01
#define CURVE_DRIFT         0.03
#define WEEKEND_LEVEL_DRIFT 0.003
#define WEEKEND_CURVE_DRIFT 0.01

struct rc_state {
    bool is_ready;
    double n_learned; /* hours */
    double scale_w;   /* usual heat in the season: all priors are shares of it */
    double sized_w;   /* scale for which the priors were made */
    struct hs_rc_drive drive;
    double residuals[2]; /* newest first, in units of the noise's shape */
    double covs[3];      /* autocovariance of the residuals at lags of 0, 1, 2 h */
    double side;         /* mean sign of clipped innovations over a day */
    double recent_w;     /* heat over a day, and what was expected */
    double recent_expected_w;
    double zero_run_h;
    struct hs_kalman filter;
};

static double square(double x)
{
    return x * x;
}

static void rc_init(void *state)
{
    memset(state, 0, sizeof(struct rc_state));
}

/** Heat expected without the rest. @param ret_h  [HS_RC_N_STATES] its derivative by each state */
static double expect(const struct rc_state *state, const struct hs_rc_felt *felt,
                     const struct hs_calendar_hour *at, double *ret_h)
{
    const double *x = state->filter.x;
    double heat_w = 0;

    hs_model_rc_regard(felt, at, ret_h);
    for (size_t i = 0; i < HS_RC_AT_USUAL; i++) {
        heat_w += ret_h[i] * x[i];
    }
    heat_w += ret_h[HS_RC_AT_USUAL + at->hour] * x[HS_RC_AT_USUAL + at->hour];
    heat_w += ret_h[HS_RC_AT_WEEKEND + at->hour] * x[HS_RC_AT_WEEKEND + at->hour];
    ret_h[HS_RC_AT_REST] = pow(fmin(fmax(heat_w / state->scale_w, 0.2), 3.0), NOISE_POWER);
    return heat_w;
}

/** Add variance to a curve over the day: common to all hours, and of hours near each other. */
static void add_curve(struct hs_kalman *filter, size_t at, double common_var, double own_var)
{
    double near[HOURS];

    for (size_t i = 0; i < HOURS; i++) {
        near[i] = exp(-fmin((double)i, (double)(HOURS - i)) / CURVE_H);
    }
    for (size_t i = 0; i < HOURS; i++) {
        for (size_t j = i; j < HOURS; j++) {
            hs_kalman_add(filter, at + i, at + j, common_var + own_var * near[j - i]);
        }
    }
}

/** Prior variance of a state of the building for 1 W of usual heat. */
static double unit_var(size_t i)
{
    if (i < HS_RC_AT_KNEE) {
        return square(UA_RATIO);
    }
    if (i < HS_RC_AT_SUN) {
        return square(KNEE_RATIO);
    }
    if (i < HS_RC_AT_WIND) {
        return square(SUN_RATIO);
    }
    return square(i == HS_RC_AT_WIND ? WIND_RATIO : BASE_RATIO);
}

/** Add the uncertainty that a building has of which only the usual heat is known. */
static void add_prior(struct hs_kalman *filter, double scale_var)
{
    for (size_t i = 0; i < HS_RC_AT_USUAL; i++) {
        hs_kalman_add(filter, i, i, unit_var(i) * scale_var);
    }
    add_curve(filter, HS_RC_AT_USUAL, square(LEVEL_RATIO) * scale_var,
              square(CURVE_RATIO) * scale_var);
    add_curve(filter, HS_RC_AT_WEEKEND, square(WEEKEND_LEVEL_RATIO) * scale_var,
              square(WEEKEND_CURVE_RATIO) * scale_var);
}

/** A day has passed: what it may have changed. */
static void drift(struct rc_state *state)
{
    double scale_var = square(state->scale_w);

    /* heat beyond what the priors were made for: a season came, or the loop grew */
    if (state->scale_w > GROWN * state->sized_w) {
        add_prior(&state->filter, scale_var - square(state->sized_w));
        state->sized_w = state->scale_w;
    }
    for (size_t i = 0; i < HS_RC_AT_USUAL; i++) {
        hs_kalman_add(&state->filter, i, i, unit_var(i) * scale_var / DRIFT_D);
        hs_kalman_cap(&state->filter, i, 2 * unit_var(i) * square(state->sized_w));
    }
    add_curve(&state->filter, HS_RC_AT_USUAL, square(LEVEL_DRIFT) * scale_var,
              square(CURVE_DRIFT) * scale_var);
    add_curve(&state->filter, HS_RC_AT_WEEKEND, square(WEEKEND_LEVEL_DRIFT) * scale_var,
              square(WEEKEND_CURVE_DRIFT) * scale_var);
}

/** A day has been seen: what it needed is what the building is taken for. */
static void size_up(struct rc_state *state, double mean_w, double mean_t_c)
{
    struct hs_kalman *filter = &state->filter;
    double weather_w = 0.7 * mean_w; /* the rest is hot water and people */
    double ua_w_per_k = weather_w / fmax(HS_RC_PATH_KNEE_C - mean_t_c, 8);

    state->scale_w = mean_w;
    state->sized_w = mean_w;
    hs_kalman_init(filter, HS_RC_N_STATES);
    for (size_t i = 0; i < HS_RC_N_PATHS; i++) {
        filter->x[HS_RC_AT_UA + i] = ua_w_per_k / HS_RC_N_PATHS;
        state->drive.t_c[i] = mean_t_c;
    }
    state->drive.has_t = true;
    filter->x[HS_RC_AT_BASE] = mean_w - weather_w;
    add_prior(filter, square(mean_w));
    state->covs[0] = square(0.25 * mean_w);
    state->covs[1] = 0.6 * state->covs[0];
    state->covs[2] = 0.5 * state->covs[0];
    hs_kalman_add(filter, HS_RC_AT_REST, HS_RC_AT_REST, state->covs[1]);
}

/**
 * How the residuals behave, from their autocovariance: a decaying rest under white noise.
 *
 * @return share of the rest that is left after an hour
 */
static double judge_rest(const struct rc_state *state, double *ret_rest_var, double *ret_noise_var)
{
    double var = fmax(state->covs[0], square(1e-4 * state->scale_w));
    double phi = state->covs[1] > 0.05 * var ? state->covs[2] / state->covs[1] : 0.5;

    phi = fmin(fmax(phi, 0.3), 0.98);
    *ret_rest_var = fmin(fmax(state->covs[1] / phi, 0.02 * var), 0.95 * var);
    *ret_noise_var = var - *ret_rest_var;
    return phi;
}

static void study_residual(struct rc_state *state, double residual)
{
    double share = 1.0 / fmin(fmax(state->n_learned, 72), RESIDUAL_H);
    double limit = 3 * sqrt(state->covs[0]);
    double e = fmin(fmax(residual, -limit), limit);

    state->covs[0] += share * (e * e - state->covs[0]);
    state->covs[1] += share * (e * state->residuals[0] - state->covs[1]);
    state->covs[2] += share * (e * state->residuals[1] - state->covs[2]);
    state->residuals[1] = state->residuals[0];
    state->residuals[0] = e;
}

/** Heat stands to one side of what is expected for most of a day: scale what was learned. */
static void notice_change(struct rc_state *state, double heat_w, double expected_w, int side)
{
    struct hs_kalman *filter = &state->filter;
    double ratio;

    state->recent_w += (heat_w - state->recent_w) / HOURS;
    state->recent_expected_w += (expected_w - state->recent_expected_w) / HOURS;
    state->side += (side - state->side) / HOURS;
    if (fabs(state->side) < CHANGED || state->recent_w <= 0 || state->recent_expected_w <= 0) {
        return;
    }
    ratio = fmin(fmax(state->recent_w / state->recent_expected_w, 0.05), 20);
    for (size_t i = 0; i < HS_RC_AT_REST; i++) {
        hs_kalman_decay(filter, i, ratio, 0);
    }
    filter->x[HS_RC_AT_REST] = 0;
    state->scale_w *= ratio;
    state->sized_w = state->scale_w;
    add_prior(filter, square(0.3 * state->scale_w));
    state->side = 0;
    state->recent_expected_w *= ratio;
}

/** @return false in an outage: heat was expected, and the meter has said 0 for long */
static bool is_heating(struct rc_state *state, double heat_w, double expected_w)
{
    bool is_missing = expected_w > OUTAGE_RATIO * state->scale_w || state->zero_run_h > 0;

    /* a mild hour amid an outage does not end it */
    state->zero_run_h = heat_w <= 0 && is_missing ? state->zero_run_h + 1 : 0;
    return state->zero_run_h <= OUTAGE_H;
}

static void learn_hour(struct rc_state *state, double heat_w, const struct hs_weather *weather,
                       const struct hs_calendar_hour *at)
{
    struct hs_rc_felt felt;
    double h[HS_RC_N_STATES];
    double rest_var;
    double noise_var;
    double phi = judge_rest(state, &rest_var, &noise_var);
    double expected_w;
    double shape;
    double innovation;
    double sd;

    hs_model_rc_feel(&state->drive, weather, at->hour, true, &felt);
    hs_kalman_decay(&state->filter, HS_RC_AT_REST, phi, rest_var * (1 - phi * phi));
    if (isnan(heat_w) || isnan(weather->t_out_c)) {
        return;
    }
    expected_w = expect(state, &felt, at, h);
    shape = h[HS_RC_AT_REST];
    if (!is_heating(state, heat_w, expected_w)) {
        return;
    }
    state->scale_w += (heat_w - state->scale_w) / fmin(fmax(state->n_learned, 48), SCALE_H);
    innovation = heat_w - expected_w - shape * state->filter.x[HS_RC_AT_REST];
    study_residual(state, (heat_w - expected_w) / shape);
    sd = hs_kalman_update(&state->filter, h, innovation, square(shape) * noise_var, CLIP);
    notice_change(state, heat_w, expected_w,
                  (innovation > CLIP * sd ? 1 : 0) - (innovation < -CLIP * sd ? 1 : 0));
    state->n_learned++;
    if (fmod(state->n_learned, HOURS) < 0.5) {
        drift(state);
    }
}

/** Start from the last two days, once a day of them is known. */
static void begin(struct rc_state *state, const struct hs_heatmodel_view *view)
{
    const struct hs_heathistory *history = view->history;
    int64_t from_no = history->newest_no - 2 * HOURS + 1;
    double sum_w = 0;
    double sum_c = 0;
    double n = 0;

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
    state->is_ready = true;
    for (int64_t no = from_no; no <= history->newest_no; no++) {
        struct hs_weather weather = hs_heathistory_get_weather(history, no);
        struct hs_calendar_hour at = hs_calendar_get_hour(view->calendar, no * S_PER_HOUR);

        learn_hour(state, hs_heathistory_get_heat_w(history, no), &weather, &at);
    }
}

static void rc_learn(void *opaque, const struct hs_heatmodel_view *view)
{
    struct rc_state *state = opaque;
    const struct hs_heathistory *history = view->history;
    struct hs_weather weather;
    struct hs_calendar_hour at;

    if (!state->is_ready) {
        begin(state, view);
        return;
    }
    weather = hs_heathistory_get_weather(history, history->newest_no);
    at = hs_calendar_get_hour(view->calendar, history->newest_no * S_PER_HOUR);
    learn_hour(state, hs_heathistory_get_heat_w(history, history->newest_no), &weather, &at);
}

static bool rc_predict(const void *opaque, const struct hs_heatmodel_view *view, size_t n_hours,
                       double *ret_heat_w)
{
    const struct rc_state *state = opaque;
    struct hs_rc_drive drive = state->drive;
    double rest = state->filter.x[HS_RC_AT_REST];
    double rest_var;
    double noise_var;
    double phi;

    if (!state->is_ready) {
        return false;
    }
    phi = judge_rest(state, &rest_var, &noise_var);
    for (size_t i = 0; i < n_hours; i++) {
        int64_t at_s = (view->history->newest_no + 1 + (int64_t)i) * S_PER_HOUR;
        struct hs_weather weather = hs_outlook_get(view->outlook, at_s);
        struct hs_calendar_hour at = hs_calendar_get_hour(view->calendar, at_s);
        bool is_outage = state->zero_run_h > OUTAGE_H && (double)i < state->zero_run_h;
        struct hs_rc_felt felt;
        double h[HS_RC_N_STATES];

        hs_model_rc_feel(&drive, &weather, at.hour, false, &felt);
        rest *= phi;
        ret_heat_w[i] = expect(state, &felt, &at, h);
        ret_heat_w[i] = is_outage ? 0 : fmax(ret_heat_w[i] + rest * h[HS_RC_AT_REST], 0);
    }
    return true;
}

static bool rc_check(const void *opaque)
{
    const struct rc_state *state = opaque;

    return hs_heatmodel_is_flag(&state->is_ready) && hs_heatmodel_is_flag(&state->drive.has_t)
           && hs_heatmodel_is_flag(&state->drive.has_sun)
           && hs_heatmodel_is_flag(&state->drive.has_wind)
           && state->filter.n == (state->is_ready ? HS_RC_N_STATES : 0);
}

static void rc_get_physics(const void *opaque, struct hs_physics *physics)
{
    const struct rc_state *state = opaque;

    if (state->is_ready && state->n_learned >= LEAST_H) {
        hs_model_rc_tell(&state->filter, state->drive.has_sun, physics);
    }
}

const struct hs_heatmodel hs_heatmodel_rc = {
    .name = "rc",
    .summary = "building of resistors and a capacity, by a Kalman filter",
    .state_bytes = sizeof(struct rc_state),
    .init = rc_init,
    .learn = rc_learn,
    .predict = rc_predict,
    .check = rc_check,
    .get_physics = rc_get_physics,
};
