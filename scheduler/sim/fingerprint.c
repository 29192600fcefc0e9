/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint - bytes of the scenario, then of every file under a key that names one. */
#include "scheduler/sim/fingerprint.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/sim/scenario.h"

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static const char *const file_keys[] = {"estate", "csv", "swf", "issued", "policy_files"};

static uint64_t add_bytes(uint64_t sum, const char *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        sum = (sum ^ (unsigned char)bytes[i]) * FNV_PRIME;
    }
    return sum;
}

static int add_file(const char *folder, const char *name, uint64_t *sum, struct hs_err *err)
{
    char path[HS_SCENARIO_PATH_MAX];
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    int n = name[0] == '/' ? snprintf(path, sizeof(path), "%s", name)
                           : snprintf(path, sizeof(path), "%s/%s", folder, name);
    int rc;

    if (n >= (int)sizeof(path)) {
        return hs_err_set(err, HS_E_INVALID, NULL, "the path '%.80s…' is too long", name);
    }
    rc = hs_filetext_read(path, &text, &n_bytes, err);
    if (rc == 0) {
        *sum = add_bytes(*sum, text, n_bytes);
    }
    return rc;
}

static bool names_file(const char *key)
{
    for (size_t i = 0; i < sizeof(file_keys) / sizeof(file_keys[0]); i++) {
        if (strcmp(file_keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/** @param is_name  a text here names a file */
static int add_named(const json_t *value, bool is_name, const char *folder, uint64_t *sum,
                     struct hs_err *err)
{
    const char *key;
    json_t *member;
    size_t i;
    int rc = 0;

    if (json_is_string(value) && is_name) {
        return add_file(folder, json_string_value(value), sum, err);
    }
    json_array_foreach (value, i, member) {
        rc = rc == 0 ? add_named(member, is_name, folder, sum, err) : rc;
    }
    json_object_foreach ((json_t *)(uintptr_t)value, key, member) {
        /* inside an inline estate its own name is no file */
        bool is_inner_estate =
            strcmp(key, "estate") == 0 && json_object_get(value, "sites") != NULL;

        rc =
            rc == 0 ? add_named(member, names_file(key) && !is_inner_estate, folder, sum, err) : rc;
    }
    return rc;
}

int hs_fingerprint_read(const char *scenario_path, struct hs_fingerprint *ret_print,
                        struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    HS_AUTO_MEM char *folder = hs_xstrdup(scenario_path);
    char *slash = strrchr(folder, '/');
    json_auto_t *root = NULL;
    size_t n_bytes = 0;
    uint64_t inputs = FNV_START;
    int rc = hs_filetext_read(scenario_path, &text, &n_bytes, err);

    if (slash != NULL) {
        *slash = '\0';
    }
    if (rc == 0) {
        rc = hs_jsonx_parse(scenario_path, text, n_bytes, &root, err);
    }
    if (rc == 0) {
        rc = add_named(root, false, slash != NULL ? folder : ".", &inputs, err);
    }
    if (rc != 0) {
        return rc;
    }
    snprintf(ret_print->scenario, sizeof(ret_print->scenario), "%016" PRIx64,
             add_bytes(FNV_START, text, n_bytes));
    snprintf(ret_print->inputs, sizeof(ret_print->inputs), "%016" PRIx64, inputs);
    return 0;
}
