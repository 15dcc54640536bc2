// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "runtime/data/table.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstring>
#include <set>

namespace dlc::data {
namespace {

/// Numbers or classes for all rows, with how many a row has.
struct CsvColumn {
  Column column;
  std::vector<float> numbers;   ///< Of a column of f32.
  std::vector<int32_t> indices; ///< Of a column of i32.
};

class CsvSplit : public DataSet {
public:
  CsvSplit(std::vector<CsvColumn> columns, int64_t size) : data_(std::move(columns)), size_(size) {
    for (const CsvColumn &one : data_)
      columns_.push_back(one.column);
  }

  const std::vector<Column> &columns() const override { return columns_; }
  int64_t size() const override { return size_; }

protected:
  Status read_rows(size_t column, std::span<const int64_t> rows, const Draws *, void *out) const override {
    const CsvColumn &from = data_[column];
    auto copy = [&](const auto &values, auto *to) {
      int64_t width = from.column.shape.empty() ? 1 : from.column.shape[0];
      for (int64_t row : rows)
        to = std::copy_n(values.data() + row * width, width, to);
    };
    if (from.column.type == DataType::f32)
      copy(from.numbers, static_cast<float *>(out));
    else
      copy(from.indices, static_cast<int32_t *>(out));
    return {};
  }

private:
  std::vector<CsvColumn> data_;
  std::vector<Column> columns_;
  int64_t size_;
};

//===- what the training split tells --------------------------------------------------------------------===//

/// What the settings say, and the columns that are features.
struct Plan {
  std::string target; ///< Empty: there is none, the table is to be predicted.
  bool regression = false, standardize = true, standardize_target = false;
  std::set<std::string> missing, categories;
  std::vector<std::string> features;
  int64_t max_categories = 50;
};

std::set<std::string> to_set(const std::vector<std::string> &values) {
  return {values.begin(), values.end()};
}

/// The encoding of the numbers in a column of trained weights; null if there is none.
std::shared_ptr<const Encoding> known_features(const Encodings &fitted, const char *column) {
  auto known = fitted.find(column);
  return known != fitted.end() && !known->second->features.empty() ? known->second : nullptr;
}

/// The column that was the target of the weights' training; empty where there was none.
std::string known_target(const Encodings &fitted) {
  if (std::shared_ptr<const Encoding> numbers = known_features(fitted, "target"))
    return numbers->features[0].name;
  std::shared_ptr<const Encoding> classes = find_classes(fitted);
  return classes ? classes->column : std::string();
}

/// The target that the settings name, or that of the weights, or the last column. Weights that know the
/// features need none.
Status choose_target(const Table &train, const Settings &settings, const Encodings &fitted,
                     const Encoding *known, std::string &out_target) {
  std::string learnt = known_target(fitted);
  std::string target = settings.text("target", learnt.empty() ? train.names.back() : learnt);
  auto is_target = [&](const Feature &feature) { return feature.name == target; };
  bool is_feature = known && std::any_of(known->features.begin(), known->features.end(), is_target);
  size_t place = 0;
  Status found = train.find(target, place);
  if (known && (is_feature || !found.ok()))
    return {};
  out_target = target;
  return found;
}

Status make_plan(const Table &train, const Settings &settings, const Encodings &fitted, const Encoding *known,
                 Plan &out_plan) {
  Plan plan;
  DLC_DATA_TRY(choose_target(train, settings, fitted, known, plan.target));
  plan.regression = settings.text("task", "classification") == "regression";
  plan.standardize = settings.flag("standardize", true);
  plan.standardize_target = settings.flag("standardize_target", false);
  plan.missing = settings.has("missing")
                     ? to_set(settings.texts("missing"))
                     : std::set<std::string>{"", "NA", "N/A", "NaN", "nan", "null", "NULL"};
  plan.categories = to_set(settings.texts("categories"));
  plan.max_categories = settings.integer("max_categories", 50);
  if (plan.standardize_target && !plan.regression)
    return Status::input("csv: standardize_target is for task=\"regression\"");
  if (known) {
    out_plan = std::move(plan);
    return {};
  }
  std::set<std::string> ignored = to_set(settings.texts("ignore"));
  size_t place = 0;
  for (const char *name : {"ignore", "categories", "features"})
    for (const std::string &column : settings.texts(name)) {
      DLC_DATA_TRY(train.find(column, place));
      if (column == plan.target && strcmp(name, "categories") != 0)
        return Status::input(train.path + ": " + column + " is the target: it cannot be in " + name);
    }
  plan.features = settings.has("features") ? settings.texts("features") : train.names;
  std::erase_if(plan.features,
                [&](const std::string &name) { return name == plan.target || ignored.count(name); });
  if (plan.features.empty())
    return Status::input(train.path + ": no column is left besides the target " + plan.target);
  out_plan = std::move(plan);
  return {};
}

/// The row whose number in a column is the farthest from 0.
size_t row_of_largest(const Table &table, size_t place, const std::set<std::string> &missing) {
  size_t largest = 0;
  double most = -1, number = 0;
  for (size_t row = 0; row < table.rows.size(); ++row)
    if (!missing.count(table.rows[row][place]) && parse_number(table.rows[row][place], number) &&
        std::abs(number) > most) {
      most = std::abs(number);
      largest = row;
    }
  return largest;
}

/// Mean and standard deviation (of the whole, not of a sample) of the numbers in a column.
Status standardise(const Table &train, const Plan &plan, size_t place, const std::vector<double> &numbers,
                   Feature &out_feature) {
  Feature feature;
  feature.name = train.names[place];
  if (numbers.empty()) {
    out_feature = std::move(feature);
    return {};
  }
  double sum = 0, squares = 0, count = static_cast<double>(numbers.size());
  for (double number : numbers)
    sum += number;
  feature.mean = sum / count;
  for (double number : numbers)
    squares += (number - feature.mean) * (number - feature.mean);
  // Of a constant, the deviation is what the sum was rounded by.
  double deviation = std::sqrt(squares / count), rounding = 1e-12 * std::abs(feature.mean);
  feature.scale = deviation > rounding ? deviation : 1;
  if (!std::isfinite(feature.mean) || !std::isfinite(deviation)) {
    size_t row = row_of_largest(train, place, plan.missing);
    return Status::input(train.at(row) + ": column " + feature.name + ": " + train.rows[row][place] +
                         " is too large: the column's mean or deviation leaves f64");
  }
  out_feature = std::move(feature);
  return {};
}

/// A column is numbers if every value of the training split is one or is missing; otherwise each different
/// value is a category, and missing is one if it occurs.
Status learn_feature(const Table &train, const Plan &plan, const std::string &name, Feature &out_feature) {
  size_t place = 0;
  DLC_DATA_TRY(train.find(name, place));
  std::vector<double> numbers;
  std::vector<std::string> values;
  std::optional<size_t> no_number;
  bool has_missing = false;
  for (size_t row = 0; row < train.rows.size(); ++row) {
    const std::string &value = train.rows[row][place];
    double number = 0;
    bool is_missing = plan.missing.count(value) > 0;
    has_missing |= is_missing;
    if (is_missing)
      continue;
    values.push_back(value);
    if (parse_number(value, number))
      numbers.push_back(number);
    else if (!no_number)
      no_number = row;
  }
  if (!no_number && !plan.categories.count(name)) {
    Feature feature;
    DLC_DATA_TRY(standardise(train, plan, place, numbers, feature));
    feature.missing = feature.mean;
    if (!plan.standardize) {
      feature.mean = 0;
      feature.scale = 1;
    }
    out_feature = std::move(feature);
    return {};
  }
  values = sort_values(std::move(values));
  if (static_cast<int64_t>(values.size()) > plan.max_categories)
    return Status::input(
        (no_number ? train.at(*no_number) : train.path) + ": column " + name + " has " +
        (no_number ? "'" + train.rows[*no_number][place] + "', which is no number, and " : std::string()) +
        format("%zu different values: expected at most %" PRId64
               " categories (ignore=[\"%s\"] leaves it out, "
               "max_categories allows more)",
               values.size(), plan.max_categories, name.c_str()));
  out_feature.name = name;
  if (has_missing)
    out_feature.categories.emplace_back();
  out_feature.categories.insert(out_feature.categories.end(), values.begin(), values.end());
  return {};
}

Status learn_features(const Table &train, const Plan &plan, std::shared_ptr<const Encoding> &out_features) {
  auto encoding = std::make_shared<Encoding>();
  for (const std::string &name : plan.features)
    DLC_DATA_TRY(learn_feature(train, plan, name, encoding->features.emplace_back()));
  out_features = std::move(encoding);
  return {};
}

Status learn_target(const Table &train, const Plan &plan, const Encodings &fitted,
                    std::shared_ptr<const Encoding> &out_target) {
  out_target = plan.regression ? known_features(fitted, "target") : find_classes(fitted);
  if (out_target || plan.target.empty())
    return {};
  size_t place = 0;
  DLC_DATA_TRY(train.find(plan.target, place));
  auto encoding = std::make_shared<Encoding>();
  std::vector<double> numbers;
  std::vector<std::string> values;
  for (const std::vector<std::string> &row : train.rows) {
    double number = 0;
    if (plan.regression && parse_number(row[place], number))
      numbers.push_back(number);
    else if (!plan.missing.count(row[place]))
      values.push_back(row[place]);
  }
  if (plan.regression) {
    Feature feature;
    if (plan.standardize_target)
      DLC_DATA_TRY(standardise(train, plan, place, numbers, feature));
    feature.name = plan.target;
    encoding->features.push_back(std::move(feature));
  } else {
    encoding->classes = sort_values(std::move(values));
    encoding->column = plan.target;
    if (encoding->classes.size() > max_classes)
      return Status::input(format("%s: target %s has %zu different values: expected classes, at most %zu "
                                  "(task=\"regression\" is for numbers)",
                                  train.path.c_str(), plan.target.c_str(), encoding->classes.size(),
                                  max_classes));
  }
  out_target = std::move(encoding);
  return {};
}

//===- encoding -----------------------------------------------------------------------------------------===//

/// The place of value in the feature's categories; -1 for one that the training did not have.
int32_t category(const Plan &plan, const Feature &feature, const std::string &value) {
  const std::string &looked_for = plan.missing.count(value) ? std::string() : value;
  auto found = std::find(feature.categories.begin(), feature.categories.end(), looked_for);
  return found == feature.categories.end() ? -1 : static_cast<int32_t>(found - feature.categories.begin());
}

Status standardised(const Table &table, const Plan &plan, const Feature &feature, size_t row, size_t place,
                    float &out_number) {
  const std::string &value = table.rows[row][place];
  double number = feature.missing;
  if (!plan.missing.count(value) && !parse_number(value, number))
    return Status::input(table.at(row) + ": column " + feature.name + ": expected a number, found '" + value +
                         "'");
  out_number = static_cast<float>((number - feature.mean) / feature.scale);
  if (!std::isfinite(out_number))
    return Status::input(table.at(row) + ": column " + feature.name + ": " + value + " is too large for f32");
  return {};
}

/// The feature in a column of its own: numbers, or categories counted from 1, with 0 for one that is unknown.
Status encode_feature(const Table &table, const Plan &plan, const Feature &feature, CsvColumn &out) {
  size_t place = 0;
  DLC_DATA_TRY(table.find(feature.name, place));
  auto encoding = std::make_shared<Encoding>();
  if (feature.categories.empty()) {
    encoding->features.push_back(feature);
    out.column = {feature.name, DataType::f32, {}, 0, encoding};
    out.numbers.resize(table.rows.size());
    for (size_t row = 0; row < table.rows.size(); ++row)
      DLC_DATA_TRY(standardised(table, plan, feature, row, place, out.numbers[row]));
    return {};
  }
  encoding->classes = {"<unk>"};
  encoding->classes.insert(encoding->classes.end(), feature.categories.begin(), feature.categories.end());
  out.column = {feature.name, DataType::i32, {}, static_cast<int64_t>(encoding->classes.size()), encoding};
  for (const std::vector<std::string> &row : table.rows)
    out.indices.push_back(category(plan, feature, row[place]) + 1);
  return {};
}

/// All features side by side.
CsvColumn join_features(const std::vector<CsvColumn> &columns,
                        const std::shared_ptr<const Encoding> &features, size_t rows) {
  int64_t width = 0;
  for (const Feature &feature : features->features)
    width += feature.categories.empty() ? 1 : static_cast<int64_t>(feature.categories.size());
  CsvColumn x;
  x.column = {"x", DataType::f32, {width}, 0, features};
  x.numbers.reserve(rows * static_cast<size_t>(width));
  for (size_t row = 0; row < rows; ++row)
    for (size_t i = 0; i < columns.size(); ++i) {
      size_t categories = features->features[i].categories.size();
      if (categories == 0)
        x.numbers.push_back(columns[i].numbers[row]);
      for (size_t k = 0; k < categories; ++k)
        x.numbers.push_back(columns[i].indices[row] == static_cast<int32_t>(k) + 1 ? 1.0f : 0.0f);
    }
  return x;
}

Status encode_target(const Table &table, const Plan &plan, const std::shared_ptr<const Encoding> &target,
                     CsvColumn &out) {
  size_t place = 0;
  DLC_DATA_TRY(table.find(plan.target, place));
  if (plan.regression)
    out.column = {"target", DataType::f32, {}, 0, target};
  else
    out.column = {"label", DataType::i32, {}, static_cast<int64_t>(target->classes.size()), target};
  for (size_t row = 0; row < table.rows.size(); ++row) {
    const std::string &value = table.rows[row][place];
    if (plan.missing.count(value))
      return Status::input(table.at(row) + ": expected a value in the target column " + plan.target +
                           ", found none ('" + value + "')");
    if (plan.regression)
      DLC_DATA_TRY(standardised(table, plan, target->features[0], row, place, out.numbers.emplace_back()));
    else
      DLC_DATA_TRY(find_class(target->classes, value, table.at(row), out.indices.emplace_back()));
  }
  return {};
}

/// The columns of a split: x and the target, then each feature under its own name where that is still free. A
/// split that has no target, such as one to be predicted, has no such column.
Status encode(const Table &table, const Plan &plan, const std::shared_ptr<const Encoding> &features,
              const std::shared_ptr<const Encoding> &target, std::vector<CsvColumn> &out_columns) {
  std::vector<CsvColumn> single(features->features.size());
  for (size_t i = 0; i < single.size(); ++i)
    DLC_DATA_TRY(encode_feature(table, plan, features->features[i], single[i]));
  std::vector<CsvColumn> columns;
  columns.push_back(join_features(single, features, table.rows.size()));
  if (!plan.target.empty() &&
      std::find(table.names.begin(), table.names.end(), plan.target) != table.names.end())
    DLC_DATA_TRY(encode_target(table, plan, target, columns.emplace_back()));
  for (CsvColumn &one : single) {
    const std::string &name = one.column.name;
    if (name != "x" && name != "label" && name != "target")
      columns.push_back(std::move(one));
  }
  out_columns = std::move(columns);
  return {};
}

} // namespace

Status open_csv(const std::string &path, const Settings &settings, const Encodings &fitted,
                Splits &out_splits) {
  TableFormat format = {',', /*quotes=*/true, settings.flag("header", true)};
  if (std::string separator = settings.text("separator", ","); separator.size() == 1 && separator != "\"")
    format.separator = separator[0];
  else
    return Status::input("csv: separator is one character and no quote, got \"" + separator + "\"");
  std::map<std::string, Table> tables;
  DLC_DATA_TRY(read_split_tables(path, {".csv"}, format, settings, tables));
  const Table &train = tables.count("train") ? tables["train"] : tables.begin()->second;
  std::shared_ptr<const Encoding> features = known_features(fitted, "x"), target;
  Plan plan;
  DLC_DATA_TRY(make_plan(train, settings, fitted, features.get(), plan));
  if (!features)
    DLC_DATA_TRY(learn_features(train, plan, features));
  DLC_DATA_TRY(learn_target(train, plan, fitted, target));
  Splits splits;
  for (const auto &[name, table] : tables) {
    std::vector<CsvColumn> columns;
    DLC_DATA_TRY(encode(table, plan, features, target, columns));
    splits[name] = std::make_unique<CsvSplit>(std::move(columns), static_cast<int64_t>(table.rows.size()));
  }
  out_splits = std::move(splits);
  return {};
}

} // namespace dlc::data
