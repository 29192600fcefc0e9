/* SPDX-License-Identifier: Apache-2.0 */
/* lease - one timer, at most one call for the lease under way; each answer arms the timer again. */
#include "scheduler/daemon/lease.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "adapters/store/record.h"
#include "scheduler/base/log.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/epochfile.h"
#include "scheduler/daemon/leaseholder.h"
#include "scheduler/daemon/statedir.h"

#define RENEW_RATIO     (1.0 / 3) /* of a lease */
#define ACT_RATIO       (2.0 / 3) /* the last third is for a call that is under way */
#define POLL_RATIO      (1.0 / 15)
#define GAP_RATIO       (1.0 / 3) /* between two looks, at most */
#define STARTING_POLL_S 0.1       /* until the store has answered once */
#define STEP_BACK_S     60.0
#define KEEP_S          60.0 /* how often the count of writes is kept outside the store */

struct hs_lease {
    struct hs_lease_options options;
    struct hs_timer *timer;
    struct hs_statedir_lock *lock; /* NULL until we have it */
    struct hs_epochfile file;
    enum hs_lease_role role;
    struct hs_store_lease seen; /* as the store last told */
    double seen_mono_s;         /* when `seen` became what it is */
    double looked_mono_s;       /* when it was last looked at; -INFINITY: never */
    double sent_mono_s;         /* of the call under way */
    double renewed_mono_s;      /* when the last beat that landed was sent */
    double kept_mono_s;         /* when the epoch file was written last */
    double not_before_mono_s;   /* no acquire earlier: we stepped back */
    char why[HS_LEASE_WHY_MAX];
    bool is_asking;
    bool is_quiet; /* that actions have stopped was said */
    void (*released)(void *arg);
    void *released_arg;
};

/* --- small questions --- */

static double now_mono_s(const struct hs_lease *lease)
{
    return hs_clock_mono_s(lease->options.clock);
}

static void set_timer(struct hs_lease *lease, double after_s)
{
    hs_executor_timer_set(lease->options.executor, lease->timer, after_s);
}

static double get_poll_s(const struct hs_lease *lease)
{
    double poll_s = lease->options.lease_s * POLL_RATIO;

    return lease->role == HS_LEASE_STARTING ? fmin(poll_s, STARTING_POLL_S) : poll_s;
}

static void set_role(struct hs_lease *lease, enum hs_lease_role role, const char *why)
{
    if (lease->role != role || strcmp(lease->why, why) != 0) {
        if (role == HS_LEASE_REFUSED) {
            HS_LOG_ERROR("lease", "refuses to lead: %s", why);
        } else if (role == HS_LEASE_STANDBY) {
            HS_LOG_WARN("lease", "waits: %s", why);
        }
    }
    lease->role = role;
    (void)snprintf(lease->why, sizeof(lease->why), "%s", why);
}

/* --- who leads --- */

static void wait_for(struct hs_lease *lease, const struct hs_leaseholder *holder)
{
    char why[HS_LEASE_WHY_MAX];

    hs_leaseholder_describe(holder, why, sizeof(why));
    set_role(lease, HS_LEASE_STANDBY, why);
}

/* --- leading --- */

static void lose(struct hs_lease *lease, const char *text)
{
    struct hs_err err;

    hs_err_set(&err, HS_E_STALE, "lease", "%s", text);
    lease->role = HS_LEASE_STANDBY;
    set_timer(lease, -1);
    lease->options.lost(lease->options.arg, &err);
}

static void on_given_back(int rc, const struct hs_err *err, const struct hs_store_lease *seen,
                          void *arg)
{
}

/** Keep the epoch outside the store, and how many writes we know of. */
static int keep_epoch(struct hs_lease *lease, struct hs_err *err)
{
    struct hs_epochfile file = {.epoch = lease->seen.epoch, .writes = lease->options.store->writes};

    if (lease->options.state_dir == NULL) {
        return 0;
    }
    (void)snprintf(file.store_id, sizeof(file.store_id), "%s", lease->seen.store_id);
    lease->file = file;
    lease->kept_mono_s = now_mono_s(lease);
    return hs_epochfile_write(lease->options.state_dir, lease->options.cell, &file, err);
}

