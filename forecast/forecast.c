/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forecast - slots become hours, hours teach the model, predictions are judged when their hour
 * comes and become slots again.
 */
#include "forecast/forecast.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "forecast/forecast_priv.h"
#include "forecast/ownweather.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

#define DEAD_S      259200 /* three days: older than persistence is worth */
#define KNOWN_RATIO 0.5    /* an hour is known if at least so much of it was metered */

/* Weather beyond these is a broken source, not weather. */
#define MOST_C            60.0
#define MOST_GHI_W_PER_M2 1500.0
#define MOST_WIND_M_PER_S 80.0

#define MOST_HEAT_W 1e15 /* no sum of squares of such numbers overflows */

static const struct hs_heatmodel *const models[] = {
    &hs_heatmodel_mixer,       &hs_heatmodel_recent,    &hs_heatmodel_regression,
    &hs_heatmodel_weather,     &hs_heatmodel_lagged,    &hs_heatmodel_rc,
    &hs_heatmodel_holtwinters, &hs_heatmodel_yesterday, &hs_heatmodel_lastweek,
    &hs_heatmodel_persistence,
};

const struct hs_heatmodel *hs_forecast_get_model(size_t i)
{
    return i < sizeof(models) / sizeof(models[0]) ? models[i] : NULL;
}

const struct hs_heatmodel *hs_forecast_find_model(const char *name)
{
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (strcmp(models[i]->name, name) == 0) {
            return models[i];
        }
    }
    return NULL;
}

struct hs_forecast *hs_forecast_new(const char *name, const struct hs_forecast_setup *setup)
{
    struct hs_forecast *forecast = hs_xcalloc(1, sizeof(*forecast));

    assert(setup->slot_s > 0);
    forecast->model = hs_forecast_find_model(name);
    assert(forecast->model != NULL);
    forecast->setup = *setup;
    forecast->state.open_no = -1;
    hs_weatherbias_init(&forecast->state.bias);
    hs_heathistory_init(&forecast->state.history);
    hs_forecast_judge_init(&forecast->state.judge);
    hs_slotshape_init(&forecast->state.shape);
    forecast->model_state = hs_xcalloc(1, forecast->model->state_bytes);
    forecast->model->init(forecast->model_state);
    return forecast;
}

void hs_forecast_free(struct hs_forecast *forecast)
{
    if (forecast != NULL) {
        free(forecast->model_state);
        free(forecast);
    }
}

static void gather(struct hs_forecast_gathering *gathering, double value, double span_s)
{
    if (!isnan(value)) {
        gathering->sum += value * span_s;
        gathering->known_s += span_s;
    }
}

/** Mean of what was gathered and a fresh start; NAN if less than @least_s was known. */
static double settle(struct hs_forecast_gathering *gathering, double least_s)
{
    double mean = gathering->known_s >= least_s && gathering->known_s > 0
                      ? gathering->sum / gathering->known_s
                      : (double)NAN;

    *gathering = (struct hs_forecast_gathering){0};
    return mean;
}

double hs_forecast_get_weather_age_s(const struct hs_forecast_state *state)
{
    return (double)((state->history.newest_no + 1) * HS_FORECAST_S_PER_HOUR
                    - state->outlook.issued_at_s);
}

bool hs_forecast_has_outlook(const struct hs_forecast_state *state)
{
    double age_s = hs_forecast_get_weather_age_s(state);

    /* one that will only be issued after the open hour is not known yet */
    return state->outlook.n_hours > 0 && age_s > -HS_FORECAST_S_PER_HOUR && age_s < DEAD_S;
}

/** What was issued for hour @no, less what the service is usually wrong by at this site. */
static struct hs_weather correct(const struct hs_forecast_state *state, int64_t no)
{
    struct hs_weather weather = hs_outlook_get(&state->outlook, no * HS_FORECAST_S_PER_HOUR);

    weather.t_out_c += hs_weatherbias_get_k(&state->bias, no);
    return weather;
}

/** What @weather does not know is as in @other. */
static void fill_in(struct hs_weather *weather, const struct hs_weather *other)
{
    weather->t_out_c = isnan(weather->t_out_c) ? other->t_out_c : weather->t_out_c;
    weather->ghi_w_per_m2 =
        isnan(weather->ghi_w_per_m2) ? other->ghi_w_per_m2 : weather->ghi_w_per_m2;
    weather->wind_m_per_s =
        isnan(weather->wind_m_per_s) ? other->wind_m_per_s : weather->wind_m_per_s;
}

