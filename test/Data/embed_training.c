/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * The data library from C: trains the hand-made model for some steps, stops, goes on in a second session from
 * the checkpoint, and compares with a straight run. embed_training ARTIFACT DATA FOLDER; prints "ok".
 */
#include "runtime/data/dlc_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { batch = 64, pixels = 784, weights = 7840 };

static dlc_status_t status;

static void check(dlc_code_t code) {
  if (code == DLC_OK)
    return;
  fprintf(stderr, "%s\n", status.message);
  exit(1);
}

static void expect(int condition, const char *what) {
  if (condition)
    return;
  fprintf(stderr, "expected %s\n", what);
  exit(1);
}

static void train(dlc_artifact_t *artifact, dlc_session_t *session, dlc_data_set_t *rows,
                  dlc_data_batcher_t *batches, int steps) {
  static float images[batch * pixels];
  static int32_t labels[batch];
  int32_t entry = dlc_artifact_entry_find(artifact, "step");
  for (int i = 0; i < steps; ++i) {
    const int64_t *indices;
    int64_t count = dlc_data_batcher_next(batches, &indices);
    check(dlc_data_set_read(rows, dlc_data_set_column_find(rows, "image"), indices, count, images, &status));
    check(dlc_data_set_read(rows, dlc_data_set_column_find(rows, "label"), indices, count, labels, &status));
    dlc_tensor_t arguments[2] = {{images, DLC_F32, 4, {count, 1, 28, 28}}, {labels, DLC_I32, 1, {count}}};
    float loss, accuracy;
    dlc_tensor_t results[2] = {{&loss, DLC_F32, 0, {0}}, {&accuracy, DLC_F32, 0, {0}}};
    check(dlc_session_run(session, entry, arguments, 2, results, 2, &status));
  }
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 1;
  char path[1024], weights_path[1024];
  snprintf(path, sizeof path, "%s/c.checkpoint.safetensors", argv[3]);
  snprintf(weights_path, sizeof weights_path, "%s/c.safetensors", argv[3]);

  dlc_artifact_t *artifact;
  check(dlc_artifact_load_file(argv[1], NULL, &artifact, &status));
  dlc_data_set_t *rows;
  check(dlc_data_set_open("mnist", argv[2], "train", &rows, &status));
  expect(dlc_data_set_column_count(rows) == 2, "two columns");
  dlc_data_column_t column;
  check(dlc_data_set_column(rows, 0, &column, &status));
  expect(!strcmp(column.name, "image") && column.row_bytes == 4 * pixels && column.rank == 3,
         "images of 28 x 28 f32");

  dlc_session_t *sessions[2];
  dlc_data_batcher_t *batches[2];
  for (int i = 0; i < 2; ++i) {
    check(dlc_session_create(artifact, NULL, &sessions[i], &status));
    check(dlc_session_seed_set(sessions[i], 5, &status));
    check(dlc_session_initialize(sessions[i], &status));
    check(dlc_data_batcher_create(dlc_data_set_size(rows), batch, 5, 1, &batches[i], &status));
  }
  train(artifact, sessions[0], rows, batches[0], 4);
  dlc_data_training_t training = {4, dlc_data_batcher_position(batches[0]), 5, batch, rows};
  check(dlc_data_checkpoint_save(artifact, sessions[0], &training, path, &status));
  train(artifact, sessions[0], rows, batches[0], 4);

  check(dlc_data_checkpoint_load(artifact, sessions[1], path, &training, &status));
  expect(training.step == 4 && training.seed == 5 && training.batch == batch, "the saved training");
  check(dlc_data_batcher_restore(batches[1], training.position, &status));
  train(artifact, sessions[1], rows, batches[1], 4);

  static float straight[weights], resumed[weights];
  int32_t state = dlc_artifact_state_find(artifact, "fc.weight");
  check(dlc_session_state_read(sessions[0], state, straight, sizeof straight, &status));
  check(dlc_session_state_read(sessions[1], state, resumed, sizeof resumed, &status));
  expect(!memcmp(straight, resumed, sizeof straight), "the weights of a straight run after resuming");

  check(dlc_data_weights_save(artifact, sessions[0], rows, weights_path, &status));
  check(dlc_data_weights_load(artifact, sessions[1], weights_path, &status));
  expect(dlc_data_weights_load(artifact, sessions[1], argv[1], &status) == DLC_INVALID_ARGUMENT &&
             strstr(status.message, "not a safetensors file"),
         "an artifact to be refused as weights");
  expect(dlc_data_set_read(rows, 0, (int64_t[]){dlc_data_set_size(rows)}, 1, straight, &status) ==
             DLC_INVALID_ARGUMENT,
         "a row out of range to be refused");
  dlc_data_set_t *again;
  expect(dlc_data_set_open_source("mnist(\"x\", crop=1)", "train", NULL, &again, &status) ==
                 DLC_INVALID_ARGUMENT &&
             !strcmp(status.message,
                     "mnist has no setting crop; it has: classes, prefix, split_seed, validation"),
         "an unknown setting to be refused");

  for (int i = 0; i < 2; ++i) {
    dlc_data_batcher_release(batches[i]);
    dlc_session_release(sessions[i]);
  }
  dlc_data_set_release(rows);
  dlc_artifact_release(artifact);
  printf("ok\n");
  return 0;
}
