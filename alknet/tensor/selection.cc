#include "alknet/tensor/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "alknet/schema/path.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_facts.h"

namespace alknet::tensor {
namespace {

/// A path cut into an entry and what follows its name: "[2]", "[2].mean", "[1:3]".
struct Target {
  const Entry* entry = nullptr;
  std::string_view rest;
};

// Whether a path may be cut before `rest`: at its end or before an index or a member.
bool is_boundary(std::string_view rest) { return rest.empty() || rest.front() == '[' || rest.front() == '.'; }

// The entry whose name is the longest beginning of the path, letter for letter.
std::optional<Target> match_literally(const File& file, std::string_view path) {
  for (std::size_t length = path.size(); length > 0; --length) {
    const std::string_view rest = path.substr(length);
    if (!is_boundary(rest)) continue;
    if (const Entry* entry = file.find(path.substr(0, length))) return Target{entry, rest};
  }
  return std::nullopt;
}

// The same with the path's steps joined by dots: `layers[0].weight` and `a\.b` name "layers.0.weight" and "a.b".
std::optional<Target> match_steps(const File& file, std::string_view path) {
  for (std::size_t length = path.size(); length > 0; --length) {
    const std::string_view rest = path.substr(length);
    const bool escaped = length < path.size() && path[length - 1] == '\\';
    if (!is_boundary(rest) || escaped) continue;
    schema::Path steps;
    try {
      steps = schema::parse_path(path.substr(0, length));
    } catch (const Error&) {
      continue;  // a cut inside of a step, or a range; the error for the whole path is better
    }
    std::string name;
    for (const schema::PathStep& step : steps) {
      if (!name.empty()) name += '.';
      const auto* text = std::get_if<std::string>(&step);
      name += text != nullptr ? *text : std::to_string(std::get<std::uint64_t>(step));
    }
    if (const Entry* entry = file.find(name)) return Target{entry, rest};
  }
  return std::nullopt;
}

/// "[i]" or "[a:b]" taken from the front of a path.
struct Bracket {
  std::optional<std::uint64_t> first, last;
  bool range = false;
};

class Resolver {
 public:
  Resolver(const File& file, std::string_view path) : file_(file), path_(path) {}

  Selection resolve() {
    auto target = match_literally(file_, path_);
    if (!target) target = match_steps(file_, path_);
    if (!target) {
      file_.entry(path_);  // throws entry_missing with the nearest names
    }
    rest_ = target->rest;
    const EntryFacts facts = entry_facts(file_, *target->entry);
    selection_.entry = target->entry;
    selection_.form = facts.form;
    selection_.shape = facts.item_shape;
    for (const std::int64_t dimension : selection_.shape) selection_.count *= static_cast<std::uint64_t>(dimension);

    bool ranged = false;
    while (!ranged && rest_.starts_with('[') && !selection_.shape.empty()) {
      const Bracket bracket = take_bracket();
      apply(bracket);
      ranged = bracket.range;
    }
    take_field();
    return std::move(selection_);
  }

 private:
  [[noreturn]] void refuse(TensorError code, std::string_view what, std::string_view remedy) const {
    const std::string_view entry = selection_.entry == nullptr ? path_ : selection_.entry->name;
    throw file_error(code, {file_.path(), entry}, fmt::format("{} in path {}", what, quoted(path_)), remedy);
  }

  std::optional<std::uint64_t> take_number() {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (end == rest_.data()) return std::nullopt;
    if (error != std::errc()) refuse(TensorError::kIndexOutOfRange, "an index that does not fit 64 bits", "");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return number;
  }

  Bracket take_bracket() {
    Bracket bracket;
    rest_.remove_prefix(1);
    bracket.first = take_number();
    if (rest_.starts_with(':')) {
      bracket.range = true;
      rest_.remove_prefix(1);
      bracket.last = take_number();
    }
    if (!rest_.starts_with(']') || (!bracket.range && !bracket.first)) {
      refuse(TensorError::kBadPath, "a malformed index", "write [i] or [a:b] with numbers from 0");
    }
    rest_.remove_prefix(1);
    return bracket;
  }

  void apply(const Bracket& bracket) {
    const auto size = static_cast<std::uint64_t>(selection_.shape.front());
    const std::uint64_t first = bracket.first.value_or(0);
    const std::uint64_t last = bracket.range ? bracket.last.value_or(size) : first + 1;
    if (last > size || first > last || (!bracket.range && first >= size)) {
      refuse(TensorError::kIndexOutOfRange,
             bracket.range ? fmt::format("a range {}:{} of {}", first, last, size)
                           : fmt::format("index {} of {}", first, size),
             "indices count from 0; a range ends before its second number");
    }
    const std::uint64_t row = size == 0 ? 0 : selection_.count / size;
    selection_.first += first * row;
    selection_.count = (last - first) * row;
    if (bracket.range) {
      selection_.shape.front() = static_cast<std::int64_t>(last - first);
    } else {
      selection_.shape.erase(selection_.shape.begin());
    }
  }

  void take_field() {
    if (rest_.empty()) return;
    if (rest_.starts_with('[')) {
      refuse(TensorError::kBadPath, "more indices than dimensions", "leave the last ones out");
    }
    if (selection_.form != schema::EntryForm::kStruct) {
      refuse(TensorError::kBadPath, "a field of something that has none", "only records have fields");
    }
    if (!selection_.shape.empty()) {
      refuse(TensorError::kBadPath, "a field of several records", "choose one record: name[i].field");
    }
    selection_.field = rest_.substr(1);
  }

  const File& file_;
  std::string_view path_;
  std::string_view rest_;
  Selection selection_;
};

}  // namespace

Selection select(const File& file, std::string_view path) {
  file.check_schema();
  return Resolver(file, path).resolve();
}

}  // namespace alknet::tensor
