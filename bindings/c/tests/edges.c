// The edges of the interface, from the side of C: arguments that are missing or wrong, errors, memory that a host refuses, cancellation from
// another thread, workers on the host's threads, and data that outlives its handles. Built and run by examples.rs.

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "../examples/arrow_columns.h"
#include "hypostyle.h"

#define CHECK(fact)                                                                          \
  do {                                                                                       \
    if (!(fact)) {                                                                           \
      fprintf(stderr, "line %d: %s; %s\n", __LINE__, #fact, hypostyle_error_message(error)); \
      exit(1);                                                                               \
    }                                                                                        \
  } while (0)

static HypostyleError *error;

// The call fails with this code and these words, and leaves an error object, which is freed.
#define REFUSED(call, kind, words)                                        \
  do {                                                                    \
    (void)(call);                                                         \
    CHECK(hypostyle_error_code(error) == (kind));                         \
    CHECK(strstr(hypostyle_error_message(error), (words)) != NULL);       \
    hypostyle_error_free(error);                                          \
    error = NULL;                                                         \
  } while (0)

#define OK(call) CHECK((call) == HYPOSTYLE_CODE_OK && error == NULL)

static HypostyleSession *session_of(size_t threads) {
  HypostyleOptions options = {0};
  options.threads = threads;
  HypostyleSession *session = hypostyle_session_new(&options, &error);
  CHECK(session != NULL && error == NULL);
  return session;
}

static int64_t whole(const struct ArrowArray *batch, int64_t column, int64_t row) {
  const struct ArrowArray *values = batch->children[column];
  return ((const int64_t *)values->buffers[1])[values->offset + row];
}

static void missing_arguments_are_errors(void) {
  HypostyleSession *session = session_of(1);
  struct ArrowArrayStream stream;
  REFUSED(hypostyle_session_sql(NULL, "SELECT 1", &error), HYPOSTYLE_CODE_USER, "\"session\" is NULL");
  REFUSED(hypostyle_session_sql(session, NULL, &error), HYPOSTYLE_CODE_USER, "\"sql\" is NULL");
  REFUSED(hypostyle_session_sql(session, "SELECT '\xff'", &error), HYPOSTYLE_CODE_USER, "\"sql\" is not UTF-8");
  REFUSED(hypostyle_session_sql(session, "  ", &error), HYPOSTYLE_CODE_USER, "no statement");
  REFUSED(hypostyle_session_query(session, "SELECT 1", NULL, &error), HYPOSTYLE_CODE_USER, "\"stream\" is NULL");
  REFUSED(hypostyle_session_register_stream(session, "t", NULL, &error), HYPOSTYLE_CODE_USER, "\"stream\" is NULL");
  REFUSED(hypostyle_prepared_run(NULL, NULL, &error), HYPOSTYLE_CODE_USER, "\"prepared\" is NULL");
  REFUSED(hypostyle_run_push(NULL, NULL, NULL, &error), HYPOSTYLE_CODE_USER, "\"run\" is NULL");
  REFUSED(hypostyle_row_start(NULL, 1, &error), HYPOSTYLE_CODE_USER, "\"row\" is NULL");
  REFUSED(hypostyle_transform_save(NULL, "x", &error), HYPOSTYLE_CODE_USER, "\"transform\" is NULL");
  REFUSED(hypostyle_session_load_transform(session, "/no/such.hyp", &error), HYPOSTYLE_CODE_USER, "/no/such.hyp");
  // Without a place for the error the code is all there is.
  CHECK(hypostyle_session_query(NULL, "SELECT 1", &stream, NULL) == HYPOSTYLE_CODE_USER);
  CHECK(hypostyle_error_code(NULL) == HYPOSTYLE_CODE_OK && hypostyle_error_message(NULL)[0] == 0);
  hypostyle_session_free(NULL);
  hypostyle_answer_free(NULL);
  hypostyle_answer_cancel(NULL);
  hypostyle_session_cancel(NULL);
  hypostyle_error_free(NULL);
  HypostyleOptions options = {0};
  options.threads = 5000;
  REFUSED(hypostyle_session_new(&options, &error), HYPOSTYLE_CODE_USER, "option \"threads\"");
  hypostyle_session_free(session);
}

static void errors_point_into_the_text(void) {
  HypostyleSession *session = session_of(1);
  OK(hypostyle_session_execute(session, "CREATE TABLE t AS SELECT 1 AS price", NULL, &error));
  REFUSED(hypostyle_session_sql(session, "SELECT 1,\n  prise FROM t", &error), HYPOSTYLE_CODE_USER, "^^^^^");
  struct ArrowArray batch;
  HypostyleAnswer *answer = hypostyle_session_sql(session, "SELECT CAST('x' || price AS INTEGER) FROM t", &error);
  CHECK(answer != NULL);
  REFUSED(hypostyle_answer_next(answer, &batch, &error), HYPOSTYLE_CODE_USER, "x1");
  CHECK(batch.release == NULL);
  hypostyle_answer_free(answer);
  hypostyle_session_free(session);
}

static void data_outlives_its_handles(void) {
  HypostyleSession *session = session_of(2);
  HypostyleAnswer *answer =
      hypostyle_session_sql(session, "SELECT i * 2 AS i, 'text ' || i AS t FROM range(10000) r(i)", &error);
  CHECK(answer != NULL);
  struct ArrowSchema schema;
  OK(hypostyle_answer_schema(answer, &schema, &error));
  CHECK(schema.n_children == 2 && strcmp(schema.children[1]->name, "t") == 0);
  schema.release(&schema);
  struct ArrowArray first;
  OK(hypostyle_answer_next(answer, &first, &error));
  struct ArrowArrayStream stream;
  OK(hypostyle_answer_stream(answer, &stream, &error));
  REFUSED(hypostyle_answer_stream(answer, &stream, &error), HYPOSTYLE_CODE_USER, "handed out");
  hypostyle_answer_free(answer);
  hypostyle_session_free(session);
  int64_t rows = first.length;
  CHECK(whole(&first, 0, 1) == 2);
  first.release(&first);
  struct ArrowArray batch;
  while (stream.get_next(&stream, &batch) == 0 && batch.release) {
    CHECK(whole(&batch, 0, 0) == 2 * rows);
    rows += batch.length;
    batch.release(&batch);
  }
  CHECK(rows == 10000);
  stream.release(&stream);
}

static void tables_come_in_as_streams(void) {
  HypostyleSession *session = session_of(1), *other = session_of(1);
  struct ArrowArrayStream stream;
  OK(hypostyle_session_query(session, "SELECT i FROM range(5000) r(i)", &stream, &error));
  OK(hypostyle_session_register_stream(other, "t", &stream, &error));
  CHECK(stream.release == NULL);
  OK(hypostyle_session_query(session, "SELECT i FROM range(5) r(i) WHERE i < 0", &stream, &error));
  OK(hypostyle_session_register_stream(other, "nothing", &stream, &error));
  uint64_t rows = 0;
  OK(hypostyle_session_execute(other, "SELECT * FROM t UNION ALL SELECT * FROM nothing", &rows, &error));
  CHECK(rows == 5000);
  // A released array is refused, and so is one that is no struct.
  struct ArrowArray array;
  memset(&array, 0, sizeof array);
  struct ArrowSchema schema = column_schema("l", "x");
  REFUSED(hypostyle_session_register_array(other, "x", &array, &schema, &error), HYPOSTYLE_CODE_USER, "released");
  const int64_t value = 1;
  array = eight_byte_column(&value, 1);
  schema = column_schema("l", "x");
  REFUSED(hypostyle_session_register_array(other, "x", &array, &schema, &error), HYPOSTYLE_CODE_USER, "struct");
  CHECK(array.release == NULL && schema.release == NULL);
  hypostyle_session_free(session);
  hypostyle_session_free(other);
}

static void parameters_are_checked(void) {
  HypostyleSession *session = session_of(1);
  HypostylePrepared *prepared =
      hypostyle_session_prepare(session, "SELECT $1::BIGINT + length($2) AS n, $3::DATE AS d", &error);
  CHECK(prepared != NULL);
  struct ArrowSchema schema;
  OK(hypostyle_prepared_parameters(prepared, &schema, &error));
  CHECK(schema.n_children == 3 && strcmp(schema.children[0]->format, "l") == 0);
  schema.release(&schema);
  OK(hypostyle_prepared_schema(prepared, &schema, &error));
  CHECK(schema.n_children == 2 && strcmp(schema.children[1]->format, "tdD") == 0);
  schema.release(&schema);
  REFUSED(hypostyle_prepared_run(prepared, NULL, &error), HYPOSTYLE_CODE_USER, "takes 3 parameters");
  REFUSED(hypostyle_prepared_input(prepared, &schema, &error), HYPOSTYLE_CODE_USER, "its own tables");
  HypostyleValues *values = hypostyle_values_new();
  const int64_t forty = 40;
  struct ArrowArray array = eight_byte_column(&forty, 1);
  schema = column_schema("l", "");
  OK(hypostyle_values_add_array(values, &array, &schema, &error));
  OK(hypostyle_values_add_text(values, "a\0b", 3, &error));
  OK(hypostyle_values_add_text(values, "2026-11-21", 10, &error));
  HypostyleAnswer *answer = hypostyle_prepared_run(prepared, values, &error);
  CHECK(answer != NULL);
  struct ArrowArray batch;
  OK(hypostyle_answer_next(answer, &batch, &error));
  CHECK(whole(&batch, 0, 0) == 43);
  batch.release(&batch);
  hypostyle_answer_free(answer);
  hypostyle_values_clear(values);
  OK(hypostyle_values_add_null(values, &error));
  OK(hypostyle_values_add_null(values, &error));
  OK(hypostyle_values_add_text(values, "no date", 7, &error));
  REFUSED(hypostyle_prepared_run(prepared, values, &error), HYPOSTYLE_CODE_USER, "no date");
  hypostyle_values_free(values);
  hypostyle_prepared_free(prepared);
  hypostyle_session_free(session);
}

static void runs_are_pushed_snapshot_and_restored(void) {
  HypostyleSession *session = session_of(1);
  struct ArrowSchema columns[2] = {column_schema("l", "a"), column_schema("l", "b")};
  struct ArrowSchema schema = table_schema(columns, 2);
  OK(hypostyle_session_register_input(session, "input", &schema, &error));
  HypostylePrepared *prepared = hypostyle_session_prepare(session, "SELECT b - a AS d FROM input", &error);
  HypostyleRun *run = hypostyle_prepared_start(prepared, NULL, &error);
  CHECK(run != NULL);
  const int64_t ones[] = {1, 1}, fives[] = {5, 6};
  // The columns come in another order, and are found by name.
  struct ArrowArray arrays[2] = {eight_byte_column(fives, 2), eight_byte_column(ones, 2)};
  struct ArrowArray batch = table(arrays, 2, 2);
  struct ArrowSchema named[2] = {column_schema("l", "b"), column_schema("l", "a")};
  schema = table_schema(named, 2);
  OK(hypostyle_run_push(run, &batch, &schema, &error));
  OK(hypostyle_run_next(run, &batch, &error));
  CHECK(batch.length == 2 && whole(&batch, 0, 1) == 5);
  batch.release(&batch);
  OK(hypostyle_run_next(run, &batch, &error));
  CHECK(batch.release == NULL && !hypostyle_run_is_finished(run));
  HypostyleBytes *snapshot = hypostyle_run_snapshot(run, &error);
  CHECK(snapshot != NULL && hypostyle_bytes_length(snapshot) > 0);
  HypostyleRun *second = hypostyle_prepared_start(prepared, NULL, &error);
  OK(hypostyle_run_restore(second, hypostyle_bytes_data(snapshot), hypostyle_bytes_length(snapshot), &error));
  REFUSED(hypostyle_run_restore(second, (const uint8_t *)"no", 2, &error), HYPOSTYLE_CODE_USER, "snapshot");
  hypostyle_bytes_free(snapshot);
  hypostyle_run_free(second);
  // A batch without a column, and one that comes without a schema and has another shape.
  struct ArrowArray lone = eight_byte_column(ones, 2);
  struct ArrowSchema lone_schema = column_schema("l", "a");
  batch = table(&lone, 1, 2);
  schema = table_schema(&lone_schema, 1);
  REFUSED(hypostyle_run_push(run, &batch, &schema, &error), HYPOSTYLE_CODE_USER, "no column \"b\"");
  OK(hypostyle_run_finish(run, &error));
  OK(hypostyle_run_next(run, &batch, &error));
  CHECK(batch.release == NULL && hypostyle_run_is_finished(run));
  hypostyle_run_free(run);
  hypostyle_prepared_free(prepared);
  prepared = hypostyle_session_prepare(session, "SELECT sum(a) AS s FROM input", &error);
  run = hypostyle_prepared_start(prepared, NULL, &error);
  REFUSED(hypostyle_run_snapshot(run, &error), HYPOSTYLE_CODE_USER, "holds rows");
  hypostyle_run_free(run);
  hypostyle_prepared_free(prepared);
  hypostyle_session_free(session);
}

struct Shared {
  HypostyleWorker *worker;
  _Atomic int64_t *sum;
};

static void *step_to_the_end(void *argument) {
  struct Shared *shared = argument;
  for (;;) {
    HypostyleProgress progress;
    struct ArrowArray batch;
    if (hypostyle_worker_step(shared->worker, &progress, &batch, NULL) != HYPOSTYLE_CODE_OK) return (void *)1;
    if (progress == HYPOSTYLE_PROGRESS_FINISHED) return NULL;
    if (progress != HYPOSTYLE_PROGRESS_OUTPUT) continue;
    for (int64_t row = 0; row < batch.length; row++) *shared->sum += whole(&batch, 0, row);
    batch.release(&batch);
  }
}

static void workers_run_on_threads_of_the_host(void) {
  HypostyleSession *session = session_of(1);
  HypostylePrepared *prepared = hypostyle_session_prepare(
      session, "SELECT i % 100 AS k, count(*) AS n FROM range(200000) r(i) GROUP BY k", &error);
  CHECK(prepared != NULL);
  HypostyleRun *run = hypostyle_prepared_start(prepared, NULL, &error);
  _Atomic int64_t sum = 0;
  struct Shared shared[2];
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) {
    shared[i] = (struct Shared){hypostyle_run_worker(run, &error), &sum};
    CHECK(shared[i].worker != NULL);
  }
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, step_to_the_end, &shared[i]);
  for (int i = 0; i < 2; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    CHECK(failed == NULL);
    hypostyle_worker_free(shared[i].worker);
  }
  CHECK(sum == 99 * 100 / 2);
  hypostyle_run_free(run);
  hypostyle_prepared_free(prepared);
  hypostyle_session_free(session);
}

