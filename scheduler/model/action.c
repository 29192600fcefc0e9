/* SPDX-License-Identifier: Apache-2.0 */
/* action - words of its kinds. */
#include "scheduler/model/action.h"

const char *hs_action_word(enum hs_action_kind kind)
{
    static const char *const words[] = {
        [HS_ACTION_START] = "start",       [HS_ACTION_SUSPEND] = "suspend",
        [HS_ACTION_RESUME] = "resume",     [HS_ACTION_SHUTDOWN] = "shutdown",
        [HS_ACTION_DESTROY] = "destroy",   [HS_ACTION_MOVE] = "move",
        [HS_ACTION_THROTTLE] = "throttle",
    };

    return (size_t)kind < sizeof(words) / sizeof(words[0]) ? words[kind] : "unknown";
}
