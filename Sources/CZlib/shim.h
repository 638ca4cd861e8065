#ifndef SWIFT_HUEY_CZLIB_SHIM_H
#define SWIFT_HUEY_CZLIB_SHIM_H

#include <zlib.h>

// zlib's initialisers are macros, which Swift does not see.
static inline int huey_deflate_init(z_stream *stream, int level, int window_bits) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}

static inline int huey_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

#endif
