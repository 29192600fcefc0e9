/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back from a store is checked: of another build, damaged, with bits turned over. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forecast/forecast_priv.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/packtext.h"

#define HOUR_S   3600
#define FROM_NO  INT64_C(480000)
#define FED_H    240
#define AHEAD_H  72
#define N_TRIALS 24

static const struct hs_forecast_setup setup = {.slot_s = HOUR_S};

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static void feed(struct hs_forecast *forecast, int64_t from_no, int64_t n)
{
    for (int64_t no = from_no; no < from_no + n; no++) {
        struct hs_weather weather = {(double)(no % 24) - 5, (double)(no % 24) * 10, 3};

        hs_forecast_observe_weather(forecast, no * HOUR_S, &weather);
        hs_forecast_observe(forecast, no * HOUR_S, 5000 + 100 * (double)(no % 31));
    }
}

static struct hs_forecast *new_fed(const char *model)
{
    struct hs_forecast *forecast = hs_forecast_new(model, &setup);
    struct hs_outlook outlook = {.issued_at_s = (FROM_NO + FED_H) * HOUR_S,
                                 .from_at_s = (FROM_NO + FED_H) * HOUR_S,
                                 .n_hours = 60};

    for (size_t i = 0; i < outlook.n_hours; i++) {
        outlook.hours[i] = (struct hs_weather){1, 2, 3};
    }
    feed(forecast, FROM_NO, FED_H);
    hs_forecast_set_outlook(forecast, &outlook);
    return forecast;
}

static void set_bytes(json_t *saved, const char *key, const void *bytes, size_t n)
{
    HS_AUTO_MEM char *text = hs_packtext_format(bytes, n);

    hs_jsonx_set_text(saved, key, text);
}

/* All that can be asked of a forecast, and hours that come. */
static void use(struct hs_forecast *forecast, const char *name)
{
    struct hs_forecast_slot slots[AHEAD_H];
    struct hs_forecast_accuracy blocks[HS_FORECAST_N_BLOCKS];
    struct hs_forecast_how how;
    struct hs_physics physics;
    struct hs_outlook outlook;
    json_auto_t *saved = NULL;

    for (int64_t day = 0; day < 2; day++) {
        int64_t no = FROM_NO + FED_H + day * 24;

        hs_forecast_predict(forecast, no * HOUR_S, AHEAD_H, slots);
        for (size_t i = 0; i < AHEAD_H; i++) {
            if (!(slots[i].p10_w >= 0 && slots[i].p10_w <= slots[i].p50_w
                  && slots[i].p50_w <= slots[i].p90_w && isfinite(slots[i].p90_w))) {
                fail_msg("%s: %g %g %g", name, slots[i].p10_w, slots[i].p50_w, slots[i].p90_w);
            }
        }
        feed(forecast, no, 24);
    }
    hs_forecast_get_how(forecast, &how);
    hs_forecast_get_accuracy(forecast, blocks);
    hs_forecast_get_physics(forecast, &physics);
    hs_forecast_get_outlook(forecast, &outlook);
    saved = hs_forecast_save(forecast);
}

static void keep__of_another_layout_is_refused(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_fed("mixer");
    json_auto_t *saved = hs_forecast_save(forecast);
    struct hs_err err = {0};

    (void)state;
    assert_int_equal(hs_forecast_restore(forecast, saved, &err), 0);
    /* a model of the mixer has grown: the mixer itself is as long as before */
    hs_jsonx_set_text(saved, "layout", "history 1 judge 2 regression 3");
    assert_int_equal(hs_forecast_restore(forecast, saved, &err), -HS_E_INVALID);
    assert_string_equal(err.text, "is of another build of hsched");
}

static void keep__hours_and_sizes_that_cannot_be_are_refused(void **state)
{
    HS_AUTO(hs_forecast) forecast = new_fed("yesterday");
    json_auto_t *saved = hs_forecast_save(forecast);
    struct hs_err err = {0};

    (void)state;
    for (int i = 0; i < 12; i++) {
        HS_AUTO_MEM struct hs_forecast_state *frame = hs_xcalloc(1, sizeof(*frame));

        *frame = forecast->state;
        switch (i) {
        case 0:
            frame->open_no = -7;
            break;
        case 1:
            frame->open_no = INT64_MAX / 2;
            break;
        case 2:
            frame->history.newest_no = -3;
            break;
        case 3:
            frame->history.newest_no -= 1;
            break;
        case 4:
            frame->history.first_no = -2;
            break;
        case 5:
            frame->outlook.n_hours = HS_OUTLOOK_HOURS + 1;
            break;
        case 6:
            frame->outlook.from_at_s = INT64_MIN;
            break;
        case 7:
            frame->bias.newest_no = INT64_MIN;
            break;
        case 8:
            frame->history.heat_w[3] = INFINITY;
            break;
        case 9:
            frame->judge.scale_w[1] = -1;
            break;
        case 10:
            frame->shape.n_open = 1e9;
            break;
        default:
            frame->judge.days[0][0].n = (double)NAN;
            break;
        }
        set_bytes(saved, "frame", frame, sizeof(*frame));
        if (hs_forecast_restore(forecast, saved, &err) != -HS_E_INVALID) {
            fail_msg("case %d was taken", i);
        }
    }
    use(forecast, "yesterday");
}

static void keep__turned_bits_do_no_harm(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (size_t m = 0; hs_forecast_get_model(m) != NULL; m++) {
        const struct hs_heatmodel *model = hs_forecast_get_model(m);
        HS_AUTO(hs_forecast) whole = new_fed(model->name);
        json_auto_t *saved = hs_forecast_save(whole);
        HS_AUTO_MEM unsigned char *bytes = hs_xcalloc(1, model->state_bytes + 1);
        HS_AUTO_MEM unsigned char *frame = hs_xcalloc(1, sizeof(whole->state));

        for (int trial = 0; trial < N_TRIALS; trial++) {
            HS_AUTO(hs_forecast) forecast = hs_forecast_new(model->name, &setup);

            memcpy(bytes, whole->model_state, model->state_bytes);
            memcpy(frame, &whole->state, sizeof(whole->state));
            for (int k = 0; k < 1 << trial % 8; k++) {
                if (model->state_bytes > 0) {
                    bytes[draw(&seed) % model->state_bytes] ^=
                        (unsigned char)(1 << draw(&seed) % 8);
                }
                if (trial % 3 == 0) {
                    frame[draw(&seed) % sizeof(whole->state)] ^=
                        (unsigned char)(1 << draw(&seed) % 8);
                }
            }
            set_bytes(saved, "state", bytes, model->state_bytes);
            set_bytes(saved, "frame", frame, sizeof(whole->state));
            (void)hs_forecast_restore(forecast, saved, NULL);
            use(forecast, model->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep__of_another_layout_is_refused),
        cmocka_unit_test(keep__hours_and_sizes_that_cannot_be_are_refused),
        cmocka_unit_test(keep__turned_bits_do_no_harm),
    };

    return cmocka_run_group_tests_name("forecast_keep", tests, NULL, NULL);
}
