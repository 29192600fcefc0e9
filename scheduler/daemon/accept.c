/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/accept.h"

#include <inttypes.h>
#include <stdio.h>

#include "scheduler/daemon/epochfile.h"
#include "scheduler/daemon/statedir.h"
#include "scheduler/daemon/storevisit.h"

static int look(const struct hs_config *config, struct hs_store_lease *ret_lease,
                struct hs_err *err)
{
    HS_AUTO(hs_storevisit) visit = NULL;
    int rc = hs_storevisit_new(config, &visit, err);

    return rc == 0 ? hs_storevisit_look(visit, ret_lease, err) : rc;
}

int hs_accept_apply(const struct hs_config *config, struct hs_err *err)
{
    char why[HS_EPOCHFILE_WHY_MAX];
    struct hs_store_lease lease;
    struct hs_epochfile file = {0};
    int rc = look(config, &lease, err);

    if (rc == 0) {
        rc = hs_statedir_make(config->state_dir, err);
    }
    if (rc != 0) {
        return rc;
    }
    if (hs_epochfile_read(config->state_dir, config->cell, &file, err) != 0) {
        /* it cannot say what was led; what is in Redis is taken for it, as the operator wants */
        (void)snprintf(file.store_id, sizeof(file.store_id), "?");
    } else if (hs_epochfile_check(&file, &lease, why)) {
        printf("nothing to accept: the state in redis may be led as it is\n");
        return 0;
    }
    file.is_accepted = true;
    file.accepted_epoch = lease.epoch;
    (void)snprintf(file.accepted_store_id, sizeof(file.accepted_store_id), "%s", lease.store_id);
    rc = hs_epochfile_write(config->state_dir, config->cell, &file, err);
    if (rc == 0) {
        printf("accepted: epoch %" PRIu64 " of store '%s'; this host had led epoch %" PRIu64
               " of store '%s'. What was written in between is lost.\n",
               lease.epoch, lease.store_id, file.epoch, file.store_id);
    }
    return rc;
}
