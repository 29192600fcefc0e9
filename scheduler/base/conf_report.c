/* SPDX-License-Identifier: Apache-2.0 */
/* conf_report - the errors of one file, each with its place. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"

#define LINE_MAX_BYTES 768

/* Keys and words come from the file: none of them may move the reader's cursor. */
static void blank_controls(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

static size_t write_place(const struct hs_conf_report *report, const char *pointer, char *ret_line)
{
    const char *file = report->file != NULL ? report->file : "";
    int line, column;
    int n;

    if (report->text != NULL) {
        hs_conf_locate(report->text, pointer, &line, &column);
        n = snprintf(ret_line, LINE_MAX_BYTES / 2, "%s%s%d:%d: ", file, *file != '\0' ? ":" : "",
                     line, column);
    } else {
        n = snprintf(ret_line, LINE_MAX_BYTES / 2, "%s%s", file, *file != '\0' ? ": " : "");
    }
    n = n < LINE_MAX_BYTES / 2 ? n : LINE_MAX_BYTES / 2 - 1;
    if (*pointer != '\0') {
        n += snprintf(ret_line + n, LINE_MAX_BYTES / 4, "%.*s: ", LINE_MAX_BYTES / 4 - 3, pointer);
    }
    return (size_t)n;
}

void hs_conf_report_add(struct hs_conf_report *report, const char *pointer, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    size_t n;
    va_list ap;

    if (report->n_errors++ >= HS_CONF_ERRORS_MAX) {
        return;
    }
    n = write_place(report, pointer, line);
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof(line) - n, fmt, ap);
    va_end(ap);
    blank_controls(line);
    report->errors[report->n_errors - 1] = hs_xstrdup(line);
}

void hs_conf_report_fini(struct hs_conf_report *report)
{
    for (size_t i = 0; i < HS_CONF_ERRORS_MAX; i++) {
        free(report->errors[i]);
        report->errors[i] = NULL;
    }
    report->n_errors = 0;
}

char *hs_conf_report_format(const struct hs_conf_report *report)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);

    if (out == NULL) {
        hs_mem_exhausted();
    }
    for (size_t i = 0; i < report->n_errors && i < HS_CONF_ERRORS_MAX; i++) {
        fprintf(out, "%s%s", i > 0 ? "\n" : "", report->errors[i]);
    }
    if (report->n_errors > HS_CONF_ERRORS_MAX) {
        fprintf(out, "\nand %zu more", report->n_errors - HS_CONF_ERRORS_MAX);
    }
    if (fclose(out) != 0) {
        hs_mem_exhausted();
    }
    return text;
}
