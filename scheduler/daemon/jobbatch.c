/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/jobbatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/intake.h"
#include "scheduler/model/jobarray.h"

#define WHERE_MAX  64
#define ERRORS_MAX 20 /* bad items that are named */

/** A batch while it is read. */
struct reader {
    const struct hs_jobbatch_options *options;
    const char *text;
    struct hs_jobbatch *batch;
    char *where;  /* [WHERE_MAX] of the first error */
    FILE *errors; /* one a line */
    size_t n_errors;
};

static void add_error(struct reader *reader, size_t item, const char *where, const char *text)
{
    if (reader->n_errors == 0) {
        snprintf(reader->where, WHERE_MAX, "%s", where);
    }
    if (reader->n_errors < ERRORS_MAX) {
        if (reader->batch->is_list) {
            fprintf(reader->errors, "%sitem %zu: %s", reader->n_errors > 0 ? "\n" : "", item, text);
        } else {
            fprintf(reader->errors, "%s%s", reader->n_errors > 0 ? "\n" : "", text);
        }
    }
    reader->n_errors++;
}

static void add_report(struct reader *reader, size_t item, const struct hs_conf_report *report)
{
    HS_AUTO_MEM char *text = hs_conf_report_format(report);
    char *rest = text;
    const char *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        if (*line != '\0') {
            add_error(reader, item, "/v1/jobs", line);
        }
    }
}

/** An image that no host could boot is refused now, not when the job's hour has come. */
static int check_image(const struct hs_config *config, const struct hs_job *job, struct hs_err *err)
{
    HS_AUTO_MEM const char **names = hs_xcalloc(config->n_images + 1, sizeof(*names));

    /* without a list of images only simulated hosts can run anything, and they boot nothing */
    if (job->image[0] == '\0' || config->n_images == 0) {
        return 0;
    }
    for (size_t i = 0; i < config->n_images; i++) {
        names[i] = config->images[i].name;
        if (strcmp(names[i], job->image) == 0) {
            return 0;
        }
    }
    const char *nearest = hs_conf_nearest(names, job->image);

    return hs_err_set(err, HS_E_INVALID, "/image", "no image '%s'; %s '%s'", job->image,
                      nearest != NULL ? "did you mean" : "the first of those known is",
                      nearest != NULL ? nearest : names[0]);
}

static struct hs_jobbatch_job *add_job(struct reader *reader, struct hs_job *job,
                                       const char *cannot_meet)
{
    struct hs_jobbatch_job added = {.job = job};

    job->id = reader->options->first_id + reader->batch->jobs.n;
    snprintf(added.cannot_meet, sizeof(added.cannot_meet), "%s", cannot_meet);
    return HS_VEC_PUSH(&reader->batch->jobs, added);
}

static void add_after(struct hs_job *job, uint64_t job_id)
{
    job->after = hs_xrealloc(job->after, job->n_after + 1, sizeof(*job->after));
    if (asprintf(&job->after[job->n_after++], "afterany:%" PRIu64, job_id) < 0) {
        hs_mem_exhausted();
    }
}

/** The tasks of an array, each a job. @param array  checked */
static void add_tasks(struct reader *reader, const char *array, const struct hs_job *job,
                      const char *cannot_meet)
{
    struct hs_jobarray tasks = {0};

    (void)hs_jobarray_parse(array, &tasks, NULL);
    for (unsigned i = 0; i <= tasks.last - tasks.first; i++) {
        struct hs_jobbatch_job *task =
            add_job(reader, hs_jobarray_dup_task(job, tasks.first + i), cannot_meet);

        if (tasks.at_a_time > 0 && i >= tasks.at_a_time) {
            add_after(task->job, task->job->id - tasks.at_a_time);
        }
    }
}

static bool has_room_for(struct reader *reader, size_t item, const char *array)
{
    struct hs_jobarray tasks = {0};
    char text[128];

    if (array != NULL) {
        (void)hs_jobarray_parse(array, &tasks, NULL);
    }
    if (reader->batch->jobs.n + (tasks.last - tasks.first) < HS_INTAKE_JOBS_MAX) {
        return true;
    }
    snprintf(text, sizeof(text), "over %d jobs in one request, send more than one",
             HS_INTAKE_JOBS_MAX);
    add_error(reader, item, "/v1/jobs", text);
    return false;
}

