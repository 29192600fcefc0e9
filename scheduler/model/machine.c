/* SPDX-License-Identifier: Apache-2.0 */
/* machine - words of its states. */
#include "scheduler/model/machine.h"

const char *hs_machine_state_word(enum hs_machine_state state)
{
    static const char *const words[] = {
        [HS_MACHINE_RUNNING] = "running",   [HS_MACHINE_PAUSED] = "paused",
        [HS_MACHINE_SHUT_OFF] = "shut-off", [HS_MACHINE_CRASHED] = "crashed",
        [HS_MACHINE_UNKNOWN] = "unknown",
    };

    return (size_t)state < sizeof(words) / sizeof(words[0]) ? words[state] : "unknown";
}
