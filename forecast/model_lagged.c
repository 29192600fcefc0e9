/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_lagged - the same hour of the last days and weeks, corrected for how the weather and the
 * kind of day differ; one small regression a group of leads. It has no profile to learn: the
 * shape of the day comes from the days before. Unlike the weather regression, so that the two
 * err apart.
 */
#include <math.h>
#include <string.h>

#include "forecast/airfilter.h"
#include "forecast/heatfeatures.h"
#include "forecast/heatmodel.h"
#include "forecast/heatscale.h"
#include "forecast/leads.h"
#include "forecast/ridge.h"
#include "forecast/typical.h"

#define N           18
#define RING        400 /* hours: two weeks and two days */
#define N_COLD      3
#define USUAL_DAYS  7
#define KEEP        0.998612075 /* of an hour's weight an hour later: 1/e in 30 days */
#define PULL        0.3
#define HUBER       1.0 /* errors over so many typical ones count less (Huber 1964) */
#define OUTLIER     8.0 /* heat further from usual than so many typical distances is cut */
#define SOLVE_EVERY 3   /* hours; a third of the groups each hour */
#define LEAST_HOURS 72
#define WARM_C      17.0
#define TEN_K       10.0
#define SUN         300.0
#define FREE_SHARE  (2.0 / 7.0)
#define FAST_SHARE  0.4
#define DAY_SHARE   (1.0 / 24.0)

/** An hour as it was; or the mean of several. */
struct lagged_hour {
    double heat; /* NAN: unknown */
    double cold[N_COLD];
    double sun;
};

/** What was known at an origin, beside the hours. */
struct lagged_origin {
    double last; /* newest heat less what is usual at its hour; NAN: nothing known */
    double day;  /* mean of a day less mean of a week */
    double fast; /* mean of the last 3 h less what is usual */
};

struct lagged_state {
    struct hs_heatscale scale;
    struct hs_airfilter air;
    struct hs_airfilter ahead[HS_LEADS_MAX];
    struct lagged_origin origins[HS_LEADS_MAX];
    struct lagged_hour hours[RING];
    double n_hours;
    double fast;
    double day;
    struct hs_typical distance; /* of heat from the usual */
    double a[HS_LEADS_GROUPS][HS_RIDGE_PACKED(N)];
    double b[HS_LEADS_GROUPS][N];
    double coefs[HS_LEADS_GROUPS][N];
    struct hs_typical miss[HS_LEADS_GROUPS];
};

static void lagged_init(void *state)
{
    struct lagged_state *model = state;

    memset(model, 0, sizeof(*model));
    for (size_t i = 0; i < RING; i++) {
        model->hours[i].heat = (double)NAN;
    }
    for (size_t i = 0; i < HS_LEADS_MAX; i++) {
        model->origins[i].last = (double)NAN;
    }
}

static const struct lagged_hour *get_hour(const struct lagged_state *model, int64_t no)
{
    return &model->hours[((no % RING) + RING) % RING];
}

static double get_heat(const struct lagged_state *model, int64_t no, double otherwise)
{
    double heat = get_hour(model, no)->heat;

    return isnan(heat) ? otherwise : heat;
}

/** Mean of the hour @no and of the same hour of the six days before it. */
static struct lagged_hour get_usual(const struct lagged_state *model, int64_t no)
{
    struct lagged_hour usual = {0};
    int n = 0;

    for (int64_t day = 0; day < USUAL_DAYS; day++) {
        const struct lagged_hour *hour = get_hour(model, no - 24 * day);

        if (!isnan(hour->heat)) {
            usual.heat += hour->heat;
            usual.cold[0] += hour->cold[0];
            usual.cold[1] += hour->cold[1];
            usual.cold[2] += hour->cold[2];
            usual.sun += hour->sun;
            n++;
        }
    }
    if (n == 0) {
        usual.heat = (double)NAN;
        return usual;
    }
    usual.heat /= n;
    usual.cold[0] /= n;
    usual.cold[1] /= n;
    usual.cold[2] /= n;
    usual.sun /= n;
    return usual;
}

static void feel(const struct hs_airfilter *air, struct lagged_hour *hour)
{
    static const size_t filters[N_COLD] = {0, 2, 3};

    for (size_t i = 0; i < N_COLD; i++) {
        hour->cold[i] = air->has_air ? fmax(0.0, WARM_C - air->t_c[filters[i]]) / TEN_K : 0.0;
    }
    hour->sun = air->slow_ghi_w_per_m2 / SUN;
}

/** Days back to the newest same hour that was known @lead hours before. */
static int64_t days_back(size_t lead)
{
    return ((int64_t)lead + 23) / 24;
}