/** As keep_epoch() where we can go on without. */
static void try_keep_epoch(struct hs_lease *lease)
{
    struct hs_err err;

    if (lease->file.writes != lease->options.store->writes && keep_epoch(lease, &err) != 0) {
        HS_LOG_WARN("lease", "%s", err.text);
    }
}

static void on_acquired(int rc, const struct hs_err *err, const struct hs_store_lease *seen,
                        void *arg)
{
    struct hs_lease *lease = arg;
    struct hs_err own;

    lease->is_asking = false;
    if (seen != NULL) {
        lease->seen = *seen;
        lease->seen_mono_s = now_mono_s(lease);
    }
    if (rc != 0) {
        if (rc != -HS_E_STALE) {
            set_role(lease, HS_LEASE_STARTING, err->text);
        }
        set_timer(lease, lease->options.lease_s * POLL_RATIO);
        return;
    }
    if (keep_epoch(lease, &own) != 0) {
        hs_lease_step_back(lease, own.text);
        return;
    }
    lease->renewed_mono_s = lease->sent_mono_s;
    set_role(lease, HS_LEASE_LEADER, "");
    set_timer(lease, lease->options.lease_s * RENEW_RATIO);
    HS_LOG_INFO("lease", "leads cell '%s' in epoch %" PRIu64, lease->options.cell,
                lease->seen.epoch);
    lease->options.led(lease->options.arg);
}

static void on_renewed(int rc, const struct hs_err *err, const struct hs_store_lease *seen,
                       void *arg)
{
    struct hs_lease *lease = arg;

    lease->is_asking = false;
    if (lease->role != HS_LEASE_LEADER) {
        return; /* it was given back meanwhile */
    }
    if (rc == -HS_E_STALE) {
        if (seen->epoch == lease->seen.epoch) {
            try_keep_epoch(lease); /* if it was rolled back, the next start must know of it */
        }
        lose(lease, err->text);
        return;
    }
    if (rc == 0) {
        if (now_mono_s(lease) - lease->kept_mono_s > KEEP_S) {
            try_keep_epoch(lease);
        }
        lease->renewed_mono_s = lease->sent_mono_s;
        lease->is_quiet = false;
    }
    set_timer(lease, rc == 0 ? lease->options.lease_s * RENEW_RATIO : get_poll_s(lease));
}

static void renew(struct hs_lease *lease)
{
    if (!hs_lease_may_act(lease) && !lease->is_quiet) {
        lease->is_quiet = true;
        HS_LOG_WARN("lease", "has not been renewed for %.0f s: no action is begun until it is",
                    now_mono_s(lease) - lease->renewed_mono_s);
    }
    /* also while the store is down for others: a full redis still takes a beat */
    lease->is_asking = true;
    lease->sent_mono_s = now_mono_s(lease);
    hs_store_lease_renew(lease->options.store, on_renewed, lease);
}

bool hs_lease_beat(struct hs_lease *lease, double age_s)
{
    if (lease->role != HS_LEASE_LEADER || lease->is_asking
        || now_mono_s(lease) - lease->sent_mono_s < age_s) {
        return false;
    }
    renew(lease);
    return true;
}

/* --- waiting --- */

static void make_store_id(char *ret_id, size_t size)
{
    unsigned char bytes[8];
    size_t n = 0;

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        abort(); /* cannot happen for 8 bytes once the system is up */
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        n += (size_t)snprintf(ret_id + n, size - n, "%02x", bytes[i]);
    }
}

static void acquire(struct hs_lease *lease)
{
    HS_AUTO_MEM char *holder =
        hs_leaseholder_format(lease->options.clock, lease->options.lease_s, lease->lock);
    char store_id[sizeof(lease->seen.store_id)];
    const struct hs_store_claim claim = {.seen_epoch = lease->seen.epoch,
                                         .seen_beat = lease->seen.beat,
                                         .min_epoch = lease->file.epoch,
                                         .store_id = store_id,
                                         .holder = holder};

    make_store_id(store_id, sizeof(store_id));
    lease->is_asking = true;
    lease->sent_mono_s = now_mono_s(lease);
    hs_store_lease_acquire(lease->options.store, &claim, on_acquired, lease);
}

