/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * backupfile - what `hschedd --backup` writes: gzip of JSON lines.
 *
 * The first line says whose state it is and of when (struct hs_backupfile_head). Each further one
 * is a record as the store keeps it, in its envelope (record.h), so that each has its checksum and
 * a newer hschedd carries it forward: {"table":"jobs","key":"12","record":"1:9ae0daaf:{…}"}, or
 * {"log":"journal","record":…}. The last line counts them: a file without it is not whole.
 * Any one thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

#define HS_BACKUPFILE_VERSION 1 /* of the lines; records have schemas of their own */

struct hs_backupfile_head {
    char cell[65];
    char store_id[40];
    uint64_t epoch;
    uint64_t writes;
    int64_t taken_at_s; /* wall time, Unix UTC */
};

/** A record with its place, open. */
struct hs_backupfile_row {
    bool is_log;
    const char *table; /* or log */
    const char *key;   /* "" of a log */
    const char *text;
};

struct hs_backupfile;

/**
 * Begin to write @path; what is there stays until the commit. For its owner's eyes only: jobs hold
 * scripts.
 *
 * @param ret_file  owned by the caller on success
 * @return 0, or as hs_wholefile_new()
 */
int hs_backupfile_new(const char *path, const struct hs_backupfile_head *head,
                      struct hs_backupfile **ret_file, struct hs_err *err);

/** Append @row. A failure is kept for the commit, and what follows it is not written. */
void hs_backupfile_add(struct hs_backupfile *file, const struct hs_backupfile_row *row);

/** 0, or that of the first failure so far. */
int hs_backupfile_check(const struct hs_backupfile *file, struct hs_err *err);

/** Whole, synced and in its place. Call once, last. @return 0 or -HS_E_SYSTEM: nothing changed */
int hs_backupfile_commit(struct hs_backupfile *file, struct hs_err *err);

/** Accepts NULL; what was not committed is removed. */
void hs_backupfile_free(struct hs_backupfile *file);
HS_DEFINE_AUTO(hs_backupfile);
