// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dlc runtime: loads one compiled artifact (.dla) and trains or infers with it, from C, without
// exceptions, libstdc++ or any framework.
//
//   dlc_status_t st;
//   dlc_artifact_t *artifact;  dlc_artifact_load_file("mnist.dla", NULL, &artifact, &st);
//   dlc_session_t *session;    dlc_session_create(artifact, NULL, &session, &st);
//   dlc_session_initialize(session, &st);                      // or dlc_session_state_write for every weight
//   dlc_session_run(session, dlc_artifact_entry_find(artifact, "step"), inputs, 2, outputs, 2, &st);
//   dlc_session_release(session);  dlc_artifact_release(artifact);
//
// THREADS
//   - An artifact is immutable: any thread may use it at any time, and any number of sessions share it.
//   - A session, and what is prepared in it, is used by one thread at a time (by another each time, if the
//     application orders the calls). Different sessions are independent and may run at the same time.
//   - Sessions created with `share_states` read the parameters and buffers of the session that owns them.
//     They may run concurrently with each other, and with reads of the owner. While the owner writes
//     (initialize, state_write, a training run) no session that shares with it may run: the application
//     orders that.
//   - A run uses `threads` threads: the caller and threads - 1 of its own, or those of the executor hook.
//     Results do not depend on their number.
//   - The floating-point environment of every thread is set for the work and restored after it.
//
// OWNERSHIP
//   - Handles are owned by the caller until the matching `release`; sessions keep what they need of their
//     artifact and of the session they share states with, so the order of releases is free. `release(NULL)`
//     does nothing.
//   - A `dlc_prepared_t` belongs to its session and dies with it.
//   - Strings and arrays in `*_info_t` belong to the artifact and live as long as it.
//   - Tensor data is the caller's and is only used during the call it is given to.
//
// MEMORY
//   - All memory comes from the allocator hook (or the C library). Loading, creating and preparing allocate;
//     running, reading or writing states, hyperparameters and metrics never do.
//
// ERRORS
//   - Every fallible call returns a code, DLC_OK = 0, and fills the caller's status (which may be NULL) with
//     a message that has the numbers and a hint. A failed call leaves its `out_*` arguments at NULL or 0, and
//     its session usable; after a failed or cancelled *training* run the states may have been updated in
//     part.
//   - An artifact is trusted like a shared library: the checksum catches accidents and the verification at
//     load protects the loader; nothing protects from hostile code.

#ifndef DLC_RUNTIME_H
#define DLC_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define DLC_API
#else
#define DLC_API __attribute__((visibility("default")))
#endif

#define DLC_RUNTIME_VERSION "0.1.0"
// The artifact schema that this runtime reads; another version is DLC_VERSION, and the message names both.
#define DLC_SCHEMA_VERSION 1
#define DLC_MAX_RANK 8
#define DLC_MAX_SYMBOLS 16
#define DLC_MAX_THREADS 1024
#define DLC_MAX_LOOP_DEPTH 4

//===- status -------------------------------------------------------------------------------------------===//

typedef enum dlc_code {
  DLC_OK = 0,
  DLC_INVALID_ARGUMENT =
      1, // the call is wrong: a shape, type, size, dimension or index; expected and actual are named
  DLC_NOT_FOUND = 2,     // no entry, state, hyperparameter or variant of this name
  DLC_IO = 3,            // the file cannot be opened, read or mapped
  DLC_MALFORMED = 4,     // not an artifact, truncated or damaged
  DLC_VERSION = 5,       // an artifact of another schema version
  DLC_UNSUPPORTED = 6,   // this machine cannot run any variant, or not the one that was asked for
  DLC_OUT_OF_MEMORY = 7, // the allocator returned NULL
  DLC_OVERFLOW = 8,      // dimensions so large that a size does not fit 64 bits or the limit of the artifact
  DLC_CANCELLED = 9,     // the cancellation hook said so
  DLC_CORRUPTED = 10,    // red zones: a kernel wrote outside its buffer
  DLC_DEVICE = 11,       // the device's driver failed
} dlc_code_t;

