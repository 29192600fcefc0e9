/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** planvalid_heat - what a loop does with its heat in one slot, for planvalid alone. */

#include "tests/support/planvalid.h"

/**
 * Serve the sinks of loop @l in slot @t, then the tank, reject the rest; adds what that costs.
 *
 * @param span_s     of the slot, as far as it lies ahead
 * @param stored_wh  in the tank, moved on
 */
void planvalid_heat_run(const struct planvalid_case *valid, size_t l, size_t t, double span_s,
                        double captured_wh, double *stored_wh, struct planvalid_report *report);
