// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that a device whose memory the host cannot touch fits the interface: states, staging of arguments and
// results, one capture per prepared dims. The device is made up: its addresses are the host's with the top
// bit flipped, and it runs the test kernels on the CPU. This program is built from the runtime's sources, so
// that it can add a device.

#include "runtime/executor.h"
#include "test/Runtime/Models.h"
#include "test/Runtime/kernels.h"

#include <gtest/gtest.h>

#include <cstring>

namespace dlc::runtime {
namespace {

constexpr uintptr_t tag = uintptr_t(1) << 63;

struct FakeDriver {
  int opened = 0, captured = 0, runs = 0;
  int64_t allocated = 0;
} driver;

template <typename T> T *flip(T *address) {
  return reinterpret_cast<T *>(reinterpret_cast<uintptr_t>(address) ^ tag);
}

void findMissing(const schema::Variant *, char *, size_t) {}
dlc_code_t openDevice(device *, const artifact *, uint32_t, dlc_status_t *) {
  ++driver.opened;
  return DLC_OK;
}
void closeDevice(device *) {
  --driver.opened;
}
void *allocate(device *, uint64_t size) {
  ++driver.allocated;
  return flip(std::aligned_alloc(64, (size + 63) / 64 * 64));
}
void release(device *, void *pointer, uint64_t) {
  if (!pointer)
    return;
  --driver.allocated;
  std::free(flip(pointer));
}
dlc_code_t upload(device *, void *destination, const void *source, uint64_t size, dlc_status_t *) {
  std::memcpy(flip(destination), source, size);
  return DLC_OK;
}
dlc_code_t download(device *, void *destination, const void *source, uint64_t size, dlc_status_t *) {
  std::memcpy(destination, flip(source), size);
  return DLC_OK;
}
dlc_code_t clear(device *, void *destination, uint64_t size, dlc_status_t *) {
  std::memset(flip(destination), 0, size);
  return DLC_OK;
}
dlc_code_t capture(device *, execution *work, dlc_status_t *) {
  EXPECT_EQ(work->captured, nullptr);
  work->captured = new uint8_t *(work->arena); // as a graph would keep the addresses
  ++driver.captured;
  return DLC_OK;
}
void discard(device *, execution *work) {
  delete static_cast<uint8_t **>(work->captured);
  work->captured = nullptr;
}
dlc_code_t runGraph(device *device, const execution *work, dlc_status_t *status) {
  ++driver.runs;
  std::vector<void *> states, arguments;
  for (uint32_t i = 0; i < work->source->metadata->states()->size(); ++i)
    states.push_back(work->states[i] ? flip(work->states[i]) : nullptr);
  for (uint32_t i = 0; i < work->plan->argument_count + work->plan->result_count; ++i)
    arguments.push_back(flip(work->arguments[i]));
  variant_record record = *work->record;
  record.code = __start_dlc_kernels;
  execution onHost = *work;
  onHost.record = &record;
  onHost.arena = flip(*static_cast<uint8_t **>(work->captured));
  onHost.states = states.data();
  onHost.arguments = arguments.data();
  return execute(device, &onHost, status);
}

} // namespace

const device_operations cuda_device = {
    .name = "cuda",
    .uses_host_memory = false,
    .find_missing = findMissing,
    .open = openDevice,
    .close = closeDevice,
    .allocate = allocate,
    .release = release,
    .upload = upload,
    .download = download,
    .clear = clear,
    .capture = capture,
    .discard = discard,
    .run = runGraph,
};

} // namespace dlc::runtime

using namespace dlc::test;

namespace {

TEST(Device, RunsInMemoryThatTheHostCannotTouch) {
  using dlc::runtime::driver;
  dlc::artifact::ArtifactDescription description = makeLittleModel();
  description.variants.pop_back();
  description.variants.push_back(description.variants[0]);
  description.variants[1].name = "sm_80";
  description.variants[1].target = dlc::artifact::Target::Cuda;
  description.variants[1].code = "// PTX";
  for (dlc::artifact::Kernel &kernel : description.variants[1].kernels)
    kernel.block = 32;
  ArtifactHandle artifact = load(description);
  ASSERT_TRUE(artifact);
  dlc_session_options_t options = {};
  options.device = "cuda";
  SessionHandle session = open(artifact.get(), options), onCpu = open(artifact.get());
  ASSERT_TRUE(session && onCpu);
  EXPECT_EQ(dlc_session_variant(session.get()), 1);
  EXPECT_EQ(driver.opened, 1);

  int32_t step = dlc_artifact_entry_find(artifact.get(), "step"),
          w = dlc_artifact_state_find(artifact.get(), "w");
  int32_t predict = dlc_artifact_entry_find(artifact.get(), "predict");
  std::vector<float> weights[2], outputs[2];
  for (dlc_session_t *each : {onCpu.get(), session.get()}) {
    dlc_status_t status;
    ASSERT_EQ(dlc_session_seed_set(each, 3, &status), DLC_OK) << status.message;
    ASSERT_EQ(dlc_session_initialize(each, &status), DLC_OK) << status.message;
    alignas(64) float x[30], loss, y[30];
    for (int i = 0; i < 30; ++i)
      x[i] = float(i);
    for (int64_t n : {3, 10, 3}) { // the second moves the arena
      dlc_tensor_t input = tensor(x, DLC_F32, {n, 3}), report = tensor(&loss, DLC_F32, {});
      ASSERT_EQ(dlc_session_run(each, step, &input, 1, &report, 1, &status), DLC_OK) << status.message;
    }
    dlc_tensor_t input = tensor(x, DLC_F32, {10, 3}), output = tensor(y, DLC_F32, {10, 3});
    ASSERT_EQ(dlc_session_run(each, predict, &input, 1, &output, 1, &status), DLC_OK) << status.message;
    bool isDevice = each == session.get();
    outputs[isDevice].assign(y, y + 30);
    weights[isDevice].resize(6);
    ASSERT_EQ(dlc_session_state_read(each, w, weights[isDevice].data(), 24, &status), DLC_OK)
        << status.message;
  }
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_EQ(outputs[0], outputs[1]);
  EXPECT_EQ(driver.runs, 5);
  // init, step at 3 and 10, predict; and once more step at 3 in the arena that step at 10 made.
  EXPECT_EQ(driver.captured, 5);
  session.reset();
  EXPECT_EQ(driver.opened, 0);
  EXPECT_EQ(driver.allocated, 0);
}

} // namespace
