/* SPDX-License-Identifier: Apache-2.0 */
/* clock - real, accelerated and virtual time behind one face. */
#include "scheduler/base/clock.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "scheduler/base/mem.h"

enum clock_kind { CLOCK_KIND_REAL, CLOCK_KIND_ACCELERATED, CLOCK_KIND_VIRTUAL };

struct hs_clock {
    enum clock_kind kind;
    double origin_at_s;   /* plan time at origin_mono_s */
    double origin_mono_s; /* CLOCK_BOOTTIME when the clock was made */
    double speed;         /* plan seconds per real second */
    double virtual_at_s;
};

static double read_system_s(clockid_t id)
{
    struct timespec ts;

    (void)clock_gettime(id, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

struct hs_clock *hs_clock_new_real(void)
{
    struct hs_clock *clock = hs_xcalloc(1, sizeof(*clock));

    clock->kind = CLOCK_KIND_REAL;
    clock->speed = 1.0;
    return clock;
}

struct hs_clock *hs_clock_new_accelerated(int64_t origin_at_s, double speed)
{
    struct hs_clock *clock = hs_xcalloc(1, sizeof(*clock));

    assert(speed > 0);
    clock->kind = CLOCK_KIND_ACCELERATED;
    clock->origin_at_s = (double)origin_at_s;
    clock->origin_mono_s = read_system_s(CLOCK_BOOTTIME);
    clock->speed = speed;
    return clock;
}

struct hs_clock *hs_clock_new_steady(double at_s)
{
    struct hs_clock *clock = hs_clock_new_accelerated(0, 1.0);

    clock->origin_at_s = at_s;
    return clock;
}

void hs_clock_slew(struct hs_clock *clock, double by_s)
{
    assert(clock->kind == CLOCK_KIND_ACCELERATED);
    clock->origin_at_s += by_s;
}

void hs_clock_read_boot(char *ret_boot_id)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    ret_boot_id[0] = '\0';
    if (file != NULL && fscanf(file, "%39s", ret_boot_id) != 1) {
        ret_boot_id[0] = '\0';
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

struct hs_clock *hs_clock_new_virtual(int64_t at_s)
{
    struct hs_clock *clock = hs_xcalloc(1, sizeof(*clock));

    clock->kind = CLOCK_KIND_VIRTUAL;
    clock->speed = 1.0;
    clock->virtual_at_s = (double)at_s;
    return clock;
}

double hs_clock_at_exact_s(const struct hs_clock *clock)
{
    switch (clock->kind) {
    case CLOCK_KIND_REAL:
        return read_system_s(CLOCK_REALTIME);
    case CLOCK_KIND_ACCELERATED:
        return clock->origin_at_s
               + (read_system_s(CLOCK_BOOTTIME) - clock->origin_mono_s) * clock->speed;
    case CLOCK_KIND_VIRTUAL:
        break;
    }
    return clock->virtual_at_s;
}

int64_t hs_clock_at_s(const struct hs_clock *clock)
{
    return (int64_t)floor(hs_clock_at_exact_s(clock));
}

double hs_clock_mono_s(const struct hs_clock *clock)
{
    return clock->kind == CLOCK_KIND_VIRTUAL ? clock->virtual_at_s : read_system_s(CLOCK_BOOTTIME);
}

double hs_clock_get_speed(const struct hs_clock *clock)
{
    return clock->speed;
}

double hs_clock_real_until_s(const struct hs_clock *clock, double at_s)
{
    double left_s = at_s - hs_clock_at_exact_s(clock);

    return left_s > 0 ? left_s / clock->speed : 0.0;
}

void hs_clock_set(struct hs_clock *clock, double at_s)
{
    assert(clock->kind == CLOCK_KIND_VIRTUAL);
    if (at_s > clock->virtual_at_s) {
        clock->virtual_at_s = at_s;
    }
}

void hs_clock_free(struct hs_clock *clock)
{
    free(clock);
}
