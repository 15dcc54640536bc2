/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Embedding dlc in a C program: load a compiled model, train it a little on data in memory, infer from two
 * threads at once, save the weights. It needs the C library and libdlc_runtime.so, nothing else.
 *
 * From the root of the tree, after a build:
 *
 *   build/bin/dlc compile models/mnist/mnist.dl -o mnist.dla
 *   cc tools/examples/embed.c -I. -Lbuild/lib -ldlc_runtime -lpthread -Wl,-rpath,$PWD/build/lib -o embed
 *   ./embed mnist.dla weights.safetensors
 */
#include "runtime/dlc_runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10, STEPS = 30 };

/* Every fallible call fills a status. An application would pass it on; an example stops. */
static void check(dlc_code_t code, const dlc_status_t *status) {
  if (code == DLC_OK)
    return;
  fprintf(stderr, "embed: %s: %s\n", dlc_code_name(code), status->message);
  exit(1);
}

/* A tensor is a pointer and a shape: row-major, dense, owned by the caller. */
static dlc_tensor_t images(float *data, int64_t count) {
  return (dlc_tensor_t){data, DLC_F32, 4, {count, 1, SIDE, SIDE}};
}
static dlc_tensor_t labels(int32_t *data, int64_t count) {
  return (dlc_tensor_t){data, DLC_I32, 1, {count}};
}
static dlc_tensor_t scores(float *data, int64_t count) {
  return (dlc_tensor_t){data, DLC_F32, 2, {count, CLASSES}};
}
static dlc_tensor_t number(float *data) {
  return (dlc_tensor_t){data, DLC_F32, 0, {0}};
}

/* Data that a program might have in memory: class c is a bright bar at a height that c decides, on a noisy
 * ground. */
static void draw(uint32_t seed, float *image /* (BATCH, 1, SIDE, SIDE) */, int32_t *label /* (BATCH) */) {
  uint32_t state = seed * 2654435761u + 1;
  for (int i = 0; i < BATCH; ++i) {
    label[i] = (int32_t)((seed + (uint32_t)i) % CLASSES);
    for (int p = 0; p < PIXELS; ++p) {
      state = state * 1664525u + 1013904223u;
      float noise = (float)(state >> 8) * (0.3f / (1 << 24));
      int row = p / SIDE;
      image[i * PIXELS + p] = noise + (row / 2 == label[i] + 2 ? 0.7f : 0.0f);
    }
  }
}

static void train(dlc_session_t *session, int32_t step) {
  static float image[BATCH * PIXELS], loss, accuracy;
  static int32_t label[BATCH];
  dlc_tensor_t inputs[] = {images(image, BATCH), labels(label, BATCH)};
  dlc_tensor_t reports[] = {number(&loss), number(&accuracy)};
  dlc_status_t status;

  /* Preparing allocates all that the runs need; running allocates nothing. */
  dlc_prepared_t *prepared;
  int64_t dims[] = {BATCH}; /* the model's symbolic dimension n */
  check(dlc_session_prepare(session, step, dims, 1, &prepared, &status), &status);
  float first = 0;
  for (uint32_t i = 0; i < STEPS; ++i) {
    draw(i, image, label);
    check(dlc_prepared_run(prepared, inputs, 2, reports, 2, &status), &status);
    first = i == 0 ? loss : first;
  }
  printf("trained %d steps: loss %.3f, then %.3f\n", STEPS, first, loss);
  if (!(loss < first)) {
    fprintf(stderr, "embed: the loss did not fall\n");
    exit(1);
  }
}

/* One thread of an application: its own session, which reads the weights of the one that trained. */
struct worker {
  dlc_session_t *session;
  int32_t entry;
  uint32_t seed;
  int right;
  float probabilities[BATCH * CLASSES];
};

static void *infer(void *argument) {
  struct worker *worker = argument;
  float *image = malloc(sizeof(float) * BATCH * PIXELS);
  int32_t label[BATCH];
  dlc_tensor_t input = images(image, BATCH), output = scores(worker->probabilities, BATCH);
  dlc_status_t status;
  draw(worker->seed, image, label);
  for (int repeat = 0; repeat < 5; ++repeat)
    check(dlc_session_run(worker->session, worker->entry, &input, 1, &output, 1, &status), &status);
  for (int i = 0; i < BATCH; ++i) {
    int best = 0;
    for (int c = 1; c < CLASSES; ++c)
      if (worker->probabilities[i * CLASSES + c] > worker->probabilities[i * CLASSES + best])
        best = c;
    worker->right += best == label[i];
  }
  free(image);
  return NULL;
}

