// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The data library from C: data sets, batches, weights and checkpoints for applications that train. Link
// libdlc_data.a, libdlc_runtime.so, -lturbojpeg -lzip -lpng -lz -lm -lpthread and the C++ library.
//
//   dlc_data_set_t *rows;        dlc_data_set_open("mnist", "models/data/mnist", "train", &rows, &st);
//   dlc_data_batcher_t *batches;
//   dlc_data_batcher_create(dlc_data_set_size(rows), 64, seed, 1, &batches, &st);
//   while (...) {
//     const int64_t *indices;  int64_t count = dlc_data_batcher_next(batches, &indices);
//     dlc_data_set_read(rows, image_column, indices, count, images, &st);  ...  dlc_session_run(...)
//   }
//   dlc_data_weights_save(artifact, session, rows, "mnist.safetensors", &st);
//
// THREADS: a data set may be read by several threads at once; a batcher belongs to one thread at a time;
// saving and loading use the session as dlc_runtime.h says. ERRORS: as in dlc_runtime.h: a code, and a
// message in the caller's status. What the user gave wrongly (a missing or damaged file, weights that do not
// fit) is DLC_INVALID_ARGUMENT, what the machine could not do is DLC_IO.

#ifndef DLC_DATA_H
#define DLC_DATA_H

#include "runtime/dlc_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

//===- data sets ----------------------------------------------------------------------------------------===//

// One split of a data source: rows with named columns.
typedef struct dlc_data_set dlc_data_set_t;

// What the numbers of columns stand for: vocabularies, names of classes, standardisation.
typedef struct dlc_data_encodings dlc_data_encodings_t;

// Opens and checks the files of a loader ("mnist") and takes one of its splits ("train", "test").
DLC_API dlc_code_t dlc_data_set_open(const char *loader, const char *path, const char *split,
                                     dlc_data_set_t **out_set, dlc_status_t *status);
// The same of a source with settings, as a fit block has it: images("pictures.zip", crop=4). README.md lists
// loaders and settings. fitted, unless NULL: encode as the weights' data was, not as this source would teach.
DLC_API dlc_code_t dlc_data_set_open_source(const char *source, const char *split,
                                            const dlc_data_encodings_t *fitted, dlc_data_set_t **out_set,
                                            dlc_status_t *status);
DLC_API void dlc_data_set_release(dlc_data_set_t *set);
DLC_API int64_t dlc_data_set_size(const dlc_data_set_t *set); // rows
DLC_API int32_t dlc_data_set_column_count(const dlc_data_set_t *set);

typedef struct dlc_data_column {
  const char *name; // belongs to the set
  dlc_dtype_t dtype;
  int32_t rank; // of one row; a batch of n rows is [n, dims...]
  int64_t dims[DLC_MAX_RANK];
  int64_t classes;   // labels: how many; otherwise 0
  int64_t row_bytes; // of one row
} dlc_data_column_t;
DLC_API dlc_code_t dlc_data_set_column(const dlc_data_set_t *set, int32_t column,
                                       dlc_data_column_t *out_column, dlc_status_t *status);
// The index of the column of this name, or -1.
DLC_API int32_t dlc_data_set_column_find(const dlc_data_set_t *set, const char *name);
// Copies rows of a column into count * row_bytes bytes.
DLC_API dlc_code_t dlc_data_set_read(const dlc_data_set_t *set, int32_t column, const int64_t *rows,
                                     int64_t count, void *out, dlc_status_t *status);
// The same for training: with the augmentation and the random windows of this seed and epoch (counted from
// 0), which are functions of seed, epoch and row alone (dataset.h has the formula).
DLC_API dlc_code_t dlc_data_set_read_drawn(const dlc_data_set_t *set, int32_t column, const int64_t *rows,
                                           int64_t count, uint64_t seed, int64_t epoch, void *out,
                                           dlc_status_t *status);

//===- encodings ----------------------------------------------------------------------------------------===//

