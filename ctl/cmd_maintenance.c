/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/say.h"
#include "ctl/table.h"
#include "scheduler/base/jsonx.h"

static const struct hs_table_column columns[] = {
    {"ID", "id", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"STATE", "state", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"OF", "kind", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"NAME", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"FROM", "from", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"UNTIL", "until", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"OFF", "off", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"OWNER", "owner", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"CONTACT", "contact", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"ESCALATION", "escalation", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"WHY", "why", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
};

static const struct hs_table table = {
    .name_key = "id",
    .none = "no maintenance",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

static const char *const kinds[] = {"site", "loop", "rack", "host", "boiler"};

/** The request that the options make; NULL after saying what is missing. */
static json_t *make_request(const struct hs_args *args)
{
    static const char *const texts[] = {"from",  "until",   "for",       "why",
                                        "owner", "contact", "escalation"};
    json_t *json = hs_jsonx_object();
    size_t n_kinds = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (hs_args_has(args, kinds[i])) {
            n_kinds++;
            hs_jsonx_set_text(json, "kind", kinds[i]);
            hs_jsonx_set_text(json, "name", hs_args_get(args, kinds[i]));
        }
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (hs_args_has(args, texts[i])) {
            hs_jsonx_set_text(json, texts[i], hs_args_get(args, texts[i]));
        }
    }
    hs_jsonx_set_bool(json, "off", hs_args_has(args, "off"));
    if (n_kinds != 1 || hs_args_has(args, "until") == hs_args_has(args, "for")) {
        json_decref(json);
        hs_say_error(
            "say of what (one of --site, --loop, --rack, --host, --boiler) and when it ends "
            "(--until or --for)");
        return NULL;
    }
    return json;
}

static enum hs_exit add(const struct hs_args *args)
{
    HS_AUTO(hs_client) client = NULL;
    json_auto_t *request = make_request(args);
    json_auto_t *answer = NULL;
    enum hs_exit status = request != NULL ? hs_client_new(args, &client) : HS_EXIT_USAGE;

    status =
        status != HS_EXIT_OK ? status : hs_client_post(client, "/v1/maintenance", request, &answer);
    if (status == HS_EXIT_OK) {
        printf("%lld\n", (long long)json_integer_value(json_object_get(answer, "id")));
        hs_say_note("maintenance of %s '%s' from %s until %s", hs_render_find_text(answer, "kind"),
                    hs_render_find_text(answer, "name"), hs_render_find_text(answer, "from"),
                    hs_render_find_text(answer, "until"));
    }
    return status;
}

static enum hs_exit end(const struct hs_args *args)
{
    HS_AUTO(hs_client) client = NULL;
    json_auto_t *answer = NULL;
    HS_AUTO_MEM char *id = hs_client_escape(args->words[1]);
    HS_AUTO_MEM char *path = hs_say_format("/v1/maintenance/%s/end", id);
    enum hs_exit status = hs_client_new(args, &client);

    status = status != HS_EXIT_OK ? status : hs_client_post(client, path, NULL, &answer);
    if (status == HS_EXIT_OK) {
        hs_say_note("maintenance %s is ended", args->words[1]);
    }
    return status;
}

static enum hs_exit maintenance_run(const struct hs_args *args)
{
    const char *verb = args->n_words > 0 ? args->words[0] : "list";

    if (strcmp(verb, "list") == 0 && args->n_words <= 1) {
        return hs_table_show(args, "/v1/maintenance", &table);
    }
    if (strcmp(verb, "add") == 0 && args->n_words == 1) {
        return add(args);
    }
    if (strcmp(verb, "end") == 0 && args->n_words == 2) {
        return end(args);
    }
    hs_say_error("one of: maintenance add, maintenance list, maintenance end ID");
    return HS_EXIT_USAGE;
}

static const struct hs_command_option options[] = {
    {"site", 0, "SITE", "of all hosts of a site"},
    {"loop", 0, "SITE/LOOP", "of all hosts on a heat loop"},
    {"rack", 0, "SITE/RACK", "of all hosts of a rack"},
    {"host", 0, "SITE/HOST", "of one host"},
    {"boiler", 0, "SITE/LOOP/SINK", "of what heats a sink beside compute"},
    {"from", 0, "TIME", "when it begins; now if not given"},
    {"until", 0, "TIME", "when it ends"},
    {"for", 0, "DURATION", "how long it lasts, instead of --until"},
    {"off", 0, NULL, "hosts are switched off: no idle heat either"},
    {"why", 0, "TEXT", "for those who wonder"},
    {"owner", 0, "TEXT", "who does it"},
    {"contact", 0, "TEXT", "how to reach them"},
    {"escalation", 0, "TEXT", "whom to call if it goes wrong"},
};

const struct hs_command hs_cmd_maintenance = {
    .name = "maintenance",
    .arguments = "[add|list|end [ID]]",
    .summary = "tell of maintenance ahead: no work there, heat stored before",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .n_words_min = 0,
    .n_words_max = 2,
    .flags = HS_COMMAND_FORMATS,
    .run = maintenance_run,
};
