// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/table.h"

#include "runtime/data/dataset.h"
#include "runtime/data/file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <set>
#include <sys/stat.h>

namespace dlc::data {
namespace {

/// Cuts a text into rows of fields.
class TableReader {
public:
  TableReader(const TableFormat &format, std::string_view text, Table &table)
      : format_(format), text_(text), table_(table) {}

  Status read() {
    while (at_ < text_.size()) {
      if (skip_empty_line())
        continue;
      table_.lines.push_back(line_);
      DLC_DATA_TRY(read_row(table_.rows.emplace_back()));
      size_t expected = table_.rows[0].size(), found = table_.rows.back().size();
      if (found != expected)
        return Status::input(table_.at(table_.rows.size() - 1) +
                             dlc::data::format(": expected %zu field%s, found %zu", expected,
                                               expected == 1 ? "" : "s", found));
    }
    return {};
  }

private:
  bool skip_empty_line() {
    size_t length = text_[at_] == '\r' ? 1 : 0;
    if (at_ + length < text_.size() && text_[at_ + length] != '\n')
      return false;
    at_ += length + 1;
    ++line_;
    return true;
  }

  bool is_blank(char c) const { return (c == ' ' || c == '\t') && c != format_.separator; }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_]))
      ++at_;
  }

  /// Blanks around a field do not count, but inside of quotes.
  Status read_row(std::vector<std::string> &row) {
    int64_t line = line_;
    for (;;) {
      std::string &field = row.emplace_back();
      if (format_.quotes)
        skip_blanks();
      bool quoted = format_.quotes && at_ < text_.size() && text_[at_] == '"';
      if (quoted && !read_quoted(field))
        return Status::input(
            dlc::data::format("%s: line %lld: the quote that field %zu starts with has no end",
                              table_.path.c_str(), static_cast<long long>(line), row.size()));
      size_t start = at_;
      while (at_ < text_.size() && text_[at_] != format_.separator && text_[at_] != '\n')
        ++at_;
      bool ends_line = at_ >= text_.size() || text_[at_] == '\n';
      size_t end = ends_line && at_ > start && text_[at_ - 1] == '\r' ? at_ - 1 : at_;
      while (format_.quotes && end > start && is_blank(text_[end - 1]))
        --end;
      if (quoted && end > start)
        return Status::input(
            dlc::data::format("%s: line %lld: expected a separator behind the quotes of field %zu, "
                              "found '%s'",
                              table_.path.c_str(), static_cast<long long>(line_), row.size(),
                              std::string(text_.substr(start, std::min<size_t>(end - start, 20))).c_str()));
      field += text_.substr(start, end - start);
      ++at_;
      if (ends_line) {
        ++line_;
        return {};
      }
    }
  }

  /// Reads a field in quotes, in which two stand for one. Fails at the end of the text.
  bool read_quoted(std::string &field) {
    for (++at_; at_ < text_.size(); ++at_) {
      line_ += text_[at_] == '\n';
      if (text_[at_] != '"') {
        field += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field += '"';
        ++at_;
      } else {
        ++at_;
        return true;
      }
    }
    return false;
  }

  const TableFormat &format_;
  std::string_view text_;
  Table &table_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

Status check_utf8(const std::string &path, std::string_view text) {
  std::string_view rest = text;
  while (!next_token(Vocabulary::Unit::character, rest).empty()) {
  }
  if (rest.empty())
    return {};
  return Status::input(
      format("%s: invalid UTF-8 at offset %zu (unpacked)", path.c_str(), text.size() - rest.size()));
}

/// Takes the names out of the first row, or makes some up.
Status name_columns(const TableFormat &format, Table &table) {
  if (table.rows.empty())
    return Status::input(table.path + ": empty: expected " + (format.header ? "a row of names" : "rows"));
  if (!format.header) {
    for (size_t i = 0; i < table.rows[0].size(); ++i)
      table.names.push_back("column" + std::to_string(i + 1));
    return {};
  }
  table.names = std::move(table.rows[0]);
  table.rows.erase(table.rows.begin());
  table.lines.erase(table.lines.begin());
  if (table.rows.empty())
    return Status::input(table.path + ": no rows: expected some behind the row of names");
  std::set<std::string> seen;
  for (const std::string &name : table.names)
    if (!seen.insert(name).second)
      return Status::input(table.path + ": two columns are called " + name);
  return {};
}

