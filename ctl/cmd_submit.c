/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/jobfile.h"
#include "ctl/jobview.h"
#include "ctl/request.h"
#include "ctl/say.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/model/jobarray.h"

/** When and where, what it costs, and why: all on stderr. */
static void say_plan(const json_t *job)
{
    const json_t *explanation = json_object_get(job, "explanation");

    /* Without an explanation the job itself still knows its window. */
    hs_jobview_explain(stderr, json_is_object(explanation) ? explanation : job, job);
}

/** A job for each task, all in one request. */
static enum hs_exit submit_array(const struct hs_args *args, struct hs_client *client,
                                 json_t *request, const char *text)
{
    struct hs_jobarray array;
    struct hs_err err;
    json_auto_t *answer = NULL;
    enum hs_exit status;

    if (hs_jobarray_parse(text, &array, &err) != 0) {
        hs_say_error("--array: %s", err.text);
        return HS_EXIT_USAGE;
    }
    if (hs_args_has(args, "dry-run")) {
        hs_say_error("--dry-run tries one job: leave --array out");
        return HS_EXIT_USAGE;
    }
    hs_jsonx_set_text(request, "array", text);
    status = hs_client_post(client, "/v1/jobs", request, &answer);
    return status == HS_EXIT_OK ? hs_jobfile_print(answer) : status;
}

/** Every line of a file is a job; what else is given has no job to belong to. */
static enum hs_exit submit_file(const struct hs_args *args)
{
    HS_AUTO(hs_client) client = NULL;
    enum hs_exit status;

    if (args->n_words > 0) {
        hs_say_error("--from FILE holds whole jobs: name no script or command beside it");
        return HS_EXIT_USAGE;
    }
    for (size_t i = 0; i < HS_REQUEST_N_OPTIONS; i++) {
        const char *name = hs_request_options[i].name;

        if (strcmp(name, "from") != 0 && hs_args_has(args, name)) {
            hs_say_error("--from FILE holds whole jobs: leave --%s out, or write it into them",
                         name);
            return HS_EXIT_USAGE;
        }
    }
    status = hs_client_new(args, &client);
    return status == HS_EXIT_OK ? hs_jobfile_submit(client, hs_args_get(args, "from")) : status;
}

static enum hs_exit submit_run(const struct hs_args *args)
{
    HS_AUTO(hs_clock) clock = hs_clock_new_real();
    HS_AUTO(hs_client) client = NULL;
    json_auto_t *request = NULL;
    json_auto_t *job = NULL;
    enum hs_table_format format = HS_TABLE_NAME;
    bool is_dry = hs_args_has(args, "dry-run");
    const char *cannot_meet = NULL;
    enum hs_exit status = HS_EXIT_OK;

    if (hs_args_has(args, "from")) {
        return submit_file(args);
    }
    status = hs_args_has(args, "output") ? hs_table_get_format(args, &format) : HS_EXIT_OK;
    if (status == HS_EXIT_OK) {
        status = hs_request_build(args, hs_clock_at_s(clock), &request);
    }
    if (status == HS_EXIT_OK) {
        status = hs_client_new(args, &client);
    }
    if (status == HS_EXIT_OK && hs_args_has(args, "array")) {
        return submit_array(args, client, request, hs_args_get(args, "array"));
    }
    if (status == HS_EXIT_OK) {
        status = hs_client_post(client, is_dry ? "/v1/jobs?dry_run=1" : "/v1/jobs", request, &job);
    }
    if (status != HS_EXIT_OK) {
        return status;
    }
    if (!is_dry && !json_is_integer(json_object_get(job, "id"))) {
        hs_say_error("hschedd answered without a job id; see hsched jobs before trying again");
        return HS_EXIT_FAILED;
    }
    if (!is_dry || format != HS_TABLE_NAME) { /* a job that was not made has no id to print */
        hs_jobview_print(format, job);
    }
    if (is_dry) {
        hs_say_note("dry run: it would be accepted, nothing was submitted");
    }
    say_plan(job);
    cannot_meet = hs_render_find_text(job, "cannot_meet");
    if (cannot_meet != NULL) {
        hs_say_error("%s, but %s", is_dry ? "it would be accepted" : "accepted", cannot_meet);
        return HS_EXIT_UNPLACED;
    }
    return HS_EXIT_OK;
}

const struct hs_command hs_cmd_submit = {
    .name = "submit",
    .arguments = "[--] SCRIPT | COMMAND...",
    .summary = "submit a job; prints its id",
    .details =
        "A readable text file is the script; any other words become a command that the\n"
        "guest runs; one word that holds spaces is a shell line; - reads the script from\n"
        "standard input. Each field may stand in the script as '#HSCHED key=value' or in\n"
        "the environment as HSCHED_KEY: options beat the environment, which beats the\n"
        "script. Spans: 90m, 1h30m, 1d. Times (UTC): 2026-01-05T18:00:00Z, now+2h, 18:00,\n"
        "tomorrow 06:00. The id alone goes to standard output. Exit status 8: accepted,\n"
        "but it cannot be placed or will be late. --from takes a job request of the API a\n"
        "line, {\"name\":\"a\",\"duration\":\"1h\",\"script\":\"...\"}, and sends many at once.\n",
    .options = hs_request_options,
    .n_options = HS_REQUEST_N_OPTIONS,
    .n_words_max = -1,
    .flags = HS_COMMAND_FORMATS | HS_COMMAND_STOPS,
    .run = submit_run,
};
