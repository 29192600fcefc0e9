/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/weather/weatherjson.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/filetext.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"

#define KEY_MAX  64
#define TEXT_MAX 160

int hs_weatherjson_parse(const char *file, const char *text, size_t n_bytes,
                         struct hs_weatherjson *ret_doc, struct hs_err *err)
{
    json_t *root = NULL;
    int rc = hs_jsonx_parse(file, text, n_bytes, &root, err);

    if (rc == 0) {
        *ret_doc = (struct hs_weatherjson){file, text, root};
    }
    return rc;
}

json_t *hs_weatherjson_find(const struct hs_weatherjson *doc, const char *pointer)
{
    json_t *value = doc->root;

    while (value != NULL && *pointer == '/') {
        size_t n = strcspn(++pointer, "/");
        char key[KEY_MAX];

        snprintf(key, sizeof(key), "%.*s", (int)n, pointer);
        value = json_object_get(value, key);
        pointer += n;
    }
    return value;
}

int hs_weatherjson_fail(const struct hs_weatherjson *doc, const char *pointer, struct hs_err *err,
                        const char *fmt, ...)
{
    char where[HS_FILETEXT_WHERE_MAX], text[TEXT_MAX];
    int line = 0, column = 0;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (char *byte = text; *byte != '\0'; byte++) {
        *byte = (unsigned char)*byte < 0x20 || *byte == 0x7f ? '?' : *byte; /* it goes into a log */
    }
    hs_conf_locate(doc->text, pointer, &line, &column);
    hs_filetext_format_where(doc->file, (unsigned)line, where);
    return hs_err_set(err, HS_E_INVALID, where, "%s%s%s", pointer, pointer[0] != '\0' ? ": " : "",
                      text);
}

int hs_weatherjson_get_word(const struct hs_weatherjson *doc, const char *pointer,
                            const char *const *words, struct hs_err *err)
{
    const char *word = json_string_value(hs_weatherjson_find(doc, pointer));
    char known[TEXT_MAX / 2] = "";
    size_t n = 0;

    for (int i = 0; words[i] != NULL; i++) {
        if (word != NULL && strcmp(word, words[i]) == 0) {
            return i;
        }
        if (n < sizeof(known)) {
            n += (size_t)snprintf(known + n, sizeof(known) - n, "%s'%s'", i > 0 ? ", " : "",
                                  words[i]);
        }
    }
    if (word == NULL) {
        return hs_weatherjson_fail(doc, pointer, err, "is missing; it must be one of %s", known);
    }
    return hs_weatherjson_fail(doc, pointer, err, "'%.16s' is not known; it must be one of %s",
                               word, known);
}

void hs_weatherjson_fini(struct hs_weatherjson *doc)
{
    json_decref(doc->root);
    doc->root = NULL;
}