static void *cancel_when_it_moves(void *argument) {
  HypostyleAnswer *answer = argument;
  while (hypostyle_answer_progress(answer) <= 0) {
  }
  hypostyle_answer_cancel(answer);
  return NULL;
}

static void *execute_forever(void *argument) {
  HypostyleError *own;
  HypostyleCode code = hypostyle_session_execute(
      argument, "SELECT max(a.i * b.i) FROM range(3000000) a(i), range(3000000) b(i); SELECT 1", NULL, &own);
  hypostyle_error_free(own);
  return (void *)(intptr_t)code;
}

static void other_threads_cancel(void) {
  HypostyleSession *session = session_of(2);
  HypostyleAnswer *answer =
      hypostyle_session_sql(session, "SELECT max(a.i * b.i) FROM range(3000000) a(i), range(3000000) b(i)", &error);
  CHECK(answer != NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, cancel_when_it_moves, answer);
  struct ArrowArray batch;
  REFUSED(hypostyle_answer_next(answer, &batch, &error), HYPOSTYLE_CODE_CANCELLED, "cancelled");
  pthread_join(thread, NULL);
  hypostyle_answer_free(answer);
  // A blocking call is stopped through the session, whichever statement it has come to.
  pthread_create(&thread, NULL, execute_forever, session);
  struct timespec pause = {0, 50000000};
  nanosleep(&pause, NULL);
  hypostyle_session_cancel(session);
  void *code;
  pthread_join(thread, &code);
  CHECK((HypostyleCode)(intptr_t)code == HYPOSTYLE_CODE_CANCELLED);
  uint64_t rows;
  OK(hypostyle_session_execute(session, "SELECT 1", &rows, &error));
  hypostyle_session_free(session);
}

