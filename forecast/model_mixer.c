/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_mixer - all models at once, each weighed per block of leads by what it has missed lately.
 *
 * Online aggregation of experts with discounted losses (Cesa-Bianchi and Lugosi 2006, ch. 2.11):
 * weight = (least loss / own loss)^8. Models that share a state learn once.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "forecast/heatmodel.h"
#include "forecast/leads.h"
#include "forecast/typical.h"

#define N_EXPERTS   8
#define N_BLOCKS    8
#define ARENA_BYTES 262144
#define ALIGNMENT   16
#define LEADS       HS_LEADS_MAX
#define KEEP        0.991701293 /* of an hour's loss an hour later: 1/e in 5 days */
#define WILD        8.0         /* an error over so many mean ones of its hour counts as that */
#define SILENT      1.5         /* who says nothing is charged so many mean errors */
#define TELLING     24          /* hours ahead for which weights are told */

/* A meter exchanged or a loop of another size: heat is off from what the weather explains by
 * this factor, to one side, for so many more hours than not. */
#define SHIFT_RATIO  2.5
#define SHIFT_HOURS  72.0
#define SHIFT_LEAST  0.02  /* of what was said: less may be a building that is closed, so */
#define CLOSED_HOURS 240.0 /* it takes longer; nothing at all is a shut valve, not a size */

static const struct hs_heatmodel *const experts[N_EXPERTS] = {
    &hs_heatmodel_regression, &hs_heatmodel_weather,     &hs_heatmodel_lagged,
    &hs_heatmodel_rc,         &hs_heatmodel_holtwinters, &hs_heatmodel_yesterday,
    &hs_heatmodel_lastweek,   &hs_heatmodel_recent,
};
#define EXPERT_WEATHER 1

static const size_t block_end[N_BLOCKS] = {1, 3, 6, 12, 18, 24, 36, 48};

struct mixer_state {
    float said_w[LEADS][LEADS][N_EXPERTS]; /* [hour][lead - 1]; NAN: silent */
    double loss[N_BLOCKS][N_EXPERTS];      /* discounted sums of |error| */
    double shift_up_h;                     /* hours that were far over what the weather explains */
    double shift_down_h;
    double shift_away_h;                                  /* hours with next to nothing */
    struct hs_typical miss_w[N_BLOCKS];                   /* mean |error| of all experts */
    _Alignas(ALIGNMENT) unsigned char arena[ARENA_BYTES]; /* states of the experts */
};

