/* SPDX-License-Identifier: Apache-2.0 */
/* swf - one record a line; strict, so that a shifted column cannot pass for a number. */
#include "scheduler/sim/swf.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/auto.h"

#define SWF_FIELDS 18

/* Positions in a record, from 0 (the page counts from 1). */
enum swf_field {
    SWF_SUBMIT_S = 1,
    SWF_WAIT_S = 2,
    SWF_RUN_S = 3,
    SWF_PROCS_ALLOCATED = 4,
    SWF_PROCS_REQUESTED = 7,
    SWF_REQUESTED_S = 8,
    SWF_MEMORY_KIB = 9,
    SWF_USER = 11,
};

static int fail_line(const char *path, unsigned line_no, struct hs_err *err, const char *what)
{
    char where[HS_FILETEXT_WHERE_MAX];

    hs_filetext_format_where(path, line_no, where);
    return hs_err_set(err, HS_E_INVALID, where,
                      "%s; a record is %d numbers, -1 where unknown, and a comment starts with ';'",
                      what, SWF_FIELDS);
}

/** Cut one line into numbers. @return false if *ret_bad, the last of *ret_n words, is none */
static bool cut_line(char *line, double *ret_fields, size_t *ret_n, const char **ret_bad)
{
    size_t n = 0;
    char *rest = line;
    char *word;

    while ((word = strsep(&rest, " \t\r")) != NULL) {
        char *end = NULL;
        double value;

        if (*word == '\0') {
            continue;
        }
        value = strtod(word, &end);
        /* strtod() also takes nan, inf and 0x10, which no log means as a figure */
        if (*end != '\0' || !isfinite(value) || word[strspn(word, "0123456789+-.eE")] != '\0') {
            *ret_bad = word;
            *ret_n = n + 1;
            return false;
        }
        if (n < SWF_FIELDS) {
            ret_fields[n] = value;
        }
        n++;
    }
    *ret_n = n;
    return true;
}

static struct hs_jobtrace_record make_record(const double *fields)
{
    double procs = fields[SWF_PROCS_ALLOCATED];

    return (struct hs_jobtrace_record){
        .submit_s = fields[SWF_SUBMIT_S],
        .wait_s = fields[SWF_WAIT_S] > 0 ? fields[SWF_WAIT_S] : 0,
        .run_s = fields[SWF_RUN_S],
        .procs = procs > 0 ? procs : fields[SWF_PROCS_REQUESTED],
        .requested_s = fields[SWF_REQUESTED_S] > 0 ? fields[SWF_REQUESTED_S] : 0,
        .memory_mib_per_proc = fields[SWF_MEMORY_KIB] > 0 ? fields[SWF_MEMORY_KIB] / 1024.0 : 0,
        .user = fields[SWF_USER] > 0 ? fields[SWF_USER] : 0,
    };
}

int hs_swf_read(const char *path, struct hs_jobtrace *ret_trace, struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    unsigned line_no = 0;
    int rc = hs_filetext_read(path, &text, &n_bytes, err);
    char *rest = text;

    if (rc != 0) {
        return rc;
    }
    while (rest != NULL) {
        char *line = strsep(&rest, "\n");
        double fields[SWF_FIELDS] = {0};
        struct hs_jobtrace_record record;
        const char *bad = "";
        char what[64], where[HS_FILETEXT_WHERE_MAX];
        size_t n = 0;

        line_no++;
        line += strspn(line, " \t\r");
        if (*line == '\0' || *line == ';') {
            continue;
        }
        if (!cut_line(line, fields, &n, &bad)) {
            snprintf(what, sizeof(what), "field %zu, '%.32s', is no number", n, bad);
            return fail_line(path, line_no, err, what);
        }
        if (n != SWF_FIELDS) {
            snprintf(what, sizeof(what), "the line has %zu fields", n);
            return fail_line(path, line_no, err, what);
        }
        record = make_record(fields);
        hs_filetext_format_where(path, line_no, where);
        rc = hs_jobtrace_check_record(&record, where, err);
        if (rc != 0) {
            return rc;
        }
        HS_VEC_PUSH(ret_trace, record);
    }
    return 0;
}
