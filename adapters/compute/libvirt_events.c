/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt_events - handles and timeouts of libvirt as watches and timers of the executor.
 *
 * A source (handle or timeout) is created, changed and removed by any thread: only its wanted
 * state changes then, under the mutex, and one sync is posted. The sync runs on the executor's
 * thread, which alone owns watches and timers. A removed source is freed there, after its last
 * callback, as libvirt asks: its free callback must not run inside the removal.
 */
#include "adapters/compute/libvirt_events.h"

#include <pthread.h>
#include <stdbool.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "scheduler/base/vec.h"

struct source {
    int id;
    bool is_handle;
    bool is_removed;
    bool is_dirty; /* the wanted state has changed since the last sync */
    int fd;
    unsigned wanted_events; /* of a handle; the bits of both libraries are the same */
    int wanted_ms;          /* of a timeout; < 0: off */
    virEventHandleCallback handle_cb;
    virEventTimeoutCallback timeout_cb;
    void *opaque;
    virFreeCallback free_cb;
    struct hs_watch *watch; /* executor's thread only, as timer */
    struct hs_timer *timer;
};

static struct {
    pthread_mutex_t mutex;
    struct hs_executor *executor;
    int last_id;
    bool is_sync_posted;
    HS_VEC(struct source *) sources;
} events = {.mutex = PTHREAD_MUTEX_INITIALIZER};

_Static_assert((int)HS_WATCH_READ == VIR_EVENT_HANDLE_READABLE
                   && (int)HS_WATCH_WRITE == VIR_EVENT_HANDLE_WRITABLE
                   && (int)HS_WATCH_ERROR == VIR_EVENT_HANDLE_ERROR
                   && (int)HS_WATCH_HANGUP == VIR_EVENT_HANDLE_HANGUP,
               "events are passed through as they are");

static void handle_fire(int fd, unsigned ready, void *arg)
{
    struct source *source = arg;
    bool is_live;

    pthread_mutex_lock(&events.mutex);
    /* errors are always told; the rest only if still wanted */
    ready &= source->wanted_events | HS_WATCH_ERROR | HS_WATCH_HANGUP;
    is_live = !source->is_removed && source->wanted_events != 0 && ready != 0;
    pthread_mutex_unlock(&events.mutex);
    if (is_live) {
        source->handle_cb(source->id, fd, (int)ready, source->opaque);
    }
}

static void timeout_fire(void *arg)
{
    struct source *source = arg;
    int ms;

    pthread_mutex_lock(&events.mutex);
    ms = source->is_removed ? -1 : source->wanted_ms;
    pthread_mutex_unlock(&events.mutex);
    if (ms < 0) {
        return;
    }
    /* libvirt's timeouts repeat; a change made inside the callback comes by a sync after this */
    hs_executor_timer_set(events.executor, source->timer, ms * 1e-3);
    source->timeout_cb(source->id, source->opaque);
}

/** Bring one source's watch or timer up to its wanted state; executor's thread. */
static void source_sync(struct source *source, unsigned wanted_events, int wanted_ms)
{
    struct hs_executor *executor = events.executor;

    if (!source->is_handle) {
        double after_s = wanted_ms < 0 ? -1.0 : wanted_ms * 1e-3;

        if (source->timer == NULL) {
            source->timer = hs_executor_timer_add(executor, after_s, timeout_fire, source);
        } else {
            hs_executor_timer_set(executor, source->timer, after_s);
        }
    } else if (source->watch == NULL) {
        source->watch =
            hs_executor_watch_add(executor, source->fd, wanted_events, handle_fire, source);
    } else {
        hs_executor_watch_set(executor, source->watch, wanted_events);
    }
}

static void source_free(struct source *source)
{
    hs_executor_watch_remove(events.executor, source->watch);
    hs_executor_timer_remove(events.executor, source->timer);
    if (source->free_cb != NULL) {
        source->free_cb(source->opaque);
    }
    free(source);
}

/** Take the next source that a sync has to look at, or NULL. Removed ones leave the table. */
static struct source *take_changed(unsigned *ret_events, int *ret_ms, bool *ret_is_removed)
{
    struct source *found = NULL;

