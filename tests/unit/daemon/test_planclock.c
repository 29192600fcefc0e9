/* SPDX-License-Identifier: Apache-2.0 */
/* Plan time over restarts: by the clock of this boot, else by the wall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/daemon/planclock.h"
#include "tests/support/near.h"

#define TOLERANCE_S 2.0

/** A mark that was made 100 s ago; the wall clock has been set by two days since. */
static struct hs_planclock_mark make_mark(double speed)
{
    HS_AUTO(hs_clock) wall = hs_clock_new_real();
    struct hs_planclock_mark mark = {.origin_at_s = 5000.0,
                                     .wall_at_s = hs_clock_at_exact_s(wall) - 100.0 - 172800.0,
                                     .mono_s = hs_clock_mono_s(wall) - 100.0,
                                     .speed = speed};

    hs_clock_read_boot(mark.boot_id);
    return mark;
}

static double get_at_s(const struct hs_planclock_options *options,
                       const struct hs_planclock_mark *mark)
{
    HS_AUTO(hs_planclock) planclock = hs_planclock_new(options, mark);

    return hs_clock_at_exact_s(hs_planclock_get(planclock));
}

static double get_wall_s(void)
{
    HS_AUTO(hs_clock) wall = hs_clock_new_real();

    return hs_clock_at_exact_s(wall);
}

static void planclock__goes_on_by_the_clock_of_this_boot(void **state)
{
    const struct hs_planclock_options plain = {.speed = 1.0, .start = ""};
    const struct hs_planclock_options fast = {.speed = 60.0, .start = ""};
    struct hs_planclock_mark mark = make_mark(1.0);

    assert_near(get_at_s(&plain, &mark), 5100.0, TOLERANCE_S);
    mark = make_mark(60.0);
    assert_near(get_at_s(&fast, &mark), 5000.0 + 60.0 * 100.0, 60.0 * TOLERANCE_S);
}

static void planclock__begins_as_the_wall_clock_after_another_boot(void **state)
{
    const struct hs_planclock_options plain = {.speed = 1.0, .start = ""};
    struct hs_planclock_mark mark = make_mark(1.0);

    (void)snprintf(mark.boot_id, sizeof(mark.boot_id), "another");
    assert_near(get_at_s(&plain, &mark), get_wall_s(), TOLERANCE_S);
}

static void planclock__takes_the_wall_clock_when_told_to(void **state)
{
    const struct hs_planclock_options told = {.speed = 1.0, .start = "", .takes_wall = true};
    struct hs_planclock_mark mark = make_mark(1.0);

    assert_near(get_at_s(&told, &mark), get_wall_s(), TOLERANCE_S);
}

static void planclock__says_how_far_off_a_wall_clock_is_that_it_does_not_follow(void **state)
{
    const struct hs_planclock_options plain = {.speed = 1.0, .start = ""};
    struct hs_planclock_mark mark = make_mark(1.0);

    mark.origin_at_s = get_wall_s() - 100.0 - 172800.0;
    HS_AUTO(hs_planclock) off = hs_planclock_new(&plain, &mark);
    assert_near(hs_planclock_get_off_s(off), 172800.0, TOLERANCE_S);
    mark.origin_at_s += 172800.0 - 30.0; /* a little off is followed slowly, and not spoken of */
    HS_AUTO(hs_planclock) near = hs_planclock_new(&plain, &mark);
    assert_near(hs_planclock_get_off_s(near), 0.0, 0.0);
    assert_near(hs_clock_at_exact_s(hs_planclock_get(near)), get_wall_s() - 30.0, TOLERANCE_S);
}

static void planclock__reads_what_it_wrote(void **state)
{
    const struct hs_planclock_options plain = {.speed = 1.0, .start = "now"};
    const struct hs_planclock_mark none = {0};
    HS_AUTO(hs_planclock) planclock = hs_planclock_new(&plain, &none);
    HS_AUTO_MEM char *text = hs_planclock_format(planclock);
    struct hs_planclock_mark mark = {0};

    assert_true(hs_planclock_parse(text, &mark));
    assert_near(mark.origin_at_s, get_wall_s(), TOLERANCE_S);
    assert_string_equal(mark.start, "now");
    assert_int_not_equal(mark.boot_id[0], '\0');
    assert_false(hs_planclock_parse("no", &mark));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planclock__goes_on_by_the_clock_of_this_boot),
        cmocka_unit_test(planclock__begins_as_the_wall_clock_after_another_boot),
        cmocka_unit_test(planclock__takes_the_wall_clock_when_told_to),
        cmocka_unit_test(planclock__says_how_far_off_a_wall_clock_is_that_it_does_not_follow),
        cmocka_unit_test(planclock__reads_what_it_wrote),
    };

    return cmocka_run_group_tests_name("planclock", tests, NULL, NULL);
}
