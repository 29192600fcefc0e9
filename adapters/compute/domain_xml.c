/* SPDX-License-Identifier: Apache-2.0 */
/* domain_xml - a job's libvirt domain as a libxml2 tree. */
#include "adapters/compute/domain_xml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "scheduler/base/mem.h"

#define MOVED_PATH_MAX 4160
#define TAG_MAX_BYTES  4096 /* of anything anybody may have put into our namespace */

static xmlNode *add(xmlNode *parent, const char *name, const char *text)
{
    return xmlNewTextChild(parent, NULL, BAD_CAST name, BAD_CAST text);
}

static xmlNode *add_number(xmlNode *parent, const char *name, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    return add(parent, name, text);
}

static void set(xmlNode *node, const char *name, const char *value)
{
    (void)xmlNewProp(node, BAD_CAST name, BAD_CAST value);
}

static void set_number(xmlNode *node, const char *name, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    set(node, name, text);
}

static int check_text(const char *what, const char *text, struct hs_err *err)
{
    if (text == NULL || xmlCheckUTF8(BAD_CAST text) == 0) {
        return hs_err_set(err, HS_E_INVALID, what, "is not UTF-8 text");
    }
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 && *p != '\t' && *p != '\n') {
            return hs_err_set(err, HS_E_INVALID, what, "holds a control character (0x%02x)",
                              (unsigned)*p);
        }
    }
    return 0;
}

static int check_all(const struct hs_domain_xml *domain, struct hs_err *err)
{
    const char *const texts[][2] = {
        {"type", domain->type},       {"uuid", domain->uuid},     {"class", domain->class_word},
        {"store", domain->store_id},  {"kernel", domain->kernel}, {"initrd", domain->initrd},
        {"cmdline", domain->cmdline}, {"seed", domain->seed},     {"exit", domain->exit},
        {"console", domain->console},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int rc = check_text(texts[i][0], texts[i][1], err);

        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static void add_tag(xmlNode *root, const struct hs_domain_xml *domain)
{
    xmlNode *metadata = add(root, "metadata", NULL);
    xmlNode *tag = xmlNewChild(metadata, NULL, BAD_CAST "job", NULL);
    xmlNs *ns = xmlNewNs(tag, BAD_CAST HS_DOMAIN_XML_NAMESPACE, BAD_CAST "hs");

    xmlSetNs(tag, ns);
    set_number(tag, "id", domain->job_id);
    set(tag, "class", domain->class_word);
    set_number(tag, "epoch", domain->epoch);
    if (domain->store_id != NULL && domain->store_id[0] != '\0') {
        set(tag, "store", domain->store_id);
    }
}

static void add_os(xmlNode *root, const struct hs_domain_xml *domain)
{
    xmlNode *os = add(root, "os", NULL);

    (void)add(os, "type", "hvm");
    (void)add(os, "kernel", domain->kernel);
    (void)add(os, "initrd", domain->initrd);
    (void)add(os, "cmdline", domain->cmdline);
    (void)add(add(root, "features", NULL), "acpi", NULL);
    if (strcmp(domain->type, "kvm") == 0) {
        set(add(root, "cpu", NULL), "mode", "host-model");
    }
    /* a guest that reboots or crashes has ended: its machine must not linger */
    (void)add(root, "on_poweroff", "destroy");
    (void)add(root, "on_reboot", "destroy");
    (void)add(root, "on_crash", "destroy");
}

static void add_devices(xmlNode *root, const struct hs_domain_xml *domain)
{
    xmlNode *devices = add(root, "devices", NULL);
    xmlNode *disk = add(devices, "disk", NULL);
    xmlNode *part = add(disk, "driver", NULL);
    xmlNode *serial;
    xmlNode *channel;

    set(disk, "type", "file");
    set(disk, "device", "disk");
    set(part, "name", "qemu");
    set(part, "type", "raw");
    set(add(disk, "source", NULL), "file", domain->seed);
    part = add(disk, "target", NULL);
    set(part, "dev", "vda");
    set(part, "bus", "virtio");
    (void)add(disk, "readonly", NULL);

    serial = add(devices, "serial", NULL);
    set(serial, "type", "file");
    set(add(serial, "source", NULL), "path", domain->console);
    set(add(serial, "target", NULL), "port", "0");

    channel = add(devices, "channel", NULL);
    set(channel, "type", "file");
    set(add(channel, "source", NULL), "path", domain->exit);
    part = add(channel, "target", NULL);
    set(part, "type", "virtio");
    set(part, "name", HS_DOMAIN_XML_CHANNEL);

    /* the stop of a guest must not hang on a memory balloon nobody drives */
    set(add(devices, "memballoon", NULL), "model", "none");
}

int hs_domain_xml_format(const struct hs_domain_xml *domain, char **ret_text, struct hs_err *err)
{
    xmlDoc *doc;
    xmlNode *root;
    xmlChar *dump = NULL;
    char name[32];
    int n_bytes = 0;
    int rc = check_all(domain, err);

    if (rc < 0) {
        return rc;
    }
    doc = xmlNewDoc(BAD_CAST "1.0");
    root = xmlNewNode(NULL, BAD_CAST "domain");
    (void)xmlDocSetRootElement(doc, root);
    set(root, "type", domain->type);
    (void)snprintf(name, sizeof(name), "hs-%" PRIu64, domain->job_id);
    (void)add(root, "name", name);
    (void)add(root, "uuid", domain->uuid);
    add_tag(root, domain);
    set(add_number(root, "memory", domain->memory_mib), "unit", "MiB");
    (void)add_number(root, "vcpu", domain->vcpus);
    add_os(root, domain);
    add_devices(root, domain);
    xmlDocDumpFormatMemoryEnc(doc, &dump, &n_bytes, "UTF-8", 1);
    xmlFreeDoc(doc);
    if (dump == NULL) {
        return hs_err_set(err, HS_E_INTERNAL, "domain_xml", "libxml2 wrote nothing");
    }
    *ret_text = hs_xstrdup((const char *)dump);
    xmlFree(dump);
    return 0;
}

/** Path @name of @source, if it lies in @from_dir, is in @to_dir. @return whether it did */
static bool move_path(xmlNode *source, const char *name, const char *from_dir, const char *to_dir)
{
    xmlChar *path = xmlGetNoNsProp(source, BAD_CAST name);
    size_t n = strlen(from_dir);
    bool is_in = path != NULL && strncmp((const char *)path, from_dir, n) == 0 && path[n] == '/';

    if (is_in) {
        char moved[MOVED_PATH_MAX];

        (void)snprintf(moved, sizeof(moved), "%s%s", to_dir, (const char *)path + n);
        (void)xmlSetProp(source, BAD_CAST name, BAD_CAST moved);
    }
    xmlFree(path);
    return is_in;
}

static void move_device(xmlNode *device, const char *from_dir, const char *to_dir)
{
    for (xmlNode *part = device->children; part != NULL; part = part->next) {
        if (part->type != XML_ELEMENT_NODE || strcmp((const char *)part->name, "source") != 0) {
            continue;
        }
        (void)move_path(part, "file", from_dir, to_dir);
        if (move_path(part, "path", from_dir, to_dir)) {
            (void)xmlSetProp(part, BAD_CAST "append", BAD_CAST "on");
        }
    }
}

int hs_domain_xml_format_moved(const char *text, const char *from_dir, const char *to_dir,
                               char **ret_text, struct hs_err *err)
{
    xmlDoc *doc;
    xmlNode *root;
    xmlChar *dump = NULL;
    int n_bytes = 0;
    int rc = check_text("to_dir", to_dir, err);

    if (rc < 0) {
        return rc;
    }
    if (strlen(to_dir) + 64 > MOVED_PATH_MAX) {
        return hs_err_set(err, HS_E_INVALID, "to_dir", "path is longer than %d bytes",
                          MOVED_PATH_MAX - 64);
    }
    doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    if (root == NULL || strcmp((const char *)root->name, "domain") != 0) {
        xmlFreeDoc(doc);
        return hs_err_set(err, HS_E_PROTOCOL, "domain_xml", "libvirt's text is no domain");
    }
    for (xmlNode *node = root->children; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, "devices") != 0) {
            continue;
        }
        for (xmlNode *device = node->children; device != NULL; device = device->next) {
            move_device(device, from_dir, to_dir);
        }
    }
    xmlDocDumpMemoryEnc(doc, &dump, &n_bytes, "UTF-8");
    xmlFreeDoc(doc);
    if (dump == NULL) {
        return hs_err_set(err, HS_E_INTERNAL, "domain_xml", "libxml2 wrote nothing");
    }
    *ret_text = hs_xstrdup((const char *)dump);
    xmlFree(dump);
    return 0;
}

