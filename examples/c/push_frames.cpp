// The C library in C++11: handles that close themselves, errors as exceptions.
//
//     push_frames_cpp MODEL FPS < binary PGM images
//     push_frames_cpp MODEL FPS WIDTH HEIGHT < raw grey frames
//
// Prints the area of each frame and each beat as it is completed.  Input that is neither, or ends within a frame, is an
// error.
#include <edgeecho.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "read_frames.h"

namespace {

enum { REASON_BYTES = 512 }; // a longer sentence is cut

edgeecho_status check(edgeecho_status status, const char *reason) {
    if (status < 0)
        throw std::runtime_error(reason);
    return status;
}

struct CloseModel {
    void operator()(edgeecho_model *model) const {
        edgeecho_close(model);
    }
};
struct DestroyStream {
    void operator()(edgeecho_stream *stream) const {
        edgeecho_stream_destroy(stream);
    }
};
using Model = std::unique_ptr<edgeecho_model, CloseModel>;
using Stream = std::unique_ptr<edgeecho_stream, DestroyStream>; // to be destroyed before its model

template <typename T> T sized() {
    T value = T();
    value.struct_size = sizeof value;
    return value;
}

Model open(const std::string &path) {
    char reason[REASON_BYTES] = "";
    auto options = sized<edgeecho_open_options>();
    options.error = reason;
    options.error_size = sizeof reason;
    edgeecho_model *model = nullptr;
    check(edgeecho_open(path.c_str(), &options, &model), reason);
    return Model(model);
}

Stream create(edgeecho_model *model, std::uint32_t width, std::uint32_t height, double fps) {
    auto options = sized<edgeecho_stream_options>();
    options.max_width = width;
    options.max_height = height;
    options.fps = fps;
    edgeecho_stream *stream = nullptr;
    const edgeecho_status status = edgeecho_stream_create(model, &options, &stream);
    char reason[REASON_BYTES] = "";
    edgeecho_model_error(model, reason, sizeof reason);
    check(status, reason);
    return Stream(stream);
}

void print(const edgeecho_stream *stream) {
    auto result = sized<edgeecho_result>();
    check(edgeecho_read(stream, &result), edgeecho_stream_error(stream));
    std::cout << "frame " << result.frame << ": " << result.area_px << " px\n";
    for (std::uint32_t i = result.beats - result.beats_completed; i < result.beats; i++) {
        auto beat = sized<edgeecho_beat>();
        if (check(edgeecho_beat_at(stream, i, &beat), edgeecho_stream_error(stream)) == EDGEECHO_OK)
            std::cout << "beat: ED " << beat.ed_frame << ", ES " << beat.es_frame << ", EF " << beat.ef_percent << "%"
                      << (beat.is_used ? "" : ", left out") << "\n";
    }
}

void run(const std::string &path, double fps, std::uint32_t width, std::uint32_t height) {
    const Model model = open(path);
    frame_source source;
    if (!open_frames(&source, stdin, width, height))
        throw std::runtime_error(std::string("stdin: ") + source.error);
    const Stream stream = create(model.get(), source.width, source.height, fps);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(source.width) * source.height);
    auto frame = sized<edgeecho_frame>();
    frame.pixels = pixels.data();
    frame.stride_bytes = source.width;
    frame.width = source.width;
    frame.height = source.height;
    int found;
    while ((found = read_frame(&source, pixels.data())) > 0) {
        const edgeecho_status status = edgeecho_push(stream.get(), &frame);
        if (check(status, edgeecho_stream_error(stream.get())) == EDGEECHO_OK)
            print(stream.get());
    }
    for (;;) {
        const edgeecho_status status = edgeecho_flush(stream.get());
        if (check(status, edgeecho_stream_error(stream.get())) != EDGEECHO_OK)
            break;
        print(stream.get());
    }
    if (found < 0)
        throw std::runtime_error(std::string("stdin: ") + source.error);
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 3 && argc != 5) {
        std::cerr << "usage: push_frames_cpp MODEL FPS [WIDTH HEIGHT]\n";
        return 2;
    }
    try {
        const int sides[] = {argc == 5 ? std::stoi(argv[3]) : 0, argc == 5 ? std::stoi(argv[4]) : 0};
        if (argc == 5 && (sides[0] < 1 || sides[1] < 1))
            throw std::runtime_error("width and height must be positive");
        run(argv[1], std::stod(argv[2]), static_cast<std::uint32_t>(sides[0]), static_cast<std::uint32_t>(sides[1]));
    } catch (const std::logic_error &) { // of stoi and stod
        std::cerr << "push_frames_cpp: not a number among FPS, WIDTH and HEIGHT\n";
        return 2;
    } catch (const std::exception &error) {
        std::cerr << "push_frames_cpp: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
