// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dlc_data.h"

#include "runtime/data/encoding.h"
#include "runtime/data/safetensors.h"

#include "test/Data/TestFiles.h"

namespace dlc::data {
namespace {

class CInterface : public FileTest {
protected:
  /// The encodings of a weights file with these.
  dlc_data_encodings_t *load(const Encodings &encodings) {
    EXPECT_TRUE(
        write_safetensors(path("w.safetensors"), {}, {{"dlc.data", write_encodings(encodings)}}).ok());
    dlc_data_encodings_t *loaded = nullptr;
    EXPECT_EQ(dlc_data_encodings_load(path("w.safetensors").c_str(), &loaded, &status_), DLC_OK)
        << status_.message;
    return loaded;
  }
  dlc_status_t status_;
};

TEST_F(CInterface, TextAndClassesByTheWeights) {
  auto encoding = std::make_shared<Encoding>();
  encoding->vocabulary.emplace(Vocabulary::Unit::character, std::vector<std::string>{"a", "é"});
  encoding->classes = {"no", "yes"};
  dlc_data_encodings_t *encodings = load({{"text", encoding}});
  int32_t tokens[4] = {-1, -1, -1, -1};
  int64_t count = 0;
  ASSERT_EQ(dlc_data_text_encode(encodings, "aéa", 4, tokens, 2, &count, &status_), DLC_OK);
  EXPECT_EQ(count, 3);
  EXPECT_EQ(tokens[1], 1);
  EXPECT_EQ(tokens[2], -1);
  ASSERT_EQ(dlc_data_text_encode(encodings, "aéa", 4, tokens, 4, &count, &status_), DLC_OK);
  EXPECT_EQ(tokens[2], 0);
  EXPECT_EQ(dlc_data_text_encode(encodings, "ab", 2, tokens, 4, &count, &status_), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status_.message, "'b' at offset 1 is not one of the 2 tokens of the vocabulary");
  char text[8] = "xxxxxxx";
  size_t bytes = 0;
  ASSERT_EQ(dlc_data_text_decode(encodings, tokens, 3, text, 3, &bytes, &status_), DLC_OK);
  EXPECT_EQ(bytes, 4u);
  EXPECT_EQ(std::string(text, 4), "aéx");
  ASSERT_EQ(dlc_data_text_decode(encodings, tokens, 3, text, sizeof text, &bytes, &status_), DLC_OK);
  EXPECT_STREQ(text, "aéa");
  EXPECT_STREQ(dlc_data_class_name(encodings, "text", 1), "yes");
  EXPECT_EQ(dlc_data_class_name(encodings, "text", 2), nullptr);
  EXPECT_EQ(dlc_data_class_name(encodings, "label", 0), nullptr);
  dlc_data_encodings_release(encodings);

  encodings = load({});
  EXPECT_EQ(dlc_data_text_encode(encodings, "a", 1, tokens, 4, &count, &status_), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status_.message, "expected encodings with one vocabulary, found none or several");
  dlc_data_encodings_release(encodings);
}

TEST_F(CInterface, SourcesHaveSettingsAndDraws) {
  write("t.txt", "abcdefghijklmnopqrstuvwxyz");
  std::string source = "text(\"" + path("t.txt") + "\", window=2, validation=0)";
  dlc_data_set_t *set = nullptr;
  ASSERT_EQ(dlc_data_set_open_source(source.c_str(), "train", nullptr, &set, &status_), DLC_OK)
      << status_.message;
  EXPECT_EQ(dlc_data_set_size(set), 12);
  const int64_t rows[] = {3};
  int32_t plain[2], drawn[2], again[2];
  ASSERT_EQ(dlc_data_set_read(set, 0, rows, 1, plain, &status_), DLC_OK);
  EXPECT_EQ(plain[0], 6);
  bool differs = false;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    ASSERT_EQ(dlc_data_set_read_drawn(set, 0, rows, 1, 7, epoch, drawn, &status_), DLC_OK);
    ASSERT_EQ(dlc_data_set_read_drawn(set, 0, rows, 1, 7, epoch, again, &status_), DLC_OK);
    EXPECT_EQ(drawn[0], again[0]);
    differs |= drawn[0] != plain[0];
  }
  EXPECT_TRUE(differs);
  // What is not there.
  EXPECT_EQ(dlc_data_set_read(set, 0, rows, -1, plain, &status_), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status_.message, "expected at least 0 rows, found -1");
  EXPECT_EQ(dlc_data_set_read(set, 2, rows, 1, plain, &status_), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status_.message, "column 2: expected 0 to 1");
  const int64_t beyond[] = {12};
  EXPECT_EQ(dlc_data_set_read(set, 0, beyond, 1, plain, &status_), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status_.message, "row 12: expected 0 to 11");
  dlc_data_column_t column;
  EXPECT_EQ(dlc_data_set_column(set, -1, &column, &status_), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status_.message, "column -1: expected 0 to 1");
  dlc_data_set_release(set);
  EXPECT_EQ(dlc_data_set_open_source(source.c_str(), "tests", nullptr, &set, &status_), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status_.message, "the data has no split tests; there is: train");
  EXPECT_EQ(dlc_data_set_open_source("text(", "train", nullptr, &set, &status_), DLC_INVALID_ARGUMENT);
  EXPECT_EQ(set, nullptr);
  // By the vocabulary of weights.
  auto encoding = std::make_shared<Encoding>();
  encoding->vocabulary.emplace(Vocabulary::Unit::character, std::vector<std::string>{"a"});
  dlc_data_encodings_t *fitted = load({{"text", encoding}});
  EXPECT_EQ(dlc_data_set_open_source(source.c_str(), "train", fitted, &set, &status_), DLC_INVALID_ARGUMENT);
  dlc_data_encodings_release(fitted);
}

TEST_F(CInterface, BatchersHaveRowsAndBatches) {
  dlc_data_batcher_t *batcher = nullptr;
  auto creating = [&](int64_t rows, int64_t batch) {
    EXPECT_EQ(dlc_data_batcher_create(rows, batch, 0, 1, &batcher, &status_), DLC_INVALID_ARGUMENT);
    EXPECT_EQ(batcher, nullptr);
    return std::string(status_.message);
  };
  std::string expected = "expected 1 to 2^40 rows, and at least 1 in a batch, found ";
  EXPECT_EQ(creating(0, 1), expected + "0 and 1");
  EXPECT_EQ(creating(3, 0), expected + "3 and 0");
  EXPECT_EQ(creating((int64_t{1} << 40) + 1, 8), expected + "1099511627777 and 8");
}

} // namespace
} // namespace dlc::data
