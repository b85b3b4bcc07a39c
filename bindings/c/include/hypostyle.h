// Hypostyle in C: a vectorized columnar execution engine for machine-learning transforms.
//
// Generated from bindings/c/src; the examples beside it build and run as tests.
//
// What holds for every function:
// - Handles are opaque. What a function returns belongs to the caller, who frees it with the function named `.._free`; no handle needs another one
//   to stay alive. Handles are valid pointers that came from this library, or NULL, which a function that needs it reports as an error.
// - A function that can fail takes `error` last. It may be NULL. Else it is set to NULL on success and to an error object on failure, which the caller
//   reads and frees. Functions that make a handle return NULL on failure, others the code of the error.
// - A place that a function fills (`schema`, `array`, `stream`, `value`, ..) need not be initialised and must not hold anything that is to be
//   released: its old content is overwritten.
// - Texts are UTF-8 and end with a zero unless a length stands beside them. The library copies what it keeps.
// - Arrow data follows the C data and C stream interfaces. What a function takes over is released by the library, also if the function fails: the
//   structure is marked as released when the function returns. What it hands out is released by the caller, and may outlive every handle.
// - Functions whose comment says "any thread" may be called on one handle from several threads at the same time; "one after the other" means that
//   such calls wait for each other. All other functions on one handle are called by one thread at a time. Freeing is always the last call.
// - No panic and no exception leaves a function. Callbacks must not throw or jump out either.


#ifndef HYPOSTYLE_H
#define HYPOSTYLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The structures of https://arrow.apache.org/docs/format/CDataInterface.html, unless another header has them already.
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

#ifdef __cplusplus
extern "C" {
#endif

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#ifdef __cplusplus
}
#endif
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

#ifdef __cplusplus
extern "C" {
#endif

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};

#ifdef __cplusplus
}
#endif
#endif


// What kind of error it is.
typedef enum {
  // No error.
  HYPOSTYLE_CODE_OK = 0,
  // The query, the data or an argument is at fault.
  HYPOSTYLE_CODE_USER = 1,
  // Memory, disk or another resource ran out.
  HYPOSTYLE_CODE_RESOURCE = 2,
  // The host stopped the run.
  HYPOSTYLE_CODE_CANCELLED = 3,
  // A bug of the library, which asks for a report.
  HYPOSTYLE_CODE_INTERNAL = 4,
} HypostyleCode;

// What a step of a worker came to.
typedef enum {
  // Something was done; step again.
  HYPOSTYLE_PROGRESS_WORKING = 0,
  // Nothing to do until another worker, the input or whoever takes the batches has moved on.
  HYPOSTYLE_PROGRESS_IDLE = 1,
  // A batch of the result, in order.
  HYPOSTYLE_PROGRESS_OUTPUT = 2,
  // The run is over for this worker.
  HYPOSTYLE_PROGRESS_FINISHED = 3,
} HypostyleProgress;

// The rows of a statement, made as they are asked for, in order.
typedef struct HypostyleAnswer HypostyleAnswer;

// Bytes that belong to the caller.
typedef struct HypostyleBytes HypostyleBytes;

// What went wrong: a code and a message.
typedef struct HypostyleError HypostyleError;

// A query that is bound and compiled. It never changes: any number of threads may use it at the same time.
typedef struct HypostylePrepared HypostylePrepared;

// Evaluates expressions for one row, or a micro-batch of up to 256, with the kernels and the bits of batches. After the first few rows nothing is
// allocated. One thread at a time; any number of evaluators may be made of one prepared statement or transform.
typedef struct HypostyleRow HypostyleRow;

// One execution of a prepared statement.
typedef struct HypostyleRun HypostyleRun;

// Tables, functions, views and settings. Any number of threads may use a session at the same time; answers, prepared statements and
// transforms keep what they need of it and may be used after it is freed.
typedef struct HypostyleSession HypostyleSession;

// A transform whose analyzers have their parameters. It never changes: any number of threads may use it at the same time.
typedef struct HypostyleTransform HypostyleTransform;

// Values for parameters, in their order. One thread at a time.
typedef struct HypostyleValues HypostyleValues;

// One of the workers of a run, for hosts that bring their own threads. It may be stepped from any thread, one after the other.
typedef struct HypostyleWorker HypostyleWorker;