    pthread_mutex_lock(&events.mutex);
    for (size_t i = 0; i < events.sources.n && found == NULL; i++) {
        struct source *source = events.sources.items[i];

        if (source->is_removed || source->is_dirty) {
            found = source;
            source->is_dirty = false;
            *ret_events = source->wanted_events;
            *ret_ms = source->wanted_ms;
            *ret_is_removed = source->is_removed;
            if (source->is_removed) {
                HS_VEC_SWAP_REMOVE(&events.sources, i);
            }
        }
    }
    if (found == NULL) {
        events.is_sync_posted = false;
    }
    pthread_mutex_unlock(&events.mutex);
    return found;
}

static void sync_all(void *arg)
{
    struct source *source;
    unsigned wanted_events = 0;
    int wanted_ms = -1;
    bool is_removed = false;

    while ((source = take_changed(&wanted_events, &wanted_ms, &is_removed)) != NULL) {
        if (is_removed) {
            source_free(source);
        } else {
            source_sync(source, wanted_events, wanted_ms);
        }
    }
}

/** The mutex is held. */
static void post_sync(void)
{
    if (!events.is_sync_posted) {
        events.is_sync_posted = true;
        hs_executor_post(events.executor, sync_all, NULL);
    }
}

static int source_add(const struct source *first)
{
    struct source *source = hs_xcalloc(1, sizeof(*source));
    int id;

    *source = *first;
    source->is_dirty = true;
    pthread_mutex_lock(&events.mutex);
    id = ++events.last_id;
    source->id = id;
    HS_VEC_PUSH(&events.sources, source);
    post_sync();
    pthread_mutex_unlock(&events.mutex);
    return id;
}

/** The mutex is held. NULL if there is none, as after its removal. */
static struct source *source_find(int id, bool is_handle)
{
    for (size_t i = 0; i < events.sources.n; i++) {
        struct source *source = events.sources.items[i];

        if (source->id == id && source->is_handle == is_handle && !source->is_removed) {
            return source;
        }
    }
    return NULL;
}

static int source_remove(int id, bool is_handle)
{
    struct source *source;

    pthread_mutex_lock(&events.mutex);
    source = source_find(id, is_handle);
    if (source != NULL) {
        source->is_removed = true;
        post_sync();
    }
    pthread_mutex_unlock(&events.mutex);
    return source != NULL ? 0 : -1;
}

static int add_handle(int fd, int wanted, virEventHandleCallback cb, void *opaque,
                      virFreeCallback free_cb)
{
    return source_add(&(struct source){.is_handle = true,
                                       .fd = fd,
                                       .wanted_events = (unsigned)wanted,
                                       .handle_cb = cb,
                                       .opaque = opaque,
                                       .free_cb = free_cb});
}

static void update_handle(int id, int wanted)
{
    struct source *source;

    pthread_mutex_lock(&events.mutex);
    source = source_find(id, true);
    if (source != NULL && source->wanted_events != (unsigned)wanted) {
        source->wanted_events = (unsigned)wanted;
        source->is_dirty = true;
        post_sync();
    }
    pthread_mutex_unlock(&events.mutex);
}

static int remove_handle(int id)
{
    return source_remove(id, true);
}

static int add_timeout(int ms, virEventTimeoutCallback cb, void *opaque, virFreeCallback free_cb)
{
    return source_add(&(struct source){
        .wanted_ms = ms, .fd = -1, .timeout_cb = cb, .opaque = opaque, .free_cb = free_cb});
}

static void update_timeout(int id, int ms)
{
    struct source *source;

    pthread_mutex_lock(&events.mutex);
    source = source_find(id, false);
    if (source != NULL) {
        source->wanted_ms = ms;
        source->is_dirty = true;
        post_sync();
    }
    pthread_mutex_unlock(&events.mutex);
}

static int remove_timeout(int id)
{
    return source_remove(id, false);
}

static void drop_message(void *arg, virErrorPtr error)
{
    /* libvirt would print every failed call to stderr; callers get their struct hs_err instead */
}

void hs_libvirt_events_start(struct hs_executor *executor)
{
    if (events.executor != NULL) {
        return;
    }
    events.executor = executor;
    virSetErrorFunc(NULL, drop_message);
    (void)virInitialize();
    virEventRegisterImpl(add_handle, update_handle, remove_handle, add_timeout, update_timeout,
                         remove_timeout);
}
