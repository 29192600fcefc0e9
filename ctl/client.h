/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * client - the daemon as one command sees it: a path in, JSON or text out.
 *
 * HTTP over hschedd's unix socket with libcurl (docs/api.md). Turns every way to fail into an
 * exit status, a sentence, and where possible what to do next. Blocking; one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ctl/command.h"
#include "scheduler/base/auto.h"

#define HS_CLIENT_SOCKET   "/run/hsched/hschedd.sock"
#define HS_CLIENT_BODY_MAX (256 * 1024) /* bytes of a request: docs/api.md */

struct hs_client;

/**
 * A client for --socket, else HSCHED_SOCKET, else HS_CLIENT_SOCKET; bad options are said.
 *
 * @param ret_client  owned by the caller on success
 */
enum hs_exit hs_client_new(const struct hs_args *args, struct hs_client **ret_client);

/**
 * GET @path and read its JSON. A failure is said on stderr.
 *
 * @param path      "/v1/jobs?state=waiting", already escaped; borrowed
 * @param ret_json  owned by the caller on success
 */
enum hs_exit hs_client_get(struct hs_client *client, const char *path, json_t **ret_json);

/** GET @path as it is, to stdout, as it arrives. A failure is said on stderr. */
enum hs_exit hs_client_copy(struct hs_client *client, const char *path);

/**
 * POST @body (nullable). Carries one Idempotency-Key, so that a connection lost before the
 * answer is tried once more without doing it twice. A failure is said on stderr.
 */
enum hs_exit hs_client_post(struct hs_client *client, const char *path, const json_t *body,
                            json_t **ret_json);

/** @text as one path segment or query value; owned by the caller (free). */
char *hs_client_escape(const char *text);

/** Accepts NULL. */
void hs_client_free(struct hs_client *client);
HS_DEFINE_AUTO(hs_client);

/** New client, one GET, done: what most commands want. @param ret_json owned by the caller */
enum hs_exit hs_client_fetch(const struct hs_args *args, const char *path, json_t **ret_json);
