/* SPDX-License-Identifier: Apache-2.0 */
/* config_parts - the lists of hschedd.json: sockets, users, heat, signals, images. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/config_priv.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define POINTER_MAX 256

/** The array at @pointer, or NULL with an error; an absent one is NULL without. */
static const json_t *expect_array(const json_t *json, const char *pointer,
                                  struct hs_conf_report *report)
{
    if (json != NULL && !json_is_array(json)) {
        hs_conf_report_add(report, pointer, "must be an array");
        return NULL;
    }
    return json;
}

static const json_t *expect_object(const json_t *json, const char *pointer,
                                   struct hs_conf_report *report)
{
    if (json != NULL && !json_is_object(json)) {
        hs_conf_report_add(report, pointer, "must be an object");
        return NULL;
    }
    return json;
}

/** hs_signal_spec_table and one field more, for entries that name what a series is of. */
static struct hs_conf_table make_spec_table(const char *name, const struct hs_conf_field *field)
{
    struct hs_conf_field *fields = hs_xcalloc(hs_signal_spec_table.n_fields + 1, sizeof(*fields));

    memcpy(fields, hs_signal_spec_table.fields, hs_signal_spec_table.n_fields * sizeof(*fields));
    fields[hs_signal_spec_table.n_fields] = *field;
    return (struct hs_conf_table){name, fields, hs_signal_spec_table.n_fields + 1};
}

static void read_listener(const json_t *entry, const char *pointer, struct hs_config *config,
                          struct hs_conf_report *report)
{
    const json_t *path = json_object_get(entry, "unix");
    char *joined;

    if (json_object_get(entry, "tcp") != NULL) {
        hs_conf_report_add(report, pointer,
                           "a tcp listener is not supported yet, use {\"unix\": PATH}");
        return;
    }
    if (!json_is_string(path) || json_string_length(path) == 0) {
        hs_conf_report_add(report, pointer, "must be {\"unix\": PATH}");
        return;
    }
    joined = hs_config_join(config->dir, json_string_value(path));
    for (size_t i = 0; i < config->n_sockets; i++) {
        if (strcmp(config->sockets[i], joined) == 0) {
            hs_conf_report_add(report, pointer, "'%s' is listed twice", joined);
        }
    }
    config->sockets = hs_xrealloc(config->sockets, config->n_sockets + 1, sizeof(char *));
    config->sockets[config->n_sockets++] = joined;
}

static void read_listen(const json_t *root, struct hs_config *config, struct hs_conf_report *report)
{
    const json_t *list = expect_array(json_object_get(root, "listen"), "/listen", report);
    char pointer[POINTER_MAX];
    size_t i;
    json_t *entry;

    if (list != NULL && json_array_size(list) == 0) {
        hs_conf_report_add(report, "/listen", "needs at least one {\"unix\": PATH}");
    }
    json_array_foreach (list, i, entry) {
        snprintf(pointer, sizeof(pointer), "/listen/%zu", i);
        read_listener(entry, pointer, config, report);
    }
}

static void read_auth(const json_t *root, struct hs_config *config, struct hs_conf_report *report)
{
    const json_t *users = expect_array(json_object_get(json_object_get(root, "auth"), "unix_users"),
                                       "/auth/unix_users", report);
    char pointer[POINTER_MAX];
    size_t i;
    json_t *entry;

    json_array_foreach (users, i, entry) {
        const struct passwd *user =
            json_is_string(entry) ? getpwnam(json_string_value(entry)) : NULL;

        snprintf(pointer, sizeof(pointer), "/auth/unix_users/%zu", i);
        if (user == NULL) {
            hs_conf_report_add(report, pointer, "must be the name of a user of this machine");
            continue;
        }
        config->uids = hs_xrealloc(config->uids, config->n_uids + 1, sizeof(*config->uids));
        config->uids[config->n_uids++] = user->pw_uid;
    }
}

static void read_heat(const json_t *list, struct hs_config *config, struct hs_conf_report *report)
{
    static const struct hs_conf_field sink_field = {
        .name = "sink",
        .type = HS_CONF_TEXT,
        .offset = offsetof(struct hs_config_heat, sink),
        .size = sizeof(((struct hs_config_heat *)NULL)->sink),
        .required = true,
        .help = "site/loop/sink"};
    struct hs_conf_table table = make_spec_table("heat", &sink_field);
    char pointer[POINTER_MAX];
    size_t i;
    json_t *entry;

    config->heat = hs_xcalloc(json_array_size(list), sizeof(*config->heat));
    json_array_foreach (list, i, entry) {
        snprintf(pointer, sizeof(pointer), "/plant/heat/%zu", i);
        if (hs_conf_read(&table, entry, pointer, &config->heat[i], report)) {
            hs_config_resolve(config->dir, config->heat[i].spec.csv);
        }
        config->n_heat = i + 1;
    }
    free((void *)table.fields);
}

