/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/daemon/epochfile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/wholefile.h"

#define API           "hsched.epoch/v1"
#define FILE_PATH_MAX 1024
#define NEXT                                                                                  \
    "bring the newest data of redis back, or accept what is lost with hschedd --config FILE " \
    "--accept-older-state (docs/operate.md)"

static void format_path(const char *state_dir, const char *cell, char *ret_path)
{
    (void)snprintf(ret_path, FILE_PATH_MAX, "%s/epoch-%s.json", state_dir, cell);
}

static bool read_state(const json_t *json, uint64_t *ret_epoch, char *ret_store_id, size_t size)
{
    const json_t *epoch = json_object_get(json, "epoch");
    const char *store_id = json_string_value(json_object_get(json, "store_id"));

    if (!json_is_integer(epoch) || json_integer_value(epoch) < 0 || store_id == NULL
        || strlen(store_id) >= size) {
        return false;
    }
    *ret_epoch = (uint64_t)json_integer_value(epoch);
    (void)snprintf(ret_store_id, size, "%s", store_id);
    return true;
}

static bool read_fields(const json_t *json, struct hs_epochfile *ret_file)
{
    const json_t *accepted = json_object_get(json, "accepted");
    const char *api = json_string_value(json_object_get(json, "api"));

    ret_file->is_accepted = accepted != NULL;
    ret_file->writes = (uint64_t)json_integer_value(json_object_get(json, "writes"));
    return api != NULL && strcmp(api, API) == 0
           && read_state(json, &ret_file->epoch, ret_file->store_id, sizeof(ret_file->store_id))
           && (accepted == NULL
               || read_state(accepted, &ret_file->accepted_epoch, ret_file->accepted_store_id,
                             sizeof(ret_file->accepted_store_id)));
}

int hs_epochfile_read(const char *state_dir, const char *cell, struct hs_epochfile *ret_file,
                      struct hs_err *err)
{
    char path[FILE_PATH_MAX];
    HS_AUTO_MEM char *text = NULL;
    json_auto_t *json = NULL;
    struct hs_epochfile file = {0};
    struct hs_err why;
    size_t n_bytes = 0;
    int rc;

    format_path(state_dir, cell, path);
    rc = hs_filetext_read(path, &text, &n_bytes, &why);
    if (rc == -HS_E_NOTFOUND) {
        *ret_file = file;
        return 0;
    }
    if (rc == -HS_E_SYSTEM || rc == -HS_E_DENIED) {
        return hs_err_set(err, HS_E_SYSTEM, NULL, "%s", why.text);
    }
    if (rc != 0 || hs_jsonx_parse(path, text, n_bytes, &json, &why) != 0
        || !read_fields(json, &file)) {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "'%.100s' is damaged, so it cannot tell whether redis was rolled back",
                          path);
    }
    *ret_file = file;
    return 0;
}

int hs_epochfile_write(const char *state_dir, const char *cell, const struct hs_epochfile *file,
                       struct hs_err *err)
{
    json_auto_t *json = hs_jsonx_object();
    HS_AUTO_MEM char *text = NULL;
    char path[FILE_PATH_MAX];

    format_path(state_dir, cell, path);
    hs_jsonx_set_text(json, "api", API);
    hs_jsonx_set_int(json, "epoch", (int64_t)file->epoch);
    hs_jsonx_set_int(json, "writes", (int64_t)file->writes);
    hs_jsonx_set_text(json, "store_id", file->store_id);
    if (file->is_accepted) {
        json_t *accepted = hs_jsonx_object();

        hs_jsonx_set_int(accepted, "epoch", (int64_t)file->accepted_epoch);
        hs_jsonx_set_text(accepted, "store_id", file->accepted_store_id);
        hs_jsonx_set(json, "accepted", accepted);
    }
    text = hs_jsonx_format(json);
    return hs_wholefile_put(path, 0644, text, strlen(text), err);
}

bool hs_epochfile_check(const struct hs_epochfile *file, const struct hs_store_lease *lease,
                        char *ret_why)
{
    bool is_same = strcmp(lease->store_id, file->store_id) == 0;
    bool is_newer = lease->epoch > file->epoch
                    || (lease->epoch == file->epoch && lease->writes >= file->writes);

    if (file->store_id[0] == '\0' || (is_same && is_newer)
        || (file->is_accepted && lease->epoch >= file->accepted_epoch
            && strcmp(lease->store_id, file->accepted_store_id) == 0)) {
        return true;
    }
    if (lease->store_id[0] == '\0') {
        (void)snprintf(ret_why, HS_EPOCHFILE_WHY_MAX,
                       "redis holds nothing of this cell, but this host has led its store %s up to "
                       "epoch %" PRIu64 ": %s",
                       file->store_id, file->epoch, NEXT);
    } else if (!is_same) {
        (void)snprintf(ret_why, HS_EPOCHFILE_WHY_MAX,
                       "redis holds store %s, but this host has led store %s: %s", lease->store_id,
                       file->store_id, NEXT);
    } else if (lease->epoch == file->epoch) {
        (void)snprintf(ret_why, HS_EPOCHFILE_WHY_MAX,
                       "redis was rolled back: it shows %" PRIu64
                       " writes, but has acknowledged %" PRIu64 ": %s",
                       lease->writes, file->writes, NEXT);
    } else {
        (void)snprintf(ret_why, HS_EPOCHFILE_WHY_MAX,
                       "redis was rolled back: it is at epoch %" PRIu64 ", but epoch %" PRIu64
                       " was led or seen on a machine: %s",
                       lease->epoch, file->epoch, NEXT);
    }
    return false;
}
