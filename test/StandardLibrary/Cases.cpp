// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/StandardLibrary/Cases.h"

#include "runtime/data/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace dlc::test {

std::vector<std::string> families() {
  std::vector<std::string> names;
  for (const auto &file : std::filesystem::directory_iterator(DLC_CASES_DIR))
    if (file.path().extension() == ".dl")
      names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string programPath(const std::string &family) {
  return std::string(DLC_CASES_DIR) + "/" + family + ".dl";
}

namespace {

template <typename T> std::vector<double> widen(const std::vector<char> &bytes) {
  const T *elements = reinterpret_cast<const T *>(bytes.data());
  return std::vector<double>(elements, elements + bytes.size() / sizeof(T));
}

Values readValues(const data::SafetensorsFile &file, const data::SafetensorsFile::Entry &entry) {
  std::vector<char> bytes(entry.size);
  data::Status status = file.read(entry, bytes.data());
  EXPECT_TRUE(status.ok()) << status.message();
  Values values{entry.type, entry.shape, {}};
  switch (entry.type) {
  case data::DataType::f32:
    values.elements = widen<float>(bytes);
    break;
  case data::DataType::i32:
    values.elements = widen<int32_t>(bytes);
    break;
  case data::DataType::i64:
    values.elements = widen<int64_t>(bytes);
    break;
  case data::DataType::boolean:
    values.elements = widen<int8_t>(bytes);
    break;
  default:
    ADD_FAILURE() << entry.name << " has type " << data::type_name(entry.type);
  }
  return values;
}

bool isNumber(const std::string &text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Where the tensor called CASE/… belongs in its case; null for a name that means nothing.
Values *placeOf(Case &of, const std::vector<std::string> &parts) {
  if (parts.size() == 3 && parts[1] == "set")
    return &of.states[parts[2]];
  if (parts.size() != 4 || !isNumber(parts[1]))
    return nullptr;
  size_t step = std::stoul(parts[1]);
  if (of.steps.size() <= step)
    of.steps.resize(step + 1);
  const std::string &kind = parts[2], &name = parts[3];
  if (kind == "in")
    return &of.steps[step].inputs[name];
  if (kind == "out")
    return &of.steps[step].results[name];
  if (kind == "state")
    return &of.steps[step].states[name];
  if (kind == "stat")
    return &(isNumber(name) ? of.steps[step].resultStats : of.steps[step].stateStats)[name];
  return nullptr;
}

} // namespace

std::vector<Case> readCases(const std::string &family) {
  data::SafetensorsFile file;
  data::Status status = file.open(std::string(DLC_CASES_DIR) + "/" + family + ".safetensors");
  EXPECT_TRUE(status.ok()) << status.message();
  std::map<std::string, Case> cases;
  for (const data::SafetensorsFile::Entry &entry : file.entries()) {
    std::vector<std::string> parts;
    std::istringstream name(entry.name);
    for (std::string part; std::getline(name, part, '/');)
      parts.push_back(part);
    Values *place = parts.empty() ? nullptr : placeOf(cases[parts[0]], parts);
    EXPECT_TRUE(place) << family << ".safetensors: " << entry.name;
    if (place)
      *place = readValues(file, entry);
  }
  std::vector<Case> result;
  for (auto &[name, one] : cases) {
    one.name = name;
    if (auto found = file.metadata().find(name); found != file.metadata().end())
      one.tolerance = std::stod(found->second);
    one.isByElement = file.metadata().contains(name + "/by_element");
    result.push_back(std::move(one));
  }
  return result;
}

} // namespace dlc::test