/** Is the state in the store one that we may lead? Says why not. */
static bool is_fit(struct hs_lease *lease)
{
    char why[HS_EPOCHFILE_WHY_MAX];
    struct hs_err err;

    if (lease->seen.schema > HS_RECORD_SCHEMA) {
        (void)snprintf(why, sizeof(why),
                       "redis holds records of schema %u, this hschedd knows up to %d: run the "
                       "newer hschedd",
                       lease->seen.schema, HS_RECORD_SCHEMA);
        set_role(lease, HS_LEASE_REFUSED, why);
        return false;
    }
    if (lease->options.state_dir == NULL) {
        return true;
    }
    /* read anew each time: an operator may have accepted the state meanwhile */
    if (hs_epochfile_read(lease->options.state_dir, lease->options.cell, &lease->file, &err) != 0) {
        (void)snprintf(why, sizeof(why), "%s", err.text);
        set_role(lease, HS_LEASE_REFUSED, why);
        return false;
    }
    if (!hs_epochfile_check(&lease->file, &lease->seen, why)) {
        set_role(lease, HS_LEASE_REFUSED, why);
        return false;
    }
    return true;
}

/** Have the state directory to ourselves. */
static bool is_locked(struct hs_lease *lease, struct hs_err *err)
{
    return lease->options.state_dir == NULL || lease->lock != NULL
           || hs_statedir_lock(lease->options.state_dir, &lease->lock, err) == 0;
}

/** The lease was looked at: take it, or wait. */
static void judge(struct hs_lease *lease)
{
    struct hs_leaseholder holder;
    struct hs_err err;
    bool has_lock;
    double left_s;

    hs_leaseholder_parse(lease->seen.holder, &holder);
    left_s = lease->seen_mono_s + fmax(lease->options.lease_s, holder.lease_s) - now_mono_s(lease);
    if (!is_fit(lease)) {
        return;
    }
    has_lock = is_locked(lease, &err); /* before the holder is judged: it tells the dead */
    if (lease->seen.holder[0] != '\0' && left_s > 0
        && !hs_leaseholder_is_dead(&holder, lease->lock)) {
        wait_for(lease, &holder); /* says more than the lock */
    } else if (!has_lock) {
        set_role(lease, HS_LEASE_STANDBY, err.text);
    } else if (now_mono_s(lease) >= lease->not_before_mono_s) {
        acquire(lease);
    }
}

static void on_looked(int rc, const struct hs_err *err, const struct hs_store_lease *seen,
                      void *arg)
{
    struct hs_lease *lease = arg;

    lease->is_asking = false;
    if (rc == 0) {
        double gap_s = now_mono_s(lease) - lease->looked_mono_s;

        /* while we did not look, neither could it be renewed, perhaps: that does not count */
        if (seen->epoch != lease->seen.epoch || seen->beat != lease->seen.beat
            || gap_s > lease->options.lease_s * GAP_RATIO) {
            lease->seen_mono_s = now_mono_s(lease);
        }
        lease->looked_mono_s = now_mono_s(lease);
        lease->seen = *seen;
        judge(lease);
    }
    if (!lease->is_asking) {
        set_timer(lease, get_poll_s(lease));
    }
}

static void on_timer(void *arg)
{
    struct hs_lease *lease = arg;

    if (lease->is_asking) {
        return; /* its answer arms the timer */
    }
    if (lease->role == HS_LEASE_LEADER) {
        renew(lease);
    } else if (hs_store_is_up(lease->options.store)) {
        lease->is_asking = true;
        hs_store_lease_look(lease->options.store, on_looked, lease);
    } else {
        set_timer(lease, get_poll_s(lease));
    }
}

/* --- what the daemon asks --- */

bool hs_lease_may_act(const struct hs_lease *lease)
{
    return lease->role == HS_LEASE_LEADER
           && now_mono_s(lease) - lease->renewed_mono_s < lease->options.lease_s * ACT_RATIO;
}

