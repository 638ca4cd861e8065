#ifndef SWIFT_HUEY_CHIREDIS_SHIM_H
#define SWIFT_HUEY_CHIREDIS_SHIM_H

#include <hiredis/hiredis.h>

#endif
