/*
 * What Swift sees of hiredis: its RESP reader, building replies into a flat arena.
 *
 * hiredis 0.14 and 1.x differ in the type of an array's length, in the reader's stack and in the object functions
 * of RESP3. All of that stays in this header, so that Swift code is the same for both. Functions are `static inline`:
 * nothing has to be compiled or found by pkg-config.
 */
#ifndef SWIFT_HUEY_CHIREDIS_SHIM_H
#define SWIFT_HUEY_CHIREDIS_SHIM_H

#include <hiredis/hiredis.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a node of the arena is; the numbers are RESP2's part of hiredis' REDIS_REPLY_*. */
enum {
    HUEY_REPLY_UNSET = 0,
    HUEY_REPLY_STRING = REDIS_REPLY_STRING,
    HUEY_REPLY_ARRAY = REDIS_REPLY_ARRAY,
    HUEY_REPLY_INTEGER = REDIS_REPLY_INTEGER,
    HUEY_REPLY_NIL = REDIS_REPLY_NIL,
    HUEY_REPLY_STATUS = REDIS_REPLY_STATUS,
    HUEY_REPLY_ERROR = REDIS_REPLY_ERROR
};

/* Why a reply was refused although hiredis could read it. */
enum {
    HUEY_REFUSED_NOTHING = 0,
    HUEY_REFUSED_MEMORY = 1,
    HUEY_REFUSED_ELEMENTS = 2,
    HUEY_REFUSED_NESTING = 3,
    HUEY_REFUSED_BYTES = 4,
    HUEY_REFUSED_TYPE = 5
};

/* Bytes of its input buffer that an idle reader keeps. */
#define HUEY_READER_KEPT_BUFFER (1024 * 1024)

/* Arrays inside arrays, at most: what hiredis 0.14 can read, for every release. */
#define HUEY_REPLY_MAXIMUM_NESTING 7

/*
 * One value. `value` is the integer, the offset of the string's bytes, or the index of the array's first element;
 * `length` counts bytes or elements. The elements of an array are neighbours, so that element i is node `value + i`.
 */
typedef struct {
    int64_t value;
    uint32_t length;
    uint32_t type;
} huey_reply_node;

/*
 * The replies of one batch: the first `roots` nodes are the replies themselves. Small arenas live in one allocation,
 * nodes and bytes beside the header; what outgrows it moves to allocations of its own.
 */
typedef struct {
    huey_reply_node *nodes;
    char *bytes;
    size_t node_count;
    size_t node_capacity;
    size_t byte_count;
    size_t byte_capacity;
    size_t roots;
    size_t roots_read;
    size_t maximum_nodes;
    size_t maximum_bytes;
    size_t inline_nodes;
    size_t inline_bytes;
    size_t errors;
    int refused;
} huey_reply_arena;

#define HUEY_ARENA_INLINE_NODES(arena) ((huey_reply_node *)((arena) + 1))

static inline huey_reply_arena *huey_arena_create(size_t roots, size_t maximum_nodes, size_t maximum_bytes) {
    size_t nodes = roots + 4;
    size_t bytes = roots < 16 ? 256 : roots * 16;
    huey_reply_arena *arena = malloc(sizeof(huey_reply_arena) + nodes * sizeof(huey_reply_node) + bytes);
    if (arena == NULL) return NULL;
    memset(arena, 0, sizeof(*arena));
    arena->inline_nodes = arena->node_capacity = nodes;
    arena->inline_bytes = arena->byte_capacity = bytes;
    arena->nodes = HUEY_ARENA_INLINE_NODES(arena);
    arena->bytes = (char *)(arena->nodes + nodes);
    memset(arena->nodes, 0, roots * sizeof(huey_reply_node));
    arena->node_count = arena->roots = roots;
    arena->maximum_nodes = roots + maximum_nodes;
    arena->maximum_bytes = maximum_bytes;
    return arena;
}

static inline void huey_arena_free(huey_reply_arena *arena) {
    if (arena->node_capacity != arena->inline_nodes) free(arena->nodes);
    if (arena->byte_capacity != arena->inline_bytes) free(arena->bytes);
    free(arena);
}

