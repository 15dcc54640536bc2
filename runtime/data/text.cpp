// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "runtime/data/file.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <set>

namespace dlc::data {
namespace {

enum class Starts { random, consecutive, every };

/// Windows of a part of the text. Window i starts, counted in tokens from the part's begin, at
///   every:        i
///   consecutive:  i * window
///   random:       below(positions, i, 0) of the epoch's draws (without draws as consecutive), where
///   positions
///                 is how many starts there are, tokens - window
/// and its row of `next` one token later.
class TextSplit : public DataSet {
public:
  TextSplit(std::shared_ptr<const std::vector<int32_t>> tokens, int64_t begin, int64_t end, int64_t window,
            Starts starts, const std::shared_ptr<const Encoding> &encoding)
      : tokens_(std::move(tokens)), begin_(begin), positions_(end - begin - window), window_(window),
        starts_(starts) {
    for (const char *name : {"text", "next"})
      columns_.push_back({name, DataType::i32, {window}, encoding->vocabulary->size(), encoding});
  }

  const std::vector<Column> &columns() const override { return columns_; }
  int64_t size() const override {
    return starts_ == Starts::every ? positions_ : (positions_ + window_ - 1) / window_;
  }

protected:
  Status read_rows(size_t column, std::span<const int64_t> rows, const Draws *draws,
                   void *out) const override {
    int32_t *to = static_cast<int32_t *>(out);
    for (int64_t row : rows) {
      int64_t start = starts_ == Starts::every             ? row
                      : starts_ == Starts::random && draws ? draws->below(positions_, row, 0)
                                                           : row * window_;
      const int32_t *from = tokens_->data() + begin_ + start + static_cast<int64_t>(column);
      to = std::copy_n(from, window_, to);
    }
    return {};
  }

private:
  std::shared_ptr<const std::vector<int32_t>> tokens_; ///< Of all splits.
  int64_t begin_, positions_, window_;
  Starts starts_;
  std::vector<Column> columns_;
};

/// Cuts the text into tokens.
Status tokenize(const std::string &path, Vocabulary::Unit unit, std::string_view text,
                std::vector<std::string_view> &out_tokens) {
  std::string_view rest = text;
  for (;;) {
    std::string_view token = next_token(unit, rest);
    if (!token.empty())
      out_tokens.push_back(token);
    else if (rest.empty())
      return {};
    else
      return Status::input(
          format("%s: invalid UTF-8 at offset %zu (unpacked)", path.c_str(), text.size() - rest.size()));
  }
}

/// All characters, by code point (which is the order of their UTF-8), or the most frequent words of the
/// training part behind a token for unknown ones.
Vocabulary learn_vocabulary(Vocabulary::Unit unit, std::span<const std::string_view> tokens, int64_t train,
                            int64_t limit) {
  if (unit == Vocabulary::Unit::character) {
    std::set<std::string_view> characters(tokens.begin(), tokens.end());
    return {unit, {characters.begin(), characters.end()}};
  }
  std::vector<std::string> words = {"<unk>"};
  for (std::string &word : most_frequent(tokens.first(static_cast<size_t>(train)), limit - 1, 1))
    if (word != "<unk>")
      words.push_back(std::move(word));
  return {unit, std::move(words), -1, 0};
}

const char *unit_name(Vocabulary::Unit unit) {
  return unit == Vocabulary::Unit::character ? "characters" : "words";
}

/// The encoding of trained weights, or one learnt from the text.
Status choose_encoding(const std::string &path, const Settings &settings, const Encodings &fitted,
                       std::span<const std::string_view> tokens, int64_t train,
                       std::shared_ptr<const Encoding> &out_encoding) {
  Vocabulary::Unit unit =
      settings.text("unit", "char") == "char" ? Vocabulary::Unit::character : Vocabulary::Unit::word;
  auto known = fitted.find("text");
  if (known != fitted.end() && known->second->vocabulary) {
    if (known->second->vocabulary->unit() != unit)
      return Status::input(format("%s: the weights were trained on %s, the data is read as %s (unit)",
                                  path.c_str(), unit_name(known->second->vocabulary->unit()),
                                  unit_name(unit)));
    out_encoding = known->second;
    return {};
  }
  int64_t limit = settings.integer("vocabulary", unit == Vocabulary::Unit::word ? 10000 : INT32_MAX);
  Encoding encoding;
  encoding.vocabulary = learn_vocabulary(unit, tokens, train, limit);
  if (encoding.vocabulary->size() > limit)
    return Status::input(format("%s: %d different characters, expected at most %" PRId64 " (vocabulary)",
                                path.c_str(), encoding.vocabulary->size(), limit));
  out_encoding = std::make_shared<Encoding>(std::move(encoding));
  return {};
}

/// The ids of all tokens.
Status encode(const std::string &path, std::string_view text, std::span<const std::string_view> tokens,
              const Vocabulary &vocabulary, std::vector<int32_t> &out_ids) {
  out_ids.reserve(tokens.size());
  for (std::string_view token : tokens) {
    int32_t id = vocabulary.find(token);
    if (id < 0)
      return Status::input(
          format("%s: '%s' at offset %td is not one of the %d characters that the weights were "
                 "trained on",
                 path.c_str(), std::string(token).c_str(), token.data() - text.data(), vocabulary.size()));
    out_ids.push_back(id);
  }
  return {};
}

} // namespace

Status open_text(const std::string &path, const Settings &settings, const Encodings &fitted,
                 Splits &out_splits) {
  std::vector<std::byte> bytes;
  DLC_DATA_TRY(read_file_gz(path, bytes));
  std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  Vocabulary::Unit unit =
      settings.text("unit", "char") == "char" ? Vocabulary::Unit::character : Vocabulary::Unit::word;
  std::vector<std::string_view> tokens;
  DLC_DATA_TRY(tokenize(path, unit, text, tokens));

  int64_t window = settings.integer("window", 64), total = static_cast<int64_t>(tokens.size());
  double share = settings.number("validation", 0.1);
  int64_t validation = static_cast<int64_t>(std::floor(static_cast<double>(total) * share));
  int64_t train = total - validation;
  auto too_short = [&](const char *split, int64_t found) {
    return Status::input(format("%s: too short: expected at least %" PRId64 " %s for a window of %" PRId64
                                " in split %s, found %" PRId64 " of %" PRId64,
                                path.c_str(), window + 1, unit_name(unit), window, split, found, total));
  };
  if (train - 1 < window)
    return too_short("train", train);
  if (validation > 0 && validation - 1 < window)
    return too_short("validation", validation);

  std::shared_ptr<const Encoding> encoding;
  DLC_DATA_TRY(choose_encoding(path, settings, fitted, tokens, train, encoding));
  auto ids = std::make_shared<std::vector<int32_t>>();
  DLC_DATA_TRY(encode(path, text, tokens, *encoding->vocabulary, *ids));

  std::string starts_name = settings.text("starts", "random");
  Starts starts = starts_name == "every"    ? Starts::every
                  : starts_name == "random" ? Starts::random
                                            : Starts::consecutive;
  Splits splits;
  splits["train"] = std::make_unique<TextSplit>(ids, 0, train, window, starts, encoding);
  if (validation > 0)
    splits["validation"] =
        std::make_unique<TextSplit>(ids, train, total, window, Starts::consecutive, encoding);
  out_splits = std::move(splits);
  return {};
}

} // namespace dlc::data
