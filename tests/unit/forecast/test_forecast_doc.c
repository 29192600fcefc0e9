/* SPDX-License-Identifier: Apache-2.0 */
/* docs/forecast.md says what each model is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forecast/forecast.h"

static void forecast_doc__names_every_model(void **state)
{
    static char text[1 << 18];
    const char *root = getenv("HSCHED_TEST_ROOT");
    char path[4096];
    char item[64];
    FILE *file = NULL;

    (void)state;
    if (root == NULL) {
        print_message("HSCHED_TEST_ROOT does not say where docs/ is\n");
        skip();
    }
    snprintf(path, sizeof(path), "%s/docs/forecast.md", root);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    (void)fclose(file);
    for (size_t i = 0; hs_forecast_get_model(i) != NULL; i++) {
        snprintf(item, sizeof(item), "- **%s**: ", hs_forecast_get_model(i)->name);
        if (strstr(text, item) == NULL) {
            fail_msg("docs/forecast.md does not say what '%s' is", hs_forecast_get_model(i)->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forecast_doc__names_every_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
