// A tour of the interface in C: a table from Arrow data, a query, functions of one's own, parameters, a stream of pushed batches, and a fitted
// transform that serves rows. `cargo test --package hypostyle-c` builds and runs it; by hand:
//
//   cargo build --package hypostyle-c
//   cc -I bindings/c/include bindings/c/examples/features.c -L target/debug -lhypostyle_c -Wl,-rpath,target/debug -o features && ./features

#include <inttypes.h>
#include <stdio.h>

#include "arrow_columns.h"
#include "hypostyle.h"

static HypostyleError *error;

// Ends the program where a call has failed.
static void check(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", what, hypostyle_error_message(error));
  exit(1);
}

#define CALL(call) check((call) == HYPOSTYLE_CODE_OK, #call)

static struct ArrowSchema clicks_schema(void) {
  struct ArrowSchema columns[2] = {column_schema("l", "item"), column_schema("g", "seconds")};
  return table_schema(columns, 2);
}

static struct ArrowArray clicks(const int64_t *items, const double *seconds, int64_t rows) {
  struct ArrowArray columns[2] = {eight_byte_column(items, rows), eight_byte_column(seconds, rows)};
  return table(columns, 2, rows);
}

// Prints a batch of one column of 64-bit integers and one of doubles, and releases it.
static void print_and_release(struct ArrowArray *batch) {
  const struct ArrowArray *items = batch->children[0], *values = batch->children[1];
  for (int64_t row = 0; row < batch->length; row++) {
    printf("  %" PRId64 " %.4f\n", ((const int64_t *)items->buffers[1])[items->offset + row],
           ((const double *)values->buffers[1])[values->offset + row]);
  }
  batch->release(batch);
}

// The square of a column of doubles: a scalar function in C. It does not see null rows, as it is registered.
static int32_t square(void *state, const struct ArrowArray *arguments, struct ArrowArray *result, char *message,
                      size_t message_bytes) {
  (void)state, (void)message, (void)message_bytes;
  const struct ArrowArray *values = arguments->children[0];
  const double *from = (const double *)values->buffers[1] + values->offset;
  *result = eight_byte_column(from, arguments->length);
  double *to = (double *)result->buffers[1];
  for (int64_t row = 0; row < arguments->length; row++) to[row] = from[row] * from[row];
  return 0;
}

// The number of different values of a group: an aggregate function in C. It sees one group at a time.
static int32_t different(void *state, const struct ArrowArray *arguments, struct ArrowArray *result, char *message,
                         size_t message_bytes) {
  (void)state, (void)message, (void)message_bytes;
  const struct ArrowArray *column = arguments->children[0];
  const double *values = (const double *)column->buffers[1] + column->offset;
  int64_t count = 0;
  for (int64_t row = 0; row < arguments->length; row++) {
    int64_t before = 0;
    while (before < row && values[before] != values[row]) before++;
    count += before == row;
  }
  *result = eight_byte_column(&count, 1);
  return 0;
}

static void query(HypostyleSession *session) {
  struct ArrowSchema argument = column_schema("g", "x");
  struct ArrowSchema arguments = table_schema(&argument, 1), result = column_schema("g", "");
  CALL(hypostyle_session_register_scalar(session, "square", &arguments, &result, false, square, NULL, NULL,
                                         &error));
  argument = column_schema("g", "x"), result = column_schema("l", "");
  arguments = table_schema(&argument, 1);
  CALL(hypostyle_session_register_aggregate(session, "different", &arguments, &result, false, different, NULL, NULL,
                                            &error));
  struct ArrowArrayStream stream;
  CALL(hypostyle_session_query(
      session, "SELECT item, square(sum(seconds)) + different(seconds) AS squared FROM clicks GROUP BY item ORDER BY item",
      &stream, &error));
  printf("query:\n");
  struct ArrowArray batch;
  while (stream.get_next(&stream, &batch) == 0 && batch.release) print_and_release(&batch);
  stream.release(&stream);
}