/* Room for `count` more nodes, zeroed; -1 where a limit or the memory does not allow it. */
static inline int huey_arena_grow_nodes(huey_reply_arena *arena, size_t count) {
    if (count > arena->maximum_nodes - arena->node_count) {
        arena->refused = HUEY_REFUSED_ELEMENTS;
        return -1;
    }
    size_t needed = arena->node_count + count;
    if (needed > arena->node_capacity) {
        size_t capacity = arena->node_capacity * 2 < needed ? needed : arena->node_capacity * 2;
        int is_inline = arena->node_capacity == arena->inline_nodes;
        huey_reply_node *nodes = realloc(is_inline ? NULL : arena->nodes, capacity * sizeof(huey_reply_node));
        if (nodes == NULL) {
            arena->refused = HUEY_REFUSED_MEMORY;
            return -1;
        }
        if (is_inline) memcpy(nodes, arena->nodes, arena->node_count * sizeof(huey_reply_node));
        arena->nodes = nodes;
        arena->node_capacity = capacity;
    }
    /* Not zeroed: a length is only a claim, and every node is written before the whole reply can be seen. */
    arena->node_count = needed;
    return 0;
}

static inline int huey_arena_append_bytes(huey_reply_arena *arena, const char *bytes, size_t count) {
    if (count > arena->maximum_bytes - arena->byte_count) {
        arena->refused = HUEY_REFUSED_BYTES;
        return -1;
    }
    size_t needed = arena->byte_count + count;
    if (needed > arena->byte_capacity) {
        size_t capacity = arena->byte_capacity * 2 < needed ? needed : arena->byte_capacity * 2;
        int is_inline = arena->byte_capacity == arena->inline_bytes;
        char *grown = realloc(is_inline ? NULL : arena->bytes, capacity);
        if (grown == NULL) {
            arena->refused = HUEY_REFUSED_MEMORY;
            return -1;
        }
        if (is_inline) memcpy(grown, arena->bytes, arena->byte_count);
        arena->bytes = grown;
        arena->byte_capacity = capacity;
    }
    memcpy(arena->bytes + arena->byte_count, bytes, count);
    arena->byte_count = needed;
    return 0;
}

/* The node that the reader's task fills: the next root, or its place among its array's elements. */
static inline huey_reply_node *huey_arena_node(huey_reply_arena *arena, const redisReadTask *task) {
    if (task->parent == NULL) {
        return arena->roots_read < arena->roots ? &arena->nodes[arena->roots_read] : NULL;
    }
    const huey_reply_node *array = &arena->nodes[(size_t)(uintptr_t)task->parent->obj - 1];
    return &arena->nodes[(size_t)array->value + (size_t)task->idx];
}

/* hiredis wants an object that is not NULL: a node's index, plus one. */
static inline void *huey_arena_object(huey_reply_arena *arena, const huey_reply_node *node) {
    return (void *)(uintptr_t)((size_t)(node - arena->nodes) + 1);
}

static inline void *huey_create_string(const redisReadTask *task, char *bytes, size_t length) {
    huey_reply_arena *arena = (huey_reply_arena *)task->privdata;
    if (task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_STATUS && task->type != REDIS_REPLY_ERROR) {
        arena->refused = HUEY_REFUSED_TYPE;
        return NULL;
    }
    if (length > UINT32_MAX) {
        arena->refused = HUEY_REFUSED_BYTES;
        return NULL;
    }
    huey_reply_node *node = huey_arena_node(arena, task);
    size_t offset = arena->byte_count;
    if (node == NULL || huey_arena_append_bytes(arena, bytes, length) != 0) return NULL;
    if (task->type == REDIS_REPLY_ERROR) arena->errors++;
    node->type = (uint32_t)task->type;
    node->value = (int64_t)offset;
    node->length = (uint32_t)length;
    return huey_arena_object(arena, node);
}

static inline void *huey_create_array_of(const redisReadTask *task, size_t elements) {
    huey_reply_arena *arena = (huey_reply_arena *)task->privdata;
    if (task->type != REDIS_REPLY_ARRAY) {
        arena->refused = HUEY_REFUSED_TYPE;
        return NULL;
    }
    int nesting = 1;
    for (const redisReadTask *outer = task->parent; outer != NULL; outer = outer->parent) nesting++;
    if (nesting > HUEY_REPLY_MAXIMUM_NESTING) {
        arena->refused = HUEY_REFUSED_NESTING;
        return NULL;
    }
    if (elements > (size_t)INT_MAX) {
        arena->refused = HUEY_REFUSED_ELEMENTS;
        return NULL;
    }
    huey_reply_node *node = huey_arena_node(arena, task);
    if (node == NULL) return NULL;
    size_t index = (size_t)(node - arena->nodes);
    size_t first = arena->node_count;
    if (huey_arena_grow_nodes(arena, elements) != 0) return NULL;
    node = &arena->nodes[index];
    node->type = HUEY_REPLY_ARRAY;
    node->value = (int64_t)first;
    node->length = (uint32_t)elements;
    return huey_arena_object(arena, node);
}

