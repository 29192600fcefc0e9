/* SPDX-License-Identifier: Apache-2.0 */
/* runspread - see runspread.h. */
#include "forecast/runspread.h"

#include <math.h>

#define BINS       HS_RUNSPREAD_BINS
#define LAST_BIN   ((double)(BINS - 1))
#define NEGLIGIBLE 1e-4 /* of a run: forgotten, so that what is saved stays small */

/* Place on the grid, cut to it. */
static double place_of(double log_run)
{
    double place = log_run / HS_RUNSPREAD_STEP;

    return place < 0.0 ? 0.0 : place > LAST_BIN ? LAST_BIN : place;
}

static void add_at(struct hs_runspread *spread, double place, double weight)
{
    size_t bin = (size_t)place;
    double above = place - (double)bin;

    spread->mass[bin] += weight * (1.0 - above);
    if (above > 0) {
        spread->mass[bin + 1] += weight * above;
    }
}

void hs_runspread_add(struct hs_runspread *spread, double keep_ratio, double log_run, double weight)
{
    for (size_t i = 0; i < BINS; i++) {
        spread->mass[i] *= keep_ratio;
        spread->mass[i] = spread->mass[i] > NEGLIGIBLE ? spread->mass[i] : 0.0;
    }
    add_at(spread, place_of(log_run), weight);
}

/* A whole number of steps and a rest, so that the loop stays a sum of two products. */
void hs_runspread_blend(struct hs_runspread *spread, const struct hs_runspread *other,
                        double weight, double log_shift)
{
    double shift = log_shift / HS_RUNSPREAD_STEP;
    int whole = (int)floor(shift);
    double upper_weight = weight * (shift - (double)whole);
    double lower_weight = weight - upper_weight;

    for (int i = 0; i < BINS; i++) {
        int lower = i + whole < 0 ? 0 : i + whole >= BINS ? BINS - 1 : i + whole;
        int upper = i + whole + 1 < 0 ? 0 : i + whole + 1 >= BINS ? BINS - 1 : i + whole + 1;

        spread->mass[lower] += lower_weight * other->mass[i];
        spread->mass[upper] += upper_weight * other->mass[i];
    }
}

double hs_runspread_get_mass(const struct hs_runspread *spread)
{
    double mass = 0.0;

    for (size_t i = 0; i < BINS; i++) {
        mass += spread->mass[i];
    }
    return mass;
}

void hs_runspread_norm(struct hs_runspread *spread)
{
    double mass = hs_runspread_get_mass(spread);

    for (size_t i = 0; mass > 0 && i < BINS; i++) {
        spread->mass[i] /= mass;
    }
}

size_t hs_runspread_get_bin(double age_s)
{
    return (size_t)place_of(log(fmax(age_s, 1.0)));
}

void hs_runspread_outlive(struct hs_runspread *spread, const unsigned *n_open)
{
    double tail = hs_runspread_get_mass(spread);
    double scale = 1.0;

    for (size_t i = 0; i < BINS; i++) {
        double mass = spread->mass[i];

        spread->mass[i] = mass * scale;
        tail -= mass;
        if (n_open[i] > 0 && tail > 1e-9) {
            scale += (double)n_open[i] / tail;
        }
    }
}

void hs_runspread_cut(struct hs_runspread *spread, double log_run)
{
    double place = place_of(log_run);

    for (size_t i = 0; i < BINS; i++) {
        double left = fmin(fmax((double)i + 0.5 - place, 0.0), 1.0);

        spread->mass[i] *= left;
    }
}

double hs_runspread_get_quantile(const struct hs_runspread *spread, double ratio)
{
    double wanted = ratio * hs_runspread_get_mass(spread);
    double below = 0.0;
    double place = (double)NAN;

    for (size_t i = 0; i < BINS; i++) {
        double mass = spread->mass[i];

        if (mass <= 0) {
            continue;
        }
        place = (double)i + 0.5;
        if (below + mass >= wanted) {
            return ((double)i - 0.5 + (wanted - below) / mass) * HS_RUNSPREAD_STEP;
        }
        below += mass;
    }
    return place * HS_RUNSPREAD_STEP;
}
