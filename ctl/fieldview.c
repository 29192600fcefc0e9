/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/fieldview.h"

#include <math.h>
#include <string.h>

#include "ctl/say.h"
#include "ctl/table.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/vec.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/job.h"

static const struct hs_table_column columns[] = {
    {"FIELD", "field", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"UNIT", "unit", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"DEFAULT", "default", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"WHAT IT IS", "help", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
};

static const struct hs_table table = {
    .name_key = "field",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

/** What the walk looks for and what it has found. */
struct search {
    const char *name; /* nullable: everything */
    json_t *rows;
    HS_VEC(const char *) names; /* every name seen, for the nearest one */
};

static void set_default(json_t *row, const struct hs_conf_field *field)
{
    char span[HS_TIMETEXT_MAX];

    if (field->required) {
        hs_jsonx_set_text(row, "default", "required");
    } else if (field->default_text != NULL && field->default_text[0] != '\0') {
        hs_jsonx_set_text(row, "default", field->default_text);
    } else if (field->has_default && field->type == HS_CONF_BOOL) {
        hs_jsonx_set_text(row, "default", field->default_number != 0 ? "true" : "false");
    } else if (field->has_default && field->type == HS_CONF_DURATION) {
        hs_timetext_format_duration((int64_t)field->default_number, span);
        hs_jsonx_set_text(row, "default", span);
    } else if (field->has_default) {
        hs_jsonx_set_real(row, "default", field->default_number);
    }
}

/** True if @path ends with the whole steps of @name: "tank/volume_l" for "volume_l". */
static bool ends_with(const char *path, const char *name)
{
    size_t n_path = strlen(path);
    size_t n_name = strlen(name);

    return n_name <= n_path && strcmp(path + n_path - n_name, name) == 0
           && (n_name == n_path || path[n_path - n_name - 1] == '/');
}

static void search_walk(struct search *search, const struct hs_conf_table *fields, const char *path)
{
    for (size_t i = 0; i < fields->n_fields; i++) {
        const struct hs_conf_field *field = &fields->fields[i];
        HS_AUTO_MEM char *whole = hs_say_format("%s/%s", path, field->name);

        HS_VEC_PUSH(&search->names, field->name);
        if (search->name == NULL || strcmp(search->name, fields->name) == 0
            || ends_with(whole, search->name)) {
            json_t *row = hs_jsonx_object();

            hs_jsonx_set_text(row, "field", whole);
            hs_jsonx_set_text(row, "unit", field->unit);
            hs_jsonx_set_text(row, "help", field->help);
            set_default(row, field);
            hs_jsonx_add(search->rows, row);
        }
        if (field->table != NULL) {
            HS_AUTO_MEM char *below =
                hs_say_format("%s%s", whole, field->type == HS_CONF_CHILDREN ? "/*" : "");

            search_walk(search, field->table, below);
        }
    }
}

enum hs_exit hs_fieldview_print(const char *name)
{
    json_auto_t *rows = hs_jsonx_array();
    struct search search = {.name = name, .rows = rows};
    const char *nearest = NULL;
    enum hs_exit status = HS_EXIT_OK;

    search_walk(&search, &hs_estate_table, "estate");
    search_walk(&search, &hs_job_table, "job");
    HS_VEC_PUSH(&search.names, NULL);
    if (json_array_size(rows) == 0) {
        nearest = hs_conf_nearest(search.names.items, name);
        hs_say_error("no field '%s'%s%s%s", name, nearest != NULL ? "; did you mean '" : "",
                     nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
        status = HS_EXIT_NOTFOUND;
    } else {
        hs_table_print(&table, HS_TABLE_WIDE, NULL, rows);
    }
    HS_VEC_FINI(&search.names);
    return status;
}
