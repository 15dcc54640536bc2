// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/options.h"

#include "runtime/data/tensor.h"
#include "runtime/dlc_runtime.h"
#include "tools/cli/output.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <sstream>

namespace dlc::cli {
namespace {

/// A flag's whole text as a number; CLI11 turns the exception into its error message.
template <typename T> T number(const std::string &flag, const std::string &text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size())
    return value;
  std::string expected = "a number";
  if constexpr (std::is_unsigned_v<T>)
    expected = "a whole number from 0 to " + std::to_string(std::numeric_limits<T>::max());
  else if (std::is_integral_v<T> && error == std::errc::result_out_of_range)
    expected = "a whole number up to " + std::to_string(std::numeric_limits<T>::max());
  throw CLI::ValidationError(flag, "expected " + expected + ", found '" + text + "'");
}

Assignment assignment(const std::string &flag, const std::string &text) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw CLI::ValidationError(flag, "expected name=value, found '" + text + "'");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

/// Which of two values for one name shall count, nobody can tell.
void check_given_once(const std::string &flag, const std::vector<Assignment> &given) {
  for (auto one = given.begin(); one != given.end(); ++one)
    for (auto other = given.begin(); other != one; ++other)
      if (one->first == other->first)
        throw CLI::ValidationError(flag + (one->first.empty() ? "" : " ") + one->first +
                                   " is given twice: " + other->second + " and " + one->second);
}

/// Splits "a=x.npy,b=y.npy" where a name and a '=' follow a comma: what is between may be text with commas.
std::vector<std::string> split_assignments(const std::string &text) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    size_t end = i + 1;
    while (end < text.size() && (isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
      ++end;
    if (text[i] != ',' || end == i + 1 || end == text.size() || text[end] != '=')
      continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

/// Collects name=value flags, which may be repeated or separated by commas.
template <typename Add>
void add_assignments(CLI::App *app, const std::string &flag, const std::string &help, Add add) {
  app->add_option_function<std::vector<std::string>>(
         flag,
         [flag, add](const std::vector<std::string> &texts) {
           std::vector<Assignment> given;
           for (const std::string &text : texts)
             given.push_back(assignment(flag, text));
           check_given_once(flag, given);
           for (const auto &[name, value] : given)
             add(name, value);
         },
         help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE")
      ->take_all();
}

void add_bounds(CLI::App *app, const std::string &flag, const std::string &help, std::vector<Bound> &out) {
  add_assignments(app, flag, help, [flag, &out](const std::string &name, const std::string &value) {
    int64_t bound = number<int64_t>(flag, value);
    if (bound < 1)
      throw CLI::ValidationError(flag, "a dimension is at least 1, found " + value);
    out.emplace_back(name, bound);
  });
}

/// An optional number that is at least minimum.
template <typename T>
CLI::Option *add_number(CLI::App *app, const std::string &flag, const std::string &help,
                        std::optional<T> &out, T minimum) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, minimum, &out](const std::string &text) {
            T value = number<T>(flag, text);
            if (value < minimum)
              throw CLI::ValidationError(flag,
                                         "expected at least " + std::to_string(minimum) + ", found " + text);
            out = value;
          },
          help)
      ->type_name("N");
}

void add_model(CLI::App *app, const char *help, Options &options) {
  app->add_option("model", options.model, help)->required()->type_name("FILE");
}

/// The flags that shape an artifact, which whatever takes a .dl file has.
void add_shape_flags(CLI::App *app, Options &options) {
  app->add_option("--target", options.targets, "cpu, cuda, or both")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->type_name("LIST");
  add_bounds(app, "--bind", "fix a dimension: --bind n=64", options.bind);
}

void add_compile_flags(CLI::App *app, Options &options) {
  add_shape_flags(app, options);
  add_bounds(app, "--max", "bound a dimension, for the printed peak of memory: --max n=256", options.max);
  app->add_option("--precision", options.precision, "f32: strict, and the only one so far")->type_name("P");
  app->add_option("--max-memory", options.max_memory, "the most memory that an entry may need: 64MiB")
      ->type_name("SIZE");
}

void add_threads(CLI::App *app, const char *help, Options &options) {
  app->add_option("--threads", options.threads, help)->check(CLI::Range(0, DLC_MAX_THREADS))->type_name("N");
}

/// A seed that no run had before, nameable on any command line; the one of --seed random from then on.
uint64_t draw_seed(Options &options) {
  uint64_t seed = std::random_device()();
  options.drew_seed = true;
  for (size_t i = 0; i < options.command.size(); ++i) {
    if (options.command[i] == "--seed=random")
      options.command[i] = "--seed=" + std::to_string(seed);
    else if (options.command[i] == "random" && i > 0 && options.command[i - 1] == "--seed")
      options.command[i] = std::to_string(seed);
  }
  return seed;
}

void add_session_flags(CLI::App *app, Options &options) {
  app->add_option("--cpu", options.cpus, "the variant to run, such as x86-64-v3")
      ->type_name("V")
      ->expected(1);
  app->add_option("--device", options.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->type_name("D");
  add_threads(app, "threads, 0 for all processors that the process may use (0)", options);
  app->add_option_function<std::string>(
         "--seed",
         [&options](const std::string &text) {
           options.seed = text == "random" ? draw_seed(options) : number<uint64_t>("--seed", text);
         },
         "seed of everything random (0); random draws one, and says which")
      ->type_name("N");
  add_assignments(app, "--set", "set a hyperparameter: --set lr=3e-4",
                  [&options](const std::string &name, const std::string &value) {
                    options.set.emplace_back(name, number<double>("--set", value));
                    if (!std::isfinite(options.set.back().second))
                      throw CLI::ValidationError("--set",
                                                 "expected a finite number for " + name + ", found " + value);
                  });
  app->add_flag("--check-numerics{all}", options.check_numerics,
                "stop at the first NaN or infinity, and say where it comes from (slow); =nan: at NaN alone")
      ->check(CLI::IsMember({"all", "nan"}))
      ->type_name("");
  app->add_flag("--red-zones", options.red_zones,
                "surround every buffer with red zones and check them (slow)");
}

void add_data_flags(CLI::App *app, Options &options) {
  app->add_option("--data", options.data,
                  "the data set's path, or loader:path, or 'loader(\"path\", key=value)'")
      ->type_name("D");
  add_number<int64_t>(app, "--batch", "rows in a batch", options.batch, 1);
}

void define_compile(CLI::App *app, const std::string &variants, Options &options) {
  app->add_option("-o,--output", options.output, "the file to write (the model's name with .dla)")
      ->type_name("FILE");
  add_compile_flags(app, options);
  app->add_option("--cpu", options.cpus, "native, or CPU variants (all of them): " + variants)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("LIST");
  app->add_option(
         "--emit", options.emit,
         "print a phase: ast, dl, grad, dispatch, schedule, loops, llvm, asm, ptx, object, artifact;\n"
         "from dispatch on for one variant: asm:x86-64-v4")
      ->type_name("PHASE");
  app->add_option("--scan", options.scan,
                  "how scans run: auto, loop (of commands) or dispatch (inside one kernel)")
      ->check(CLI::IsMember({"auto", "loop", "dispatch"}))
      ->type_name("FORM");
  app->add_flag("!--no-fuse", options.fuse, "a kernel for each operation: slow, for finding faults");
  app->add_flag("--verbose", options.verbose, "say what a fast path declined, and why");
  app->add_flag("--verify", options.verify, "check every schedule against the program's data flow");
  app->add_flag("--sanitize", options.sanitize, "instrument the kernels with address checks");
}

void define_train(CLI::App *app, Options &options) {
  add_data_flags(app, options);
  CLI::Option *epochs = add_number<int64_t>(app, "--epochs", "epochs in all, those before --resume included",
                                            options.epochs, 0);
  add_number<int64_t>(app, "--steps", "steps in all, those before --resume included", options.steps, 0)
      ->excludes(epochs);
  app->add_option("--entry", options.entry, "the train entry (the fit block's)")->type_name("NAME");
  add_session_flags(app, options);
  CLI::Option *weights =
      app->add_option("--weights", options.weights, "start from these weights, which must fit")
          ->type_name("F");
  CLI::Option *init = app->add_option("--init", options.init,
                                      "start from those of these weights that fit, and list the others")
                          ->type_name("F")
                          ->excludes(weights);
  app->add_option("--save", options.save, "save the weights here, and a checkpoint beside them")
      ->type_name("F");
  add_number<int64_t>(app, "--save-every", "save every N steps (after each epoch)", options.save_every, 1);
  CLI::Option *resume =
      app->add_option("--resume", options.resume, "continue from a checkpoint")->type_name("F");
  resume->excludes(weights)->excludes(init);
  CLI::Option *no_eval =
      app->add_flag("--no-eval", options.no_eval, "do not evaluate after each epoch and at the end");
  add_number<int64_t>(app, "--evaluate-every", "evaluate every N steps (after each epoch)",
                      options.evaluate_every, 1)
      ->excludes(no_eval);
  app->add_option("--best", options.best,
                  "keep the best weights, too: by test.loss, or min:test.x or max:test.x")
      ->type_name("FIGURE")
      ->excludes(no_eval);
  add_number<int64_t>(app, "--patience", "stop after N evaluations without a better --best", options.patience,
                      1)
      ->excludes(no_eval);
}

void define_eval(CLI::App *app, Options &options) {
  add_data_flags(app, options);
  app->add_option("--entry", options.entry, "the eval entry (the fit block's)")->type_name("NAME");
  add_session_flags(app, options);
  app->add_option("--weights", options.weights, "the trained weights, or a checkpoint")
      ->required()
      ->type_name("F");
  app->add_option("--show", options.show, "show N samples of an image data set with prediction and label")
      ->check(CLI::Range(int64_t{0}, int64_t{1000}))
      ->type_name("N");
}

void define_run(CLI::App *app, Options &options) {
  app->add_option("entry", options.entry, "the entry to run")->required()->type_name("ENTRY");
  add_data_flags(app, options);
  app->add_option("--split", options.split, "the split of the data whose rows to run on (all rows)")
      ->type_name("NAME");
  add_session_flags(app, options);
  app->add_option("--weights", options.weights, "the trained weights, or a checkpoint")->type_name("F");
  app->add_option_function<std::vector<std::string>>(
         "--in",
         [&options](const std::vector<std::string> &texts) {
           for (const std::string &text : texts)
             for (const std::string &part : split_assignments(text))
               options.in.push_back(assignment("--in", part));
           check_given_once("--in", options.in);
         },
         "an argument: --in image=x.npy, or a number, or text where the weights have a vocabulary")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE")
      ->take_all()
      ->excludes("--data")
      ->excludes("--split");
  app->add_option_function<std::vector<std::string>>(
         "--out",
         [&options](const std::vector<std::string> &texts) {
           for (const std::string &text : texts) {
             size_t equals = text.find('=');
             if (equals == std::string::npos)
               options.out.emplace_back("", text);
             else
               options.out.push_back(assignment("--out", text));
           }
           check_given_once("--out", options.out);
         },
         "write a result: --out probs.npy or .csv, or --out a=a.npy,b=b.npy when there are several; - prints "
         "tokens as text")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("[NAME=]F")
      ->take_all();
}

void define_inspect(CLI::App *app, Options &options) {
  add_threads(app, "threads to plan scratch memory for, 0 for all processors (0)", options);
  add_number<int64_t>(app, "--batch", "rows in a batch, for flops, bytes and memory (the fit block's)",
                      options.batch, 1);
  add_bounds(app, "--dims", "other sizes, for the same: --dims h=32,w=32 (the least that the entries take)",
             options.dims);
}

void define_format(CLI::App *app, Options &options) {
  app->add_option("files", options.files, "the .dl files; - formats standard input to standard output")
      ->required()
      ->type_name("FILE...");
  CLI::Option *check =
      app->add_flag("--check", options.check, "write nothing; name what is not formatted, and exit with 1");
  app->add_flag("--stdout", options.to_stdout, "print the formatted text and leave the file")
      ->excludes(check);
}

void define_document(CLI::App *app, Options &options) {
  app->add_option_function<std::vector<std::string>>(
         "words",
         [&options](const std::vector<std::string> &words) {
           for (const std::string &word : words) {
             std::string &out = word.ends_with(".dl") ? options.model : options.name;
             if (!out.empty())
               throw CLI::ValidationError("expected a name and a .dl file at most, found " + out + " and " +
                                          word);
             out = word;
           }
         },
         "a name, and a .dl file whose declarations are documented, too; without a name: all of them")
      ->expected(0, 2)
      ->type_name("[NAME] [FILE.dl]");
  app->add_flag("--page", options.page, "print the page of the standard library");
}

std::string suggestion(const std::string &word, const std::vector<std::string> &known) {
  std::optional<std::string> near = data::nearest_name(word, known);
  return near ? " (did you mean " + *near + "?)" : "";
}

/// CLI11's message, or a better one where it names neither what was expected nor what is near.
std::string explain(const CLI::ParseError &error, int argc, char **argv, const CLI::App &app,
                    const std::vector<std::string> &verbs) {
  std::vector<CLI::App *> chosen = const_cast<CLI::App &>(app).get_subcommands();
  if (chosen.empty() && dynamic_cast<const CLI::ValidationError *>(&error)) // of check_no_empty_words
    return error.what();
  if (chosen.empty() && (argc < 2 || argv[1][0] != '-')) {
    std::string known;
    for (const std::string &name : verbs)
      known += (known.empty() ? "" : ", ") + name;
    if (argc < 2)
      return "expected a verb: " + known;
    return std::string("no verb is called ") + argv[1] + "; there is: " + known + suggestion(argv[1], verbs);
  }
  if (chosen.empty())
    return std::string("expected a verb, found ") + argv[1];
  std::string message = error.what();
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    // "The following arguments were not expected: f --wights", the last word first.
    std::vector<std::string> extras;
    std::istringstream words(message.substr(message.rfind(": ") + 2));
    for (std::string word; words >> word;)
      extras.push_back(word);
    auto flag =
        std::find_if(extras.begin(), extras.end(), [](const std::string &word) { return word[0] == '-'; });
    if (flag == extras.end())
      return "one word too many: " + extras.back();
    std::vector<std::string> flags;
    for (const CLI::Option *option : chosen[0]->get_options())
      for (const std::string &name : option->get_lnames())
        flags.push_back("--" + name);
    std::string name = flag->substr(0, flag->find('='));
    return chosen[0]->get_name() + " has no flag " + name + suggestion(name, flags);
  }
  return message;
}

/// --resume "$UNSET" is not the same as no --resume, and would otherwise be taken for it.
void check_no_empty_words(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    bool ends_flag = word.starts_with("--") && word.find('=') == word.size() - 1;
    if (word.empty() || ends_flag)
      throw CLI::ValidationError(std::string(word.empty() ? argv[i - 1] : word.substr(0, word.size() - 1)),
                                 "expected a value, found an empty one");
  }
}

} // namespace

