/* SPDX-License-Identifier: Apache-2.0 */
/* job_files - seed, console and exit file of one job. */
#include "adapters/compute/job_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/compute/console_text.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"

#define EXIT_MAX_BYTES    4096 /* of the channel: one line is expected */
#define SEED_MAX_BYTES    (4U * 1024 * 1024)
#define CONSOLE_MAX_BYTES (8U * 1024 * 1024) /* of one answer */

static int fail(struct hs_err *err, const char *path, const char *what)
{
    int sys_errno = errno;
    int rc = hs_err_set(err, HS_E_SYSTEM, path, "cannot %s: %s", what, strerror(sys_errno));

    if (err != NULL) {
        err->sys_errno = sys_errno;
    }
    return rc;
}

int hs_job_files_find(const char *work_dir, uint64_t job_id, struct hs_job_files *ret_files,
                      struct hs_err *err)
{
    const size_t size = HS_JOB_FILES_PATH_MAX;

    if (strlen(work_dir) > size - 64) {
        return hs_err_set(err, HS_E_INVALID, "work_dir", "path is longer than %zu bytes",
                          size - 64);
    }
    (void)snprintf(ret_files->dir, size, "%s/job-%" PRIu64, work_dir, job_id);
    (void)snprintf(ret_files->seed, size, "%s/job-%" PRIu64 "/seed.iso", work_dir, job_id);
    (void)snprintf(ret_files->console, size, "%s/job-%" PRIu64 "/console.log", work_dir, job_id);
    (void)snprintf(ret_files->exit, size, "%s/job-%" PRIu64 "/exit.json", work_dir, job_id);
    /* not in the job's folder: a guest's QEMU may write there, and we read what this names */
    (void)snprintf(ret_files->from, size, "%s/job-%" PRIu64 ".from", work_dir, job_id);
    return 0;
}

static int open_new(const char *path, struct hs_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : fail(err, path, "be made");
}

static int hand_over(int fd, const char *path, const struct hs_job_files_owner *owner,
                     struct hs_err *err)
{
    if (owner->is_known && geteuid() == 0 && owner->uid != 0
        && fchown(fd, owner->uid, owner->gid) != 0) {
        return fail(err, path, "be given to the host's user");
    }
    return 0;
}

