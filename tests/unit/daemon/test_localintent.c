/* SPDX-License-Identifier: Apache-2.0 */
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

#include "scheduler/daemon/localintent.h"

static char dir[64];
static char path[128];
static char seen[1024]; /* "key=text;" of every line */

static int delete_one(const char *name, const struct stat *info, int kind, struct FTW *ftw)
{
    return remove(name);
}

static int set_up(void **state)
{
    (void)snprintf(dir, sizeof(dir), "%s/hs-local-XXXXXX", P_tmpdir);
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/intents.local", dir);
    (void)signal(SIGXFSZ, SIG_IGN);
    return 0;
}

static int tear_down(void **state)
{
    return nftw(dir, delete_one, 4, FTW_DEPTH | FTW_PHYS);
}

static void note(const char *key, const char *text, void *arg)
{
    size_t n = strlen(seen);

    (void)snprintf(seen + n, sizeof(seen) - n, "%s=%s;", key, text);
}

/** What a new life reads. */
static size_t read_again(void)
{
    HS_AUTO(hs_localintent) local = hs_localintent_new(dir);
    size_t n_bad = 99;

    seen[0] = '\0';
    assert_int_equal(hs_localintent_read(local, note, NULL, &n_bad, NULL), 0);
    return n_bad;
}

static void add(const char *key, const char *text)
{
    HS_AUTO(hs_localintent) local = hs_localintent_new(dir);
    struct hs_err err = {0};

    assert_int_equal(hs_localintent_add(local, key, text, &err), 0);
}

static off_t get_size(void)
{
    struct stat status;

    return stat(path, &status) == 0 ? status.st_size : -1;
}

static void localintent__is_read_back_by_the_next_life(void **state)
{
    struct stat status;

    assert_int_equal(read_again(), 0);
    assert_string_equal(seen, "");
    add("7", "{\"kind\":\"suspend\",\"host\":\"pool/h 1\"}");
    add("8", "{}");
    assert_int_equal(read_again(), 0);
    assert_string_equal(seen, "7={\"kind\":\"suspend\",\"host\":\"pool/h 1\"};8={};");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void localintent__is_gone_when_cleared(void **state)
{
    HS_AUTO(hs_localintent) local = hs_localintent_new(dir);

    assert_int_equal(hs_localintent_clear(local, NULL), 0);
    assert_int_equal(hs_localintent_add(local, "7", "{}", NULL), 0);
    assert_int_equal(hs_localintent_clear(local, NULL), 0);
    assert_int_equal(get_size(), -1);
    assert_int_equal(hs_localintent_add(local, "8", "{}", NULL), 0);
    assert_int_equal(read_again(), 0);
    assert_string_equal(seen, "8={};");
}

/* kill -9 in the middle of a write: every possible end */
static void localintent__torn_at_any_byte_keeps_the_lines_before(void **state)
{
    off_t first, both;

    add("7", "{\"kind\":\"suspend\"}");
    first = get_size();
    add("8", "{\"kind\":\"throttle\"}");
    both = get_size();
    for (off_t end = both - 1; end >= first; end--) {
        assert_int_equal(truncate(path, end), 0);
        assert_int_equal(read_again(), 0);
        assert_string_equal(seen, "7={\"kind\":\"suspend\"};");
    }
    assert_int_equal(truncate(path, first + 4), 0);
    add("9", "{}");
    assert_int_equal(read_again(), 0);
    assert_string_equal(seen, "7={\"kind\":\"suspend\"};9={};");
}

static void localintent__every_changed_byte_is_found(void **state)
{
    off_t size;

    add("7", "{\"job\":12}");
    size = get_size();
    for (off_t at = 0; at < size - 1; at++) {
        HS_AUTO_FD fd = open(path, O_RDWR);
        char byte, other;

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        other = (char)(byte ^ 1);
        assert_int_equal(pwrite(fd, &other, 1, at), 1);
        (void)read_again();
        if (strcmp(seen, "") != 0) {
            fail_msg("byte %d changed: '%s'", (int)at, seen);
        }
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_int_equal(read_again(), 0);
    assert_string_equal(seen, "7={\"job\":12};");
}

static void localintent__on_a_full_disk_says_so_and_keeps_the_rest(void **state)
{
    HS_AUTO(hs_localintent) local = hs_localintent_new(dir);
    struct rlimit before, small;
    struct hs_err err = {0};
    int rc;

    assert_int_equal(hs_localintent_add(local, "7", "{}", NULL), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)get_size() + 5; /* half a line still fits */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rc = hs_localintent_add(local, "8", "{}", &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -HS_E_SYSTEM);
    assert_true(strlen(err.text) > 0);
    assert_int_equal(read_again(), 0);
    assert_string_equal(seen, "7={};");
    assert_int_equal(hs_localintent_add(local, "9", "{}", NULL), 0);
    assert_int_equal(read_again(), 0);
    assert_string_equal(seen, "7={};9={};");
}

static void localintent__takes_one_line_only(void **state)
{
    HS_AUTO(hs_localintent) local = hs_localintent_new(dir);

    assert_int_equal(hs_localintent_add(local, "7", "{\n}", NULL), -HS_E_INVALID);
    assert_int_equal(hs_localintent_add(local, "7 8", "{}", NULL), -HS_E_INVALID);
    assert_int_equal(read_again(), 0);
    assert_string_equal(seen, "");
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(localintent__is_read_back_by_the_next_life),
        CASE(localintent__is_gone_when_cleared),
        CASE(localintent__torn_at_any_byte_keeps_the_lines_before),
        CASE(localintent__every_changed_byte_is_found),
        CASE(localintent__on_a_full_disk_says_so_and_keeps_the_rest),
        CASE(localintent__takes_one_line_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
