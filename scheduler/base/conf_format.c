/* SPDX-License-Identifier: Apache-2.0 */
/* conf_format - a table of fields as Markdown, for docs/config.md. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "scheduler/base/conf.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

static const char *const type_words[] = {
    [HS_CONF_TEXT] = "text",
    [HS_CONF_NAME] = "name",
    [HS_CONF_WORD] = "word",
    [HS_CONF_REAL] = "number",
    [HS_CONF_INT] = "whole number",
    [HS_CONF_INT64] = "whole number",
    [HS_CONF_UINT32] = "whole number",
    [HS_CONF_UINT64] = "whole number",
    [HS_CONF_BOOL] = "true or false",
    [HS_CONF_DURATION] = "duration",
    [HS_CONF_OBJECT] = "object",
    [HS_CONF_CHILDREN] = "list",
    [HS_CONF_ANY] = "any",
};

static void write_number(FILE *out, const struct hs_conf_field *field, double value)
{
    char text[HS_TIMETEXT_MAX];

    if (field->type == HS_CONF_BOOL) {
        fputs(value != 0 ? "true" : "false", out);
    } else if (field->type == HS_CONF_DURATION) {
        hs_timetext_format_duration((int64_t)value, text);
        fputs(text, out);
    } else {
        fprintf(out, "%.10g", value);
    }
}

static void write_type(FILE *out, const struct hs_conf_field *field)
{
    if (field->type == HS_CONF_WORD) {
        for (const char *const *word = field->words; *word != NULL; word++) {
            fprintf(out, "%s`%s`", word == field->words ? "" : ", ", *word);
        }
    } else if (field->table != NULL) {
        fprintf(out, "%s, see [%s](#%s)", field->type == HS_CONF_CHILDREN ? "several" : "object",
                field->table->name, field->table->name);
    } else {
        fputs(type_words[field->type], out);
    }
}

static void write_range(FILE *out, const struct hs_conf_field *field)
{
    if (!(field->max > field->min)) {
        return;
    }
    if (isinf(field->min)) {
        fputs("up to ", out);
    } else {
        write_number(out, field, field->min);
        fputs(isinf(field->max) ? " or more" : " to ", out);
    }
    if (!isinf(field->max)) {
        write_number(out, field, field->max);
    }
}

/* NAN and infinity stand for "depends on other fields" and "no limit"; the help says which. */
static void write_default(FILE *out, const struct hs_conf_field *field)
{
    if (field->required) {
        fputs("**required**", out);
    } else if (field->default_text != NULL && *field->default_text != '\0') {
        fprintf(out, "`%s`", field->default_text);
    } else if (field->has_default && isinf(field->default_number)) {
        fputs("no limit", out);
    } else if (field->has_default && !isnan(field->default_number)) {
        write_number(out, field, field->default_number);
    }
}

static void write_table(FILE *out, const struct hs_conf_table *table)
{
    fprintf(out,
            "## %s\n\n| field | type | unit | range | default | what it is |\n"
            "|---|---|---|---|---|---|\n",
            table->name);
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct hs_conf_field *field = &table->fields[i];

        fprintf(out, "| `%s` | ", field->name);
        write_type(out, field);
        fprintf(out, " | %s | ", field->unit != NULL ? field->unit : "");
        write_range(out, field);
        fputs(" | ", out);
        write_default(out, field);
        fprintf(out, " | %s |\n", field->help != NULL ? field->help : "");
    }
    fputs("\n", out);
    for (size_t i = 0; i < table->n_fields; i++) {
        if (table->fields[i].table != NULL) {
            write_table(out, table->fields[i].table);
        }
    }
}

char *hs_conf_format_markdown(const struct hs_conf_table *table)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);

    if (out == NULL) {
        hs_mem_exhausted();
    }
    write_table(out, table);
    if (fclose(out) != 0) {
        hs_mem_exhausted();
    }
    return text;
}
