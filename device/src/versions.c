#include "model.h"
#include "struct_size.h"

#define TEXT_OF(value) #value
#define NUMBER(value) TEXT_OF(value)

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "another compiler"
#endif

#if defined(__x86_64__)
#define PROCESSOR "x86-64"
#elif defined(__aarch64__)
#define PROCESSOR "aarch64"
#elif defined(__arm__)
#define PROCESSOR "arm"
#else
#define PROCESSOR "another processor"
#endif

uint32_t edgeecho_version(void) {
    return (uint32_t)EDGEECHO_VERSION_MAJOR << 16 | EDGEECHO_VERSION_MINOR << 8 | EDGEECHO_VERSION_PATCH;
}

edgeecho_status edgeecho_get_versions(const edgeecho_model *model, edgeecho_versions *versions) {
    if (!versions || !ee_is_size_known(versions->struct_size, EE_FIRST_VERSIONS, sizeof *versions))
        return EDGEECHO_E_ARGUMENT;
    const edgeecho_versions found = {
        .library = NUMBER(EDGEECHO_VERSION_MAJOR) "." NUMBER(EDGEECHO_VERSION_MINOR) "." NUMBER(EDGEECHO_VERSION_PATCH),
        .engine = model ? model->engine->description : "",
        .build = COMPILER ", " PROCESSOR,
        .api = EDGEECHO_API_VERSION,
        .device_file_version = EE_FILE_VERSION,
    };
    ee_copy_out(versions, versions->struct_size, &found);
    return EDGEECHO_OK;
}

const char *edgeecho_status_text(edgeecho_status status) {
    switch (status) {
    case EDGEECHO_OK: return "done";
    case EDGEECHO_MORE: return "nothing to give: not yet, not any more, or not in this device file";
    case EDGEECHO_E_ARGUMENT: return "an argument is NULL or out of its range, or a struct_size is not known";
    case EDGEECHO_E_FILE: return "the file cannot be read, or is larger than 1 GiB";
    case EDGEECHO_E_FORMAT: return "no EdgeEcho device file, or one of another version";
    case EDGEECHO_E_DAMAGED: return "the checksum does not hold, the device file is damaged; fetch or export it again";
    case EDGEECHO_E_MODEL: return "the device file is sound, but not a stream graph that this library can run";
    case EDGEECHO_E_ENGINE: return "ONNX Runtime is missing, or refused the model or a run of it";
    case EDGEECHO_E_MEMORY: return "out of memory";
    case EDGEECHO_E_SIZE: return "a frame larger than the stream's most or other than its first, or a short buffer";
    case EDGEECHO_E_REGION: return "too little of the frame lies in the region, or the region is far larger than it";
    case EDGEECHO_E_BUSY: return "the model still has streams, or has too many";
    case EDGEECHO_E_SELFTEST: return "this processor does not give the answers that the device file states";
    default: return "no status of this library";
    }
}