typedef struct dlc_status {
  int32_t code;      // dlc_code_t
  char message[508]; // UTF-8, one line, ends in NUL; "" when code is DLC_OK
} dlc_status_t;

// "invalid argument", "not found", …
DLC_API const char *dlc_code_name(dlc_code_t code);

//===- hooks --------------------------------------------------------------------------------------------===//

// Memory. `allocate` returns NULL when there is none; alignment is a power of two ≤ 4096; called from the
// thread that makes the call. `release` gets the size and alignment that were asked for.
typedef struct dlc_allocator {
  void *context;
  void *(*allocate)(void *context, size_t size, size_t alignment);
  void (*release)(void *context, void *pointer, size_t size, size_t alignment);
} dlc_allocator_t;

// Threads of the application. `run` calls task(argument, w) once for each w in [0, workers), in any order and
// on any threads, and returns when all have returned. The tasks do not wait for each other.
typedef struct dlc_executor {
  void *context;
  void (*run)(void *context, void (*task)(void *argument, int32_t worker), void *argument, int32_t workers);
} dlc_executor_t;

typedef enum dlc_log_level { DLC_LOG_INFO = 0, DLC_LOG_WARNING = 1 } dlc_log_level_t;

// Told what a session chose and allocated, while it is created and prepared; never while it runs.
typedef struct dlc_log {
  void *context;
  void (*write)(void *context, dlc_log_level_t level, const char *message);
} dlc_log_t;

// Asked between commands of a run, on the calling thread; nonzero stops the run with DLC_CANCELLED.
typedef struct dlc_cancellation {
  void *context;
  int (*is_cancelled)(void *context);
} dlc_cancellation_t;

// Told before and after each command of a run on the CPU, on the calling thread: for checks of what commands
// read and write. `command` is the place in the plan's list of commands; `operands` are the addresses that
// its kernel gets, `counters` those of the enclosing loops, outermost first. Nonzero stops the run with
// DLC_CANCELLED.
typedef struct dlc_observer {
  void *context;
  int (*observe)(void *context, uint32_t command, int is_done, void *const *operands,
                 const int64_t *counters);
} dlc_observer_t;

//===- tensors ------------------------------------------------------------------------------------------===//

typedef enum dlc_dtype {
  DLC_F32 = 0,
  DLC_F64 = 1,
  DLC_BF16 = 2,
  DLC_F16 = 3,
  DLC_I8 = 4,
  DLC_U8 = 5,
  DLC_I32 = 6,
  DLC_I64 = 7,
  DLC_BOOL = 8, // one byte, 0 or 1
} dlc_dtype_t;

DLC_API size_t dlc_dtype_size(dlc_dtype_t dtype);      // bytes; 0 for an unknown value
DLC_API const char *dlc_dtype_name(dlc_dtype_t dtype); // "f32", …

// Host memory, dense, row-major, no alignment demanded. Inputs are not written.
typedef struct dlc_tensor {
  void *data;
  dlc_dtype_t dtype;
  int32_t rank;
  int64_t dims[DLC_MAX_RANK];
} dlc_tensor_t;

//===- artifact -----------------------------------------------------------------------------------------===//

typedef struct dlc_artifact dlc_artifact_t;

// Maps the file (code read+execute, never writable) and verifies all of it once. `allocator` may be NULL and
// is copied.
DLC_API dlc_code_t dlc_artifact_load_file(const char *path, const dlc_allocator_t *allocator,
                                          dlc_artifact_t **out_artifact, dlc_status_t *status);
// The same from memory, which is copied and may be freed afterwards.
DLC_API dlc_code_t dlc_artifact_load_memory(const void *data, size_t size, const dlc_allocator_t *allocator,
                                            dlc_artifact_t **out_artifact, dlc_status_t *status);
DLC_API void dlc_artifact_release(dlc_artifact_t *artifact);

