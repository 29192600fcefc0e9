/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** rowprogress - says on standard error now and then how many rows a long command has behind it. */

#include <stdint.h>

#include "scheduler/base/auto.h"

struct hs_rowprogress;

/** @param what  the command, static. Owned by the caller. */
struct hs_rowprogress *hs_rowprogress_new(const char *what);

/** How many there will be; 0: nobody knows. */
void hs_rowprogress_set_total(struct hs_rowprogress *progress, uint64_t n_rows);

void hs_rowprogress_add(struct hs_rowprogress *progress, uint64_t n_rows);

/** Accepts NULL. */
void hs_rowprogress_free(struct hs_rowprogress *progress);
HS_DEFINE_AUTO(hs_rowprogress);
