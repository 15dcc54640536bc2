// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Artifact/ArtifactWriter.h"

#include "artifact_generated.h"
#include "runtime/dlc_runtime.h"
#include "runtime/schema/artifact_header.h"

#include <cassert>
#include <cstring>
#include <map>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace dlc::artifact {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// The three spellings of each enumeration (here, schema, C header) are one.
static_assert(int(Dtype::Bool) == int(schema::Dtype::Bool) && int(Dtype::Bool) == DLC_BOOL);
static_assert(int(EntryKind::Infer) == int(schema::EntryKind::Infer) &&
              int(EntryKind::Infer) == DLC_ENTRY_INFER);
static_assert(int(StateRole::Schedule) == int(schema::StateRole::Schedule) &&
              int(StateRole::Schedule) == DLC_STATE_SCHEDULE);
static_assert(int(ReportKind::Metric) == int(schema::ReportKind::Metric) &&
              int(ReportKind::Metric) == DLC_REPORT_METRIC);
static_assert(int(Target::Cuda) == int(schema::Target::Cuda));
static_assert(int(FitKind::Identifier) == int(schema::FitKind::Identifier) &&
              int(FitKind::Identifier) == DLC_FIT_IDENTIFIER);
static_assert(int(BindingKind::LoopCounter) == int(schema::BindingKind::LoopCounter));
static_assert(int(Access::ReadWrite) == int(schema::Access::ReadWrite));
static_assert(int(Expression::Op::Max) == int(schema::Op::Max));

/// Builds the metadata. Tables are made bottom-up, as FlatBuffers wants; expressions and source files are
/// collected on the way and written last.
class MetadataWriter {
public:
  explicit MetadataWriter(const ArtifactDescription &description) : description(description) {
    expressionIndex(Expression()); // index 0 is the constant 0, the default of every field
  }

  /// `codeSections[v]` and `constantSections[v]` are the sections of variant v.
  std::string write(const std::vector<uint32_t> &codeSections, const std::vector<int32_t> &constantSections);

private:
  using Terms = Offset<flatbuffers::Vector<const schema::LoopTerm *>>;

  template <typename T> using Tables = std::vector<Offset<T>>;

  uint32_t expressionIndex(const Expression &expression);
  uint32_t sourceIndex(const std::string &file);
  schema::SourceLocation writeLocation(const SourceLocation &location);
  Offset<schema::Value> writeValue(const Value &value);
  Offset<schema::Entry> writeEntry(const Entry &entry);
  Offset<schema::State> writeState(const State &state);
  Offset<schema::Binding> writeBinding(const Binding &binding);
  void writeCommands(const std::vector<Command> &commands, Tables<schema::Command> &flat);
  Offset<schema::Plan> writePlan(const Plan &plan);
  Offset<schema::Kernel> writeKernel(const Kernel &kernel);
  Offset<schema::Variant> writeVariant(const Variant &variant, uint32_t codeSection, int32_t constantSection);

  const ArtifactDescription &description;
  FlatBufferBuilder builder;
  std::map<Expression, uint32_t> expressionIndices;
  std::vector<schema::Expression> expressions;
  std::vector<schema::Instruction> instructions;
  std::map<std::string, uint32_t> sourceIndices;
  std::vector<std::string> sources;
};

uint32_t MetadataWriter::expressionIndex(const Expression &expression) {
  auto [position, isNew] = expressionIndices.try_emplace(expression, expressions.size());
  if (isNew) {
    expressions.emplace_back(instructions.size(), expression.instructions().size());
    for (const Expression::Instruction &instruction : expression.instructions())
      instructions.emplace_back(instruction.value, schema::Op(instruction.op));
  }
  return position->second;
}

uint32_t MetadataWriter::sourceIndex(const std::string &file) {
  auto [position, isNew] = sourceIndices.try_emplace(file, sources.size());
  if (isNew)
    sources.push_back(file);
  return position->second;
}

schema::SourceLocation MetadataWriter::writeLocation(const SourceLocation &location) {
  return {sourceIndex(location.file), location.line, location.column};
}