static int read_number(xmlNode *node, const char *name, uint64_t *ret_value)
{
    xmlChar *text = xmlGetNoNsProp(node, BAD_CAST name);
    const char *p = (const char *)text;
    char *end = NULL;
    uint64_t value = 0;
    int rc = -HS_E_INVALID;

    if (p != NULL && *p >= '0' && *p <= '9') {
        errno = 0;
        value = strtoull(p, &end, 10);
        if (*end == '\0' && errno == 0) {
            *ret_value = value;
            rc = 0;
        }
    }
    xmlFree(text);
    return rc;
}

/** Does the tag name @store_id? Another hschedd counts its jobs from 1 as well. */
static bool is_of_store(xmlNode *tag, const char *store_id)
{
    xmlChar *text = xmlGetNoNsProp(tag, BAD_CAST "store");
    bool is_same = store_id == NULL || store_id[0] == '\0'
                   || (text != NULL && strcmp((const char *)text, store_id) == 0);

    xmlFree(text);
    return is_same;
}

int hs_domain_xml_parse_tag(const char *text, const char *store_id, uint64_t *ret_job_id,
                            uint64_t *ret_epoch)
{
    size_t n_bytes = strnlen(text, TAG_MAX_BYTES + 1);
    xmlDoc *doc;
    xmlNode *root;
    uint64_t job_id = 0;
    uint64_t epoch = 0;
    int rc = -HS_E_INVALID;

    if (n_bytes > TAG_MAX_BYTES) {
        return -HS_E_INVALID;
    }
    doc = xmlReadMemory(text, (int)n_bytes, NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    /* libvirt hands the element out with or without its prefix and namespace */
    if (root != NULL && strcmp((const char *)root->name, "job") == 0
        && (root->ns == NULL || strcmp((const char *)root->ns->href, HS_DOMAIN_XML_NAMESPACE) == 0)
        && read_number(root, "id", &job_id) == 0 && read_number(root, "epoch", &epoch) == 0
        && job_id > 0 && is_of_store(root, store_id)) {
        *ret_job_id = job_id;
        *ret_epoch = epoch;
        rc = 0;
    }
    xmlFreeDoc(doc);
    return rc;
}