/** Where the state of expert @k lies; the experts before it that learn apart come first. */
static size_t get_offset(size_t k)
{
    size_t offset = 0;

    for (size_t i = 0; i < k; i++) {
        size_t first = 0;

        if (experts[i]->init == experts[k]->init && experts[k]->state_bytes > 0) {
            return get_offset(i);
        }
        while (experts[first]->init != experts[i]->init) {
            first++;
        }
        if (first == i) {
            offset += (experts[i]->state_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }
    }
    return offset;
}

/** True if an expert before @k has the same state. */
static bool is_shared(size_t k)
{
    for (size_t i = 0; i < k; i++) {
        if (experts[i]->init == experts[k]->init) {
            return true;
        }
    }
    return false;
}

static void forget_said(struct mixer_state *mixer)
{
    for (size_t i = 0; i < LEADS; i++) {
        for (size_t k = 0; k < LEADS; k++) {
            for (size_t e = 0; e < N_EXPERTS; e++) {
                mixer->said_w[i][k][e] = NAN;
            }
        }
    }
}

static void init_experts(struct mixer_state *mixer)
{
    for (size_t k = 0; k < N_EXPERTS; k++) {
        assert(get_offset(k) + experts[k]->state_bytes <= ARENA_BYTES);
        if (!is_shared(k)) {
            experts[k]->init(&mixer->arena[get_offset(k)]);
        }
    }
}

static void mixer_init(void *state)
{
    struct mixer_state *mixer = state;

    memset(mixer, 0, sizeof(*mixer));
    forget_said(mixer);
    init_experts(mixer);
}

static size_t get_block(size_t lead)
{
    size_t block = 0;

    while (lead > block_end[block]) {
        block++;
    }
    return block;
}

/** @ratio to the power of 8: sharp enough to drop who is bad, blunt enough to average equals. */
static double sharpen(double ratio)
{
    double square = ratio * ratio;
    double fourth = square * square;

    return fourth * fourth;
}

/** Weights of the experts that spoke; they add to 1, or are all 0. @param said_w  NAN: silent */
static void weigh(const struct mixer_state *mixer, size_t block, const double *said_w,
                  double *ret_weights)
{
    const double *loss = mixer->loss[block];
    double least = INFINITY;
    double sum = 0.0;

    for (size_t k = 0; k < N_EXPERTS; k++) {
        least = isnan(said_w[k]) ? least : fmin(least, loss[k]);
    }
    for (size_t k = 0; k < N_EXPERTS; k++) {
        /* nobody has been judged yet: all alike */
        double ratio = loss[k] > 0 ? least / loss[k] : 1.0;

        ret_weights[k] = isnan(said_w[k]) ? 0.0 : sharpen(ratio);
        sum += ret_weights[k];
    }
    for (size_t k = 0; k < N_EXPERTS && sum > 0; k++) {
        ret_weights[k] /= sum;
    }
}

/** Charge each expert for what it said of the hour that has closed, @lead hours before. */
static void charge(struct mixer_state *mixer, size_t lead, const float *said_w, double heat_w)
{
    size_t block = get_block(lead);
    double errors_w[N_EXPERTS];
    double sum_w = 0.0;
    double n = 0.0;
    double mean_w;
    double weight;

    for (size_t k = 0; k < N_EXPERTS; k++) {
        errors_w[k] = fabs(heat_w - (double)said_w[k]);
        if (!isnan(errors_w[k])) {
            sum_w += errors_w[k];
            n += 1.0;
        }
    }
    if (n == 0.0) {
        return;
    }
    mean_w = sum_w / n;
    /* an hour that all missed by far tells nothing of who is better */
    weight = hs_typical_weigh(&mixer->miss_w[block], WILD, mean_w);
    hs_typical_add(&mixer->miss_w[block], mean_w);
    for (size_t k = 0; k < N_EXPERTS; k++) {
        mixer->loss[block][k] +=
            weight * (isnan(errors_w[k]) ? SILENT * mean_w : fmin(errors_w[k], WILD * mean_w));
    }
}

/** Hours that speak for another size, less those that do not. */
static void count(double *hours, bool is_so)
{
    *hours = fmax(0.0, *hours + (is_so ? 1.0 : -1.0));
}

/** True if the sink is of another size than the one that was learned. */
static bool has_shifted(struct mixer_state *mixer, double said_w, double heat_w)
{
    bool is_down = heat_w * SHIFT_RATIO < said_w && heat_w > 0;

    if (isnan(said_w)) {
        return false;
    }
    count(&mixer->shift_up_h, heat_w > SHIFT_RATIO * said_w);
    count(&mixer->shift_down_h, is_down && heat_w > SHIFT_LEAST * said_w);
    count(&mixer->shift_away_h, is_down);
    return mixer->shift_up_h >= SHIFT_HOURS || mixer->shift_down_h >= SHIFT_HOURS
           || mixer->shift_away_h >= CLOSED_HOURS;
}

static void judge(struct mixer_state *mixer, int64_t no, double heat_w)
{
    for (size_t b = 0; b < N_BLOCKS; b++) {
        for (size_t k = 0; k < N_EXPERTS; k++) {
            mixer->loss[b][k] *= KEEP;
        }
    }
    for (size_t lead = 1; lead <= LEADS; lead++) {
        charge(mixer, lead, mixer->said_w[no % LEADS][lead - 1], heat_w);
    }
}

static void mixer_learn(void *state, const struct hs_heatmodel_view *view)
{
    struct mixer_state *mixer = state;
    int64_t no = view->history->newest_no;
    double heat_w = hs_heathistory_get_heat_w(view->history, no);

    if (!isnan(heat_w)) {
        judge(mixer, no, heat_w);
        if (has_shifted(mixer, (double)mixer->said_w[no % LEADS][0][EXPERT_WEATHER], heat_w)) {
            /* what was learned is of another building; until it is learned anew the days repeat */
            mixer_init(mixer);
        }
    }
    for (size_t k = 0; k < N_EXPERTS; k++) {
        if (!is_shared(k)) {
            experts[k]->learn(&mixer->arena[get_offset(k)], view);
        }
    }
}

/** What every expert says. @param ret_said_w  [N_EXPERTS][HS_OUTLOOK_HOURS], NAN: silent */
static void ask(const struct mixer_state *mixer, const struct hs_heatmodel_view *view,
                size_t n_hours, double (*ret_said_w)[HS_OUTLOOK_HOURS])
{
    for (size_t k = 0; k < N_EXPERTS; k++) {
        if (!experts[k]->predict(&mixer->arena[get_offset(k)], view, n_hours, ret_said_w[k])
            || !hs_heatmodel_is_usable(ret_said_w[k], n_hours)) {
            for (size_t i = 0; i < n_hours; i++) {
                ret_said_w[k][i] = (double)NAN;
            }
        }
    }
}

static bool mix(const struct mixer_state *mixer, size_t n_hours,
                const double (*said_w)[HS_OUTLOOK_HOURS], double *ret_heat_w)
{
    for (size_t i = 0; i < n_hours; i++) {
        double of_hour_w[N_EXPERTS];
        double weights[N_EXPERTS];
        double sum_weight = 0.0;

        for (size_t k = 0; k < N_EXPERTS; k++) {
            of_hour_w[k] = said_w[k][i];
        }
        weigh(mixer, get_block(hs_leads_clip(i + 1)), of_hour_w, weights);
        ret_heat_w[i] = 0.0;
        for (size_t k = 0; k < N_EXPERTS; k++) {
            ret_heat_w[i] += weights[k] > 0 ? weights[k] * of_hour_w[k] : 0.0;
            sum_weight += weights[k];
        }
        if (!(sum_weight > 0)) {
            return false;
        }
    }
    return true;
}

static bool mixer_predict(const void *state, const struct hs_heatmodel_view *view, size_t n_hours,
                          double *ret_heat_w)
{
    double said_w[N_EXPERTS][HS_OUTLOOK_HOURS];

    ask(state, view, n_hours, said_w);
    return mix(state, n_hours, said_w, ret_heat_w);
}

static bool mixer_promise(void *state, const struct hs_heatmodel_view *view, size_t n_hours,
                          double *ret_heat_w)
{
    struct mixer_state *mixer = state;
    double said_w[N_EXPERTS][HS_OUTLOOK_HOURS];

    ask(mixer, view, n_hours, said_w);
    for (size_t i = 0; i < n_hours && i < LEADS; i++) {
        int64_t no = view->history->newest_no + 1 + (int64_t)i;

        for (size_t k = 0; k < N_EXPERTS; k++) {
            mixer->said_w[no % LEADS][i][k] = (float)said_w[k][i];
        }
    }
    return mix(mixer, n_hours, said_w, ret_heat_w);
}

static bool mixer_check(const void *state)
{
    const struct mixer_state *mixer = state;

    for (size_t k = 0; k < N_EXPERTS; k++) {
        if (experts[k]->check != NULL && !experts[k]->check(&mixer->arena[get_offset(k)])) {
            return false;
        }
    }
    return true;
}

static size_t mixer_get_weights(const void *state, const char **ret_names, double *ret_weights)
{
    const struct mixer_state *mixer = state;
    double said_w[N_EXPERTS] = {0};

    for (size_t k = 0; k < N_EXPERTS; k++) {
        ret_names[k] = experts[k]->name;
    }
    weigh(mixer, get_block(TELLING), said_w, ret_weights);
    return N_EXPERTS;
}

static void mixer_get_physics(const void *state, struct hs_physics *physics)
{
    const struct mixer_state *mixer = state;

    for (size_t k = 0; k < N_EXPERTS; k++) {
        if (experts[k]->get_physics != NULL) {
            experts[k]->get_physics(&mixer->arena[get_offset(k)], physics);
        }
    }
}

const struct hs_heatmodel hs_heatmodel_mixer = {
    .name = "mixer",
    .summary = "all models, weighed by what each has missed lately at that lead",
    .state_bytes = sizeof(struct mixer_state),
    .init = mixer_init,
    .learn = mixer_learn,
    .predict = mixer_predict,
    .promise = mixer_promise,
    .check = mixer_check,
    .get_weights = mixer_get_weights,
    .get_physics = mixer_get_physics,
};