struct Pool {
  _Atomic size_t held, most, asked;
  size_t limit;
};

static bool pool_try_take(void *state, size_t bytes) {
  struct Pool *pool = state;
  pool->asked++;
  if (pool->held + bytes > pool->limit) return false;
  pool->held += bytes;
  if (pool->held > pool->most) pool->most = (size_t)pool->held;
  return true;
}

static void pool_take(void *state, size_t bytes) { ((struct Pool *)state)->held += bytes; }
static void pool_give(void *state, size_t bytes) { ((struct Pool *)state)->held -= bytes; }

static void the_host_counts_memory(void) {
  struct Pool pool = {.limit = 64 << 20};
  HypostyleOptions options = {0};
  options.threads = 1;
  options.memory.state = &pool;
  options.memory.try_take = pool_try_take;
  REFUSED(hypostyle_session_new(&options, &error), HYPOSTYLE_CODE_USER, "all three");
  options.memory.take = pool_take;
  options.memory.give = pool_give;
  HypostyleSession *session = hypostyle_session_new(&options, &error);
  CHECK(session != NULL);
  const char *sorted = "SELECT i, hash(i) AS h FROM range(300000) r(i) ORDER BY h";
  uint64_t rows;
  OK(hypostyle_session_execute(session, sorted, &rows, &error));
  CHECK(rows == 300000 && pool.asked > 0 && pool.most > 1 << 20);
  CHECK(pool.held == 0);
  // With less than that it spills, with hardly anything it is refused.
  pool.limit = 3 << 20;
  OK(hypostyle_session_execute(session, sorted, &rows, &error));
  CHECK(rows == 300000 && pool.held == 0);
  pool.limit = 1000;
  REFUSED(hypostyle_session_execute(session, "CREATE TABLE t AS SELECT i FROM range(300000) r(i)", &rows, &error),
          HYPOSTYLE_CODE_RESOURCE, "out of memory");
  hypostyle_session_free(session);
  CHECK(pool.held == 0);
}

