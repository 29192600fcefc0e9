/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_mqtt_link - a connection to an MQTT broker that is made again whenever it is lost.
 *
 * libmosquitto without its thread: the executor's watches and timers drive it; only the connect,
 * which looks up names, blocks on a worker. Again after 0.5 s, then ever later up to 30 s. Files
 * are read at every connection. All calls and callbacks on the executor's thread; nothing is freed
 * inside a callback.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"

struct hs_plant_mqtt_link;

/** Where a broker is and who we are there. NULL or "": not given. Texts are copied. */
struct hs_plant_mqtt_access {
    const char *host;
    int port;
    const char *client_id; /* not given: the broker's choice */
    const char *user;
    const char *password_file; /* one line, for our eyes only */
    bool has_tls;              /* 1.2 or newer; the broker's certificate and name are checked */
    const char *ca;            /* PEM; not given: what the system trusts */
    const char *cert;          /* PEM, with key */
    const char *key;
    int keepalive_s;          /* 5..; a broker that says nothing for so long is lost */
    const char *status_topic; /* "online" there while we are, "offline" by last will; retained */
};

struct hs_plant_mqtt_link_options {
    struct hs_executor *executor; /* kept */
    struct hs_plant_mqtt_access access;
    void (*up)(void *arg);
    void (*down)(void *arg, const struct hs_err *err); /* lost, or not reached; each time */
    /** @param payload  [n_bytes] and a NUL behind; @is_retained: old, kept by the broker */
    void (*message)(void *arg, const char *topic, const char *payload, size_t n_bytes,
                    bool is_retained);
    void *arg;
};

/** Connects soon. Owned by the caller. */
struct hs_plant_mqtt_link *hs_plant_mqtt_link_new(const struct hs_plant_mqtt_link_options *options);

/** Can it be meant, and can its files be read now? @return 0, -HS_E_INVALID or -HS_E_DENIED */
int hs_plant_mqtt_link_check(const struct hs_plant_mqtt_access *access, struct hs_err *err);

bool hs_plant_mqtt_link_is_up(const struct hs_plant_mqtt_link *link);

/** While it is up: ask for a topic (wildcards allowed). @return false if that cannot be sent */
bool hs_plant_mqtt_link_subscribe(struct hs_plant_mqtt_link *link, const char *topic);

/** While it is up: say @text at @topic, QoS 1. @return false if that cannot be sent */
bool hs_plant_mqtt_link_publish(struct hs_plant_mqtt_link *link, const char *topic,
                                const char *text, bool is_retained);

/** A fault of a simulated plant: leave, and stay away until told otherwise. */
void hs_plant_mqtt_link_set_away(struct hs_plant_mqtt_link *link, bool is_away);

/** Says "offline" and leaves. Accepts NULL. */
void hs_plant_mqtt_link_free(struct hs_plant_mqtt_link *link);
HS_DEFINE_AUTO(hs_plant_mqtt_link);
