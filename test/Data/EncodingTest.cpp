// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/encoding.h"

#include <gtest/gtest.h>

namespace dlc::data {
namespace {

using Unit = Vocabulary::Unit;
using Ids = std::vector<int32_t>;

TEST(Encoding, CharactersAreCodePoints) {
  Vocabulary vocabulary(Unit::character, {"\n", "a", "é", "€", "😀"});
  Ids ids;
  ASSERT_TRUE(vocabulary.encode("aé€😀\na", ids).ok());
  EXPECT_EQ(ids, (Ids{1, 2, 3, 4, 0, 1}));
  std::string text;
  ASSERT_TRUE(vocabulary.decode(ids, text).ok());
  EXPECT_EQ(text, "aé€😀\na");
  EXPECT_EQ(vocabulary.encode("éab", ids).message(),
            "'b' at offset 3 is not one of the 5 tokens of the vocabulary");
  EXPECT_EQ(vocabulary.decode(Ids{0, 5}, text).message(), "token 5: expected 0 to 4");
  EXPECT_EQ(vocabulary.decode(Ids{-1}, text).message(), "token -1: expected 0 to 4");
}

TEST(Encoding, InvalidUtf8SaysWhere) {
  Vocabulary vocabulary(Unit::character, {"a"});
  Vocabulary words(Unit::word, {"<unk>"}, -1, 0);
  Ids ids;
  // A continuation alone, a truncated sequence, an overlong one, a surrogate, a code point beyond the last.
  for (const char *bad :
       {"a\x80", "a\xe2\x82", "a\xc0\x80", "a\xe0\x80\x80", "a\xed\xa0\x80", "a\xf4\x90\x80\x80", "a\xff"}) {
    EXPECT_EQ(vocabulary.encode(bad, ids).message(), "invalid UTF-8 at offset 1");
    EXPECT_EQ(words.encode(bad, ids).message(), "invalid UTF-8 at offset 1");
  }
}

TEST(Encoding, WordsStandBetweenSpaceAndNewlinesAreWords) {
  Vocabulary vocabulary(Unit::word, {"<pad>", "<unk>", "to", "be", "\n"}, 0, 1);
  Ids ids;
  ASSERT_TRUE(vocabulary.encode("  to\t be\nor  to be", ids).ok());
  EXPECT_EQ(ids, (Ids{2, 3, 4, 1, 2, 3}));
  ids.push_back(0);
  std::string text;
  ASSERT_TRUE(vocabulary.decode(ids, text).ok());
  EXPECT_EQ(text, "to be\n<unk> to be");
  ASSERT_TRUE(vocabulary.encode("", ids).ok());
  EXPECT_TRUE(ids.empty());
}

TEST(Encoding, TheMostFrequentComeFirst) {
  std::vector<std::string_view> tokens = {"c", "b", "a", "b", "c", "d"};
  using Names = std::vector<std::string>;
  EXPECT_EQ(most_frequent(tokens, 10, 1), (Names{"b", "c", "a", "d"}));
  EXPECT_EQ(most_frequent(tokens, 3, 1), (Names{"b", "c", "a"}));
  EXPECT_EQ(most_frequent(tokens, 10, 2), (Names{"b", "c"}));
  EXPECT_EQ(most_frequent(tokens, 0, 1), Names());
}

TEST(Encoding, WhatIsWrittenIsRead) {
  auto text = std::make_shared<Encoding>();
  text->vocabulary.emplace(Unit::word, std::vector<std::string>{"<pad>", "<unk>", "\"é\n"}, 0, 1);
  auto row = std::make_shared<Encoding>();
  row->classes = {"no", "yes"};
  row->features = {{"age", {}, 29.7, 0.1, -3}, {"sex", {"female", "male"}, 0, 1, 0}};
  Encodings read;
  Status status = read_encodings(write_encodings({{"text", text}, {"next", text}, {"x", row}}), "f", read);
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(*read.at("text"), *text);
  EXPECT_EQ(read.at("next"), read.at("text"));
  EXPECT_EQ(*read.at("x"), *row);
  ASSERT_NE(find_vocabulary(read), nullptr);
  EXPECT_EQ(find_vocabulary(read)->find("\"é\n"), 2);
  EXPECT_EQ(find_vocabulary({{"x", row}}), nullptr);
  auto other = std::make_shared<Encoding>();
  other->vocabulary.emplace(Unit::word, std::vector<std::string>{"a"});
  EXPECT_EQ(find_vocabulary({{"text", text}, {"answer", other}}), nullptr);
}

TEST(Encoding, TokensThatAreNotInTheVocabularyAreNamed) {
  Vocabulary words = {Unit::word, {"a"}}, letters = {Unit::character, {"a"}};
  std::vector<int32_t> ids;
  for (const Vocabulary *vocabulary : {&words, &letters})
    EXPECT_EQ(vocabulary->encode("a\n", ids).message(),
              "a newline at offset 1 is not one of the 1 tokens of the vocabulary");
}

TEST(Encoding, DamagedDescriptionsAreRefused) {
  auto text = std::make_shared<Encoding>();
  text->vocabulary.emplace(Unit::word, std::vector<std::string>{"<unk>", "b"}, -1, 0);
  text->classes = {"no"};
  text->features = {{"age", {}, 1, 2, 3}, {"sex", {"f"}, 0, 1, 0}};
  std::string good = write_encodings({{"text", text}});
  auto reading = [](const std::string &damaged) {
    Encodings read;
    return read_encodings(damaged, "w.safetensors", read).message();
  };
  EXPECT_EQ(reading(good), "");
  std::string message =
      "w.safetensors: the description of the data is damaged: expected vocabularies, classes "
      "and features as dlc writes them";
  // Each of these parts is replaced by something else.
  for (const char *part : {"\"word\"", "\"<unk>\"", "\"columns\"", "\"encodings\"", "\"tokens\"",
                           "\"text\":0", "\"mean\"", "\"name\"", "[\"f\"]", "[\"no\"]", "\"unknown\":0"}) {
    size_t at = good.find(part);
    ASSERT_NE(at, std::string::npos) << part;
    std::string damaged = good;
    damaged.replace(at, std::string_view(part).size(),
                    std::string_view(part).ends_with("\"") ? "\"b\"" : "\"x\":7");
    EXPECT_EQ(reading(damaged), message) << part;
  }
  // Never a crash, wherever it ends or whatever a byte becomes.
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_EQ(reading(good.substr(0, i)), message);
    std::string damaged = good;
    damaged[i] = static_cast<char>('0' + i % 75);
    reading(damaged);
  }
}

} // namespace
} // namespace dlc::data
