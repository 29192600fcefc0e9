/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * domain_xml - the libvirt domain of a job, and the tag by which we know it again.
 *
 * Built as a libxml2 tree from an allow-list of fields, so that no text can become markup
 * (promises.md, Threats). The tag is one metadata element:
 * <hs:job xmlns:hs="https://hsched.dev/xmlns/1" id="12" class="batch" epoch="3" store="9f…"/>.
 */

#include <stdint.h>

#include "scheduler/base/err.h"

#define HS_DOMAIN_XML_NAMESPACE "https://hsched.dev/xmlns/1"
#define HS_DOMAIN_XML_CHANNEL   "org.hsched.job.0" /* docs/guest.md */

/** All text borrowed; paths are on the host. */
struct hs_domain_xml {
    const char *type; /* "kvm", "qemu", "test" */
    const char *uuid;
    uint64_t job_id;
    uint64_t epoch;
    const char *store_id; /* "" leaves it out */
    const char *class_word;
    uint32_t vcpus;
    uint64_t memory_mib;
    const char *kernel;
    const char *initrd;
    const char *cmdline;
    const char *seed;    /* NoCloud ISO, becomes /dev/vda */
    const char *console; /* file that takes the serial console */
    const char *exit;    /* file that takes the channel */
};

/**
 * @param ret_text  owned by the caller on success
 * @return 0 or -HS_E_INVALID for text that XML cannot carry (control characters, bad UTF-8)
 */
int hs_domain_xml_format(const struct hs_domain_xml *domain, char **ret_text, struct hs_err *err);

/**
 * The definition of a job's machine as it is to be on another host: files of its devices that lie
 * in @from_dir are in @to_dir there, and what its ports write is appended. Nothing else changes.
 *
 * @param text      as libvirt hands it out
 * @param ret_text  owned by the caller on success
 * @return 0, -HS_E_PROTOCOL for text that is no domain, -HS_E_INVALID for a path that XML cannot
 *         carry
 */
int hs_domain_xml_format_moved(const char *text, const char *from_dir, const char *to_dir,
                               char **ret_text, struct hs_err *err);

/**
 * Read a tag as virDomainGetMetadata() hands it out.
 *
 * @param store_id  the store whose machines are ours; "" takes any
 * @return 0, or -HS_E_INVALID if it is not ours
 */
int hs_domain_xml_parse_tag(const char *text, const char *store_id, uint64_t *ret_job_id,
                            uint64_t *ret_epoch);
