/* SPDX-License-Identifier: Apache-2.0 */
/* simscene - gather, then print. */
#include "scheduler/sim/simscene.h"

#include <math.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/timetext.h"
#include "scheduler/sim/decisionlog.h"

#define SIMSCENE_QUEUE_SHOWN 10

static void set_at(json_t *object, const char *key, double at_s)
{
    char text[HS_TIMETEXT_MAX];

    hs_decisionlog_format_at(at_s, text);
    hs_jsonx_set_text(object, key, text);
}

static json_t *format_job(const struct hs_simrun *run, size_t job_idx)
{
    static const char *const state_words[] = {
        [HS_SIMRUN_WAITING] = "waiting",
        [HS_SIMRUN_RUNNING] = "running",
        [HS_SIMRUN_SUSPENDED] = "suspended",
        [HS_SIMRUN_DONE] = "done",
    };
    const struct hs_simjob *job = &run->jobs->items[job_idx];
    json_t *object = hs_jsonx_object();
    char name[64];

    hs_jobtrace_format_name(job, name, sizeof(name));
    hs_jsonx_set_text(object, "job", name);
    hs_jsonx_set_text(object, "state", state_words[run->states[job_idx].state]);
    hs_jsonx_set_int(object, "vcpus", job->vcpus);
    set_at(object, "submit", job->submit_at_s);
    set_at(object, "due", job->due_at_s);
    hs_jsonx_set_real(object, "estimate_s", job->estimate_s);
    hs_jsonx_set_real(object, "ran_s", hs_simrun_get_ran_s(run, job_idx));
    hs_jsonx_set_bool(object, "interruptible", job->interruptible);
    return object;
}

static json_t *format_host(const struct hs_simrun *run, size_t host_idx)
{
    const struct hs_host *host = &run->scenario->estate->hosts[host_idx];
    json_t *object = hs_jsonx_object();
    char path[HS_DECISIONLOG_PATH_MAX];

    hs_decisionlog_format_host(run->scenario->estate, host_idx, path);
    hs_jsonx_set_text(object, "host", path);
    hs_jsonx_set_int(object, "vcpus", host->vcpus);
    hs_jsonx_set_int(object, "pinned_vcpus", host->pinned_vcpus);
    hs_jsonx_set_int(object, "busy_vcpus", run->busy_vcpus[host_idx]);
    hs_jsonx_set_bool(object, "is_up", hs_simrun_is_host_up(run, host_idx));
    return object;
}

static json_t *format_loop(const struct hs_simrun *run, size_t loop_idx)
{
    const struct hs_estate *estate = run->scenario->estate;
    const struct hs_heatloop *loop = &estate->loops[loop_idx];
    size_t n_slots = run->scenario->n_slots;
    size_t slot = run->slot < n_slots ? run->slot : n_slots - 1;
    size_t at = loop->site_idx * n_slots + slot;
    double demand_heat_w = 0, it_elec_w = 0, captured_heat_w = 0;
    double full_wh = hs_tank_max_wh(&loop->tank);
    json_t *object = hs_jsonx_object();

    for (size_t k = loop->first_sink_idx; k < loop->first_sink_idx + loop->n_sinks; k++) {
        demand_heat_w += run->trace->demand_heat_w[k * n_slots + slot];
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        if (estate->racks[r].loop_idx == loop_idx) {
            it_elec_w += run->rack_elec_w[r];
            captured_heat_w += run->rack_elec_w[r] * estate->racks[r].capture_ratio;
        }
    }
    hs_jsonx_set_text(object, "loop", loop->path);
    hs_jsonx_set_real(object, "demand_heat_w", demand_heat_w);
    hs_jsonx_set_real(object, "captured_heat_w", captured_heat_w);
    hs_jsonx_set_real(object, "tank_ratio",
                      full_wh > 0 ? run->tank_wh[loop_idx] / full_wh : (double)NAN);
    hs_jsonx_set_real(object, "tank_c",
                      full_wh > 0 ? hs_tank_c_from_wh(&loop->tank, run->tank_wh[loop_idx])
                                  : (double)NAN);
    hs_jsonx_set_real(object, "it_elec_w", it_elec_w);
    hs_jsonx_set_real(object, "elec_cur_per_mwh", run->trace->elec_cur_per_mwh[at]);
    hs_jsonx_set_real(object, "gco2_per_kwh", run->trace->gco2_per_kwh[at]);
    return object;
}