/** @return false where no other item need be looked at */
static bool read_item(struct reader *reader, size_t item, const json_t *object)
{
    const struct hs_jobbatch_options *options = reader->options;
    struct hs_conf_report report = {.text = reader->batch->is_list ? NULL : reader->text};
    const char *array = json_string_value(json_object_get(object, "array"));
    char cannot_meet[HS_JOBBATCH_REASON_MAX] = "";
    HS_AUTO(hs_job) job = NULL;
    struct hs_err err;
    int rc;

    if (hs_job_parse_request(object, options->now_at_s, &report, &job) != 0) {
        add_report(reader, item, &report);
        hs_conf_report_fini(&report);
        return reader->n_errors < ERRORS_MAX;
    }
    rc = check_image(options->config, job, &err);
    rc = rc != 0 ? rc
                 : hs_cycle_check_job(options->cycle, job, options->now_at_s, cannot_meet, &err);
    if (rc != 0) {
        add_error(reader, item, err.where, err.text);
        return reader->n_errors < ERRORS_MAX;
    }
    if (!has_room_for(reader, item, array)) {
        return false;
    }
    if (array != NULL) {
        add_tasks(reader, array, job, cannot_meet);
    } else {
        (void)add_job(reader, HS_STEAL(job), cannot_meet);
    }
    return true;
}

static void read_items(struct reader *reader, const json_t *json)
{
    const json_t *items = json_is_object(json) ? json_object_get(json, "items") : json;
    size_t n = json_array_size(items);

    reader->batch->is_list = json_is_array(items);
    if (!reader->batch->is_list) {
        (void)read_item(reader, 0, json);
        reader->batch->is_list = json_is_string(json_object_get(json, "array"));
        return;
    }
    if (json_is_object(json) && json_object_size(json) > 1) {
        add_error(reader, 0, "/items", "a list of jobs has no other key beside 'items'");
    } else if (n == 0) {
        add_error(reader, 0, "/items", "the list is empty, send at least one job");
    }
    for (size_t i = 0; i < n && reader->n_errors < ERRORS_MAX; i++) {
        if (!read_item(reader, i, json_array_get(items, i))) {
            return;
        }
    }
}

int hs_jobbatch_parse(const struct hs_jobbatch_options *options, const char *text, size_t n_bytes,
                      struct hs_jobbatch **ret_batch, char *ret_where, char **ret_errors)
{
    HS_AUTO(hs_jobbatch) batch = hs_xcalloc(1, sizeof(*batch));
    HS_AUTO_MEM char *errors = NULL;
    size_t n_errors_bytes = 0;
    json_auto_t *json = NULL;
    struct reader reader = {.options = options, .text = text, .batch = batch, .where = ret_where};
    struct hs_err err;
    int rc = hs_jsonx_parse("body", text, n_bytes, &json, &err);

    if (rc != 0) {
        snprintf(ret_where, WHERE_MAX, "%s", err.where);
        *ret_errors = hs_xstrdup(err.text);
        return rc;
    }
    reader.errors = open_memstream(&errors, &n_errors_bytes);
    if (reader.errors == NULL) {
        hs_mem_exhausted();
    }
    read_items(&reader, json);
    (void)fclose(reader.errors);
    if (reader.n_errors > 0) {
        *ret_errors = HS_STEAL(errors);
        return -HS_E_INVALID;
    }
    *ret_batch = HS_STEAL(batch);
    return 0;
}

void hs_jobbatch_free(struct hs_jobbatch *batch)
{
    if (batch != NULL) {
        for (size_t i = 0; i < batch->jobs.n; i++) {
            hs_job_free(batch->jobs.items[i].job);
        }
        HS_VEC_FINI(&batch->jobs);
        free(batch);
    }
}
