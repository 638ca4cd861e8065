// Tells the thread sanitizer what two parts of Swift's libraries order, which are not built for it:
//
// - A contended Mutex. Where nobody else holds the lock, its atomics are compiled into our code and the sanitizer sees them. Where
//   somebody does, they are in libswiftSynchronization.so.
// - A continuation that is resumed before its task has suspended: the two threads meet only in an atomic of libswift_Concurrency.so.
//   Whoever goes on after a continuation, on whichever thread, goes through `after_continuation` here.
//
// The sanitizer would report whatever the threads do one after the other. A suppression would hide real races in the same functions;
// this library hides none. `interop/sanitize` builds and preloads it; without the sanitizer it does nothing.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

__attribute__((constructor(101))) static void find(void) {
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

typedef ASYNC_CALL void (*resume_function)(ASYNC_CONTEXT);

// How a continuation's context begins.
struct context {
    void *parent;
    resume_function resume;
};

// How a task begins. What it goes on with is here where it was suspended, and in the context where it was not.
struct task {
    void *header[7];
    resume_function resume;
    struct context *context;
};

// What each suspended task does next, by its continuation. The atomics here are none that the sanitizer sees: they order nothing for it.
static struct {
    _Atomic(void *) context;
    resume_function resume;
} suspended[1 << 16];

static unsigned place(void *context) { return (unsigned)((uintptr_t)context >> 4) % (1 << 16); }

static void keep(struct context *context) {
    unsigned start = place(context), at = start;
    do {
        void *nobody = NULL;
        if (atomic_compare_exchange_strong(&suspended[at].context, &nobody, (void *)-1)) {
            suspended[at].resume = context->resume;
            atomic_store(&suspended[at].context, context);
            return;
        }
        at = (at + 1) % (1 << 16);
    } while (at != start);
    abort();
}

static resume_function take(void *context) {
    unsigned start = place(context), at = start;
    do {
        if (atomic_load(&suspended[at].context) == context) {
            resume_function resume = suspended[at].resume;
            atomic_store(&suspended[at].context, NULL);
            return resume;
        }
        at = (at + 1) % (1 << 16);
    } while (at != start);
    abort();
}

static ASYNC_CALL void after_continuation(ASYNC_CONTEXT) {
    acquire(current_task());
    __attribute__((musttail)) return take(context)(context);
}

ASYNC_CALL void swift_continuation_await(void *continuation, ASYNC_CONTEXT) {
    if (acquire) {
        struct task *task = current_task();
        struct context *waiting = continuation;
        // Another layout than this is written for.
        if (task->context != waiting || task->resume != waiting->resume) abort();
        release(task);
        keep(waiting);
        waiting->resume = task->resume = after_continuation;
    }
    __attribute__((musttail)) return await(continuation, context);
}

// Swift's library calls its own functions without asking who else has them: `withCheckedContinuation` does where it is not inlined. Such
// calls are led here.
#ifdef __x86_64__
static int redirect(struct dl_phdr_info *library, size_t size, void *unused) {
    if (!strstr(library->dlpi_name, "libswift_Concurrency")) return 0;
    for (int index = 0; index < library->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[index];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        uint8_t *start = (uint8_t *)(library->dlpi_addr + part->p_vaddr), *end = start + part->p_memsz - 4;
        uint8_t *page = (uint8_t *)((uintptr_t)start & ~(uintptr_t)4095);
        if (mprotect(page, end + 4 - page, PROT_READ | PROT_WRITE | PROT_EXEC)) abort();
        for (uint8_t *code = start; code < end; code++) {
            int32_t distance;
            memcpy(&distance, code + 1, 4);
            // CALL and JMP.
            if ((*code != 0xE8 && *code != 0xE9) || code + 5 + distance != (uint8_t *)await) continue;
            intptr_t new_distance = (uint8_t *)swift_continuation_await - (code + 5);
            distance = (int32_t)new_distance;
            if (distance != new_distance) abort();
            memcpy(code + 1, &distance, 4);
        }
        mprotect(page, end + 4 - page, PROT_READ | PROT_EXEC);
    }
    return 1;
}
#endif

__attribute__((constructor(200))) static void redirect_all(void) {
#ifdef __x86_64__
    if (acquire) dl_iterate_phdr(redirect, NULL);
#endif
}