static int write_all(int fd, const char *path, const char *text, size_t n_bytes, struct hs_err *err)
{
    size_t n_done = 0;

    while (n_done < n_bytes) {
        ssize_t n = write(fd, text + n_done, n_bytes - n_done);

        if (n < 0 && errno != EINTR) {
            return fail(err, path, "be written");
        }
        n_done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int read_tail(const char *path, size_t n_max_bytes, char **ret_text, size_t *ret_n_bytes,
                     struct hs_err *err);

/** What a file begins with: a seed made anew, or one that is there, or nothing. */
struct content {
    const struct hs_seed *seed; /* nullable */
    const char *copied;         /* path, nullable */
};

static int make_file(const char *path, const struct content *content,
                     const struct hs_job_files_owner *owner, struct hs_err *err)
{
    HS_AUTO_FD fd = open_new(path, err);
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    int rc = fd < 0 ? fd : 0;

    if (rc == 0 && content->seed != NULL) {
        rc = hs_seed_write(content->seed, fd, err);
    } else if (rc == 0 && content->copied != NULL) {
        rc = read_tail(content->copied, SEED_MAX_BYTES, &text, &n_bytes, err);
        rc = rc < 0 ? rc : write_all(fd, path, text, n_bytes, err);
    }
    return rc < 0 ? rc : hand_over(fd, path, owner, err);
}

static int make_all(const struct hs_job_files *files, const struct content *seed,
                    const struct hs_job_files_owner *owner, struct hs_err *err)
{
    const struct content nothing = {0};
    HS_AUTO_FD dir = -1;
    int rc = hs_job_files_remove(files, err);

    if (rc < 0) {
        return rc;
    }
    /* an unknown user (of qemu:///system) must at least pass through; the seed stays closed */
    if (mkdir(files->dir, owner->is_known ? 0700 : 0711) != 0) {
        return fail(err, files->dir, "be made");
    }
    dir = open(files->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        return fail(err, files->dir, "be opened");
    }
    rc = make_file(files->seed, seed, owner, err);
    if (rc == 0) {
        rc = make_file(files->console, &nothing, owner, err);
    }
    if (rc == 0) {
        rc = make_file(files->exit, &nothing, owner, err);
    }
    /* the folder last: until here nobody else could put anything into it */
    if (rc == 0) {
        rc = hand_over(dir, files->dir, owner, err);
    }
    if (rc < 0) {
        (void)hs_job_files_remove(files, NULL);
    }
    return rc;
}

int hs_job_files_make(const struct hs_job_files *files, const struct hs_seed *seed,
                      const struct hs_job_files_owner *owner, struct hs_err *err)
{
    return make_all(files, &(struct content){.seed = seed}, owner, err);
}

int hs_job_files_make_for_move(const struct hs_job_files *files, const struct hs_job_files *source,
                               const struct hs_job_files_owner *owner, struct hs_err *err)
{
    int rc = make_all(files, &(struct content){.copied = source->seed}, owner, err);

    if (rc == 0) {
        HS_AUTO_FD fd = open_new(files->from, err);

        rc = fd < 0 ? fd : write_all(fd, files->from, source->dir, strlen(source->dir), err);
    }
    if (rc < 0) {
        (void)hs_job_files_remove(files, NULL);
    }
    return rc;
}

/** As fail(); what may be read a moment later is -HS_E_UNAVAILABLE. */
static int fail_reading(struct hs_err *err, const char *path)
{
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EIO:
    case ESTALE:
        return hs_err_set(err, HS_E_UNAVAILABLE, path, "cannot be read now: %s", strerror(errno));
    case ELOOP:
        return hs_err_set(err, HS_E_PROTOCOL, path, "is not a plain file");
    default:
        return fail(err, path, "be read");
    }
}

/** Up to @n_max_bytes from the end of a plain file. */
static int read_tail(const char *path, size_t n_max_bytes, char **ret_text, size_t *ret_n_bytes,
                     struct hs_err *err)
{
    HS_AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    HS_AUTO_MEM char *text = NULL;
    struct stat st;
    size_t n_bytes = 0;
    off_t from;

    if (fd < 0 && errno == ENOENT) {
        return hs_err_set(err, HS_E_NOTFOUND, path, "does not exist");
    }
    if (fd < 0 || fstat(fd, &st) != 0) {
        return fail_reading(err, path);
    }
    if (!S_ISREG(st.st_mode)) {
        return hs_err_set(err, HS_E_PROTOCOL, path, "is not a plain file");
    }
    from = st.st_size > (off_t)n_max_bytes ? st.st_size - (off_t)n_max_bytes : 0;
    text = hs_xcalloc(n_max_bytes + 1, 1);
    while (n_bytes < n_max_bytes) {
        ssize_t n = pread(fd, text + n_bytes, n_max_bytes - n_bytes, from + (off_t)n_bytes);

        if (n < 0 && errno != EINTR) {
            return fail_reading(err, path);
        }
        if (n == 0) {
            break;
        }
        n_bytes += n > 0 ? (size_t)n : 0;
    }
    *ret_text = HS_STEAL(text);
    *ret_n_bytes = n_bytes;
    return 0;
}

int hs_job_files_parse_exit(const char *text, size_t n_bytes, int *ret_status)
{
    size_t n_end = n_bytes;

    /* the last complete line that is right counts; a guest may have said anything before */
    while (n_end > 0) {
        const char *newline = memrchr(text, '\n', n_end);
        size_t n_line_end = newline != NULL ? (size_t)(newline - text) : 0;
        const char *before = n_line_end > 0 ? memrchr(text, '\n', n_line_end) : NULL;
        size_t start = before != NULL ? (size_t)(before - text) + 1 : 0;
        json_auto_t *json = NULL;
        json_t *status;

        if (newline == NULL) {
            break;
        }
        if (hs_jsonx_parse("exit", text + start, n_line_end - start, &json, NULL) == 0) {
            status = json_object_get(json, "exit");
            if (json_is_integer(status) && json_integer_value(status) >= 0
                && json_integer_value(status) <= 255) {
                *ret_status = (int)json_integer_value(status);
                return 0;
            }
        }
        n_end = start;
    }
    return -HS_E_NOTFOUND;
}

int hs_job_files_read_end(const struct hs_job_files *files, uint64_t job_id,
                          struct hs_machine_end *ret_end, struct hs_err *err)
{
    struct hs_machine_end end = {.job_id = job_id};
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    int rc;

    if (hs_job_files_is_coming(files)) {
        return hs_err_set(err, HS_E_CONFLICT, files->from, "its machine never came");
    }
    rc = read_tail(files->exit, EXIT_MAX_BYTES, &text, &n_bytes, err);

    if (rc < 0) {
        return rc;
    }
    end.has_exit_status = hs_job_files_parse_exit(text, n_bytes, &end.exit_status) == 0;
    *ret_end = end;
    return 0;
}

/** Where its files lie until it has come. @return 0, or -HS_E_NOTFOUND if it is not to come */
static int read_from(const struct hs_job_files *files, struct hs_job_files *ret_source,
                     struct hs_err *err)
{
    const size_t size = HS_JOB_FILES_PATH_MAX;
    HS_AUTO_MEM char *dir = NULL;
    size_t n_bytes = 0;
    int rc = read_tail(files->from, size - 64, &dir, &n_bytes, err);

    if (rc < 0) {
        return rc;
    }
    *ret_source = (struct hs_job_files){0};
    (void)snprintf(ret_source->dir, size, "%s", dir);
    (void)snprintf(ret_source->seed, size, "%.4000s/seed.iso", dir);
    (void)snprintf(ret_source->console, size, "%.4000s/console.log", dir);
    (void)snprintf(ret_source->exit, size, "%.4000s/exit.json", dir);
    (void)snprintf(ret_source->from, size, "%.4000s.from", dir);
    return 0;
}

bool hs_job_files_is_coming(const struct hs_job_files *files)
{
    struct stat st;

    return lstat(files->from, &st) == 0;
}

/** The newest bytes of a plain file become the whole of another; none there is an empty one. */
static int take_file(const char *from, const char *to, struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    HS_AUTO_FD fd = -1;
    struct stat st;
    size_t n_bytes = 0;
    int rc = read_tail(from, CONSOLE_MAX_BYTES, &text, &n_bytes, err);

    if (rc < 0) {
        return rc == -HS_E_NOTFOUND || rc == -HS_E_PROTOCOL ? 0 : rc;
    }
    fd = open(to, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || ftruncate(fd, 0) != 0) {
        return fail(err, to, "be filled");
    }
    return write_all(fd, to, text, n_bytes, err);
}

int hs_job_files_take(const struct hs_job_files *files, struct hs_err *err)
{
    struct hs_job_files source;
    int rc = read_from(files, &source, err);

    if (rc < 0) {
        return rc == -HS_E_NOTFOUND ? 0 : rc;
    }
    rc = take_file(source.console, files->console, err);
    rc = rc < 0 ? rc : take_file(source.exit, files->exit, err);
    /* the note goes last: whoever dies before finds it, and nothing more to take */
    rc = rc < 0 ? rc : hs_job_files_remove(&source, err);
    if (rc == 0 && unlink(files->from) != 0 && errno != ENOENT) {
        rc = fail(err, files->from, "be removed");
    }
    return rc;
}

int hs_job_files_read_console(const struct hs_job_files *files, size_t n_max_bytes, char **ret_text,
                              size_t *ret_n_bytes, struct hs_err *err)
{
    size_t n_bytes = 0;
    struct hs_job_files source;
    /* until it has come its words are elsewhere */
    bool is_coming = read_from(files, &source, NULL) == 0;
    int rc = read_tail(is_coming ? source.console : files->console,
                       n_max_bytes < CONSOLE_MAX_BYTES ? n_max_bytes : CONSOLE_MAX_BYTES, ret_text,
                       &n_bytes, err);

    if (rc == 0) {
        *ret_n_bytes = hs_console_text_clean(*ret_text, n_bytes);
        (*ret_text)[*ret_n_bytes] = '\0';
    }
    return rc;
}

void hs_job_files_remove_seed(const struct hs_job_files *files)
{
    (void)unlink(files->seed); /* if it stays, hs_job_files_remove() meets it again */
}

int hs_job_files_remove(const struct hs_job_files *files, struct hs_err *err)
{
    const char *const paths[] = {files->from, files->seed, files->console, files->exit};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (unlink(paths[i]) != 0 && errno != ENOENT) {
            return fail(err, paths[i], "be removed");
        }
    }
    if (rmdir(files->dir) != 0 && errno != ENOENT) {
        return fail(err, files->dir, "be removed");
    }
    return 0;
}
