// Tells the thread sanitizer what a contended Mutex of Swift's module Synchronization orders.
//
// Where nobody else holds the lock, its atomics are compiled into our code and the sanitizer sees them. Where somebody does, they are
// in libswiftSynchronization.so, which is not built for the sanitizer: it would report whatever two threads do one after the other under
// such a lock. A suppression would hide real races in the same functions; this library hides none. `interop/sanitize` builds and
// preloads it; without the sanitizer it does nothing.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define CALL __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

static void (*acquire)(void *), (*release)(void *);
static CALL void (*lock_slow)(uint32_t, SELF);
static CALL bool (*try_lock_slow)(SELF);
static CALL void (*unlock_slow)(SELF);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

__attribute__((constructor)) static void find(void) {
    acquire = dlsym(RTLD_DEFAULT, "__tsan_acquire");
    release = dlsym(RTLD_DEFAULT, "__tsan_release");
    lock_slow = dlsym(RTLD_NEXT, LOCK_SLOW);
    try_lock_slow = dlsym(RTLD_NEXT, TRY_LOCK_SLOW);
    unlock_slow = dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

CALL void huey_lock_slow(uint32_t thread, SELF) __asm__(LOCK_SLOW);
CALL void huey_lock_slow(uint32_t thread, SELF) {
    lock_slow(thread, self);
    if (acquire) acquire(self);
}

CALL bool huey_try_lock_slow(SELF) __asm__(TRY_LOCK_SLOW);
CALL bool huey_try_lock_slow(SELF) {
    bool is_locked = try_lock_slow(self);
    if (is_locked && acquire) acquire(self);
    return is_locked;
}

CALL void huey_unlock_slow(SELF) __asm__(UNLOCK_SLOW);
CALL void huey_unlock_slow(SELF) {
    if (release) release(self);
    unlock_slow(self);
}