struct Scalar {
  _Atomic int calls, released;
  int mode;
};

static int32_t scalar(void *state, const struct ArrowArray *arguments, struct ArrowArray *result, char *message,
                      size_t message_bytes) {
  struct Scalar *scalar = state;
  scalar->calls++;
  if (scalar->mode == 1) {
    snprintf(message, message_bytes, "the model is not loaded");
    return 7;
  }
  if (scalar->mode == 2) return 0;
  int64_t rows = scalar->mode == 3 ? arguments->length + 1 : arguments->length;
  int64_t *values = calloc((size_t)rows, 8);
  for (int64_t row = 0; row < rows; row++) values[row] = arguments->children[0]->null_count;
  *result = eight_byte_column(values, rows);
  free(values);
  return 0;
}

static void release_scalar(void *state) { ((struct Scalar *)state)->released++; }

static void functions_of_the_host(void) {
  HypostyleSession *session = session_of(2);
  struct Scalar state = {0};
  for (int sees_nulls = 0; sees_nulls < 2; sees_nulls++) {
    struct ArrowSchema argument = column_schema("u", "x"), result = column_schema("l", "");
    struct ArrowSchema arguments = table_schema(&argument, 1);
    OK(hypostyle_session_register_scalar(session, "nulls", &arguments, &result, sees_nulls, scalar, &state,
                                         release_scalar, &error));
    struct ArrowArrayStream stream;
    OK(hypostyle_session_query(session, "SELECT sum(nulls(x)) AS n FROM (VALUES ('a'), (NULL), (NULL)) t(x)", &stream,
                               &error));
    struct ArrowArray batch;
    CHECK(stream.get_next(&stream, &batch) == 0 && batch.release != NULL);
    // Sums of whole numbers have 128 bits.
    CHECK(((const int64_t *)batch.children[0]->buffers[1])[0] == (sees_nulls ? 6 : 0));
    batch.release(&batch);
    stream.release(&stream);
  }
  CHECK(state.released == 1 && state.calls >= 2);
  const char *sql = "SELECT nulls('a' || i) FROM range(10) r(i)";
  state.mode = 1;
  REFUSED(hypostyle_session_execute(session, sql, NULL, &error), HYPOSTYLE_CODE_USER, "nulls: the model is not loaded");
  state.mode = 2;
  REFUSED(hypostyle_session_execute(session, sql, NULL, &error), HYPOSTYLE_CODE_USER, "gave no array");
  state.mode = 3;
  REFUSED(hypostyle_session_execute(session, sql, NULL, &error), HYPOSTYLE_CODE_USER, "11 values for 10 rows");
  struct ArrowSchema result = column_schema("l", "");
  REFUSED(hypostyle_session_register_scalar(session, "f", NULL, &result, false, scalar, &state, release_scalar, &error),
          HYPOSTYLE_CODE_USER, "\"arguments\" is NULL");
  if (result.release) result.release(&result);
  CHECK(state.released == 2);
  hypostyle_session_free(session);
  CHECK(state.released == 3);
}

