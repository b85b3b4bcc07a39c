// Arrow columns made in C, for the examples: what a real host has from its Arrow library.

#ifndef ARROW_COLUMNS_H
#define ARROW_COLUMNS_H

#include <stdlib.h>
#include <string.h>

#include "hypostyle.h"

static void release_array(struct ArrowArray *array) {
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  if (array->n_buffers == 2) free((void *)array->buffers[1]);
  free(array->children);
  free((void *)array->buffers);
  array->release = NULL;
}

// A column of values of 8 bytes, without nulls. They are copied.
static inline struct ArrowArray eight_byte_column(const void *values, int64_t count) {
  struct ArrowArray array;
  memset(&array, 0, sizeof array);
  void *copy = malloc(count > 0 ? (size_t)count * 8 : 8);
  if (count > 0) memcpy(copy, values, (size_t)count * 8);
  array.length = count;
  array.n_buffers = 2;
  array.buffers = (const void **)malloc(2 * sizeof(void *));
  array.buffers[0] = NULL;
  array.buffers[1] = copy;
  array.release = release_array;
  return array;
}

// A struct of columns, which it takes over.
static inline struct ArrowArray table(struct ArrowArray *columns, int64_t count, int64_t rows) {
  struct ArrowArray array;
  memset(&array, 0, sizeof array);
  array.length = rows;
  array.n_buffers = 1;
  array.buffers = (const void **)calloc(1, sizeof(void *));
  array.n_children = count;
  array.children = (struct ArrowArray **)malloc((size_t)(count > 0 ? count : 1) * sizeof(struct ArrowArray *));
  for (int64_t i = 0; i < count; i++) {
    array.children[i] = (struct ArrowArray *)malloc(sizeof(struct ArrowArray));
    *array.children[i] = columns[i];
  }
  array.release = release_array;
  return array;
}

static void release_schema(struct ArrowSchema *schema) {
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  schema->release = NULL;
}

// The schema of a column; format and name are constants of the program.
static inline struct ArrowSchema column_schema(const char *format, const char *name) {
  struct ArrowSchema schema;
  memset(&schema, 0, sizeof schema);
  schema.format = format;
  schema.name = name;
  schema.flags = ARROW_FLAG_NULLABLE;
  schema.release = release_schema;
  return schema;
}

// The schema of a struct of columns, which it takes over.
static inline struct ArrowSchema table_schema(struct ArrowSchema *columns, int64_t count) {
  struct ArrowSchema schema = column_schema("+s", "");
  schema.n_children = count;
  schema.children = (struct ArrowSchema **)malloc((size_t)(count > 0 ? count : 1) * sizeof(struct ArrowSchema *));
  for (int64_t i = 0; i < count; i++) {
    schema.children[i] = (struct ArrowSchema *)malloc(sizeof(struct ArrowSchema));
    *schema.children[i] = columns[i];
  }
  return schema;
}

#endif
