/* SPDX-License-Identifier: Apache-2.0 */
/* zonefile - the only place that knows where time zone data lies. */
#include "adapters/signal/zonefile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"

#define DEFAULT_DIR     "/usr/share/zoneinfo"
#define PATH_BYTES      512
#define ZONE_MAX_BYTES  ((size_t)256 << 10) /* the largest of tzdata has 4 KiB */
#define POINTER_MAX     300
#define EXPECTED        "write an IANA name such as Europe/Berlin, or UTC"
#define LIST_LINE_BYTES 512

static const char *get_dir(void)
{
    const char *dir = getenv("TZDIR");

    return dir != NULL && dir[0] == '/' ? dir : DEFAULT_DIR;
}

/* Parts of letters, digits, '_', '-' and '+', so no path leaves the folder. */
static bool is_zone_name(const char *name)
{
    bool is_start = true;

    if (*name == '\0' || strlen(name) >= HS_NAME_MAX) {
        return false;
    }
    for (const char *at = name; *at != '\0'; at++) {
        bool is_slash = *at == '/';

        if (is_slash ? is_start || at[1] == '\0'
                     : !isalnum((unsigned char)*at) && strchr("_-+", *at) == NULL) {
            return false;
        }
        is_start = is_slash;
    }
    return true;
}

static void close_file(FILE **file)
{
    if (*file != NULL) {
        (void)fclose(*file);
    }
}

/* The known name nearest to @name. @return owned by the caller, or NULL */
static char *find_nearest(const char *dir, const char *name)
{
    HS_VEC(char *) names = {0};
    HS_CLEANUP(close_file) FILE *file = NULL;
    char line[LIST_LINE_BYTES], path[PATH_BYTES], word[HS_NAME_MAX];
    const char *nearest = NULL;
    char *found;

    snprintf(path, sizeof(path), "%s/zone.tab", dir);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        /* country, coordinates, name */
        if (line[0] != '#' && sscanf(line, "%*s %*s %63s", word) == 1) {
            HS_VEC_PUSH(&names, hs_xstrdup(word));
        }
    }
    HS_VEC_PUSH(&names, NULL);
    nearest = hs_conf_nearest((const char *const *)names.items, name);
    found = nearest != NULL ? hs_xstrdup(nearest) : NULL;
    for (size_t i = 0; i < names.n; i++) {
        free(names.items[i]);
    }
    HS_VEC_FINI(&names);
    return found;
}

static int fail_unknown(const char *dir, const char *name, struct hs_err *err)
{
    HS_AUTO_MEM char *nearest = find_nearest(dir, name);
    struct stat seen;

    if (stat(dir, &seen) != 0) {
        return hs_err_set(err, HS_E_NOTFOUND, name,
                          "no time zone data in '%.100s': install package tzdata, or write UTC",
                          dir);
    }
    if (nearest != NULL) {
        return hs_err_set(err, HS_E_INVALID, name, "no time zone '%.60s', did you mean '%s'?", name,
                          nearest);
    }
    return hs_err_set(err, HS_E_INVALID, name, "no time zone '%.60s' in '%.60s'; " EXPECTED, name,
                      dir);
}

/* @return bytes read, or -1 with errno; 0 for what is no plain file of a fit size */
static ssize_t read_zone(const char *path, uint8_t *bytes)
{
    HS_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat seen;
    ssize_t n = 0, got = 1;

    if (fd < 0 || fstat(fd, &seen) != 0) {
        return -1;
    }
    if (!S_ISREG(seen.st_mode)) {
        return 0;
    }
    while (got > 0 && (size_t)n < ZONE_MAX_BYTES) {
        got = read(fd, bytes + n, ZONE_MAX_BYTES - (size_t)n);
        n += got > 0 ? got : 0;
    }
    return got < 0 ? -1 : n;
}

int hs_zonefile_load(const char *name, struct hs_timezone **ret_timezone, struct hs_err *err)
{
    HS_AUTO_MEM uint8_t *bytes = NULL;
    const char *dir = get_dir();
    char path[PATH_BYTES];
    ssize_t n;

    if (strcmp(name, "UTC") == 0) {
        *ret_timezone = NULL;
        return 0;
    }
    if (!is_zone_name(name)) {
        return hs_err_set(err, HS_E_INVALID, "", "'%.60s' is no name of a time zone; " EXPECTED,
                          name);
    }
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
        return hs_err_set(err, HS_E_INVALID, "", "TZDIR '%.60s...' is too long", dir);
    }
    bytes = hs_xcalloc(1, ZONE_MAX_BYTES);
    n = read_zone(path, bytes);
    if (n < 0 && errno != ENOENT && errno != ENOTDIR) {
        return hs_err_set(err, HS_E_SYSTEM, name, "cannot read '%.120s': %s", path,
                          strerror(errno));
    }
    if (n <= 0) {
        return fail_unknown(dir, name, err);
    }
    return hs_timezone_parse(name, bytes, (size_t)n, ret_timezone, err);
}

struct hs_timezone **hs_zonefile_load_all(const struct hs_estate *estate, const char *pointer,
                                          struct hs_conf_report *report)
{
    struct hs_timezone **timezones = hs_xcalloc(estate->n_sites, sizeof(struct hs_timezone *));

    for (size_t i = 0; i < estate->n_sites; i++) {
        char where[POINTER_MAX];
        struct hs_err err;

        if (hs_zonefile_load(estate->sites[i].timezone, &timezones[i], &err) != 0) {
            snprintf(where, sizeof(where), "%s/sites/%zu/timezone", pointer, i);
            hs_conf_report_add(report, where, "%s", err.text);
        }
    }
    return timezones;
}

void hs_zonefile_free_all(struct hs_timezone **timezones, size_t n_sites)
{
    for (size_t i = 0; timezones != NULL && i < n_sites; i++) {
        hs_timezone_free(timezones[i]);
    }
    free(timezones);
}