typedef struct dlc_artifact_info {
  const char *compiler_version;
  const char *source_name; // the main .dl file as it was named to the compiler
  uint64_t source_hash;    // xxhash64 of it, its imports and the standard library
  const char *flags;       // the compiler's flags that shape the result, space separated
  int32_t schema_version;
  int32_t entry_count, state_count, variant_count, fit_count;
  uint64_t size; // bytes of the whole artifact
} dlc_artifact_info_t;
DLC_API void dlc_artifact_info(const dlc_artifact_t *artifact, dlc_artifact_info_t *out_info);

// An integer polynomial of an entry's symbols, held by the artifact; indices out of range evaluate to
// DLC_INVALID_ARGUMENT.
typedef int32_t dlc_expression_t;

// `dims`: one value per symbol of the entry that the expression belongs to, in its order.
DLC_API dlc_code_t dlc_expression_evaluate(const dlc_artifact_t *artifact, dlc_expression_t expression,
                                           int32_t entry, const int64_t *dims, int64_t *out_value,
                                           dlc_status_t *status);
// Writes "4*n*784" with the entry's symbol names; cut to `size`, always ends in NUL. Returns the full length.
DLC_API size_t dlc_expression_format(const dlc_artifact_t *artifact, dlc_expression_t expression,
                                     int32_t entry, char *buffer, size_t size);

typedef enum dlc_entry_kind {
  DLC_ENTRY_INIT = 0, // stores every initial value; run by dlc_session_initialize
  DLC_ENTRY_TRAIN = 1,
  DLC_ENTRY_EVAL = 2,
  DLC_ENTRY_INFER = 3,
} dlc_entry_kind_t;

typedef struct dlc_entry_info {
  const char *name;
  dlc_entry_kind_t kind;
  int32_t symbol_count, argument_count, result_count;
} dlc_entry_info_t;
DLC_API dlc_code_t dlc_artifact_entry(const dlc_artifact_t *artifact, int32_t entry,
                                      dlc_entry_info_t *out_info, dlc_status_t *status);
// The index of the entry of this name, or -1.
DLC_API int32_t dlc_artifact_entry_find(const dlc_artifact_t *artifact, const char *name);

typedef struct dlc_symbol_info {
  const char *name;
  int64_t min, max;    // inclusive; max is INT64_MAX when unbounded
  int64_t multiple_of; // ≥ 1
} dlc_symbol_info_t;
DLC_API dlc_code_t dlc_entry_symbol(const dlc_artifact_t *artifact, int32_t entry, int32_t symbol,
                                    dlc_symbol_info_t *out_info, dlc_status_t *status);

typedef enum dlc_report {
  DLC_REPORT_NONE = 0,   // a plain result
  DLC_REPORT_VALUE = 1,  // average it over runs, weighted by rows
  DLC_REPORT_METRIC = 2, // already accumulated since the last dlc_session_metrics_reset
} dlc_report_t;

// An argument or a result of an entry.
typedef struct dlc_value_info {
  const char *name;
  dlc_dtype_t dtype;
  int32_t rank;
  dlc_expression_t dims[DLC_MAX_RANK];
  dlc_report_t report; // results only
  // Arguments of integers: the largest axis that they choose from, such as classes or a vocabulary, and what
  // in the program has it. The runtime does not look: kernels take what is outside as the nearest place, or as
  // none.
  int64_t places;      // 0: nothing is known
  int64_t least_place; // 0, or a negative integer that means something to the program
  const char *places_file;
  int32_t places_line, places_column;
} dlc_value_info_t;
DLC_API dlc_code_t dlc_entry_argument(const dlc_artifact_t *artifact, int32_t entry, int32_t argument,
                                      dlc_value_info_t *out_info, dlc_status_t *status);
DLC_API dlc_code_t dlc_entry_result(const dlc_artifact_t *artifact, int32_t entry, int32_t result,
                                    dlc_value_info_t *out_info, dlc_status_t *status);