/** What is known of hour @no from @lead hours before. @param usual  of the days before the origin
 */
static void describe(const struct lagged_state *model, const struct hs_calendar *calendar,
                     const struct lagged_origin *origin, const struct hs_airfilter *air,
                     const struct lagged_hour *usual, int64_t no, size_t lead, double *ret_x)
{
    int64_t back = 24 * days_back(lead);
    const struct lagged_hour *newest = get_hour(model, no - back);
    struct hs_calendar_hour day = hs_calendar_get_hour(calendar, no * 3600);
    struct hs_calendar_hour day_before = hs_calendar_get_hour(calendar, (no - back) * 3600);
    double is_free = hs_heatfeatures_is_free(&day) ? 1.0 : 0.0;
    double was_free = hs_heatfeatures_is_free(&day_before) ? 1.0 : 0.0;
    double yesterday = get_heat(model, no - back, usual->heat);
    double week = get_heat(model, no - 168, usual->heat);
    struct lagged_hour ahead = {0};

    feel(air, &ahead);
    ret_x[0] = 0.3; /* the offset is pulled harder than the rest */
    ret_x[1] = yesterday - usual->heat;
    ret_x[2] = get_heat(model, no - back - 24, yesterday) - usual->heat;
    ret_x[3] = week - usual->heat;
    ret_x[4] = get_heat(model, no - 336, week) - usual->heat;
    ret_x[5] = usual->heat;
    ret_x[6] = origin->last;
    ret_x[7] = origin->day;
    ret_x[8] = origin->fast;
    ret_x[9] = ahead.cold[0] - usual->cold[0];
    ret_x[10] = ahead.cold[1] - usual->cold[1];
    ret_x[11] = ahead.cold[2] - usual->cold[2];
    ret_x[12] = (ahead.cold[1] - usual->cold[1]) * usual->heat;
    ret_x[13] = ahead.cold[1] - newest->cold[1];
    ret_x[14] = ahead.sun - usual->sun;
    ret_x[15] = is_free - FREE_SHARE;
    ret_x[16] = is_free - was_free;
    ret_x[17] = (is_free - FREE_SHARE) * usual->heat;
}

static double dot(const double *x, const double *coefs)
{
    double sum = 0.0;

    for (size_t i = 0; i < N; i++) {
        sum += x[i] * coefs[i];
    }
    return sum;
}

static void learn_lead(struct lagged_state *model, const struct hs_calendar *calendar, int64_t no,
                       size_t lead, const struct lagged_hour *usual, double heat)
{
    size_t at = hs_leads_place(no - (int64_t)lead);
    size_t group = hs_leads_get_group(lead);
    double wanted = heat - usual->heat;
    double x[N];
    double error;
    double weight;

    describe(model, calendar, &model->origins[at], &model->ahead[at], usual, no, lead, x);
    error = wanted - dot(x, model->coefs[group]);
    weight = hs_typical_weigh(&model->miss[group], HUBER, error);
    hs_typical_add(&model->miss[group], error);
    hs_ridge_add(N, model->a[group], model->b[group], x, wanted,
                 weight / (double)hs_leads_get_taught(group));
}

static void learn_leads(struct lagged_state *model, const struct hs_heatmodel_view *view,
                        double heat)
{
    int64_t no = view->history->newest_no;
    struct lagged_hour usual[2] = {get_usual(model, no - 24), get_usual(model, no - 48)};

    for (size_t lead = 1; lead <= HS_LEADS_MAX; lead++) {
        size_t at = hs_leads_place(no - (int64_t)lead);
        const struct lagged_hour *known = &usual[days_back(lead) - 1];
        struct hs_weather foreseen = hs_heathistory_get_foreseen(view->history, lead);

        hs_airfilter_step(&model->ahead[at], &foreseen);
        if (!isnan(heat) && !isnan(known->heat) && !isnan(model->origins[at].last)
            && hs_leads_is_taught(lead, no)) {
            learn_lead(model, view->calendar, no, lead, known, heat);
        }
    }
}

static void solve(struct lagged_state *model, int64_t no)
{
    double pull[N];
    double work[HS_RIDGE_PACKED(N)];

    for (size_t i = 0; i < N; i++) {
        pull[i] = PULL;
    }
    for (size_t g = 0; g < HS_LEADS_GROUPS; g++) {
        hs_ridge_fade(N, model->a[g], model->b[g], KEEP);
        if ((int64_t)(g % SOLVE_EVERY) == no % SOLVE_EVERY) {
            (void)hs_ridge_solve(N, model->a[g], model->b[g], pull, work, model->coefs[g]);
        }
    }
}

