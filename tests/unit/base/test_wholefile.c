/* SPDX-License-Identifier: Apache-2.0 */
/* The failing disk is a limit on the size of files here; tests/cli/daemon_diskfull.py fails each
 * system call of the programs in turn. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "scheduler/base/wholefile.h"

#define TOO_LONG 100000

static char dir[64];
static char path[128];
static char part[128];

static int delete_one(const char *name, const struct stat *info, int kind, struct FTW *ftw)
{
    return remove(name);
}

static int set_up(void **state)
{
    (void)snprintf(dir, sizeof(dir), "%s/hs-whole-XXXXXX", P_tmpdir);
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/state", dir);
    (void)snprintf(part, sizeof(part), "%s/state.part", dir);
    (void)signal(SIGXFSZ, SIG_IGN);
    return 0;
}

static int tear_down(void **state)
{
    return nftw(dir, delete_one, 4, FTW_DEPTH | FTW_PHYS);
}

static void assert_content(const char *want)
{
    char text[64] = {0};
    HS_AUTO_FD fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof(text) - 1) >= 0);
    assert_string_equal(text, want);
    assert_int_equal(access(part, F_OK), -1);
}

static void put(const char *text)
{
    struct hs_err err;

    assert_int_equal(hs_wholefile_put(path, 0600, text, strlen(text), &err), 0);
}

static void wholefile__replaces_a_file_and_keeps_its_mode(void **state)
{
    struct stat status;

    put("old");
    assert_content("old");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    put("new");
    assert_content("new");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void wholefile__without_commit_changes_nothing(void **state)
{
    struct hs_wholefile *file = NULL;

    put("old");
    assert_int_equal(hs_wholefile_new(path, 0600, HS_WHOLEFILE_DURABLE, &file, NULL), 0);
    assert_int_equal(hs_wholefile_write(file, "new", 3, NULL), 0);
    hs_wholefile_free(file);
    assert_content("old");
}

static void wholefile__on_a_full_disk_keeps_the_old(void **state)
{
    static char text[TOO_LONG];
    struct rlimit before, small;
    struct hs_err err;
    int rc;

    put("old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = TOO_LONG / 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rc = hs_wholefile_put(path, 0600, text, sizeof(text), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -HS_E_SYSTEM);
    assert_int_equal(err.sys_errno, EFBIG);
    assert_content("old");
}

static void wholefile__is_not_written_by_two_at_once(void **state)
{
    struct hs_wholefile *first = NULL;
    struct hs_err err;

    assert_int_equal(hs_wholefile_new(path, 0600, HS_WHOLEFILE_DURABLE, &first, NULL), 0);
    assert_int_equal(hs_wholefile_put(path, 0600, "second", 6, &err), -HS_E_CONFLICT);
    assert_int_equal(hs_wholefile_write(first, "first", 5, NULL), 0);
    assert_int_equal(hs_wholefile_commit(first, NULL), 0);
    hs_wholefile_free(first);
    assert_content("first");
}

static void wholefile__clears_what_a_killed_writer_left(void **state)
{
    HS_AUTO_FD fd = open(part, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, "much longer than new", 20), 20);
    put("new");
    assert_content("new");
}

static void wholefile__follows_a_link_and_refuses_a_device(void **state)
{
    char link[160];
    struct stat status;
    struct hs_err err;

    put("old");
    (void)snprintf(link, sizeof(link), "%s/link", dir);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(hs_wholefile_put(link, 0600, "new", 3, NULL), 0);
    assert_content("new");
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(hs_wholefile_put("/dev/null", 0600, "x", 1, &err), -HS_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wholefile__replaces_a_file_and_keeps_its_mode, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wholefile__without_commit_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wholefile__on_a_full_disk_keeps_the_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wholefile__is_not_written_by_two_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wholefile__clears_what_a_killed_writer_left, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wholefile__follows_a_link_and_refuses_a_device, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
