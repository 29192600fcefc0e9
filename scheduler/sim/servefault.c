/* SPDX-License-Identifier: Apache-2.0 */
/* servefault - KIND[:NAME]@TIME+DURATION. */
#include "scheduler/sim/servefault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

static const char *const words[] = {[HS_SERVEFAULT_FREEZE] = "freeze",
                                    [HS_SERVEFAULT_NAN] = "nan",
                                    [HS_SERVEFAULT_SWAP] = "swap",
                                    [HS_SERVEFAULT_SCALE] = "scale",
                                    [HS_SERVEFAULT_DISCONNECT] = "disconnect",
                                    [HS_SERVEFAULT_MUTE] = "mute",
                                    [HS_SERVEFAULT_KIND_COUNT_] = NULL};

static int refuse(const char *text, const char *why, struct hs_err *err)
{
    return hs_err_set(err, HS_E_INVALID, "--fault",
                      "'%.80s' %s; write KIND[:NAME]@TIME+DURATION, as "
                      "nan:pool/main/supply_c@2026-01-05T12:00:00Z+30m",
                      text, why);
}

int hs_servefault_parse(const char *text, struct hs_servefault *ret_fault, struct hs_err *err)
{
    HS_AUTO_MEM char *copy = hs_xstrdup(text);
    char *at = strrchr(copy, '@');
    char *plus = at != NULL ? strrchr(at, '+') : NULL;
    char *colon;
    struct hs_servefault fault = {.kind = HS_SERVEFAULT_KIND_COUNT_};
    int64_t span_s;

    if (plus == NULL) {
        return refuse(text, "has no time and duration", err);
    }
    *at = '\0';
    *plus = '\0';
    colon = strchr(copy, ':');
    if (colon != NULL) {
        *colon = '\0';
        snprintf(fault.name, sizeof(fault.name), "%.250s", colon + 1);
    }
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], copy) == 0) {
            fault.kind = (enum hs_servefault_kind)i;
        }
    }
    if (fault.kind == HS_SERVEFAULT_KIND_COUNT_) {
        return refuse(text, "is none of freeze, nan, swap, scale, disconnect, mute", err);
    }
    if (hs_timetext_parse(at + 1, 0, &fault.from_at_s, NULL) != 0
        || hs_timetext_parse_duration(plus + 1, &span_s, NULL) != 0 || span_s <= 0) {
        return refuse(text, "has no such time or duration", err);
    }
    fault.until_at_s = fault.from_at_s + span_s;
    *ret_fault = fault;
    return 0;
}

bool hs_servefault_check(const struct hs_servefault *faults, size_t n, enum hs_servefault_kind kind,
                         const char *name, int64_t at_s)
{
    for (size_t i = 0; i < n; i++) {
        if (faults[i].kind == kind && at_s >= faults[i].from_at_s && at_s < faults[i].until_at_s
            && (faults[i].name[0] == '\0' || strcmp(faults[i].name, name) == 0)) {
            return true;
        }
    }
    return false;
}
