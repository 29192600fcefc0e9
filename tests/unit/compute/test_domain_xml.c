/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <unistd.h>

#include "adapters/compute/domain_xml.h"
#include "scheduler/base/auto.h"

#define SCHEMA "/usr/share/libvirt/schemas/domain.rng"

static const struct hs_domain_xml plain = {
    .type = "qemu",
    .uuid = "3f0a4c1e-0000-4000-8000-00000000000c",
    .job_id = 12,
    .epoch = 3,
    .store_id = "cafe",
    .class_word = "batch",
    .vcpus = 2,
    .memory_mib = 512,
    .kernel = "/images/vmlinuz",
    .initrd = "/images/initrd",
    .cmdline = "console=ttyS0 quiet",
    .seed = "/var/lib/hsched/jobs/job-12/seed.iso",
    .console = "/var/lib/hsched/jobs/job-12/console.log",
    .exit = "/var/lib/hsched/jobs/job-12/exit.json",
};

static void drop(void *arg, const char *fmt, ...)
{
}

static int check_schema(const char *text)
{
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(SCHEMA);
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    xmlRelaxNGValidCtxt *check = xmlRelaxNGNewValidCtxt(schema);
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
    int rc;

    xmlRelaxNGSetValidErrors(check, drop, drop, NULL);
    rc = xmlRelaxNGValidateDoc(check, doc);
    xmlFreeDoc(doc);
    xmlRelaxNGFreeValidCtxt(check);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
    return rc;
}

/** The number of nodes, or the text of the first; "" if none. */
static double count(const char *text, const char *path)
{
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
    xmlXPathContext *context = xmlXPathNewContext(doc);
    xmlXPathObject *result;
    double n;

    (void)xmlXPathRegisterNs(context, BAD_CAST "hs", BAD_CAST HS_DOMAIN_XML_NAMESPACE);
    result = xmlXPathEvalExpression(BAD_CAST path, context);
    n = xmlXPathCastToNumber(result);
    xmlXPathFreeObject(result);
    xmlXPathFreeContext(context);
    xmlFreeDoc(doc);
    return n;
}

static void domain_xml__follows_libvirts_schema(void **state)
{
    struct hs_domain_xml domain = plain;
    HS_AUTO_MEM char *qemu = NULL;
    HS_AUTO_MEM char *kvm = NULL;
    HS_AUTO_MEM char *broken = NULL;

    if (access(SCHEMA, R_OK) != 0) {
        print_message("skipped: %s is not installed\n", SCHEMA);
        skip();
    }
    assert_int_equal(hs_domain_xml_format(&domain, &qemu, NULL), 0);
    assert_int_equal(check_schema(qemu), 0);
    domain.type = "kvm";
    assert_int_equal(hs_domain_xml_format(&domain, &kvm, NULL), 0);
    assert_int_equal(check_schema(kvm), 0);
    assert_true(count(kvm, "count(/domain/cpu[@mode='host-model'])") > 0);
    domain.type = "toaster"; /* the check can fail */
    assert_int_equal(hs_domain_xml_format(&domain, &broken, NULL), 0);
    assert_int_not_equal(check_schema(broken), 0);
}

static void domain_xml__carries_what_was_asked_and_no_network(void **state)
{
    HS_AUTO_MEM char *text = NULL;

    assert_int_equal(hs_domain_xml_format(&plain, &text, NULL), 0);
    assert_true(count(text, "number(/domain/memory[@unit='MiB'])") == 512);
    assert_true(count(text, "number(/domain/vcpu)") == 2);
    assert_true(count(text, "number(/domain/metadata/hs:job[@class='batch']/@id)") == 12);
    assert_true(count(text, "count(//interface | //graphics | //hostdev | //filesystem)") == 0);
    assert_true(count(text, "count(//disk)") == 1);
    assert_true(count(text, "count(//disk/readonly)") == 1);
    assert_true(count(text, "count(//target[@name='org.hsched.job.0'])") == 1);
}

static void domain_xml__text_cannot_become_markup(void **state)
{
    struct hs_domain_xml domain = plain;
    HS_AUTO_MEM char *text = NULL;

    domain.class_word = "x\"/><memory unit=\"TiB\">1</memory><a b=\"";
    domain.cmdline = "</cmdline></os><memory unit='TiB'>1</memory>&lt;";
    domain.seed = "/var/lib/hsched/jobs/'\"<source file=\"/etc/shadow\"/>";
    assert_int_equal(hs_domain_xml_format(&domain, &text, NULL), 0);
    assert_true(count(text, "count(//memory)") == 1);
    assert_true(count(text, "number(//memory)") == 512);
    assert_true(count(text, "count(//disk/source)") == 1);
    assert_true(count(text, "string-length(/domain/os/cmdline)") == (double)strlen(domain.cmdline));
}

static void domain_xml__refuses_what_xml_cannot_carry(void **state)
{
    struct hs_domain_xml domain = plain;
    struct hs_err err;
    char *text = NULL;

    domain.cmdline = "quiet \x01";
    assert_int_equal(hs_domain_xml_format(&domain, &text, &err), -HS_E_INVALID);
    assert_string_equal(err.where, "cmdline");
    domain.cmdline = "quiet \xff\xfe";
    assert_int_equal(hs_domain_xml_format(&domain, &text, &err), -HS_E_INVALID);
    assert_null(text);
}