// Finds the symbols' values from the shapes of all the arguments (checks types, ranks, sizes and
// constraints). `out_dims` has room for symbol_count values.
DLC_API dlc_code_t dlc_entry_dims_solve(const dlc_artifact_t *artifact, int32_t entry,
                                        const dlc_tensor_t *arguments, int32_t argument_count,
                                        int64_t *out_dims, dlc_status_t *status);
// Fills dtype, rank and dims of one result at these dims (data stays NULL), so that the caller can allocate
// it.
DLC_API dlc_code_t dlc_entry_result_shape(const dlc_artifact_t *artifact, int32_t entry, int32_t result,
                                          const int64_t *dims, dlc_tensor_t *out_tensor,
                                          dlc_status_t *status);

typedef enum dlc_state_role {
  DLC_STATE_PARAMETER = 0,
  DLC_STATE_BUFFER = 1, // state that is not trained, such as running statistics
  DLC_STATE_OPTIMIZER = 2,
  DLC_STATE_ITERATION = 3,      // i64, counts the runs of its train entry
  DLC_STATE_HYPERPARAMETER = 4, // f64
  DLC_STATE_SEED = 5,           // i64
  DLC_STATE_METRIC = 6,         // accumulators
  DLC_STATE_SCHEDULE = 7, // f64, the value of a hyperparameter that follows a schedule, in the last step
} dlc_state_role_t;

typedef struct dlc_state_info {
  const char *name; // parameters and buffers: PyTorch's state_dict name
  dlc_dtype_t dtype;
  int32_t rank;
  int64_t
      dims[DLC_MAX_RANK]; // logical shape: what state_read and state_write use, whatever the variant keeps
  dlc_state_role_t role;
  int32_t owner;         // entry that it belongs to, or -1
  int32_t parameter;     // optimizer state: the state index of its parameter; otherwise -1
  double initial;        // hyperparameters, metrics, iteration, seed: the value it starts with
  int64_t element_count; // product of dims
} dlc_state_info_t;
DLC_API dlc_code_t dlc_artifact_state(const dlc_artifact_t *artifact, int32_t state,
                                      dlc_state_info_t *out_info, dlc_status_t *status);
DLC_API int32_t dlc_artifact_state_find(const dlc_artifact_t *artifact, const char *name);

typedef struct dlc_variant_info {
  const char *name;    // "x86-64-v4"
  const char *device;  // "cpu" or "cuda"
  int32_t usable;      // nonzero when this machine can run it
  const char *missing; // when not usable: what is missing, such as "avx512f avx512bw" or "a runtime with CUDA"
  int32_t kernel_count;
  uint64_t code_size;     // bytes of machine code or PTX text
  uint64_t constant_size; // bytes of constants
} dlc_variant_info_t;
// Variants are ordered from the least to the most demanding.
DLC_API dlc_code_t dlc_artifact_variant(const dlc_artifact_t *artifact, int32_t variant,
                                        dlc_variant_info_t *out_info, dlc_status_t *status);
DLC_API int32_t dlc_artifact_variant_find(const dlc_artifact_t *artifact, const char *name);

// One run of a kernel in the schedule of an entry, in order; inside loops it is run product(loop_counts)
// times.
typedef struct dlc_dispatch_info {
  const char *kernel;      // name of the kernel, unique in its variant
  const char *source_file; // "" when unknown
  int32_t source_line, source_column;
  uint64_t code_size;                               // bytes
  dlc_expression_t groups;                          // work-groups per run
  dlc_expression_t flops;                           // floating-point operations per run
  dlc_expression_t bytes;                           // bytes read and written per run
  int32_t loop_depth;                               // enclosing loops
  dlc_expression_t loop_counts[DLC_MAX_LOOP_DEPTH]; // outermost first
} dlc_dispatch_info_t;
DLC_API int32_t dlc_variant_dispatch_count(const dlc_artifact_t *artifact, int32_t variant, int32_t entry);
DLC_API dlc_code_t dlc_variant_dispatch(const dlc_artifact_t *artifact, int32_t variant, int32_t entry,
                                        int32_t dispatch, dlc_dispatch_info_t *out_info,
                                        dlc_status_t *status);

