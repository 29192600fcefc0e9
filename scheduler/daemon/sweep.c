/* SPDX-License-Identifier: Apache-2.0 */
/* sweep - oldest first; what could not be cleaned is tried again in the next life. */
#include "scheduler/daemon/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/daemon/history.h"

#define CLEANED_MAX 32 /* at one listing: a host has other things to do */
#define KEY_MAX     24

/** When a job ended; its id orders those of the same second. */
struct over {
    int64_t ended_at_s;
    uint64_t job_id;
};

struct sweep_host {
    HS_VEC(struct over) overs; /* ascending; those before n_done are cleaned */
    size_t n_done;
};

struct hs_sweep {
    const struct hs_estate *estate;
    struct hs_fleet *fleet;
    struct hs_enact *enact;
    size_t n_kept;
    struct sweep_host *hosts; /* [n_hosts] */
};

/** One cleaning on its way. */
struct cleaning {
    struct hs_sweep *sweep;
    uint64_t job_id;
};

static bool is_before(const struct over *one, const struct over *other)
{
    return one->ended_at_s != other->ended_at_s ? one->ended_at_s < other->ended_at_s
                                                : one->job_id < other->job_id;
}

void hs_sweep_add(struct hs_sweep *sweep, const char *host_path, uint64_t job_id,
                  int64_t ended_at_s)
{
    size_t host_idx = hs_estate_find_host(sweep->estate, host_path);
    struct over over = {ended_at_s, job_id};
    struct sweep_host *host;
    size_t i;

    if (host_idx == SIZE_MAX) {
        return; /* the host is no longer ours: neither are its files */
    }
    host = &sweep->hosts[host_idx];
    HS_VEC_PUSH(&host->overs, over);
    for (i = host->overs.n - 1; i > host->n_done && is_before(&over, &host->overs.items[i - 1]);
         i--) {
        host->overs.items[i] = host->overs.items[i - 1];
    }
    host->overs.items[i] = over;
}

static void on_cleaned(int rc, const struct hs_err *err, void *arg)
{
    HS_AUTO_MEM struct cleaning *cleaning = arg;
    char key[KEY_MAX];

    if (rc != 0) {
        HS_LOG_DEBUG("sweep", "%s", err != NULL ? err->text : hs_err_word(rc));
        return;
    }
    snprintf(key, sizeof(key), "%" PRIu64, cleaning->job_id);
    hs_enact_write(cleaning->sweep->enact,
                   &(struct hs_store_op){HS_STORE_DELETE, HS_HISTORY_FILES, key, NULL});
}

/** The cleaned ones leave the list once they are its greater part. */
static void drop_done(struct sweep_host *host)
{
    if (host->n_done > host->overs.n / 2) {
        host->overs.n -= host->n_done;
        memmove(host->overs.items, &host->overs.items[host->n_done],
                host->overs.n * sizeof(*host->overs.items));
        host->n_done = 0;
    }
}

void hs_sweep_apply(struct hs_sweep *sweep, size_t host_idx)
{
    struct sweep_host *host = &sweep->hosts[host_idx];
    size_t n_cleaned = 0;

    while (host->overs.n - host->n_done > sweep->n_kept && n_cleaned++ < CLEANED_MAX) {
        struct cleaning *cleaning = hs_xcalloc(1, sizeof(*cleaning));

        *cleaning = (struct cleaning){sweep, host->overs.items[host->n_done++].job_id};
        hs_compute_clean(hs_fleet_get_compute(sweep->fleet, host_idx), cleaning->job_id, on_cleaned,
                         cleaning);
    }
    drop_done(host);
}

int hs_sweep_restore(struct hs_sweep *sweep, const char *key, const char *text, struct hs_err *err)
{
    json_auto_t *json = NULL;
    const char *host;
    int rc = hs_jsonx_parse(HS_HISTORY_FILES, text, strlen(text), &json, err);

    host = json_string_value(json_object_get(json, "host"));
    if (rc != 0 || host == NULL) {
        return hs_err_set(err, HS_E_PROTOCOL, HS_HISTORY_FILES, "row '%.24s' names no host", key);
    }
    hs_sweep_add(sweep, host, strtoull(key, NULL, 10),
                 json_integer_value(json_object_get(json, "ended_at_s")));
    return 0;
}

struct hs_sweep *hs_sweep_new(const struct hs_estate *estate, struct hs_fleet *fleet,
                              struct hs_enact *enact, size_t n_kept)
{
    struct hs_sweep *sweep = hs_xcalloc(1, sizeof(*sweep));

    sweep->estate = estate;
    sweep->fleet = fleet;
    sweep->enact = enact;
    sweep->n_kept = n_kept;
    sweep->hosts = hs_xcalloc(estate->n_hosts, sizeof(*sweep->hosts));
    return sweep;
}

void hs_sweep_free(struct hs_sweep *sweep)
{
    if (sweep != NULL) {
        for (size_t h = 0; h < sweep->estate->n_hosts; h++) {
            HS_VEC_FINI(&sweep->hosts[h].overs);
        }
        free(sweep->hosts);
        free(sweep);
    }
}