Offset<schema::Value> MetadataWriter::writeValue(const Value &value) {
  assert(value.dims.size() <= DLC_MAX_RANK && "rank above the format's limit");
  std::vector<uint32_t> dims;
  for (const Expression &dim : value.dims)
    dims.push_back(expressionIndex(dim));
  schema::SourceLocation location = writeLocation(value.placesLocation);
  return schema::CreateValueDirect(builder, value.name.c_str(), schema::Dtype(value.dtype), &dims,
                                   schema::ReportKind(value.report), value.places,
                                   value.places > 0 ? &location : nullptr, value.leastPlace);
}

Offset<schema::Entry> MetadataWriter::writeEntry(const Entry &entry) {
  assert(entry.symbols.size() <= DLC_MAX_SYMBOLS && "more symbols than the format allows");
  Tables<schema::Symbol> symbols;
  for (const Symbol &symbol : entry.symbols)
    symbols.push_back(
        schema::CreateSymbolDirect(builder, symbol.name.c_str(), symbol.min, symbol.max, symbol.multipleOf));
  Tables<schema::Value> arguments, results;
  for (const Value &argument : entry.arguments)
    arguments.push_back(writeValue(argument));
  for (const Value &result : entry.results)
    results.push_back(writeValue(result));
  Tables<schema::Constraint> constraints;
  for (const Constraint &constraint : entry.constraints) {
    schema::SourceLocation location = writeLocation(constraint.location);
    constraints.push_back(schema::CreateConstraintDirect(builder, expressionIndex(constraint.value),
                                                         constraint.text.c_str(), &location));
  }
  return schema::CreateEntryDirect(builder, entry.name.c_str(), schema::EntryKind(entry.kind), &symbols,
                                   &arguments, &results, &constraints);
}

Offset<schema::State> MetadataWriter::writeState(const State &state) {
  assert(state.dims.size() <= DLC_MAX_RANK && "rank above the format's limit");
  return schema::CreateStateDirect(builder, state.name.c_str(), schema::Dtype(state.dtype), &state.dims,
                                   schema::StateRole(state.role), state.owner, state.parameter,
                                   state.initial);
}

Offset<schema::Binding> MetadataWriter::writeBinding(const Binding &binding) {
  std::vector<schema::LoopTerm> terms;
  for (const LoopTerm &term : binding.terms)
    terms.emplace_back(expressionIndex(term.stride), term.modulus, term.bias);
  std::vector<uint32_t> dims, strides;
  for (const Expression &size : binding.dims)
    dims.push_back(expressionIndex(size));
  for (const Expression &stride : binding.strides)
    strides.push_back(expressionIndex(stride));
  return schema::CreateBindingDirect(builder, schema::BindingKind(binding.kind), binding.index,
                                     schema::Access(binding.access), expressionIndex(binding.offset),
                                     expressionIndex(binding.extent), &terms, schema::Dtype(binding.dtype),
                                     dims.empty() ? nullptr : &dims, dims.empty() ? nullptr : &strides);
}

void MetadataWriter::writeCommands(const std::vector<Command> &commands, Tables<schema::Command> &flat) {
  for (const Command &command : commands) {
    if (command.kind == Command::Kind::Loop) {
      flat.push_back(
          schema::CreateCommand(builder, schema::CommandKind::LoopBegin, 0, expressionIndex(command.count)));
      writeCommands(command.body, flat);
      flat.push_back(schema::CreateCommand(builder, schema::CommandKind::LoopEnd));
      continue;
    }
    Tables<schema::Binding> bindings;
    for (const Binding &binding : command.bindings)
      bindings.push_back(writeBinding(binding));
    flat.push_back(schema::CreateCommandDirect(
        builder, schema::CommandKind::Run, command.kernel, expressionIndex(command.groups), &bindings,
        expressionIndex(command.flops), expressionIndex(command.bytes)));
  }
}