/** The weather to reckon with from the next hour on: as issued and corrected, else our own. */
static void look_out(const struct hs_forecast_state *state, size_t n_hours,
                     struct hs_outlook *outlook)
{
    int64_t from_no = state->history.newest_no + 1;
    bool is_issued = hs_forecast_has_outlook(state);

    outlook->issued_at_s =
        is_issued ? state->outlook.issued_at_s : from_no * HS_FORECAST_S_PER_HOUR;
    outlook->from_at_s = from_no * HS_FORECAST_S_PER_HOUR;
    outlook->n_hours = n_hours;
    hs_ownweather_continue(&state->history, n_hours, outlook->hours);
    for (size_t i = 0; is_issued && i < n_hours; i++) {
        struct hs_weather issued = correct(state, from_no + (int64_t)i);

        fill_in(&issued, &outlook->hours[i]);
        outlook->hours[i] = issued;
    }
}

/** What the model says of the next @n_hours, down the chain of fall-backs. Returns who spoke. */
static const char *make(const struct hs_forecast *forecast, const struct hs_outlook *outlook,
                        size_t n_hours, double *ret_heat_w)
{
    const struct hs_heatmodel *chain[] = {forecast->model, &hs_heatmodel_yesterday,
                                          &hs_heatmodel_persistence};
    struct hs_heatmodel_view view = {&forecast->state.history, forecast->setup.calendar, outlook};

    for (size_t i = 0; i < sizeof(chain) / sizeof(chain[0]); i++) {
        if (chain[i]->predict(i == 0 ? forecast->model_state : NULL, &view, n_hours, ret_heat_w)
            && hs_heatmodel_is_usable(ret_heat_w, n_hours)) {
            return chain[i]->name;
        }
    }
    memset(ret_heat_w, 0, n_hours * sizeof(*ret_heat_w));
    return "nothing-known";
}

void hs_forecast_make_far(const struct hs_forecast *forecast, double *ret_heat_w)
{
    struct hs_outlook outlook;

    look_out(&forecast->state, HS_OUTLOOK_HOURS, &outlook);
    (void)make(forecast, &outlook, HS_OUTLOOK_HOURS, ret_heat_w);
}

/** The same by a model that remembers what it promised. */
static bool promise(struct hs_forecast *forecast, const struct hs_outlook *outlook)
{
    struct hs_heatmodel_view view = {&forecast->state.history, forecast->setup.calendar, outlook};

    return forecast->model->promise != NULL
           && forecast->model->promise(forecast->model_state, &view, HS_FORECAST_REACH_HOURS,
                                       forecast->made_w)
           && hs_heatmodel_is_usable(forecast->made_w, HS_FORECAST_REACH_HOURS);
}

/** The predictions of this hour, once: they are what will be judged. */
void hs_forecast_ensure_made(struct hs_forecast *forecast)
{
    struct hs_outlook outlook;

    if (forecast->is_made) {
        return;
    }
    look_out(&forecast->state, HS_FORECAST_REACH_HOURS, &outlook);
    if (hs_forecast_has_outlook(&forecast->state)) {
        hs_weatherbias_foresee(&forecast->state.bias, &forecast->state.outlook);
    }
    hs_heathistory_foresee(&forecast->state.history, &outlook);
    if (!promise(forecast, &outlook)) {
        (void)make(forecast, &outlook, HS_FORECAST_REACH_HOURS, forecast->made_w);
    }
    hs_forecast_judge_expect(&forecast->state.judge, forecast->state.history.newest_no,
                             forecast->made_w);
    forecast->is_made = true;
}

