/* SPDX-License-Identifier: Apache-2.0 */
/* redis_tls - OpenSSL between two memory buffers, and its errors in words. */
#include "adapters/redis/redis_tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "adapters/redis/secretfile.h"
#include "scheduler/base/mem.h"

#define TLS_WHERE "redis.tls"

struct hs_redis_tls {
    SSL *ssl;
    BIO *from_server; /* owned by ssl, as is the other */
    BIO *to_server;
    char *ca;      /* for messages; "" if the system's */
    char *name;    /* the server's, as it is checked */
    char from[32]; /* days of a certificate that was refused, for messages */
    char until[32];
};

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* ---- what failed, in words ---- */

/* "2026-01-31" */
static void format_day(const ASN1_TIME *at, char *ret_text, size_t size)
{
    struct tm tm = {0};

    if (at == NULL || ASN1_TIME_to_tm(at, &tm) != 1 || strftime(ret_text, size, "%F", &tm) == 0) {
        snprintf(ret_text, size, "an unknown day");
    }
}

static int refuse_certificate(const struct hs_redis_tls *tls, long verdict, struct hs_err *err)
{
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return hs_err_set(err, HS_E_DENIED, TLS_WHERE, "the server's certificate expired on %s",
                          tls->until);
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return hs_err_set(err, HS_E_DENIED, TLS_WHERE,
                          "the server's certificate begins on %s: is the clock right?", tls->from);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return hs_err_set(err, HS_E_DENIED, TLS_WHERE,
                          "the server's certificate is not for '%.80s': set server_name to a name "
                          "that it holds",
                          tls->name);
    default:
        return hs_err_set(err, HS_E_DENIED, TLS_WHERE,
                          "the server's certificate is not trusted by %s%.60s%s: %s",
                          tls->ca[0] != '\0' ? "ca '" : "what this system trusts", tls->ca,
                          tls->ca[0] != '\0' ? "'" : "", X509_verify_cert_error_string(verdict));
    }
}

/** OpenSSL drops a certificate that it refuses, so its days are noted here. */
static int on_verified(int is_good, X509_STORE_CTX *context)
{
    const X509 *cert = X509_STORE_CTX_get_current_cert(context);
    const SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct hs_redis_tls *tls = SSL_get_app_data(ssl);

    if (!is_good && cert != NULL) {
        format_day(X509_get0_notBefore(cert), tls->from, sizeof(tls->from));
        format_day(X509_get0_notAfter(cert), tls->until, sizeof(tls->until));
    }
    return is_good;
}

/** Words for the oldest error of OpenSSL's queue, and empty the queue. */
static int explain(const struct hs_redis_tls *tls, struct hs_err *err)
{
    unsigned long code = ERR_get_error();
    long verdict = SSL_get_verify_result(tls->ssl);
    const char *reason = ERR_reason_error_string(code);

    ERR_clear_error();
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
        return refuse_certificate(tls, verdict, err);
    }
    switch (ERR_GET_REASON(code)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return hs_err_set(
            err, HS_E_PROTOCOL, TLS_WHERE,
            "the server does not speak TLS on this port: use its tls-port, or redis://");
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return hs_err_set(err, HS_E_DENIED, TLS_WHERE,
                          "the server wants a certificate of ours: set cert and key");
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return hs_err_set(err, HS_E_DENIED, TLS_WHERE,
                          "the server refuses our certificate or offers none we can use: %s",
                          reason);
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return hs_err_set(err, HS_E_DENIED, TLS_WHERE, "the server offers no TLS 1.2 or newer");
    default:
        return hs_err_set(err, HS_E_PROTOCOL, TLS_WHERE, "TLS: %s",
                          reason != NULL ? reason : "the connection failed");
    }
}

/* ---- the files ---- */

static int refuse_file(const char *field, const char *path, const char *what, struct hs_err *err)
{
    unsigned long code = ERR_get_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);

    ERR_clear_error();
    return hs_err_set(err, HS_E_INVALID, TLS_WHERE, "%s '%.80s' %s: %s", field, path, what,
                      reason != NULL ? reason : "not PEM");
}

/** Never ask the terminal. */
static int no_passphrase(char *buffer, int size, int is_writing, void *arg)
{
    return 0;
}

static int use_key(SSL_CTX *context, const struct hs_redis_tls_files *files, struct hs_err *err)
{
    HS_AUTO_MEM char *text = NULL;
    size_t n_bytes = 0;
    int rc = hs_secretfile_read(files->key, &text, &n_bytes, err);
    BIO *bio;
    EVP_PKEY *key;
    bool is_good;

    if (rc < 0) {
        return rc;
    }
    bio = BIO_new_mem_buf(text, (int)n_bytes);
    key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    is_good = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    OPENSSL_cleanse(text, n_bytes);
    return is_good ? 0
                   : refuse_file("key", files->key, "is no key without passphrase for cert", err);
}

