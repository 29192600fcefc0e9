/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/jobfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/render.h"
#include "ctl/say.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

#define LINES_MAX      1000                              /* of one request */
#define BYTES_MAX      ((size_t)HS_CLIENT_BODY_MAX - 16) /* of the lines of one request */
#define LATE_ON_SCREEN 3

/** The lines of one request. */
struct group {
    json_t *items;
    size_t n_bytes;
    size_t first_line;
};

enum hs_exit hs_jobfile_print(const json_t *answer)
{
    const json_t *items = json_object_get(answer, "items");
    size_t n_late = 0;
    size_t i;
    json_t *item;

    json_array_foreach (items, i, item) {
        int64_t id = json_integer_value(json_object_get(item, "id"));
        const char *cannot_meet = hs_render_find_text(item, "cannot_meet");

        printf("%" PRId64 "\n", id);
        if (cannot_meet != NULL && ++n_late <= LATE_ON_SCREEN) {
            hs_say_error("job %" PRId64 " is accepted, but %s", id, cannot_meet);
        }
    }
    (void)fflush(stdout);
    if (json_array_size(items) == 0) {
        hs_say_error("hschedd answered without job ids; see hsched jobs before trying again");
        return HS_EXIT_FAILED;
    }
    return n_late > 0 ? HS_EXIT_UNPLACED : HS_EXIT_OK;
}

static void group_begin(struct group *group, size_t line)
{
    json_decref(group->items);
    *group = (struct group){.items = hs_jsonx_array(), .first_line = line};
}

/** @param io_late  set where a job is accepted but late */
static enum hs_exit send_group(struct hs_client *client, const char *path, struct group *group,
                               size_t next_line, bool *io_late)
{
    json_auto_t *answer = NULL;
    enum hs_exit status = HS_EXIT_OK;

    if (json_array_size(group->items) > 0) {
        status = hs_client_post(client, "/v1/jobs", group->items, &answer);
        if (status != HS_EXIT_OK) {
            hs_say_error("nothing from line %zu of %s on was submitted; item 0 is that line",
                         group->first_line, path);
            return status;
        }
        status = hs_jobfile_print(answer);
        *io_late |= status == HS_EXIT_UNPLACED;
    }
    group_begin(group, next_line);
    return status == HS_EXIT_UNPLACED ? HS_EXIT_OK : status;
}

static enum hs_exit add_line(struct hs_client *client, const char *path, struct group *group,
                             const char *text, size_t n_bytes, size_t line, bool *io_late)
{
    enum hs_exit status = HS_EXIT_OK;
    json_t *item = NULL;
    struct hs_err err;

    if (text[strspn(text, " \t\r\n")] == '\0') {
        return HS_EXIT_OK;
    }
    if (hs_jsonx_parse(path, text, n_bytes, &item, &err) != 0 || !json_is_object(item)) {
        hs_say_error("%s:%zu: %s", path, line,
                     item == NULL ? err.text : "a line is one job request, {...}");
        json_decref(item);
        (void)send_group(client, path, group, line, io_late);
        hs_say_error("nothing from line %zu of %s on was submitted", line, path);
        return HS_EXIT_INPUT;
    }
    if (group->n_bytes + n_bytes + 1 > BYTES_MAX || json_array_size(group->items) == LINES_MAX) {
        status = send_group(client, path, group, line, io_late);
    }
    group->n_bytes += n_bytes + 1;
    hs_jsonx_add(group->items, item);
    return status;
}

enum hs_exit hs_jobfile_submit(struct hs_client *client, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    enum hs_exit status = HS_EXIT_OK;
    struct group group = {0};
    HS_AUTO_MEM char *text = NULL;
    size_t n_max = 0;
    size_t line = 0;
    ssize_t n;
    bool is_late = false;

    if (file == NULL) {
        hs_say_error("cannot read '%s': %s", path, strerror(errno));
        return HS_EXIT_INPUT;
    }
    group_begin(&group, 1);
    while (status == HS_EXIT_OK && (n = getline(&text, &n_max, file)) >= 0) {
        line++;
        status = add_line(client, path, &group, text, (size_t)n, line, &is_late);
    }
    if (status == HS_EXIT_OK) {
        status = send_group(client, path, &group, line + 1, &is_late);
    }
    json_decref(group.items);
    if (file != stdin) {
        (void)fclose(file);
    }
    if (status == HS_EXIT_OK && line == 0) {
        hs_say_error("'%s' holds no job", path);
        return HS_EXIT_INPUT;
    }
    return status == HS_EXIT_OK && is_late ? HS_EXIT_UNPLACED : status;
}
