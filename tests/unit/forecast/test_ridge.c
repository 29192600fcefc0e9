/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forecast/ridge.h"
#include "tests/support/near.h"

#define N      3
#define N_ROWS 40

/* A row of numbers without a pattern, with zeros among them. */
static void make_row(size_t i, double *ret_x)
{
    ret_x[0] = 1.0;
    ret_x[1] = sin(1.7 * (double)i);
    ret_x[2] = i % 3 == 0 ? 0.0 : cos(0.9 * (double)i) + 0.2 * (double)i;
}

static double explain(const double *x, const double *coefs)
{
    return coefs[0] * x[0] + coefs[1] * x[1] + coefs[2] * x[2];
}

static double find_det(double m[N][N])
{
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
           - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
           + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

/* (sum w x x' + pull) coefs = sum w x y by Cramer's rule, written out in full. */
static void solve_by_hand(const double *y, const double *weights, const double *pull,
                          double *ret_coefs)
{
    double m[N][N] = {{0}};
    double b[N] = {0};
    double x[N];

    for (size_t i = 0; i < N_ROWS; i++) {
        make_row(i, x);
        for (size_t r = 0; r < N; r++) {
            b[r] += weights[i] * x[r] * y[i];
            for (size_t c = 0; c < N; c++) {
                m[r][c] += weights[i] * x[r] * x[c];
            }
        }
    }
    for (size_t r = 0; r < N; r++) {
        m[r][r] += pull[r];
    }
    for (size_t k = 0; k < N; k++) {
        double swapped[N][N];

        for (size_t r = 0; r < N; r++) {
            for (size_t c = 0; c < N; c++) {
                swapped[r][c] = c == k ? b[r] : m[r][c];
            }
        }
        ret_coefs[k] = find_det(swapped) / find_det(m);
    }
}

static void ridge__solves_what_cramers_rule_solves(void **state)
{
    static const double pull[N] = {0.1, 2.0, 5.0};
    double a[HS_RIDGE_PACKED(N)] = {0};
    double b[N] = {0};
    double work[HS_RIDGE_PACKED(N)];
    double y[N_ROWS];
    double weights[N_ROWS];
    double got[N];
    double want[N];

    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        double x[N];

        make_row(i, x);
        y[i] = 3.0 - 2.0 * x[1] + 0.5 * x[2] + sin(5.0 * (double)i);
        weights[i] = 0.2 + (double)(i % 4);
        hs_ridge_add(N, a, b, x, y[i], weights[i]);
    }
    assert_true(hs_ridge_solve(N, a, b, pull, work, got));
    solve_by_hand(y, weights, pull, want);
    for (size_t k = 0; k < N; k++) {
        assert_near(got[k], want[k], 1e-9);
    }
}

static void ridge__finds_a_rule_exactly_where_it_is_hardly_pulled(void **state)
{
    static const double rule[N] = {4.0, -1.0, 0.25};
    static const double pull[N] = {1e-9, 1e-9, 1e-9};
    double a[HS_RIDGE_PACKED(N)] = {0};
    double b[N] = {0};
    double work[HS_RIDGE_PACKED(N)];
    double got[N];
    double x[N];

    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        make_row(i, x);
        hs_ridge_add(N, a, b, x, explain(x, rule), 1.0);
    }
    assert_true(hs_ridge_solve(N, a, b, pull, work, got));
    for (size_t k = 0; k < N; k++) {
        assert_near(got[k], rule[k], 1e-6);
    }
}

static void ridge__pulls_what_has_no_evidence_to_zero(void **state)
{
    static const double pull[2] = {1.0, 1.0};
    double a[HS_RIDGE_PACKED(2)] = {0};
    double b[2] = {0};
    double work[HS_RIDGE_PACKED(2)];
    double got[2] = {7, 7};
    const double x[2] = {1.0, 0.0};

    (void)state;
    hs_ridge_add(2, a, b, x, 10.0, 3.0);
    assert_true(hs_ridge_solve(2, a, b, pull, work, got));
    assert_near(got[0], 30.0 / 4.0, 1e-12);
    assert_near(got[1], 0.0, 1e-12);
}

static void ridge__forgets_by_what_it_keeps(void **state)
{
    static const double pull[1] = {1e-12};
    const double one[1] = {1.0};
    double a[HS_RIDGE_PACKED(1)] = {0};
    double b[1] = {0};
    double work[HS_RIDGE_PACKED(1)];
    double got[1];

    (void)state;
    /* 100 an hour ago counts a quarter of the 10 of now: (0.25 * 100 + 10) / 1.25 */
    hs_ridge_add(1, a, b, one, 100.0, 1.0);
    hs_ridge_fade(1, a, b, 0.25);
    hs_ridge_add(1, a, b, one, 10.0, 1.0);
    assert_true(hs_ridge_solve(1, a, b, pull, work, got));
    assert_near(got[0], 28.0, 1e-9);
}

static void ridge__refuses_what_cannot_be_solved_and_leaves_the_coefs(void **state)
{
    static const double none[2] = {0.0, 0.0};
    static const double pull[2] = {1.0, 1.0};
    const double x[2] = {1.0, 1.0};
    double a[HS_RIDGE_PACKED(2)] = {0};
    double b[2] = {0};
    double work[HS_RIDGE_PACKED(2)];
    double got[2] = {7, 8};

    (void)state;
    hs_ridge_add(2, a, b, x, 1.0, 1.0);
    assert_false(hs_ridge_solve(2, a, b, none, work, got)); /* singular */
    b[1] = (double)NAN;
    assert_false(hs_ridge_solve(2, a, b, pull, work, got)); /* not finite */
    assert_near(got[0], 7, 0);
    assert_near(got[1], 8, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ridge__solves_what_cramers_rule_solves),
        cmocka_unit_test(ridge__finds_a_rule_exactly_where_it_is_hardly_pulled),
        cmocka_unit_test(ridge__pulls_what_has_no_evidence_to_zero),
        cmocka_unit_test(ridge__forgets_by_what_it_keeps),
        cmocka_unit_test(ridge__refuses_what_cannot_be_solved_and_leaves_the_coefs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