static int use_cert(SSL_CTX *context, const struct hs_redis_tls_files *files, struct hs_err *err)
{
    const X509 *cert;
    char day[32];

    if (is_given(files->cert) != is_given(files->key)) {
        return hs_err_set(err, HS_E_INVALID, TLS_WHERE, "cert and key go together");
    }
    if (!is_given(files->cert)) {
        return 0;
    }
    if (SSL_CTX_use_certificate_chain_file(context, files->cert) != 1) {
        return refuse_file("cert", files->cert, "is no certificate", err);
    }
    cert = SSL_CTX_get0_certificate(context);
    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0) {
        format_day(X509_get0_notAfter(cert), day, sizeof(day));
        return hs_err_set(err, HS_E_INVALID, TLS_WHERE, "cert '%.80s' expired on %s", files->cert,
                          day);
    }
    return use_key(context, files, err);
}

static int use_files(SSL_CTX *context, const struct hs_redis_tls_files *files, struct hs_err *err)
{
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        return hs_err_set(err, HS_E_SYSTEM, TLS_WHERE, "OpenSSL has no TLS 1.2");
    }
    if (!is_given(files->ca)) {
        (void)SSL_CTX_set_default_verify_paths(context);
    } else if (SSL_CTX_load_verify_file(context, files->ca) != 1) {
        return refuse_file("ca", files->ca, "holds no certificates", err);
    }
    return use_cert(context, files, err);
}

/* ---- life ---- */

/** Expect @name in the server's certificate; only a name goes out in the clear, for SNI. */
static bool expect_name(SSL *ssl, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    }
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

int hs_redis_tls_new(const struct hs_redis_tls_files *files, const char *host,
                     struct hs_redis_tls **ret_tls, struct hs_err *err)
{
    HS_AUTO(hs_redis_tls) tls = hs_xcalloc(1, sizeof(*tls));
    const char *name = is_given(files->server_name) ? files->server_name : host;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int rc;

    if (context == NULL) {
        hs_mem_exhausted();
    }
    ERR_clear_error();
    rc = use_files(context, files, err);
    if (rc < 0) {
        SSL_CTX_free(context);
        return rc;
    }
    tls->ssl = SSL_new(context);
    SSL_CTX_free(context); /* ssl holds it */
    tls->from_server = BIO_new(BIO_s_mem());
    tls->to_server = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || tls->from_server == NULL || tls->to_server == NULL) {
        hs_mem_exhausted();
    }
    SSL_set_app_data(tls->ssl, tls);
    SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, on_verified);
    SSL_set_bio(tls->ssl, tls->from_server, tls->to_server);
    tls->ca = hs_xstrdup(is_given(files->ca) ? files->ca : "");
    tls->name = hs_xstrdup(name);
    if (!expect_name(tls->ssl, name)) {
        ERR_clear_error();
        return hs_err_set(err, HS_E_INVALID, TLS_WHERE, "'%.80s' is no name of a server", name);
    }
    SSL_set_connect_state(tls->ssl);
    rc = hs_redis_tls_feed(tls, NULL, 0, err); /* our first word */
    if (rc == 0) {
        *ret_tls = HS_STEAL(tls);
    }
    return rc;
}

int hs_redis_tls_feed(struct hs_redis_tls *tls, const void *bytes, size_t n_bytes,
                      struct hs_err *err)
{
    int rc;

    if (n_bytes > 0 && BIO_write(tls->from_server, bytes, (int)n_bytes) != (int)n_bytes) {
        hs_mem_exhausted();
    }
    if (SSL_is_init_finished(tls->ssl)) {
        return 0;
    }
    ERR_clear_error();
    rc = SSL_do_handshake(tls->ssl);
    return rc == 1 || SSL_get_error(tls->ssl, rc) == SSL_ERROR_WANT_READ ? 0 : explain(tls, err);
}

bool hs_redis_tls_is_open(const struct hs_redis_tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}

ssize_t hs_redis_tls_read(struct hs_redis_tls *tls, void *ret_bytes, size_t n_max,
                          struct hs_err *err)
{
    int n;

    ERR_clear_error();
    n = SSL_read(tls->ssl, ret_bytes, (int)n_max);
    if (n > 0) {
        return n;
    }
    switch (SSL_get_error(tls->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_ZERO_RETURN: /* the socket's end follows */
        return 0;
    default:
        return explain(tls, err);
    }
}

int hs_redis_tls_write(struct hs_redis_tls *tls, const void *bytes, size_t n_bytes,
                       struct hs_err *err)
{
    size_t n = 0;

    ERR_clear_error();
    return n_bytes == 0 || SSL_write_ex(tls->ssl, bytes, n_bytes, &n) == 1 ? 0 : explain(tls, err);
}

size_t hs_redis_tls_take(struct hs_redis_tls *tls, void *ret_bytes, size_t n_max)
{
    int n = BIO_read(tls->to_server, ret_bytes, (int)n_max);

    return n > 0 ? (size_t)n : 0;
}

void hs_redis_tls_free(struct hs_redis_tls *tls)
{
    if (tls != NULL) {
        SSL_free(tls->ssl); /* and its buffers */
        free(tls->ca);
        free(tls->name);
        free(tls);
    }
}
