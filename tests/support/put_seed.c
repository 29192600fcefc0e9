/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put_seed - makes a job's files below DIR as a libvirt host does before it starts the machine,
 * with a script of COUNT bytes; or looks whether its seed is whole: exit 0, 1 if there is none, 3
 * if it is a part of one. tests/cli/disk_full.py fails each of its system calls in turn.
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/compute/job_files.h"
#include "scheduler/base/mem.h"

#define JOB_ID 7
#define ABSENT 1
#define PART   3

static const char *const env[] = {"COLOUR=green"};

static int make(const struct hs_job_files *files, const char *script)
{
    const struct hs_job_files_owner owner = {.is_known = false};
    const struct hs_seed seed = {
        .job_id = JOB_ID, .epoch = 1, .script = script, .env = env, .n_env = 1};
    struct hs_err err = {0};

    if (hs_job_files_make(files, &seed, &owner, &err) != 0) {
        fprintf(stderr, "put_seed: %s: %s\n", err.where, err.text);
        return 1;
    }
    return 0;
}

/** Does the entry that @iso stands at hold exactly @want? */
static int holds(struct archive *iso, const char *want)
{
    size_t n = strlen(want);
    HS_AUTO_MEM char *got = hs_xcalloc(n + 1, 1);

    return archive_read_data(iso, got, n + 1) == (la_ssize_t)n && memcmp(got, want, n) == 0;
}

static int check(const struct hs_job_files *files, const char *script)
{
    struct archive *iso = archive_read_new();
    struct archive_entry *entry;
    int n_whole = 0;

    if (access(files->seed, F_OK) != 0) {
        (void)archive_read_free(iso);
        return ABSENT;
    }
    (void)archive_read_support_format_iso9660(iso);
    if (archive_read_open_filename(iso, files->seed, 4096) == ARCHIVE_OK) {
        while (archive_read_next_header(iso, &entry) == ARCHIVE_OK) {
            const char *name = archive_entry_pathname(entry);

            n_whole += strcmp(name, "job.sh") == 0 && holds(iso, script);
            n_whole += strcmp(name, "env.sh") == 0
                       && holds(iso, "export HSCHED_JOB_ID='7'\nexport COLOUR='green'\n");
            n_whole += strcmp(name, "user-data") == 0 || strcmp(name, "meta-data") == 0;
        }
    }
    (void)archive_read_free(iso);
    return n_whole == 4 ? 0 : PART;
}

int main(int argc, char **argv)
{
    HS_AUTO_MEM char *script = NULL;
    struct hs_job_files files;
    struct hs_err err = {0};
    size_t n;

    if (argc != 4 || hs_job_files_find(argv[2], JOB_ID, &files, &err) != 0) {
        fprintf(stderr, "usage: put_seed make|check DIR COUNT\n");
        return 2;
    }
    n = strtoul(argv[3], NULL, 10);
    script = hs_xcalloc(n + 1, 1);
    memset(script, 'x', n);
    return strcmp(argv[1], "make") == 0 ? make(&files, script) : check(&files, script);
}
