/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/heap.h"

#define N 200

struct item {
    int key;
    int no;
};

static bool comes_before(const struct item *a, const struct item *b)
{
    return a->key < b->key || (a->key == b->key && a->no < b->no);
}

static int random_key(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (int)(*state >> 60); /* few keys, many ties */
}

static void heap__gives_the_first_first_however_it_was_filled(void **state)
{
    HS_VEC(struct item) vec = {0};
    uint64_t seed = 7;

    (void)state;
    for (int i = 0; i < N; i++) {
        struct item item = {random_key(&seed), i};

        HS_HEAP_PUSH(&vec, item, comes_before);
    }
    struct item last = HS_HEAP_TAKE(vec.items, &vec.n, comes_before);

    while (vec.n > 0) {
        struct item next = HS_HEAP_TAKE(vec.items, &vec.n, comes_before);

        assert_true(comes_before(&last, &next));
        last = next;
    }
    HS_VEC_FINI(&vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap__gives_the_first_first_however_it_was_filled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
