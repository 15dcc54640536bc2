// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mutate [FILE.dla] [COUNT] [SEED]: damages an artifact in COUNT ways, half of them with the checksum made
// right again, loads and prepares each, and runs those whose code and schedule are untouched. Whatever
// happens must be a status: the program is meant to run under AddressSanitizer and
// UndefinedBehaviorSanitizer. Without a file it takes a hand-made model.

#include "artifact_generated.h"
#include "runtime/schema/artifact_header.h"
#include "test/Runtime/Models.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

using namespace dlc;

namespace {

/// Everything about an artifact that decides what kernels are called with which addresses: code, constants,
/// schedules, shapes, expressions. Two artifacts with the same fingerprint run the same.
class Fingerprint {
public:
  static std::string of(const std::string &bytes) {
    Fingerprint result(bytes);
    result.addMetadata(*schema::GetMetadata(bytes.data() + result.header.metadata_offset));
    return std::move(result.text);
  }

private:
  explicit Fingerprint(const std::string &bytes) : bytes(bytes) {
    std::memcpy(&header, bytes.data(), sizeof(header));
  }

  template <typename... T> void add(T... values) {
    (text.append(std::to_string(int64_t(values))).append(","), ...);
  }

  template <typename T> void addScalars(const flatbuffers::Vector<T> *values) {
    add(values ? values->size() : 0);
    for (uint32_t i = 0; values && i < values->size(); ++i)
      add(values->Get(i));
  }

  void addSection(int32_t index) {
    if (index < 0)
      return add(-1);
    dlc_artifact_section_t section;
    std::memcpy(&section, bytes.data() + sizeof(header) + size_t(index) * sizeof(section), sizeof(section));
    text.append(bytes, section.offset, section.size);
  }

  void addValues(const flatbuffers::Vector<flatbuffers::Offset<schema::Value>> &values) {
    add(values.size());
    for (const schema::Value *value : values) {
      add(value->dtype());
      addScalars(value->dims());
    }
  }

  void addCommand(const schema::Command &command) {
    add(command.kind(), command.kernel(), command.groups());
    add(command.bindings() ? command.bindings()->size() : 0);
    for (uint32_t b = 0; command.bindings() && b < command.bindings()->size(); ++b) {
      const schema::Binding *binding = command.bindings()->Get(b);
      add(binding->kind(), binding->index(), binding->access(), binding->offset(), binding->extent());
      add(binding->terms() ? binding->terms()->size() : 0);
      for (uint32_t t = 0; binding->terms() && t < binding->terms()->size(); ++t)
        add(binding->terms()->Get(t)->stride(), binding->terms()->Get(t)->modulus(),
            binding->terms()->Get(t)->bias());
    }
  }

  void addVariant(const schema::Variant &variant) {
    add(variant.target());
    addSection(int32_t(variant.code()));
    addSection(variant.constants());
    for (const schema::Kernel *kernel : *variant.kernels())
      add(kernel->code_offset(), kernel->scratch());
    for (uint32_t i = 0; variant.imports() && i < variant.imports()->size(); ++i) {
      text.append(variant.imports()->Get(i)->name()->str());
      add(variant.imports()->Get(i)->slot());
    }
    for (const schema::StateLayout *layout : *variant.layouts())
      addScalars(layout->permutation());
    for (const schema::Plan *plan : *variant.plans()) {
      add(plan->buffers()->size());
      for (const schema::Buffer *buffer : *plan->buffers()) {
        add(buffer->size());
        addScalars(buffer->conflicts());
      }
      add(plan->commands()->size());
      for (const schema::Command *command : *plan->commands())
        addCommand(*command);
    }
  }

  void addMetadata(const schema::Metadata &metadata) {
    for (const schema::Instruction *instruction : *metadata.instructions())
      add(instruction->op(), instruction->value());
    for (const schema::Expression *expression : *metadata.expressions())
      add(expression->first(), expression->count());
    for (const schema::Entry *entry : *metadata.entries()) {
      add(entry->kind(), entry->symbols()->size());
      addValues(*entry->arguments());
      addValues(*entry->results());
      for (uint32_t i = 0; entry->constraints() && i < entry->constraints()->size(); ++i)
        add(entry->constraints()->Get(i)->value());
    }
    for (const schema::State *state : *metadata.states()) {
      add(state->dtype(), state->role());
      addScalars(state->dims());
    }
    for (const schema::Variant *variant : *metadata.variants())
      addVariant(*variant);
  }

