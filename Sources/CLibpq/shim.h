/* libpq: Debian keeps its headers in a directory that is not searched, others where pkg-config says. */
#ifndef SWIFT_HUEY_CLIBPQ_SHIM_H
#define SWIFT_HUEY_CLIBPQ_SHIM_H

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif

#endif
