// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "runtime/data/table.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

namespace dlc::data {
namespace {

constexpr int32_t padding = 0, unknown = 1;

class SentenceSplit : public DataSet {
public:
  /// Without classes, there is no column of labels.
  SentenceSplit(int64_t length, const std::shared_ptr<const Encoding> &words,
                const std::shared_ptr<const Encoding> &classes)
      : length_(length), columns_({{"tokens", DataType::i32, {length}, words->vocabulary->size(), words},
                                   {"length", DataType::i32, {}, 0}}) {
    if (classes)
      columns_.push_back(
          {"label", DataType::i32, {}, static_cast<int64_t>(classes->classes.size()), classes});
  }

  void add(std::span<const int32_t> tokens, int32_t label) {
    size_t count = std::min(tokens.size(), static_cast<size_t>(length_));
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(count));
    tokens_.resize((lengths_.size() + 1) * static_cast<size_t>(length_), padding);
    lengths_.push_back(static_cast<int32_t>(count));
    labels_.push_back(label);
  }

  const std::vector<Column> &columns() const override { return columns_; }
  int64_t size() const override { return static_cast<int64_t>(lengths_.size()); }

protected:
  Status read_rows(size_t column, std::span<const int64_t> rows, const Draws *, void *out) const override {
    int32_t *to = static_cast<int32_t *>(out);
    for (int64_t row : rows)
      if (column == 0)
        to = std::copy_n(tokens_.data() + row * length_, length_, to);
      else
        *to++ = (column == 1 ? lengths_ : labels_)[static_cast<size_t>(row)];
    return {};
  }

private:
  int64_t length_;
  std::vector<int32_t> tokens_; ///< [rows, length]
  std::vector<int32_t> lengths_, labels_;
  std::vector<Column> columns_;
};

/// Which columns of a table have the sentences and their labels.
struct Places {
  size_t text = 0;
  std::optional<size_t> label; ///< Nothing in a table to be predicted.
};

/// A table may be without labels if the trained weights know the classes, and in which column they were.
Status find_places(const Table &table, const Settings &settings, const Encoding *known, Places &out_places) {
  Places places;
  if (settings.has("text"))
    DLC_DATA_TRY(table.find(settings.text("text", ""), places.text));
  bool knows_column = known && !known->column.empty();
  std::string target = settings.text("target", knows_column ? known->column : table.names.back());
  bool has_target = std::find(table.names.begin(), table.names.end(), target) != table.names.end() &&
                    target != table.names[places.text];
  if (has_target || !known)
    DLC_DATA_TRY(table.find(target, places.label.emplace()));
  if (places.text == places.label)
    return Status::input(table.path + ": expected one column of sentences and one of labels, found " +
                         table.names[places.text] + " alone");
  out_places = places;
  return {};
}

/// The vocabulary of trained weights, or the most frequent words of the training split.
Status choose_words(const Table &train, size_t column, const Settings &settings, const Encodings &fitted,
                    std::shared_ptr<const Encoding> &out_words) {
  if (auto known = fitted.find("tokens"); known != fitted.end() && known->second->vocabulary) {
    out_words = known->second;
    return {};
  }
  std::vector<std::string_view> words;
  for (const std::vector<std::string> &row : train.rows)
    for (std::string_view rest = row[column]; !rest.empty();)
      if (std::string_view word = next_token(Vocabulary::Unit::word, rest); !word.empty())
        words.push_back(word);
  std::vector<std::string> tokens = {"<pad>", "<unk>"};
  int64_t limit = settings.integer("vocabulary", 10000) - 2;
  for (std::string &word : most_frequent(words, limit, settings.integer("min_count", 1)))
    if (word != "<pad>" && word != "<unk>")
      tokens.push_back(std::move(word));
  auto encoding = std::make_shared<Encoding>();
  encoding->vocabulary.emplace(Vocabulary::Unit::word, std::move(tokens), padding, unknown);
  out_words = std::move(encoding);
  return {};
}

/// The labels of the training split, sorted.
std::shared_ptr<const Encoding> learn_classes(const Table &train, size_t column) {
  std::vector<std::string> labels;
  for (const std::vector<std::string> &row : train.rows)
    labels.push_back(row[column]);
  auto encoding = std::make_shared<Encoding>();
  encoding->classes = sort_values(std::move(labels));
  encoding->column = train.names[column];
  return encoding;
}

Status encode(const Table &table, const Places &places, const Encoding &words, const Encoding *classes,
              SentenceSplit &split) {
  for (size_t i = 0; i < table.rows.size(); ++i) {
    std::vector<int32_t> tokens;
    if (Status status = words.vocabulary->encode(table.rows[i][places.text], tokens); !status.ok())
      return Status::input(table.at(i) + ": " + status.message());
    if (tokens.empty())
      return Status::input(table.at(i) + ": expected a sentence in column " + table.names[places.text] +
                           ", found none");
    int32_t index = -1;
    if (places.label)
      DLC_DATA_TRY(find_class(classes->classes, table.rows[i][*places.label], table.at(i), index));
    split.add(tokens, index);
  }
  return {};
}

} // namespace

Status open_sentences(const std::string &path, const Settings &settings, const Encodings &fitted,
                      Splits &out_splits) {
  TableFormat format = {'\t', /*quotes=*/false, settings.flag("header", true)};
  std::map<std::string, Table> tables;
  DLC_DATA_TRY(read_split_tables(path, {".tsv", ".txt"}, format, settings, tables));
  Table &train = tables.count("train") ? tables["train"] : tables.begin()->second;
  std::shared_ptr<const Encoding> words, classes = find_classes(fitted);
  const std::shared_ptr<const Encoding> known = classes;
  Places places;
  DLC_DATA_TRY(find_places(train, settings, known.get(), places));
  if (!classes)
    classes = learn_classes(train, *places.label);
  DLC_DATA_TRY(choose_words(train, places.text, settings, fitted, words));
  if (classes->classes.size() > max_classes)
    return Status::input(dlc::data::format(
        "%s: column %s has %zu different values: expected labels, at most %zu", train.path.c_str(),
        train.names[*places.label].c_str(), classes->classes.size(), max_classes));
  Splits splits;
  for (auto &[name, table] : tables) {
    DLC_DATA_TRY(find_places(table, settings, known.get(), places));
    auto split = std::make_unique<SentenceSplit>(settings.integer("length", 64), words,
                                                 places.label ? classes : nullptr);
    DLC_DATA_TRY(encode(table, places, *words, classes.get(), *split));
    splits[name] = std::move(split);
  }
  out_splits = std::move(splits);
  return {};
}

} // namespace dlc::data
