/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_forecast [MODEL] - how long forecasts of many sinks take, on SYNTHETIC buildings.
 *
 * Three JSON lines: all sinks asked for two days of quarter hours after an hour has closed; one
 * new reading taken in where a forecast is asked for after each, as the daemon does; and where
 * none is, as when a history is replayed.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "forecast/forecast.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/reals.h"
#include "scheduler/base/units.h"

#define SINKS          100
#define SLOTS          192
#define SLOT_S         900
#define SLOTS_PER_HOUR (3600 / SLOT_S)
#define SLOTS_PER_DAY  (HS_S_PER_DAY / SLOT_S)
#define DAYS           35
#define ROUNDS         24   /* refreshes of all sinks */
#define READINGS       9600 /* 100 days */
#define FIRST_AT_S     ((int64_t)20000 * HS_S_PER_DAY)

struct bench {
    const char *model;
    struct hs_clock *clock;
    struct hs_forecast *sinks[SINKS];
    struct hs_outlook outlook;
    unsigned state; /* of the noise */
};

/** Between -1 and 1, the same on every machine. */
static double make_noise(struct bench *bench)
{
    bench->state = bench->state * 1664525u + 1013904223u;
    return (double)(bench->state >> 8) / (double)(1u << 23) - 1;
}

static struct hs_weather make_weather(int64_t slot)
{
    double hour = (double)(slot % SLOTS_PER_DAY) / SLOTS_PER_HOUR;
    double day = (double)slot / SLOTS_PER_DAY;

    return (struct hs_weather){
        .t_out_c = 4 + 4 * sin(day / 2) + 3 * sin(2 * M_PI * (hour - 9) / 24),
        .ghi_w_per_m2 = fmax(0, 300 * sin(M_PI * (hour - 8) / 8)),
        .wind_m_per_s = 4 + sin(day),
    };
}

static double make_heat_w(struct bench *bench, int64_t slot, size_t sink_idx)
{
    struct hs_weather weather = make_weather(slot);
    double hour = (double)(slot % SLOTS_PER_DAY) / SLOTS_PER_HOUR;
    double people = hour >= 6 && hour < 22 ? 1.2 : 0.8;

    return fmax(0, (18 - weather.t_out_c) * 200 * people * (1 + 0.1 * make_noise(bench)))
           * (1 + (double)sink_idx / SINKS);
}

/** Take in one slot of one sink. */
static void observe(struct bench *bench, size_t sink_idx, int64_t slot, double heat_w)
{
    struct hs_weather weather = make_weather(slot);

    hs_forecast_observe_weather(bench->sinks[sink_idx], FIRST_AT_S + slot * SLOT_S, &weather);
    hs_forecast_observe(bench->sinks[sink_idx], FIRST_AT_S + slot * SLOT_S, heat_w);
}

/** Every six hours the weather service issues anew. */
static void tell(struct bench *bench, size_t sink_idx, int64_t slot)
{
    if (slot % (6 * SLOTS_PER_HOUR) != 0) {
        return;
    }
    bench->outlook.issued_at_s = bench->outlook.from_at_s = FIRST_AT_S + slot * SLOT_S;
    bench->outlook.n_hours = 120;
    for (size_t i = 0; i < bench->outlook.n_hours; i++) {
        bench->outlook.hours[i] = make_weather(slot + (int64_t)i * SLOTS_PER_HOUR);
    }
    hs_forecast_set_outlook(bench->sinks[sink_idx], &bench->outlook);
}

static json_t *begin_line(const struct bench *bench, const char *op)
{
    json_t *line = hs_jsonx_object();

    hs_jsonx_set_text(line, "bench", "forecast");
    hs_jsonx_set_text(line, "op", op);
    hs_jsonx_set_text(line, "model", bench->model);
    hs_jsonx_set_int(line, "slot_s", SLOT_S);
    return line;
}

/** @param line taken */
static void end_line(json_t *line)
{
    HS_AUTO_MEM char *text = NULL;

    hs_jsonx_set_text(line, "data", "synthetic");
    text = hs_jsonx_format(line);
    puts(text);
    fflush(stdout);
    json_decref(line);
}

