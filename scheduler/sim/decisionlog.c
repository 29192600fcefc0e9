/* SPDX-License-Identifier: Apache-2.0 */
/* decisionlog - what, when, which job, where, and why if the controller says. */
#include "scheduler/sim/decisionlog.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/timetext.h"

static const char *const change_words[] = {
    [HS_SIMRUN_START] = "start",     [HS_SIMRUN_RESUME] = "resume", [HS_SIMRUN_MOVE] = "move",
    [HS_SIMRUN_SUSPEND] = "suspend", [HS_SIMRUN_END] = "end",       [HS_SIMRUN_LOST] = "lost",
};

void hs_decisionlog_format_host(const struct hs_estate *estate, size_t host_idx, char *ret_path)
{
    const struct hs_host *host = &estate->hosts[host_idx];

    snprintf(ret_path, HS_DECISIONLOG_PATH_MAX, "%s/%s", estate->racks[host->rack_idx].path,
             host->name);
}

void hs_decisionlog_format_at(double at_s, char *ret_text)
{
    int64_t ms = llround(at_s * 1e3);

    hs_timetext_format(ms / 1000, ret_text);
    if (ms % 1000 != 0) {
        snprintf(strchr(ret_text, 'Z'), 8, ".%03dZ", (int)(ms % 1000));
    }
}

char *hs_decisionlog_format_head(const struct hs_decisionlog_head *head, const char *controller,
                                 uint64_t first_seq)
{
    json_auto_t *line = hs_jsonx_object();

    hs_jsonx_set_text(line, "api", HS_DECISIONLOG_API);
    hs_jsonx_set_text(line, "controller", controller);
    hs_jsonx_set_int(line, "first_seq", (int64_t)first_seq);
    hs_jsonx_set_text(line, "scenario", head->scenario_path);
    hs_jsonx_set_text(line, "scenario_fnv64", head->print.scenario);
    hs_jsonx_set_text(line, "inputs_fnv64", head->print.inputs);
    hs_jsonx_set_int(line, "seed", (int64_t)head->seed);
    hs_jsonx_set_text(line, "version", head->version);
    return hs_jsonx_format(line);
}

char *hs_decisionlog_format(const struct hs_simrun *run, const char *controller, uint64_t seq,
                            size_t job_idx, enum hs_simrun_change change)
{
    const struct hs_estate *estate = run->scenario->estate;
    size_t host_idx = run->states[job_idx].host_idx;
    json_auto_t *line = hs_jsonx_object();
    json_auto_t *reason = NULL;
    char at[HS_TIMETEXT_MAX], name[64], host[HS_DECISIONLOG_PATH_MAX];

    hs_decisionlog_format_at(run->at_s, at);
    hs_jobtrace_format_name(&run->jobs->items[job_idx], name, sizeof(name));
    hs_decisionlog_format_host(estate, host_idx, host);
    hs_jsonx_set_int(line, "seq", (int64_t)seq);
    hs_jsonx_set_text(line, "at", at);
    hs_jsonx_set_text(line, "policy", controller);
    hs_jsonx_set_text(line, "job", name);
    hs_jsonx_set_text(line, "action", change_words[change]);
    hs_jsonx_set_text(line, "host", host);
    hs_jsonx_set_text(line, "loop", estate->loops[estate->hosts[host_idx].loop_idx].path);
    /* an end is the job's own doing, a lost host nobody's */
    if (run->reason != NULL && change != HS_SIMRUN_END && change != HS_SIMRUN_LOST) {
        reason = run->reason(run->reason_arg, job_idx);
    }
    if (json_object_get(reason, "plan") != NULL) {
        hs_jsonx_set(line, "why", json_incref(json_object_get(reason, "plan")));
    }
    return hs_jsonx_format(line);
}
