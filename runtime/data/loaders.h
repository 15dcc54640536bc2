// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every data loader and the settings that it takes, as one table: the compiler checks a fit block's
// `data = loader("path", key=value)` against it, the data library what the command line says. README.md says
// what the settings mean. Header only: the compiler does not link the data library.
#ifndef DLC_RUNTIME_DATA_LOADERS_H
#define DLC_RUNTIME_DATA_LOADERS_H

#include <cstdint>
#include <span>
#include <string_view>

namespace dlc::data {

enum class SettingKind : uint8_t {
  integer,
  number, ///< An integer or a float.
  flag,
  text,
  numbers, ///< One number, or a list of them.
  texts,   ///< One text, or a list of them.
};

/// "an int", "a list of numbers".
constexpr std::string_view describe(SettingKind kind) {
  constexpr std::string_view names[] = {"an int",
                                        "a number",
                                        "a bool",
                                        "a string",
                                        "a number or a list of numbers",
                                        "a string or a list of strings"};
  return names[static_cast<size_t>(kind)];
}

inline constexpr double no_limit = 0x1p53; ///< Integers beyond it are not exact as doubles.

struct LoaderSetting {
  std::string_view name;
  SettingKind kind;
  double least = -no_limit, most = no_limit; ///< Of a number.
  std::string_view choices = ""; ///< Of a text: those that there are, separated by '|'; empty: any.
};

inline constexpr LoaderSetting array_settings[] = {
    {"convert", SettingKind::flag},
    {"split_seed", SettingKind::integer, 0},
    {"validation", SettingKind::number, 0, 0.9},
};

inline constexpr LoaderSetting csv_settings[] = {
    {"categories", SettingKind::texts},
    {"features", SettingKind::texts},
    {"header", SettingKind::flag},
    {"ignore", SettingKind::texts},
    {"max_categories", SettingKind::integer, 1},
    {"missing", SettingKind::texts},
    {"separator", SettingKind::text},
    {"split", SettingKind::text},
    {"split_seed", SettingKind::integer, 0},
    {"standardize", SettingKind::flag},
    {"standardize_target", SettingKind::flag},
    {"target", SettingKind::text},
    {"task", SettingKind::text, 0, 0, "classification|regression"},
    {"validation", SettingKind::number, 0, 0.9},
};

inline constexpr LoaderSetting images_settings[] = {
    {"channels", SettingKind::integer, 1, 3},
    {"crop", SettingKind::integer, 0, 0x1p20},
    {"flip", SettingKind::flag},
    {"height", SettingKind::integer, 1, 0x1p14},
    {"mean", SettingKind::numbers},
    {"memory", SettingKind::integer, 0, 0x1p40},
    {"resize", SettingKind::flag},
    {"split_seed", SettingKind::integer, 0},
    {"std", SettingKind::numbers, 1e-30},
    {"validation", SettingKind::number, 0, 0.9},
    {"width", SettingKind::integer, 1, 0x1p14},
};

inline constexpr LoaderSetting mnist_settings[] = {
    {"classes", SettingKind::integer, 1, 256},
    {"prefix", SettingKind::text},
    {"split_seed", SettingKind::integer, 0},
    {"validation", SettingKind::number, 0, 0.9},
};

inline constexpr LoaderSetting sentences_settings[] = {
    {"header", SettingKind::flag},
    {"length", SettingKind::integer, 1, 0x1p20},
    {"min_count", SettingKind::integer, 1},
    {"split", SettingKind::text},
    {"split_seed", SettingKind::integer, 0},
    {"target", SettingKind::text},
    {"text", SettingKind::text},
    {"validation", SettingKind::number, 0, 0.9},
    {"vocabulary", SettingKind::integer, 3, 0x1p31 - 1},
};

inline constexpr LoaderSetting text_settings[] = {
    {"starts", SettingKind::text, 0, 0, "random|consecutive|every"},
    {"unit", SettingKind::text, 0, 0, "char|word"},
    {"validation", SettingKind::number, 0, 0.9},
    {"vocabulary", SettingKind::integer, 1, 0x1p31 - 1},
    {"window", SettingKind::integer, 1},
};

struct LoaderSignature {
  std::string_view name;
  std::span<const LoaderSetting> settings; ///< By name.
};

/// In alphabetical order.
// clang-format off
inline constexpr LoaderSignature loader_signatures[] = {
    {"csv", csv_settings},
    {"images", images_settings},
    {"mnist", mnist_settings},
    {"npy", array_settings},
    {"safetensors", array_settings},
    {"sentences", sentences_settings},
    {"text", text_settings},
};
// clang-format on

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_LOADERS_H