/** Hour @no is over. */
static void close_hour(struct hs_forecast *forecast, int64_t no)
{
    struct hs_forecast_state *state = &forecast->state;
    struct hs_heatmodel_view view = {&state->history, forecast->setup.calendar, NULL};
    double heat_w = settle(&state->heat, KNOWN_RATIO * HS_FORECAST_S_PER_HOUR);
    struct hs_weather weather;
    double yesterday_w[2];

    if (state->history.newest_no >= 0) {
        hs_forecast_ensure_made(forecast);
    }
    weather.t_out_c = settle(&state->weather[0], 0);
    weather.ghi_w_per_m2 = settle(&state->weather[1], 0);
    weather.wind_m_per_s = settle(&state->weather[2], 0);
    hs_weatherbias_observe(&state->bias, no, weather.t_out_c);
    if (state->history.newest_no >= 0) {
        /* a site without a sensor has what was foreseen an hour ahead */
        struct hs_weather foreseen = hs_heathistory_get_foreseen_next(&state->history);

        fill_in(&weather, &foreseen);
    }
    hs_slotshape_close(&state->shape, forecast->setup.slot_s, no * HS_FORECAST_S_PER_HOUR, heat_w);
    hs_heathistory_push(&state->history, no, heat_w, &weather);
    state->known_h += isnan(heat_w) ? 0.0 : 1.0;
    yesterday_w[0] = hs_heathistory_get_heat_w(&state->history, no - 24);
    yesterday_w[1] = hs_heathistory_get_heat_w(&state->history, no - 48);
    hs_forecast_judge_settle(&state->judge, no, heat_w, yesterday_w);
    forecast->model->learn(forecast->model_state, &view);
    forecast->is_made = false;
}

/** What lies in the open hour of the slot whose weather was taken in last. */
static void gather_weather(struct hs_forecast_state *state)
{
    int64_t hour_at_s = state->open_no * HS_FORECAST_S_PER_HOUR;
    int64_t end_at_s = hour_at_s + HS_FORECAST_S_PER_HOUR;
    int64_t from_at_s = state->slot_from_at_s > hour_at_s ? state->slot_from_at_s : hour_at_s;
    int64_t to_at_s = state->slot_to_at_s < end_at_s ? state->slot_to_at_s : end_at_s;

    if (to_at_s > from_at_s) {
        double span_s = (double)(to_at_s - from_at_s);

        gather(&state->weather[0], state->slot_weather.t_out_c, span_s);
        gather(&state->weather[1], state->slot_weather.ghi_w_per_m2, span_s);
        gather(&state->weather[2], state->slot_weather.wind_m_per_s, span_s);
    }
}

static double within(double value, double least, double most)
{
    return value >= least && value <= most ? value : (double)NAN;
}

/** Weather as it can be on earth: anything else is unknown. */
static struct hs_weather believe(const struct hs_weather *weather)
{
    return (struct hs_weather){
        .t_out_c = within(weather->t_out_c, -MOST_C, MOST_C),
        .ghi_w_per_m2 = within(weather->ghi_w_per_m2, 0, MOST_GHI_W_PER_M2),
        .wind_m_per_s = within(weather->wind_m_per_s, 0, MOST_WIND_M_PER_S),
    };
}

void hs_forecast_advance(struct hs_forecast *forecast, int64_t now_at_s)
{
    struct hs_forecast_state *state = &forecast->state;
    int64_t now_no = now_at_s / HS_FORECAST_S_PER_HOUR;

    if (state->open_no
        < 0) { /* the hour before the first closes unknown: what is ahead has a place */
        state->open_no = now_no > 0 ? now_no - 1 : 0;
    }
    /* after a silence longer than the memory all that was learned is of another season */
    if (now_no - state->open_no > 2 * HS_HEATHISTORY_HOURS) {
        hs_heathistory_init(&state->history);
        state->known_h = 0;
        state->heat = (struct hs_forecast_gathering){0};
        memset(state->weather, 0, sizeof(state->weather));
        hs_forecast_judge_forget(&state->judge);
        forecast->model->init(forecast->model_state);
        state->open_no = now_no - 1;
        forecast->is_made = false;
    }
    while (state->open_no < now_no) {
        close_hour(forecast, state->open_no);
        state->open_no++;
        gather_weather(state);
    }
}

void hs_forecast_observe(struct hs_forecast *forecast, int64_t slot_at_s, double demand_heat_w)
{
    int64_t end_at_s = slot_at_s + forecast->setup.slot_s;

    assert(slot_at_s >= 0);
    /* negative or endless heat is a broken meter: unknown, not zero */
    demand_heat_w = within(demand_heat_w, 0, MOST_HEAT_W);
    for (int64_t at_s = slot_at_s; at_s < end_at_s;) {
        int64_t next_at_s = (at_s / HS_FORECAST_S_PER_HOUR + 1) * HS_FORECAST_S_PER_HOUR;
        int64_t until_at_s = next_at_s < end_at_s ? next_at_s : end_at_s;

        hs_forecast_advance(forecast, at_s);
        if (at_s / HS_FORECAST_S_PER_HOUR == forecast->state.open_no) {
            gather(&forecast->state.heat, demand_heat_w, (double)(until_at_s - at_s));
            hs_slotshape_observe(&forecast->state.shape, forecast->setup.slot_s, slot_at_s,
                                 demand_heat_w);
        }
        at_s = until_at_s;
    }
    hs_forecast_advance(forecast, end_at_s);
}