static void parameters(HypostyleSession *session) {
  HypostylePrepared *prepared =
      hypostyle_session_prepare(session, "SELECT item, seconds FROM clicks WHERE seconds > $1", &error);
  check(prepared != NULL, "prepare");
  for (double least = 2; least < 5; least += 2) {
    HypostyleValues *values = hypostyle_values_new();
    CALL(hypostyle_values_add_double(values, least, &error));
    HypostyleAnswer *answer = hypostyle_prepared_run(prepared, values, &error);
    check(answer != NULL, "run");
    printf("more than %.0f seconds:\n", least);
    struct ArrowArray batch;
    for (;;) {
      CALL(hypostyle_answer_next(answer, &batch, &error));
      if (!batch.release) break;
      print_and_release(&batch);
    }
    hypostyle_answer_free(answer);
    hypostyle_values_free(values);
  }
  hypostyle_prepared_free(prepared);
}

static void push(HypostyleSession *session) {
  struct ArrowSchema schema = clicks_schema();
  CALL(hypostyle_session_register_input(session, "stream", &schema, &error));
  HypostylePrepared *prepared =
      hypostyle_session_prepare(session, "SELECT item * 10 AS item, ln(seconds) AS seconds FROM stream", &error);
  check(prepared != NULL, "prepare");
  HypostyleRun *run = hypostyle_prepared_start(prepared, NULL, &error);
  check(run != NULL, "start");
  printf("pushed:\n");
  for (int64_t number = 1; number <= 2; number++) {
    double seconds = 1.0;
    struct ArrowArray batch = clicks(&number, &seconds, 1);
    CALL(hypostyle_run_push(run, &batch, NULL, &error));
    for (;;) {
      CALL(hypostyle_run_next(run, &batch, &error));
      if (!batch.release) break;
      print_and_release(&batch);
    }
  }
  CALL(hypostyle_run_finish(run, &error));
  hypostyle_run_free(run);
  hypostyle_prepared_free(prepared);
}

static void transform(HypostyleSession *session, const char *path) {
  HypostyleTransform *fitted = hypostyle_session_fit(
      session, "SELECT standard_scale(seconds) AS seconds, hash_bucket(item, 1000) AS item FROM input", "clicks",
      &error);
  check(fitted != NULL, "fit");
  CALL(hypostyle_transform_save(fitted, path, &error));
  hypostyle_transform_free(fitted);

  HypostyleTransform *loaded = hypostyle_session_load_transform(session, path, &error);
  check(loaded != NULL, "load");
  HypostyleRow *row = hypostyle_transform_row(loaded, NULL, 0, &error);
  check(row != NULL, "row");
  size_t item, seconds, scaled;
  CALL(hypostyle_row_input(row, "item", &item, &error));
  CALL(hypostyle_row_input(row, "seconds", &seconds, &error));
  CALL(hypostyle_row_output(row, "seconds", &scaled, &error));
  printf("served:\n");
  for (int number = 1; number <= 3; number++) {
    CALL(hypostyle_row_start(row, 1, &error));
    CALL(hypostyle_row_set_int64(row, item, number, &error));
    CALL(hypostyle_row_set_double(row, seconds, number, &error));
    CALL(hypostyle_row_evaluate(row, &error));
    double value;
    CALL(hypostyle_row_get_double(row, scaled, 0, &value, NULL, &error));
    printf("  %.4f\n", value);
  }
  hypostyle_row_free(row);
  hypostyle_transform_free(loaded);
}

int main(int count, char **arguments) {
  HypostyleOptions options = {0};
  options.threads = 1;
  options.memory_limit_bytes = 256 << 20;
  HypostyleSession *session = hypostyle_session_new(&options, &error);
  check(session != NULL, "session");
  printf("hypostyle %s\n", hypostyle_version());

  const int64_t items[] = {7, 9, 7, 9};
  const double seconds[] = {1.0, 2.5, 3.0, 4.5};
  struct ArrowArray array = clicks(items, seconds, 4);
  struct ArrowSchema schema = clicks_schema();
  CALL(hypostyle_session_register_array(session, "clicks", &array, &schema, &error));

  query(session);
  parameters(session);
  push(session);
  transform(session, count > 1 ? arguments[1] : "clicks.hyp");

  HypostyleAnswer *answer = hypostyle_session_sql(session, "SELECT item, secnds FROM clicks", &error);
  check(answer == NULL, "a wrong name is refused");
  printf("error %d:\n%s\n", (int)hypostyle_error_code(error), hypostyle_error_message(error));
  hypostyle_error_free(error);
  hypostyle_session_free(session);
  return 0;
}