// The greatest less the least value of a group; with nulls seen, their number.
static int32_t spread(void *state, const struct ArrowArray *arguments, struct ArrowArray *result, char *message,
                      size_t message_bytes) {
  struct Scalar *aggregate = state;
  aggregate->calls++;
  if (aggregate->mode == 1) {
    snprintf(message, message_bytes, "the group has %" PRId64 " rows", arguments->length);
    return 1;
  }
  const struct ArrowArray *column = arguments->children[0];
  const int64_t *values = (const int64_t *)column->buffers[1] + column->offset;
  int64_t least = values[0], most = values[0];
  for (int64_t row = 1; row < column->length; row++) {
    if (values[row] < least) least = values[row];
    if (values[row] > most) most = values[row];
  }
  int64_t given[2] = {column->null_count ? column->null_count : most - least, 0};
  *result = eight_byte_column(given, aggregate->mode == 2 ? 2 : 1);
  return 0;
}

static int64_t only_value(HypostyleSession *session, const char *sql) {
  HypostyleAnswer *answer = hypostyle_session_sql(session, sql, &error);
  CHECK(answer != NULL);
  struct ArrowArray batch;
  OK(hypostyle_answer_next(answer, &batch, &error));
  CHECK(batch.length == 1);
  int64_t value = whole(&batch, 0, 0);
  batch.release(&batch);
  hypostyle_answer_free(answer);
  return value;
}

static void aggregates_of_the_host(void) {
  for (size_t threads = 1; threads <= 2; threads++) {
    HypostyleSession *session = session_of(threads);
    struct Scalar state = {0};
    for (int sees_nulls = 0; sees_nulls < 2; sees_nulls++) {
      struct ArrowSchema argument = column_schema("l", "x"), result = column_schema("l", "");
      struct ArrowSchema arguments = table_schema(&argument, 1);
      OK(hypostyle_session_register_aggregate(session, sees_nulls ? "nulls_of" : "spread", &arguments, &result, sees_nulls,
                                              spread, &state, release_scalar, &error));
    }
    const char *groups = "SELECT sum(s)::BIGINT FROM (SELECT spread(i) AS s FROM range(30000) r(i) GROUP BY i % 100)";
    CHECK(only_value(session, groups) == 100 * 29900);
    CHECK(state.calls == 100);
    CHECK(only_value(session, "SELECT spread(x) FROM (VALUES (7), (NULL), (3)) t(x)") == 4);
    CHECK(only_value(session, "SELECT nulls_of(x) FROM (VALUES (NULL), (7), (NULL)) t(x)") == 2);
    CHECK(only_value(session, "SELECT count(*) FROM (SELECT spread(i) AS s FROM range(0) r(i)) WHERE s IS NULL") == 1);
    CHECK(only_value(session, "SELECT spread(i) FILTER (WHERE i > 5) FROM range(10) r(i)") == 3);
    const char *frames = "SELECT max(s) FROM (SELECT spread(i) OVER (ORDER BY i ROWS 2 PRECEDING) AS s FROM range(10) r(i))";
    CHECK(only_value(session, frames) == 2);
    state.mode = 1;
    REFUSED(hypostyle_session_execute(session, "SELECT spread(i) FROM range(10) r(i)", NULL, &error), HYPOSTYLE_CODE_USER,
            "spread: the group has 10 rows");
    state.mode = 2;
    REFUSED(hypostyle_session_execute(session, "SELECT spread(i) FROM range(10) r(i)", NULL, &error), HYPOSTYLE_CODE_USER,
            "gave 2 values");
    struct ArrowSchema result = column_schema("l", ""), none = table_schema(NULL, 0);
    REFUSED(hypostyle_session_register_aggregate(session, "f", &none, &result, false, spread, &state, release_scalar, &error),
            HYPOSTYLE_CODE_USER, "1 to 16");
    CHECK(none.release == NULL && result.release == NULL && state.released == 1);
    hypostyle_session_free(session);
    CHECK(state.released == 3);
  }
}

// A table of the host: the numbers from 0 on in batches of ten, of which streams count how many they have made.
struct Numbers {
  _Atomic int64_t opened, made, streams, released;
  int64_t batches;
  int mode;
};

struct NumberStream {
  struct Numbers *numbers;
  int64_t next;
};

static int numbers_schema(struct ArrowArrayStream *stream, struct ArrowSchema *schema) {
  (void)stream;
  struct ArrowSchema columns[2] = {column_schema("g", "half"), column_schema("l", "number")};
  *schema = table_schema(columns, 2);
  return 0;
}

static int numbers_next(struct ArrowArrayStream *stream, struct ArrowArray *batch) {
  struct NumberStream *own = stream->private_data;
  memset(batch, 0, sizeof *batch);
  if (own->next == own->numbers->batches) return 0;
  if (own->numbers->mode == 2 && own->next == 3) return EIO;
  int64_t whole_numbers[10];
  double halves[10];
  for (int64_t i = 0; i < 10; i++) {
    whole_numbers[i] = own->next * 10 + i;
    halves[i] = (double)whole_numbers[i] / 2;
  }
  own->next++;
  own->numbers->made++;
  struct ArrowArray columns[2] = {eight_byte_column(halves, 10), eight_byte_column(whole_numbers, 10)};
  *batch = table(columns, 2, 10);
  return 0;
}

static const char *numbers_error(struct ArrowArrayStream *stream) {
  (void)stream;
  return "the disk is gone";
}

static void numbers_release(struct ArrowArrayStream *stream) {
  struct NumberStream *own = stream->private_data;
  own->numbers->streams--;
  free(own);
  stream->release = NULL;
}

