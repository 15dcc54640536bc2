// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/Data/LoaderFixture.h"

#include <cmath>

namespace dlc::data {
namespace {

using Csv = LoaderTest;
using Ids = std::vector<int32_t>;
using Numbers = std::vector<float>;
using Names = std::vector<std::string>;

TEST_F(Csv, FeaturesAreFittedOnTheTrainingSplitAlone) {
  write("train.csv", "age,sex,id,kind\n10,f,7,b\n,m,8,a\n30,,9,b\n20,f,10,a\n");
  write("test.csv", "kind,age,sex,id\na,40,x,1\nb,NA,m,2\n");
  Status status = open("csv", ".", "ignore=\"id\"");
  ASSERT_TRUE(status.ok()) << status.message();
  // Mean 20, deviation sqrt(200 / 3); a missing number is the mean, a missing category one of its own.
  float one = static_cast<float>(10 / std::sqrt(200.0 / 3));
  EXPECT_EQ(column("train", "x").shape, Shape{4});
  EXPECT_EQ(all<float>("train", "x"), (Numbers{-one, 0, 1, 0, 0, 0, 0, 1, one, 1, 0, 0, 0, 0, 1, 0}));
  EXPECT_EQ(all<int32_t>("train", "label"), (Ids{1, 0, 1, 0}));
  EXPECT_EQ(column("test", "label").encoding->classes, (Names{"a", "b"}));
  // A category that the training does not have is none of them; columns are found by name.
  float two = static_cast<float>(20 / std::sqrt(200.0 / 3));
  EXPECT_EQ(all<float>("test", "x"), (Numbers{two, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(all<int32_t>("test", "label"), (Ids{0, 1}));
  // Each feature in a column of its own.
  EXPECT_EQ(all<float>("train", "age"), (Numbers{-one, 0, one, 0}));
  EXPECT_EQ(all<int32_t>("train", "sex"), (Ids{2, 3, 1, 2}));
  EXPECT_EQ(all<int32_t>("test", "sex"), (Ids{0, 3}));
  EXPECT_EQ(column("train", "sex").classes, 4);
  EXPECT_EQ(column("train", "sex").encoding->classes, (Names{"<unk>", "", "f", "m"}));
  EXPECT_FALSE(splits_.at("train")->find("id"));
  const std::vector<Feature> &features = column("train", "x").encoding->features;
  ASSERT_EQ(features.size(), 2u);
  EXPECT_EQ(features[0].mean, 20);
  EXPECT_EQ(features[1].categories, (Names{"", "f", "m"}));
}

TEST_F(Csv, SettingsChooseColumnsAndWhatTheyAre) {
  write("t.csv", "1;2;?\n3;2;5\n5;1;5\n");
  Status status =
      open("csv", "t.csv",
           "header=false, separator=\";\", target=\"column1\", task=\"regression\", validation=0, "
           "categories=\"column2\", missing=[\"?\"], standardize=false");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(column("train", "target").type, DataType::f32);
  EXPECT_EQ(all<float>("train", "target"), (Numbers{1, 3, 5}));
  EXPECT_EQ(all<float>("train", "x"), (Numbers{0, 1, 5, 0, 1, 5, 1, 0, 5}));
  EXPECT_FALSE(splits_.at("train")->find("label"));
  ASSERT_TRUE(open("csv", "t.csv",
                   "header=false, separator=\";\", target=\"column1\", task=\"regression\", validation=0, "
                   "features=[\"column2\"], missing=\"?\", standardize_target=true")
                  .ok());
  float one = static_cast<float>(2 / std::sqrt(8.0 / 3));
  EXPECT_EQ(all<float>("train", "target"), (Numbers{-one, 0, one}));
  EXPECT_EQ(column("train", "target").encoding->features[0].mean, 3);
  EXPECT_EQ(column("train", "x").shape, Shape{1});
  // A constant is not divided by nothing.
  write("c.csv", "a,b\n5,0\n5,1\n");
  ASSERT_TRUE(open("csv", "c.csv", "validation=0").ok());
  EXPECT_EQ(all<float>("train", "x"), (Numbers{0, 0}));
  // Nor by the rounding of its sum: another value elsewhere stays a number of its size.
  write("c.csv", "a,b\n0.1,0\n0.1,1\n0.1,0\n0.1,1\n0.1,0\n0.1,1\n");
  ASSERT_TRUE(open("csv", "c.csv", "validation=0").ok());
  Encodings fitted = splits_.at("train")->encodings();
  write("c.csv", "a,b\n0.3,0\n");
  ASSERT_TRUE(open("csv", "c.csv", "split=\"test\"", fitted).ok());
  EXPECT_NEAR(all<float>("test", "x")[0], 0.2f, 1e-6f);
}

// As pandas and spreadsheets take them.
TEST_F(Csv, BlanksAroundFieldsDoNotCount) {
  write("t.csv", "a, b , kind\n1, 2.5 ,\"x y\"\n 3,+4, x y\n5, -6,\" x\"\n");
  Status status = open("csv", "t.csv", "validation=0, standardize=false, target=\"kind\"");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(all<float>("train", "x"), (Numbers{1, 2.5f, 3, 4, 5, -6}));
  EXPECT_EQ(column("train", "label").encoding->classes, (std::vector<std::string>{" x", "x y"}));
}

TEST_F(Csv, EncodingsOfTrainedWeightsAreUsed) {
  write("train.csv", "a,b,kind\n0,u,x\n2,v,y\n");
  ASSERT_TRUE(open("csv", ".").ok());
  Encodings fitted;
  Status read = read_encodings(write_encodings(splits_.at("train")->encodings()), "w", fitted);
  ASSERT_TRUE(read.ok()) << read.message();
  write("new.csv", "b,a,kind\nu,5,y\n");
  ASSERT_TRUE(open("csv", "new.csv", "split=\"test\", target=\"kind\"", fitted).ok());
  EXPECT_EQ(all<float>("test", "x"), (Numbers{4, 1, 0}));
  EXPECT_EQ(all<int32_t>("test", "label"), Ids{1});
  write("new.csv", "b,kind\nu,y\n");
  EXPECT_EQ(message(open("csv", "new.csv", "split=\"test\"", fitted)),
            "new.csv: no column is called a; there is: b, kind");
  write("new.csv", "a,b,kind\n1,u,z\n");
  EXPECT_EQ(message(open("csv", "new.csv", "split=\"test\"", fitted)),
            "new.csv: line 2: class z is not one of the 2 of the training: x, y");
}

TEST_F(Csv, ASplitToBePredictedHasNoTarget) {
  write("train.csv", "a,kind\n0,x\n2,y\n");
  write("test.csv", "a\n1\n");
  ASSERT_TRUE(open("csv", ".").ok());
  EXPECT_EQ(all<float>("test", "x"), Numbers{0});
  EXPECT_FALSE(splits_.at("test")->find("label"));
}

// With trained weights, a file needs the features alone, in any order, whatever the settings of the training
// say of others.
TEST_F(Csv, AFileToBePredictedNeedsTheFeaturesAlone) {
  write("train.csv", "id,a,b,kind\n7,0,u,x\n8,2,v,y\n");
  const char *settings = "target=\"kind\", ignore=\"id\", split=\"test\"";
  ASSERT_TRUE(open("csv", "train.csv", "target=\"kind\", ignore=\"id\", validation=0").ok());
  Encodings fitted = splits_.at("train")->encodings();
  write("new.csv", "b,a\nu,5\nw,1\n");
  for (const char *some : {settings, "split=\"test\""}) {
    Status status = open("csv", "new.csv", some, fitted);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(all<float>("test", "x"), (Numbers{4, 1, 0, 0, 0, 0}));
    EXPECT_FALSE(splits_.at("test")->find("label"));
  }
  write("new.csv", "b,a,kind\nu,5,y\n");
  ASSERT_TRUE(open("csv", "new.csv", settings, fitted).ok());
  EXPECT_EQ(all<int32_t>("test", "label"), Ids{1});
  EXPECT_EQ(message(open("csv", "new.csv", "target=\"sort\"")),
            "new.csv: no column is called sort; there is: b, a, kind");
}

// The last column is the target of a training that names none; afterwards it is the column of that name.
TEST_F(Csv, TheTargetIsThatOfTheWeights) {
  write("train.csv", "id,a,kind\n7,0,3\n8,2,4\n");
  write("new.csv", "a,id\n5,3\n1,9\n");
  write("turned.csv", "kind,a,id\n4,5,3\n");
  for (const char *task : {"", ", task=\"regression\""}) {
    std::string settings = std::string("ignore=\"id\", validation=0") + task;
    ASSERT_TRUE(open("csv", "train.csv", settings).ok());
    Encodings fitted;
    ASSERT_TRUE(read_encodings(write_encodings(splits_.at("train")->encodings()), "w", fitted).ok());
    Status status = open("csv", "new.csv", settings, fitted);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(all<float>("train", "x"), (Numbers{4, 0}));
    EXPECT_FALSE(splits_.at("train")->find("label"));
    EXPECT_FALSE(splits_.at("train")->find("target"));
    ASSERT_TRUE(open("csv", "turned.csv", settings, fitted).ok());
    EXPECT_TRUE(splits_.at("train")->find(*task ? "target" : "label"));
  }
}

TEST_F(Csv, BadFilesSayWhatAndWhere) {
  auto opening = [&](const std::string &bytes, const std::string &settings) {
    write("t.csv", bytes);
    Status status = open("csv", "t.csv", settings);
    EXPECT_EQ(status.fault(), Fault::input);
    return message(status);
  };
  EXPECT_EQ(opening("a,b\n1,x\n2\n", ""), "t.csv: line 3: expected 2 fields, found 1");
  EXPECT_EQ(opening("a,b\n1,x\n2,\n", "validation=0"),
            "t.csv: line 3: expected a value in the target column b, found none ('')");
  EXPECT_EQ(opening("a,b\n1,x\n2,y\n", "target=\"c\""), "t.csv: no column is called c; there is: a, b");
  EXPECT_EQ(opening("a,b\n1,x\n2,y\n", "ignore=\"c\""), "t.csv: no column is called c; there is: a, b");
  EXPECT_EQ(opening("a,b\n1,x\n2,y\n", "ignore=\"b\""), "t.csv: b is the target: it cannot be in ignore");
  EXPECT_EQ(opening("a,b\n1,x\n2,y\n", "ignore=\"a\""), "t.csv: no column is left besides the target b");
  EXPECT_EQ(opening("a,b\n1,x\n2,3\n", "validation=0, task=\"regression\""),
            "t.csv: line 2: column b: expected a number, found 'x'");
  EXPECT_EQ(opening("a,b\n1,x\n2,3\n", "standardize_target=true"),
            "csv: standardize_target is for task=\"regression\"");
  EXPECT_EQ(opening("a,b\n1,x\n", "separator=\"::\""),
            "csv: separator is one character and no quote, got \"::\"");
  EXPECT_EQ(opening("a,b\n1,x\nu,x\nv,x\n", "max_categories=2, validation=0"),
            "t.csv: line 3: column a has 'u', which is no number, and 3 different values: expected at most 2 "
            "categories (ignore=[\"a\"] leaves it out, max_categories allows more)");
  EXPECT_EQ(
      opening("a,b\n1,x\n2,x\n3,x\n", "max_categories=2, categories=\"a\", validation=0"),
      "t.csv: column a has 3 different values: expected at most 2 categories (ignore=[\"a\"] leaves it out, "
      "max_categories allows more)");
  EXPECT_EQ(opening("a,b\n1,0\n1e39,0\n", "standardize=false, validation=0"),
            "t.csv: line 3: column a: 1e39 is too large for f32");
  ASSERT_TRUE(open("csv", "t.csv", "validation=0").ok()); // (1e39 - mean) / deviation is not
  for (const char *standardize : {"true", "false"})
    EXPECT_EQ(opening("a,b\n1,0\n-1e308,0\n3,0\n", std::string("validation=0, standardize=") + standardize),
              "t.csv: line 3: column a: -1e308 is too large: the column's mean or deviation leaves f64");
  EXPECT_EQ(opening("a,b\n1,0\n2,1e308\n", "validation=0, task=\"regression\", standardize_target=true"),
            "t.csv: line 3: column b: 1e308 is too large: the column's mean or deviation leaves f64");
  EXPECT_EQ(opening("a,b\n1,0\n+-5,0\n", "max_categories=1, validation=0").substr(0, 40),
            "t.csv: line 3: column a has '+-5', which");
  write("train.csv", "a,b\n1,x\n2,y\n");
  write("test.csv", "a,b\nu,x\n");
  std::filesystem::remove(path("t.csv"));
  EXPECT_EQ(message(open("csv", "")), "test.csv: line 2: column a: expected a number, found 'u'");
  std::string many = "a,b\n";
  for (int i = 0; i < 10001; ++i)
    many += format("0,%d.5\n", i);
  EXPECT_EQ(opening(many, "validation=0"),
            "t.csv: target b has 10001 different values: expected classes, at most 10000 "
            "(task=\"regression\" is for numbers)");
}

} // namespace
} // namespace dlc::data
