/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/plant/registers.h"
#include "tests/support/near.h"

static struct hs_pointmap_register make(enum hs_pointmap_type type, enum hs_pointmap_order order)
{
    return (struct hs_pointmap_register){.type = type, .order = order, .scale = 1};
}

static void registers_decode__knows_all_four_word_orders(void **state)
{
    /* 45.5 is 42 36 00 00; 0x12345678 is 305419896 */
    static const uint16_t floats[][2] = {
        {0x4236, 0x0000}, {0x0000, 0x4236}, {0x3642, 0x0000}, {0x0000, 0x3642}};
    static const uint16_t ints[][2] = {
        {0x1234, 0x5678}, {0x5678, 0x1234}, {0x3412, 0x7856}, {0x7856, 0x3412}};

    for (int order = 0; order < HS_POINTMAP_ORDER_COUNT_; order++) {
        assert_near(hs_registers_decode_raw(floats[order], HS_POINTMAP_FLOAT32,
                                            (enum hs_pointmap_order)order),
                    45.5, 0);
        assert_near(
            hs_registers_decode_raw(ints[order], HS_POINTMAP_UINT32, (enum hs_pointmap_order)order),
            305419896.0, 0);
    }
}

static void registers_decode__signs_reach_the_top_bit(void **state)
{
    static const uint16_t ones[4] = {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF};
    static const uint16_t least[4] = {0x8000, 0, 0, 0};

    assert_near(hs_registers_decode_raw(ones, HS_POINTMAP_INT16, HS_POINTMAP_ABCD), -1, 0);
    assert_near(hs_registers_decode_raw(ones, HS_POINTMAP_INT32, HS_POINTMAP_ABCD), -1, 0);
    assert_near(hs_registers_decode_raw(ones, HS_POINTMAP_INT64, HS_POINTMAP_ABCD), -1, 0);
    assert_near(hs_registers_decode_raw(ones, HS_POINTMAP_UINT16, HS_POINTMAP_ABCD), 65535, 0);
    assert_near(hs_registers_decode_raw(ones, HS_POINTMAP_UINT32, HS_POINTMAP_ABCD), 4294967295.0,
                0);
    assert_near(hs_registers_decode_raw(least, HS_POINTMAP_INT16, HS_POINTMAP_ABCD), -32768, 0);
    assert_near(hs_registers_decode_raw(least, HS_POINTMAP_INT64, HS_POINTMAP_ABCD),
                -9223372036854775808.0, 0);
    assert_near(hs_registers_decode_raw(ones, HS_POINTMAP_BOOL, HS_POINTMAP_ABCD), 1, 0);
}

static void registers_decode__sentinel_and_nan_are_unknown_not_zero(void **state)
{
    static const uint16_t full = 0xFFFF;
    static const uint16_t nan_words[2] = {0x7FC0, 0};
    static const uint16_t infinite[2] = {0x7F80, 0};
    struct hs_pointmap_register reg = make(HS_POINTMAP_UINT16, HS_POINTMAP_ABCD);

    assert_near(hs_registers_decode(&reg, &full), 65535, 0);
    reg.sentinels[0] = 65535;
    reg.n_sentinels = 1;
    reg.scale = 0.1; /* the sentinel is of the number before scale */
    assert_true(isnan(hs_registers_decode(&reg, &full)));
    reg = make(HS_POINTMAP_FLOAT32, HS_POINTMAP_ABCD);
    assert_true(isnan(hs_registers_decode(&reg, nan_words)));
    assert_true(isnan(hs_registers_decode(&reg, infinite)));
}

static void registers_encode__turns_back_what_decode_reads(void **state)
{
    static const double values[] = {0, 1, 45.5, 127, 255, 12345};

    for (int type = HS_POINTMAP_INT16; type <= HS_POINTMAP_FLOAT64; type++) {
        for (int order = 0; order < HS_POINTMAP_ORDER_COUNT_; order++) {
            struct hs_pointmap_register reg =
                make((enum hs_pointmap_type)type, (enum hs_pointmap_order)order);

            reg.scale = 0.5;
            reg.offset = -10;
            for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                uint16_t words[HS_REGISTERS_WIDTH_MAX];

                assert_int_equal(hs_registers_encode(&reg, values[i], words, NULL), 0);
                assert_near(hs_registers_decode(&reg, words), values[i], 1e-9);
            }
        }
    }
}