Offset<schema::Plan> MetadataWriter::writePlan(const Plan &plan) {
  // Each pair is stored once, with the later buffer, whichever side named it.
  std::vector<std::vector<uint32_t>> conflicts(plan.buffers.size());
  for (uint32_t i = 0; i < plan.buffers.size(); ++i)
    for (uint32_t j : plan.buffers[i].conflicts) {
      assert(j < plan.buffers.size() && j != i && "conflict with a buffer that does not exist");
      conflicts[std::max(i, j)].push_back(std::min(i, j));
    }
  Tables<schema::Buffer> buffers;
  for (uint32_t i = 0; i < plan.buffers.size(); ++i) {
    std::sort(conflicts[i].begin(), conflicts[i].end());
    conflicts[i].erase(std::unique(conflicts[i].begin(), conflicts[i].end()), conflicts[i].end());
    buffers.push_back(
        schema::CreateBufferDirect(builder, expressionIndex(plan.buffers[i].size), &conflicts[i]));
  }
  Tables<schema::Command> commands;
  writeCommands(plan.commands, commands);
  return schema::CreatePlanDirect(builder, &buffers, &commands, plan.peakBound);
}

Offset<schema::Kernel> MetadataWriter::writeKernel(const Kernel &kernel) {
  std::vector<schema::SourceLocation> locations;
  for (const SourceLocation &location : kernel.locations)
    locations.push_back(writeLocation(location));
  return schema::CreateKernelDirect(builder, kernel.name.c_str(), kernel.codeOffset, kernel.codeSize,
                                    expressionIndex(kernel.scratch), kernel.block, kernel.sharedBytes,
                                    &locations);
}

Offset<schema::Variant> MetadataWriter::writeVariant(const Variant &variant, uint32_t codeSection,
                                                     int32_t constantSection) {
  assert(variant.plans.size() == description.entries.size() && "a variant needs one plan per entry");
  assert((variant.layouts.empty() || variant.layouts.size() == description.states.size()) &&
         "a variant needs one layout per state");
  std::vector<Offset<flatbuffers::String>> features;
  for (const std::string &feature : variant.features)
    features.push_back(builder.CreateSharedString(feature));
  Tables<schema::Kernel> kernels;
  for (const Kernel &kernel : variant.kernels)
    kernels.push_back(writeKernel(kernel));
  Tables<schema::StateLayout> layouts;
  for (size_t state = 0; state < description.states.size(); ++state) {
    static const std::vector<uint8_t> identity;
    layouts.push_back(schema::CreateStateLayoutDirect(
        builder, variant.layouts.empty() ? &identity : &variant.layouts[state].permutation));
  }
  Tables<schema::Plan> plans;
  for (const Plan &plan : variant.plans)
    plans.push_back(writePlan(plan));
  Tables<schema::Import> imports;
  for (const Import &import : variant.imports)
    imports.push_back(schema::CreateImportDirect(builder, import.name.c_str(), import.slot));
  return schema::CreateVariantDirect(builder, variant.name.c_str(), schema::Target(variant.target), &features,
                                     codeSection, constantSection, &kernels, &layouts, &plans, &imports);
}

std::string MetadataWriter::write(const std::vector<uint32_t> &codeSections,
                                  const std::vector<int32_t> &constantSections) {
  Tables<schema::Entry> entries;
  for (const Entry &entry : description.entries)
    entries.push_back(writeEntry(entry));
  Tables<schema::State> states;
  for (const State &state : description.states)
    states.push_back(writeState(state));
  Tables<schema::Variant> variants;
  for (size_t v = 0; v < description.variants.size(); ++v)
    variants.push_back(writeVariant(description.variants[v], codeSections[v], constantSections[v]));
  Tables<schema::FitSetting> fit;
  for (const FitSetting &setting : description.fit)
    fit.push_back(schema::CreateFitSettingDirect(builder, setting.key.c_str(), schema::FitKind(setting.kind),
                                                 setting.text.c_str(), setting.number));
  std::vector<Offset<flatbuffers::String>> sourceNames;
  for (const std::string &source : sources)
    sourceNames.push_back(builder.CreateString(source));
  schema::FinishMetadataBuffer(
      builder, schema::CreateMetadataDirect(builder, description.compilerVersion.c_str(),
                                            description.sourceName.c_str(), description.sourceHash,
                                            description.flags.c_str(), &instructions, &expressions,
                                            &sourceNames, &entries, &states, &variants, &fit));
  return std::string(reinterpret_cast<const char *>(builder.GetBufferPointer()), builder.GetSize());
}

