// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loading: bytes into memory, verification, then the code of every variant that this machine can run.

#include "runtime/artifact.h"
#include "runtime/device.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dlc::runtime {
namespace {

void find_missing_features(const schema::Variant *variant, variant_record &record) {
  if (const device_operations *device = device_for(variant))
    device->find_missing(variant, record.missing, sizeof(record.missing));
  else
    snprintf(record.missing, sizeof(record.missing), "a runtime with CUDA");
  record.usable = record.missing[0] == '\0';
}

// Maps a section read+execute: straight from the file when pages allow it, otherwise as a copy that is never
// writable and executable at the same time.
dlc_code_t map_code(const uint8_t *bytes, const dlc_artifact_section_t &section, int file,
                    const schema::Variant *variant, variant_record &record, dlc_status_t *status) {
  if (section.size == 0)
    return DLC_OK;
  uint64_t page = uint64_t(sysconf(_SC_PAGESIZE));
  void *mapping = MAP_FAILED;
  uint32_t imports = variant->imports() ? variant->imports()->size() : 0;
  if (file >= 0 && section.offset % page == 0 && imports == 0)
    mapping = mmap(nullptr, section.size, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, off_t(section.offset));
  if (mapping == MAP_FAILED) {
    mapping = mmap(nullptr, section.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
      return fail(status, DLC_OUT_OF_MEMORY, "cannot map %llu bytes of code: %s",
                  static_cast<unsigned long long>(section.size), strerror(errno));
    memcpy(mapping, bytes + section.offset, section.size);
    for (uint32_t i = 0; i < imports; ++i) {
      void *address = dlsym(RTLD_DEFAULT, variant->imports()->Get(i)->name()->c_str());
      memcpy(static_cast<uint8_t *>(mapping) + variant->imports()->Get(i)->slot(), &address, sizeof(address));
    }
    __builtin___clear_cache(static_cast<char *>(mapping), static_cast<char *>(mapping) + section.size);
    if (mprotect(mapping, section.size, PROT_READ | PROT_EXEC) != 0) {
      int error = errno;
      munmap(mapping, section.size);
      return fail(status, DLC_UNSUPPORTED, "this system does not let a program make code executable: %s",
                  strerror(error));
    }
  }
  record.code = static_cast<const uint8_t *>(mapping);
  record.code_mapping = mapping;
  record.code_mapping_size = section.size;
  return DLC_OK;
}

dlc_code_t load_variants(artifact *artifact, int file, dlc_status_t *status) {
  const auto *bytes = static_cast<const uint8_t *>(artifact->mapping);
  for (uint32_t i = 0; i < artifact->metadata->variants()->size(); ++i) {
    const schema::Variant *variant = artifact->metadata->variants()->Get(i);
    variant_record &record = artifact->variants[i];
    const dlc_artifact_section_t &section = artifact->sections[variant->code()];
    find_missing_features(variant, record);
    if (variant->target() == schema::Target::Cuda)
      record.code = bytes + section.offset;
    else if (record.usable)
      DLC_TRY(map_code(bytes, section, file, variant, record, status));
  }
  return DLC_OK;
}

// Takes over the mapping, also when it fails.
dlc_code_t load_mapping(void *mapping, size_t size, int file, const dlc_allocator_t *allocator,
                        dlc_artifact_t **out_artifact, dlc_status_t *status) {
  const schema::Metadata *metadata = nullptr;
  if (dlc_code_t code = verify_artifact(static_cast<uint8_t *>(mapping), size, &metadata, status);
      code != DLC_OK) {
    munmap(mapping, size);
    return code;
  }
  const dlc_allocator_t &hook = allocator ? *allocator : default_allocator();
  size_t block_size = sizeof(artifact) + metadata->variants()->size() * sizeof(variant_record);
  void *block = hook.allocate(hook.context, block_size, buffer_alignment);
  if (!block) {
    munmap(mapping, size);
    return fail(status, DLC_OUT_OF_MEMORY, "cannot allocate %zu bytes for an artifact", block_size);
  }
  memset(block, 0, block_size);
  auto *result = static_cast<artifact *>(block);
  result->references = 1;
  result->allocator = hook;
  result->mapping = mapping;
  result->mapping_size = size;
  result->size = size;
  result->metadata = metadata;
  result->sections = reinterpret_cast<const dlc_artifact_section_t *>(static_cast<uint8_t *>(mapping) +
                                                                      sizeof(dlc_artifact_header_t));
  result->variants = reinterpret_cast<variant_record *>(result + 1);
  result->bookkeeping_size = block_size;
  if (dlc_code_t code = load_variants(result, file, status); code != DLC_OK) {
    dlc_artifact_release(result);
    return code;
  }
  *out_artifact = result;
  return DLC_OK;
}

} // namespace

artifact *retain_artifact(artifact *artifact) {
  __atomic_fetch_add(&artifact->references, 1, __ATOMIC_RELAXED);
  return artifact;
}

} // namespace dlc::runtime

