/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** reals - what is done to a plain array of numbers. */

#include <stddef.h>

/** Ascending, in place. @param values [n] without NAN; may be NULL if @n is 0 */
void hs_reals_sort(double *values, size_t n);
