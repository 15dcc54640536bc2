// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc eval: the reports of the eval entries over their splits, and samples as pictures.
#include "tools/cli/evaluation.h"
#include "tools/cli/picture.h"
#include "tools/cli/rows.h"
#include "tools/cli/verbs.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <numeric>

namespace dlc::cli {

using data::format;
using data::Status;

namespace {

/// The index of the largest of count values; the first of equals.
int64_t largest(const dlc_tensor_t &tensor, int64_t row, int64_t count) {
  int64_t best = 0;
  for (int64_t i = 1; i < count; ++i)
    if (element_value(static_cast<data::DataType>(tensor.dtype), tensor.data, row * count + i) >
        element_value(static_cast<data::DataType>(tensor.dtype), tensor.data, row * count + best))
      best = i;
  return best;
}

/// Whether the first result is [n, classes], with as many classes as the data has labels (where it says).
bool returns_classes(const Artifact &artifact, const Entry &entry, const data::DataSet &rows) {
  if (entry.results.empty() || entry.results[0].dims.size() != 2)
    return false;
  std::optional<size_t> label = rows.find("label");
  int64_t expected = label ? rows.columns()[*label].classes : 0, width = 0;
  std::vector<int64_t> sizes(entry.symbols.size(), 1);
  dlc_status_t status;
  return dlc_expression_evaluate(artifact.handle(), entry.results[0].dims[1], entry.index, sizes.data(),
                                 &width, &status) == DLC_OK &&
         (expected == 0 || width == expected);
}

/// The infer entry that classifies rows of this data: all its arguments are columns, its first result is [n,
/// classes].
const Entry *find_classifier(const Artifact &artifact, const data::DataSet &rows) {
  for (const Entry &entry : artifact.entries())
    if (entry.kind == DLC_ENTRY_INFER && returns_classes(artifact, entry, rows) &&
        Feed().bind(entry, rows).ok())
      return &entry;
  return nullptr;
}

/// The class of each row.
Status classify(const Artifact &artifact, dlc_session_t *session, const Entry &entry,
                const data::DataSet &rows, const std::vector<int64_t> &indices,
                std::vector<int64_t> &out_classes) {
  EntryRunner runner(artifact, session, entry);
  Batching batching;
  DLC_DATA_TRY(choose_batching(artifact, entry, rows, {}, static_cast<int64_t>(indices.size()), Rest::filled,
                               batching));
  return run_rows(artifact, runner, rows, indices, batching.batch, [&](int64_t, int64_t count) {
    const dlc_tensor_t &result = runner.results()[0];
    for (int64_t i = 0; i < count; ++i)
      out_classes.push_back(largest(result, i, result.dims[1]));
    return Status();
  });
}

/// Shows the first count rows: the picture, the predicted class, the label.
Status show(const Artifact &artifact, dlc_session_t *session, const data::DataSet &rows, int64_t count,
            bool json) {
  std::optional<size_t> image, label;
  for (size_t i = 0; i < rows.columns().size(); ++i) {
    const data::Column &column = rows.columns()[i];
    // [1, h, w] or [h, w]: grey
    bool grey = column.type == data::DataType::f32 &&
                (column.shape.size() == 2 || (column.shape.size() == 3 && column.shape[0] == 1));
    if (grey && !image)
      image = i;
    if (column.classes > 0 && column.type == data::DataType::i32 && !label)
      label = i;
  }
  const Entry *entry = find_classifier(artifact, rows);
  if (!image || !entry)
    return Status::input(!image
                             ? "--show: the data has no column of grey images"
                             : "--show: the model has no infer entry that classifies the rows of the data");
  std::vector<int64_t> indices(static_cast<size_t>(std::min(count, rows.size())));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  std::vector<int64_t> predictions;
  DLC_DATA_TRY(classify(artifact, session, *entry, rows, indices, predictions));

  const data::Column &column = rows.columns()[*image];
  int64_t height = column.shape[column.shape.size() - 2], width = column.shape.back();
  std::vector<Picture> pictures;
  for (size_t i = 0; i < indices.size(); ++i) {
    Picture picture = {height, width, std::vector<float>(static_cast<size_t>(height * width)), ""};
    DLC_DATA_TRY(rows.read(*image, std::span(&indices[i], 1), picture.pixels.data()));
    int64_t predicted = predictions[i];
    int32_t truth = -1;
    if (label)
      DLC_DATA_TRY(rows.read(*label, std::span(&indices[i], 1), &truth));
    if (json) {
      JsonLine line("sample");
      line.add("row", indices[i]).add("predicted", predicted);
      if (label)
        line.add("label", int64_t{truth});
      line.print();
    }
    picture.caption = format("predicted %" PRId64, predicted);
    if (label)
      picture.caption += format(", is %d%s", truth, predicted == truth ? "" : " (!)");
    pictures.push_back(std::move(picture));
  }
  if (!json)
    printf("%s", draw_pictures(pictures, terminal_width(), on_terminal()).c_str());
  return {};
}

} // namespace

Status eval(const Artifact &artifact, const Options &options) {
  std::vector<Turn> turns;
  DLC_DATA_TRY(artifact.choose_turns(DLC_ENTRY_EVAL, options.entry, turns));
  SessionHandle session;
  NumericsCheck numerics(artifact);
  bool checks_numerics = false;
  DLC_DATA_TRY(numerics.open(options, checks_numerics));
  dlc_observer_t observer = numerics.observer();
  DLC_DATA_TRY(create_session(artifact, options, session, checks_numerics ? &observer : nullptr));
  DLC_DATA_TRY(set_hyperparameters(artifact, options, session.get()));
  data::Encodings fitted;
  DLC_DATA_TRY(data::load_weights(artifact.handle(), session.get(), options.weights, &fitted));
  data::Splits splits;
  DLC_DATA_TRY(open_data(artifact, options, fitted, splits));
  Evaluation evaluation(artifact, options.json);
  numerics.set_moment("evaluation");
  if (checks_numerics)
    evaluation.set_numerics(&numerics);
  DLC_DATA_TRY(evaluation.set_up(turns, splits, options.batch,
                                 static_cast<int64_t>(artifact.fit_number("batch").value_or(64))));

  int64_t count = evaluation.rows();
  std::vector<Figure> figures;
  double start = now_seconds();
  DLC_DATA_TRY(evaluation.run(session.get(), nullptr, figures));
  double seconds = now_seconds() - start;
  double rate = seconds > 0 ? static_cast<double>(count) / seconds : 0;
  Status shown; // When it fails, there are still the figures.
  if (options.show > 0)
    shown = show(artifact, session.get(), evaluation.first_rows(), options.show, options.json);
  if (options.json) {
    JsonLine line("done");
    line.add("rows", count);
    if (evaluation.rows_left_out() > 0)
      line.add("rows_left_out", evaluation.rows_left_out());
    line.add("seconds", seconds).add("rate", rate);
    for (const Figure &figure : figures)
      line.add(figure.name, figure.value);
    line.print();
  } else {
    printf("%s  (%s rows, %s, %s samples/s)\n", format_figures(figures).c_str(), format_count(count).c_str(),
           format_duration(seconds).c_str(), format_count(static_cast<int64_t>(rate)).c_str());
  }
  return shown;
}

} // namespace dlc::cli