static int32_t numbers_open(void *state, const char *const *columns, size_t count, struct ArrowArrayStream *stream,
                            char *message, size_t message_bytes) {
  struct Numbers *numbers = state;
  if (numbers->mode == 1) {
    snprintf(message, message_bytes, "no connection for %zu columns, first %s", count, count ? columns[0] : "none");
    return 1;
  }
  numbers->opened++;
  if (numbers->mode == 3) return 0;
  struct NumberStream *own = calloc(1, sizeof *own);
  own->numbers = numbers;
  numbers->streams++;
  *stream = (struct ArrowArrayStream){numbers_schema, numbers_next, numbers_error, numbers_release, own};
  return 0;
}

static void release_numbers(void *state) { ((struct Numbers *)state)->released++; }

static void tables_are_pulled_as_queries_ask(void) {
  for (size_t threads = 1; threads <= 2; threads++) {
    HypostyleSession *session = session_of(threads);
    struct Numbers numbers = {.batches = 1000};
    struct ArrowSchema columns[2] = {column_schema("l", "number"), column_schema("g", "half")};
    struct ArrowSchema schema = table_schema(columns, 2);
    OK(hypostyle_session_register_table(session, "numbers", &schema, numbers_open, &numbers, release_numbers, &error));
    CHECK(schema.release == NULL && numbers.opened == 0);
    CHECK(only_value(session, "SELECT sum(number)::BIGINT FROM numbers") == 9999 * 5000);
    CHECK(numbers.opened == 1 && numbers.made == 1000 && numbers.streams == 0);
    CHECK(only_value(session, "SELECT count(*) FROM numbers a JOIN numbers b ON a.number = b.half") == 5000);
    CHECK(numbers.opened == 3);
    CHECK(only_value(session, "SELECT count(*) FROM numbers") == 10000);
    // What a query does not ask for is not made, and what it leaves is released.
    numbers.batches = 1000000000, numbers.made = 0;
    CHECK(only_value(session, "SELECT number FROM numbers LIMIT 1") == 0);
    CHECK(numbers.made > 0 && numbers.made < 10000);
    HypostyleAnswer *answer = hypostyle_session_sql(session, "SELECT half FROM numbers", &error);
    struct ArrowArray batch;
    OK(hypostyle_answer_next(answer, &batch, &error));
    batch.release(&batch);
    hypostyle_answer_free(answer);
    CHECK(numbers.streams == 0);
    numbers.mode = 1;
    REFUSED(hypostyle_session_execute(session, "SELECT half FROM numbers", NULL, &error), HYPOSTYLE_CODE_USER,
            "no connection for 1 columns, first half");
    numbers.mode = 2;
    REFUSED(hypostyle_session_execute(session, "SELECT half FROM numbers", NULL, &error), HYPOSTYLE_CODE_USER,
            "the disk is gone");
    numbers.mode = 3;
    REFUSED(hypostyle_session_execute(session, "SELECT half FROM numbers", NULL, &error), HYPOSTYLE_CODE_USER, "numbers");
    CHECK(numbers.streams == 0 && numbers.released == 0);
    struct ArrowSchema other = column_schema("l", "x"), lone = table_schema(&other, 1);
    REFUSED(hypostyle_session_register_table(session, "t", &lone, NULL, &numbers, release_numbers, &error),
            HYPOSTYLE_CODE_USER, "\"open\" is NULL");
    CHECK(numbers.released == 1);
    hypostyle_session_free(session);
    CHECK(numbers.released == 2);
  }
}

static void rows_are_read_by_type(void) {
  HypostyleSession *session = session_of(1);
  OK(hypostyle_session_execute(
      session,
      "CREATE TABLE t AS SELECT 1 AS i, 'x' AS s, [1, 2]::BIGINT[] AS ids, [0.5, 1.5]::FLOAT[2] AS v, true AS b", NULL,
      &error));
  HypostylePrepared *prepared = hypostyle_session_prepare(
      session, "SELECT i + 1 AS i, s || '!' AS s, ids || [7::BIGINT] AS ids, v, NOT b AS b, {'k': s} AS st FROM t",
      &error);
  CHECK(prepared != NULL);
  HypostyleRow *row = hypostyle_prepared_row(prepared, NULL, &error);
  CHECK(row != NULL);
  size_t i, s, ids, v, b, none;
  OK(hypostyle_row_input(row, "i", &i, &error));
  OK(hypostyle_row_input(row, "s", &s, &error));
  OK(hypostyle_row_input(row, "ids", &ids, &error));
  OK(hypostyle_row_input(row, "v", &v, &error));
  OK(hypostyle_row_input(row, "b", &b, &error));
  REFUSED(hypostyle_row_input(row, "z", &none, &error), HYPOSTYLE_CODE_USER, "no input column \"z\"");
  REFUSED(hypostyle_row_start(row, 257, &error), HYPOSTYLE_CODE_USER, "256");
  OK(hypostyle_row_start(row, 2, &error));
  OK(hypostyle_row_at(row, 1, &error));
  const int64_t list[] = {3, 4};
  const float vector[] = {0.25f, -1.0f};
  OK(hypostyle_row_set_int64(row, i, 41, &error));
  OK(hypostyle_row_set_text(row, s, "sit", 3, &error));
  OK(hypostyle_row_set_int64s(row, ids, list, 2, &error));
  OK(hypostyle_row_set_floats(row, v, vector, 2, &error));
  OK(hypostyle_row_set_bool(row, b, false, &error));
  REFUSED(hypostyle_row_set_double(row, i, 1.0, &error), HYPOSTYLE_CODE_USER, "does not take a float");
  REFUSED(hypostyle_row_set_floats(row, v, vector, 1, &error), HYPOSTYLE_CODE_USER, "dimension 1");
  REFUSED(hypostyle_row_at(row, 2, &error), HYPOSTYLE_CODE_USER, "row 2");
  OK(hypostyle_row_evaluate(row, &error));
  int64_t value = -1;
  bool is_null = false, truth = false;
  OK(hypostyle_row_get_int64(row, 0, 0, &value, &is_null, &error));
  CHECK(is_null && value == -1);
  REFUSED(hypostyle_row_get_int64(row, 0, 0, &value, NULL, &error), HYPOSTYLE_CODE_USER, "is null");
  OK(hypostyle_row_get_int64(row, 0, 1, &value, &is_null, &error));
  CHECK(!is_null && value == 42);
  double number;
  REFUSED(hypostyle_row_get_double(row, 0, 1, &number, NULL, &error), HYPOSTYLE_CODE_USER, "not read as a float");
  REFUSED(hypostyle_row_get_int64(row, 9, 0, &value, NULL, &error), HYPOSTYLE_CODE_USER, "no output column 9");
  REFUSED(hypostyle_row_get_int64(row, 0, 2, &value, NULL, &error), HYPOSTYLE_CODE_USER, "row 2 of 2");
  HypostyleText text;
  OK(hypostyle_row_get_text(row, 1, 1, &text, NULL, &error));
  CHECK(text.length == 4 && memcmp(text.data, "sit!", 4) == 0);
  HypostyleInt64s got_ids;
  OK(hypostyle_row_get_int64s(row, 2, 1, &got_ids, NULL, &error));
  CHECK(got_ids.count == 3 && got_ids.data[2] == 7);
  HypostyleFloats floats;
  OK(hypostyle_row_get_floats(row, 3, 1, &floats, NULL, &error));
  CHECK(floats.count == 2 && floats.data[0] == 0.25f);
  OK(hypostyle_row_get_bool(row, 4, 1, &truth, NULL, &error));
  CHECK(truth);
  struct ArrowArray array;
  OK(hypostyle_row_get_array(row, 5, 1, &array, &error));
  CHECK(array.length == 1 && array.n_children == 1);
  array.release(&array);
  hypostyle_row_free(row);
  hypostyle_prepared_free(prepared);
  hypostyle_session_free(session);
}

