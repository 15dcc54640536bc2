// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/archive.h"
#include "runtime/data/dataset.h"

#include "test/Data/Pictures.h"
#include "test/Data/TestFiles.h"

namespace dlc::data {
namespace {

namespace fs = std::filesystem;

/// A grey picture of 3 x 2 pixels, all of one value.
std::string plain(uint8_t value) {
  return make_png(2, 3, 1, std::vector<uint8_t>(6, value));
}

class Images : public FileTest {
protected:
  Status open(const std::string &path, const std::string &settings, const Encodings &fitted = {}) {
    DataSpec spec;
    Status parsed = parse_data_spec("images(\"" + path + "\"" + settings + ")", spec);
    EXPECT_TRUE(parsed.ok()) << parsed.message();
    splits_.clear();
    return open_data(spec, fitted, splits_);
  }
  void add(const std::string &name, const std::string &bytes) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    write(name, bytes);
  }
  /// The first pixel's byte and the label of every row.
  std::string rows(const std::string &split) {
    const DataSet &set = *splits_.at(split);
    std::string text;
    size_t elements = static_cast<size_t>(set.columns()[0].row_bytes()) / 4;
    for (int64_t row = 0; row < set.size(); ++row) {
      std::vector<float> image(elements);
      int32_t label = -1;
      EXPECT_TRUE(set.read(0, {&row, 1}, image.data()).ok());
      EXPECT_TRUE(set.read(1, {&row, 1}, &label).ok());
      text += format("%d:%d ", static_cast<int>(image[0] * 255 + 0.5f), label);
    }
    return text;
  }
  Splits splits_;
};

TEST_F(Images, FoldersAreSplitsAndClasses) {
  add("d/train/dog/2.png", plain(20));
  add("d/train/dog/1.PNG", plain(10));
  add("d/train/cat/1.jpeg", make_jpeg(2, 3, 1, std::vector<uint8_t>(6, 30)));
  add("d/test/dog/1.png", plain(40));
  add("d/README.txt", "no picture");
  add("d/train/.hidden.png", "no picture");
  Status status = open(path("d"), ", channels=1");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(rows("train"), "30:0 10:1 20:1 ");
  EXPECT_EQ(rows("test"), "40:1 ");
  const DataSet &train = *splits_.at("train");
  EXPECT_EQ(format_type(train.columns()[0].type, train.columns()[0].shape), "f32[1, 2, 3]");
  EXPECT_EQ(train.columns()[1].classes, 2);
  EXPECT_EQ(train.columns()[1].encoding->classes, (std::vector<std::string>{"cat", "dog"}));
  // Where they do not fit into memory, they are read when they are needed.
  ASSERT_TRUE(open(path("d"), ", channels=1, memory=0").ok());
  EXPECT_EQ(rows("train"), "30:0 10:1 20:1 ");
}

TEST_F(Images, AZipIsAFolder) {
  auto make = [&](const char *name, const std::string &around, const std::string &hidden) {
    make_zip(path(name), {{around + "train/b/1.png", plain(1)},
                          {around + "train/a/1.png", plain(2)},
                          {around + "val/b/1.png", plain(3)},
                          {hidden + "train/b/._1.png", "none"},
                          {around + ".DS_Store", "none"}});
  };
  make("d.zip", "pictures/", "__MACOSX/pictures/");
  make("e.zip", "./", "./__MACOSX/");
  ASSERT_TRUE(open(path("e.zip"), ", channels=1").ok());
  EXPECT_EQ(rows("train") + rows("val"), "2:0 1:1 3:1 ");
  for (const char *memory : {"", ", memory=0"}) {
    Status status = open(path("d.zip"), std::string(", channels=1") + memory);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(rows("train"), "2:0 1:1 ");
    EXPECT_EQ(rows("val"), "3:1 ");
  }
}

TEST_F(Images, ClassesAloneAreSplitBySeed) {
  for (int i = 0; i < 10; ++i)
    add(format("d/%s/%d.png", i % 2 ? "b" : "a", i), plain(static_cast<uint8_t>(i)));
  ASSERT_TRUE(open(path("d"), ", channels=1, validation=0.2").ok());
  // The first two of the order of batcher.h, 7 and 8 (BatcherTest.cpp); files are sorted by class.
  EXPECT_EQ(rows("validation"), "5:1 7:1 ");
  EXPECT_EQ(rows("train"), "0:0 2:0 4:0 6:0 8:0 1:1 3:1 9:1 ");
  ASSERT_TRUE(open(path("d"), ", channels=1, validation=0").ok());
  EXPECT_EQ(splits_.count("validation"), 0u);
}

TEST_F(Images, PicturesWithoutFoldersHaveNoLabels) {
  add("d/b.png", plain(2));
  add("d/a.png", plain(1));
  Encodings fitted;
  auto classes = std::make_shared<Encoding>();
  classes->classes = {"x", "y"};
  fitted["label"] = classes;
  for (const Encodings &known : {Encodings(), fitted}) {
    ASSERT_TRUE(open(path("d"), ", channels=1, validation=0", known).ok());
    EXPECT_EQ(splits_.size(), 1u);
    EXPECT_FALSE(splits_.at("train")->find("label"));
    std::vector<float> found(12);
    const int64_t both[] = {0, 1};
    ASSERT_TRUE(splits_.at("train")->read(0, both, found.data()).ok());
    EXPECT_EQ(found[0], 1 / 255.0f);
    EXPECT_EQ(found[6], 2 / 255.0f);
  }
}

TEST_F(Images, NormalisationIsPerChannel) {
  add("d/train/a/1.png", make_png(1, 2, 3, {0, 51, 102, 255, 204, 153}));
  ASSERT_TRUE(open(path("d"), ", mean=[0.5, 0.25, 0], std=[0.5, 1, 2]").ok());
  std::vector<float> found(6), expected;
  for (int byte : {0, 255})
    expected.push_back((static_cast<float>(byte) / 255.0f - 0.5f) / 0.5f);
  for (int byte : {51, 204})
    expected.push_back((static_cast<float>(byte) / 255.0f - 0.25f) / 1.0f);
  for (int byte : {102, 153})
    expected.push_back((static_cast<float>(byte) / 255.0f - 0.0f) / 2.0f);
  int64_t row = 0;
  ASSERT_TRUE(splits_.at("train")->read(0, {&row, 1}, found.data()).ok());
  EXPECT_EQ(found, expected);
  EXPECT_EQ(message(open(path("d"), ", mean=[0.5, 0.5]")), "images: mean: expected 1 or 3 numbers, found 2");
}

// What the weights say holds without settings; settings that say something else are a mistake.
TEST_F(Images, NormalisationIsThatOfTheWeights) {
  add("d/test/a/1.png", make_png(1, 1, 1, {102}));
  ASSERT_TRUE(open(path("d"), ", channels=1, mean=0.3, std=0.1").ok());
  Encodings fitted;
  ASSERT_TRUE(read_encodings(write_encodings(splits_.at("test")->encodings()), "w", fitted).ok());
  for (const char *settings : {", channels=1", ", channels=1, mean=0.3, std=0.1"}) {
    ASSERT_TRUE(open(path("d"), settings, fitted).ok());
    float found = 0;
    const int64_t row = 0;
    ASSERT_TRUE(splits_.at("test")->read(0, {&row, 1}, &found).ok());
    EXPECT_NEAR(found, 1, 1e-5f);
  }
  EXPECT_EQ(message(open(path("d"), ", channels=1, mean=0.3", fitted)),
            "images: mean=[0.3], std=[1] are not those that the weights were trained with: mean=[0.3], "
            "std=[0.1]");
  // Of weights that were trained without.
  ASSERT_TRUE(open(path("d"), ", channels=1").ok());
  ASSERT_TRUE(read_encodings(write_encodings(splits_.at("test")->encodings()), "w", fitted = {}).ok());
  EXPECT_EQ(
      message(open(path("d"), ", channels=1, mean=0.3", fitted)),
      "images: mean=[0.3], std=[1] are not those that the weights were trained with: mean=[0], std=[1]");
}

// Offsets and flips are those of the formula in dataset.h, written out in Python (test/Data/draws.py); what
// lies outside is black, and nothing else changes a pixel.
TEST_F(Images, AugmentationIsTheDocumentedOne) {
  std::vector<uint8_t> bytes(30);
  for (size_t i = 0; i < 30; ++i)
    bytes[i] = static_cast<uint8_t>(i + 1);
  for (int i = 0; i < 3; ++i) {
    add(format("d/train/a/%d.png", i), make_png(5, 6, 1, bytes));
    add(format("d/test/a/%d.png", i), make_png(5, 6, 1, bytes));
  }
  ASSERT_TRUE(open(path("d"), ", channels=1, crop=2, flip=true").ok());
  constexpr int drawn[2][3][3] = {{{3, 3, 1}, {4, 1, 0}, {3, 0, 1}}, {{3, 2, 1}, {2, 1, 1}, {2, 4, 0}}};
  for (int64_t epoch = 0; epoch < 2; ++epoch)
    for (int64_t row = 0; row < 3; ++row) {
      Draws draws = {3, epoch};
      std::vector<float> found(30), evaluated(30);
      ASSERT_TRUE(splits_.at("train")->read(0, {&row, 1}, found.data(), &draws).ok());
      const int *offsets = drawn[epoch][row];
      for (int y = 0; y < 5; ++y)
        for (int x = 0; x < 6; ++x) {
          int from_y = y + offsets[0] - 2, from_x = (offsets[2] ? 5 - x : x) + offsets[1] - 2;
          bool inside = from_y >= 0 && from_y < 5 && from_x >= 0 && from_x < 6;
          EXPECT_EQ(found[static_cast<size_t>(y * 6 + x)],
                    inside ? static_cast<float>(from_y * 6 + from_x + 1) / 255.0f : 0.0f);
        }
      // Not in an evaluation, and not in other splits.
      for (const char *split : {"train", "test"}) {
        ASSERT_TRUE(
            splits_.at(split)->read(0, {&row, 1}, evaluated.data(), split[1] == 'e' ? &draws : nullptr).ok());
        for (size_t i = 0; i < 30; ++i)
          EXPECT_EQ(evaluated[i], static_cast<float>(i + 1) / 255.0f);
      }
    }
}

TEST_F(Images, SizesAreTheSameUnlessResized) {
  add("d/train/a/1.png", plain(10));
  add("d/train/a/2.png", make_png(4, 4, 1, std::vector<uint8_t>(16, 99)));
  EXPECT_EQ(message(open(path("d"), "")),
            "d/train/a/2.png: expected a picture of 3 x 2, found 4 x 4 (resize=true scales it)");
  EXPECT_EQ(message(open(path("d"), ", width=4, height=4")),
            "d/train/a/1.png: expected a picture of 4 x 4, found 3 x 2 (resize=true scales it)");
  EXPECT_EQ(message(open(path("d"), ", resize=true")),
            "images: expected width and height together, and both with resize");
  EXPECT_EQ(message(open(path("d"), ", width=3")),
            "images: expected width and height together, and both with resize");
  ASSERT_TRUE(open(path("d"), ", width=5, height=3, resize=true, channels=1").ok());
  EXPECT_EQ(rows("train"), "10:0 99:0 ");
  EXPECT_EQ(splits_.at("train")->columns()[0].shape, (Shape{1, 3, 5}));
}

TEST_F(Images, BadFilesSayWhatAndWhere) {
  EXPECT_EQ(message(open(path("none"), "")), "cannot open none: No such file or directory");
  EXPECT_EQ(message(open(path("none"), ", channels=2")), "images: channels: expected 1 (grey) or 3, got 2");
  fs::create_directories(path("d"));
  EXPECT_EQ(message(open(folder_ + "/d", "")),
            "d: no pictures: expected <split>/<class>/<name>, "
            "<class>/<name> or <name> with the ending .jpg, .jpeg or .png, "
            "found 0 other files");
  add("d/a/b/c/1.png", plain(1));
  add("d/e/b/c/1.png", plain(1));
  EXPECT_EQ(
      message(open(path("d"), "")),
      "d/a/b/c/1.png: expected all pictures as <split>/<class>/<name>, all as <class>/<name>, or all as "
      "<name>");
  fs::remove_all(path("d/a"));
  fs::remove_all(path("d/e"));
  add("d/train/a/1.png", plain(1));
  add("d/z/1.png", plain(1));
  EXPECT_EQ(message(open(path("d"), "")),
            "d/z/1.png: expected all pictures as <split>/<class>/<name>, all as <class>/<name>, or all as "
            "<name>; the first is d/train/a/1.png");
  fs::remove(path("d/z/1.png"));
  add("d/test/b/1.png", plain(1));
  EXPECT_EQ(message(open(path("d"), "")), "d/test/b/1.png: class b is not one of the 1 of the training: a");
  fs::remove_all(path("d/test"));
  add("d/validation/a/1.png", plain(1));
  EXPECT_EQ(message(open(path("d"), ", validation=0.5")),
            "d: there is a folder validation: expected validation=0");
  write("d/train/a/1.png", plain(1).substr(0, 60));
  EXPECT_EQ(message(open(path("d"), "")), "d/train/a/1.png: damaged PNG: read beyond end of data");
  add("l/train/caf\xe9/1.png", plain(1));
  EXPECT_EQ(message(open(path("l"), "")), "l/train/caf\xe9/1.png: the name of the class is no UTF-8");
  // Classes of trained weights.
  write("d/train/a/1.png", plain(1));
  auto classes = std::make_shared<Encoding>();
  classes->classes = {"x", "a"};
  ASSERT_TRUE(open(path("d"), ", channels=1", {{"label", classes}}).ok());
  EXPECT_EQ(rows("train"), "1:1 ");
}

TEST_F(Images, FoldersThatCannotBeListedSayWhy) {
  add("d/train/a/1.png", plain(1));
  fs::resize_file(path("d/train/a/1.png"), (int64_t{1} << 30) + 1);
  EXPECT_EQ(message(open(path("d"), "")), "d/train/a/1.png: expected at most 1 GiB, found 1073741825 bytes");
  fs::create_directory_symlink("..", path("d/train/up"));
  EXPECT_TRUE(message(open(path("d"), "")).starts_with("d: folders more than 16 deep: d/train/up/train/up/"));
  NoMoreFiles limit;
  Status status = open(path("d"), "");
  EXPECT_EQ(message(status), "cannot list d: Too many open files");
  EXPECT_EQ(status.fault(), Fault::machine);
}

// What an archive says of a file's size, and what it holds.
TEST_F(Images, SizesInArchivesAreChecked) {
  std::string picture = plain(1) + std::string(5000, '\0'); // the end is packed
  make_zip(path("good.zip"), {{"a/1.png", picture}});
  ASSERT_TRUE(open(path("good.zip"), ", channels=1, validation=0").ok());
  std::string bytes = read("good.zip");
  size_t directory = bytes.find("PK\1\2");
  ASSERT_NE(directory, std::string::npos);
  auto opening = [&](uint32_t size) {
    for (size_t i = 0; i < 4; ++i)
      bytes[directory + 24 + i] = static_cast<char>(size >> 8 * i);
    write("bad.zip", bytes);
    return message(open(path("bad.zip"), ""));
  };
  EXPECT_EQ(opening((1u << 30) + 1), "bad.zip: a/1.png: expected at most 1 GiB, found 1073741825 bytes");
  EXPECT_EQ(opening(100),
            "bad.zip: a/1.png: expected 100 bytes, which the archive says that it has, found more");
  EXPECT_EQ(opening(10000), format("bad.zip: a/1.png: expected 10000 bytes, which the archive says that it "
                                   "has, found %zu",
                                   picture.size()));
}

// Truncated and changed archives are refused, or read as they are; none crashes.
// Rooms for a member grow twice on the way to 3 MiB.
TEST_F(Images, LargeMembersAreWhole) {
  std::string bytes;
  for (size_t i = 0; i < 3 << 20; ++i)
    bytes += static_cast<char>(i * i / 5);
  make_zip(path("large.zip"), {{"a/1.png", bytes}});
  std::unique_ptr<Archive> archive;
  ASSERT_TRUE(open_archive(path("large.zip"), archive).ok());
  std::vector<std::byte> found;
  Status status = archive->read(0, found);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(bytes, std::string(reinterpret_cast<char *>(found.data()), found.size()));
}

TEST_F(Images, DamagedArchivesAreRefused) {
  make_zip(path("good.zip"), {{"a/1.png", plain(1)}, {"b/1.png", plain(2)}});
  std::string good = read("good.zip");
  write("bad.zip", good.substr(0, 100));
  EXPECT_EQ(message(open(path("bad.zip"), "")),
            "bad.zip: cannot read it as a zip archive: Not a zip archive");
  write("bad.zip", "");
  EXPECT_EQ(message(open(path("bad.zip"), "")),
            "bad.zip: cannot read it as a zip archive: Not a zip archive");
  std::string damaged = good;
  damaged[45] = static_cast<char>(damaged[45] ^ 1); // in the packed bytes of the first picture
  write("bad.zip", damaged);
  EXPECT_EQ(message(open(path("bad.zip"), "")).substr(0, 32), "bad.zip: a/1.png: cannot unpack:");
  for (size_t i = 0; i < good.size(); ++i) {
    damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
    write("bad.zip", damaged);
    Status status = open(path("bad.zip"), ", channels=1, validation=0");
    EXPECT_TRUE(status.ok() || status.fault() == Fault::input) << i;
    write("bad.zip", good.substr(0, i));
    EXPECT_FALSE(open(path("bad.zip"), "").ok()) << i;
  }
}

} // namespace
} // namespace dlc::data
