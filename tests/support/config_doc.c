/* SPDX-License-Identifier: Apache-2.0 */
/* config_doc - prints docs/config.md from the field tables that the programs themselves use. */
#include <stdio.h>

#include "policies/policy.h"
#include "scheduler/daemon/config.h"
#include "scheduler/model/estate.h"
#include "scheduler/model/job.h"

static void print(const char *title, const char *intro, const struct hs_conf_table *table)
{
    HS_AUTO_MEM char *text = hs_conf_format_markdown(table);

    printf("# %s\n\n%s\n\n%s", title, intro, text);
}

int main(void)
{
    puts("<!-- Made from the field tables by tests/support/config_doc.c: change those instead. To "
         "renew: ninja -C build config-doc. -->\n\n"
         "`$schema`, `$comment` and `description` may stand in any object; any other unknown key "
         "is an error. null means absent. Names are letters, digits, `.`, `_` and `-`. Durations "
         "are texts with a unit: `90m`, `1h30m`, `2d`. Times are `2026-01-05T18:00:00Z`, `18:00` "
         "(the next one, UTC), `tomorrow 06:00` or `now+2h`. cur is the estate's currency.\n");
    print("hschedd.json", "What the daemon itself needs; how to run it is in operate.md.",
          &hs_config_table);
    print("estate.json",
          "Sites, loops, tanks, sinks, racks and hosts. An example is in "
          "[examples/estate.json](examples/estate.json).",
          &hs_estate_table);
    print("policies.d/*.json",
          "Read in name order; a class or weight in a later file replaces the "
          "earlier one of that name. An example is in "
          "[examples/policies.d](examples/policies.d/default.json).",
          &hs_policy_table);
    print("A job request",
          "The body of `POST /v1/jobs`; `hsched submit` fills it from its options.", &hs_job_table);
    return 0;
}
