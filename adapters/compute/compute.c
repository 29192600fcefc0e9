/* SPDX-License-Identifier: Apache-2.0 */
/* compute - the table of backends and the checks that every one of them would repeat. */
#include "adapters/compute/compute.h"

#include <assert.h>
#include <string.h>

/* first match wins, so the one that takes everything is last */
static const struct hs_compute_ops *const backends[] = {
    &hs_compute_sim_ops,
    &hs_compute_libvirt_ops,
};

const struct hs_compute_ops *hs_compute_backend(const char *uri)
{
    const size_t n = sizeof(backends) / sizeof(backends[0]);

    for (size_t i = 0; i < n; i++) {
        const char *prefix = backends[i]->uri_prefix;

        if (strncmp(uri, prefix, strlen(prefix)) == 0) {
            return backends[i];
        }
    }
    return backends[n - 1];
}

int hs_compute_new(const struct hs_compute_options *options, struct hs_compute **ret_compute,
                   struct hs_err *err)
{
    const char *uri = options->host->uri;

    assert(options->executor != NULL && options->clock != NULL);
    if (strstr(uri, ":") == NULL) {
        return hs_err_set(err, HS_E_INVALID, options->host->path,
                          "uri '%s' names no host: 'sim:' or a libvirt URI such as "
                          "'qemu:///system'",
                          uri);
    }
    return hs_compute_backend(uri)->new (options, ret_compute, err);
}

void hs_compute_list(struct hs_compute *compute, hs_compute_list_fn *done, void *arg)
{
    compute->ops->list(compute, done, arg);
}

void hs_compute_create(struct hs_compute *compute, const struct hs_machine_spec *spec,
                       hs_compute_done_fn *done, void *arg)
{
    assert(spec->job_id > 0 && spec->vcpus > 0 && spec->memory_mib > 0);
    compute->ops->create(compute, spec, done, arg);
}

void hs_compute_act(struct hs_compute *compute, uint64_t job_id, enum hs_action_kind kind,
                    hs_compute_done_fn *done, void *arg)
{
    assert(job_id > 0 && kind != HS_ACTION_START && kind != HS_ACTION_MOVE
           && kind != HS_ACTION_THROTTLE);
    compute->ops->act(compute, job_id, kind, done, arg);
}

bool hs_compute_can_move(const char *from_uri, const char *to_uri)
{
    const struct hs_compute_ops *ops = hs_compute_backend(from_uri);

    return ops->move != NULL && ops == hs_compute_backend(to_uri)
           && (ops->can_move == NULL || ops->can_move(from_uri, to_uri));
}

void hs_compute_move(struct hs_compute *compute, uint64_t job_id, struct hs_compute *to,
                     hs_compute_done_fn *done, void *arg)
{
    assert(job_id > 0 && to != compute && to->ops == compute->ops && compute->ops->move != NULL);
    compute->ops->move(compute, job_id, to, done, arg);
}

bool hs_compute_can_throttle(const char *uri)
{
    const struct hs_compute_ops *ops = hs_compute_backend(uri);

    return ops->throttle != NULL && (ops->can_throttle == NULL || ops->can_throttle(uri));
}

void hs_compute_throttle(struct hs_compute *compute, uint64_t job_id, double share,
                         hs_compute_done_fn *done, void *arg)
{
    assert(job_id > 0 && share > 0 && share <= 1 && compute->ops->throttle != NULL);
    compute->ops->throttle(compute, job_id, share, done, arg);
}

double hs_compute_get_settle_s(const char *uri)
{
    return hs_compute_backend(uri)->settle_s;
}

void hs_compute_collect(struct hs_compute *compute, uint64_t job_id, hs_compute_end_fn *done,
                        void *arg)
{
    assert(job_id > 0);
    compute->ops->collect(compute, job_id, done, arg);
}

void hs_compute_clean(struct hs_compute *compute, uint64_t job_id, hs_compute_done_fn *done,
                      void *arg)
{
    assert(job_id > 0);
    compute->ops->clean(compute, job_id, done, arg);
}

void hs_compute_log(struct hs_compute *compute, uint64_t job_id, size_t n_max_bytes,
                    hs_compute_text_fn *done, void *arg)
{
    compute->ops->log(compute, job_id, n_max_bytes, done, arg);
}

void hs_compute_free(struct hs_compute *compute)
{
    if (compute != NULL) {
        compute->ops->destroy(compute);
    }
}
