/* SPDX-License-Identifier: Apache-2.0 */
/* redis_server - see redis_server.h. */
#include "tests/support/redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "scheduler/base/mem.h"

#define SERVER_START_TRIES 500 /* of 20 ms */

struct hs_redis_server {
    char folder[64];
    char socket[80];
    char url[88];
    pid_t pid; /* 0: not running */
};

static void run_server(const struct hs_redis_server *server, pid_t parent)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1); /* the test died before the line above */
    }
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server->socket, "--dir",
           server->folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
           "--daemonize", "no", (char *)NULL);
    _exit(127);
}

static bool is_answering(struct hs_redis_server *server)
{
    redisReply *reply = hs_redis_server_command(server, "PING");
    bool is_pong = reply != NULL && reply->type == REDIS_REPLY_STATUS;

    freeReplyObject(reply);
    return is_pong;
}

bool hs_redis_server_start(struct hs_redis_server *server)
{
    pid_t parent = getpid();

    server->pid = fork();
    if (server->pid == 0) {
        run_server(server, parent);
    }
    for (int i = 0; server->pid > 0 && i < SERVER_START_TRIES; i++) {
        const struct timespec nap = {.tv_nsec = 20000000};

        if (is_answering(server)) {
            return true;
        }
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
        nanosleep(&nap, NULL);
    }
    hs_redis_server_kill(server);
    return false;
}

struct hs_redis_server *hs_redis_server_new(void)
{
    HS_AUTO(hs_redis_server) server = hs_xcalloc(1, sizeof(*server));
    const char *base = getenv("TMPDIR");

    /* A socket's path has room for about 100 bytes only. */
    if (base == NULL || strlen(base) > 40) {
        base = P_tmpdir;
    }
    snprintf(server->folder, sizeof(server->folder), "%s/hs-redis-XXXXXX", base);
    if (mkdtemp(server->folder) == NULL) {
        server->folder[0] = '\0';
        return NULL;
    }
    snprintf(server->socket, sizeof(server->socket), "%s/redis.sock", server->folder);
    snprintf(server->url, sizeof(server->url), "unix:%s", server->socket);
    return hs_redis_server_start(server) ? HS_STEAL(server) : NULL;
}

const char *hs_redis_server_get_url(const struct hs_redis_server *server)
{
    return server->url;
}

void hs_redis_server_kill(struct hs_redis_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        server->pid = 0;
    }
}

void hs_redis_server_pause(struct hs_redis_server *server)
{
    (void)kill(server->pid, SIGSTOP);
}

void hs_redis_server_resume(struct hs_redis_server *server)
{
    (void)kill(server->pid, SIGCONT);
}

struct redisReply *hs_redis_server_command(struct hs_redis_server *server, const char *fmt, ...)
{
    const struct timeval patience = {.tv_sec = 5};
    redisContext *context = redisConnectUnixWithTimeout(server->socket, patience);
    redisReply *reply = NULL;
    va_list ap;

    if (context != NULL && context->err == 0) {
        (void)redisSetTimeout(context, patience);
        va_start(ap, fmt);
        reply = redisvCommand(context, fmt, ap);
        va_end(ap);
    }
    if (context != NULL) {
        redisFree(context);
    }
    return reply;
}

static int delete_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    return remove(path);
}

void hs_redis_server_free(struct hs_redis_server *server)
{
    if (server == NULL) {
        return;
    }
    hs_redis_server_kill(server);
    if (server->folder[0] != '\0') {
        (void)nftw(server->folder, delete_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    free(server);
}