static void registers_encode__refuses_what_does_not_fit(void **state)
{
    struct hs_pointmap_register reg = make(HS_POINTMAP_INT16, HS_POINTMAP_ABCD);
    uint16_t words[HS_REGISTERS_WIDTH_MAX];

    assert_int_equal(hs_registers_encode(&reg, 32768, words, NULL), -HS_E_INVALID);
    assert_int_equal(hs_registers_encode(&reg, -32768, words, NULL), 0);
    assert_int_equal(words[0], 0x8000);
    assert_int_equal(hs_registers_encode(&reg, NAN, words, NULL), -HS_E_INVALID);
    assert_int_equal(hs_registers_encode(&reg, INFINITY, words, NULL), -HS_E_INVALID);
    reg.type = HS_POINTMAP_UINT64;
    assert_int_equal(hs_registers_encode(&reg, -1, words, NULL), -HS_E_INVALID);
    assert_int_equal(hs_registers_encode(&reg, 18446744073709551616.0, words, NULL), -HS_E_INVALID);
    reg.type = HS_POINTMAP_FLOAT32;
    assert_int_equal(hs_registers_encode(&reg, 1e39, words, NULL), -HS_E_INVALID);
    reg.type = HS_POINTMAP_INT16;
    reg.sentinels[0] = -32768;
    reg.n_sentinels = 1;
    assert_int_equal(hs_registers_encode(&reg, NAN, words, NULL), 0); /* by its sentinel */
}

static void registers_resolve__takes_the_base_away(void **state)
{
    const struct hs_registers_defaults defaults = {.unit = 7, .base = 1, .order = HS_POINTMAP_DCBA};
    struct hs_pointmap_register reg = {.address = 1, .base = -1, .unit = -1, .order = -1};

    reg = hs_registers_resolve(&reg, &defaults);
    assert_int_equal(reg.address, 0);
    assert_int_equal(reg.unit, 7);
    assert_int_equal(reg.order, HS_POINTMAP_DCBA);
    reg = (struct hs_pointmap_register){.address = 1, .base = 0, .unit = 0, .order = 0};
    reg = hs_registers_resolve(&reg, &defaults);
    assert_int_equal(reg.address, 1);
    assert_int_equal(reg.unit, 0);
    assert_int_equal(reg.order, HS_POINTMAP_ABCD);
}

static void registers_group__near_ones_share_a_read(void **state)
{
    const struct hs_pointmap_register regs[] = {
        {.address = 110, .type = HS_POINTMAP_UINT16},
        {.address = 100, .type = HS_POINTMAP_FLOAT64}, /* to 103 */
        {.address = 300, .type = HS_POINTMAP_UINT16},
        {.address = 101, .type = HS_POINTMAP_UINT16}, /* inside another */
        {.address = 104, .type = HS_POINTMAP_UINT16, .table = HS_POINTMAP_INPUT},
        {.address = 105, .type = HS_POINTMAP_UINT16, .unit = 2},
    };
    const size_t n = sizeof(regs) / sizeof(regs[0]);
    struct hs_registers_block blocks[6];
    size_t idx[6];

    assert_int_equal(hs_registers_group(regs, n, 6, blocks, idx), 4);
    assert_int_equal(idx[0], idx[1]);
    assert_int_equal(idx[3], idx[1]);
    assert_int_equal(blocks[idx[0]].first, 100);
    assert_int_equal(blocks[idx[0]].count, 11);
    assert_int_equal(blocks[idx[2]].count, 1);
    assert_int_equal(blocks[idx[5]].unit, 2);
    assert_int_equal(hs_registers_group(regs, n, 5, blocks, idx), 5); /* 104 to 109 is 6 */
    assert_int_equal(hs_registers_group(regs, 0, 5, blocks, idx), 0);
}

static void registers_group__no_read_is_longer_than_the_protocol_has_it(void **state)
{
    struct hs_pointmap_register regs[100];
    struct hs_registers_block blocks[100];
    size_t idx[100];
    size_t n;

    for (int i = 0; i < 100; i++) {
        regs[i] = (struct hs_pointmap_register){.address = 4 * i, .type = HS_POINTMAP_INT64};
    }
    n = hs_registers_group(regs, 100, 0, blocks, idx);
    assert_int_equal(n, 4); /* 31 of 4 in 125 */
    for (size_t i = 0; i < n; i++) {
        assert_in_range(blocks[i].count, 4, HS_REGISTERS_READ_MAX);
    }
    for (int i = 0; i < 100; i++) {
        assert_true(regs[i].address >= blocks[idx[i]].first);
        assert_true(regs[i].address + 4 <= blocks[idx[i]].first + blocks[idx[i]].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_decode__knows_all_four_word_orders),
        cmocka_unit_test(registers_decode__signs_reach_the_top_bit),
        cmocka_unit_test(registers_decode__sentinel_and_nan_are_unknown_not_zero),
        cmocka_unit_test(registers_encode__turns_back_what_decode_reads),
        cmocka_unit_test(registers_encode__refuses_what_does_not_fit),
        cmocka_unit_test(registers_resolve__takes_the_base_away),
        cmocka_unit_test(registers_group__near_ones_share_a_read),
        cmocka_unit_test(registers_group__no_read_is_longer_than_the_protocol_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
