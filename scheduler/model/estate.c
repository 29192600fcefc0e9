/* SPDX-License-Identifier: Apache-2.0 */
/* estate - finding things by path. */
#include "scheduler/model/estate.h"

#include <stdlib.h>
#include <string.h>

#include "scheduler/model/pointmap.h"

/* The site whose name is the first part of @path, or NULL. */
static const struct hs_site *find_site_of(const struct hs_estate *estate, const char *path)
{
    size_t n = strcspn(path, "/");

    for (size_t i = 0; i < estate->n_sites; i++) {
        const struct hs_site *site = &estate->sites[i];

        if (strlen(site->name) == n && memcmp(site->name, path, n) == 0) {
            return site;
        }
    }
    return NULL;
}

size_t hs_estate_find_site(const struct hs_estate *estate, const char *name)
{
    const struct hs_site *site = strchr(name, '/') == NULL ? find_site_of(estate, name) : NULL;

    return site != NULL ? (size_t)(site - estate->sites) : SIZE_MAX;
}

size_t hs_estate_find_loop(const struct hs_estate *estate, const char *path)
{
    const struct hs_site *site = find_site_of(estate, path);

    for (size_t i = 0; site != NULL && i < site->n_loops; i++) {
        if (strcmp(estate->loops[site->first_loop_idx + i].path, path) == 0) {
            return site->first_loop_idx + i;
        }
    }
    return SIZE_MAX;
}

size_t hs_estate_find_sink(const struct hs_estate *estate, const char *path)
{
    for (size_t i = 0; i < estate->n_sinks; i++) {
        if (strcmp(estate->sinks[i].path, path) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

size_t hs_estate_find_rack(const struct hs_estate *estate, const char *path)
{
    const struct hs_site *site = find_site_of(estate, path);

    for (size_t i = 0; site != NULL && i < site->n_racks; i++) {
        if (strcmp(estate->racks[site->first_rack_idx + i].path, path) == 0) {
            return site->first_rack_idx + i;
        }
    }
    return SIZE_MAX;
}

size_t hs_estate_find_host(const struct hs_estate *estate, const char *path)
{
    const struct hs_site *site = find_site_of(estate, path);

    for (size_t r = 0; site != NULL && r < site->n_racks; r++) {
        const struct hs_rack *rack = &estate->racks[site->first_rack_idx + r];

        for (size_t i = 0; i < rack->n_hosts; i++) {
            if (strcmp(estate->hosts[rack->first_host_idx + i].path, path) == 0) {
                return rack->first_host_idx + i;
            }
        }
    }
    return SIZE_MAX;
}

void hs_estate_free(struct hs_estate *estate)
{
    if (estate != NULL) {
        hs_pointmap_free(estate->points);
        free(estate->hosts);
        free(estate->racks);
        free(estate->sinks);
        free(estate->loops);
        free(estate->sites);
        hs_assumed_list_fini(&estate->assumed);
        free(estate);
    }
}
