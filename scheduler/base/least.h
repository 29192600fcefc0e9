/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * least - the lesser and the greater of two numbers, in loops that have to be fast.
 *
 * fmin() and fmax() mind NAN and cost a call where the compiler may not leave that out. These do
 * not: with a NAN the second number comes out. Pure.
 */

/** The lesser of @a and @b. */
static inline double hs_least(double a, double b)
{
    return a < b ? a : b;
}

/** The greater of @a and @b. */
static inline double hs_most(double a, double b)
{
    return a > b ? a : b;
}