using namespace dlc::runtime;

dlc_code_t dlc_artifact_load_file(const char *path, const dlc_allocator_t *allocator,
                                  dlc_artifact_t **out_artifact, dlc_status_t *status) {
  *out_artifact = nullptr;
  succeed(status);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return fail(status, DLC_IO, "cannot open %s: %s", path, strerror(errno));
  struct stat information;
  if (fstat(file, &information) != 0 || !S_ISREG(information.st_mode)) {
    close(file);
    return fail(status, DLC_IO, "cannot load %s: not a regular file", path);
  }
  size_t size = size_t(information.st_size);
  if (size < sizeof(dlc_artifact_header_t)) {
    close(file);
    return fail(status, DLC_MALFORMED, "%s: not a dlc artifact: %zu bytes, at least %zu expected", path, size,
                sizeof(dlc_artifact_header_t));
  }
  void *mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (mapping == MAP_FAILED) {
    int error = errno;
    close(file);
    return fail(status, DLC_IO, "cannot map %s: %s", path, strerror(error));
  }
  dlc_status_t inner;
  dlc_code_t code = load_mapping(mapping, size, file, allocator, out_artifact, &inner);
  close(file);
  return code == DLC_OK ? DLC_OK : fail(status, code, "%s: %s", path, inner.message);
}

dlc_code_t dlc_artifact_load_memory(const void *data, size_t size, const dlc_allocator_t *allocator,
                                    dlc_artifact_t **out_artifact, dlc_status_t *status) {
  *out_artifact = nullptr;
  succeed(status);
  if (size < sizeof(dlc_artifact_header_t))
    return fail(status, DLC_MALFORMED, "not a dlc artifact: %zu bytes, at least %zu expected", size,
                sizeof(dlc_artifact_header_t));
  void *mapping = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED)
    return fail(status, DLC_OUT_OF_MEMORY, "cannot map %zu bytes for an artifact: %s", size, strerror(errno));
  memcpy(mapping, data, size);
  mprotect(mapping, size, PROT_READ);
  return load_mapping(mapping, size, -1, allocator, out_artifact, status);
}

void dlc_artifact_release(dlc_artifact_t *artifact) {
  if (!artifact || __atomic_sub_fetch(&artifact->references, 1, __ATOMIC_ACQ_REL) != 0)
    return;
  for (uint32_t i = 0; i < artifact->metadata->variants()->size(); ++i)
    if (artifact->variants[i].code_mapping)
      munmap(artifact->variants[i].code_mapping, artifact->variants[i].code_mapping_size);
  munmap(artifact->mapping, artifact->mapping_size);
  dlc_allocator_t hook = artifact->allocator;
  hook.release(hook.context, artifact, artifact->bookkeeping_size, buffer_alignment);
}
