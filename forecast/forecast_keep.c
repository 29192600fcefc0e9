/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forecast_keep - what was learned as JSON, and back.
 *
 * States are plain structs as they lie in memory. The sizes of all of them are stored beside
 * them: of another build they are refused, though the whole may be of the same length. What comes
 * back is checked before it is used: hours index rings, and one wrong number would be in every
 * prediction from then on.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "forecast/forecast_priv.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/packtext.h"

#define STATE_VERSION 8
#define LAYOUT_MAX    512
#define LAST_HOUR     INT64_C(4000000) /* of the year 2426 */
#define LAST_S        (LAST_HOUR * HS_FORECAST_S_PER_HOUR)
#define DAY_SUMS_MOST                                                          \
    1e5 /* predictions judged in a day: 24 x 48 and the slack of a damaged sum \
         */

/** Sizes of all that is stored as it lies in memory. @param ret_text  [LAYOUT_MAX] */
static void format_layout(char *ret_text)
{
    int n = snprintf(ret_text, LAYOUT_MAX, "bias %zu shape %zu history %zu judge %zu",
                     sizeof(struct hs_weatherbias), sizeof(struct hs_slotshape),
                     sizeof(struct hs_heathistory), sizeof(struct hs_forecast_judge));

    for (size_t i = 0; hs_forecast_get_model(i) != NULL && n < LAYOUT_MAX; i++) {
        const struct hs_heatmodel *model = hs_forecast_get_model(i);

        n += snprintf(ret_text + n, (size_t)(LAYOUT_MAX - n), " %s %zu", model->name,
                      model->state_bytes);
    }
}

static json_t *format_bytes(const void *bytes, size_t n)
{
    HS_AUTO_MEM char *text = hs_packtext_format(bytes, n);

    return hs_jsonx_text(text);
}

static bool parse_bytes(const json_t *json, void *ret_bytes, size_t n)
{
    return hs_packtext_parse(json_string_value(json), ret_bytes, n);
}

json_t *hs_forecast_save(const struct hs_forecast *forecast)
{
    json_t *saved = hs_jsonx_object();
    char layout[LAYOUT_MAX];

    format_layout(layout);
    hs_jsonx_set_text(saved, "model", forecast->model->name);
    hs_jsonx_set_int(saved, "version", STATE_VERSION);
    hs_jsonx_set_text(saved, "layout", layout);
    hs_jsonx_set_int(saved, "slot_s", forecast->setup.slot_s);
    hs_jsonx_set(saved, "frame", format_bytes(&forecast->state, sizeof(forecast->state)));
    hs_jsonx_set(saved, "state", format_bytes(forecast->model_state, forecast->model->state_bytes));
    return saved;
}

/* --- what comes back --- */

static bool is_between(double value, double least, double most)
{
    return value >= least && value <= most;
}

/** True if all are known to be at least @least, or unknown where that is allowed. */
static bool are_fine(const double *values, size_t n, double least, bool may_be_unknown)
{
    for (size_t i = 0; i < n; i++) {
        bool is_known = isfinite(values[i]) && values[i] >= least;

        if (!is_known && !(may_be_unknown && isnan(values[i]))) {
            return false;
        }
    }
    return true;
}

static bool check_weather(const struct hs_weather *weather, size_t n)
{
    return are_fine(&weather->t_out_c, 3 * n, -HUGE_VAL, true);
}

static bool check_history(const struct hs_heathistory *history, int64_t open_no)
{
    bool is_begun = history->newest_no >= 0;

    return history->newest_no >= -1
           && (is_begun ? history->newest_no == open_no - 1 : open_no == -1 || open_no == 0)
           && (is_begun ? history->first_no >= 0 && history->first_no <= history->newest_no
                        : history->first_no == -1)
           && are_fine(history->heat_w, HS_HEATHISTORY_HOURS, 0, true)
           && check_weather(history->weather, HS_HEATHISTORY_HOURS)
           && check_weather(&history->foreseen[0][0], HS_HEATHISTORY_LEADS * HS_HEATHISTORY_LEADS);
}

static bool check_bias(const struct hs_weatherbias *bias, int64_t newest_no)
{
    return bias->newest_no >= -1 && bias->newest_no <= newest_no
           && are_fine(&bias->issued_c[0][0], HS_WEATHERBIAS_LEADS * HS_WEATHERBIAS_LEADS,
                       -HUGE_VAL, true)
           && are_fine(bias->fresh_k, HS_WEATHERBIAS_LEADS, -HUGE_VAL, true)
           && are_fine(&bias->level[0].sum_k, 2 * HS_WEATHERBIAS_BLOCKS, -HUGE_VAL, false)
           && are_fine(&bias->hour_of_day[0].sum_k, 2 * 24, -HUGE_VAL, false)
           && are_fine(bias->cross_k2, HS_WEATHERBIAS_LEADS, -HUGE_VAL, false)
           && are_fine(bias->square_k2, HS_WEATHERBIAS_LEADS, 0, false);
}