static bool is_queued(const struct hs_simrun *run, size_t job_idx)
{
    enum hs_simrun_job_state state = run->states[job_idx].state;

    return (state == HS_SIMRUN_WAITING || state == HS_SIMRUN_SUSPENDED)
           && run->jobs->items[job_idx].submit_at_s <= run->at_s;
}

json_t *hs_simscene_format(const struct hs_simrun *run, size_t job_idx, const char *line)
{
    json_t *scene = hs_jsonx_object();
    json_t *waiting = hs_jsonx_array();
    json_t *loops = hs_jsonx_array();
    json_t *decision = NULL;
    json_auto_t *reason = run->reason != NULL ? run->reason(run->reason_arg, job_idx) : NULL;
    json_t *explanation = json_object_get(reason, "explanation");
    int64_t n_running = 0;

    (void)hs_jsonx_parse("", line, strlen(line), &decision, NULL);
    for (size_t j = 0; j < run->jobs->n; j++) {
        n_running += run->states[j].state == HS_SIMRUN_RUNNING;
        if (is_queued(run, j)) {
            hs_jsonx_add(waiting, format_job(run, j));
        }
    }
    for (size_t l = 0; l < run->scenario->estate->n_loops; l++) {
        hs_jsonx_add(loops, format_loop(run, l));
    }
    hs_jsonx_set(scene, "decision", decision != NULL ? decision : json_null());
    hs_jsonx_set(scene, "job", format_job(run, job_idx));
    hs_jsonx_set(scene, "host", format_host(run, run->states[job_idx].host_idx));
    hs_jsonx_set_int(scene, "running", n_running);
    hs_jsonx_set(scene, "waiting", waiting);
    hs_jsonx_set(scene, "loops", loops);
    hs_jsonx_set_text(scene, "currency", run->scenario->estate->currency);
    hs_jsonx_set(scene, "explanation",
                 explanation != NULL ? json_incref(explanation) : json_null());
    return scene;
}

/* --- for people --- */

static const char *get_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "-";
}

