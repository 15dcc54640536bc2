// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/file.h"

#include <cerrno>
#include <cinttypes>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace dlc::data {

std::string system_message(int error) {
  char buffer[256];
  // The GNU variant returns the text; the POSIX one fills the buffer and returns a number.
  struct Text {
    static const char *from(const char *text, const char *) { return text; }
    static const char *from(int, const char *buffer) { return buffer; }
  };
  buffer[0] = '\0';
  return Text::from(strerror_r(error, buffer, sizeof buffer), buffer);
}

namespace {
Status open_failure(const std::string &path, int error) {
  std::string message = "cannot open " + path + ": " + system_message(error);
  bool users = error == ENOENT || error == ENOTDIR || error == EISDIR || error == EACCES ||
               error == ENAMETOOLONG || error == ELOOP;
  return users ? Status::input(message) : Status::machine(message);
}
} // namespace

InputFile::~InputFile() {
  if (descriptor_ >= 0)
    close(descriptor_);
}

Status InputFile::open(const std::string &path) {
  path_ = path;
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    return open_failure(path, errno);
  struct stat info;
  if (fstat(descriptor_, &info) != 0)
    return Status::machine("cannot examine " + path + ": " + system_message(errno));
  if (S_ISDIR(info.st_mode))
    return open_failure(path, EISDIR);
  size_ = info.st_size;
  return {};
}

Status InputFile::read(int64_t offset, void *out, int64_t size) const {
  int64_t done = 0;
  while (done < size) {
    ssize_t count =
        pread(descriptor_, static_cast<char *>(out) + done, static_cast<size_t>(size - done), offset + done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return Status::machine(format("cannot read %s at offset %" PRId64 ": %s", path_.c_str(), offset + done,
                                    system_message(errno).c_str()));
    if (count == 0)
      return Status::input(format("%s: truncated: expected %" PRId64 " bytes at offset %" PRId64
                                  ", found %" PRId64,
                                  path_.c_str(), size, offset, done));
    done += count;
  }
  return {};
}

Status read_file_gz(const std::string &path, std::vector<std::byte> &out_bytes) {
  InputFile probe;
  DLC_DATA_TRY(probe.open(path));
  // zlib reads a file that is not gzip as it is.
  gzFile file = gzopen(path.c_str(), "rbe");
  if (!file)
    return open_failure(path, errno ? errno : ENOMEM);
  gzbuffer(file, 1 << 17);
  bool packed = gzdirect(file) == 0;
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<size_t>(packed ? probe.size() * 4 : probe.size()) + 1);
  for (;;) {
    size_t done = bytes.size();
    bytes.resize(std::max(bytes.capacity(), done + (1 << 16)));
    size_t room = std::min<size_t>(bytes.size() - done, 1u << 30);
    int count = gzread(file, bytes.data() + done, static_cast<unsigned>(room));
    if (count < 0) {
      int code = 0;
      std::string reason = gzerror(file, &code);
      if (code == Z_ERRNO)
        reason = system_message(errno);
      gzclose(file);
      std::string message =
          format("%s: cannot unpack after offset %zu (unpacked): %s", path.c_str(), done, reason.c_str());
      return code == Z_ERRNO ? Status::machine(message) : Status::input(message);
    }
    bytes.resize(done + static_cast<size_t>(count));
    if (count == 0)
      break;
  }
  // A stream that ends early gives its bytes first and this error at the end.
  int code = 0;
  gzerror(file, &code);
  gzclose(file);
  if (code == Z_BUF_ERROR)
    return Status::input(format("%s: the gzip stream is truncated: it ends after %zu unpacked bytes",
                                path.c_str(), bytes.size()));
  out_bytes = std::move(bytes);
  return {};
}

