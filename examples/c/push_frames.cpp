// The C library in C++11: handles that close themselves, errors as exceptions.
//
//     push_frames_cpp MODEL WIDTH HEIGHT FPS < raw grey frames
//
// Prints the area of each frame and each beat as it is completed.
#include <edgeecho.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

edgeecho_status check(edgeecho_status status) {
    if (status < 0)
        throw std::runtime_error(edgeecho_status_text(status));
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
    edgeecho_model *model = nullptr;
    check(edgeecho_open(path.c_str(), nullptr, &model));
    return Model(model);
}

Stream create(edgeecho_model *model, std::uint32_t width, std::uint32_t height, double fps) {
    auto options = sized<edgeecho_stream_options>();
    options.max_width = width;
    options.max_height = height;
    options.fps = fps;
    edgeecho_stream *stream = nullptr;
    check(edgeecho_stream_create(model, &options, &stream));
    return Stream(stream);
}

void print(const edgeecho_stream *stream) {
    auto result = sized<edgeecho_result>();
    check(edgeecho_read(stream, &result));
    std::cout << "frame " << result.frame << ": " << result.area_px << " px\n";
    for (std::uint32_t i = result.beats - result.beats_completed; i < result.beats; i++) {
        auto beat = sized<edgeecho_beat>();
        if (check(edgeecho_beat_at(stream, i, &beat)) == EDGEECHO_OK)
            std::cout << "beat: ED " << beat.ed_frame << ", ES " << beat.es_frame << ", EF " << beat.ef_percent << "%"
                      << (beat.is_used ? "" : ", left out") << "\n";
    }
}

void run(const std::string &path, std::uint32_t width, std::uint32_t height, double fps) {
    const Model model = open(path);
    const Stream stream = create(model.get(), width, height, fps);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width) * height);
    auto frame = sized<edgeecho_frame>();
    frame.pixels = pixels.data();
    frame.stride_bytes = width;
    frame.width = width;
    frame.height = height;
    while (std::cin.read(reinterpret_cast<char *>(pixels.data()), static_cast<std::streamsize>(pixels.size())))
        if (check(edgeecho_push(stream.get(), &frame)) == EDGEECHO_OK)
            print(stream.get());
    while (check(edgeecho_flush(stream.get())) == EDGEECHO_OK)
        print(stream.get());
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 5) {
        std::cerr << "usage: push_frames_cpp MODEL WIDTH HEIGHT FPS\n";
        return 2;
    }
    try {
        run(argv[1], static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)),
            static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)), std::strtod(argv[4], nullptr));
    } catch (const std::exception &error) {
        std::cerr << "push_frames_cpp: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
