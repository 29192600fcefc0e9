/* SPDX-License-Identifier: Apache-2.0 */
/* Without shedding: what runs on a loop whose heat nobody takes runs on. */
#include "scheduler/core/cycle_hot.h"

void __wrap_hs_cycle_hot_pick(struct hs_cycle *cycle, size_t loop_idx,
                              hs_cycle_hot_entries *io_entries);

void __wrap_hs_cycle_hot_pick(struct hs_cycle *cycle, size_t loop_idx,
                              hs_cycle_hot_entries *io_entries)
{
}