static bool check_judge(const struct hs_forecast_judge *judge)
{
    bool is_fine = are_fine(judge->scale_w, HS_HEATHISTORY_LEADS, 0, true)
                   && are_fine(judge->by_hour, 24, 0, false)
                   && are_fine(&judge->level_w, 1, 0, false)
                   && are_fine(judge->high, HS_HEATHISTORY_LEADS, 0, false);

    for (size_t k = 0; k < HS_HEATHISTORY_LEADS; k++) {
        is_fine = is_fine && isfinite(judge->low[k]) && judge->low[k] <= 0;
        for (size_t i = 0; i < HS_HEATHISTORY_LEADS; i++) {
            is_fine = is_fine && !isinf(judge->expected_w[i][k]);
        }
    }
    for (size_t d = 0; d < HS_FORECAST_JUDGE_DAYS; d++) {
        for (size_t b = 0; b < HS_FORECAST_JUDGE_BLOCKS; b++) {
            is_fine = is_fine && is_between(judge->days[d][b].n, 0, DAY_SUMS_MOST)
                      && are_fine(&judge->days[d][b].error_sum_w, 5, 0, false);
        }
    }
    return is_fine;
}

static bool check_gathering(const struct hs_forecast_gathering *gathering)
{
    return isfinite(gathering->sum) && is_between(gathering->known_s, 0, (double)LAST_S);
}

static bool check_state(const struct hs_forecast_state *state)
{
    const struct hs_outlook *outlook = &state->outlook;
    bool is_fine = state->open_no >= -1 && state->open_no <= LAST_HOUR
                   && is_between(state->known_h, 0, (double)LAST_HOUR)
                   && check_gathering(&state->heat) && check_weather(&state->slot_weather, 1)
                   && state->slot_from_at_s >= 0 && state->slot_to_at_s >= 0
                   && state->slot_to_at_s <= LAST_S && outlook->n_hours <= HS_OUTLOOK_HOURS
                   && outlook->issued_at_s >= 0 && outlook->issued_at_s <= LAST_S
                   && outlook->from_at_s >= 0 && outlook->from_at_s <= LAST_S;

    for (size_t i = 0; i < HS_FORECAST_WEATHER_FIELDS; i++) {
        is_fine = is_fine && check_gathering(&state->weather[i]);
    }
    return is_fine && check_weather(outlook->hours, outlook->n_hours)
           && are_fine(state->shape.share, HS_SLOTSHAPE_MAX, 0, false)
           && are_fine(state->shape.open_w, HS_SLOTSHAPE_PER_HOUR, 0, true)
           && is_between(state->shape.n_open, 0, HS_SLOTSHAPE_PER_HOUR)
           && check_history(&state->history, state->open_no)
           && check_bias(&state->bias, state->history.newest_no) && check_judge(&state->judge);
}

/** Model, version, layout and slots are those that @forecast has. */
static int check_kind(const struct hs_forecast *forecast, const json_t *saved, struct hs_err *err)
{
    const char *model = json_string_value(json_object_get(saved, "model"));
    const char *layout = json_string_value(json_object_get(saved, "layout"));
    char wanted[LAYOUT_MAX];

    format_layout(wanted);
    if (model == NULL || strcmp(model, forecast->model->name) != 0) {
        return hs_err_set(err, HS_E_INVALID, "forecast.model", "is '%s', wanted '%s'",
                          model != NULL ? model : "", forecast->model->name);
    }
    if (json_integer_value(json_object_get(saved, "slot_s")) != forecast->setup.slot_s) {
        return hs_err_set(
            err, HS_E_INVALID, "forecast.slot_s", "is %" JSON_INTEGER_FORMAT ", wanted %" PRId64,
            json_integer_value(json_object_get(saved, "slot_s")), forecast->setup.slot_s);
    }
    if (json_integer_value(json_object_get(saved, "version")) != STATE_VERSION || layout == NULL
        || strcmp(layout, wanted) != 0) {
        return hs_err_set(err, HS_E_INVALID, "forecast.version", "is of another build of hsched");
    }
    return 0;
}

int hs_forecast_restore(struct hs_forecast *forecast, const json_t *saved, struct hs_err *err)
{
    const struct hs_heatmodel *model = forecast->model;
    HS_AUTO_MEM struct hs_forecast_state *state = hs_xcalloc(1, sizeof(*state));
    HS_AUTO_MEM void *model_state = hs_xcalloc(1, model->state_bytes);
    int rc = check_kind(forecast, saved, err);

    if (rc != 0) {
        return rc;
    }
    if (!parse_bytes(json_object_get(saved, "frame"), state, sizeof(*state))
        || !parse_bytes(json_object_get(saved, "state"), model_state, model->state_bytes)
        || !check_state(state) || (model->check != NULL && !model->check(model_state))) {
        return hs_err_set(err, HS_E_INVALID, "forecast.state", "is damaged");
    }
    forecast->state = *state;
    memcpy(forecast->model_state, model_state, model->state_bytes);
    forecast->is_made = false;
    return 0;
}
