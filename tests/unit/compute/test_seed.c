/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <unistd.h>

#include "adapters/compute/seed.h"
#include "scheduler/base/auto.h"

static const char *const env[] = {"WHO=it's", "EMPTY=", "_2=a b$c\n`d`"};
static const struct hs_seed plain = {
    .job_id = 12, .epoch = 3, .script = "#!/bin/sh\nexit 4\n", .env = env, .n_env = 3};

static int make_file(void)
{
    FILE *file = tmpfile();
    int fd = dup(fileno(file));

    (void)fclose(file);
    return fd;
}

/** The content of @name on the ISO in @fd; "" if it is not there. */
static void read_file(int fd, const char *name, char *ret_text, size_t size)
{
    struct archive *iso = archive_read_new();
    struct archive_entry *entry;
    la_ssize_t n = 0;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    archive_read_support_format_iso9660(iso);
    assert_int_equal(archive_read_open_fd(iso, fd, 2048), ARCHIVE_OK);
    while (archive_read_next_header(iso, &entry) == ARCHIVE_OK) {
        if (strcmp(archive_entry_pathname(entry), name) == 0) {
            n = archive_read_data(iso, ret_text, size - 1);
            assert_true(n >= 0);
            break;
        }
    }
    ret_text[n] = '\0';
    archive_read_free(iso);
}

static void seed__is_a_cidata_disk_with_the_script_as_it_came(void **state)
{
    char label[7] = "";
    char text[4096];
    HS_AUTO_FD fd = make_file();

    assert_int_equal(hs_seed_write(&plain, fd, NULL), 0);
    /* ECMA-119, 8.4.7: the volume identifier is at byte 40 of the descriptor in sector 16 */
    assert_int_equal(pread(fd, label, 6, 16 * 2048 + 40), 6);
    /* libarchive writes capitals there, as the standard wants; cloud-init takes both */
    assert_string_equal(label, "CIDATA");
    read_file(fd, "job.sh", text, sizeof(text));
    assert_string_equal(text, plain.script);
    read_file(fd, "meta-data", text, sizeof(text));
    assert_string_equal(text, "instance-id: hs-12-3\nlocal-hostname: hs-12\n");
    read_file(fd, "user-data", text, sizeof(text));
    assert_memory_equal(text, "#!/bin/sh\n", 10);
    assert_non_null(strstr(text, "org.hsched.job.0"));
    assert_null(strstr(text, "exit 4"));
}

static void seed__a_shell_reads_the_environment_back(void **state)
{
    HS_AUTO_MEM char *text = NULL;

    assert_int_equal(hs_seed_format_env(&plain, &text, NULL), 0);
    assert_string_equal(text, "export HSCHED_JOB_ID='12'\n"
                              "export WHO='it'\\''s'\n"
                              "export EMPTY=''\n"
                              "export _2='a b$c\n`d`'\n");
}

static void seed__refuses_names_a_shell_cannot_export(void **state)
{
    static const char *const bad[] = {"", "=x", "A", "2A=x", "A B=x", "A;rm=x", "A$=x"};
    struct hs_err err;
    char *text = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hs_seed seed = {.job_id = 1, .env = &bad[i], .n_env = 1};

        assert_int_equal(hs_seed_format_env(&seed, &text, &err), -HS_E_INVALID);
        assert_string_equal(err.where, "env");
    }
    assert_null(text);
}

static void seed__without_script_is_an_empty_job(void **state)
{
    const struct hs_seed seed = {.job_id = 1, .epoch = 1};
    char text[64] = "x";
    HS_AUTO_FD fd = make_file();

    assert_int_equal(hs_seed_write(&seed, fd, NULL), 0);
    read_file(fd, "job.sh", text, sizeof(text));
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed__is_a_cidata_disk_with_the_script_as_it_came),
        cmocka_unit_test(seed__a_shell_reads_the_environment_back),
        cmocka_unit_test(seed__refuses_names_a_shell_cannot_export),
        cmocka_unit_test(seed__without_script_is_an_empty_job),
    };
    return cmocka_run_group_tests_name("seed", tests, NULL, NULL);
}
