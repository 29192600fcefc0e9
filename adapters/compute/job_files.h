/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * job_files - a job's files on a host that shares our file system: seed, console, exit status.
 *
 * They live in `<work_dir>/job-<id>/`. The guest's QEMU writes console and exit as the user of
 * its libvirt daemon, so nothing read here is trusted: no links are followed, sizes are bounded.
 * Blocking; called on lanes only.
 */

#include <sys/types.h>

#include "adapters/compute/compute.h"
#include "adapters/compute/seed.h"

#define HS_JOB_FILES_PATH_MAX 4096

struct hs_job_files {
    char dir[HS_JOB_FILES_PATH_MAX];
    char seed[HS_JOB_FILES_PATH_MAX];
    char console[HS_JOB_FILES_PATH_MAX];
    char exit[HS_JOB_FILES_PATH_MAX];
    char from[HS_JOB_FILES_PATH_MAX]; /* ours alone: the folder it comes from, until it is here */
};

/** Who must be able to reach the files. */
struct hs_job_files_owner {
    bool is_known; /* else the files stay ours and libvirt's security driver hands them over */
    uid_t uid;
    gid_t gid;
};

/** @return 0 or -HS_E_INVALID if the paths are too long */
int hs_job_files_find(const char *work_dir, uint64_t job_id, struct hs_job_files *ret_files,
                      struct hs_err *err);

/** Make them anew: the seed filled, console and exit empty. Files of an earlier run go. */
int hs_job_files_make(const struct hs_job_files *files, const struct hs_seed *seed,
                      const struct hs_job_files_owner *owner, struct hs_err *err);

/**
 * Make them anew for a machine that is about to come from another host: the seed a copy, console
 * and exit empty, and a note beside them that says where the machine's own files lie until
 * hs_job_files_take().
 */
int hs_job_files_make_for_move(const struct hs_job_files *files, const struct hs_job_files *source,
                               const struct hs_job_files_owner *owner, struct hs_err *err);

/**
 * The machine has come, and is paused still: what it had said goes in front of what it will say,
 * and its files at the source go. May be repeated; without a note nothing is done.
 */
int hs_job_files_take(const struct hs_job_files *files, struct hs_err *err);

/** Is there a note that its machine is to come, and has it not been taken in? */
bool hs_job_files_is_coming(const struct hs_job_files *files);

/**
 * Read what the guest told at its end (docs/guest.md).
 *
 * @return 0, -HS_E_NOTFOUND if the job has no files here, -HS_E_CONFLICT if its machine was to come
 *         and was never taken in, -HS_E_UNAVAILABLE if they cannot be read now (no descriptor left,
 *         a disk error): ask again
 */
int hs_job_files_read_end(const struct hs_job_files *files, uint64_t job_id,
                          struct hs_machine_end *ret_end, struct hs_err *err);

/**
 * The last exit status line of @text, if there is one.
 *
 * @return 0 or -HS_E_NOTFOUND
 */
int hs_job_files_parse_exit(const char *text, size_t n_bytes, int *ret_status);

/** The newest bytes of the console, cleaned. @param ret_text  owned by the caller on success */
int hs_job_files_read_console(const struct hs_job_files *files, size_t n_max_bytes, char **ret_text,
                              size_t *ret_n_bytes, struct hs_err *err);

/** The seed of a job that is over: nobody boots it again, and it holds the job's environment. */
void hs_job_files_remove_seed(const struct hs_job_files *files);

/** Nothing there is success. */
int hs_job_files_remove(const struct hs_job_files *files, struct hs_err *err);