typedef struct dlc_memory_plan {
  uint64_t state_bytes;   // all states of the artifact
  uint64_t arena_bytes;   // the entry's buffers after placement, or those of an init entry if they need more
  uint64_t scratch_bytes; // all workers' scratch together
  // The sum and the runtime's bookkeeping: a session that is initialized and runs this entry at these dims
  // never has more.
  uint64_t peak_bytes;
  // Of the bookkeeping: what every further preparation of this entry adds. A session that runs several
  // entries has the largest arena and the largest scratch, each once, and all of these.
  uint64_t prepared_bytes;
  int32_t threads; // that scratch_bytes is for
} dlc_memory_plan_t;
// What a session will need to run the entry at these dims.
DLC_API dlc_code_t dlc_variant_memory_plan(const dlc_artifact_t *artifact, int32_t variant, int32_t entry,
                                           const int64_t *dims, int32_t threads, dlc_memory_plan_t *out_plan,
                                           dlc_status_t *status);

// The defaults of the `fit` block, resolved by the compiler, sorted by key. Keys: "data.loader"
// (identifier), "data.path" (string), "data.<setting>", "train.entry", "train.split", "eval.entry",
// "eval.split" (identifiers; each entry is followed by its split, and the pair repeats for every line of the
// block), "batch", "epochs" (numbers), and every other setting under its own name. A bool is the identifier
// true or false; a list repeats its key.
typedef enum dlc_fit_kind { DLC_FIT_STRING = 0, DLC_FIT_NUMBER = 1, DLC_FIT_IDENTIFIER = 2 } dlc_fit_kind_t;
typedef struct dlc_fit_info {
  const char *key;
  dlc_fit_kind_t kind;
  const char *text; // string and identifier
  double number;    // number
} dlc_fit_info_t;
DLC_API dlc_code_t dlc_artifact_fit(const dlc_artifact_t *artifact, int32_t index, dlc_fit_info_t *out_info,
                                    dlc_status_t *status);

//===- session ------------------------------------------------------------------------------------------===//

typedef struct dlc_session dlc_session_t;
typedef struct dlc_prepared dlc_prepared_t;

typedef enum dlc_session_flags {
  DLC_SESSION_RED_ZONES = 1, // surround every buffer with red zones and check them after each command (slow)
} dlc_session_flags_t;

// Zero-initialise it and set what matters; every pointer may be NULL; hooks are copied.
typedef struct dlc_session_options {
  const char *variant;              // a variant's name; NULL chooses the best that this machine can run
  const char *device;               // "cpu" (NULL) or "cuda"
  int32_t threads;                  // workers; 0 takes the processors that this process may use
  uint32_t flags;                   // dlc_session_flags_t
  const dlc_allocator_t *allocator; // NULL takes the artifact's
  const dlc_executor_t *executor;   // NULL starts threads - 1 threads of the runtime's own
  const dlc_log_t *log;
  const dlc_cancellation_t *cancellation;
  const dlc_observer_t *observer;
  dlc_session_t
      *share_states; // read this session's parameters and buffers instead of own ones (same artifact and
                     // variant); entries that write those, and their training, are then refused
} dlc_session_options_t;

// States start as zeros, hyperparameters, metrics, iteration and seed at their initial values: call
// dlc_session_initialize or write the weights.
DLC_API dlc_code_t dlc_session_create(dlc_artifact_t *artifact, const dlc_session_options_t *options,
                                      dlc_session_t **out_session, dlc_status_t *status);
DLC_API void dlc_session_release(dlc_session_t *session);
DLC_API int32_t dlc_session_variant(const dlc_session_t *session); // index of the variant in use
DLC_API int32_t dlc_session_threads(const dlc_session_t *session); // workers in use