static void transforms_apply_to_batches(void) {
  HypostyleSession *session = session_of(1);
  OK(hypostyle_session_execute(session, "CREATE TABLE t AS SELECT i::DOUBLE AS x FROM range(5) r(i)", NULL, &error));
  REFUSED(hypostyle_session_fit(session, "SELECT standard_scale(y) AS y FROM input", "t", &error), HYPOSTYLE_CODE_USER,
          "^");
  HypostyleTransform *transform =
      hypostyle_session_fit(session, "SELECT min_max_scale(x) AS x, x + 1 AS y FROM input", "t", &error);
  CHECK(transform != NULL);
  OK(hypostyle_session_register_transform(session, "scaled", transform, &error));
  uint64_t rows;
  OK(hypostyle_session_execute(session, "SELECT * FROM scaled(t)", &rows, &error));
  CHECK(rows == 5);
  const double values[] = {0.0, 2.0, 4.0};
  for (int64_t count = 3; count >= 0; count -= 3) {
    struct ArrowArray column = eight_byte_column(values, count), result;
    struct ArrowArray batch = table(&column, 1, count);
    OK(hypostyle_transform_apply_array(transform, &batch, NULL, &result, &error));
    CHECK(result.length == count);
    if (count) CHECK(((const double *)result.children[0]->buffers[1])[1] == 0.5);
    result.release(&result);
  }
  const char *outputs[] = {"y"};
  HypostyleRow *row = hypostyle_transform_row(transform, outputs, 1, &error);
  CHECK(row != NULL);
  struct ArrowSchema schema;
  OK(hypostyle_row_outputs(row, &schema, &error));
  CHECK(schema.n_children == 1 && strcmp(schema.children[0]->name, "y") == 0);
  schema.release(&schema);
  hypostyle_row_free(row);
  const char *absent[] = {"z"};
  REFUSED(hypostyle_transform_row(transform, absent, 1, &error), HYPOSTYLE_CODE_USER, "\"z\"");
  hypostyle_transform_free(transform);
  hypostyle_session_free(session);
}

// One batch of a query, with its schema.
static struct ArrowArray batch_of(HypostyleSession *session, const char *sql, struct ArrowSchema *schema) {
  struct ArrowArrayStream stream;
  struct ArrowArray batch;
  OK(hypostyle_session_query(session, sql, &stream, &error));
  CHECK(stream.get_schema(&stream, schema) == 0 && stream.get_next(&stream, &batch) == 0 && batch.release != NULL);
  stream.release(&stream);
  return batch;
}

static void release_borrowed(struct ArrowArray *array) { array->release = NULL; }
static void release_borrowed_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static double number(const struct ArrowArray *batch, int64_t column, int64_t row) {
  const struct ArrowArray *values = batch->children[column];
  return ((const double *)values->buffers[1])[values->offset + row];
}