static double get_real(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int get_int(const json_t *object, const char *key)
{
    return (int)json_integer_value(json_object_get(object, key));
}

static void print_real(double value, int width, int decimals, FILE *out)
{
    if (isnan(value)) {
        fprintf(out, "%*s", width, "-");
    } else {
        fprintf(out, "%*.*f", width, decimals, value);
    }
}

static void print_job(const json_t *job, FILE *out)
{
    char estimate[HS_TIMETEXT_MAX], ran[HS_TIMETEXT_MAX];

    hs_timetext_format_duration((int64_t)get_real(job, "estimate_s"), estimate);
    hs_timetext_format_duration((int64_t)get_real(job, "ran_s"), ran);
    fprintf(out, "%s: %s, %d vCPUs, estimated %s, ran %s, submitted %s, due %s%s\n",
            get_text(job, "job"), get_text(job, "state"), get_int(job, "vcpus"), estimate, ran,
            get_text(job, "submit"), get_text(job, "due"),
            json_is_true(json_object_get(job, "interruptible")) ? ", interruptible" : "");
}

static void print_waiting(const json_t *waiting, FILE *out)
{
    size_t i, n = json_array_size(waiting);
    const json_t *job;

    fprintf(out, "waiting    %zu%s\n", n, n > 0 ? ", in order of submit" : "");
    json_array_foreach (waiting, i, job) {
        if (i < SIMSCENE_QUEUE_SHOWN) {
            fputs("           ", out);
            print_job(job, out);
        }
    }
    if (n > SIMSCENE_QUEUE_SHOWN) {
        fprintf(out, "           and %zu more (all with -o json)\n", n - SIMSCENE_QUEUE_SHOWN);
    }
}

static void print_loops(const json_t *scene, FILE *out)
{
    size_t i;
    const json_t *loop;
    char unit[32];

    snprintf(unit, sizeof(unit), "%s/MWh", get_text(scene, "currency"));
    fprintf(out, "\n%-26s%10s%10s%8s%8s%8s%12s%10s\n%-26s%10s%10s%8s%8s%8s%12s%10s\n", "loop",
            "demand", "captured", "tank", "tank", "IT", "electricity", "carbon", "", "kW", "kW",
            "full %", "°C ", "kW", unit, "g/kWh");
    json_array_foreach (json_object_get(scene, "loops"), i, loop) {
        fprintf(out, "%-26s", get_text(loop, "loop"));
        print_real(get_real(loop, "demand_heat_w") / 1e3, 10, 2, out);
        print_real(get_real(loop, "captured_heat_w") / 1e3, 10, 2, out);
        print_real(get_real(loop, "tank_ratio") * 100, 8, 0, out);
        print_real(get_real(loop, "tank_c"), 8, 1, out);
        print_real(get_real(loop, "it_elec_w") / 1e3, 8, 2, out);
        print_real(get_real(loop, "elec_cur_per_mwh"), 12, 2, out);
        print_real(get_real(loop, "gco2_per_kwh"), 10, 0, out);
        fputc('\n', out);
    }
}

static void print_flag(const json_t *why, const char *key, const char *words, FILE *out)
{
    if (json_is_true(json_object_get(why, key))) {
        fprintf(out, "           %s\n", words);
    }
}

static void print_why(const json_t *scene, FILE *out)
{
    const json_t *why = json_object_get(json_object_get(scene, "decision"), "why");
    const json_t *reason;
    size_t i;

    if (why != NULL) {
        fprintf(out, "\nwhy        %s\n           planned from %s to %s\n", get_text(why, "text"),
                get_text(why, "planned_start"), get_text(why, "planned_end"));
        fputs("           in this slot electricity", out);
        print_real(get_real(why, "elec_cur_per_mwh"), 8, 2, out);
        fputs(", one more unit of heat", out);
        print_real(get_real(why, "heat_cur_per_mwh"), 8, 2, out);
        fprintf(out, " %s/MWh\n", get_text(scene, "currency"));
        print_flag(why, "is_forced", "at its latest start: it runs whatever heat costs", out);
        print_flag(why, "is_late", "it cannot end by its due time in this plan", out);
        print_flag(why, "is_hopeless", "nor in any: its estimate is longer than the time left",
                   out);
    }
    json_array_foreach (json_object_get(json_object_get(scene, "explanation"), "reasons"), i,
                        reason) {
        fprintf(out, "           %s\n", get_text(reason, "text"));
    }
}

void hs_simscene_print(const json_t *scene, FILE *out)
{
    const json_t *decision = json_object_get(scene, "decision");
    const json_t *host = json_object_get(scene, "host");

    fprintf(out, "decision %d of %s at %s: %s %s on %s (loop %s)\n\n", get_int(decision, "seq"),
            get_text(decision, "policy"), get_text(decision, "at"), get_text(decision, "action"),
            get_text(decision, "job"), get_text(decision, "host"), get_text(decision, "loop"));
    fputs("job        ", out);
    print_job(json_object_get(scene, "job"), out);
    fprintf(out, "host       %d of %d vCPUs busy with jobs, %d pinned%s\n",
            get_int(host, "busy_vcpus"), get_int(host, "vcpus"), get_int(host, "pinned_vcpus"),
            json_is_true(json_object_get(host, "is_up")) ? "" : ", off");
    fprintf(out, "running    %d jobs\n", get_int(scene, "running"));
    print_waiting(json_object_get(scene, "waiting"), out);
    print_loops(scene, out);
    print_why(scene, out);
}
