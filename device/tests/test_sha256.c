/* Known answers of FIPS 180-4, however the bytes are cut. */
#include <string.h>

#include "sha256.h"
#include "testing.h"

static void check(const char *text, size_t repeats, const char *hex) {
    char found[65];
    uint8_t digest[32];
    for (size_t cut = 1; cut < 200; cut = cut * 3 + 1) {
        ee_sha256 sha;
        ee_sha256_begin(&sha);
        for (size_t k = 0; k < repeats; k++)
            for (size_t at = 0; at < strlen(text); at += cut) {
                size_t left = strlen(text) - at;
                ee_sha256_add(&sha, text + at, left < cut ? left : cut);
            }
        ee_sha256_end(&sha, digest);
        for (int i = 0; i < 32; i++)
            snprintf(found + 2 * i, 3, "%02x", digest[i]);
        CHECK(strcmp(found, hex) == 0);
    }
}

int main(void) {
    check("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    check("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    return 0;
}
