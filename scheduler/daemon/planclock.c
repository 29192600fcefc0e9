/* SPDX-License-Identifier: Apache-2.0 */
/* planclock - see planclock.h. */
#include "scheduler/daemon/planclock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"

struct hs_planclock {
    struct hs_clock *clock;
    struct hs_clock *wall;
    char *start; /* owned */
    bool follows;
    double followed_mono_s;
    double off_s;
};

/** Plan time went on while nobody ran, as machines did. @return 0 if the mark is of no use */
static double go_on(const struct hs_planclock_options *options,
                    const struct hs_planclock_mark *mark, const struct hs_clock *wall)
{
    bool is_wall = options->start_at_s == 0 && options->speed == 1.0;
    double gone_s = hs_clock_at_exact_s(wall) - mark->wall_at_s;
    char boot_id[40];

    hs_clock_read_boot(boot_id);
    if (mark->origin_at_s == 0 || mark->speed != options->speed
        || strcmp(mark->start, options->start) != 0 || (is_wall && options->takes_wall)) {
        return 0;
    }
    if (boot_id[0] != '\0' && strcmp(boot_id, mark->boot_id) == 0) {
        gone_s = hs_clock_mono_s(wall) - mark->mono_s;
    } else if (is_wall) {
        return 0; /* nothing else tells how long it was off */
    }
    return gone_s >= 0 ? mark->origin_at_s + gone_s * options->speed : 0;
}

struct hs_planclock *hs_planclock_new(const struct hs_planclock_options *options,
                                      const struct hs_planclock_mark *mark)
{
    struct hs_planclock *planclock = hs_xcalloc(1, sizeof(*planclock));
    double at_s;

    planclock->wall = hs_clock_new_real();
    planclock->start = hs_xstrdup(options->start);
    planclock->follows = options->start_at_s == 0 && options->speed == 1.0;
    at_s = go_on(options, mark, planclock->wall);
    if (planclock->follows) {
        planclock->clock =
            hs_clock_new_steady(at_s != 0 ? at_s : hs_clock_at_exact_s(planclock->wall));
    } else {
        double first_at_s = options->start_at_s != 0 ? (double)options->start_at_s
                                                     : hs_clock_at_exact_s(planclock->wall);

        /* Rounded up: plan time never goes back, not by a second of it. */
        planclock->clock = hs_clock_new_accelerated(
            (int64_t)ceil(at_s != 0 ? at_s : floor(first_at_s)), options->speed);
    }
    planclock->followed_mono_s = hs_clock_mono_s(planclock->clock);
    hs_planclock_follow(planclock);
    return planclock;
}

struct hs_clock *hs_planclock_get(struct hs_planclock *planclock)
{
    return planclock->clock;
}

static void tell(const struct hs_planclock *planclock, double before_s)
{
    bool was_off = before_s != 0;

    if (planclock->off_s != 0 && fabs(planclock->off_s - before_s) > HS_PLANCLOCK_JUMP_S) {
        HS_LOG_WARN("clock",
                    "the wall clock is %.0f s %s plan time: it was set, and is not followed; if it "
                    "is right now, stop hschedd and start it with --take-wall-clock",
                    fabs(planclock->off_s), planclock->off_s > 0 ? "ahead of" : "behind");
    } else if (planclock->off_s == 0 && was_off) {
        HS_LOG_INFO("clock", "the wall clock agrees with plan time again");
    }
}

void hs_planclock_follow(struct hs_planclock *planclock)
{
    double mono_s = hs_clock_mono_s(planclock->clock);
    double most_s = HS_PLANCLOCK_SLEW_RATE * (mono_s - planclock->followed_mono_s);
    double before_s = planclock->off_s;
    double off_s;

    planclock->followed_mono_s = mono_s;
    if (!planclock->follows) {
        return;
    }
    off_s = hs_clock_at_exact_s(planclock->wall) - hs_clock_at_exact_s(planclock->clock);
    planclock->off_s = fabs(off_s) > HS_PLANCLOCK_JUMP_S ? off_s : 0;
    if (planclock->off_s == 0) {
        hs_clock_slew(planclock->clock, fmax(-most_s, fmin(off_s, most_s)));
    }
    tell(planclock, before_s);
}

double hs_planclock_get_off_s(const struct hs_planclock *planclock)
{
    return planclock->off_s;
}

char *hs_planclock_format(const struct hs_planclock *planclock)
{
    json_auto_t *json = hs_jsonx_object();
    char boot_id[40];

    hs_clock_read_boot(boot_id);
    hs_jsonx_set_text(json, "start", planclock->start);
    hs_jsonx_set_real(json, "speed", hs_clock_get_speed(planclock->clock));
    hs_jsonx_set_real(json, "origin_at_s", hs_clock_at_exact_s(planclock->clock));
    hs_jsonx_set_real(json, "wall_at_s", hs_clock_at_exact_s(planclock->wall));
    hs_jsonx_set_real(json, "mono_s", hs_clock_mono_s(planclock->clock));
    hs_jsonx_set_text(json, "boot_id", boot_id);
    return hs_jsonx_format(json);
}

static void take_text(const json_t *json, const char *key, char *ret_text, size_t size)
{
    const char *text = json_string_value(json_object_get(json, key));

    snprintf(ret_text, size, "%s", text != NULL ? text : "");
}

bool hs_planclock_parse(const char *text, struct hs_planclock_mark *ret_mark)
{
    json_auto_t *json = NULL;

    if (hs_jsonx_parse("meta", text, strlen(text), &json, NULL) != 0) {
        return false;
    }
    ret_mark->origin_at_s = json_number_value(json_object_get(json, "origin_at_s"));
    ret_mark->wall_at_s = json_number_value(json_object_get(json, "wall_at_s"));
    ret_mark->mono_s = json_number_value(json_object_get(json, "mono_s"));
    ret_mark->speed = json_number_value(json_object_get(json, "speed"));
    take_text(json, "boot_id", ret_mark->boot_id, sizeof(ret_mark->boot_id));
    take_text(json, "start", ret_mark->start, sizeof(ret_mark->start));
    return true;
}

void hs_planclock_free(struct hs_planclock *planclock)
{
    if (planclock != NULL) {
        hs_clock_free(planclock->clock);
        hs_clock_free(planclock->wall);
        free(planclock->start);
        free(planclock);
    }
}
