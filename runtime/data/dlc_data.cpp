// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dlc_data.h"

#include "runtime/data/batcher.h"
#include "runtime/data/checkpoint.h"
#include "runtime/data/dataset.h"

#include <algorithm>
#include <cstring>

using namespace dlc::data;

struct dlc_data_set {
  std::unique_ptr<DataSet> rows;
};

struct dlc_data_encodings {
  Encodings encodings;
};

struct dlc_data_batcher {
  Batcher batcher;
};

namespace {

/// Fills the caller's status; the message is cut to its size.
dlc_code_t report(const Status &result, dlc_status_t *status) {
  dlc_code_t code = result.ok() ? DLC_OK : result.fault() == Fault::input ? DLC_INVALID_ARGUMENT : DLC_IO;
  if (status) {
    status->code = code;
    size_t length = std::min(result.message().size(), sizeof status->message - 1);
    memcpy(status->message, result.message().data(), length);
    status->message[length] = '\0';
    // One line, as the runtime's messages are.
    std::replace(status->message, status->message + length, '\n', ';');
  }
  return code;
}

} // namespace

static dlc_code_t open_split(const DataSpec &spec, const Encodings &fitted, const char *split,
                             dlc_data_set_t **out_set, dlc_status_t *status) {
  *out_set = nullptr;
  Splits splits;
  if (Status opened = open_data(spec, fitted, splits); !opened.ok())
    return report(opened, status);
  auto found = splits.find(split);
  if (found == splits.end())
    return report(Status::input(std::string("the data has no split ") + split +
                                "; there is: " + join(split_names(splits))),
                  status);
  *out_set = new dlc_data_set{std::move(found->second)};
  return report({}, status);
}

dlc_code_t dlc_data_set_open(const char *loader, const char *path, const char *split,
                             dlc_data_set_t **out_set, dlc_status_t *status) {
  return open_split({loader, path, {}}, {}, split, out_set, status);
}

dlc_code_t dlc_data_set_open_source(const char *source, const char *split, const dlc_data_encodings_t *fitted,
                                    dlc_data_set_t **out_set, dlc_status_t *status) {
  *out_set = nullptr;
  DataSpec spec;
  if (Status parsed = parse_data_spec(source, spec); !parsed.ok())
    return report(parsed, status);
  return open_split(spec, fitted ? fitted->encodings : Encodings(), split, out_set, status);
}

void dlc_data_set_release(dlc_data_set_t *set) {
  delete set;
}

int64_t dlc_data_set_size(const dlc_data_set_t *set) {
  return set->rows->size();
}

int32_t dlc_data_set_column_count(const dlc_data_set_t *set) {
  return static_cast<int32_t>(set->rows->columns().size());
}

dlc_code_t dlc_data_set_column(const dlc_data_set_t *set, int32_t column, dlc_data_column_t *out_column,
                               dlc_status_t *status) {
  *out_column = {};
  int32_t count = dlc_data_set_column_count(set);
  if (column < 0 || column >= count)
    return report(Status::input(format("column %d: expected 0 to %d", column, count - 1)), status);
  const Column &info = set->rows->columns()[static_cast<size_t>(column)];
  out_column->name = info.name.c_str();
  out_column->dtype = static_cast<dlc_dtype_t>(info.type);
  out_column->rank = static_cast<int32_t>(info.shape.size());
  std::copy(info.shape.begin(), info.shape.end(), out_column->dims);
  out_column->classes = info.classes;
  out_column->row_bytes = info.row_bytes();
  return report({}, status);
}

int32_t dlc_data_set_column_find(const dlc_data_set_t *set, const char *name) {
  std::optional<size_t> index = set->rows->find(name);
  return index ? static_cast<int32_t>(*index) : -1;
}

static dlc_code_t read_rows(const dlc_data_set_t *set, int32_t column, const int64_t *rows, int64_t count,
                            const Draws *draws, void *out, dlc_status_t *status) {
  int32_t columns = dlc_data_set_column_count(set);
  if (count < 0)
    return report(
        Status::input(format("expected at least 0 rows, found %lld", static_cast<long long>(count))), status);
  if (column < 0 || column >= columns)
    return report(Status::input(format("column %d: expected 0 to %d", column, columns - 1)), status);
  for (int64_t i = 0; i < count; ++i)
    if (rows[i] < 0 || rows[i] >= set->rows->size())
      return report(Status::input(format("row %lld: expected 0 to %lld", static_cast<long long>(rows[i]),
                                         static_cast<long long>(set->rows->size() - 1))),
                    status);
  return report(set->rows->read(static_cast<size_t>(column), {rows, static_cast<size_t>(count)}, out, draws),
                status);
}

dlc_code_t dlc_data_set_read(const dlc_data_set_t *set, int32_t column, const int64_t *rows, int64_t count,
                             void *out, dlc_status_t *status) {
  return read_rows(set, column, rows, count, nullptr, out, status);
}

dlc_code_t dlc_data_set_read_drawn(const dlc_data_set_t *set, int32_t column, const int64_t *rows,
                                   int64_t count, uint64_t seed, int64_t epoch, void *out,
                                   dlc_status_t *status) {
  Draws draws = {seed, epoch};
  return read_rows(set, column, rows, count, &draws, out, status);
}

dlc_code_t dlc_data_encodings_load(const char *path, dlc_data_encodings_t **out_encodings,
                                   dlc_status_t *status) {
  *out_encodings = nullptr;
  Encodings encodings;
  if (Status loaded = load_encodings(path, encodings); !loaded.ok())
    return report(loaded, status);
  *out_encodings = new dlc_data_encodings{std::move(encodings)};
  return report({}, status);
}

