/* SPDX-License-Identifier: Apache-2.0 */
/* seed - a NoCloud ISO, written by libarchive. */
#include "adapters/compute/seed.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

/* The same for every job: nothing of a job is ever pasted into a script of ours. */
static const char user_data[] =
    "#!/bin/sh\n"
    "# Made by hsched (docs/guest.md): runs job.sh beside this file, tells its exit status,\n"
    "# powers off. cloud-init runs a copy of this file, so look for the disk then.\n"
    "run=/run/hsched\n"
    "seed=$(dirname \"$0\")\n"
    "mkdir -p \"$run/seed\"\n"
    "if [ ! -f \"$seed/job.sh\" ]; then\n"
    "    seed=$run/seed\n"
    "    for disk in /dev/disk/by-label/cidata /dev/disk/by-label/CIDATA /dev/vd? /dev/sr0; do\n"
    "        mount -t iso9660 -o ro \"$disk\" \"$seed\" 2>/dev/null || continue\n"
    "        [ -f \"$seed/job.sh\" ] && break\n"
    "        umount \"$seed\"\n"
    "    done\n"
    "fi\n"
    "[ -c /dev/ttyS0 ] && exec >/dev/ttyS0 2>&1 </dev/null\n"
    "cp \"$seed/job.sh\" \"$run/job\" && chmod 0700 \"$run/job\"\n"
    ". \"$seed/env.sh\"\n"
    "cd \"${HOME:-/}\" || cd /\n"
    "case $(head -c 2 \"$run/job\") in\n"
    "'#!') \"$run/job\" ;;\n"
    "*) sh \"$run/job\" ;;\n"
    "esac\n"
    "status=$?\n"
    "printf '{\"exit\":%d}\\n' \"$status\" >/dev/virtio-ports/org.hsched.job.0\n"
    "sync\n"
    "poweroff 2>/dev/null || shutdown -P now\n";

static bool is_name(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (!(c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
              || (i > 0 && c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return n > 0;
}

int hs_seed_format_env(const struct hs_seed *seed, char **ret_text, struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    FILE *file = open_memstream(&text, &n_bytes);

    if (file == NULL) {
        hs_mem_exhausted();
    }
    (void)fprintf(file, "export HSCHED_JOB_ID='%" PRIu64 "'\n", seed->job_id);
    for (size_t i = 0; i < seed->n_env; i++) {
        const char *pair = seed->env[i];
        size_t n_name = strcspn(pair, "=");

        if (pair[n_name] != '=' || !is_name(pair, n_name)) {
            (void)fclose(file);
            return hs_err_set(err, HS_E_INVALID, "env",
                              "'%.60s' is not NAME=value with a name of letters, digits and _",
                              pair);
        }
        (void)fprintf(file, "export %.*s='", (int)n_name, pair);
        for (const char *p = pair + n_name + 1; *p != '\0'; p++) {
            if (*p == '\'') {
                (void)fputs("'\\''", file);
            } else {
                (void)fputc(*p, file);
            }
        }
        (void)fputs("'\n", file);
    }
    (void)fclose(file);
    *ret_text = HS_STEAL(text);
    return 0;
}

static int add_file(struct archive *iso, const char *name, const char *text)
{
    struct archive_entry *entry = archive_entry_new();
    size_t n_bytes = strlen(text);
    int rc;

    if (entry == NULL) {
        hs_mem_exhausted();
    }
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)n_bytes);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0444);
    archive_entry_set_mtime(entry, 0, 0);
    rc = archive_write_header(iso, entry);
    if (rc == ARCHIVE_OK && archive_write_data(iso, text, n_bytes) != (la_ssize_t)n_bytes) {
        rc = ARCHIVE_FATAL;
    }
    archive_entry_free(entry);
    return rc;
}

int hs_seed_write(const struct hs_seed *seed, int fd, struct hs_err *err)
{
    HS_AUTO_MEM char *env = NULL;
    char meta_data[160];
    struct archive *iso;
    int rc = hs_seed_format_env(seed, &env, err);

    if (rc < 0) {
        return rc;
    }
    (void)snprintf(meta_data, sizeof(meta_data),
                   "instance-id: hs-%" PRIu64 "-%" PRIu64 "\nlocal-hostname: hs-%" PRIu64 "\n",
                   seed->job_id, seed->epoch, seed->job_id);
    iso = archive_write_new();
    if (iso == NULL) {
        hs_mem_exhausted();
    }
    if (archive_write_set_format_iso9660(iso) != ARCHIVE_OK
        || archive_write_set_options(iso, "iso9660:volume-id=cidata") != ARCHIVE_OK
        || archive_write_open_fd(iso, fd) != ARCHIVE_OK
        || add_file(iso, "meta-data", meta_data) != ARCHIVE_OK
        || add_file(iso, "user-data", user_data) != ARCHIVE_OK
        || add_file(iso, "env.sh", env) != ARCHIVE_OK
        || add_file(iso, "job.sh", seed->script != NULL ? seed->script : "") != ARCHIVE_OK
        || archive_write_close(iso) != ARCHIVE_OK) {
        const char *text = archive_error_string(iso);

        rc = hs_err_set(err, HS_E_SYSTEM, "seed", "libarchive: %s", text != NULL ? text : "failed");
    }
    (void)archive_write_free(iso);
    return rc;
}