namespace {
Status write_all(int descriptor, const std::string &path, const std::vector<Piece> &pieces) {
  for (const Piece &piece : pieces) {
    size_t done = 0;
    while (done < piece.size) {
      ssize_t count = write(descriptor, static_cast<const char *>(piece.bytes) + done, piece.size - done);
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return Status::machine("cannot write " + path + ": " + system_message(errno));
      done += static_cast<size_t>(count);
    }
  }
  return {};
}

/// Makes the renaming itself durable. Some file systems cannot sync a folder; the file is whole either way.
void sync_folder(const std::string &path) {
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return;
  fsync(descriptor);
  close(descriptor);
}

/// The end of a temporary file's name, before the process's number.
constexpr std::string_view partial = ".partial-";

/// Where the bytes of a file to be replaced go first.
struct Target {
  std::string path;           ///< With symbolic links followed.
  std::string written;        ///< The temporary file beside it, or path itself when direct.
  bool direct = false;        ///< A pipe, a device: it is written to, not replaced.
  std::optional<mode_t> mode; ///< The permissions of the file that is there.
};

Status find_target(const std::string &path, Target &out) {
  out.path = path;
  if (char *resolved = realpath(path.c_str(), nullptr)) {
    out.path = resolved;
    free(resolved);
  }
  struct stat info;
  bool exists = stat(out.path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode))
    return Status::input("cannot write " + path + ": it is a folder");
  out.direct = exists && !S_ISREG(info.st_mode);
  if (exists && !out.direct)
    out.mode = info.st_mode & 0777;
  out.written = out.direct ? out.path : out.path + std::string(partial) + std::to_string(getpid());
  return {};
}

/// Removes temporary files of this target whose process was killed while it wrote; on a folder that several
/// machines share, none that may still be written.
void remove_left_over(const Target &target) {
  constexpr time_t surely_dead = 3600; // seconds since it was last written
  std::filesystem::path file = target.path;
  std::string prefix = file.filename().native() + std::string(partial);
  std::error_code error;
  std::filesystem::directory_iterator entry(file.has_parent_path() ? file.parent_path() : ".", error), end;
  for (; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().native();
    struct stat info;
    if (!name.starts_with(prefix) || stat(entry->path().c_str(), &info) != 0)
      continue;
    pid_t process = atoi(name.c_str() + prefix.size());
    if (process > 0 && kill(process, 0) != 0 && errno == ESRCH && time(nullptr) - info.st_mtime > surely_dead)
      unlink(entry->path().c_str());
  }
}

Status open_target(const std::string &path, const Target &target, int &out_descriptor) {
  out_descriptor = open(target.written.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out_descriptor >= 0) {
    // Not every file system has permissions; the bytes count.
    if (target.mode)
      (void)fchmod(out_descriptor, *target.mode);
    return {};
  }
  int error = errno;
  std::string message = "cannot write " + path + ": " + system_message(error);
  bool users =
      error == ENOENT || error == ENOTDIR || error == EACCES || error == EISDIR || error == ENAMETOOLONG;
  return users ? Status::input(message) : Status::machine(message);
}
} // namespace

Status check_replaceable(const std::string &path) {
  Target target;
  DLC_DATA_TRY(find_target(path, target));
  if (target.direct)
    return {};
  int descriptor = -1;
  DLC_DATA_TRY(open_target(path, target, descriptor));
  close(descriptor);
  unlink(target.written.c_str());
  remove_left_over(target);
  return {};
}

Status check_not_source(const std::string &output, const std::string &source) {
  struct stat written, read;
  bool same = stat(output.c_str(), &written) == 0 && stat(source.c_str(), &read) == 0 &&
              S_ISREG(read.st_mode) && written.st_dev == read.st_dev && written.st_ino == read.st_ino;
  return same ? Status::input("cannot write " + output + ": it is the file " + source + " that is read")
              : Status();
}

Status replace_file(const std::string &path, const std::vector<Piece> &pieces) {
  Target target;
  DLC_DATA_TRY(find_target(path, target));
  int descriptor = -1;
  DLC_DATA_TRY(open_target(path, target, descriptor));
  Status status = write_all(descriptor, path, pieces);
  if (status.ok() && !target.direct && fsync(descriptor) != 0)
    status = Status::machine("cannot write " + path + " to the disk: " + system_message(errno));
  if (close(descriptor) != 0 && status.ok())
    status = Status::machine("cannot write " + path + ": " + system_message(errno));
  if (target.direct)
    return status;
  if (status.ok() && rename(target.written.c_str(), target.path.c_str()) != 0)
    status = Status::machine("cannot replace " + path + ": " + system_message(errno));
  if (!status.ok()) {
    unlink(target.written.c_str());
    return status;
  }
  sync_folder(target.path);
  return {};
}

} // namespace dlc::data
