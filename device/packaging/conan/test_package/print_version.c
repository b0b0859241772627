/* The version of the library that the package has. */
#include <edgeecho.h>
#include <stdio.h>

int main(void) {
    const unsigned version = edgeecho_version();
    printf("EdgeEcho %u.%u.%u\n", version >> 16, version >> 8 & 255, version & 255);
    return 0;
}