// Asks the host for memory. All three are called from any thread that runs a query and must not call back into the library. They
// count what queries hold; the memory itself comes from the allocator of the process.
typedef struct {
  // Given to each call.
  void *state;
  // Takes bytes; false refuses them, and the query spills or fails.
  bool (*try_take)(void *state, size_t bytes);
  // Takes bytes without which nothing moves on: small amounts, and what others are about to give back.
  void (*take)(void *state, size_t bytes);
  // Gives bytes back.
  void (*give)(void *state, size_t bytes);
} HypostyleMemory;

// Limits and sizes of a session. A field that is 0 or NULL has its default.
typedef struct {
  // Workers of a query: by default one for each processor; with 1 everything runs on the caller's thread.
  size_t threads;
  // Rows of a batch: by default 2048.
  size_t batch_rows;
  // Most bytes that queries of the session hold: by default no limit.
  uint64_t memory_limit_bytes;
  // Where spill files go: by default the system's temporary directory.
  const char *temp_directory;
  // Callbacks with which the host counts memory: all three or none.
  HypostyleMemory memory;
} HypostyleOptions;

// Some values that belong to the evaluator, and stay until it is started or a field is set.
typedef struct {
  // The first byte; there is no zero at the end.
  const char *data;
  // The number of bytes.
  size_t length;
} HypostyleText;

// Some values that belong to the evaluator, and stay until it is started or a field is set.
typedef struct {
  // The first value.
  const int64_t *data;
  // The number of values.
  size_t count;
} HypostyleInt64s;

// Some values that belong to the evaluator, and stay until it is started or a field is set.
typedef struct {
  // The first value.
  const float *data;
  // The number of values.
  size_t count;
} HypostyleFloats;

// A scalar function over Arrow arrays. `arguments` is a struct array with a child for each argument and a row for each value that is
// asked for; it is lent for the call and must not be released. The function fills `result` with an array of as many values, which the library takes
// over, and returns 0; or it leaves `result` alone, writes a text that ends with a zero to `message` and returns another number, which ends the
// query. It may be called from several threads at the same time, with other rows in each call and in no certain order.
typedef int32_t (*HypostyleScalarCall)(void *state,
                                       const struct ArrowArray *arguments,
                                       struct ArrowArray *result,
                                       char *message,
                                       size_t message_bytes);

// An aggregate function over Arrow arrays, called once for each group, or for each frame of a window. `arguments` is a struct array with a child for
// each argument and the group's rows in their order; it is lent for the call and must not be released. The function fills `result` with an array of
// one value, which the library takes over, and returns 0; or it leaves `result` alone, writes a text that ends with a zero to `message` and returns
// another number, which ends the query. It may be called from several threads at the same time, each time with another group.
typedef int32_t (*HypostyleAggregateCall)(void *state,
                                          const struct ArrowArray *arguments,
                                          struct ArrowArray *result,
                                          char *message,
                                          size_t message_bytes);

// Opens the rows of a table for one scan of a query; a query may scan a table more than once, also at the same time. `columns` names the `count`
// columns that are read, and is lent for the call; without any, only the number of rows counts. The function fills `stream`, which the library takes over,
// and returns 0; or it leaves `stream` alone, writes a text that ends with a zero to `message` and returns another number, which ends the query. The
// stream has at least the columns that were named, in any order, and the types that the table was registered with.
typedef int32_t (*HypostyleTableOpen)(void *state,
                                      const char *const *columns,
                                      size_t count,
                                      struct ArrowArrayStream *stream,
                                      char *message,
                                      size_t message_bytes);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library, such as "0.1.0". Any thread; the text lives as long as the library.
const char *hypostyle_version(void);

// The kind of an error; HYPOSTYLE_CODE_OK for NULL. Any thread.
HypostyleCode hypostyle_error_code(const HypostyleError *error);

// The message: where, what was wrong, what would be right; below it, where that is known, the line of the query with carets under what is at
// fault. Lives as long as the error; empty for NULL. Any thread.
const char *hypostyle_error_message(const HypostyleError *error);

// Frees an error. NULL is allowed.
void hypostyle_error_free(HypostyleError *error);

// The first byte; NULL for NULL. Any thread.
const uint8_t *hypostyle_bytes_data(const HypostyleBytes *bytes);

// The number of bytes. Any thread.
size_t hypostyle_bytes_length(const HypostyleBytes *bytes);

// Frees bytes. NULL is allowed.
void hypostyle_bytes_free(HypostyleBytes *bytes);

