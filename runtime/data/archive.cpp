// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/archive.h"

#include "runtime/data/file.h"

#include <algorithm>
#include <cinttypes>
#include <filesystem>
#include <mutex>
#include <sys/stat.h>
#include <zip.h>

namespace dlc::data {
namespace {

constexpr int64_t max_file_bytes = 1 << 30;

/// ".DS_Store", "__MACOSX/._a.png": of no interest, wherever they are.
bool is_hidden(const std::string &name) {
  size_t begin = name.starts_with("./") ? 2 : 0;
  return name[begin] == '.' || name.find("/.", begin) != std::string::npos ||
         name.compare(begin, 9, "__MACOSX/") == 0;
}

Status too_large(const std::string &name, uint64_t bytes) {
  return Status::input(format("%s: expected at most 1 GiB, found %" PRIu64 " bytes", name.c_str(), bytes));
}

class Folder : public Archive {
public:
  explicit Folder(std::string path) : path_(std::move(path)) {}

  Status open() {
    std::error_code error;
    using std::filesystem::directory_options;
    std::filesystem::recursive_directory_iterator entry(path_, directory_options::follow_directory_symlink,
                                                        error);
    size_t root = (std::filesystem::path(path_) / "").native().size();
    for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
      // A link that leads back up would go round for ever.
      if (entry.depth() > 16)
        return Status::input(path_ + ": folders more than 16 deep: " + entry->path().native());
      std::error_code is_file_error;
      std::string name = entry->path().native().substr(root);
      if (entry->is_regular_file(is_file_error) && !is_hidden(name))
        names_.push_back(std::move(name));
    }
    if (error)
      return Status::machine("cannot list " + path_ + ": " + error.message());
    std::sort(names_.begin(), names_.end());
    return {};
  }

  Status read(size_t index, std::vector<std::byte> &out_bytes) const override {
    InputFile file;
    DLC_DATA_TRY(file.open(name(index)));
    if (file.size() > max_file_bytes)
      return too_large(name(index), static_cast<uint64_t>(file.size()));
    out_bytes.resize(static_cast<size_t>(file.size()));
    return file.read(0, out_bytes.data(), file.size());
  }
  std::string name(size_t index) const override {
    return (std::filesystem::path(path_) / names_[index]).native();
  }

private:
  std::string path_;
};

class ZipArchive : public Archive {
public:
  explicit ZipArchive(std::string path) : path_(std::move(path)) {}
  ~ZipArchive() override {
    if (zip_)
      zip_discard(zip_);
  }

  Status open() {
    int code = 0;
    zip_ = zip_open(path_.c_str(), ZIP_RDONLY, &code);
    if (!zip_) {
      zip_error_t error;
      zip_error_init_with_code(&error, code);
      std::string reason = zip_error_strerror(&error);
      zip_error_fini(&error);
      return Status::input(path_ + ": cannot read it as a zip archive: " + reason);
    }
    std::vector<std::pair<std::string, uint64_t>> files;
    for (int64_t i = 0, count = zip_get_num_entries(zip_, 0); i < count; ++i) {
      const char *name = zip_get_name(zip_, static_cast<uint64_t>(i), 0);
      if (!name)
        return failed(path_, zip_get_error(zip_));
      std::string text = name;
      if (!text.ends_with('/') && !is_hidden(text))
        files.emplace_back(std::move(text), static_cast<uint64_t>(i));
    }
    std::sort(files.begin(), files.end());
    for (auto &[name, index] : files) {
      names_.push_back(std::move(name));
      indices_.push_back(index);
    }
    return {};
  }

  /// Reads to the very end, because only there the checksum is compared; with room for a byte more than the
  /// archive says that there are, which it grows to: a small archive may say anything.
  Status read(size_t index, std::vector<std::byte> &out_bytes) const override {
    std::lock_guard lock(mutex_); // libzip's archives are for one thread at a time
    zip_stat_t info;
    if (zip_stat_index(zip_, indices_[index], 0, &info) != 0)
      return failed(name(index), zip_get_error(zip_));
    if (info.size > static_cast<uint64_t>(max_file_bytes))
      return too_large(name(index), info.size);
    zip_file_t *file = zip_fopen_index(zip_, indices_[index], 0);
    if (!file)
      return failed(name(index), zip_get_error(zip_));
    Status status;
    constexpr uint64_t first_room = 1 << 20;
    size_t room = info.size + 1, done = 0;
    out_bytes.resize(std::min(room, first_room));
    int64_t count = 1;
    while (count > 0 && done < room) {
      if (done == out_bytes.size())
        out_bytes.resize(std::min(room, 2 * done));
      count = zip_fread(file, out_bytes.data() + done, out_bytes.size() - done);
      if (count < 0)
        status = failed(name(index), zip_file_get_error(file));
      done += static_cast<size_t>(std::max<int64_t>(count, 0));
    }
    if (status.ok() && done != info.size) {
      std::string found = done > info.size ? "more" : std::to_string(done);
      status =
          Status::input(format("%s: expected %" PRIu64 " bytes, which the archive says that it has, found %s",
                               name(index).c_str(), static_cast<uint64_t>(info.size), found.c_str()));
    }
    zip_fclose(file);
    out_bytes.resize(done);
    return status;
  }
  std::string name(size_t index) const override { return path_ + ": " + names_[index]; }

private:
  static Status failed(const std::string &name, zip_error_t *error) {
    return Status::input(name + ": cannot unpack: " + zip_error_strerror(error));
  }

  std::string path_;
  zip_t *zip_ = nullptr;
  std::vector<uint64_t> indices_; ///< In the archive, of names_.
  mutable std::mutex mutex_;
};

template <typename Kind> Status open_as(const std::string &path, std::unique_ptr<Archive> &out_archive) {
  auto archive = std::make_unique<Kind>(path);
  DLC_DATA_TRY(archive->open());
  out_archive = std::move(archive);
  return {};
}

} // namespace

Status open_archive(const std::string &path, std::unique_ptr<Archive> &out_archive) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
    return open_as<Folder>(path, out_archive);
  InputFile probe; // for the message of a file that cannot be opened
  DLC_DATA_TRY(probe.open(path));
  return open_as<ZipArchive>(path, out_archive);
}

} // namespace dlc::data
