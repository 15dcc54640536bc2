// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the numbers of a column stand for what the files say: vocabularies, names of classes, standardisation.
// Learnt from the training split, saved with the weights (checkpoint.h), so that inference needs no training
// data.
#ifndef DLC_RUNTIME_DATA_ENCODING_H
#define DLC_RUNTIME_DATA_ENCODING_H

#include "runtime/data/status.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dlc::data {

/// Texts as token ids and back. A token's id is its place in the list.
class Vocabulary {
public:
  enum class Unit {
    character, ///< A code point.
    word,      ///< What stands between white space; a newline is a word of its own.
  };

  Vocabulary() = default;
  /// Words that tokens do not have become the token unknown, if there is one; padding is the one that fills
  /// up (-1: there is none). Tokens differ from each other.
  Vocabulary(Unit unit, std::vector<std::string> tokens, int32_t padding = -1, int32_t unknown = -1);

  Unit unit() const { return unit_; }
  const std::vector<std::string> &tokens() const { return tokens_; }
  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  int32_t padding() const { return padding_; }
  int32_t unknown() const { return unknown_; }
  /// The id of a token, unknown() for one that is not there.
  int32_t find(std::string_view token) const;

  /// Fails on invalid UTF-8, and on a token that is not in the vocabulary where it has none for unknown ones;
  /// the message has the offset in bytes.
  Status encode(std::string_view text, std::vector<int32_t> &out_ids) const;
  /// Words are joined by spaces, but not around newlines; padding is left out. Fails on an id that is not in
  /// the vocabulary.
  Status decode(std::span<const int32_t> ids, std::string &out_text) const;

  bool operator==(const Vocabulary &other) const {
    return unit_ == other.unit_ && tokens_ == other.tokens_ && padding_ == other.padding_ &&
           unknown_ == other.unknown_;
  }

private:
  Unit unit_ = Unit::character;
  std::vector<std::string> tokens_;
  int32_t padding_ = -1, unknown_ = -1;
  std::unordered_map<std::string, int32_t> ids_;
};

/// The first token of text: a code point, or a word behind white space; text then begins behind it. At the
/// end, and where the UTF-8 is invalid, the result is empty, and text not so in the second case.
std::string_view next_token(Vocabulary::Unit unit, std::string_view &text);

bool is_utf8(std::string_view text);

/// The different tokens that occur at least min_count times, at most limit of them: the most frequent first,
/// those of one frequency by code point.
std::vector<std::string> most_frequent(std::span<const std::string_view> tokens, int64_t limit,
                                       int64_t min_count);

/// What one column of a table gives to a column of numbers.
struct Feature {
  std::string name;
  /// A category each element, in order (one-hot); empty for a number.
  std::vector<std::string> categories;
  /// A number becomes (x - mean) / scale, a missing one `missing`.
  double mean = 0, scale = 1, missing = 0;
  bool operator==(const Feature &) const = default;
};

struct Encoding {
  std::optional<Vocabulary> vocabulary;
  std::vector<std::string> classes; ///< The name of each label.
  std::string column;               ///< The column of the table that had the classes; empty: there was none.
  std::vector<Feature> features;
  bool operator==(const Encoding &) const = default;
};

/// By column. Columns that are encoded alike share one.
using Encodings = std::map<std::string, std::shared_ptr<const Encoding>>;

std::string write_encodings(const Encodings &encodings);
/// What write_encodings wrote; source, such as a file's name, begins the message of a failure.
Status read_encodings(const std::string &text, const std::string &source, Encodings &out_encodings);

/// The one vocabulary of all columns; nothing where there is none, or several.
const Vocabulary *find_vocabulary(const Encodings &encodings);

/// The encoding of the column label; null where it has no classes.
std::shared_ptr<const Encoding> find_classes(const Encodings &encodings);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_ENCODING_H