/** Heat without what no day explains: a spike would come back as tomorrow's forecast. */
static double cut(struct lagged_state *model, double heat, double usual)
{
    if (isnan(heat) || isnan(usual)) {
        return heat;
    }
    hs_typical_add(&model->distance, heat - usual);
    return hs_typical_cut(&model->distance, OUTLIER, usual, heat);
}

/** Mean of the known hours of the week that ends with @no. */
static double get_week_mean(const struct lagged_state *model, int64_t no)
{
    double sum = 0.0;
    int n = 0;

    for (int64_t back = 0; back < 7 * 24; back++) {
        double heat = get_hour(model, no - back)->heat;

        if (!isnan(heat)) {
            sum += heat;
            n++;
        }
    }
    return n > 0 ? sum / n : (double)NAN;
}

static void note_origin(struct lagged_state *model, int64_t no, double heat)
{
    struct lagged_origin *origin = &model->origins[hs_leads_place(no)];
    double usual = get_usual(model, no - 24).heat;
    double over = 0.0;
    int n = 0;

    for (int64_t back = 0; back < 3; back++) {
        double value = get_hour(model, no - back)->heat - get_usual(model, no - back - 24).heat;

        if (!isnan(value)) {
            over += value;
            n++;
        }
    }
    origin->last = (isnan(heat) ? model->fast : heat) - usual;
    origin->day = model->day - get_week_mean(model, no);
    origin->fast = n > 0 ? over / n : 0.0;
    if (model->n_hours < LEAST_HOURS || isnan(origin->day)) {
        origin->last = (double)NAN;
    }
}

static void lagged_learn(void *state, const struct hs_heatmodel_view *view)
{
    struct lagged_state *model = state;
    int64_t no = view->history->newest_no;
    struct hs_weather weather = hs_heathistory_get_weather(view->history, no);
    double heat = hs_heatscale_take(&model->scale, view->history);
    struct lagged_hour *hour = &model->hours[no % RING];

    hs_airfilter_step(&model->air, &weather);
    if (!hs_heatscale_is_known(&model->scale)) {
        return;
    }
    learn_leads(model, view, hs_heatscale_is_frozen(&model->scale) ? (double)NAN : heat);
    heat = cut(model, heat, get_usual(model, no - 24).heat);
    hour->heat = heat;
    feel(&model->air, hour);
    if (!isnan(heat)) {
        double fast = model->n_hours > 0 ? FAST_SHARE : 1.0;

        model->fast += fast * (heat - model->fast);
        model->day += (model->n_hours > 0 ? DAY_SHARE : 1.0) * (heat - model->day);
        model->n_hours += 1.0;
    }
    note_origin(model, no, heat);
    model->ahead[hs_leads_place(no)] = model->air;
    solve(model, no);
}

static bool lagged_predict(const void *state, const struct hs_heatmodel_view *view, size_t n_hours,
                           double *ret_heat_w)
{
    const struct lagged_state *model = state;
    int64_t newest_no = view->history->newest_no;
    const struct lagged_origin *origin = &model->origins[hs_leads_place(newest_no)];
    struct hs_airfilter air = model->air;

    if (!hs_heatscale_is_known(&model->scale) || isnan(origin->last)) {
        return false;
    }
    for (size_t i = 0; i < n_hours; i++) {
        int64_t no = newest_no + 1 + (int64_t)i;
        size_t lead = hs_leads_clip(i + 1);
        struct hs_weather foreseen = hs_outlook_get(view->outlook, no * 3600);
        struct lagged_hour usual =
            get_usual(model, newest_no + (int64_t)lead - 24 * days_back(lead));
        double x[N];

        hs_airfilter_step(&air, &foreseen);
        if (isnan(usual.heat)) {
            usual.heat = model->day;
        }
        describe(model, view->calendar, origin, &air, &usual, newest_no + (int64_t)lead, lead, x);
        ret_heat_w[i] = fmax(0.0, usual.heat + dot(x, model->coefs[hs_leads_get_group(lead)]))
                        * model->scale.mean_w;
    }
    return true;
}

static bool lagged_check(const void *state)
{
    const struct lagged_state *model = state;
    bool is_sound = hs_heatmodel_is_flag(&model->air.has_air);

    for (size_t i = 0; i < HS_LEADS_MAX; i++) {
        is_sound = is_sound && hs_heatmodel_is_flag(&model->ahead[i].has_air);
    }
    return is_sound;
}

const struct hs_heatmodel hs_heatmodel_lagged = {
    .name = "lagged",
    .summary = "the last days at this hour, corrected for weather and kind of day",
    .state_bytes = sizeof(struct lagged_state),
    .init = lagged_init,
    .learn = lagged_learn,
    .predict = lagged_predict,
    .check = lagged_check,
};
