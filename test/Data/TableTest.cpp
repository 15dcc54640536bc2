// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/table.h"

#include "test/Data/TestFiles.h"

namespace dlc::data {
namespace {

using Row = std::vector<std::string>;

class Tables : public FileTest {
protected:
  std::string failure(const std::string &bytes, const TableFormat &format = {}) {
    Status status = read_table(write("t.csv", bytes), format, table_);
    EXPECT_TRUE(status.ok() || status.fault() == Fault::input);
    return message(status);
  }
  Table table_;
};

// But blanks around a field do not count.
TEST_F(Tables, QuotesAndLinesAreAsInRfc4180) {
  ASSERT_EQ(failure("\xef\xbb\xbfname, \"a \"\"b\"\"\" \r\n\r\n\"x, y\n z\",\t1 2 \r\n,\"\"\n"), "");
  EXPECT_EQ(table_.names, (Row{"name", "a \"b\""}));
  ASSERT_EQ(table_.rows.size(), 2u);
  EXPECT_EQ(table_.rows[0], (Row{"x, y\n z", "1 2"}));
  EXPECT_EQ(table_.rows[1], (Row{"", ""}));
  EXPECT_EQ(table_.lines, (std::vector<int64_t>{3, 5}));
  // The end of the file ends a line, too; without a header, columns are counted; tabs separate, quotes do not
  // count.
  ASSERT_EQ(failure("\"1\t2\n3\t4", {'\t', false, false}), "");
  EXPECT_EQ(table_.names, (Row{"column1", "column2"}));
  EXPECT_EQ(table_.rows, (std::vector<Row>{{"\"1", "2"}, {"3", "4"}}));
}

TEST_F(Tables, BadFilesSayWhatAndWhere) {
  EXPECT_EQ(failure(""), "t.csv: empty: expected a row of names");
  EXPECT_EQ(failure("", {',', true, false}), "t.csv: empty: expected rows");
  EXPECT_EQ(failure("a,b\n"), "t.csv: no rows: expected some behind the row of names");
  EXPECT_EQ(failure("a,b\n1,2\n\n3\n"), "t.csv: line 4: expected 2 fields, found 1");
  EXPECT_EQ(failure("a\n1,2\n"), "t.csv: line 2: expected 1 field, found 2");
  EXPECT_EQ(failure("a,b\n1,\"2\n3,4\n"), "t.csv: line 2: the quote that field 2 starts with has no end");
  EXPECT_EQ(failure("a,b\n\"1\"x,2\n"),
            "t.csv: line 2: expected a separator behind the quotes of field 1, found 'x'");
  EXPECT_EQ(failure("a,b,a\n1,2,3\n"), "t.csv: two columns are called a");
  EXPECT_EQ(failure("a\n1\n\xff\n"), "t.csv: invalid UTF-8 at offset 4 (unpacked)");
  ASSERT_EQ(failure("age,sex\n1,2\n"), "");
  size_t column = 0;
  EXPECT_EQ(message(table_.find("aged", column)),
            "t.csv: no column is called aged; there is: age, sex (did you mean age?)");
}

// Never a crash, wherever the file ends and whatever a byte becomes.
TEST_F(Tables, MutatedFilesAreReadOrRefused) {
  std::string good = "a,\"b\"\n\"1 \"\" \r\n2\",é\r\n3,4\n";
  for (size_t i = 0; i <= good.size(); ++i) {
    failure(good.substr(0, i));
    for (char c : {'"', '\n', ',', '\r', '\xc3'}) {
      std::string damaged = good;
      damaged.insert(i, 1, c);
      failure(damaged);
    }
  }
}

TEST_F(Tables, ValuesAreSortedAsNumbersIfTheyAre) {
  EXPECT_EQ(sort_values({"10", "9", "-1", "9"}), (Row{"-1", "9", "10"}));
  EXPECT_EQ(sort_values({"10", "9", "b"}), (Row{"10", "9", "b"}));
  double number = 0;
  EXPECT_TRUE(parse_number("+1.5e3", number));
  EXPECT_EQ(number, 1500);
  for (const char *none : {"", "+", "1x", " 1", "nan", "inf", "1e999"})
    EXPECT_FALSE(parse_number(none, number)) << none;
}

TEST_F(Tables, FilesOfAFolderAreSplits) {
  std::map<std::string, Table> tables;
  EXPECT_EQ(message(read_split_tables(folder_ + "/.", {".csv"}, {}, {}, tables)),
            ".: no file train.csv for the split train, or the same with .gz");
  write("train.csv", "a\n1\n");
  write("test.csv", "a\n2\n");
  write("notes.md", "a");
  ASSERT_TRUE(read_split_tables(folder_, {".csv"}, {}, {}, tables).ok());
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables["test"].rows[0][0], "2");
  Settings named, share;
  named.add("split", SettingValue::of(std::string("test")));
  EXPECT_EQ(message(read_split_tables(folder_ + "/.", {".csv"}, {}, named, tables)),
            ". is a folder, whose files are the splits: split is for a single file");
  write("train.csv", "a\n1\n2\n");
  share.add("validation", SettingValue::of(0.5));
  ASSERT_TRUE(read_split_tables(folder_, {".csv"}, {}, share, tables).ok());
  EXPECT_EQ(tables["validation"].rows.size(), 1u);
  EXPECT_EQ(tables["train"].rows.size(), 1u);
  write("validation.csv", "a\n2\n");
  EXPECT_EQ(message(read_split_tables(folder_ + "/.", {".csv"}, {}, share, tables)),
            ".: there is a file for the split validation: expected validation=0");
  {
    NoMoreFiles limit;
    EXPECT_EQ(message(read_split_tables(folder_ + "/.", {".csv"}, {}, {}, tables)),
              "cannot list .: Too many open files");
  }
  write("train.csv.gz", "a\n1\n");
  std::string twice = message(read_split_tables(folder_ + "/.", {".csv"}, {}, {}, tables));
  EXPECT_EQ(twice.substr(0, 27), ".: two files for split trai");
}

TEST_F(Tables, AFileIsSplitBySeedOrNamed) {
  std::map<std::string, Table> tables;
  write("t.csv", "a\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  Settings settings;
  settings.add("validation", SettingValue::of(0.3));
  ASSERT_TRUE(read_split_tables(path("t.csv"), {".csv"}, {}, settings, tables).ok());
  // The first three of the order of batcher.h: 7, 8, 6 (BatcherTest.cpp).
  EXPECT_EQ(tables["validation"].rows, (std::vector<Row>{{"6"}, {"7"}, {"8"}}));
  EXPECT_EQ(tables["validation"].lines, (std::vector<int64_t>{8, 9, 10}));
  EXPECT_EQ(tables["train"].rows.size(), 7u);
  settings.add("split", SettingValue::of(std::string("test")));
  ASSERT_TRUE(read_split_tables(path("t.csv"), {".csv"}, {}, settings, tables).ok());
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables["test"].rows.size(), 10u);
}

} // namespace
} // namespace dlc::data