// Makes a session; `options` may be NULL for the defaults. NULL where it fails. Any thread.
HypostyleSession *hypostyle_session_new(const HypostyleOptions *options, HypostyleError **error);

// Frees a session. NULL is allowed. No other thread may be inside a call with it.
void hypostyle_session_free(HypostyleSession *session);

// Runs every statement of a text. The answer is that of the last one, whose rows are made as they are asked for; those before it are
// run to their end. Any thread; blocks while it plans, while it fits and while it runs the statements before the last.
HypostyleAnswer *hypostyle_session_sql(const HypostyleSession *session,
                                       const char *sql,
                                       HypostyleError **error);

// Runs every statement of a text to its end and forgets the rows; their number, or the number that the last statement wrote, goes to `rows`, which
// may be NULL. Any thread; blocks.
HypostyleCode hypostyle_session_execute(const HypostyleSession *session,
                                        const char *sql,
                                        uint64_t *rows,
                                        HypostyleError **error);

// Runs every statement of a text and hands the rows of the last one out as a stream, which may outlive the session. Any thread.
HypostyleCode hypostyle_session_query(const HypostyleSession *session,
                                      const char *sql,
                                      struct ArrowArrayStream *stream,
                                      HypostyleError **error);

// Stops what other threads are doing inside a blocking call of this session: statements and the passes of fits. Their calls fail with
// HYPOSTYLE_CODE_CANCELLED. Answers and runs are stopped by their own functions. Any thread.
void hypostyle_session_cancel(const HypostyleSession *session);

// Makes one query ready: bound and compiled once, run many times with other parameters, `$1` or `?`. Any thread.
HypostylePrepared *hypostyle_session_prepare(const HypostyleSession *session,
                                             const char *sql,
                                             HypostyleError **error);

// Makes a Substrait plan ready, of this library or another planner. Any thread.
HypostylePrepared *hypostyle_session_prepare_substrait(const HypostyleSession *session,
                                                       const uint8_t *plan,
                                                       size_t length,
                                                       HypostyleError **error);

// The Substrait plan of one query. Any thread.
HypostyleBytes *hypostyle_session_substrait_plan(const HypostyleSession *session,
                                                 const char *sql,
                                                 HypostyleError **error);

// Adds the batches of a stream as a table; replaces one of that name. Takes the stream over and reads it to its end. Values are not copied. Any
// thread.
HypostyleCode hypostyle_session_register_stream(const HypostyleSession *session,
                                                const char *name,
                                                struct ArrowArrayStream *stream,
                                                HypostyleError **error);

// Adds a struct array as a table, a column for each field; replaces one of that name. Takes array and schema over. Values are not copied.
// Any thread.
HypostyleCode hypostyle_session_register_array(const HypostyleSession *session,
                                               const char *name,
                                               struct ArrowArray *array,
                                               struct ArrowSchema *schema,
                                               HypostyleError **error);

// Adds a file, a pattern or a list of files as a table: what `FROM 'path'` would read. Any thread.
HypostyleCode hypostyle_session_register_file(const HypostyleSession *session,
                                              const char *name,
                                              const char *path,
                                              HypostyleError **error);

// Adds an input whose rows the host pushes: a query over it is prepared once and fed with hypostyle_run_push. Takes the schema over, a
// struct with a field for each column. Any thread.
HypostyleCode hypostyle_session_register_input(const HypostyleSession *session,
                                               const char *name,
                                               struct ArrowSchema *schema,
                                               HypostyleError **error);

// Frees an answer; what runs for it is stopped and its files are removed. NULL is allowed.
void hypostyle_answer_free(HypostyleAnswer *answer);

// The columns of the answer, as a struct schema. Any thread.
HypostyleCode hypostyle_answer_schema(const HypostyleAnswer *answer,
                                      struct ArrowSchema *schema,
                                      HypostyleError **error);

// The next batch, as a struct array; at the end one whose `release` is NULL. Any thread, one after the other; blocks.
HypostyleCode hypostyle_answer_next(const HypostyleAnswer *answer,
                                    struct ArrowArray *array,
                                    HypostyleError **error);

// Hands the rows that are left out as a stream, which may outlive answer and session. The answer can still be asked for its progress and be
// stopped; freeing it leaves the stream as it is. Any thread.
HypostyleCode hypostyle_answer_stream(const HypostyleAnswer *answer,
                                      struct ArrowArrayStream *stream,
                                      HypostyleError **error);

