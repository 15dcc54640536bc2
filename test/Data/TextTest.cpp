// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "test/Data/TestFiles.h"

namespace dlc::data {
namespace {

class Text : public FileTest {
protected:
  /// Opens text.txt with these settings.
  Status open(const std::string &settings, const Encodings &fitted = {}) {
    DataSpec spec;
    Status parsed = parse_data_spec("text(\"" + path("text.txt") + "\"" + settings + ")", spec);
    EXPECT_TRUE(parsed.ok()) << parsed.message();
    splits_.clear();
    return open_data(spec, fitted, splits_);
  }
  /// Rows of a column as text.
  std::string rows(const char *split, const char *column, const std::vector<int64_t> &rows,
                   const Draws *draws = nullptr) {
    const DataSet &set = *splits_.at(split);
    size_t index = set.find(column).value();
    const Column &info = set.columns()[index];
    std::vector<int32_t> ids(static_cast<size_t>(info.shape[0]) * rows.size());
    EXPECT_TRUE(set.read(index, rows, ids.data(), draws).ok());
    std::string text;
    EXPECT_TRUE(info.encoding->vocabulary->decode(ids, text).ok());
    return text;
  }
  Splits splits_;
};

TEST_F(Text, CharactersInWindowsAndTheSameOneLater) {
  write("text.txt", "abcdefghijklmnopqrst");
  Status status = open(", window=4, validation=0.25, starts=\"consecutive\"");
  ASSERT_TRUE(status.ok()) << status.message();
  const DataSet &train = *splits_.at("train");
  ASSERT_EQ(train.columns().size(), 2u);
  EXPECT_EQ(format_type(train.columns()[0].type, train.columns()[0].shape), "i32[4]");
  EXPECT_EQ(train.columns()[1].classes, 20);
  // 15 characters: windows at 0, 4, 8; the last may start at 10.
  EXPECT_EQ(train.size(), 3);
  EXPECT_EQ(rows("train", "text", {2, 0}), "ijklabcd");
  EXPECT_EQ(rows("train", "next", {2, 0}), "jklmbcde");
  EXPECT_EQ(splits_.at("validation")->size(), 1);
  EXPECT_EQ(rows("validation", "text", {0}), "pqrs");
  EXPECT_EQ(rows("validation", "next", {0}), "qrst");
}

TEST_F(Text, WindowsAtEveryPositionCoverThePart) {
  write("text.txt", "abcdefgh");
  ASSERT_TRUE(open(", window=3, validation=0, starts=\"every\"").ok());
  EXPECT_EQ(splits_.count("validation"), 0u);
  EXPECT_EQ(splits_.at("train")->size(), 5);
  EXPECT_EQ(rows("train", "next", {4}), "fgh");
}

// Written out by the formula of dataset.h in Python (test/Data/draws.py).
TEST_F(Text, RandomStartsAreTheDocumentedOnes) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += static_cast<char>('0' + i);
  write("text.txt", text);
  ASSERT_TRUE(open(", window=4, validation=0").ok());
  EXPECT_EQ(splits_.at("train")->size(), 9);
  std::string found;
  for (int64_t epoch : {0, 1})
    for (int64_t row : {0, 1, 8}) {
      Draws draws = {7, epoch};
      std::string window = rows("train", "text", {row}, &draws), next = rows("train", "next", {row}, &draws);
      EXPECT_EQ(window.substr(1), next.substr(0, 3));
      found += format("%d ", window[0] - '0');
    }
  EXPECT_EQ(found, "1 4 10 33 2 34 ");
  // An evaluation reads the split in its order.
  EXPECT_EQ(rows("train", "text", {1}), "4567");
}

TEST_F(Text, WordsByFrequencyOfTheTrainingPart) {
  write("text.txt", "to be or not to be\nto go new");
  // 10 tokens, the last 2 of them validation.
  Status status = open(", unit=\"word\", window=1, validation=0.2, vocabulary=4, starts=\"every\"");
  ASSERT_TRUE(status.ok()) << status.message();
  const Vocabulary &vocabulary = *splits_.at("train")->columns()[0].encoding->vocabulary;
  EXPECT_EQ(vocabulary.tokens(), (std::vector<std::string>{"<unk>", "to", "be", "\n"}));
  EXPECT_EQ(rows("train", "text", {0}), "to");
  EXPECT_EQ(rows("train", "next", {1}), "<unk>");
  EXPECT_EQ(rows("validation", "text", {0}), "<unk>");
}

TEST_F(Text, TheVocabularyOfTrainedWeightsIsUsed) {
  write("text.txt", "abcabc");
  ASSERT_TRUE(open(", window=2, validation=0").ok());
  Encodings fitted = splits_.at("train")->encodings();
  EXPECT_EQ(fitted.size(), 2u);
  write("text.txt", "ccbb");
  ASSERT_TRUE(open(", window=2, validation=0", fitted).ok());
  EXPECT_EQ(splits_.at("train")->columns()[0].classes, 3);
  EXPECT_EQ(rows("train", "text", {0}), "cc");
  write("text.txt", "abx");
  EXPECT_EQ(message(open(", window=2, validation=0", fitted)),
            "text.txt: 'x' at offset 2 is not one of the 3 characters that the weights were trained on");
  write("text.txt", "a b c");
  EXPECT_EQ(message(open(", window=2, validation=0, unit=\"word\"", fitted)),
            "text.txt: the weights were trained on characters, the data is read as words (unit)");
}

TEST_F(Text, BadFilesSayWhatAndWhere) {
  EXPECT_EQ(message(open("")), "cannot open text.txt: No such file or directory");
  write("text.txt", "");
  EXPECT_EQ(message(open("")),
            "text.txt: too short: expected at least 65 characters for a window of 64 in split "
            "train, found 0 of 0");
  write("text.txt", "abcdefghij");
  EXPECT_EQ(message(open(", window=4, validation=0.3")),
            "text.txt: too short: expected at least 5 characters for a window of 4 in split validation, "
            "found 3 of 10");
  EXPECT_EQ(message(open(", window=2, validation=0, vocabulary=9")),
            "text.txt: 10 different characters, expected at most 9 (vocabulary)");
  write("text.txt", "abc\xff");
  EXPECT_EQ(message(open("")), "text.txt: invalid UTF-8 at offset 3 (unpacked)");
}

} // namespace
} // namespace dlc::data