static void infer_from_two_threads(dlc_artifact_t *artifact, dlc_session_t *owner) {
  static struct worker workers[2];
  pthread_t threads[2];
  dlc_session_options_t options = {.threads = 1, .share_states = owner};
  dlc_status_t status;
  for (int i = 0; i < 2; ++i) {
    workers[i].entry = dlc_artifact_entry_find(artifact, "predict");
    workers[i].seed = 1000; /* the same images: both must give the same bits */
    check(dlc_session_create(artifact, &options, &workers[i].session, &status), &status);
  }
  for (int i = 0; i < 2; ++i)
    if (pthread_create(&threads[i], NULL, infer, &workers[i]) != 0)
      exit(1);
  for (int i = 0; i < 2; ++i) {
    pthread_join(threads[i], NULL);
    dlc_session_release(workers[i].session);
  }
  printf("inferred from two threads: %d and %d of %d right\n", workers[0].right, workers[1].right, BATCH);
  if (memcmp(workers[0].probabilities, workers[1].probabilities, sizeof(workers[0].probabilities)) != 0) {
    fprintf(stderr, "embed: the two threads disagree\n");
    exit(1);
  }
}

/*
 * Weights as a safetensors file, which PyTorch's users can load: the length of a JSON header in 8 bytes, the
 * header, the data. Parameters and buffers carry PyTorch's names and shapes. (Little-endian machines; the f32
 * that mnist has.)
 */
static void save(const dlc_artifact_t *artifact, dlc_session_t *session, const char *path) {
  dlc_artifact_info_t info;
  dlc_artifact_info(artifact, &info);
  size_t header_room = 64 + 256 * (size_t)info.state_count, length = 0;
  char *header = malloc(header_room);
  unsigned long long offset = 0;
  dlc_state_info_t state;
  dlc_status_t status;

  /* 1. The header: where each tensor lies. */
  length += (size_t)snprintf(header, header_room, "{");
  for (int32_t i = 0; i < info.state_count; ++i) {
    check(dlc_artifact_state(artifact, i, &state, &status), &status);
    if ((state.role != DLC_STATE_PARAMETER && state.role != DLC_STATE_BUFFER) || strlen(state.name) > 100)
      continue;
    length += (size_t)snprintf(header + length, header_room - length,
                               "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", offset ? "," : "", state.name);
    for (int32_t axis = 0; axis < state.rank; ++axis)
      length += (size_t)snprintf(header + length, header_room - length, axis ? ",%lld" : "%lld",
                                 (long long)state.dims[axis]);
    unsigned long long size = (unsigned long long)state.element_count * sizeof(float);
    length += (size_t)snprintf(header + length, header_room - length, "],\"data_offsets\":[%llu,%llu]}",
                               offset, offset + size);
    offset += size;
  }
  length += (size_t)snprintf(header + length, header_room - length, "}");

  /* 2. The file. A program that must not lose weights writes aside and renames. */
  FILE *file = fopen(path, "wb");
  uint64_t header_length = length;
  int ok = file && fwrite(&header_length, 8, 1, file) == 1 && fwrite(header, 1, length, file) == length;
  for (int32_t i = 0; ok && i < info.state_count; ++i) {
    check(dlc_artifact_state(artifact, i, &state, &status), &status);
    if ((state.role != DLC_STATE_PARAMETER && state.role != DLC_STATE_BUFFER) || strlen(state.name) > 100)
      continue;
    size_t size = (size_t)state.element_count * sizeof(float);
    float *data = malloc(size ? size : 1);
    check(dlc_session_state_read(session, i, data, size, &status), &status);
    ok = fwrite(data, 1, size, file) == size;
    free(data);
  }
  free(header);
  if (!file || fclose(file) != 0 || !ok) {
    fprintf(stderr, "embed: cannot write %s\n", path);
    exit(2);
  }
  printf("saved %s\n", path);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: embed mnist.dla weights.safetensors\n");
    return 1;
  }
  dlc_status_t status;
  dlc_artifact_t *artifact;
  check(dlc_artifact_load_file(argv[1], NULL, &artifact, &status), &status);

  dlc_session_options_t options = {.threads = 2};
  dlc_session_t *session;
  check(dlc_session_create(artifact, &options, &session, &status), &status);
  check(dlc_session_seed_set(session, 42, &status), &status);
  check(dlc_session_initialize(session, &status), &status);
  check(dlc_session_hyperparameter_set(session, "lr", 2e-3, &status), &status);

  train(session, dlc_artifact_entry_find(artifact, "step"));
  infer_from_two_threads(artifact, session);
  save(artifact, session, argv[2]);

  dlc_session_release(session);
  dlc_artifact_release(artifact);
  return 0;
}