enum hs_lease_role hs_lease_get_role(const struct hs_lease *lease)
{
    return lease->role;
}

const char *hs_lease_role_word(enum hs_lease_role role)
{
    static const char *const words[] = {
        [HS_LEASE_STARTING] = "starting",
        [HS_LEASE_STANDBY] = "standby",
        [HS_LEASE_REFUSED] = "refused",
        [HS_LEASE_LEADER] = "leader",
    };

    return words[role];
}

const char *hs_lease_get_why(const struct hs_lease *lease)
{
    if (lease->role == HS_LEASE_LEADER) {
        return hs_lease_may_act(lease)
                   ? NULL
                   : "the lease has not been renewed in time: no action is begun until it is";
    }
    return lease->why[0] != '\0' ? lease->why : NULL;
}

const char *hs_lease_get_holder(const struct hs_lease *lease)
{
    return lease->seen.holder;
}

uint64_t hs_lease_get_epoch(const struct hs_lease *lease)
{
    return lease->role == HS_LEASE_LEADER ? lease->seen.epoch : 0;
}

const char *hs_lease_get_store_id(const struct hs_lease *lease)
{
    return lease->role == HS_LEASE_LEADER ? lease->seen.store_id : "";
}

void hs_lease_refuse_epoch(struct hs_lease *lease, uint64_t epoch, const char *where)
{
    struct hs_err err;
    char text[160];

    if (lease->role != HS_LEASE_LEADER || lease->options.state_dir == NULL) {
        return;
    }
    (void)snprintf(text, sizeof(text), "%.80s was made in epoch %" PRIu64 ", we are in %" PRIu64,
                   where, epoch, lease->seen.epoch);
    HS_LOG_ERROR("lease", "redis was rolled back: %s", text);
    lease->file.epoch = epoch;
    if (hs_epochfile_write(lease->options.state_dir, lease->options.cell, &lease->file, &err)
        != 0) {
        HS_LOG_ERROR("lease", "%s", err.text);
    }
    hs_store_lease_release(lease->options.store, on_given_back, NULL);
    lose(lease, text);
}

void hs_lease_step_back(struct hs_lease *lease, const char *why)
{
    hs_store_lease_release(lease->options.store, on_given_back, NULL);
    lease->not_before_mono_s = now_mono_s(lease) + STEP_BACK_S;
    set_role(lease, HS_LEASE_REFUSED, why);
    set_timer(lease, get_poll_s(lease));
}

static void on_released(int rc, const struct hs_err *err, const struct hs_store_lease *seen,
                        void *arg)
{
    struct hs_lease *lease = arg;

    lease->released(lease->released_arg);
}

void hs_lease_release(struct hs_lease *lease, void (*done)(void *arg), void *arg)
{
    bool was_leading = lease->role == HS_LEASE_LEADER;

    if (was_leading) {
        try_keep_epoch(lease);
    }
    lease->role = HS_LEASE_STANDBY;
    set_timer(lease, -1);
    if (!was_leading || !hs_store_is_up(lease->options.store)) {
        done(arg);
        return;
    }
    lease->released = done;
    lease->released_arg = arg;
    hs_store_lease_release(lease->options.store, on_released, lease);
}

/* --- life --- */

int hs_lease_new(const struct hs_lease_options *options, struct hs_lease **ret_lease,
                 struct hs_err *err)
{
    struct hs_lease *lease;
    int rc = options->state_dir != NULL ? hs_statedir_make(options->state_dir, err) : 0;

    if (rc != 0) {
        return rc;
    }
    lease = hs_xcalloc(1, sizeof(*lease));
    lease->options = *options;
    lease->looked_mono_s = -INFINITY;
    lease->timer = hs_executor_timer_add(options->executor, 0, on_timer, lease);
    *ret_lease = lease;
    return 0;
}

void hs_lease_free(struct hs_lease *lease)
{
    if (lease != NULL) {
        hs_executor_timer_remove(lease->options.executor, lease->timer);
        hs_statedir_lock_free(lease->lock);
        free(lease);
    }
}
