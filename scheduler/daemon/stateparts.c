/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/stateparts.h"

#include <string.h>

#include "adapters/store/store.h"
#include "scheduler/daemon/fences.h"
#include "scheduler/daemon/history.h"
#include "scheduler/daemon/intent.h"
#include "scheduler/daemon/learned.h"
#include "scheduler/daemon/repeat.h"
#include "scheduler/daemon/upkeep.h"

const struct hs_statepart hs_stateparts[] = {
    {"meta", HS_STATEPART_CORE},
    {"jobs", HS_STATEPART_CORE},
    {HS_INTENT_TABLE, HS_STATEPART_CORE},
    {HS_UPKEEP_TABLE, HS_STATEPART_CORE},
    {HS_LEARNED_TABLE, HS_STATEPART_CORE},
    {HS_REPEAT_TABLE, HS_STATEPART_CORE},
    {HS_FENCES_TABLE, HS_STATEPART_CORE},
    {HS_HISTORY_FILES, HS_STATEPART_CORE},
    {HS_STORE_QUARANTINE, HS_STATEPART_CORE},
    {HS_HISTORY_ENDS, HS_STATEPART_PAST},
    {HS_HISTORY_TABLE, HS_STATEPART_PAST},
    {"journal", HS_STATEPART_LOG},
    {"ledger", HS_STATEPART_LOG},
};

const size_t hs_stateparts_n = sizeof(hs_stateparts) / sizeof(hs_stateparts[0]);

const struct hs_statepart *hs_stateparts_find(const char *name)
{
    for (size_t i = 0; i < hs_stateparts_n; i++) {
        if (strcmp(hs_stateparts[i].name, name) == 0) {
            return &hs_stateparts[i];
        }
    }
    return NULL;
}
