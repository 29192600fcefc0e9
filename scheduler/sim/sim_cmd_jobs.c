/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd_jobs - the jobs of a scenario as requests for `hsched submit`. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/timetext.h"
#include "scheduler/sim/sim_cmd.h"

/** A job as its owner would have asked for it (docs/jobs.md, Fields). Owned by the caller. */
static json_t *format_request(const struct hs_simjob *job)
{
    json_t *request = hs_jsonx_object();
    json_t *env = hs_jsonx_object();
    char text[64];

    hs_jobtrace_format_name(job, text, sizeof(text));
    hs_jsonx_set_text(request, "name", text);
    hs_jsonx_set_int(request, "vcpus", job->vcpus);
    hs_jsonx_set_int(request, "memory_mib", (int64_t)job->memory_mib);
    hs_timetext_format_duration((int64_t)ceil(job->estimate_s), text);
    hs_jsonx_set_text(request, "duration", text);
    hs_jsonx_set_at(request, "due", (int64_t)floor(job->due_at_s));
    hs_jsonx_set_bool(request, "interruptible", job->interruptible);
    snprintf(text, sizeof(text), "%.0f", ceil(job->run_s));
    hs_jsonx_set_text(env, "HSCHED_SIM_RUN_S", text);
    hs_jsonx_set(request, "env", env);
    hs_jsonx_set_at(request, "submit", (int64_t)floor(job->submit_at_s));
    return request;
}

int hs_sim_cmd_jobs(int argc, char **argv)
{
    HS_AUTO(hs_scenario) scenario = NULL;
    struct hs_simjobs jobs = {0};
    int status;

    if (argc != 2 || argv[1][0] == '-') {
        return hs_sim_cmd_fail_usage("name one scenario");
    }
    status = hs_sim_cmd_load(argv[1], &scenario, &jobs);
    for (size_t i = 0; status == HS_SIM_CMD_OK && i < jobs.n; i++) {
        json_auto_t *request = format_request(&jobs.items[i]);
        HS_AUTO_MEM char *text = hs_jsonx_format(request);

        if (puts(text) < 0) {
            fprintf(stderr, "hsim: cannot write: %m\n");
            status = HS_SIM_CMD_FAILED;
        }
    }
    hs_jobtrace_fini(&jobs);
    return status;
}