  const std::string &bytes;
  dlc_artifact_header_t header;
  std::string text;
};

/// Damages `bytes` in one to four places, mostly where the structure is.
void damage(std::string &bytes, std::mt19937_64 &random) {
  dlc_artifact_header_t header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  size_t structure = std::min(bytes.size(), size_t(header.metadata_offset + header.metadata_size));
  static const uint64_t interesting[] = {
      0, 1, 2, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000ull, ~0ull >> 1, ~0ull};
  for (uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
    size_t limit = random() % 8 == 0 ? bytes.size() : random() % 8 == 1 ? header.header_size : structure;
    size_t offset = random() % limit;
    size_t room = bytes.size() - offset;
    switch (random() % 6) {
    case 0:
      bytes[offset] ^= char(1 << random() % 8);
      break;
    case 1:
      bytes[offset] = char(random());
      break;
    case 2: { // a number of 1, 2, 4 or 8 bytes
      uint64_t value = interesting[random() % std::size(interesting)];
      size_t width = size_t(1) << random() % 4;
      std::memcpy(bytes.data() + offset / width * width, &value,
                  std::min(width, bytes.size() - offset / width * width));
      break;
    }
    case 3: { // a small change of a 4-byte number: an index or offset next to the right one
      uint32_t value;
      offset = std::min(offset / 4 * 4, bytes.size() - 4);
      std::memcpy(&value, bytes.data() + offset, 4);
      value += uint32_t(random() % 9) - 4;
      std::memcpy(bytes.data() + offset, &value, 4);
      break;
    }
    case 4: { // bytes from elsewhere
      size_t length = std::min<size_t>(room, 1 + random() % 32);
      size_t source = random() % (bytes.size() - length + 1);
      std::memmove(bytes.data() + offset, bytes.data() + source, length);
      break;
    }
    case 5:
      std::memset(bytes.data() + offset, random() % 2 ? 0 : 0xff, std::min<size_t>(room, 1 + random() % 16));
      break;
    }
  }
}

/// No mutant may take the machine's memory: sizes above 256 MiB are refused.
void *allocateLittle(void *, size_t size, size_t alignment) {
  return size > (size_t(256) << 20)
             ? nullptr
             : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void releaseLittle(void *, void *pointer, size_t, size_t) {
  std::free(pointer);
}

struct Counts {
  int refused = 0, loaded = 0, prepared = 0, ran = 0;
};

/// Runs a prepared entry on zeros.
bool runPrepared(const dlc_artifact_t *artifact, int32_t entry, const int64_t *dims,
                 dlc_prepared_t *prepared) {
  dlc_entry_info_t info;
  dlc_artifact_entry(artifact, entry, &info, nullptr);
  std::vector<std::vector<uint64_t>> memory;
  std::vector<dlc_tensor_t> tensors;
  auto addTensor = [&](dlc_tensor_t shape) {
    uint64_t size = dlc_dtype_size(shape.dtype);
    for (int32_t axis = 0; axis < shape.rank; ++axis)
      size *= uint64_t(shape.dims[axis]);
    memory.emplace_back(size / 8 + 1);
    shape.data = memory.back().data();
    tensors.push_back(shape);
  };
  for (int32_t i = 0; i < info.argument_count; ++i) {
    dlc_value_info_t value;
    dlc_entry_argument(artifact, entry, i, &value, nullptr);
    dlc_tensor_t shape = {nullptr, value.dtype, value.rank, {}};
    for (int32_t axis = 0; axis < value.rank; ++axis)
      if (dlc_expression_evaluate(artifact, value.dims[axis], entry, dims, &shape.dims[axis], nullptr) !=
          DLC_OK)
        return false;
    addTensor(shape);
  }
  for (int32_t i = 0; i < info.result_count; ++i) {
    dlc_tensor_t shape;
    if (dlc_entry_result_shape(artifact, entry, i, dims, &shape, nullptr) != DLC_OK)
      return false;
    addTensor(shape);
  }
  return dlc_prepared_run(prepared, tensors.data(), info.argument_count, tensors.data() + info.argument_count,
                          info.result_count, nullptr) == DLC_OK;
}

/// The name, the symbols, the arguments and the results of an entry.
size_t inspectSignature(const dlc_artifact_t *artifact, int32_t entry) {
  dlc_entry_info_t info;
  if (dlc_artifact_entry(artifact, entry, &info, nullptr) != DLC_OK)
    return 0;
  size_t length = std::strlen(info.name);
  for (int32_t s = 0; s < info.symbol_count; ++s) {
    dlc_symbol_info_t symbol;
    if (dlc_entry_symbol(artifact, entry, s, &symbol, nullptr) == DLC_OK)
      length += std::strlen(symbol.name);
  }
  for (int32_t i = 0; i < info.argument_count + info.result_count; ++i) {
    dlc_value_info_t value;
    dlc_code_t code = i < info.argument_count
                          ? dlc_entry_argument(artifact, entry, i, &value, nullptr)
                          : dlc_entry_result(artifact, entry, i - info.argument_count, &value, nullptr);
    if (code != DLC_OK)
      continue;
    length += std::strlen(value.name) + (value.places_file ? std::strlen(value.places_file) : 0);
    char text[100];
    for (int32_t axis = 0; axis < value.rank; ++axis)
      length += dlc_expression_format(artifact, value.dims[axis], entry, text, sizeof(text));
  }
  return length;
}

/// Walks everything that can be asked, so that a bad string or index would be touched.
void inspectAll(const dlc_artifact_t *artifact) {
  dlc_artifact_info_t info;
  dlc_artifact_info(artifact, &info);
  size_t length =
      std::strlen(info.compiler_version) + std::strlen(info.source_name) + std::strlen(info.flags);
  for (int32_t v = 0; v < info.variant_count; ++v) {
    dlc_variant_info_t variant;
    if (dlc_artifact_variant(artifact, v, &variant, nullptr) == DLC_OK)
      length += std::strlen(variant.name) + std::strlen(variant.device) + std::strlen(variant.missing);
  }
  for (int32_t e = 0; e < info.entry_count; ++e)
    length += inspectSignature(artifact, e);
  for (int32_t e = 0; e < info.entry_count; ++e)
    for (int32_t v = 0; v < info.variant_count; ++v)
      for (int32_t d = 0; d < dlc_variant_dispatch_count(artifact, v, e); ++d) {
        dlc_dispatch_info_t dispatch;
        char text[100];
        if (dlc_variant_dispatch(artifact, v, e, d, &dispatch, nullptr) == DLC_OK)
          length += std::strlen(dispatch.kernel) + std::strlen(dispatch.source_file) +
                    dlc_expression_format(artifact, dispatch.flops, e, text, sizeof(text));
      }
  for (int32_t s = 0; s < info.state_count; ++s) {
    dlc_state_info_t state;
    if (dlc_artifact_state(artifact, s, &state, nullptr) == DLC_OK)
      length += std::strlen(state.name);
  }
  for (int32_t f = 0; f < info.fit_count; ++f) {
    dlc_fit_info_t fit;
    if (dlc_artifact_fit(artifact, f, &fit, nullptr) == DLC_OK)
      length += std::strlen(fit.key) + std::strlen(fit.text);
  }
  if (length == size_t(-1))
    std::abort(); // keeps the walk alive under optimization
}

void exercise(dlc_artifact_t *artifact, bool runs, Counts &counts) {
  inspectAll(artifact);
  dlc_session_options_t options = {};
  dlc_allocator_t allocator = {nullptr, allocateLittle, releaseLittle};
  options.allocator = &allocator;
  options.threads = 1;
  dlc_session_t *session;
  if (dlc_session_create(artifact, &options, &session, nullptr) != DLC_OK)
    return;
  dlc_artifact_info_t info;
  dlc_artifact_info(artifact, &info);
  for (int32_t e = 0; e < info.entry_count; ++e) {
    dlc_entry_info_t entry;
    dlc_artifact_entry(artifact, e, &entry, nullptr);
    int64_t dims[DLC_MAX_SYMBOLS];
    for (int32_t s = 0; s < entry.symbol_count; ++s) {
      dlc_symbol_info_t symbol;
      dlc_entry_symbol(artifact, e, s, &symbol, nullptr);
      dims[s] = std::min(std::max<int64_t>(symbol.min, 3), symbol.max);
      dims[s] -= dims[s] % symbol.multiple_of;
      dims[s] = std::max(dims[s], symbol.min);
    }
    dlc_prepared_t *prepared;
    if (dlc_session_prepare(session, e, dims, entry.symbol_count, &prepared, nullptr) != DLC_OK)
      continue;
    ++counts.prepared;
    if (runs && runPrepared(artifact, e, dims, prepared))
      ++counts.ran;
  }
  dlc_session_release(session);
}

} // namespace

int main(int argc, char **argv) {
  std::string original;
  if (argc > 1 && std::strcmp(argv[1], "-") != 0) {
    std::ifstream file(argv[1], std::ios::binary);
    original.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", argv[1]);
      return 2;
    }
  } else {
    original = artifact::writeArtifact(test::makeLittleModel());
  }
  int count = argc > 2 ? std::atoi(argv[2]) : 2000;
  std::mt19937_64 random(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);