// The seed of everything random: initial values, dropout. Starts at 0.
DLC_API dlc_code_t dlc_session_seed_set(dlc_session_t *session, uint64_t seed, dlc_status_t *status);
DLC_API dlc_code_t dlc_session_seed_get(const dlc_session_t *session, uint64_t *out_seed,
                                        dlc_status_t *status);
// Runs the init entries: initial values of parameters, buffers and optimizer states from the seed; resets
// iterations and metrics; hyperparameters stay. Prepares the init entries on first use.
DLC_API dlc_code_t dlc_session_initialize(dlc_session_t *session, dlc_status_t *status);

// Sizes, places and allocates everything for one entry at these dims (symbol_count values). Dims that the
// entry cannot have are DLC_INVALID_ARGUMENT, with the place in the source that needs others: "p: x[7] needs
// n - 8 >= 0 at n = 2 (model.dl:1:43)". Asking again for the same dims returns the same handle. All prepared
// entries of a session share one arena: it has the size of the largest.
DLC_API dlc_code_t dlc_session_prepare(dlc_session_t *session, int32_t entry, const int64_t *dims,
                                       int32_t dim_count, dlc_prepared_t **out_prepared,
                                       dlc_status_t *status);
// Runs it: arguments and results in the entry's order, shapes equal to the prepared ones. Allocates nothing.
// Results must not overlap arguments or each other.
DLC_API dlc_code_t dlc_prepared_run(dlc_prepared_t *prepared, const dlc_tensor_t *arguments,
                                    int32_t argument_count, const dlc_tensor_t *results, int32_t result_count,
                                    dlc_status_t *status);
// Solves the dims from the arguments' shapes, prepares them the first time, and runs.
DLC_API dlc_code_t dlc_session_run(dlc_session_t *session, int32_t entry, const dlc_tensor_t *arguments,
                                   int32_t argument_count, const dlc_tensor_t *results, int32_t result_count,
                                   dlc_status_t *status);

// Copies a state out of or into the session: logical shape, row-major; `size` is its bytes and must be exact.
DLC_API dlc_code_t dlc_session_state_read(dlc_session_t *session, int32_t state, void *data, size_t size,
                                          dlc_status_t *status);
DLC_API dlc_code_t dlc_session_state_write(dlc_session_t *session, int32_t state, const void *data,
                                           size_t size, dlc_status_t *status);

// Hyperparameters by state name ("step.lr"), or by their last part ("lr") when only one has it.
DLC_API dlc_code_t dlc_session_hyperparameter_set(dlc_session_t *session, const char *name, double value,
                                                  dlc_status_t *status);
DLC_API dlc_code_t dlc_session_hyperparameter_get(dlc_session_t *session, const char *name, double *out_value,
                                                  dlc_status_t *status);
// The number of completed training runs of a train entry.
DLC_API dlc_code_t dlc_session_iteration_set(dlc_session_t *session, int32_t entry, int64_t iteration,
                                             dlc_status_t *status);
DLC_API dlc_code_t dlc_session_iteration_get(dlc_session_t *session, int32_t entry, int64_t *out_iteration,
                                             dlc_status_t *status);
// Starts the entry's metrics afresh.
DLC_API dlc_code_t dlc_session_metrics_reset(dlc_session_t *session, int32_t entry, dlc_status_t *status);

typedef struct dlc_memory_stats {
  uint64_t current_bytes;    // states, arena, scratch and bookkeeping now
  uint64_t peak_bytes;       // most at any time
  uint64_t state_bytes;      // resident states
  uint64_t arena_bytes;      // the shared arena
  uint64_t scratch_bytes;    // all workers' scratch
  uint64_t allocation_count; // calls of the allocator by this session; does not change while running
} dlc_memory_stats_t;
DLC_API void dlc_session_memory(const dlc_session_t *session, dlc_memory_stats_t *out_stats);

#ifdef __cplusplus
}
#endif

#endif // DLC_RUNTIME_H
