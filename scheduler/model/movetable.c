/* SPDX-License-Identifier: Apache-2.0 */
/* movetable - see movetable.h. */
#include "scheduler/model/movetable.h"

#include <stddef.h>

/* [source][destination] */
static const enum hs_move_verdict verdicts[5][5] = {
    /* a source that is silent may run still: its copy is not resumed */
    [HS_MOVE_SILENT] = {HS_MOVE_WAIT, HS_MOVE_WAIT, HS_MOVE_WAIT, HS_MOVE_WAIT, HS_MOVE_WAIT},
    [HS_MOVE_NONE] = {HS_MOVE_WAIT, HS_MOVE_LOST, HS_MOVE_RESUME, HS_MOVE_ARRIVED, HS_MOVE_WAIT},
    /* what is paused at the source was so before, or the hypervisor took the move back */
    [HS_MOVE_PAUSED] = {HS_MOVE_STAYS, HS_MOVE_STAYS, HS_MOVE_CLEAR, HS_MOVE_ALARM, HS_MOVE_WAIT},
    [HS_MOVE_RUNNING] = {HS_MOVE_STAYS, HS_MOVE_STAYS, HS_MOVE_CLEAR, HS_MOVE_ALARM, HS_MOVE_WAIT},
    [HS_MOVE_UNCLEAR] = {HS_MOVE_WAIT, HS_MOVE_WAIT, HS_MOVE_WAIT, HS_MOVE_WAIT, HS_MOVE_WAIT},
};

enum hs_move_verdict hs_movetable_find(enum hs_move_side source, enum hs_move_side destination,
                                       bool is_to_run)
{
    enum hs_move_verdict verdict = verdicts[source][destination];

    return verdict == HS_MOVE_RESUME && !is_to_run ? HS_MOVE_ARRIVED : verdict;
}

enum hs_move_side hs_movetable_get_side(const struct hs_machine *machine)
{
    if (machine == NULL || machine->state == HS_MACHINE_SHUT_OFF) {
        return HS_MOVE_NONE;
    }
    switch (machine->state) {
    case HS_MACHINE_RUNNING:
        return HS_MOVE_RUNNING;
    case HS_MACHINE_PAUSED:
        return HS_MOVE_PAUSED;
    default:
        return HS_MOVE_UNCLEAR;
    }
}
