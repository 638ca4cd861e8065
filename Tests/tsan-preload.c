// Tells the thread sanitizer what two parts of Swift's libraries order, which are not built for it:
//
// - A contended Mutex. Where nobody else holds the lock, its atomics are compiled into our code and the sanitizer sees them. Where
//   somebody does, they are in libswiftSynchronization.so.
// - A continuation that is resumed before its task has suspended: the two threads meet only in an atomic of libswift_Concurrency.so.
//
// The sanitizer would report whatever the threads do one after the other. A suppression would hide real races in the same functions;
// this library hides none. `interop/sanitize` builds and preloads it; without the sanitizer it does nothing.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define CALL __attribute__((swiftcall))
#define ASYNC_CALL __attribute__((swiftasynccall))
#define ASYNC_CONTEXT __attribute__((swift_async_context)) void *context
#define SELF __attribute__((swift_context)) void *self

static void (*acquire)(void *), (*release)(void *);
static CALL void (*lock_slow)(uint32_t, SELF);
static CALL bool (*try_lock_slow)(SELF);
static CALL void (*unlock_slow)(SELF);
static CALL void *(*current_task)(void);
static CALL void (*resume)(void *task);
static CALL void (*throwing_resume)(void *task);
static CALL void (*throwing_resume_with_error)(void *task, void *error);
static ASYNC_CALL void (*await)(void *continuation, ASYNC_CONTEXT);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

__attribute__((constructor)) static void find(void) {
    acquire = dlsym(RTLD_DEFAULT, "__tsan_acquire");
    release = dlsym(RTLD_DEFAULT, "__tsan_release");
    lock_slow = dlsym(RTLD_NEXT, LOCK_SLOW);
    try_lock_slow = dlsym(RTLD_NEXT, TRY_LOCK_SLOW);
    unlock_slow = dlsym(RTLD_NEXT, UNLOCK_SLOW);
    current_task = dlsym(RTLD_DEFAULT, "swift_task_getCurrent");
    resume = dlsym(RTLD_NEXT, "swift_continuation_resume");
    throwing_resume = dlsym(RTLD_NEXT, "swift_continuation_throwingResume");
    throwing_resume_with_error = dlsym(RTLD_NEXT, "swift_continuation_throwingResumeWithError");
    await = dlsym(RTLD_NEXT, "swift_continuation_await");
}

// MARK: Mutex

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

// MARK: continuations

CALL void swift_continuation_resume(void *task) {
    if (release) release(task);
    resume(task);
}

CALL void swift_continuation_throwingResume(void *task) {
    if (release) release(task);
    throwing_resume(task);
}

CALL void swift_continuation_throwingResumeWithError(void *task, void *error) {
    if (release) release(task);
    throwing_resume_with_error(task, error);
}

ASYNC_CALL void swift_continuation_await(void *continuation, ASYNC_CONTEXT) {
    if (acquire) acquire(current_task());
    __attribute__((musttail)) return await(continuation, context);
}
