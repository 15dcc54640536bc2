// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dlc::data {
namespace {

TEST(Settings, EveryFormOfAValueIsRead) {
  DataSpec spec;
  Status status = parse_data_spec(R"(images ("a \"b\"\n", crop=4, share = 0.25, flip=true,mean=[0.5, -1e-3],)"
                                  R"( classes=["a","b"], one="x"))",
                                  spec);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(spec.loader, "images");
  EXPECT_EQ(spec.path, "a \"b\"\n");
  EXPECT_EQ(spec.settings.integer("crop", 0), 4);
  EXPECT_EQ(spec.settings.integer("width", 7), 7);
  EXPECT_EQ(spec.settings.number("share", 0), 0.25);
  EXPECT_TRUE(spec.settings.flag("flip", false));
  EXPECT_EQ(spec.settings.numbers("mean"), (std::vector<double>{0.5, -1e-3}));
  EXPECT_EQ(spec.settings.texts("classes"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(spec.settings.text("one", ""), "x");
  ASSERT_TRUE(parse_data_spec("csv(ignore=[], categories=[\"a\",])", spec).ok());
  EXPECT_TRUE(spec.settings.has("ignore"));
  EXPECT_TRUE(spec.settings.texts("ignore").empty());
  EXPECT_EQ(spec.settings.texts("categories"), std::vector<std::string>{"a"});
  ASSERT_TRUE(parse_data_spec("text()", spec).ok());
  EXPECT_TRUE(spec.path.empty());
}

TEST(Settings, WhatIsNoFormSaysWhere) {
  DataSpec spec;
  auto parsing = [&](const std::string &text) { return parse_data_spec(text, spec).message(); };
  EXPECT_EQ(parsing("text(\"a\""), "text(\"a\": expected ',' or ')' at character 9, found the end");
  EXPECT_EQ(
      parsing("text(\"a\", \"b\")"),
      "text(\"a\", \"b\"): expected one path, and everything else as key=value at character 11, found '\"'");
  EXPECT_EQ(parsing("(window)"), "(window): expected a loader and '(' at character 1, found '('");
  EXPECT_EQ(parsing("text(window)"), "text(window): expected key=value at character 12, found ')'");
  EXPECT_EQ(parsing("text(window=x)"),
            "text(window=x): expected a number, true, false or a \"string\" at character 13, found 'x'");
  EXPECT_EQ(parsing("text(window=nan)"),
            "text(window=nan): expected a number, true, false or a \"string\" at character 13, found 'n'");
  EXPECT_EQ(parsing("text(window=1, window=2)"), "text(window=1, window=2): window is set twice");
  EXPECT_EQ(parsing("text(window=[1)"), "text(window=[1): expected ',' or ']' at character 15, found ')'");
  EXPECT_EQ(parsing("text(unit=\"a)"),
            "text(unit=\"a): expected '\"' at the end of the string at character 14, found the end");
  EXPECT_EQ(parsing("text() x"), "text() x: expected nothing behind ')' at character 8, found 'x'");
  EXPECT_FALSE(is_data_spec("a/b(c)"));
  EXPECT_FALSE(is_data_spec("(c)"));
  EXPECT_FALSE(is_data_spec("text"));
  EXPECT_TRUE(is_data_spec("text(window=1)"));
  EXPECT_TRUE(is_data_spec("text(window=1")); // a form without its end, no file's name
  EXPECT_FALSE(is_data_spec("folder(1"));
}

TEST(Settings, UnknownOnesAndWrongValuesAreRefused) {
  Splits splits;
  auto opening = [&](const std::string &text) {
    DataSpec spec;
    Status status = parse_data_spec(text, spec);
    EXPECT_TRUE(status.ok()) << status.message();
    status = open_data(spec, {}, splits);
    EXPECT_EQ(status.fault(), Fault::input);
    return status.message();
  };
  EXPECT_EQ(opening("mnits(\"x\")"),
            "no data loader is called mnits; there is: " + join(loader_names()) + " (did you mean mnist?)");
  EXPECT_EQ(opening("mnist(\"x\", flip=true)"),
            "mnist has no setting flip; it has: classes, prefix, split_seed, validation");
  EXPECT_EQ(opening("text(\"x\", windw=3)"), "text has no setting windw; it has: starts, unit, validation, "
                                             "vocabulary, window (did you mean window?)");
  EXPECT_EQ(opening("text(\"x\", window=0)"), "text: window is an int of at least 1, got 0");
  EXPECT_EQ(opening("text(\"x\", window=1.5)"), "text: window is an int, got 1.5");
  EXPECT_EQ(opening("text(\"x\", window=\"a\")"), "text: window is an int, got \"a\"");
  EXPECT_EQ(opening("text(\"x\", window=[1, 2])"), "text: window is an int, got a list of 2");
  EXPECT_EQ(opening("text(\"x\", validation=0.95)"),
            "text: validation is a number of at least 0 and at most 0.9, got 0.95");
  EXPECT_EQ(opening("text(\"x\", unit=\"line\")"), "text: unit is one of char, word, got \"line\"");
  EXPECT_EQ(opening("images(\"x\", mean=\"grey\")"),
            "images: mean is a number or a list of numbers, got \"grey\"");
  EXPECT_EQ(opening("csv(\"x\", ignore=3)"), "csv: ignore is a string or a list of strings, got 3");
  EXPECT_EQ(opening("text(\"x\", unit=true)"), "text: unit is a string, got true");
}

// The compiler and nearest-name search rely on it.
TEST(Settings, TheTableIsSorted) {
  auto by_name = [](const auto &a, const auto &b) { return a.name < b.name; };
  EXPECT_TRUE(std::is_sorted(std::begin(loader_signatures), std::end(loader_signatures), by_name));
  for (const LoaderSignature &loader : loader_signatures)
    EXPECT_TRUE(std::is_sorted(loader.settings.begin(), loader.settings.end(), by_name)) << loader.name;
}

} // namespace
} // namespace dlc::data