  dlc_artifact_t *artifact;
  dlc_status_t status;
  Counts good, total;
  if (dlc_artifact_load_memory(original.data(), original.size(), nullptr, &artifact, &status) != DLC_OK) {
    std::fprintf(stderr, "the unchanged artifact does not load: %s\n", status.message);
    return 1;
  }
  exercise(artifact, true, good);
  dlc_artifact_release(artifact);
  if (good.ran == 0) {
    std::fprintf(stderr, "no entry of the unchanged artifact runs\n");
    return 1;
  }
  std::string fingerprint = Fingerprint::of(original);

  for (int i = 0; i < count; ++i) {
    std::string mutant = original;
    if (random() % 10 == 0)
      mutant.resize(random() % mutant.size());
    if (mutant.size() >= sizeof(dlc_artifact_header_t))
      damage(mutant, random);
    if (mutant == original)
      continue;
    bool repaired = i % 2 == 0;
    if (repaired) {
      uint64_t size = mutant.size();
      if (mutant.size() >= sizeof(dlc_artifact_header_t) && random() % 2)
        std::memcpy(mutant.data() + offsetof(dlc_artifact_header_t, file_size), &size, sizeof(size));
      artifact::repairChecksum(mutant);
    }
    // Memory of exactly this size, so that a read behind the end shows.
    std::vector<char> exact(mutant.begin(), mutant.end());
    if (dlc_artifact_load_memory(exact.data(), exact.size(), nullptr, &artifact, &status) != DLC_OK) {
      ++total.refused;
      if (status.code == DLC_OK || status.message[0] == '\0') {
        std::fprintf(stderr, "mutant %d was refused without a message\n", i);
        return 1;
      }
      continue;
    }
    if (!repaired) {
      std::fprintf(stderr, "mutant %d has a wrong checksum and was loaded\n", i);
      return 1;
    }
    ++total.loaded;
    exercise(artifact, Fingerprint::of(mutant) == fingerprint, total);
    dlc_artifact_release(artifact);
  }
  // A mutant in which nothing runs tests little; of many, some must.
  if (count >= 200 && (total.refused == 0 || total.loaded == 0 || total.prepared == 0 || total.ran == 0)) {
    std::fprintf(stderr, "of %d mutants, %d were refused, %d loaded; %d entries prepared, %d run\n", count,
                 total.refused, total.loaded, total.prepared, total.ran);
    return 1;
  }
  std::printf("%d mutants: %d refused with a message, %d loaded; %d entries prepared, %d run; no crash\n",
              count, total.refused, total.loaded, total.prepared, total.ran);
  return 0;
}