/// "dir/train.csv.gz" with the endings {".csv"}: "train"; nothing for another ending.
std::string stem(std::string name, const std::vector<std::string> &endings) {
  if (name.ends_with(".gz"))
    name.resize(name.size() - 3);
  for (const std::string &ending : endings)
    if (name.ends_with(ending))
      return name.substr(0, name.size() - ending.size());
  return "";
}

Status read_folder(const std::string &path, const std::vector<std::string> &endings,
                   const TableFormat &format, std::map<std::string, Table> &out_tables) {
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string file = entry->path().native(), split = stem(entry->path().filename().native(), endings);
    if (split.empty() || split.starts_with('.'))
      continue;
    if (out_tables.count(split))
      return Status::input(path + ": two files for split " + split + ": " + out_tables[split].path + " and " +
                           file);
    DLC_DATA_TRY(read_table(file, format, out_tables[split]));
  }
  if (error)
    return Status::machine("cannot list " + path + ": " + error.message());
  if (!out_tables.count("train"))
    return Status::input(path + ": no file train" + endings[0] +
                         " for the split train, or the same with .gz");
  return {};
}

/// Moves the rows of the validation out of table.
Table take_share(Table &table, double share, int64_t seed) {
  Table taken = {table.path, table.names, {}, {}}, rest = taken;
  std::vector<size_t> chosen = validation_rows(table.rows.size(), share, seed);
  auto next = chosen.begin();
  for (size_t i = 0; i < table.rows.size(); ++i) {
    bool is_chosen = next != chosen.end() && *next == i;
    next += is_chosen;
    Table &to = is_chosen ? taken : rest;
    to.rows.push_back(std::move(table.rows[i]));
    to.lines.push_back(table.lines[i]);
  }
  table = std::move(rest);
  return taken;
}

} // namespace

bool parse_number(const std::string &text, double &out_number) {
  bool has_plus = text.starts_with('+') && !text.starts_with("+-");
  const char *start = text.data() + (has_plus ? 1 : 0), *end = text.data() + text.size();
  auto [stop, error] = std::from_chars(start, end, out_number);
  return error == std::errc() && stop == end && start < end && std::isfinite(out_number);
}

std::vector<std::string> sort_values(std::vector<std::string> values) {
  double a = 0, b = 0;
  bool numbers = std::all_of(values.begin(), values.end(),
                             [&](const std::string &value) { return parse_number(value, a); });
  std::sort(values.begin(), values.end(), [&](const std::string &left, const std::string &right) {
    if (numbers && parse_number(left, a) && parse_number(right, b) && a != b)
      return a < b;
    return left < right;
  });
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

Status Table::find(const std::string &name, size_t &out_column) const {
  auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    std::optional<std::string> near = nearest_name(name, names);
    return Status::input(path + ": no column is called " + name + "; there is: " + join(names) +
                         (near ? " (did you mean " + *near + "?)" : ""));
  }
  out_column = static_cast<size_t>(found - names.begin());
  return {};
}

Status read_table(const std::string &path, const TableFormat &format, Table &out_table) {
  std::vector<std::byte> bytes;
  DLC_DATA_TRY(read_file_gz(path, bytes));
  std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  DLC_DATA_TRY(check_utf8(path, text));
  if (text.starts_with("\xef\xbb\xbf")) // the byte order mark that spreadsheets write
    text.remove_prefix(3);
  Table table;
  table.path = path;
  DLC_DATA_TRY(TableReader(format, text, table).read());
  DLC_DATA_TRY(name_columns(format, table));
  out_table = std::move(table);
  return {};
}

Status read_split_tables(const std::string &path, const std::vector<std::string> &endings,
                         const TableFormat &format, const Settings &settings,
                         std::map<std::string, Table> &out_tables) {
  std::map<std::string, Table> tables;
  struct stat info;
  bool is_folder = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode), is_named = settings.has("split");
  if (is_folder && is_named)
    return Status::input(path + " is a folder, whose files are the splits: split is for a single file");
  if (is_folder)
    DLC_DATA_TRY(read_folder(path, endings, format, tables));
  else
    DLC_DATA_TRY(read_table(path, format, tables[settings.text("split", "train")]));
  double share = is_named ? 0 : settings.number("validation", is_folder ? 0 : 0.1);
  if (share > 0 && tables.count("validation"))
    return Status::input(path + ": there is a file for the split validation: expected validation=0");
  Table validation = take_share(tables["train"], share, settings.integer("split_seed", 0));
  if (tables["train"].rows.empty()) // a file that is another split
    tables.erase("train");
  if (!validation.rows.empty())
    tables["validation"] = std::move(validation);
  out_tables = std::move(tables);
  return {};
}

} // namespace dlc::data