// Stops what runs for the answer; the next batch is an error with HYPOSTYLE_CODE_CANCELLED. Any thread, while others wait for rows too.
void hypostyle_answer_cancel(const HypostyleAnswer *answer);

// The share of the inputs that has been read, from 0 to 1; 1 where nothing runs. Any thread.
double hypostyle_answer_progress(const HypostyleAnswer *answer);

// Makes an empty list of values.
HypostyleValues *hypostyle_values_new(void);

// Frees values. NULL is allowed.
void hypostyle_values_free(HypostyleValues *values);

// Forgets all values.
void hypostyle_values_clear(HypostyleValues *values);

// Adds a null.
HypostyleCode hypostyle_values_add_null(HypostyleValues *values, HypostyleError **error);

// Adds a truth value.
HypostyleCode hypostyle_values_add_bool(HypostyleValues *values, bool value, HypostyleError **error);

// Adds a whole number; it is cast to the type that its place asks for.
HypostyleCode hypostyle_values_add_int64(HypostyleValues *values, int64_t value, HypostyleError **error);

// Adds a float; it is cast to the type that its place asks for.
HypostyleCode hypostyle_values_add_double(HypostyleValues *values, double value, HypostyleError **error);

// Adds a text of this many bytes of UTF-8; it is cast to the type that its place asks for, such as a date.
HypostyleCode hypostyle_values_add_text(HypostyleValues *values,
                                        const char *value,
                                        size_t length,
                                        HypostyleError **error);

// Adds bytes.
HypostyleCode hypostyle_values_add_binary(HypostyleValues *values,
                                          const uint8_t *value,
                                          size_t length,
                                          HypostyleError **error);

// Adds a value of any type: row 0 of an Arrow array. Takes array and schema over.
HypostyleCode hypostyle_values_add_array(HypostyleValues *values,
                                         struct ArrowArray *array,
                                         struct ArrowSchema *schema,
                                         HypostyleError **error);

// Frees a prepared statement. NULL is allowed.
void hypostyle_prepared_free(HypostylePrepared *prepared);

// The columns of the result, as a struct schema. Any thread.
HypostyleCode hypostyle_prepared_schema(const HypostylePrepared *prepared,
                                        struct ArrowSchema *schema,
                                        HypostyleError **error);

// The parameters in the order in which values are given, as a struct schema: their names and the types that their places ask for. Any thread.
HypostyleCode hypostyle_prepared_parameters(const HypostylePrepared *prepared,
                                            struct ArrowSchema *schema,
                                            HypostyleError **error);

// The columns of the input whose rows the host pushes, as a struct schema; an error for a query that reads its own tables. Any thread.
HypostyleCode hypostyle_prepared_input(const HypostylePrepared *prepared,
                                       struct ArrowSchema *schema,
                                       HypostyleError **error);

// Starts the query with these values; `values` may be NULL where there are no parameters. Any thread.
HypostyleAnswer *hypostyle_prepared_run(const HypostylePrepared *prepared,
                                        const HypostyleValues *values,
                                        HypostyleError **error);

// As hypostyle_prepared_run, for hosts that push batches in or step the workers themselves. Any thread.
HypostyleRun *hypostyle_prepared_start(const HypostylePrepared *prepared,
                                       const HypostyleValues *values,
                                       HypostyleError **error);

// Makes an evaluator for single rows and micro-batches, of a query that selects expressions over the columns of one table. Any thread.
HypostyleRow *hypostyle_prepared_row(const HypostylePrepared *prepared,
                                     const HypostyleValues *values,
                                     HypostyleError **error);

// Frees a run; its workers are stopped and its files are removed. NULL is allowed.
void hypostyle_run_free(HypostyleRun *run);

// Hands a batch to the input of the run: a struct array, whose columns are found by name where a schema is given, and which otherwise has
// those of hypostyle_prepared_input. Takes array and schema over. What it gives comes from hypostyle_run_next. Any thread, one after the other.
HypostyleCode hypostyle_run_push(const HypostyleRun *run,
                                 struct ArrowArray *array,
                                 struct ArrowSchema *schema,
                                 HypostyleError **error);

// States that no batch will follow; what the query holds back comes from hypostyle_run_next. Any thread, one after the other.
HypostyleCode hypostyle_run_finish(const HypostyleRun *run,
                                   HypostyleError **error);

