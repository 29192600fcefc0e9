/* SPDX-License-Identifier: Apache-2.0 */
/* leads - groups of hours ahead. */
#include "forecast/leads.h"

#define HOURS_PER_DAY  24
#define TAUGHT_AT_ONCE 2

static const size_t group_end[HS_LEADS_GROUPS] = {1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 30, 36, 42, 48};

size_t hs_leads_clip(size_t lead)
{
    if (lead <= HS_LEADS_MAX) {
        return lead;
    }
    return HS_LEADS_MAX - HOURS_PER_DAY + 1 + (lead - 1) % HOURS_PER_DAY;
}

size_t hs_leads_get_group(size_t lead)
{
    size_t group = 0;

    while (hs_leads_clip(lead) > group_end[group]) {
        group++;
    }
    return group;
}

static size_t get_width(size_t group)
{
    return group_end[group] - (group > 0 ? group_end[group - 1] : 0);
}

size_t hs_leads_get_taught(size_t group)
{
    size_t width = get_width(group);

    return width < TAUGHT_AT_ONCE ? width : TAUGHT_AT_ONCE;
}

bool hs_leads_is_taught(size_t lead, int64_t no)
{
    size_t turn = (get_width(hs_leads_get_group(lead)) + TAUGHT_AT_ONCE - 1) / TAUGHT_AT_ONCE;

    return (lead + (size_t)no) % turn == 0;
}
