// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that a good artifact loads from memory and from a file and says what it holds, and that every kind of
// bad one is refused with a message.

#include "runtime/schema/artifact_header.h"
#include "test/Runtime/Models.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <unistd.h>

using namespace dlc::artifact;
using namespace dlc::test;

namespace {

std::string littleBytes() {
  return writeArtifact(makeLittleModel());
}

template <typename T> void patch(std::string &bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

/// The message for a description that the verifier must refuse although its checksum is right.
std::string messageFor(const ArtifactDescription &description) {
  dlc_status_t status = loadBroken(writeArtifact(description));
  EXPECT_EQ(status.code, DLC_MALFORMED);
  return status.message;
}

Binding &firstBinding(ArtifactDescription &description, size_t entry) {
  return description.variants[0].plans[entry].commands.back().bindings[0];
}

TEST(Loader, SameDescriptionGivesSameBytes) {
  EXPECT_EQ(littleBytes(), littleBytes());
}

TEST(Loader, ShowsWhatTheArtifactHolds) {
  ArtifactHandle artifact = load(makeLittleModel());
  ASSERT_TRUE(artifact);
  dlc_artifact_info_t info;
  dlc_artifact_info(artifact.get(), &info);
  EXPECT_STREQ(info.source_name, "little.dl");
  EXPECT_EQ(info.source_hash, 42u);
  EXPECT_EQ(info.entry_count, 4);
  EXPECT_EQ(info.state_count, 6);
  EXPECT_EQ(info.variant_count, 2);

  int32_t step = dlc_artifact_entry_find(artifact.get(), "step");
  EXPECT_EQ(dlc_artifact_entry_find(artifact.get(), "nothing"), -1);
  dlc_symbol_info_t symbol;
  ASSERT_EQ(dlc_entry_symbol(artifact.get(), step, 0, &symbol, nullptr), DLC_OK);
  EXPECT_STREQ(symbol.name, "n");
  EXPECT_EQ(symbol.max, 64);
  dlc_value_info_t value;
  ASSERT_EQ(dlc_entry_argument(artifact.get(), step, 0, &value, nullptr), DLC_OK);
  EXPECT_STREQ(value.name, "x");
  char text[64];
  dlc_expression_format(artifact.get(), value.dims[0], step, text, sizeof(text));
  EXPECT_STREQ(text, "n");
  ASSERT_EQ(dlc_entry_result(artifact.get(), step, 0, &value, nullptr), DLC_OK);
  EXPECT_EQ(value.report, DLC_REPORT_VALUE);

  dlc_state_info_t state;
  ASSERT_EQ(dlc_artifact_state(artifact.get(), dlc_artifact_state_find(artifact.get(), "step.m.w"), &state,
                               nullptr),
            DLC_OK);
  EXPECT_EQ(state.role, DLC_STATE_OPTIMIZER);
  EXPECT_EQ(state.owner, step);
  EXPECT_EQ(state.parameter, dlc_artifact_state_find(artifact.get(), "w"));
  EXPECT_EQ(state.element_count, 6);

  dlc_variant_info_t variant;
  ASSERT_EQ(dlc_artifact_variant(artifact.get(), 0, &variant, nullptr), DLC_OK);
  EXPECT_TRUE(variant.usable);
  EXPECT_EQ(variant.constant_size, 9u);
  ASSERT_EQ(dlc_artifact_variant(artifact.get(), 1, &variant, nullptr), DLC_OK);
  EXPECT_FALSE(variant.usable);
  EXPECT_STREQ(variant.missing, "no-such-feature nor-this");

  EXPECT_EQ(dlc_variant_dispatch_count(artifact.get(), 0, step), 3);
  dlc_dispatch_info_t dispatch;
  ASSERT_EQ(dlc_variant_dispatch(artifact.get(), 0, step, 2, &dispatch, nullptr), DLC_OK);
  EXPECT_STREQ(dispatch.kernel, "step");
  EXPECT_STREQ(dispatch.source_file, "little.dl");
  EXPECT_EQ(dispatch.source_line, 12);
  EXPECT_EQ(dispatch.loop_depth, 0);
  dlc_expression_format(artifact.get(), dispatch.flops, step, text, sizeof(text));
  EXPECT_STREQ(text, "n*6 + 18");
  int64_t n = 5, flops;
  ASSERT_EQ(dlc_expression_evaluate(artifact.get(), dispatch.flops, step, &n, &flops, nullptr), DLC_OK);
  EXPECT_EQ(flops, 48);
  ASSERT_EQ(dlc_variant_dispatch(artifact.get(), 0, step, 1, &dispatch, nullptr), DLC_OK);
  EXPECT_EQ(dispatch.loop_depth, 1);
  EXPECT_EQ(dlc_variant_dispatch(artifact.get(), 0, step, 3, &dispatch, nullptr), DLC_INVALID_ARGUMENT);

  dlc_fit_info_t fit;
  ASSERT_EQ(dlc_artifact_fit(artifact.get(), 1, &fit, nullptr), DLC_OK);
  EXPECT_STREQ(fit.key, "batch");
  EXPECT_EQ(fit.number, 64);
}

TEST(Loader, LoadsFromAFileAndNamesItInErrors) {
  std::string path = testing::TempDir() + "/dlc_loader_test_" + std::to_string(getpid()) + ".dla";
  std::string bytes = littleBytes();
  for (size_t size : {bytes.size(), bytes.size() - 1, size_t(7)}) {
    std::FILE *file = std::fopen(path.c_str(), "wb");
    ASSERT_TRUE(file);
    ASSERT_EQ(std::fwrite(bytes.data(), 1, size, file), size);
    ASSERT_EQ(std::fclose(file), 0);
    dlc_artifact_t *artifact = nullptr;
    dlc_status_t status;
    dlc_code_t code = dlc_artifact_load_file(path.c_str(), nullptr, &artifact, &status);
    EXPECT_EQ(code, size == bytes.size() ? DLC_OK : DLC_MALFORMED) << status.message;
    if (code != DLC_OK)
      EXPECT_NE(std::string(status.message).find(path), std::string::npos) << status.message;
    else if (SessionHandle session = open(artifact))
      EXPECT_EQ(dlc_session_initialize(session.get(), &status), DLC_OK) << status.message;
    dlc_artifact_release(artifact);
  }
  std::remove(path.c_str());
  dlc_artifact_t *artifact = nullptr;
  dlc_status_t status;
  EXPECT_EQ(dlc_artifact_load_file(path.c_str(), nullptr, &artifact, &status), DLC_IO);
  EXPECT_NE(std::string(status.message).find("No such file"), std::string::npos);
  EXPECT_EQ(dlc_artifact_load_file("/", nullptr, &artifact, &status), DLC_IO);
}

TEST(Loader, RefusesEveryTruncation) {
  std::string bytes = littleBytes();
  for (size_t size = 0; size < bytes.size(); size += 97) {
    // A copy of its own, so that AddressSanitizer sees every byte read behind the end.
    std::string cut(bytes.data(), size);
    EXPECT_EQ(loadBroken(cut).code, DLC_MALFORMED) << size;
    if (size >= sizeof(dlc_artifact_header_t)) {
      patch(cut, offsetof(dlc_artifact_header_t, file_size), uint64_t(size));
      repairChecksum(cut);
      EXPECT_EQ(loadBroken(cut).code, DLC_MALFORMED) << size;
    }
  }
}

TEST(Loader, NamesBothVersions) {
  std::string bytes = littleBytes();
  patch(bytes, offsetof(dlc_artifact_header_t, schema_version), uint32_t(77));
  dlc_status_t status = loadBroken(bytes);
  EXPECT_EQ(status.code, DLC_VERSION);
  EXPECT_NE(std::string(status.message).find("schema version 77"), std::string::npos) << status.message;
  EXPECT_NE(std::string(status.message).find("reads version 1"), std::string::npos) << status.message;
}

TEST(Loader, FindsDamage) {
  std::string bytes = littleBytes();
  bytes[bytes.size() - 3] ^= 1;
  EXPECT_NE(std::string(loadBroken(bytes).message).find("is damaged: checksum"), std::string::npos);
  bytes = littleBytes();
  bytes[0] = 'x';
  EXPECT_NE(std::string(loadBroken(bytes).message).find("magic number"), std::string::npos);
  EXPECT_NE(std::string(loadBroken(littleBytes() + "x").message).find("longer than it says"),
            std::string::npos);
}

TEST(Loader, ChecksTheSectionTable) {
  size_t table = sizeof(dlc_artifact_header_t);
  auto broken = [&](size_t offset, auto value) {
    std::string bytes = littleBytes();
    patch(bytes, offset, value);
    repairChecksum(bytes);
    dlc_status_t status = loadBroken(bytes);
    EXPECT_EQ(status.code, DLC_MALFORMED) << status.message;
    return std::string(status.message);
  };
  EXPECT_NE(
      broken(table + offsetof(dlc_artifact_section_t, offset), uint64_t(1) << 40).find("outside the file"),
      std::string::npos);
  EXPECT_NE(broken(table + offsetof(dlc_artifact_section_t, size), ~uint64_t(0)).find("outside the file"),
            std::string::npos);
  EXPECT_NE(broken(table + offsetof(dlc_artifact_section_t, alignment), uint32_t(64)).find("not aligned"),
            std::string::npos);
  EXPECT_NE(broken(table + offsetof(dlc_artifact_section_t, kind), uint32_t(9)).find("unknown kind"),
            std::string::npos);
  broken(offsetof(dlc_artifact_header_t, metadata_offset), uint64_t(8));
  broken(offsetof(dlc_artifact_header_t, metadata_size), uint64_t(1) << 62);
  broken(offsetof(dlc_artifact_header_t, section_count), uint32_t(1000000));
  broken(offsetof(dlc_artifact_header_t, header_size), uint32_t(0));
}

TEST(Loader, ChecksEntries) {
  ArtifactDescription description = makeLittleModel();
  description.entries[2].name = "step";
  EXPECT_NE(messageFor(description).find("a second entry of this name"), std::string::npos);
  description = makeLittleModel();
  description.entries[1].symbols[0].multipleOf = 0;
  EXPECT_NE(messageFor(description).find("contradictory bounds"), std::string::npos);
  description = makeLittleModel();
  description.entries[1].arguments[0].dims[0] = Expression::symbol(1);
  EXPECT_NE(messageFor(description).find("bad dimension expression"), std::string::npos);
  description = makeLittleModel();
  description.entries[1].arguments[0].dtype = Dtype(99);
  EXPECT_NE(messageFor(description).find("unknown data type"), std::string::npos);
  description = makeLittleModel();
  description.entries[1].kind = EntryKind::Init;
  EXPECT_NE(messageFor(description).find("an init entry has no symbols"), std::string::npos);
  description = makeLittleModel();
  description.entries.back().constraints[0].value = Expression::symbol(1);
  EXPECT_NE(
      messageFor(description).find("constraint of predict (0): its expression or its source file is bad"),
      std::string::npos);
  description = makeLittleModel();
  description.entries.clear();
  for (Variant &variant : description.variants)
    variant.plans.clear();
  for (State &state : description.states)
    state.owner = -1;
  EXPECT_NE(messageFor(description).find("no entry"), std::string::npos);
}

TEST(Loader, ChecksStates) {
  ArtifactDescription description = makeLittleModel();
  description.states[0].dims = {int64_t(1) << 40, int64_t(1) << 40};
  EXPECT_NE(messageFor(description).find("impossible shape"), std::string::npos);
  description = makeLittleModel();
  description.states[0].dims = {-1, 3};
  EXPECT_NE(messageFor(description).find("impossible shape"), std::string::npos);
  description = makeLittleModel();
  description.states[0].owner = 4;
  EXPECT_NE(messageFor(description).find("owner is not an entry"), std::string::npos);
  description = makeLittleModel();
  description.states[1].parameter = 3;
  EXPECT_NE(messageFor(description).find("parameter is not"), std::string::npos);
  description = makeLittleModel();
  description.states[3].dtype = Dtype::F32;
  EXPECT_NE(messageFor(description).find("type or rank does not fit its role"), std::string::npos);
  description = makeLittleModel();
  description.states[1].name = "w";
  EXPECT_NE(messageFor(description).find("a second state of this name"), std::string::npos);
  description = makeLittleModel();
  description.states[2].initial = 1e30;
  EXPECT_NE(messageFor(description).find("cannot hold its initial value"), std::string::npos);
}

TEST(Loader, ChecksVariants) {
  ArtifactDescription description = makeLittleModel();
  description.variants[0].kernels[0].codeOffset = description.variants[0].code.size();
  EXPECT_NE(messageFor(description).find("outside the code section"), std::string::npos);
  description = makeLittleModel();
  description.variants[0].kernels[0].codeSize = description.variants[0].code.size() + 1;
  EXPECT_NE(messageFor(description).find("outside the code section"), std::string::npos);
  description = makeLittleModel();
  description.variants[0].layouts[0].permutation = {0, 0};
  EXPECT_NE(messageFor(description).find("not a permutation"), std::string::npos);
  description = makeLittleModel();
  description.variants[1].name = "generic";
  EXPECT_NE(messageFor(description).find("a second variant of this name"), std::string::npos);
}

TEST(Loader, ChecksCommands) {
  size_t step = 1, predict = 3;
  ArtifactDescription description = makeLittleModel();
  firstBinding(description, predict).index = 1;
  EXPECT_NE(messageFor(description).find("index is out of range"), std::string::npos);
  description = makeLittleModel();
  firstBinding(description, predict).access = Access::Write; // an argument
  EXPECT_NE(messageFor(description).find("access is not allowed"), std::string::npos);
  description = makeLittleModel();
  firstBinding(description, predict).kind = BindingKind(17);
  EXPECT_NE(messageFor(description).find("unknown kind of binding"), std::string::npos);
  description = makeLittleModel();
  firstBinding(description, predict).offset = Expression::symbol(7);
  EXPECT_NE(messageFor(description).find("offset or extent is a bad expression"), std::string::npos);
  description = makeLittleModel();
  firstBinding(description, predict).terms = {{4}};
  EXPECT_NE(messageFor(description).find("more terms than there are loops"), std::string::npos);
  description = makeLittleModel();
  description.variants[0].plans[step].commands[0].body[0].bindings[0].terms[0].bias = 1;
  EXPECT_NE(messageFor(description).find("stride, modulus or bias is bad"), std::string::npos);
  description = makeLittleModel();
  description.variants[0].plans[step].commands[2].kernel = 11;
  EXPECT_NE(messageFor(description).find("kernel that does not exist"), std::string::npos);
  description = makeLittleModel();
  description.variants[0].plans[step].commands[2].bindings.resize(65);
  EXPECT_NE(messageFor(description).find("more than 64 bindings"), std::string::npos);
  description = makeLittleModel();
  Command nested = description.variants[0].plans[step].commands[0];
  for (int depth = 0; depth < 4; ++depth)
    nested = loop(1, {nested});
  description.variants[0].plans[step].commands[0] = nested;
  EXPECT_NE(messageFor(description).find("nest more than 4 deep"), std::string::npos);
}

TEST(Loader, RefusesExpressionsThatNeedTooMuchStack) {
  // 1 + (n + (n + …)): every n waits on the stack.
  Expression n = Expression::symbol(0), deep = n;
  for (int i = 0; i < 17; ++i)
    deep = n + deep;
  ArtifactDescription description = makeLittleModel();
  description.entries[1].arguments[0].dims[0] = deep;
  EXPECT_NE(messageFor(description).find("expression"), std::string::npos);
}

TEST(Loader, ConnectsInstrumentedKernelsToTheSanitizer) {
  ArtifactDescription description = makeOneEntry({}, {});
  description.states = {{"w", Dtype::F32, {4}, StateRole::Parameter, -1, -1, 0}};
  description.variants[0].plans[0].commands = {
      run(ReportKernel, 1, {bind(BindingKind::State, 0, Access::Read, 16)})};
  description.variants[0].imports = {reportImport()};
  ArtifactHandle artifact = load(description);
  ASSERT_TRUE(artifact);
#if __has_feature(address_sanitizer)
  dlc_session_options_t options = {};
  options.threads = 1; // the death test forks
  SessionHandle session = open(artifact.get(), options);
  EXPECT_DEATH((void)dlc_session_run(session.get(), 0, nullptr, 0, nullptr, 0, nullptr), "AddressSanitizer");
#else
  dlc_variant_info_t info;
  ASSERT_EQ(dlc_artifact_variant(artifact.get(), 0, &info, nullptr), DLC_OK);
  EXPECT_FALSE(info.usable);
  EXPECT_STREQ(info.missing, "AddressSanitizer");
#endif
  for (Import import :
       {Import{"system", 0}, Import{"__asan_report_load4", 4}, Import{"__asan_report_load4", 1 << 30}}) {
    description.variants[0].imports = {import};
    EXPECT_NE(messageFor(description).find("import " + import.name), std::string::npos);
  }
}

TEST(Loader, ReportsWhenMemoryIsShort) {
  dlc_allocator_t nothing = {nullptr, [](void *, size_t, size_t) -> void * { return nullptr; },
                             [](void *, void *, size_t, size_t) {}};
  std::string bytes = littleBytes();
  dlc_artifact_t *artifact = nullptr;
  dlc_status_t status;
  EXPECT_EQ(dlc_artifact_load_memory(bytes.data(), bytes.size(), &nothing, &artifact, &status),
            DLC_OUT_OF_MEMORY);
  EXPECT_EQ(artifact, nullptr);
}

TEST(Expression, FoldsAndFormats) {
  Expression n = Expression::symbol(0);
  EXPECT_TRUE((Expression(3) * 4 + 1).isConstant());
  EXPECT_EQ((Expression(-7)).floorDiv(2).constantValue(), -4);
  EXPECT_EQ((Expression(-7)).ceilDiv(2).constantValue(), -3);
  EXPECT_EQ((Expression(-7)).mod(4).constantValue(), 1);
  EXPECT_EQ(n * 1 + 0, n);
  EXPECT_EQ((n * 0).constantValue(), 0);
  EXPECT_FALSE((Expression(INT64_MAX) + 1).isConstant());

  Entry entry;
  entry.symbols = {{"n", 1, 1000, 1}};
  entry.arguments = {{"x",
                      Dtype::U8,
                      {(n + 1).floorDiv(2) * 3, n.ceilDiv(4).min(7) - (n - 1), n.mod(3).max(2)},
                      ReportKind::None}};
  ArtifactHandle artifact = load(makeOneEntry(entry, {}));
  ASSERT_TRUE(artifact);
  dlc_value_info_t value;
  ASSERT_EQ(dlc_entry_argument(artifact.get(), 0, 0, &value, nullptr), DLC_OK);
  const char *expected[] = {"(n + 1)/2*3", "min(ceildiv(n, 4), 7) - (n - 1)", "max(n mod 3, 2)"};
  int64_t expectedValues[] = {18, -7, 2}, n11 = 11;
  for (int axis = 0; axis < 3; ++axis) {
    char text[80];
    dlc_expression_format(artifact.get(), value.dims[axis], 0, text, sizeof(text));
    EXPECT_STREQ(text, expected[axis]);
    int64_t result;
    ASSERT_EQ(dlc_expression_evaluate(artifact.get(), value.dims[axis], 0, &n11, &result, nullptr), DLC_OK);
    EXPECT_EQ(result, expectedValues[axis]);
  }
}

} // namespace