void dlc_data_encodings_release(dlc_data_encodings_t *encodings) {
  delete encodings;
}

static Status the_vocabulary(const dlc_data_encodings_t *encodings, const Vocabulary *&out_vocabulary) {
  out_vocabulary = find_vocabulary(encodings->encodings);
  return out_vocabulary ? Status()
                        : Status::input("expected encodings with one vocabulary, found none or several");
}

dlc_code_t dlc_data_text_encode(const dlc_data_encodings_t *encodings, const char *text, size_t bytes,
                                int32_t *tokens, int64_t capacity, int64_t *out_count, dlc_status_t *status) {
  *out_count = 0;
  const Vocabulary *vocabulary = nullptr;
  std::vector<int32_t> ids;
  Status result = the_vocabulary(encodings, vocabulary);
  if (result.ok())
    result = vocabulary->encode({text, bytes}, ids);
  *out_count = static_cast<int64_t>(ids.size());
  std::copy_n(ids.begin(), std::clamp<int64_t>(capacity, 0, *out_count), tokens);
  return report(result, status);
}

dlc_code_t dlc_data_text_decode(const dlc_data_encodings_t *encodings, const int32_t *tokens, int64_t count,
                                char *text, size_t capacity, size_t *out_bytes, dlc_status_t *status) {
  *out_bytes = 0;
  const Vocabulary *vocabulary = nullptr;
  std::string decoded;
  Status result = the_vocabulary(encodings, vocabulary);
  if (result.ok())
    result = vocabulary->decode({tokens, static_cast<size_t>(std::max<int64_t>(count, 0))}, decoded);
  *out_bytes = decoded.size();
  // With the zero byte behind it.
  memcpy(text, decoded.c_str(), std::min(capacity, decoded.size() + 1));
  return report(result, status);
}

const char *dlc_data_class_name(const dlc_data_encodings_t *encodings, const char *column, int64_t index) {
  auto found = encodings->encodings.find(column);
  bool known = found != encodings->encodings.end() && index >= 0 &&
               index < static_cast<int64_t>(found->second->classes.size());
  return known ? found->second->classes[static_cast<size_t>(index)].c_str() : nullptr;
}

dlc_code_t dlc_data_batcher_create(int64_t rows, int64_t batch, uint64_t seed, int shuffle,
                                   dlc_data_batcher_t **out_batcher, dlc_status_t *status) {
  *out_batcher = nullptr;
  constexpr int64_t most = int64_t{1} << 40;
  if (rows < 1 || batch < 1 || rows > most)
    return report(
        Status::input(format("expected 1 to 2^40 rows, and at least 1 in a batch, found %lld and %lld",
                             static_cast<long long>(rows), static_cast<long long>(batch))),
        status);
  *out_batcher = new dlc_data_batcher{Batcher(rows, batch, seed, shuffle != 0)};
  return report({}, status);
}

void dlc_data_batcher_release(dlc_data_batcher_t *batcher) {
  delete batcher;
}

int64_t dlc_data_batcher_next(dlc_data_batcher_t *batcher, const int64_t **out_rows) {
  std::span<const int64_t> rows = batcher->batcher.next();
  *out_rows = rows.data();
  return static_cast<int64_t>(rows.size());
}

dlc_data_position_t dlc_data_batcher_position(const dlc_data_batcher_t *batcher) {
  Position position = batcher->batcher.position();
  return {position.epoch, position.row};
}

dlc_code_t dlc_data_batcher_restore(dlc_data_batcher_t *batcher, dlc_data_position_t position,
                                    dlc_status_t *status) {
  return report(batcher->batcher.restore({position.epoch, position.row}), status);
}

static Encodings encodings_of(const dlc_data_set_t *set) {
  return set ? set->rows->encodings() : Encodings();
}

dlc_code_t dlc_data_weights_save(const dlc_artifact_t *artifact, dlc_session_t *session,
                                 const dlc_data_set_t *rows, const char *path, dlc_status_t *status) {
  return report(save_weights(artifact, session, encodings_of(rows), path), status);
}

dlc_code_t dlc_data_weights_load(const dlc_artifact_t *artifact, dlc_session_t *session, const char *path,
                                 dlc_status_t *status) {
  return report(load_weights(artifact, session, path), status);
}

dlc_code_t dlc_data_checkpoint_save(const dlc_artifact_t *artifact, dlc_session_t *session,
                                    const dlc_data_training_t *training, const char *path,
                                    dlc_status_t *status) {
  TrainingState state;
  state.step = training->step;
  state.data_seed = training->seed;
  state.sums_epoch = training->position.epoch;
  state.streams[0].position = {training->position.epoch, training->position.row};
  state.streams[0].batch = training->batch;
  state.encodings = encodings_of(training->rows);
  return report(save_checkpoint(artifact, session, state, path), status);
}

dlc_code_t dlc_data_checkpoint_load(const dlc_artifact_t *artifact, dlc_session_t *session, const char *path,
                                    dlc_data_training_t *out_training, dlc_status_t *status) {
  TrainingState state;
  *out_training = {};
  if (Status loaded = load_checkpoint(artifact, session, path, state); !loaded.ok())
    return report(loaded, status);
  const dlc::data::BatchStream &stream = state.streams[0];
  *out_training = {
      state.step, {stream.position.epoch, stream.position.row}, state.data_seed, stream.batch, nullptr};
  return report({}, status);
}
