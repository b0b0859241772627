/* Print what a program that was compiled against the header relies on; device/abi.txt has it for 64-bit Linux. */
#include <edgeecho.h>
#include <stdio.h>

#define SIZE(type) printf("%s %zu\n", #type, sizeof(type))
#define FIELD(type, field) printf("  %s %zu %zu\n", #field, offsetof(type, field), sizeof(((type *)0)->field))

int main(void) {
    SIZE(edgeecho_status);
    SIZE(edgeecho_open_options);
    FIELD(edgeecho_open_options, struct_size);
    FIELD(edgeecho_open_options, threads);
    FIELD(edgeecho_open_options, onnxruntime_api);
    FIELD(edgeecho_open_options, onnxruntime_path);
    SIZE(edgeecho_info);
    FIELD(edgeecho_info, struct_size);
    FIELD(edgeecho_info, name);
    FIELD(edgeecho_info, licence);
    FIELD(edgeecho_info, intended_use);
    FIELD(edgeecho_info, revision);
    FIELD(edgeecho_info, precision);
    FIELD(edgeecho_info, engine);
    FIELD(edgeecho_info, sha256);
    FIELD(edgeecho_info, parameters);
    FIELD(edgeecho_info, state_bytes);
    FIELD(edgeecho_info, size_px);
    FIELD(edgeecho_info, frames_before);
    FIELD(edgeecho_info, delay_frames);
    FIELD(edgeecho_info, threshold);
    SIZE(edgeecho_stream_options);
    FIELD(edgeecho_stream_options, struct_size);
    FIELD(edgeecho_stream_options, max_width);
    FIELD(edgeecho_stream_options, max_height);
    FIELD(edgeecho_stream_options, fps);
    FIELD(edgeecho_stream_options, row_mm);
    FIELD(edgeecho_stream_options, column_mm);
    FIELD(edgeecho_stream_options, search);
    FIELD(edgeecho_stream_options, flip);
    SIZE(edgeecho_frame);
    FIELD(edgeecho_frame, struct_size);
    FIELD(edgeecho_frame, pixels);
    FIELD(edgeecho_frame, stride_bytes);
    FIELD(edgeecho_frame, width);
    FIELD(edgeecho_frame, height);
    FIELD(edgeecho_frame, roi_x);
    FIELD(edgeecho_frame, roi_y);
    FIELD(edgeecho_frame, roi_width);
    FIELD(edgeecho_frame, roi_height);
    SIZE(edgeecho_result);
    FIELD(edgeecho_result, struct_size);
    FIELD(edgeecho_result, frame);
    FIELD(edgeecho_result, area_px);
    FIELD(edgeecho_result, area_mm2);
    FIELD(edgeecho_result, ef_percent);
    FIELD(edgeecho_result, edv_ml);
    FIELD(edgeecho_result, esv_ml);
    FIELD(edgeecho_result, heart_rate_bpm);
    FIELD(edgeecho_result, beats);
    FIELD(edgeecho_result, beats_completed);
    FIELD(edgeecho_result, width);
    FIELD(edgeecho_result, height);
    FIELD(edgeecho_result, push_ns);
    FIELD(edgeecho_result, engine_ns);
    FIELD(edgeecho_result, confidence);
    FIELD(edgeecho_result, withheld_ef_percent);
    FIELD(edgeecho_result, withheld_edv_ml);
    FIELD(edgeecho_result, withheld_esv_ml);
    FIELD(edgeecho_result, reasons);
    FIELD(edgeecho_result, notes);
    FIELD(edgeecho_result, verdict);
    FIELD(edgeecho_result, view_fixed);
    FIELD(edgeecho_result, flip);
    FIELD(edgeecho_result, inverted);
    FIELD(edgeecho_result, roi_x);
    FIELD(edgeecho_result, roi_y);
    FIELD(edgeecho_result, roi_width);
    FIELD(edgeecho_result, roi_height);
    SIZE(edgeecho_beat);
    FIELD(edgeecho_beat, struct_size);
    FIELD(edgeecho_beat, ed_frame);
    FIELD(edgeecho_beat, es_frame);
    FIELD(edgeecho_beat, ef_percent);
    FIELD(edgeecho_beat, edv_ml);
    FIELD(edgeecho_beat, esv_ml);
    FIELD(edgeecho_beat, heart_rate_bpm);
    FIELD(edgeecho_beat, reasons);
    FIELD(edgeecho_beat, is_used);
    SIZE(edgeecho_selftest_result);
    FIELD(edgeecho_selftest_result, struct_size);
    FIELD(edgeecho_selftest_result, frames);
    FIELD(edgeecho_selftest_result, frames_different);
    FIELD(edgeecho_selftest_result, first_different);
    FIELD(edgeecho_selftest_result, max_levels);
    FIELD(edgeecho_selftest_result, levels);
    FIELD(edgeecho_selftest_result, area_difference_px);
    FIELD(edgeecho_selftest_result, elapsed_ns);
    return 0;
}
