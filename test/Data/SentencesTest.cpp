// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/Data/LoaderFixture.h"

namespace dlc::data {
namespace {

using Sentences = LoaderTest;
using Ids = std::vector<int32_t>;

TEST_F(Sentences, WordsOfTheTrainingSplitArePadded) {
  write("train.tsv", "sentence\tlabel\na good film \t1\nbad\t0\na film film\t1\n");
  write("dev.tsv", "sentence\tlabel\na bad movie\t0\n");
  Status status = open("sentences", ".", "length=3");
  ASSERT_TRUE(status.ok()) << status.message();
  // film 3 times, a 2, then by code point.
  EXPECT_EQ(column("train", "tokens").encoding->vocabulary->tokens(),
            (std::vector<std::string>{"<pad>", "<unk>", "film", "a", "bad", "good"}));
  EXPECT_EQ(column("train", "tokens").classes, 6);
  EXPECT_EQ(column("dev", "label").classes, 2);
  EXPECT_EQ(column("dev", "label").encoding->classes, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(all<int32_t>("train", "tokens"), (Ids{3, 5, 2, 4, 0, 0, 3, 2, 2}));
  EXPECT_EQ(all<int32_t>("train", "length"), (Ids{3, 1, 3}));
  EXPECT_EQ(all<int32_t>("train", "label"), (Ids{1, 0, 1}));
  EXPECT_EQ(all<int32_t>("dev", "tokens"), (Ids{3, 4, 1}));
  // Longer sentences are cut; rare words and those beyond the limit are unknown.
  ASSERT_TRUE(open("sentences", ".", "length=2, min_count=2").ok());
  EXPECT_EQ(all<int32_t>("train", "tokens"), (Ids{3, 1, 1, 0, 3, 2}));
  EXPECT_EQ(all<int32_t>("train", "length"), (Ids{2, 1, 2}));
  ASSERT_TRUE(open("sentences", ".", "length=3, vocabulary=3").ok());
  EXPECT_EQ(all<int32_t>("train", "tokens"), (Ids{1, 1, 2, 1, 0, 0, 1, 2, 2}));
}

TEST_F(Sentences, ColumnsMayBeNamedAndAFileSplit) {
  write("t.tsv", "9\tpos\tx y\n8\tneg\tx\n7\tpos\ty\n6\tpos\tx\n");
  Status status = open("sentences", "t.tsv",
                       "header=false, text=\"column3\", target=\"column2\", validation=0.25, length=1");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(splits_.at("train")->size(), 3);
  EXPECT_EQ(splits_.at("validation")->size(), 1);
  EXPECT_EQ(column("train", "label").encoding->classes, (std::vector<std::string>{"neg", "pos"}));
}

TEST_F(Sentences, EncodingsOfTrainedWeightsAreUsed) {
  write("train.tsv", "sentence\tlabel\na b\tx\nb\ty\n");
  ASSERT_TRUE(open("sentences", ".", "length=2").ok());
  Encodings fitted = splits_.at("train")->encodings();
  write("new.tsv", "sentence\tlabel\nc b\ty\n");
  ASSERT_TRUE(open("sentences", "new.tsv", "length=2, split=\"dev\"", fitted).ok());
  EXPECT_EQ(all<int32_t>("dev", "tokens"), (Ids{1, 2}));
  EXPECT_EQ(all<int32_t>("dev", "label"), Ids{1});
  write("new.tsv", "sentence\tlabel\nc b\tz\n");
  EXPECT_EQ(message(open("sentences", "new.tsv", "split=\"dev\"", fitted)),
            "new.tsv: line 2: class z is not one of the 2 of the training: x, y");
}

TEST_F(Sentences, SentencesToBePredictedHaveNoLabels) {
  write("train.tsv", "sentence\tlabel\na b\tx\nb\ty\n");
  ASSERT_TRUE(open("sentences", ".", "length=2").ok());
  Encodings fitted = splits_.at("train")->encodings();
  write("new.tsv", "sentence\nc b\nb\n");
  ASSERT_TRUE(open("sentences", "new.tsv", "length=2, split=\"dev\"", fitted).ok());
  EXPECT_EQ(all<int32_t>("dev", "tokens"), (Ids{1, 2, 2, 0}));
  EXPECT_EQ(all<int32_t>("dev", "length"), (Ids{2, 1}));
  EXPECT_FALSE(splits_.at("dev")->find("label"));
  // What the weights call the label is missing; the last column is another.
  write("new.tsv", "sentence\tid\nb\t7\n");
  ASSERT_TRUE(open("sentences", "new.tsv", "length=2, split=\"dev\"", fitted).ok());
  EXPECT_FALSE(splits_.at("dev")->find("label"));
  // A target that is named may be missing, too; one that is there counts.
  write("new.tsv", "id\tsentence\n7\tb\n");
  const char *named = "length=2, split=\"dev\", text=\"sentence\", target=\"label\"";
  ASSERT_TRUE(open("sentences", "new.tsv", named, fitted).ok());
  EXPECT_FALSE(splits_.at("dev")->find("label"));
  write("new.tsv", "label\tsentence\ny\tb\n");
  ASSERT_TRUE(open("sentences", "new.tsv", named, fitted).ok());
  EXPECT_EQ(all<int32_t>("dev", "label"), Ids{1});
  EXPECT_EQ(message(open("sentences", "new.tsv", "text=\"sentence\", target=\"labell\"")),
            "new.tsv: no column is called labell; there is: label, sentence (did you mean label?)");
}

TEST_F(Sentences, BadFilesSayWhatAndWhere) {
  write("train.tsv", "sentence\tlabel\na\t1\nb 0\n");
  EXPECT_EQ(message(open("sentences", "train.tsv")), "train.tsv: line 3: expected 2 fields, found 1");
  write("train.tsv", "sentence\tlabel\na\t1\n \t0\n");
  EXPECT_EQ(message(open("sentences", "train.tsv")),
            "train.tsv: line 3: expected a sentence in column sentence, found none");
  write("train.tsv", "sentence\na\n");
  EXPECT_EQ(message(open("sentences", "train.tsv")),
            "train.tsv: expected one column of sentences and one of labels, found sentence alone");
  write("train.tsv", "sentence\tlabel\na\t1\n");
  EXPECT_EQ(message(open("sentences", "train.tsv", "text=\"sentense\"")),
            "train.tsv: no column is called sentense; there is: sentence, label (did you mean sentence?)");
  std::string many = "sentence\tlabel\n";
  for (int i = 0; i < 10001; ++i)
    many += format("a\t%d\n", i);
  write("many.tsv", many);
  EXPECT_EQ(message(open("sentences", "many.tsv", "validation=0")),
            "many.tsv: column label has 10001 different values: expected labels, at most 10000");
  std::filesystem::remove(path("many.tsv"));
  write("test.tsv", "sentence\tlabel\na\t1\nb\t2\n");
  EXPECT_EQ(message(open("sentences", "")),
            "test.tsv: line 3: class 2 is not one of the 1 of the training: 1");
}

} // namespace
} // namespace dlc::data
