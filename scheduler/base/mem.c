/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/base/mem.h"

#include <unistd.h>

#include "scheduler/base/log.h"

#define EXIT_EXHAUSTED 1 /* docs/operate.md: failed, the last line of the log says why */

void hs_mem_exhausted(void)
{
    /* neither this line nor the exit takes memory; nothing is flushed that may be half written */
    HS_LOG_ERROR("memory", "out of memory: ends here at once; start it again, nothing that was "
                           "acknowledged is lost");
    _exit(EXIT_EXHAUSTED);
}

void *hs_mem_alloc(size_t n_bytes)
{
    void *p = malloc(n_bytes > 0 ? n_bytes : 1);

    if (p == NULL) {
        hs_mem_exhausted();
    }
    return p;
}

void *hs_mem_grow(void *old, size_t n_bytes)
{
    return hs_xrealloc(old, n_bytes, 1);
}