static inline void *huey_create_integer(const redisReadTask *task, long long value) {
    huey_reply_arena *arena = (huey_reply_arena *)task->privdata;
    huey_reply_node *node = huey_arena_node(arena, task);
    if (node == NULL) return NULL;
    node->type = HUEY_REPLY_INTEGER;
    node->value = value;
    node->length = 0;
    return huey_arena_object(arena, node);
}

static inline void *huey_create_nil(const redisReadTask *task) {
    huey_reply_arena *arena = (huey_reply_arena *)task->privdata;
    /* RESP2's nil is a string or an array without a length; a type of its own is RESP3's. */
    if (task->type == REDIS_REPLY_NIL) {
        arena->refused = HUEY_REFUSED_TYPE;
        return NULL;
    }
    huey_reply_node *node = huey_arena_node(arena, task);
    if (node == NULL) return NULL;
    node->type = HUEY_REPLY_NIL;
    node->value = 0;
    node->length = 0;
    return huey_arena_object(arena, node);
}

static inline void huey_free_object(void *object) { (void)object; }

#if HIREDIS_MAJOR >= 1
static inline void *huey_create_array(const redisReadTask *task, size_t elements) {
    return huey_create_array_of(task, elements);
}

/* RESP3 is never asked for, so these types are a server's mistake. */
static inline void *huey_create_double(const redisReadTask *task, double value, char *text, size_t length) {
    (void)value, (void)text, (void)length;
    ((huey_reply_arena *)task->privdata)->refused = HUEY_REFUSED_TYPE;
    return NULL;
}

static inline void *huey_create_bool(const redisReadTask *task, int value) {
    (void)value;
    ((huey_reply_arena *)task->privdata)->refused = HUEY_REFUSED_TYPE;
    return NULL;
}
#else
static inline void *huey_create_array(const redisReadTask *task, int elements) {
    return huey_create_array_of(task, elements < 0 ? (size_t)INT_MAX + 1 : (size_t)elements);
}
#endif

static inline redisReader *huey_reader_create(void) {
    static redisReplyObjectFunctions functions = {
        .createString = huey_create_string,
        .createArray = huey_create_array,
        .createInteger = huey_create_integer,
#if HIREDIS_MAJOR >= 1
        .createDouble = huey_create_double,
        .createBool = huey_create_bool,
#endif
        .createNil = huey_create_nil,
        .freeObject = huey_free_object,
    };
    redisReader *reader = redisReaderCreateWithFunctions(&functions);
    /* Keep the buffer between reads (hiredis' own 16 KB would free and grow it all the time), but not after a giant. */
    if (reader != NULL) reader->maxbuf = HUEY_READER_KEPT_BUFFER;
    return reader;
}

/* Replies that begin from now on go to `arena`. */
static inline void huey_reader_set_arena(redisReader *reader, huey_reply_arena *arena) { reader->privdata = arena; }

/* Whether what was fed ends in the midst of a reply, or before one that was not read yet. */
static inline int huey_reader_is_idle(const redisReader *reader) {
    return reader->ridx == -1 && reader->pos == reader->len;
}

/* Bytes that were fed and not read yet. */
static inline size_t huey_reader_pending(const redisReader *reader) { return reader->len - reader->pos; }

/* Reads one reply into the arena: 1 when it is complete, 0 when bytes are missing, -1 when they are not RESP2. */
static inline int huey_reader_next(redisReader *reader, huey_reply_arena *arena) {
    void *reply = NULL;
    if (redisReaderGetReply(reader, &reply) != REDIS_OK) return -1;
    if (reply == NULL) return 0;
    arena->roots_read++;
    return 1;
}

static inline const char *huey_reader_error(const redisReader *reader) { return reader->errstr; }

#endif