// A loaded transform gives by row, from the rows before it, and pushed what it gives for a table, to the bit.
static void windows_are_served_from_histories(void) {
  HypostyleSession *session = session_of(1);
  OK(hypostyle_session_execute(
      session, "CREATE TABLE events AS SELECT i * 7 % 50 AS id, i % 3 AS user, sin(i) * 1e3 AS x FROM range(50) r(i)", NULL,
      &error));
  const char *definition =
      "SELECT sum(standard_scale(x)) OVER (w ROWS 4 PRECEDING) AS recent, coalesce(x - lag(x) OVER w, -1) AS step, "
      "avg(x) OVER (w RANGE BETWEEN 9 PRECEDING AND CURRENT ROW) AS near FROM input WINDOW w AS (PARTITION BY user ORDER BY id)";
  HypostyleTransform *fitted = hypostyle_session_fit(session, definition, "events", &error);
  CHECK(fitted != NULL);
  OK(hypostyle_transform_save(fitted, "windows.hyp", &error));
  hypostyle_transform_free(fitted);
  HypostyleTransform *transform = hypostyle_session_load_transform(session, "windows.hyp", &error);
  CHECK(transform != NULL);
  OK(hypostyle_session_register_transform(session, "windows", transform, &error));
  struct ArrowSchema expected_schema, schema;
  struct ArrowArray expected = batch_of(session, "SELECT recent, step, near FROM windows(events)", &expected_schema);
  struct ArrowArray rows = batch_of(session,
                                    "SELECT id, x, list({'id': id, 'x': x}) OVER (PARTITION BY user ORDER BY id ROWS BETWEEN "
                                    "UNBOUNDED PRECEDING AND 1 PRECEDING) AS user_history FROM events",
                                    &schema);
  CHECK(expected.length == 50 && rows.length == 50);

  HypostyleRow *row = hypostyle_transform_row(transform, NULL, 0, &error);
  CHECK(row != NULL);
  size_t id, x, history;
  OK(hypostyle_row_input(row, "id", &id, &error));
  OK(hypostyle_row_input(row, "x", &x, &error));
  OK(hypostyle_row_input(row, "user_history", &history, &error));
  for (int64_t at = 0; at < 50; at++) {
    OK(hypostyle_row_start(row, 1, &error));
    OK(hypostyle_row_set_int64(row, id, whole(&rows, 0, at), &error));
    OK(hypostyle_row_set_double(row, x, number(&rows, 1, at), &error));
    struct ArrowArray before = *rows.children[2];
    struct ArrowSchema type = *schema.children[2];
    before.offset += at;
    before.length = 1;
    before.null_count = -1;
    before.release = release_borrowed;
    type.release = release_borrowed_schema;
    OK(hypostyle_row_set_array(row, history, &before, &type, &error));
    OK(hypostyle_row_evaluate(row, &error));
    for (int64_t output = 0; output < 3; output++) {
      double found, wanted = number(&expected, output, at);
      OK(hypostyle_row_get_double(row, (size_t)output, 0, &found, NULL, &error));
      CHECK(memcmp(&found, &wanted, sizeof found) == 0);
    }
  }
  hypostyle_row_free(row);

  HypostylePrepared *prepared = hypostyle_transform_prepare(transform, &error);
  CHECK(prepared != NULL);
  HypostyleRun *run = hypostyle_prepared_start(prepared, NULL, &error);
  CHECK(run != NULL);
  OK(hypostyle_run_push(run, &rows, &schema, &error));
  OK(hypostyle_run_finish(run, &error));
  int64_t seen = 0;
  struct ArrowArray pushed;
  for (;;) {
    OK(hypostyle_run_next(run, &pushed, &error));
    if (pushed.release == NULL) break;
    for (int64_t at = 0; at < pushed.length; at++, seen++) {
      for (int64_t output = 0; output < 3; output++) {
        double found = number(&pushed, output, at), wanted = number(&expected, output, seen);
        CHECK(memcmp(&found, &wanted, sizeof found) == 0);
      }
    }
    pushed.release(&pushed);
  }
  CHECK(seen == 50);
  hypostyle_run_free(run);
  hypostyle_prepared_free(prepared);
  expected.release(&expected);
  expected_schema.release(&expected_schema);
  hypostyle_transform_free(transform);
  hypostyle_session_free(session);
}

static void plans_travel_as_bytes(void) {
  HypostyleSession *session = session_of(1);
  HypostyleBytes *plan = hypostyle_session_substrait_plan(session, "SELECT x * 2 AS y FROM range(3) t(x)", &error);
  CHECK(plan != NULL);
  HypostylePrepared *prepared = hypostyle_session_prepare_substrait(session, hypostyle_bytes_data(plan),
                                                                    hypostyle_bytes_length(plan), &error);
  CHECK(prepared != NULL);
  hypostyle_bytes_free(plan);
  HypostyleAnswer *answer = hypostyle_prepared_run(prepared, NULL, &error);
  struct ArrowArray batch;
  OK(hypostyle_answer_next(answer, &batch, &error));
  CHECK(batch.length == 3 && whole(&batch, 0, 2) == 4);
  batch.release(&batch);
  hypostyle_answer_free(answer);
  hypostyle_prepared_free(prepared);
  REFUSED(hypostyle_session_prepare_substrait(session, (const uint8_t *)"\xff\xff", 2, &error), HYPOSTYLE_CODE_USER, "");
  hypostyle_session_free(session);
}

int main(void) {
  missing_arguments_are_errors();
  errors_point_into_the_text();
  data_outlives_its_handles();
  tables_come_in_as_streams();
  parameters_are_checked();
  runs_are_pushed_snapshot_and_restored();
  workers_run_on_threads_of_the_host();
  other_threads_cancel();
  the_host_counts_memory();
  functions_of_the_host();
  aggregates_of_the_host();
  tables_are_pulled_as_queries_ask();
  rows_are_read_by_type();
  transforms_apply_to_batches();
  windows_are_served_from_histories();
  plans_travel_as_bytes();
  puts("all edges hold");
  return 0;
}