// The next batch, as a struct array; one whose `release` is NULL at the end, or when the input has nothing more for now
// (see hypostyle_run_is_finished). Any thread, one after the other; blocks.
HypostyleCode hypostyle_run_next(const HypostyleRun *run,
                                 struct ArrowArray *array,
                                 HypostyleError **error);

// True once the last batch has been given. Any thread, one after the other.
bool hypostyle_run_is_finished(const HypostyleRun *run);

// Stops the run; what steps it gets HYPOSTYLE_CODE_CANCELLED. Any thread, while others wait for rows too.
void hypostyle_run_cancel(const HypostyleRun *run);

// The share of the inputs that has been read, from 0 to 1. Any thread.
double hypostyle_run_progress(const HypostyleRun *run);

// The state of the run as bytes, from which another run of the same statement goes on. Only of plans whose operators hold no rows between
// batches; others name the operator that does. Any thread, one after the other.
HypostyleBytes *hypostyle_run_snapshot(const HypostyleRun *run,
                                       HypostyleError **error);

// Goes on from a snapshot. Any thread, one after the other.
HypostyleCode hypostyle_run_restore(const HypostyleRun *run,
                                    const uint8_t *snapshot,
                                    size_t length,
                                    HypostyleError **error);

// Makes another worker. One that has taken a step must be stepped on until it is finished, since it may hold rows that the result needs.
// Any thread.
HypostyleWorker *hypostyle_run_worker(const HypostyleRun *run,
                                      HypostyleError **error);

// Takes one step. `array` gets the batch of HYPOSTYLE_PROGRESS_OUTPUT, and otherwise one whose `release` is NULL. Any thread, one after the
// other.
HypostyleCode hypostyle_worker_step(const HypostyleWorker *worker,
                                    HypostyleProgress *progress,
                                    struct ArrowArray *array,
                                    HypostyleError **error);

// Frees a worker. NULL is allowed.
void hypostyle_worker_free(HypostyleWorker *worker);

// Frees an evaluator. NULL is allowed.
void hypostyle_row_free(HypostyleRow *row);

// The columns that are set, as a struct schema.
HypostyleCode hypostyle_row_inputs(const HypostyleRow *row,
                                   struct ArrowSchema *schema,
                                   HypostyleError **error);

// The columns that are read, as a struct schema.
HypostyleCode hypostyle_row_outputs(const HypostyleRow *row,
                                    struct ArrowSchema *schema,
                                    HypostyleError **error);

// The position of the input column of this name.
HypostyleCode hypostyle_row_input(const HypostyleRow *row,
                                  const char *name,
                                  size_t *position,
                                  HypostyleError **error);

// The position of the output column of this name.
HypostyleCode hypostyle_row_output(const HypostyleRow *row,
                                   const char *name,
                                   size_t *position,
                                   HypostyleError **error);

// Begins this many rows, from 1 to 256, whose fields are all null, and goes to row 0.
HypostyleCode hypostyle_row_start(HypostyleRow *row, size_t rows, HypostyleError **error);

// Goes to another of the rows that were begun.
HypostyleCode hypostyle_row_at(HypostyleRow *row, size_t index, HypostyleError **error);

// Sets a field to null.
HypostyleCode hypostyle_row_set_null(HypostyleRow *row, size_t column, HypostyleError **error);

// Sets a BOOLEAN field.
HypostyleCode hypostyle_row_set_bool(HypostyleRow *row, size_t column, bool value, HypostyleError **error);

// Sets a field of an integer type, or the days or ticks of a DATE, TIME or TIMESTAMP.
HypostyleCode hypostyle_row_set_int64(HypostyleRow *row,
                                      size_t column,
                                      int64_t value,
                                      HypostyleError **error);

// Sets a field of a float type; FLOAT and HALF round to nearest.
HypostyleCode hypostyle_row_set_double(HypostyleRow *row,
                                       size_t column,
                                       double value,
                                       HypostyleError **error);

// Sets a VARCHAR field to a text of this many bytes of UTF-8.
HypostyleCode hypostyle_row_set_text(HypostyleRow *row,
                                     size_t column,
                                     const char *value,
                                     size_t length,
                                     HypostyleError **error);

// Sets a BLOB field.
HypostyleCode hypostyle_row_set_binary(HypostyleRow *row,
                                       size_t column,
                                       const uint8_t *value,
                                       size_t length,
                                       HypostyleError **error);

