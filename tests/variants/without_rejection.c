/* SPDX-License-Identifier: Apache-2.0 */
/* Without asking for rejection: a loop that is full, hot or standing keeps its heat. */
#include "scheduler/core/loopstate.h"

bool __wrap_hs_loopstate_wants_rejection(const struct hs_loopstate *state);

bool __wrap_hs_loopstate_wants_rejection(const struct hs_loopstate *state)
{
    return false;
}
