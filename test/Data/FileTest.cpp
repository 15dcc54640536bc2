// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/file.h"

#include "test/Data/TestFiles.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

namespace dlc::data {
namespace {

using Files = FileTest;

Status replace(const std::string &path, const std::string &bytes) {
  return replace_file(path, {{bytes.data(), bytes.size() / 2},
                             {bytes.data() + bytes.size() / 2, bytes.size() - bytes.size() / 2}});
}

size_t file_count(const std::string &folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST_F(Files, ReplaceWritesTheWholeFileAndLeavesNothingBeside) {
  EXPECT_TRUE(replace(path("a"), "first").ok());
  EXPECT_TRUE(replace(path("a"), "second, longer").ok());
  EXPECT_EQ(read("a"), "second, longer");
  EXPECT_EQ(file_count(folder_), 1u);
}

// Tests that trying a target tells what replacing it would, and leaves everything as it was.
TEST_F(Files, TryingATargetFindsWhatReplacingWouldAndLeavesNothing) {
  ASSERT_TRUE(replace(path("a"), "kept").ok());
  EXPECT_TRUE(check_replaceable(path("a")).ok());
  EXPECT_TRUE(check_replaceable(path("new")).ok());
  EXPECT_EQ(read("a"), "kept");
  EXPECT_EQ(file_count(folder_), 1u);
  Status missing = check_replaceable(path("none/a")), folder = check_replaceable(folder_);
  EXPECT_EQ(missing.fault(), Fault::input);
  EXPECT_EQ(missing.message(), "cannot write " + path("none/a") + ": No such file or directory");
  EXPECT_EQ(folder.message(), "cannot write " + folder_ + ": it is a folder");
  // A pipe would block, or tell its reader that all was written.
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(check_replaceable(path("pipe")).ok());
}

// A reader that has the old file open keeps it whole: the file is replaced, not overwritten.
TEST_F(Files, ReplaceKeepsTheOldFileWholeForItsReaders) {
  ASSERT_TRUE(replace(path("a"), "the old bytes").ok());
  InputFile old;
  ASSERT_TRUE(old.open(path("a")).ok());
  ASSERT_TRUE(replace(path("a"), "NEW").ok());
  std::string bytes(13, ' ');
  ASSERT_TRUE(old.read(0, bytes.data(), 13).ok());
  EXPECT_EQ(bytes, "the old bytes");
}

TEST_F(Files, ReplaceFollowsALink) {
  ASSERT_TRUE(replace(path("a"), "x").ok());
  ASSERT_EQ(symlink(path("a").c_str(), path("link").c_str()), 0);
  ASSERT_TRUE(replace(path("link"), "y").ok());
  EXPECT_EQ(read("a"), "y");
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
}

TEST_F(Files, ReplaceWritesToADeviceDirectly) {
  EXPECT_TRUE(replace("/dev/null", "nothing").ok());
}

TEST_F(Files, AReplacedFileKeepsItsPermissions) {
  std::string file = write("private", "old");
  ASSERT_EQ(chmod(file.c_str(), 0640), 0);
  EXPECT_TRUE(replace(file, "new").ok());
  struct stat info;
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(Files, WhatCannotBeWrittenSaysWhy) {
  Status status = replace(path("no/such/a"), "x");
  EXPECT_EQ(message(status), "cannot write no/such/a: No such file or directory");
  EXPECT_EQ(status.fault(), Fault::input);
  EXPECT_EQ(replace(folder_, "x").message(), "cannot write " + folder_ + ": it is a folder");
  status = replace("/dev/full", "x");
  EXPECT_EQ(status.message(), "cannot write /dev/full: No space left on device");
  EXPECT_EQ(status.fault(), Fault::machine);
}

TEST_F(Files, WhatCannotBeOpenedSaysWhy) {
  InputFile file;
  Status status = file.open(path("missing"));
  EXPECT_EQ(message(status), "cannot open missing: No such file or directory");
  EXPECT_EQ(status.fault(), Fault::input);
  InputFile folder;
  EXPECT_EQ(folder.open(folder_).message(), "cannot open " + folder_ + ": Is a directory");
}

std::string packed(const std::string &bytes) {
  std::string out(bytes.size() + 100, '\0');
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef *>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(Files, GzipAndPlainReadTheSame) {
  std::string text;
  for (int i = 0; i < 100000; ++i)
    text += std::to_string(i * 7919LL % 10007) + " ";
  for (const std::string &file : {write("plain", text), write("packed.gz", packed(text))}) {
    std::vector<std::byte> bytes;
    ASSERT_TRUE(read_file_gz(file, bytes).ok());
    EXPECT_EQ(std::string(reinterpret_cast<char *>(bytes.data()), bytes.size()), text);
  }
}

TEST_F(Files, ATruncatedOrDamagedGzipSaysWhere) {
  std::string bytes = packed(std::string(5000, 'a') + "b");
  std::vector<std::byte> out;
  Status status = read_file_gz(write("cut.gz", bytes.substr(0, bytes.size() - 8)), out);
  EXPECT_EQ(message(status), "cut.gz: the gzip stream is truncated: it ends after 5001 unpacked bytes");
  EXPECT_EQ(status.fault(), Fault::input);
  bytes[bytes.size() - 6] ^= 1;
  EXPECT_TRUE(
      message(read_file_gz(write("crc.gz", bytes), out)).starts_with("crc.gz: cannot unpack after offset "));
  EXPECT_TRUE(out.empty());
}

// What a killed process left, an hour ago: nobody writes it any more. Of others nobody can tell.
TEST_F(Files, LeftOverTemporaryFilesAreRemoved) {
  pid_t dead = fork();
  if (dead == 0)
    _exit(0);
  waitpid(dead, nullptr, 0);
  std::string old = write("w.bin.partial-" + std::to_string(dead), "x"),
              recent = write("v.bin.partial-" + std::to_string(dead), "x"),
              alive = write("w.bin.partial-" + std::to_string(getppid()), "x"),
              other = write("ow.bin.partial-" + std::to_string(dead), "x");
  for (const std::string &file : {old, alive, other}) {
    timespec times[2] = {{time(nullptr) - 4000, 0}, {time(nullptr) - 4000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }
  for (const char *target : {"w.bin", "v.bin"})
    EXPECT_TRUE(check_replaceable(path(target)).ok());
  EXPECT_FALSE(std::filesystem::exists(old));
  for (const std::string &file : {recent, alive, other})
    EXPECT_TRUE(std::filesystem::exists(file)) << file;
}

} // namespace
} // namespace dlc::data