// Sets a field of type BIGINT[]: a list of ids.
HypostyleCode hypostyle_row_set_int64s(HypostyleRow *row,
                                       size_t column,
                                       const int64_t *values,
                                       size_t count,
                                       HypostyleError **error);

// Sets a field of type FLOAT[N]: an embedding.
HypostyleCode hypostyle_row_set_floats(HypostyleRow *row,
                                       size_t column,
                                       const float *values,
                                       size_t count,
                                       HypostyleError **error);

// Sets a field of any type to row 0 of an Arrow array. Takes array and schema over.
HypostyleCode hypostyle_row_set_array(HypostyleRow *row,
                                      size_t column,
                                      struct ArrowArray *array,
                                      struct ArrowSchema *schema,
                                      HypostyleError **error);

// Computes all outputs of all rows that were begun.
HypostyleCode hypostyle_row_evaluate(HypostyleRow *row, HypostyleError **error);

// Reads a BOOLEAN output. Where it is null, `is_null` gets true and `value` is left alone; with `is_null` NULL a null is an error. So do
// all getters.
HypostyleCode hypostyle_row_get_bool(const HypostyleRow *row,
                                     size_t output,
                                     size_t index,
                                     bool *value,
                                     bool *is_null,
                                     HypostyleError **error);

// Reads an output of an integer type, or the days or ticks of a DATE, TIME or TIMESTAMP. A UBIGINT above 2^63 is an error.
HypostyleCode hypostyle_row_get_int64(const HypostyleRow *row,
                                      size_t output,
                                      size_t index,
                                      int64_t *value,
                                      bool *is_null,
                                      HypostyleError **error);

// Reads an output of a float type.
HypostyleCode hypostyle_row_get_double(const HypostyleRow *row,
                                       size_t output,
                                       size_t index,
                                       double *value,
                                       bool *is_null,
                                       HypostyleError **error);

// Reads a VARCHAR or BLOB output.
HypostyleCode hypostyle_row_get_text(const HypostyleRow *row,
                                     size_t output,
                                     size_t index,
                                     HypostyleText *value,
                                     bool *is_null,
                                     HypostyleError **error);

// Reads an output of type BIGINT[] without null elements.
HypostyleCode hypostyle_row_get_int64s(const HypostyleRow *row,
                                       size_t output,
                                       size_t index,
                                       HypostyleInt64s *value,
                                       bool *is_null,
                                       HypostyleError **error);

// Reads an output of type FLOAT[] or FLOAT[N] without null elements: an embedding.
HypostyleCode hypostyle_row_get_floats(const HypostyleRow *row,
                                       size_t output,
                                       size_t index,
                                       HypostyleFloats *value,
                                       bool *is_null,
                                       HypostyleError **error);

// Hands an output of any type out for one row, as an Arrow array of one value of the type in hypostyle_row_outputs. It is made anew each
// time; the other getters are quicker.
HypostyleCode hypostyle_row_get_array(const HypostyleRow *row,
                                      size_t output,
                                      size_t index,
                                      struct ArrowArray *array,
                                      HypostyleError **error);

// Frees a transform. NULL is allowed.
void hypostyle_transform_free(HypostyleTransform *transform);

// Fits a definition, `CREATE TRANSFORM name AS SELECT .. FROM input` or its query alone, on a source: a table, a path in quotes or a query. Any
// thread; blocks, and hypostyle_session_cancel stops it.
HypostyleTransform *hypostyle_session_fit(const HypostyleSession *session,
                                          const char *definition,
                                          const char *source,
                                          HypostyleError **error);

// Reads a transform from a file that hypostyle_transform_save or EXPORT TRANSFORM wrote, and verifies it. Any thread.
HypostyleTransform *hypostyle_session_load_transform(const HypostyleSession *session,
                                                     const char *path,
                                                     HypostyleError **error);

// The fitted transform of this name, as CREATE TRANSFORM and FIT TRANSFORM made it. Any thread.
HypostyleTransform *hypostyle_session_transform(const HypostyleSession *session,
                                                const char *name,
                                                HypostyleError **error);

// Gives a transform a name in a session, under which SQL applies it; replaces one of that name. Any thread.
HypostyleCode hypostyle_session_register_transform(const HypostyleSession *session,
                                                   const char *name,
                                                   const HypostyleTransform *transform,
                                                   HypostyleError **error);