uint64_t alignTo(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

} // namespace

uint64_t hashBytes(const void *data, size_t size) {
  return XXH64(data, size, 0);
}

bool repairChecksum(std::string &bytes) {
  if (bytes.size() < sizeof(dlc_artifact_header_t))
    return false;
  XXH64_state_t state;
  XXH64_reset(&state, 0);
  XXH64_update(&state, bytes.data(), DLC_ARTIFACT_CHECKSUM_OFFSET);
  size_t after = DLC_ARTIFACT_CHECKSUM_OFFSET + sizeof(uint64_t);
  XXH64_update(&state, bytes.data() + after, bytes.size() - after);
  uint64_t checksum = XXH64_digest(&state);
  std::memcpy(bytes.data() + DLC_ARTIFACT_CHECKSUM_OFFSET, &checksum, sizeof(checksum));
  return true;
}

std::string writeArtifact(const ArtifactDescription &description) {
  // 1. Which sections there are.
  std::vector<dlc_artifact_section_t> sections;
  std::vector<std::string> contents;
  std::vector<uint32_t> codeSections;
  std::vector<int32_t> constantSections;
  auto addSection = [&](std::string bytes, dlc_section_kind_t kind, uint32_t alignment) {
    sections.push_back({0, bytes.size(), uint32_t(kind), alignment});
    contents.push_back(std::move(bytes));
    return uint32_t(sections.size() - 1);
  };
  for (const Variant &variant : description.variants) {
    bool isCpu = variant.target == Target::Cpu;
    codeSections.push_back(isCpu ? addSection(variant.code, DLC_SECTION_CODE, DLC_ARTIFACT_PAGE)
                                 : addSection(variant.code + '\0', DLC_SECTION_PTX, 64));
    constantSections.push_back(
        variant.constants.empty() ? -1 : int32_t(addSection(variant.constants, DLC_SECTION_CONSTANTS, 64)));
  }
  assert(sections.size() <= DLC_ARTIFACT_MAX_SECTIONS && "more sections than the format allows");

  // 2. Where everything lies: header, section table, metadata, sections.
  std::string metadata = MetadataWriter(description).write(codeSections, constantSections);
  dlc_artifact_header_t header = {};
  std::memcpy(header.magic, DLC_ARTIFACT_MAGIC, sizeof(header.magic));
  header.schema_version = DLC_SCHEMA_VERSION;
  header.section_count = uint32_t(sections.size());
  header.header_size = uint32_t(sizeof(header) + sections.size() * sizeof(dlc_artifact_section_t));
  header.metadata_offset = alignTo(header.header_size, 16);
  header.metadata_size = metadata.size();
  uint64_t end = header.metadata_offset + metadata.size();
  for (dlc_artifact_section_t &section : sections) {
    section.offset = alignTo(end, section.alignment);
    end = section.offset + section.size;
  }
  header.file_size = end;

  // 3. The bytes; gaps are zeros.
  std::string bytes(end, '\0');
  std::memcpy(bytes.data(), &header, sizeof(header));
  if (!sections.empty())
    std::memcpy(bytes.data() + sizeof(header), sections.data(), sections.size() * sizeof(sections[0]));
  std::memcpy(bytes.data() + header.metadata_offset, metadata.data(), metadata.size());
  for (size_t i = 0; i < sections.size(); ++i)
    if (!contents[i].empty())
      std::memcpy(bytes.data() + sections[i].offset, contents[i].data(), contents[i].size());
  repairChecksum(bytes);
  return bytes;
}

} // namespace dlc::artifact
