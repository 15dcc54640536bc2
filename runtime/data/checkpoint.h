// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights and checkpoints: what a session keeps, in safetensors files.
//
// A weights file holds the parameters and buffers under their plain names, which are PyTorch's: its
// load_state_dict(strict=True) accepts the file, and load_weights accepts what safetensors.torch.save_file
// wrote.
//
// A checkpoint holds the same, and every other state (optimizer moments, iteration, hyperparameters, seed,
// metric accumulators) under "dlc/" + its name, and in __metadata__ the position in the data. One file,
// replaced as a whole: a run that continues from it gives the bits of a run that never stopped.
//
// Both hold in __metadata__ how the data was encoded (vocabularies, classes, standardisation: encoding.h).
#ifndef DLC_RUNTIME_DATA_CHECKPOINT_H
#define DLC_RUNTIME_DATA_CHECKPOINT_H

#include "runtime/data/batcher.h"
#include "runtime/data/encoding.h"
#include "runtime/dlc_runtime.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dlc::data {

/// A source of batches: a train entry and where it stands in its split.
struct BatchStream {
  std::string entry;
  Position position;
  int64_t batch = 0; ///< Rows in a batch.
  /// What the entry reported in the current epoch so far: the sum of value times rows, by name, and the rows.
  /// An entry with several streams has them in its first.
  std::map<std::string, double> sums;
  int64_t sum_rows = 0;
};

/// What a training knows of its evaluations that looks for the best.
struct BestEvaluation {
  std::string figure;            ///< "min:test.loss"
  double value = 0;              ///< The best so far,
  int64_t step = -1;             ///< after this step; -1: none yet.
  int64_t evaluated = -1;        ///< The step of the last evaluation.
  int64_t evaluations_since = 0; ///< Evaluations that brought nothing better.
  int64_t patience = 0;          ///< How many of these end the training; 0: none.
};

/// What a checkpoint knows besides the session's states.
struct TrainingState {
  int64_t step = 0;       ///< Completed steps.
  uint64_t data_seed = 0; ///< Of the shuffling.
  int64_t sums_epoch = 0; ///< The epoch that the sums belong to.
  /// At least one; the first one's epochs are the training's.
  std::vector<BatchStream> streams = std::vector<BatchStream>(1);
  Encodings encodings = {}; ///< Of the data.
  std::optional<BestEvaluation> best;
};

/// Both write path, whole or not at all.
Status save_weights(const dlc_artifact_t *artifact, dlc_session_t *session, const Encodings &encodings,
                    const std::string &path);
Status save_checkpoint(const dlc_artifact_t *artifact, dlc_session_t *session, const TrainingState &training,
                       const std::string &path);

/// Loads the parameters and buffers out of a weights file or a checkpoint. When names, shapes or types
/// differ, nothing is loaded, and one message lists all the differences. bf16 and f16 elements widen to f32.
/// out_encodings, where it is asked for, gets those of the data that the weights were trained on; none when
/// the file, such as one of PyTorch's, has none.
Status load_weights(const dlc_artifact_t *artifact, dlc_session_t *session, const std::string &path,
                    Encodings *out_encodings = nullptr);

/// What load_fitting_weights did: a tensor each, with its type.
struct LoadReport {
  std::vector<std::string> taken;
  int64_t taken_elements = 0;
  std::vector<std::string> missing;   ///< The file has none of this name: it keeps its value.
  std::vector<std::string> differing; ///< "head.weight: expected f32[10, 4], found f32[5, 4]": the same.
  std::vector<std::string> unused;    ///< Only the file has it.
};

/// Loads those parameters and buffers whose names, shapes and types fit, as for a fine-tuning with a new
/// head. Nothing that fits is an error, with the list of differences. Of the encodings the vocabularies are
/// taken, whose tokens an embedding knows by their numbers; labels and features may be others.
Status load_fitting_weights(const dlc_artifact_t *artifact, dlc_session_t *session, const std::string &path,
                            LoadReport &out_report, Encodings &out_vocabularies);

/// The encodings alone, of a weights file or a checkpoint.
Status load_encodings(const std::string &path, Encodings &out_encodings);

/// Loads everything. A file that is not a checkpoint, or of another model, is an input error.
Status load_checkpoint(const dlc_artifact_t *artifact, dlc_session_t *session, const std::string &path,
                       TrainingState &out_training);

/// Where the checkpoint of a run that saves its weights to path lies: beside it, "m.safetensors" ->
/// "m.checkpoint.safetensors".
std::string checkpoint_path(const std::string &path);
/// The weights that a checkpoint of that name lies beside; empty when no weights have such a checkpoint.
std::string weights_path(const std::string &checkpoint);

/// The runtime's status as ours: what the caller asked wrongly, what the machine could not do.
Status from_runtime(const dlc_status_t &status);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_CHECKPOINT_H
