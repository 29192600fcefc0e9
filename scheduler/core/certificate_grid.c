/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_grid - a loop's next prices, nearly: what certificate_loop finds exactly, in a tenth
 * of the time.
 *
 * What the tank holds when a Wh in it is worth so much falls with the worth. It is kept for a few
 * levels of worth, straight in between: then a slot is a sum over levels. Heat that is lost makes
 * what is left dearer at the same rate slot by slot, so levels are those of the first slot and
 * rise over time. Any prices give a bound, so that an error costs a little of it and no more.
 */
#include <math.h>

#include "scheduler/base/units.h"
#include "scheduler/core/certificate_priv.h"

#define LEVELS HS_CERTIFICATE_LEVELS

static inline float lesser(float a, float b)
{
    return a < b ? a : b;
}

static inline float greater(float a, float b)
{
    return a > b ? a : b;
}

static inline float clip(float value, float least, float most)
{
    return lesser(greater(value, least), most);
}

/* A loop's levels and tank. */
struct grid {
    float first_cur; /* worth of level 0 in slot 0 */
    float step_cur;
    float keep_ratio; /* of heat in the tank, over a slot */
    float max_wh;
    float charge_max_wh;
    float draw_max_wh;
};

static struct grid open_grid(const struct hs_certificate *cert, size_t loop_idx)
{
    const struct hs_tank *tank = &cert->estate->loops[loop_idx].tank;
    const struct hs_thermal_input *input = &cert->inputs[loop_idx];
    struct grid grid = {.keep_ratio = 1.0F, .charge_max_wh = INFINITY, .draw_max_wh = INFINITY};
    double least_cur = 0.0;
    double most_cur = fmax(cert->heat_max_cur[loop_idx], 1e-9);

    for (size_t t = 0; t < cert->n_slots; t++) {
        least_cur = fmin(least_cur, -input->reject_cur_per_wh[t]);
    }
    grid.step_cur = (float)((most_cur - least_cur) / (LEVELS - 2));
    grid.first_cur = (float)least_cur - 0.5F * grid.step_cur;
    if (tank->present && hs_tank_max_wh(tank) > 0) {
        double slot_wh_per_k = hs_wh_from_w(tank->loss_w_per_k, cert->slot_s);
        double max_wh = hs_tank_max_wh(tank);
        double lost_wh = slot_wh_per_k * (tank->min_c - tank->ambient_c)
                         + slot_wh_per_k / (tank->volume_l * HS_WATER_WH_PER_L_K) * max_wh;

        grid.max_wh = (float)max_wh;
        grid.keep_ratio = clip((float)(1.0 - lost_wh / max_wh), 0.5F, 1.0F);
        grid.charge_max_wh = (float)hs_wh_from_w(tank->charge_limit_w, cert->slot_s);
        grid.draw_max_wh = (float)hs_wh_from_w(tank->draw_limit_w, cert->slot_s);
    }
    return grid;
}

/* The level of a worth in a slot whose heat has lost to @kept_ratio since slot 0. */
static float get_level(const struct grid *grid, double cur, float kept_ratio)
{
    return ((float)cur * kept_ratio - grid->first_cur) / grid->step_cur;
}

/* What a slot buys: @offer_wh at @offer_level, more as heat is worth more. */
struct slot {
    float all_wh;
    float offer_wh;
    float offer_level;
    float wh_per_level;
};

static struct slot read_slot(const struct hs_certificate *cert, const struct grid *grid, size_t i,
                             float kept_ratio)
{
    return (struct slot){
        .all_wh = (float)cert->heat_max_wh[i],
        .offer_wh = (float)cert->mean_given_wh[i],
        .offer_level = get_level(grid, cert->heat_cur_per_wh[i], kept_ratio),
        .wh_per_level = grid->step_cur / (kept_ratio * (float)cert->steep[i]),
    };
}

static inline float get_bought(const struct slot *slot, float level)
{
    return clip(slot->offer_wh + (level - slot->offer_level) * slot->wh_per_level, 0.0F,
                slot->all_wh);
}

/* What the slot puts into the tank by level, if the tank takes it. */
static void fill_charges(const struct hs_certificate *cert, const struct grid *grid,
                         size_t loop_idx, size_t t, float kept_ratio, float *restrict ret_wh)
{
    const struct hs_heatloop *loop = &cert->estate->loops[loop_idx];
    size_t i = loop_idx * cert->n_slots + t;
    struct slot slot = read_slot(cert, grid, i, kept_ratio);
    float captured_wh = (float)cert->captured_wh[i];

    for (int j = 0; j < LEVELS; j++) {
        ret_wh[j] = captured_wh + get_bought(&slot, (float)j);
    }
    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        float sink_wh = (float)cert->sink_demand_wh[k * cert->n_slots + t];
        float sink_level = get_level(grid, cert->sink_cur_per_mwh[k] * 1e-6, kept_ratio) + 0.5F;

        for (int j = 0; j < LEVELS; j++) {
            ret_wh[j] -= sink_wh * clip(sink_level - (float)j, 0.0F, 1.0F);
        }
    }
}

/*
 * Where a rising row, or a falling one turned over by @sign, comes to @wh: a level between two
 * whole ones.
 */
