/*
 * A model that is updated in the field: two slots, a signature, the self-test, and a way back.
 *
 *     open_signed PUBLIC_KEY.pem SLOT [SLOT]
 *
 * Each SLOT is a device file, and SLOT.sig its detached Ed25519 signature (64 bytes).  The first slot that is signed by
 * the key, is sound, and gives the proven answers on this processor is opened; the others are told, a line each.  Keys
 * and signatures are OpenSSL's:
 *
 *     openssl genpkey -algorithm ed25519 -out private.pem
 *     openssl pkey -in private.pem -pubout -out public.pem
 *     openssl pkeyutl -sign -inkey private.pem -rawin -in MODEL -out MODEL.sig
 *
 * The bytes that were verified are the bytes that are opened: a file that changes in between cannot slip through.
 */
#include <edgeecho.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIGNATURE_BYTES = 64, PATH_BYTES = 4096, REASON_BYTES = 512 };
static const long MAX_BYTES = 64L << 20; /* of a model; the largest packaged one has 3 MB */

/* Read a whole file; NULL if it cannot be read or is larger than `most`. */
static unsigned char *read_file(const char *path, long most, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    unsigned char *bytes = NULL;
    const long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (length > 0 && length <= most && fseek(file, 0, SEEK_SET) == 0 && (bytes = malloc((size_t)length))) {
        *size = fread(bytes, 1, (size_t)length, file);
        if (*size != (size_t)length) {
            free(bytes);
            bytes = NULL;
        }
    }
    fclose(file);
    return bytes;
}

static EVP_PKEY *read_key(const char *path) {
    FILE *file = fopen(path, "rb");
    EVP_PKEY *key = file ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    if (key && EVP_PKEY_id(key) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static int is_signed(EVP_PKEY *key, const unsigned char *bytes, size_t size, const unsigned char *signature) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const int holds = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                      EVP_DigestVerify(context, signature, SIGNATURE_BYTES, bytes, size) == 1;
    EVP_MD_CTX_free(context);
    return holds;
}

/* Open the model of a slot; NULL if it must not be used, and `reason` then says why. */
static edgeecho_model *open_slot(EVP_PKEY *key, const char *slot, char reason[REASON_BYTES]) {
    const edgeecho_open_options options = {.struct_size = sizeof options, .error = reason, .error_size = REASON_BYTES};
    char path[PATH_BYTES];
    size_t size = 0, signature_size = 0;
    edgeecho_model *model = NULL;
    edgeecho_selftest_result test = {.struct_size = sizeof test};
    const int fits = snprintf(path, sizeof path, "%s.sig", slot) < (int)sizeof path;
    unsigned char *signature = fits ? read_file(path, SIGNATURE_BYTES, &signature_size) : NULL;
    unsigned char *bytes = read_file(slot, MAX_BYTES, &size);
    edgeecho_status status;
    if (!bytes)
        snprintf(reason, REASON_BYTES, "cannot be read");
    else if (!signature || signature_size != SIGNATURE_BYTES)
        snprintf(reason, REASON_BYTES, "has no signature");
    else if (!is_signed(key, bytes, size, signature))
        snprintf(reason, REASON_BYTES, "the signature is not of this key and this file");
    else if (edgeecho_open_memory(bytes, size, &options, &model) == EDGEECHO_OK) {
        status = edgeecho_selftest(model, &test);
        if (status != EDGEECHO_OK) {
            snprintf(reason, REASON_BYTES, "%s", edgeecho_status_text(status));
            edgeecho_close(model);
            model = NULL;
        }
    }
    free(bytes), free(signature);
    return model;
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: open_signed PUBLIC_KEY.pem SLOT [SLOT]\n");
        return 2;
    }
    EVP_PKEY *key = read_key(argv[1]);
    if (!key) {
        fprintf(stderr, "open_signed: %s: no Ed25519 public key in PEM\n", argv[1]);
        return 1;
    }
    edgeecho_model *model = NULL;
    for (int i = 2; i < argc && !model; i++) {
        char reason[REASON_BYTES] = "";
        model = open_slot(key, argv[i], reason);
        if (!model)
            fprintf(stderr, "open_signed: %s: %s\n", argv[i], reason);
        else
            printf("%s: signed, sound, and proven on this processor\n", argv[i]);
    }
    EVP_PKEY_free(key);
    const int failed = !model;
    /* ... streams of the model run here ... */
    edgeecho_close(model);
    return failed;
}