// Those that a weights file or a checkpoint holds; none when it was saved without a data set, or by PyTorch.
DLC_API dlc_code_t dlc_data_encodings_load(const char *path, dlc_data_encodings_t **out_encodings,
                                           dlc_status_t *status);
DLC_API void dlc_data_encodings_release(dlc_data_encodings_t *encodings);
// UTF-8 text to tokens by the vocabulary, and back; both fail when the encodings have none, or several. They
// write what there is room for and always say how much there is; text gets a final zero byte, which out_bytes
// does not count, if it fits.
DLC_API dlc_code_t dlc_data_text_encode(const dlc_data_encodings_t *encodings, const char *text, size_t bytes,
                                        int32_t *tokens, int64_t capacity, int64_t *out_count,
                                        dlc_status_t *status);
DLC_API dlc_code_t dlc_data_text_decode(const dlc_data_encodings_t *encodings, const int32_t *tokens,
                                        int64_t count, char *text, size_t capacity, size_t *out_bytes,
                                        dlc_status_t *status);
// The name of a class of a column ("label"), which belongs to the encodings; NULL when there is none.
DLC_API const char *dlc_data_class_name(const dlc_data_encodings_t *encodings, const char *column,
                                        int64_t index);

//===- batches ------------------------------------------------------------------------------------------===//

// Cuts the rows of a set into batches, in a seeded order that is another one every epoch (batcher.h documents
// it). The last batch of an epoch has what is left.
typedef struct dlc_data_batcher dlc_data_batcher_t;

// Where a batcher stands: completed epochs, and rows of the current one that have been used.
typedef struct dlc_data_position {
  int64_t epoch, row;
} dlc_data_position_t;

DLC_API dlc_code_t dlc_data_batcher_create(int64_t rows, int64_t batch, uint64_t seed, int shuffle,
                                           dlc_data_batcher_t **out_batcher, dlc_status_t *status);
DLC_API void dlc_data_batcher_release(dlc_data_batcher_t *batcher);
// The rows of the next batch, valid until the next call; returns how many.
DLC_API int64_t dlc_data_batcher_next(dlc_data_batcher_t *batcher, const int64_t **out_rows);
DLC_API dlc_data_position_t dlc_data_batcher_position(const dlc_data_batcher_t *batcher);
DLC_API dlc_code_t dlc_data_batcher_restore(dlc_data_batcher_t *batcher, dlc_data_position_t position,
                                            dlc_status_t *status);

//===- weights and checkpoints --------------------------------------------------------------------------===//

// Parameters and buffers as safetensors under PyTorch's names. The file is replaced as a whole. rows, unless
// NULL: what was trained on, whose encodings the file shall hold.
DLC_API dlc_code_t dlc_data_weights_save(const dlc_artifact_t *artifact, dlc_session_t *session,
                                         const dlc_data_set_t *rows, const char *path, dlc_status_t *status);
// From a weights file or a checkpoint. Nothing is loaded unless everything fits; the status then has the
// beginning of the list of differences.
DLC_API dlc_code_t dlc_data_weights_load(const dlc_artifact_t *artifact, dlc_session_t *session,
                                         const char *path, dlc_status_t *status);

// What a checkpoint keeps besides the session's states.
typedef struct dlc_data_training {
  int64_t step; // completed steps
  dlc_data_position_t position;
  uint64_t seed; // of the batcher
  int64_t batch; // rows in a batch
  // Saving: unless NULL, what is trained on, whose encodings the file shall hold. Loading sets it to NULL.
  const dlc_data_set_t *rows;
} dlc_data_training_t;
// Every state of the session, and the training's position. dlc train --resume takes the file too.
DLC_API dlc_code_t dlc_data_checkpoint_save(const dlc_artifact_t *artifact, dlc_session_t *session,
                                            const dlc_data_training_t *training, const char *path,
                                            dlc_status_t *status);
DLC_API dlc_code_t dlc_data_checkpoint_load(const dlc_artifact_t *artifact, dlc_session_t *session,
                                            const char *path, dlc_data_training_t *out_training,
                                            dlc_status_t *status);

#ifdef __cplusplus
}
#endif

#endif // DLC_DATA_H