static void read_signal_list(const json_t *list, const char *word, enum hs_signal_kind kind,
                             struct hs_config *config, struct hs_conf_report *report)
{
    static const struct hs_conf_field site_field = {
        .name = "site",
        .type = HS_CONF_TEXT,
        .offset = offsetof(struct hs_config_signal, site),
        .size = sizeof(((struct hs_config_signal *)NULL)->site),
        .required = true,
        .help = "site that the series is of"};
    struct hs_conf_table table = make_spec_table(word, &site_field);
    char pointer[POINTER_MAX];
    size_t i;
    json_t *entry;

    config->signals = hs_xrealloc(config->signals, config->n_signals + json_array_size(list),
                                  sizeof(*config->signals));
    json_array_foreach (list, i, entry) {
        struct hs_config_signal *signal = &config->signals[config->n_signals++];

        *signal = (struct hs_config_signal){.kind = kind};
        snprintf(pointer, sizeof(pointer), "/signals/%s/%zu", word, i);
        if (hs_conf_read(&table, entry, pointer, signal, report)) {
            hs_config_resolve(config->dir, signal->spec.csv);
        }
    }
    free((void *)table.fields);
}

static void read_signals(const json_t *root, struct hs_config *config,
                         struct hs_conf_report *report)
{
    static const struct {
        const char *word;
        enum hs_signal_kind kind;
    } kinds[] = {
        {"price", HS_SIGNAL_PRICE}, {"carbon", HS_SIGNAL_CARBON}, {"weather", HS_SIGNAL_OUTDOOR}};
    const json_t *signals = json_object_get(root, "signals");
    char pointer[POINTER_MAX];

    for (size_t i = 0; i < N_OF(kinds); i++) {
        snprintf(pointer, sizeof(pointer), "/signals/%s", kinds[i].word);
        read_signal_list(expect_array(json_object_get(signals, kinds[i].word), pointer, report),
                         kinds[i].word, kinds[i].kind, config, report);
    }
}

struct image_texts {
    char kernel[HS_CONFIG_PATH_MAX];
    char initrd[HS_CONFIG_PATH_MAX];
    char cmdline[1024];
};

static void read_images(const json_t *root, struct hs_config *config, struct hs_conf_report *report)
{
    static const struct hs_conf_field fields[] = {
        {.name = "kernel",
         .type = HS_CONF_TEXT,
         .offset = offsetof(struct image_texts, kernel),
         .size = sizeof(((struct image_texts *)NULL)->kernel),
         .required = true,
         .help = "path on the host"},
        {.name = "initrd",
         .type = HS_CONF_TEXT,
         .offset = offsetof(struct image_texts, initrd),
         .size = sizeof(((struct image_texts *)NULL)->initrd),
         .help = "path on the host"},
        {.name = "cmdline",
         .type = HS_CONF_TEXT,
         .offset = offsetof(struct image_texts, cmdline),
         .size = sizeof(((struct image_texts *)NULL)->cmdline),
         .help = "kernel arguments"},
    };
    static const struct hs_conf_table table = {"image", fields, N_OF(fields)};
    const json_t *images = expect_object(json_object_get(root, "images"), "/images", report);
    const char *name;
    char pointer[POINTER_MAX];
    json_t *entry;

    config->images = hs_xcalloc(json_object_size(images), sizeof(*config->images));
    json_object_foreach ((json_t *)images, name, entry) {
        struct image_texts texts = {0};

        if (name[0] == '$' || strcmp(name, "description") == 0) {
            continue;
        }
        snprintf(pointer, sizeof(pointer), "/images/%.64s", name);
        if (strlen(name) >= HS_NAME_MAX) {
            hs_conf_report_add(report, "/images", "name '%.64s…' is too long", name);
        } else if (hs_conf_read(&table, entry, pointer, &texts, report)) {
            struct hs_image *image = &config->images[config->n_images++];

            hs_config_resolve(config->dir, texts.kernel);
            hs_config_resolve(config->dir, texts.initrd);
            snprintf(image->name, sizeof(image->name), "%s", name);
            image->kernel = hs_xstrdup(texts.kernel);
            image->initrd = hs_xstrdup(texts.initrd);
            image->cmdline = hs_xstrdup(texts.cmdline);
        }
    }
}

void hs_config_read_parts(const json_t *root, struct hs_config *config,
                          struct hs_conf_report *report)
{
    read_listen(root, config, report);
    read_auth(root, config, report);
    read_heat(expect_array(json_object_get(json_object_get(root, "plant"), "heat"), "/plant/heat",
                           report),
              config, report);
    read_signals(root, config, report);
    read_images(root, config, report);
}
