/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/compute/console_text.h"
#include "adapters/compute/job_files.h"
#include "adapters/compute/libvirt_request.h"
#include "adapters/compute/libvirt_uri.h"

static char work_dir[] = "/tmp/hsj-XXXXXX";
static struct hs_job_files files;
static const struct hs_job_files_owner owner = {0};

static int start(void **state)
{
    (void)snprintf(work_dir, sizeof(work_dir), "/tmp/hsj-XXXXXX");
    if (mkdtemp(work_dir) == NULL || hs_job_files_find(work_dir, 9, &files, NULL) != 0) {
        return -1;
    }
    return hs_job_files_make(&files, &(struct hs_seed){.job_id = 9, .epoch = 1}, &owner, NULL);
}

static int end(void **state)
{
    (void)hs_job_files_remove(&files, NULL);
    return rmdir(work_dir);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *want)
{
    char got[256] = "";
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    (void)!fread(got, 1, sizeof(got) - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(got, want);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* The job's files on another host, to which its machine is about to come. */
static void make_coming(struct hs_job_files *ret_files)
{
    char dir[64];

    (void)snprintf(dir, sizeof(dir), "%s/to", work_dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(hs_job_files_find(dir, 9, ret_files, NULL), 0);
    assert_int_equal(hs_job_files_make_for_move(ret_files, &files, &owner, NULL), 0);
}

static void remove_coming(const struct hs_job_files *coming)
{
    char dir[64];

    (void)snprintf(dir, sizeof(dir), "%s/to", work_dir);
    assert_int_equal(hs_job_files_remove(coming, NULL), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void job_files__of_a_move_are_taken_once_it_has_come(void **state)
{
    struct hs_job_files coming;
    struct hs_machine_end told = {0};
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;

    put(files.seed, "seed");
    make_coming(&coming);
    put(files.console, "tick 1\n");
    assert_true(hs_job_files_is_coming(&coming));
    assert_holds(coming.seed, "seed");
    /* until then its words are at the source, and its end is nobody's */
    assert_int_equal(hs_job_files_read_console(&coming, 100, &text, &n_bytes, NULL), 0);
    assert_string_equal(text, "tick 1\n");
    assert_int_equal(hs_job_files_read_end(&coming, 9, &told, NULL), -HS_E_CONFLICT);
    assert_int_equal(hs_job_files_take(&coming, NULL), 0);
    assert_false(hs_job_files_is_coming(&coming));
    assert_holds(coming.console, "tick 1\n");
    assert_false(is_there(files.dir));
    put(coming.exit, "{\"exit\":3}\n");
    assert_int_equal(hs_job_files_take(&coming, NULL), 0); /* nothing more to take */
    assert_int_equal(hs_job_files_read_end(&coming, 9, &told, NULL), 0);
    assert_int_equal(told.exit_status, 3);
    remove_coming(&coming);
}

static void job_files__of_a_move_that_failed_leave_the_source_s_alone(void **state)
{
    struct hs_job_files coming;

    make_coming(&coming);
    put(files.console, "tick 1\n");
    assert_int_equal(hs_job_files_remove(&coming, NULL), 0);
    assert_false(is_there(coming.dir));
    assert_false(is_there(coming.from));
    assert_holds(files.console, "tick 1\n");
    remove_coming(&coming);
}

static void job_files__a_link_in_a_guest_s_folder_is_not_followed(void **state)
{
    struct hs_job_files coming;
    char secret[64];

    (void)snprintf(secret, sizeof(secret), "%s/secret", work_dir);
    put(secret, "secret");
    make_coming(&coming);
    assert_int_equal(unlink(files.console), 0);
    assert_int_equal(symlink(secret, files.console), 0);
    assert_int_equal(hs_job_files_take(&coming, NULL), 0);
    assert_holds(coming.console, "");
    remove_coming(&coming);
    assert_int_equal(unlink(secret), 0);
}

static int parse(const char *text)
{
    int status = -1;

    return hs_job_files_parse_exit(text, strlen(text), &status) == 0 ? status : -1;
}

static void parse_exit__takes_the_last_right_line(void **state)
{
    assert_int_equal(parse("{\"exit\":0}\n"), 0);
    assert_int_equal(parse("{ \"exit\" : 255, \"more\": [1] }\r\n"), 255);
    assert_int_equal(parse("noise\n{\"exit\":3}\nnoise\n"), 3);
    assert_int_equal(parse("{\"exit\":3}\n{\"exit\":4}\n"), 4);
    assert_int_equal(parse("\n\n{\"exit\":3}\n\n"), 3);
}

static void parse_exit__takes_nothing_else(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "{\"exit\":0}",
        "{\"exit\":256}\n",
        "{\"exit\":-1}\n",
        "exit 0\n",
        "{\"exit\":true}\n",
        "[0]\n",
        "{\"exit\":1,\"exit\":0}\n",
        "{\"exit\":1.5}\n",
        "0\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(bad[i]), -1);
    }
}

static void job_files__end_is_what_the_guest_told(void **state)
{
    struct hs_machine_end told;

    assert_int_equal(hs_job_files_read_end(&files, 9, &told, NULL), 0);
    assert_false(told.has_exit_status);
    put(files.exit, "{\"exit\":5}\n");
    assert_int_equal(hs_job_files_read_end(&files, 9, &told, NULL), 0);
    assert_true(told.has_exit_status);
    assert_int_equal(told.exit_status, 5);
    assert_int_equal(told.job_id, 9);
    /* a new run must not end as the one before it */
    assert_int_equal(
        hs_job_files_make(&files, &(struct hs_seed){.job_id = 9, .epoch = 2}, &owner, NULL), 0);
    assert_int_equal(hs_job_files_read_end(&files, 9, &told, NULL), 0);
    assert_false(told.has_exit_status);
    assert_int_equal(hs_job_files_remove(&files, NULL), 0);
    assert_int_equal(hs_job_files_read_end(&files, 9, &told, NULL), -HS_E_NOTFOUND);
}

static void job_files__guests_cannot_point_us_elsewhere(void **state)
{
    struct hs_machine_end told;
    char *text = NULL;
    size_t n = 0;

    assert_int_equal(unlink(files.exit), 0);
    assert_int_equal(symlink("/etc/passwd", files.exit), 0);
    assert_int_equal(hs_job_files_read_end(&files, 9, &told, NULL), -HS_E_PROTOCOL);
    assert_int_equal(unlink(files.console), 0);
    assert_int_equal(mkfifo(files.console, 0600), 0);
    assert_int_equal(hs_job_files_read_console(&files, 10, &text, &n, NULL), -HS_E_PROTOCOL);
    assert_null(text);
}

static void job_files__an_end_is_not_lost_for_want_of_a_descriptor(void **state)
{
    struct hs_machine_end told;
    struct rlimit limit;
    struct rlimit none;

    put(files.exit, "{\"exit\":0}\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(hs_job_files_read_end(&files, 9, &told, NULL), -HS_E_UNAVAILABLE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(hs_job_files_read_end(&files, 9, &told, NULL), 0);
    assert_true(told.has_exit_status);
}

static void job_files__seed_of_an_ended_job_goes_and_its_end_stays(void **state)
{
    struct hs_libvirt_request request = {.job_id = 9, .files = files};

    /* nobody knows whether it booted: it may be made again */
    assert_int_equal(hs_libvirt_request_read_end(&request, NULL), 0);
    assert_int_equal(access(files.seed, F_OK), 0);
    put(files.exit, "{\"exit\":5}\n");
    assert_int_equal(hs_libvirt_request_read_end(&request, NULL), 0);
    assert_int_equal(request.end.exit_status, 5);
    assert_int_equal(access(files.seed, F_OK), -1);
    assert_int_equal(access(files.exit, F_OK), 0);
    assert_int_equal(access(files.console, F_OK), 0);
}

static void job_files__seed_is_nobody_elses(void **state)
{
    struct stat st;

    assert_int_equal(stat(files.seed, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(st.st_size > 16 * 2048);
}

static void job_files__console_gives_the_newest_bytes(void **state)
{
    HS_AUTO_MEM char *text = NULL;
    size_t n = 0;

    put(files.console, "old line\r\n\033[31mred\033[0m \xff line\r\n");
    assert_int_equal(hs_job_files_read_console(&files, 23, &text, &n, NULL), 0);
    assert_string_equal(text, "\nred ? line\n");
    assert_int_equal(n, strlen(text));
}

static void console_text__is_clean_utf8(void **state)
{
    static const char *const cases[][2] = {
        {"a\tb\n", "a\tb\n"},
        {"\033c\033[?7l\033[2Jgo\r\n", "go\n"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5"},
        {"\xc0\xaf \xed\xa0\x80 \xc3", "?? ??? ?"},
        {"x\033", "x"},
        {"x\033[12", "x"},
        {"bell\a\x7f!", "bell!"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        size_t n = (size_t)snprintf(text, sizeof(text), "%s", cases[i][0]);

        n = hs_console_text_clean(text, n);
        text[n] = '\0';
        assert_string_equal(text, cases[i][1]);
    }
}

static void libvirt_uri__knows_who_shares_our_files(void **state)
{
    struct hs_libvirt_uri uri;

    assert_int_equal(hs_libvirt_uri_parse("qemu:///system", &uri, NULL), 0);
    assert_true(uri.is_local && !uri.is_session);
    assert_int_equal(
        hs_libvirt_uri_parse("qemu+unix:///session?socket=/a%20b/s&mode=direct", &uri, NULL), 0);
    assert_true(uri.is_local && uri.is_session);
    assert_string_equal(uri.socket, "/a b/s");
    assert_int_equal(hs_libvirt_uri_parse("qemu+tls://h1.pool.example/system", &uri, NULL), 0);
    assert_false(uri.is_local);
    assert_int_equal(hs_libvirt_uri_parse("qemu+ssh:///system", &uri, NULL), 0);
    assert_false(uri.is_local);
    assert_int_equal(hs_libvirt_uri_parse("no uri at all", &uri, NULL), -HS_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(job_files__of_a_move_are_taken_once_it_has_come, start,
                                        end),
        cmocka_unit_test_setup_teardown(job_files__of_a_move_that_failed_leave_the_source_s_alone,
                                        start, end),
        cmocka_unit_test_setup_teardown(job_files__a_link_in_a_guest_s_folder_is_not_followed,
                                        start, end),
        cmocka_unit_test(parse_exit__takes_the_last_right_line),
        cmocka_unit_test(parse_exit__takes_nothing_else),
        cmocka_unit_test_setup_teardown(job_files__end_is_what_the_guest_told, start, end),
        cmocka_unit_test_setup_teardown(job_files__guests_cannot_point_us_elsewhere, start, end),
        cmocka_unit_test_setup_teardown(job_files__an_end_is_not_lost_for_want_of_a_descriptor,
                                        start, end),
        cmocka_unit_test_setup_teardown(job_files__seed_of_an_ended_job_goes_and_its_end_stays,
                                        start, end),
        cmocka_unit_test_setup_teardown(job_files__seed_is_nobody_elses, start, end),
        cmocka_unit_test_setup_teardown(job_files__console_gives_the_newest_bytes, start, end),
        cmocka_unit_test(console_text__is_clean_utf8),
        cmocka_unit_test(libvirt_uri__knows_who_shares_our_files),
    };
    return cmocka_run_group_tests_name("job_files", tests, NULL, NULL);
}
