/* SPDX-License-Identifier: Apache-2.0 */
/* fanout - see fanout.h. */
#include "scheduler/base/fanout.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#define THREADS_MAX 32

struct fanout {
    hs_fanout_fn *work;
    void *arg;
    size_t n_items;
    atomic_size_t next;
};

static void *take_items(void *context)
{
    struct fanout *fanout = context;

    for (size_t i = atomic_fetch_add(&fanout->next, 1); i < fanout->n_items;
         i = atomic_fetch_add(&fanout->next, 1)) {
        fanout->work(fanout->arg, i);
    }
    return NULL;
}

/* Signals are for the thread that runs the reactor. @return whether there is a thread more */
static bool start(struct fanout *fanout, pthread_t *ret_thread)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(ret_thread, NULL, take_items, fanout);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0;
}

void hs_fanout_run(size_t n_threads, size_t n_items, hs_fanout_fn *work, void *arg)
{
    struct fanout fanout = {.work = work, .arg = arg, .n_items = n_items};
    pthread_t threads[THREADS_MAX];
    size_t n_wanted = n_threads < n_items ? n_threads : n_items;
    size_t n = 0;

    n_wanted = n_wanted > THREADS_MAX ? THREADS_MAX : n_wanted;
    while (n + 1 < n_wanted && start(&fanout, &threads[n])) {
        n++;
    }
    (void)take_items(&fanout);
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
}
