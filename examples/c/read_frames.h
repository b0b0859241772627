/*
 * Grey frames from a file or a pipe: binary PGM images ("P5", with or without comments), or raw frames of one size with
 * nothing between them.  C99 and C++.
 *
 *     frame_source source;
 *     if (!open_frames(&source, stdin, 0, 0)) ...           source.error is a sentence
 *     while ((found = read_frame(&source, pixels)) > 0) ...  -1: source.error
 */
#ifndef READ_FRAMES_H
#define READ_FRAMES_H

#include <stdint.h>
#include <stdio.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

typedef struct frame_source {
    FILE *file;
    unsigned width, height;
    int is_pgm;
    int has_header; /* of the next image, whose pixels come next */
    unsigned long long frames;
    char error[160];
} frame_source;

static inline int is_white_space(int byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The next byte that is neither white space nor in a comment ("#" to the end of its line); EOF at the end. */
static inline int next_byte(FILE *file) {
    int byte;
    while ((byte = fgetc(file)) == '#' || is_white_space(byte))
        while (byte == '#' && (byte = fgetc(file)) != EOF)
            byte = byte == '\n' ? byte : '#';
    return byte;
}

/* A number of a PGM header, of up to 6 digits, and the byte behind it, which is consumed; 0 if there is none. */
static inline unsigned header_number(FILE *file, int *behind) {
    unsigned value = 0;
    int byte = next_byte(file), digits = 0;
    for (; byte >= '0' && byte <= '9' && digits < 6; digits++, byte = fgetc(file))
        value = 10 * value + (unsigned)(byte - '0');
    if (byte == '#') /* a comment may stand right behind a number */
        ungetc(byte, file);
    *behind = byte;
    return value;
}

/* 1: a header was read, of the size that width and height get; 0: the stream ended; -1: something else, see error. */
static inline int read_pgm_header(frame_source *source, unsigned *width, unsigned *height) {
    int behind = 0;
    const int first = next_byte(source->file);
    if (first == EOF && !ferror(source->file))
        return 0;
    const int is_pgm = first == 'P' && fgetc(source->file) == '5';
    *width = is_pgm ? header_number(source->file, &behind) : 0;
    *height = *width ? header_number(source->file, &behind) : 0;
    const unsigned levels = *height ? header_number(source->file, &behind) : 0;
    if (levels == 255 && is_white_space(behind))
        return 1;
    snprintf(source->error, sizeof source->error,
             levels ? "image %llu has %u grey levels or no white space behind them; 255 are read"
                    : "image %llu is no binary PGM image (\"P5 width height 255\"); give the size of raw frames",
             source->frames, levels);
    return -1;
}

/* A file whose length is known must hold whole frames.  Of a pipe the length is not known: read_frame finds the rest. */
static inline int has_whole_frames(frame_source *source) {
    const unsigned long long frame = (unsigned long long)source->width * source->height;
    const long begin = ftell(source->file);
    if (begin < 0 || fseek(source->file, 0, SEEK_END) != 0)
        return 1;
    const long end = ftell(source->file);
    if (end < begin || fseek(source->file, begin, SEEK_SET) != 0)
        return 1;
    const unsigned long long bytes = (unsigned long long)(end - begin);
    if (frame && bytes % frame == 0)
        return 1;
    snprintf(source->error, sizeof source->error,
             "%llu bytes are no multiple of a frame of %ux%u (%llu and a rest of %llu); give the size of the frames",
             bytes, source->width, source->height, frame ? bytes / frame : 0, frame ? bytes % frame : bytes);
    return 0;
}

/* Whether there is something to read; width and height are 0 for PGM images, which state theirs. */
static inline int open_frames(frame_source *source, FILE *file, unsigned width, unsigned height) {
#ifdef _WIN32
    _setmode(_fileno(file), _O_BINARY); /* or bytes 10, 13 and 26 are changed */
#endif
    source->file = file;
    source->width = width, source->height = height;
    source->is_pgm = !width && !height;
    source->has_header = 0;
    source->frames = 0;
    source->error[0] = 0;
    if (!source->is_pgm)
        return has_whole_frames(source);
    source->has_header = read_pgm_header(source, &source->width, &source->height);
    if (!source->has_header)
        snprintf(source->error, sizeof source->error, "there is no image to read");
    return source->has_header == 1;
}

/* Read width * height bytes.  1: a frame; 0: the stream ended behind a whole frame; -1: it did not, see error. */
static inline int read_frame(frame_source *source, uint8_t *pixels) {
    const size_t size = (size_t)source->width * source->height;
    if (source->is_pgm && !source->has_header) {
        unsigned width, height;
        const int found = read_pgm_header(source, &width, &height);
        if (found < 1)
            return found;
        if (width != source->width || height != source->height) {
            snprintf(source->error, sizeof source->error,
                     "image %llu is %ux%u, those before are %ux%u; one size is read", source->frames, width, height,
                     source->width, source->height);
            return -1;
        }
    }
    source->has_header = 0;
    const size_t found = fread(pixels, 1, size, source->file);
    if (found == size) {
        source->frames++;
        return 1;
    }
    if (!source->is_pgm && !found && source->frames && !ferror(source->file))
        return 0;
    if (!source->is_pgm && !found && !source->frames)
        snprintf(source->error, sizeof source->error, "there is no frame to read");
    else
        snprintf(source->error, sizeof source->error,
                 "frame %llu has %llu bytes of %llu (%ux%u): cut off, or frames of another size", source->frames,
                 (unsigned long long)found, (unsigned long long)size, source->width, source->height);
    return -1;
}

#endif
