// Applies an artifact to the rows of a file by pushing batches: the host in C. Prints a digest of the result; with a number of passes, the
// milliseconds of each over batches that lie in memory.
//
// The digest is FNV-1a of 64 bits over the rows in order: for each value a byte that says whether it is there, and then its bytes, a text's
// behind their number as 8 bytes.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hypostyle.h"

static HypostyleError *error;

// Ends the program where a call has failed.
static void check(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", what, hypostyle_error_message(error));
  exit(1);
}

#define CALL(call) check((call) == HYPOSTYLE_CODE_OK, #call)

static uint64_t digest = 0xcbf29ce484222325u;
static int64_t rows = 0;

static void add(const void *bytes, size_t count) {
  const uint8_t *byte = bytes;
  for (size_t i = 0; i < count; i++) digest = (digest ^ byte[i]) * 0x100000001b3u;
}

// Adds one value of a column of this Arrow format.
static void add_value(const char *format, const struct ArrowArray *column, int64_t row) {
  int64_t at = column->offset + row;
  const uint8_t *validity = column->buffers[0];
  uint8_t valid = !validity || (validity[at / 8] >> (at % 8) & 1);
  add(&valid, 1);
  if (!valid) return;
  if (!strcmp(format, "l") || !strcmp(format, "g")) {
    add((const uint8_t *)column->buffers[1] + at * 8, 8);
  } else if (!strcmp(format, "i") || !strcmp(format, "f")) {
    add((const uint8_t *)column->buffers[1] + at * 4, 4);
  } else if (!strcmp(format, "vu")) {
    const uint8_t *view = (const uint8_t *)column->buffers[1] + at * 16;
    int32_t words[4];
    memcpy(words, view, 16);
    uint64_t length = (uint64_t)words[0];
    add(&length, 8);
    add(length <= 12 ? view + 4 : (const uint8_t *)column->buffers[2 + words[2]] + words[3], length);
  } else {
    fprintf(stderr, "a column of format %s\n", format);
    exit(1);
  }
}

static void add_and_release(const struct ArrowSchema *schema, struct ArrowArray *batch) {
  for (int64_t row = 0; row < batch->length; row++) {
    for (int64_t i = 0; i < batch->n_children; i++) add_value(schema->children[i]->format, batch->children[i], row);
  }
  rows += batch->length;
  batch->release(batch);
}

// Takes what the run has for now; without a schema the rows are only counted.
static void take(HypostyleRun *run, const struct ArrowSchema *outputs) {
  struct ArrowArray batch;
  for (;;) {
    CALL(hypostyle_run_next(run, &batch, &error));
    if (!batch.release) return;
    if (outputs) {
      add_and_release(outputs, &batch);
    } else {
      rows += batch.length;
      batch.release(&batch);
    }
  }
}

// The columns of the file that the transform reads, in its order.
static void open_rows(HypostyleSession *session, const HypostyleTransform *transform, const char *file,
                      struct ArrowArrayStream *stream) {
  struct ArrowSchema inputs;
  CALL(hypostyle_transform_inputs(transform, &inputs, &error));
  char sql[4096] = "SELECT ";
  for (int64_t i = 0; i < inputs.n_children; i++) {
    size_t used = strlen(sql);
    snprintf(sql + used, sizeof sql - used, "%s\"%s\"", i ? ", " : "", inputs.children[i]->name);
  }
  inputs.release(&inputs);
  size_t used = strlen(sql);
  snprintf(sql + used, sizeof sql - used, " FROM '%s'", file);
  CALL(hypostyle_session_query(session, sql, stream, &error));
}

static void print_digest(const HypostylePrepared *prepared, const HypostyleTransform *transform,
                         struct ArrowArrayStream *stream) {
  struct ArrowSchema outputs;
  CALL(hypostyle_transform_outputs(transform, &outputs, &error));
  HypostyleRun *run = hypostyle_prepared_start(prepared, NULL, &error);
  check(run != NULL, "start");
  struct ArrowArray batch;
  while (stream->get_next(stream, &batch) == 0 && batch.release) {
    CALL(hypostyle_run_push(run, &batch, NULL, &error));
    take(run, &outputs);
  }
  CALL(hypostyle_run_finish(run, &error));
  take(run, &outputs);
  printf("%" PRId64 " %016" PRIx64 "\n", rows, digest);
  hypostyle_run_free(run);
  outputs.release(&outputs);
}

// The owner of a lent batch releases it.
static void release_nothing(struct ArrowArray *array) { array->release = NULL; }

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void print_passes(const HypostylePrepared *prepared, struct ArrowArrayStream *stream, int passes) {
  struct ArrowArray *batches = NULL;
  size_t count = 0;
  int64_t expected = 0;
  for (;;) {
    batches = realloc(batches, (count + 1) * sizeof *batches);
    check(batches != NULL, "memory");
    if (stream->get_next(stream, &batches[count]) != 0 || !batches[count].release) break;
    expected += batches[count++].length;
  }
  for (int pass = 0; pass < passes; pass++) {
    rows = 0;
    double start = milliseconds();
    HypostyleRun *run = hypostyle_prepared_start(prepared, NULL, &error);
    check(run != NULL, "start");
    for (size_t i = 0; i < count; i++) {
      struct ArrowArray lent = batches[i];
      lent.release = release_nothing;
      CALL(hypostyle_run_push(run, &lent, NULL, &error));
      take(run, NULL);
    }
    CALL(hypostyle_run_finish(run, &error));
    take(run, NULL);
    printf("%.3f\n", milliseconds() - start);
    hypostyle_run_free(run);
    check(rows == expected, "all rows come out");
  }
  for (size_t i = 0; i < count; i++) batches[i].release(&batches[i]);
  free(batches);
}

int main(int count, char **arguments) {
  if (count != 3 && count != 5) {
    fprintf(stderr, "usage: apply ARTIFACT FILE [PASSES BATCH_ROWS]\n");
    return 2;
  }
  HypostyleOptions options = {0};
  options.threads = 1;
  options.batch_rows = count == 5 ? (size_t)atoi(arguments[4]) : 0;
  HypostyleSession *session = hypostyle_session_new(&options, &error);
  check(session != NULL, "session");
  HypostyleTransform *transform = hypostyle_session_load_transform(session, arguments[1], &error);
  check(transform != NULL, "load");
  HypostylePrepared *prepared = hypostyle_transform_prepare(transform, &error);
  check(prepared != NULL, "prepare");
  struct ArrowArrayStream stream;
  open_rows(session, transform, arguments[2], &stream);
  if (count == 5) {
    print_passes(prepared, &stream, atoi(arguments[3]));
  } else {
    print_digest(prepared, transform, &stream);
  }
  stream.release(&stream);
  hypostyle_prepared_free(prepared);
  hypostyle_transform_free(transform);
  hypostyle_session_free(session);
  return 0;
}