void hs_forecast_observe_weather(struct hs_forecast *forecast, int64_t slot_at_s,
                                 const struct hs_weather *weather)
{
    struct hs_forecast_state *state = &forecast->state;

    hs_forecast_advance(forecast, slot_at_s);
    if (slot_at_s / HS_FORECAST_S_PER_HOUR == state->open_no) {
        state->slot_weather = believe(weather);
        state->slot_from_at_s = slot_at_s;
        state->slot_to_at_s = slot_at_s + forecast->setup.slot_s;
        gather_weather(state);
    }
}

void hs_forecast_set_outlook(struct hs_forecast *forecast, const struct hs_outlook *outlook)
{
    struct hs_outlook *kept = &forecast->state.outlook;

    if (outlook == NULL) {
        kept->n_hours = 0;
    } else {
        *kept = *outlook;
        kept->n_hours = kept->n_hours < HS_OUTLOOK_HOURS ? kept->n_hours : HS_OUTLOOK_HOURS;
        for (size_t i = 0; i < kept->n_hours; i++) {
            kept->hours[i] = believe(&outlook->hours[i]);
        }
    }
    forecast->is_made = false;
}

/** True if what was issued says anything of the hours ahead. */
static bool is_told(const struct hs_forecast_state *state)
{
    for (int64_t i = 1; hs_forecast_has_outlook(state) && i <= HS_FORECAST_REACH_HOURS; i++) {
        int64_t at_s = (state->history.newest_no + i) * HS_FORECAST_S_PER_HOUR;

        if (!isnan(hs_outlook_get(&state->outlook, at_s).t_out_c)) {
            return true;
        }
    }
    return false;
}

void hs_forecast_get_how(struct hs_forecast *forecast, struct hs_forecast_how *ret_how)
{
    const struct hs_forecast_state *state = &forecast->state;
    struct hs_outlook outlook;
    double heat_w[HS_FORECAST_REACH_HOURS];

    memset(ret_how, 0, sizeof(*ret_how));
    look_out(state, HS_FORECAST_REACH_HOURS, &outlook);
    ret_how->weather_age_s =
        is_told(state) ? fmax(hs_forecast_get_weather_age_s(state), 0) : (double)NAN;
    if (is_told(state)) {
        ret_how->weather = ret_how->weather_age_s > HS_FORECAST_STALE_S
                               ? HS_FORECAST_WEATHER_STALE
                               : HS_FORECAST_WEATHER_ISSUED;
    } else {
        ret_how->weather = isnan(outlook.hours[0].t_out_c) ? HS_FORECAST_WEATHER_NONE
                                                           : HS_FORECAST_WEATHER_PERSISTED;
    }
    ret_how->history_h = state->known_h;
    ret_how->fallback = make(forecast, &outlook, HS_FORECAST_REACH_HOURS, heat_w);
    if (forecast->model->get_weights != NULL) {
        ret_how->n_models = forecast->model->get_weights(
            forecast->model_state, ret_how->model_names, ret_how->model_weights);
    }
}

void hs_forecast_get_outlook(const struct hs_forecast *forecast, struct hs_outlook *ret_outlook)
{
    look_out(&forecast->state, HS_OUTLOOK_HOURS, ret_outlook);
}

void hs_forecast_get_accuracy(const struct hs_forecast *forecast,
                              struct hs_forecast_accuracy *ret_blocks)
{
    hs_forecast_judge_get_accuracy(&forecast->state.judge, ret_blocks);
}

void hs_forecast_get_physics(const struct hs_forecast *forecast, struct hs_physics *ret_physics)
{
    static const struct hs_physics_figure unknown = {(double)NAN, (double)NAN};

    *ret_physics = (struct hs_physics){unknown, unknown, unknown, unknown, unknown, unknown};
    if (forecast->model->get_physics != NULL) {
        forecast->model->get_physics(forecast->model_state, ret_physics);
    }
}

int64_t hs_forecast_get_open_at_s(const struct hs_forecast *forecast)
{
    int64_t open_no = forecast->state.open_no;

    return open_no < 0 ? -1 : open_no * HS_FORECAST_S_PER_HOUR;
}