static void domain_xml__reads_its_own_tag_and_no_other(void **state)
{
    static const char *const bad[] = {
        "",
        "<job/>",
        "<job id='12'/>",
        "<job id='0' epoch='3'/>",
        "<job id='-1' epoch='3'/>",
        "<job id='12x' epoch='3'/>",
        "<job id='99999999999999999999999' epoch='3'/>",
        "<jab id='12' epoch='3'/>",
        "<job id='12' epoch='3'",
        "<o:job xmlns:o='urn:other' id='12' epoch='3'/>",
        "<!DOCTYPE job [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><job id='&e;' epoch='3'/>",
    };
    uint64_t job_id = 0;
    uint64_t epoch = 0;

    assert_int_equal(
        hs_domain_xml_parse_tag("<job id='12' class='b' epoch='3'/>", "", &job_id, &epoch), 0);
    assert_int_equal(job_id, 12);
    assert_int_equal(epoch, 3);
    assert_int_equal(hs_domain_xml_parse_tag("<hs:job xmlns:hs='" HS_DOMAIN_XML_NAMESPACE
                                             "' id='13' epoch='4'/>",
                                             "", &job_id, &epoch),
                     0);
    assert_int_equal(job_id, 13);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(hs_domain_xml_parse_tag(bad[i], "", &job_id, &epoch), -HS_E_INVALID);
    }
    assert_int_equal(job_id, 13);
}

static void domain_xml_parse_tag__of_another_store_is_not_ours(void **state)
{
    const char *tag = "<job id='12' class='b' epoch='3' store='cafe'/>";
    uint64_t job_id = 0;
    uint64_t epoch = 0;

    assert_int_equal(hs_domain_xml_parse_tag(tag, "beef", &job_id, &epoch), -HS_E_INVALID);
    assert_int_equal(hs_domain_xml_parse_tag("<job id='12' epoch='3'/>", "beef", &job_id, &epoch),
                     -HS_E_INVALID);
    assert_int_equal(job_id, 0);
    assert_int_equal(hs_domain_xml_parse_tag(tag, "cafe", &job_id, &epoch), 0);
    assert_int_equal(job_id, 12);
}

static void domain_xml_format_moved__moves_its_own_files_and_nothing_else(void **state)
{
    static const char text[] =
        "<domain type='qemu'><name>hs-1</name><description>/w/a/job-1/x</description><devices>"
        "<disk><source file='/w/a/job-1/seed.iso'/></disk>"
        "<disk><source file='/w/a/job-10/seed.iso'/></disk>"
        "<serial type='file'><source path='/w/a/job-1/console.log'/></serial>"
        "<console type='file'><source path='/w/a/job-1/console.log'/></console>"
        "</devices></domain>";
    HS_AUTO_MEM char *moved = NULL;

    assert_int_equal(
        hs_domain_xml_format_moved(text, "/w/a/job-1", "/w/<&'\">/job-1", &moved, NULL), 0);
    assert_non_null(strstr(moved, "file=\"/w/&lt;&amp;'&quot;&gt;/job-1/seed.iso\""));
    assert_non_null(strstr(moved, "file=\"/w/a/job-10/seed.iso\""));
    assert_non_null(strstr(moved, "<description>/w/a/job-1/x</description>"));
    assert_null(strstr(moved, "/w/a/job-1/console.log"));
    assert_non_null(strstr(moved, "/console.log\" append=\"on\""));
    assert_null(strstr(moved, "seed.iso\" append"));
}

static void domain_xml_format_moved__refuses_what_is_no_domain(void **state)
{
    char *moved = NULL;

    assert_int_equal(hs_domain_xml_format_moved("<network/>", "/a", "/b", &moved, NULL),
                     -HS_E_PROTOCOL);
    assert_int_equal(hs_domain_xml_format_moved("<domain", "/a", "/b", &moved, NULL),
                     -HS_E_PROTOCOL);
    assert_int_equal(hs_domain_xml_format_moved("<domain/>", "/a", "/b\x01", &moved, NULL),
                     -HS_E_INVALID);
    assert_null(moved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domain_xml__follows_libvirts_schema),
        cmocka_unit_test(domain_xml__carries_what_was_asked_and_no_network),
        cmocka_unit_test(domain_xml__text_cannot_become_markup),
        cmocka_unit_test(domain_xml__refuses_what_xml_cannot_carry),
        cmocka_unit_test(domain_xml__reads_its_own_tag_and_no_other),
        cmocka_unit_test(domain_xml_format_moved__moves_its_own_files_and_nothing_else),
        cmocka_unit_test(domain_xml_format_moved__refuses_what_is_no_domain),
        cmocka_unit_test(domain_xml_parse_tag__of_another_store_is_not_ours),
    };
    return cmocka_run_group_tests_name("domain_xml", tests, NULL, NULL);
}
