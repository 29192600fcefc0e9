/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * leads - hours ahead in groups that share what is learned: an hour ahead is its own world, 40
 * and 41 hours ahead are not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_LEADS_MAX    48 /* hours ahead that are learned; what lies beyond is like the last day */
#define HS_LEADS_GROUPS 14

/** Group of @lead (>= 1). */
size_t hs_leads_get_group(size_t lead);

/** Leads of @group that are taught each hour, at most. */
size_t hs_leads_get_taught(size_t group);

/** The learned lead that is most like @lead: itself, or the same hour of the last learned day. */
size_t hs_leads_clip(size_t lead);

/**
 * True if hour @no teaches @lead. Neighbours in a wide group err alike, so two of a group are
 * taught each hour, in turn.
 */
bool hs_leads_is_taught(size_t lead, int64_t no);

/** Place of hour @no in a ring of HS_LEADS_MAX hours; hours before 1970 have one, too. */
static inline size_t hs_leads_place(int64_t no)
{
    return (size_t)((no % HS_LEADS_MAX + HS_LEADS_MAX) % HS_LEADS_MAX);
}