static void bench_refresh(struct bench *bench)
{
    double ms[ROUNDS];
    struct hs_forecast_slot slots[SLOTS];
    json_t *line = begin_line(bench, "refresh");
    int64_t first = DAYS * SLOTS_PER_DAY;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t slot = first + (int64_t)round * SLOTS_PER_HOUR;
        double from_mono_s;

        for (size_t k = 0; k < SINKS; k++) {
            tell(bench, k, slot);
            for (int64_t i = slot; i < slot + SLOTS_PER_HOUR; i++) {
                observe(bench, k, i, make_heat_w(bench, i, k));
            }
        }
        from_mono_s = hs_clock_mono_s(bench->clock);
        for (size_t k = 0; k < SINKS; k++) {
            hs_forecast_predict(bench->sinks[k], FIRST_AT_S + (slot + SLOTS_PER_HOUR) * SLOT_S,
                                SLOTS, slots);
        }
        ms[round] = (hs_clock_mono_s(bench->clock) - from_mono_s) * 1e3;
    }
    hs_reals_sort(ms, ROUNDS);
    hs_jsonx_set_int(line, "sinks", SINKS);
    hs_jsonx_set_int(line, "slots", SLOTS);
    hs_jsonx_set_real(line, "ms_p50", ms[ROUNDS / 2]);
    hs_jsonx_set_real(line, "ms_max", ms[ROUNDS - 1]);
    end_line(line);
}

static void bench_absorb(struct bench *bench, const char *op, bool is_asked)
{
    HS_AUTO_MEM double *us = hs_xcalloc(READINGS, sizeof(*us));
    struct hs_forecast_slot slots[SLOTS];
    json_t *line = begin_line(bench, op);
    int64_t first = DAYS * SLOTS_PER_DAY + ROUNDS * SLOTS_PER_HOUR;
    double sum_us = 0;

    size_t k = is_asked ? 0 : 1;

    for (int64_t i = 0; i < READINGS; i++) {
        double heat_w = make_heat_w(bench, first + i, k);
        double from_mono_s;

        tell(bench, k, first + i);
        if (is_asked) {
            hs_forecast_predict(bench->sinks[k], FIRST_AT_S + (first + i) * SLOT_S, SLOTS, slots);
        }
        from_mono_s = hs_clock_mono_s(bench->clock);
        observe(bench, k, first + i, heat_w);
        us[i] = (hs_clock_mono_s(bench->clock) - from_mono_s) * 1e6;
        sum_us += us[i];
    }
    hs_reals_sort(us, READINGS);
    hs_jsonx_set_int(line, "readings", READINGS);
    hs_jsonx_set_real(line, "us_mean", sum_us / READINGS);
    hs_jsonx_set_real(line, "us_p50", us[READINGS / 2]);
    hs_jsonx_set_real(line, "us_p99", us[READINGS * 99 / 100]);
    end_line(line);
}

int main(int argc, char **argv)
{
    struct hs_forecast_setup setup = {.slot_s = SLOT_S};
    struct bench bench = {.clock = hs_clock_new_real(), .state = 7};

    bench.model = argc > 1 ? argv[1] : "mixer";
    if (argc < 2 && hs_forecast_find_model(bench.model) == NULL) {
        bench.model = "yesterday";
    }
    if (hs_forecast_find_model(bench.model) == NULL) {
        fprintf(stderr, "bench_forecast: no model '%s'\n", bench.model);
        return 2;
    }
    for (size_t k = 0; k < SINKS; k++) {
        bench.sinks[k] = hs_forecast_new(bench.model, &setup);
        for (int64_t slot = 0; slot < DAYS * SLOTS_PER_DAY; slot++) {
            tell(&bench, k, slot);
            observe(&bench, k, slot, make_heat_w(&bench, slot, k));
        }
    }
    bench_refresh(&bench);
    bench_absorb(&bench, "absorb", true);
    bench_absorb(&bench, "absorb_unasked", false);
    for (size_t k = 0; k < SINKS; k++) {
        hs_forecast_free(bench.sinks[k]);
    }
    hs_clock_free(bench.clock);
    return 0;
}
