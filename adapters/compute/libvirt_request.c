/* SPDX-License-Identifier: Apache-2.0 */
/* libvirt_request - the part of each port call that runs on a worker. */
#include "adapters/compute/libvirt_request.h"

#include <stdio.h>

#include "scheduler/base/mem.h"

void hs_libvirt_request_set_spec(struct hs_libvirt_request *request,
                                 const struct hs_machine_spec *spec, const struct hs_image *image)
{
    request->class_word = hs_xstrdup(spec->class_word != NULL ? spec->class_word : "");
    request->script = hs_xstrdup(spec->script);
    request->env = hs_xcalloc(spec->n_env, sizeof(*request->env));
    for (size_t i = 0; i < spec->n_env; i++) {
        request->env[i] = hs_xstrdup(spec->env[i]);
    }
    request->image.kernel = hs_xstrdup(image->kernel);
    request->image.initrd = hs_xstrdup(image->initrd);
    request->image.cmdline = hs_xstrdup(image->cmdline);
    request->seed = (struct hs_seed){.job_id = spec->job_id,
                                     .epoch = spec->epoch,
                                     .script = request->script,
                                     .env = (const char *const *)request->env,
                                     .n_env = spec->n_env};
    request->create = (struct hs_libvirt_create){.job_id = spec->job_id,
                                                 .epoch = spec->epoch,
                                                 .store_id = request->store_id,
                                                 .uuid = request->uuid,
                                                 .class_word = request->class_word,
                                                 .vcpus = spec->vcpus,
                                                 .memory_mib = spec->memory_mib,
                                                 .image = &request->image,
                                                 .seed = &request->seed,
                                                 .files = &request->files};
}

int hs_libvirt_request_list(virConnectPtr conn, void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;

    return hs_libvirt_host_list(conn, request->store_id, &request->machines, err);
}

int hs_libvirt_request_find(virConnectPtr conn, void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;

    return hs_libvirt_host_find(conn, request->store_id, request->uuid, &request->machine, err);
}

int hs_libvirt_request_create(virConnectPtr conn, void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;
    struct hs_job_files_owner owner;

    if (request->is_repeat) {
        int rc = hs_libvirt_host_check(conn, request->store_id, request->job_id, err);

        if (rc < 0) {
            return rc;
        }
        /* the unknown outcome was a machine that has come and gone: it must not run twice */
        if (rc == 0
            && hs_job_files_read_end(&request->files, request->job_id, &request->end, NULL) == 0
            && request->end.has_exit_status) {
            request->is_over = true;
            return 0;
        }
    }
    hs_libvirt_uri_find_owner(&request->uri, &owner);
    request->create.owner = &owner;
    return hs_libvirt_host_create(conn, &request->create, &request->machine, err);
}

int hs_libvirt_request_act(virConnectPtr conn, void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;
    int rc = 0;

    if (request->action == HS_ACTION_RESUME) {
        rc = hs_job_files_take(&request->files, err); /* of a move that was cut short */
    }
    rc = rc < 0
             ? rc
             : hs_libvirt_host_act(conn, request->store_id, request->job_id, request->action, err);
    request->is_over = rc == 1;
    return rc < 0 ? rc : 0;
}

int hs_libvirt_request_throttle(virConnectPtr conn, void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;

    return hs_libvirt_host_throttle(conn, request->store_id, request->job_id, request->share, err);
}

int hs_libvirt_request_collect(virConnectPtr conn, void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;
    int rc = hs_libvirt_host_check(conn, request->store_id, request->job_id, err);

    if (rc < 0) {
        return rc;
    }
    if (rc == 1) {
        return hs_err_set(err, HS_E_CONFLICT, NULL, "the job's machine is still there");
    }
    /* it is said to have been here: what it told before it came is told here */
    rc = hs_job_files_take(&request->files, err);
    rc = rc < 0 ? rc : hs_job_files_read_end(&request->files, request->job_id, &request->end, err);
    if (rc < 0 && rc != -HS_E_NOTFOUND && rc != -HS_E_UNAVAILABLE) {
        /* a file that will never be read says nothing, but the machine is gone all the same */
        request->end = (struct hs_machine_end){.job_id = request->job_id};
        rc = 0;
    }
    return rc;
}

int hs_libvirt_request_read_end(void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;
    int rc = hs_job_files_read_end(&request->files, request->job_id, &request->end, err);

    /* only where an end is told: one that never booted may be made anew meanwhile */
    if (rc == 0 && (request->end.has_exit_status || request->is_told_always)) {
        hs_job_files_remove_seed(&request->files);
    }
    return rc;
}

int hs_libvirt_request_read_log(void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;

    return hs_job_files_read_console(&request->files, request->n_max_bytes, &request->text,
                                     &request->n_bytes, err);
}

int hs_libvirt_request_clean(void *arg, struct hs_err *err)
{
    struct hs_libvirt_request *request = arg;

    return hs_job_files_remove(&request->files, err);
}

void hs_libvirt_request_free(void *arg)
{
    struct hs_libvirt_request *request = arg;

    for (size_t i = 0; i < request->seed.n_env; i++) {
        free(request->env[i]);
    }
    free(request->env);
    free(request->script);
    free(request->class_word);
    free(request->image.kernel);
    free(request->image.initrd);
    free(request->image.cmdline);
    HS_VEC_FINI(&request->machines);
    free(request->text);
    free(request);
}
