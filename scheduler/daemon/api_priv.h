/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** api_priv - one request on its way, and the ways to answer it. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/daemon/api.h"
#include "scheduler/daemon/repeat.h"

#define HS_API_ARGS_MAX       2
#define HS_API_BODY_MAX_BYTES ((size_t)256 << 10) /* promises.md, threats */

/** One request. Every handler answers it once, now or later; that frees it. */
struct hs_api_call {
    struct hs_callers *callers; /* borrowed */
    struct hs_daemon *daemon;
    const struct hs_cycle *cycle; /* NULL for healthz before the store was read */
    struct evhttp_request *http;
    uid_t uid;
    char *args[HS_API_ARGS_MAX]; /* owned: path parts that the route leaves open */
    struct evkeyvalq query;
    bool has_query;
    char *body; /* owned, NUL-terminated */
    size_t n_body_bytes;
    char key[HS_REPEAT_KEY_MAX]; /* Idempotency-Key, "" if none */
};

typedef void hs_api_handler_fn(struct hs_api_call *call);

/** Value of a query parameter, or NULL. Borrowed. */
const char *hs_api_get_query(const struct hs_api_call *call, const char *name);

/** Plan time now. */
int64_t hs_api_get_at_s(const struct hs_api_call *call);

/* --- answers: api_reply.c --- */

/** Answer with @json as it is. @param json  taken */
void hs_api_reply_json(struct hs_api_call *call, int status, json_t *json);

/** Answer with one thing of @kind. @param fields  taken */
void hs_api_reply_thing(struct hs_api_call *call, int status, const char *kind, json_t *fields);

/** Answer with a list of @kind. @param items  taken */
void hs_api_reply_list(struct hs_api_call *call, const char *kind, json_t *items);

/** Answer with @text as it is, of media type @type; a caller's key is answered so again. */
void hs_api_reply_send(struct hs_api_call *call, int status, const char *type, const char *text,
                       size_t n_bytes);

/** Answer with text/plain. */
void hs_api_reply_text(struct hs_api_call *call, int status, const char *text, size_t n_bytes);

/** Answer with what went wrong; the status follows from @rc (docs/api.md). */
void hs_api_reply_error(struct hs_api_call *call, int rc, const char *where, const char *text);

/** The same with a status of its own. */
void hs_api_reply_status(struct hs_api_call *call, int status, int rc, const char *where,
                         const char *text);

/** The job id in the path, or 0 after answering that it is none. */
uint64_t hs_api_parse_id(struct hs_api_call *call);

/* api_doctor.c */
hs_api_handler_fn hs_api_doctor_show;

/* api_health.c */
hs_api_handler_fn hs_api_health_show;
hs_api_handler_fn hs_api_health_ready;

/** Why there is no answer yet: what an hschedd that does not lead says to everything. Borrowed. */
const char *hs_api_health_why(const struct hs_api_call *call);

/* api_submit.c */
hs_api_handler_fn hs_api_submit_apply;

/** Answer again a submit of an earlier life that took in @n_ids jobs from @first_id on. */
void hs_api_submit_repeat(struct hs_api_call *call, uint64_t first_id, size_t n_ids);

/* api_list.c */
hs_api_handler_fn hs_api_list_apply;

/* api_jobs.c */
/** Value of a query parameter that counts. @return false after answering that it is no number */
bool hs_api_read_count(struct hs_api_call *call, const char *name, size_t fallback,
                       size_t *ret_count);

/** True for "1" and "true". @param text  nullable */
bool hs_api_is_true(const char *text);

hs_api_handler_fn hs_api_jobs_show;
hs_api_handler_fn hs_api_jobs_explain;
hs_api_handler_fn hs_api_jobs_log;
hs_api_handler_fn hs_api_jobs_cancel;

/* api_hosts.c */
hs_api_handler_fn hs_api_hosts_list;
hs_api_handler_fn hs_api_hosts_confirm_down;

/* api_maintenance.c */
hs_api_handler_fn hs_api_maintenance_list;
hs_api_handler_fn hs_api_maintenance_add;
hs_api_handler_fn hs_api_maintenance_end;

/* api_readings.c */
hs_api_handler_fn hs_api_readings_take;

/* api_views.c */
hs_api_handler_fn hs_api_views_sites;
hs_api_handler_fn hs_api_views_loops;
hs_api_handler_fn hs_api_views_vms;
hs_api_handler_fn hs_api_views_forecast;
hs_api_handler_fn hs_api_views_plan;
hs_api_handler_fn hs_api_views_report;
