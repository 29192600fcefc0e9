/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * wholefile - a file that holds its old content or its new one, never a mixture.
 *
 * What is written goes into `<path>.part` beside the file and takes its place by a rename, after
 * fsync of the file and before fsync of the folder. Whatever fails (disk full, I/O error, kill -9)
 * leaves the old file as it was; a part that was left behind is overwritten by the next writer.
 * Every file that the programs replace goes this way (promise 14). Any one thread.
 */

#include <stddef.h>
#include <sys/types.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"

struct hs_wholefile;

enum hs_wholefile_care {
    HS_WHOLEFILE_DURABLE, /* there after a power cut once it was committed */
    HS_WHOLEFILE_LOOSE,   /* no fsync: after a power cut perhaps the old one, or none */
};

/**
 * Begin to write; the file itself is not touched yet.
 *
 * @param path  a plain file, a symbolic link to one, or a name that is free; copied
 * @param mode  of a new file, the umask is taken off; a file that is there keeps its own
 * @param ret_file  owned by the caller on success
 * @return 0, -HS_E_CONFLICT (another process is writing it), -HS_E_INVALID (no plain file),
 *         -HS_E_SYSTEM
 */
int hs_wholefile_new(const char *path, mode_t mode, enum hs_wholefile_care care,
                     struct hs_wholefile **ret_file, struct hs_err *err);

/** Descriptor of the part, for libraries that write for themselves. Stays ours. */
int hs_wholefile_get_fd(const struct hs_wholefile *file);

/** Append to the part. @param bytes  [n_bytes]. @return 0 or -HS_E_SYSTEM */
int hs_wholefile_write(struct hs_wholefile *file, const void *bytes, size_t n_bytes,
                       struct hs_err *err);

/**
 * Put the part in the file's place. Call once, last.
 *
 * @return 0, or -HS_E_SYSTEM: then the file is the old one, or (only where the folder could not be
 *         synced) the new one that a power cut may still take back
 */
int hs_wholefile_commit(struct hs_wholefile *file, struct hs_err *err);

/** Removes the part unless it was committed. Accepts NULL. */
void hs_wholefile_free(struct hs_wholefile *file);
HS_DEFINE_AUTO(hs_wholefile);

/** All of it in one call, durable. @param bytes  [n_bytes]. @return as of the calls above */
int hs_wholefile_put(const char *path, mode_t mode, const void *bytes, size_t n_bytes,
                     struct hs_err *err);