// Writes a transform to a file, which has its name once it is whole. Any thread.
HypostyleCode hypostyle_transform_save(const HypostyleTransform *transform,
                                       const char *path,
                                       HypostyleError **error);

// The columns that a row of the transform brings, as a struct schema; for windows, behind the others, lists of the rows before it. Any thread.
HypostyleCode hypostyle_transform_inputs(const HypostyleTransform *transform,
                                         struct ArrowSchema *schema,
                                         HypostyleError **error);

// The columns that the transform gives, as a struct schema. Any thread.
HypostyleCode hypostyle_transform_outputs(const HypostyleTransform *transform,
                                          struct ArrowSchema *schema,
                                          HypostyleError **error);

// Applies a transform to a table, a path in quotes or a query of its session. Any thread.
HypostyleAnswer *hypostyle_transform_apply(const HypostyleTransform *transform,
                                           const char *source,
                                           HypostyleError **error);

// Applies a transform to one batch, a struct array whose columns are found by name; without a schema it has the columns of
// hypostyle_transform_inputs; of a transform with windows, of the tables that it is applied to, and the batch is such a table.
// Takes array and schema over. The result has the columns of hypostyle_transform_outputs. Any thread.
HypostyleCode hypostyle_transform_apply_array(const HypostyleTransform *transform,
                                              struct ArrowArray *array,
                                              struct ArrowSchema *schema,
                                              struct ArrowArray *result,
                                              HypostyleError **error);

// The transform as a statement over an input with the columns of hypostyle_transform_inputs, to be started and pushed into. Any thread.
HypostylePrepared *hypostyle_transform_prepare(const HypostyleTransform *transform,
                                               HypostyleError **error);

// Makes an evaluator for single rows of all outputs, or, with `count` above 0, of the outputs of these names. Any thread.
HypostyleRow *hypostyle_transform_row(const HypostyleTransform *transform,
                                      const char *const *outputs,
                                      size_t count,
                                      HypostyleError **error);

// Adds a scalar function; replaces one of that name. `arguments` is a struct schema with a field for each argument, at most 16, `result` the schema
// of one value; both are taken over, and their types say in which of several Arrow forms values are exchanged ("u", "U" or "vu" for text).
// Unless `sees_nulls`, a null argument makes the row null and the function is not asked for it. `release` may be NULL; it is called once with
// `state` when nothing can call the function any more, also if this fails. Any thread.
HypostyleCode hypostyle_session_register_scalar(const HypostyleSession *session,
                                                const char *name,
                                                struct ArrowSchema *arguments,
                                                struct ArrowSchema *result,
                                                bool sees_nulls,
                                                HypostyleScalarCall call,
                                                void *state,
                                                void (*release)(void *state),
                                                HypostyleError **error);

// Adds an aggregate function; replaces one of that name. It works wherever those of the library do: with GROUP BY, DISTINCT, FILTER, ORDER BY and
// OVER, on any number of threads, and spilled to disk. `arguments` is a struct schema with a field for each argument, 1 to 16, `result` the schema of
// one value; both are taken over, and their types say in which of several Arrow forms values are exchanged. Unless `sees_nulls`, rows with a null
// argument are left out. A group without rows is null, and the function is not asked for it. `release` may be NULL; it is called once with `state` when
// nothing can call the function any more, also if this fails. Any thread.
HypostyleCode hypostyle_session_register_aggregate(const HypostyleSession *session,
                                                   const char *name,
                                                   struct ArrowSchema *arguments,
                                                   struct ArrowSchema *result,
                                                   bool sees_nulls,
                                                   HypostyleAggregateCall call,
                                                   void *state,
                                                   void (*release)(void *state),
                                                   HypostyleError **error);

// Adds a table whose rows are pulled as queries ask for them; replaces one of that name. `schema` is a struct schema with a field for each column, and
// is taken over. The stream that `open` gives is asked for a batch when a worker has need of it, by one thread at a time but not always the same,
// and released when the query ends, also before its last batch. A batch that keeps its thread waiting delays cancellation. `release` may be NULL; it is
// called once with `state` when nothing can open the table any more, also if this fails. Any thread.
HypostyleCode hypostyle_session_register_table(const HypostyleSession *session,
                                               const char *name,
                                               struct ArrowSchema *schema,
                                               HypostyleTableOpen open,
                                               void *state,
                                               void (*release)(void *state),
                                               HypostyleError **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HYPOSTYLE_H */
