/* SPDX-License-Identifier: Apache-2.0 */
/* compute_worlds - temporary folders, a test driver's file, a private libvirtd with a guest. */
#include "tests/contract/compute/compute_worlds.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/compute/compute_sim.h"
#include "adapters/compute/domain_xml.h"

struct hs_world hs_worlds[N_WORLDS] = {
    [WORLD_SIM] = {.name = "sim", .has_end = true, .is_lasting = true, .has_consoles = true},
    [WORLD_TEST] = {.name = "test"},
    [WORLD_QEMU] = {.name = "qemu",
                    .has_guests = true,
                    .has_end = true,
                    .is_lasting = true,
                    .has_consoles = true},
};

static const char foreign_xml[] =
    "<node><domain type='test'><name>" FOREIGN_NAME "</name><memory unit='MiB'>64</memory>"
    "<vcpu>1</vcpu><os><type>hvm</type></os></domain>"
    "<domain type='test'><name>" COPY_NAME
    "</name><metadata><hs:job xmlns:hs='" HS_DOMAIN_XML_NAMESPACE
    "' id='78' epoch='3'/></metadata><memory unit='MiB'>64</memory>"
    "<vcpu>1</vcpu><os><type>hvm</type></os></domain></node>\n";

/** @return 0 if the shell command succeeded */
__attribute__((format(printf, 1, 2))) static int sh(const char *fmt, ...)
{
    char command[2048];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    return system(command);
}

static const char *root(void)
{
    const char *text = getenv("HSCHED_TEST_ROOT");

    return text != NULL ? text : ".";
}

/** Where the guest image is kept from one run to the next; else it is built anew each time. */
static const char *cache(const struct hs_world *world)
{
    const char *text = getenv("HSCHED_TEST_CACHE");

    return text != NULL ? text : world->dir;
}

static void make_dir(struct hs_world *world)
{
    /* short: a libvirt socket below it has 107 bytes at most */
    (void)snprintf(world->dir, sizeof(world->dir), "/tmp/hsc-XXXXXX");
    if (mkdtemp(world->dir) == NULL || chmod(world->dir, 0755) != 0) {
        abort();
    }
    (void)sh("mkdir %s/work", world->dir);
}

static void start_test_driver(struct hs_world *world)
{
    char path[100];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/host.xml", world->dir);
    file = fopen(path, "we");
    if (file == NULL || fputs(foreign_xml, file) < 0 || fclose(file) != 0) {
        abort();
    }
    (void)snprintf(world->uri, sizeof(world->uri), "test://%s", path);
    (void)snprintf(world->image.name, sizeof(world->image.name), "tiny");
    /* the test driver boots nothing, so any path will do */
    world->image.kernel = strdup(path);
    world->image.initrd = strdup(path);
    world->image.cmdline = strdup("quiet");
}

static void start_qemu(struct hs_world *world)
{
    char path[200];
    char line[400] = "";
    FILE *out;

    if (sh("PATH=$PATH:/usr/sbin; command -v libvirtd virsh qemu-system-x86_64 busybox cpio "
           ">/dev/null 2>&1")
        != 0) {
        world->absent = "libvirtd, virsh, qemu-system-x86_64, busybox or cpio is not installed";
        return;
    }
    if (sh("%s/tests/support/guest/build-guest.sh %s/guest-image >&2 && "
           "cd %s/guest-image && cp vmlinuz initrd cmdline %s/ && "
           "chmod 0644 %s/vmlinuz %s/initrd",
           root(), cache(world), cache(world), world->dir, world->dir, world->dir)
        != 0) {
        world->absent = "the guest image cannot be built";
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/tests/support/libvirt_hosts.sh start %s/v 1", root(),
                   world->dir);
    out = popen(path, "re");
    if (out == NULL || fgets(line, sizeof(line), out) == NULL || pclose(out) != 0) {
        world->absent = "no private libvirtd can be started";
        return;
    }
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(world->uri, sizeof(world->uri), "%.199s", line);
    (void)snprintf(world->image.name, sizeof(world->image.name), "tiny");
    (void)snprintf(path, sizeof(path), "%s/vmlinuz", world->dir);
    world->image.kernel = strdup(path);
    (void)snprintf(path, sizeof(path), "%s/initrd", world->dir);
    world->image.initrd = strdup(path);
    world->image.cmdline = strdup("console=ttyS0 quiet loglevel=1 panic=-1");
}

void hs_worlds_start(void)
{
    for (size_t i = 0; i < N_WORLDS; i++) {
        make_dir(&hs_worlds[i]);
    }
    (void)snprintf(hs_worlds[WORLD_SIM].uri, sizeof(hs_worlds[WORLD_SIM].uri), "sim:");
    start_test_driver(&hs_worlds[WORLD_TEST]);
    start_qemu(&hs_worlds[WORLD_QEMU]);
}

void hs_worlds_stop(void)
{
    (void)sh("%s/tests/support/libvirt_hosts.sh stop %s/v", root(), hs_worlds[WORLD_QEMU].dir);
    for (size_t i = 0; i < N_WORLDS; i++) {
        (void)sh("rm -rf %s", hs_worlds[i].dir);
        free(hs_worlds[i].image.kernel);
        free(hs_worlds[i].image.initrd);
        free(hs_worlds[i].image.cmdline);
    }
}

void hs_worlds_make_foreign(struct hs_world *world, struct hs_compute *compute)
{
    if (world == &hs_worlds[WORLD_SIM]) {
        hs_compute_sim_add_foreign(compute, FOREIGN_NAME, 1, 64);
    } else if (world == &hs_worlds[WORLD_QEMU] && hs_worlds_is_running(world, FOREIGN_NAME) == 0) {
        if (sh("%s/tests/support/make_foreign.sh '%s' " FOREIGN_NAME " %s", root(), world->uri,
               world->dir)
            != 0) {
            abort();
        }
    }
}

int hs_worlds_is_running(const struct hs_world *world, const char *name)
{
    if (world != &hs_worlds[WORLD_QEMU]) {
        return -1;
    }
    return sh("virsh -q -c '%s' domstate %s 2>/dev/null | grep -qx running", world->uri, name) == 0;
}

void hs_worlds_define(const char *name)
{
    const struct hs_world *world = &hs_worlds[WORLD_QEMU];

    if (sh("virsh -q -c '%s' dumpxml %s >%s/%s.xml && virsh -q -c '%s' define %s/%s.xml >&2",
           world->uri, name, world->dir, name, world->uri, world->dir, name)
        != 0) {
        abort();
    }
}

void hs_worlds_undefine(const char *name)
{
    if (sh("virsh -q -c '%s' undefine %s >&2", hs_worlds[WORLD_QEMU].uri, name) != 0) {
        abort();
    }
}

void hs_worlds_signal_daemon(int signum)
{
    if (sh("kill -%d $(cat %s/v/h1.pid)", signum, hs_worlds[WORLD_QEMU].dir) != 0) {
        abort();
    }
}

void hs_worlds_start_daemon(void)
{
    if (sh("%s/tests/support/libvirt_hosts.sh again %s/v/h1 >/dev/null", root(),
           hs_worlds[WORLD_QEMU].dir)
        != 0) {
        abort();
    }
}