std::optional<int> parse_options(int argc, char **argv, const std::vector<std::string> *variants,
                                 Options &out_options) {
  Options &options = out_options;
  const bool with_compiler = variants != nullptr;
  std::string variant_list;
  for (const std::string &name : variants ? *variants : std::vector<std::string>())
    variant_list += (variant_list.empty() ? "" : ",") + name;
  options.command.assign(argv, argv + argc);
  CLI::App app(with_compiler ? "Compiles neural networks, trains them and infers with them."
                             : "Trains compiled neural networks and infers with them.",
               with_compiler ? "dlc" : "dlc-run");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(with_compiler ? "dlc " : "dlc-run ") + DLC_RUNTIME_VERSION);
  app.footer("Exit status: 0 done, 1 the input was wrong, 2 the machine failed, 70 a bug in dlc,\n"
             "128 + signal when a training was interrupted.");
  app.get_formatter()->column_width(28);

  struct Definition {
    Verb verb;
    const char *name, *help;
    void (*define)(CLI::App *, Options &);
  };
  const Definition definitions[] = {
      {Verb::compile, "compile", "compile a model into one file, or print a phase", nullptr},
      {Verb::train, "train", "train a model on a data set", define_train},
      {Verb::eval, "eval", "evaluate a trained model on a data set", define_eval},
      {Verb::run, "run", "run one entry on .npy files, or on the rows of a data set", define_run},
      {Verb::inspect, "inspect", "show entries, parameters, dispatches, memory and code sizes",
       define_inspect},
      {Verb::format, "fmt", "format .dl files in place", define_format},
      {Verb::document, "doc", "print what the library and the built-in functions do", define_document},
  };
  std::vector<std::string> verbs;
  for (const Definition &definition : definitions) {
    bool on_text = definition.verb == Verb::format || definition.verb == Verb::document;
    if ((definition.verb == Verb::compile || on_text) && !with_compiler)
      continue;
    verbs.push_back(definition.name);
    CLI::App *verb = app.add_subcommand(definition.name, definition.help);
    verb->parse_complete_callback([&options, chosen = definition.verb] { options.verb = chosen; });
    if (on_text) {
      definition.define(verb, options);
      continue;
    }
    add_model(verb,
              definition.verb == Verb::compile ? "model.dl"
              : with_compiler                  ? "model.dl or model.dla"
                                               : "model.dla",
              options);
    if (definition.verb == Verb::compile)
      define_compile(verb, variant_list, options);
    else
      definition.define(verb, options);
    if (definition.verb != Verb::compile)
      verb->add_flag("--json", options.json, "print one JSON object a line");
    if (with_compiler && definition.verb != Verb::compile)
      add_shape_flags(verb, options);
  }

  try {
    check_no_empty_words(argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return app.exit(error) ? exit_input : exit_done;
    const char *program = with_compiler ? "dlc" : "dlc-run";
    std::string text = explain(error, argc, argv, app, verbs);
    if (std::any_of(argv, argv + argc, [](const char *word) { return std::string_view(word) == "--json"; }))
      print_json_error(text, exit_input);
    fprintf(stderr, "%s: error: %s\n", program, text.c_str());
    fprintf(stderr, "%s%s --help shows what there is\n", program,
            app.get_subcommands().empty() ? "" : (" " + app.get_subcommands()[0]->get_name()).c_str());
    return exit_input;
  }
  return std::nullopt;
}

} // namespace dlc::cli
