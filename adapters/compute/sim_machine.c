/* SPDX-License-Identifier: Apache-2.0 */
/* sim_machine - running time of a simulated machine, and its file. */
#include "adapters/compute/sim_machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/wholefile.h"

#define SIM_FILE_MAX_BYTES 4096

void hs_sim_machine_set_mono(struct hs_sim_machine *machine, double mono_s, double speed)
{
    if (machine->shown.state == HS_MACHINE_RUNNING && mono_s > machine->since_mono_s) {
        machine->ran_s += (mono_s - machine->since_mono_s) * speed * machine->share;
        if (machine->ran_s > machine->need_s) {
            machine->ran_s = machine->need_s;
        }
    }
    machine->since_mono_s = mono_s;
    machine->shown.cpu_s = machine->ran_s * machine->shown.vcpus;
}

void hs_sim_machine_set_job(struct hs_sim_machine *machine, uint64_t job_id, uint64_t epoch)
{
    machine->shown.job_id = job_id;
    machine->shown.epoch = epoch;
    (void)snprintf(machine->shown.name, sizeof(machine->shown.name), "hs-%" PRIu64, job_id);
    (void)snprintf(machine->shown.uuid, sizeof(machine->shown.uuid),
                   "%08" PRIx64 "-0000-4000-8000-%012" PRIx64, epoch & 0xffffffffU,
                   job_id & 0xffffffffffffU);
}

int hs_sim_machine_write(const struct hs_sim_machine *machine, const char *dir, struct hs_err *err)
{
    json_auto_t *json = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;
    HS_AUTO(hs_wholefile) file = NULL;
    char path[4096];
    int rc;

    hs_jsonx_set_int(json, "job", (int64_t)machine->shown.job_id);
    hs_jsonx_set_int(json, "epoch", (int64_t)machine->shown.epoch);
    hs_jsonx_set_int(json, "vcpus", machine->shown.vcpus);
    hs_jsonx_set_int(json, "memory_mib", (int64_t)machine->shown.memory_mib);
    hs_jsonx_set_int(json, "state", machine->shown.state);
    hs_jsonx_set_bool(json, "over", machine->over);
    hs_jsonx_set_bool(json, "has_exit_status", machine->has_exit_status);
    hs_jsonx_set_int(json, "exit_status", machine->exit_status);
    hs_jsonx_set_real(json, "need_s", machine->need_s);
    hs_jsonx_set_real(json, "ran_s", machine->ran_s);
    hs_jsonx_set_real(json, "share", machine->share);
    hs_jsonx_set_real(json, "since_mono_s", machine->since_mono_s);
    text = hs_jsonx_format(json);
    (void)snprintf(path, sizeof(path), "%s/sim-%" PRIu64 ".json", dir, machine->shown.job_id);
    /* loose: a real machine is gone after a power cut as well */
    rc = hs_wholefile_new(path, 0644, HS_WHOLEFILE_LOOSE, &file, err);
    if (rc == 0) {
        rc = hs_wholefile_write(file, text, strlen(text), err);
    }
    return rc == 0 ? hs_wholefile_commit(file, err) : rc;
}

static int sim_machine_parse(const json_t *json, struct hs_sim_machine *ret_machine)
{
    json_int_t job = 0, epoch = 0, vcpus = 0, memory_mib = 0, state = 0;
    int over = 0, has_exit_status = 0, exit_status = 0;
    struct hs_sim_machine machine = {.share = 1.0}; /* of a file from before there were shares */

    if (json_unpack((json_t *)json, "{sI,sI,sI,sI,sI,sb,sb,si,sF,sF,sF,s?F}", "job", &job, "epoch",
                    &epoch, "vcpus", &vcpus, "memory_mib", &memory_mib, "state", &state, "over",
                    &over, "has_exit_status", &has_exit_status, "exit_status", &exit_status,
                    "need_s", &machine.need_s, "ran_s", &machine.ran_s, "since_mono_s",
                    &machine.since_mono_s, "share", &machine.share)
            != 0
        || !(machine.share > 0 && machine.share <= 1) || job <= 0 || vcpus <= 0
        || state < HS_MACHINE_RUNNING || state > HS_MACHINE_UNKNOWN) {
        return -HS_E_INVALID;
    }
    hs_sim_machine_set_job(&machine, (uint64_t)job, (uint64_t)epoch);
    machine.shown.vcpus = (uint32_t)vcpus;
    machine.shown.memory_mib = (uint64_t)memory_mib;
    machine.shown.state = (enum hs_machine_state)state;
    machine.over = over != 0;
    machine.has_exit_status = has_exit_status != 0;
    machine.exit_status = exit_status;
    *ret_machine = machine;
    return 0;
}

int hs_sim_machine_read(const char *path, struct hs_sim_machine *ret_machine, struct hs_err *err)
{
    json_auto_t *json = NULL;
    char text[SIM_FILE_MAX_BYTES];
    FILE *file = fopen(path, "re");
    size_t n_bytes;
    int rc;

    if (file == NULL) {
        return hs_err_set(err, HS_E_NOTFOUND, path, "cannot be read: %s", strerror(errno));
    }
    n_bytes = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    rc = hs_jsonx_parse(path, text, n_bytes, &json, err);
    if (rc < 0) {
        return rc;
    }
    if (sim_machine_parse(json, ret_machine) < 0) {
        return hs_err_set(err, HS_E_INVALID, path, "is not a machine of compute_sim");
    }
    return 0;
}