static float find_level(const float *row, float sign, float wh)
{
    size_t low = 0;
    size_t high = LEVELS - 1;

    if (sign * (row[low] - wh) >= 0 || sign * (row[high] - wh) <= 0) {
        return sign * (row[low] - wh) >= 0 ? 0.0F : (float)high;
    }
    while (high - low > 1) {
        size_t mid = (low + high) / 2;

        if (sign * (row[mid] - wh) < 0) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return (float)low + (wh - row[low]) / (row[high] - row[low]);
}

/* What the tank held before each slot, by level, but for the slot's own loss: into levels_wh. */
static void look_back(struct hs_certificate *cert, const struct grid *grid, size_t loop_idx,
                      float kept_ratio)
{
    float after_wh[LEVELS];
    float charge_wh[LEVELS];
    float inverse = 1.0F / grid->keep_ratio;
    float end_level = get_level(grid, cert->inputs[loop_idx].end_cur_per_wh, kept_ratio) + 0.5F;

    for (int j = 0; j < LEVELS; j++) {
        after_wh[j] = grid->max_wh * clip(end_level - (float)j, 0.0F, 1.0F);
    }
    for (size_t t = cert->n_slots; t-- > 0;) {
        float *restrict before_wh = &cert->levels_wh[t * LEVELS];

        kept_ratio *= inverse;
        fill_charges(cert, grid, loop_idx, t, kept_ratio, charge_wh);
        for (int j = 0; j < LEVELS; j++) {
            before_wh[j] =
                after_wh[j] - clip(charge_wh[j], -grid->draw_max_wh, grid->charge_max_wh);
            after_wh[j] = lesser(greater(before_wh[j], 0.0F) * inverse, grid->max_wh);
        }
    }
}

static void set_price(struct hs_certificate *cert, size_t loop_idx, size_t i, double bought_wh)
{
    double price = cert->heat_cur_per_wh[i] + cert->steep[i] * (bought_wh - cert->mean_given_wh[i]);
    double least_cur = -cert->inputs[loop_idx].reject_cur_per_wh[i % cert->n_slots];

    cert->bought_wh[i] = bought_wh;
    cert->heat_cur_per_wh[i] = fmax(least_cur, fmin(price, cert->heat_max_cur[loop_idx]));
}

/* What the slot puts into the tank at @level, which lies between two of those of fill_charges(). */
static float find_charge(const struct hs_certificate *cert, const struct grid *grid,
                         size_t loop_idx, size_t t, float kept_ratio, float level)
{
    const struct hs_heatloop *loop = &cert->estate->loops[loop_idx];
    size_t i = loop_idx * cert->n_slots + t;
    struct slot slot = read_slot(cert, grid, i, kept_ratio);
    float low = lesser(floorf(level), LEVELS - 2);
    float share = level - low;
    float wh = (float)cert->captured_wh[i] + (1.0F - share) * get_bought(&slot, low)
               + share * get_bought(&slot, low + 1.0F);

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        float sink_wh = (float)cert->sink_demand_wh[k * cert->n_slots + t];
        float sink_level = get_level(grid, cert->sink_cur_per_mwh[k] * 1e-6, kept_ratio) + 0.5F;

        wh -= sink_wh * (1.0F - share) * clip(sink_level - low, 0.0F, 1.0F);
        wh -= sink_wh * share * clip(sink_level - low - 1.0F, 0.0F, 1.0F);
    }
    return wh;
}

/* The level at which the slot by itself would charge @charge_wh: the tank takes or gives no more.
 */
static float find_own_level(const struct hs_certificate *cert, const struct grid *grid,
                            size_t loop_idx, size_t t, float kept_ratio, float charge_wh)
{
    float charges_wh[LEVELS];

    fill_charges(cert, grid, loop_idx, t, kept_ratio, charges_wh);
    return find_level(charges_wh, 1.0F, charge_wh);
}

void hs_certificate_slide_loop(struct hs_certificate *cert, size_t loop_idx)
{
    struct grid grid = open_grid(cert, loop_idx);
    float stored_wh = clip((float)cert->inputs[loop_idx].tank_wh, 0.0F, grid.max_wh);
    float kept_ratio = 1.0F;

    look_back(cert, &grid, loop_idx, powf(grid.keep_ratio, (float)cert->n_slots));
    for (size_t t = 0; t < cert->n_slots; t++) {
        size_t i = loop_idx * cert->n_slots + t;
        struct slot slot = read_slot(cert, &grid, i, kept_ratio);
        float kept_wh = grid.keep_ratio * stored_wh;
        float level = find_level(&cert->levels_wh[t * LEVELS], -1.0F, kept_wh);
        float free_wh = find_charge(cert, &grid, loop_idx, t, kept_ratio, level);
        float charge_wh = clip(free_wh, -grid.draw_max_wh, grid.charge_max_wh);

        if (charge_wh < free_wh || charge_wh > free_wh) {
            level = find_own_level(cert, &grid, loop_idx, t, kept_ratio, charge_wh);
        }
        set_price(cert, loop_idx, i, (double)get_bought(&slot, level));
        stored_wh = clip(kept_wh + charge_wh, 0.0F, grid.max_wh);
        kept_ratio *= grid.keep_ratio;
    }
}
