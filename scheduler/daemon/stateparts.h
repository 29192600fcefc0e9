/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** stateparts - the tables and logs that make up the state of a cell: what a backup holds. */

#include <stddef.h>

enum hs_statepart_kind {
    HS_STATEPART_CORE, /* a table that must be of one moment with the others of this kind */
    HS_STATEPART_PAST, /* a large table whose rows never change, they only come and go */
    HS_STATEPART_LOG,
};

struct hs_statepart {
    const char *name;
    enum hs_statepart_kind kind;
};

/** In the order in which they are read and written; ends before the history they point into. */
extern const struct hs_statepart hs_stateparts[];
extern const size_t hs_stateparts_n;

/** The part named @name, or NULL. */
const struct hs_statepart *hs_stateparts_find(const char *name);
