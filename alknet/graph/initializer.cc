#include "alknet/graph/initializer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <span>

#include "alknet/base/float16.h"
#include "alknet/base/machine_memory.h"
#include "alknet/graph/analysis.h"
#include "alknet/graph/json_reader.h"
#include "alknet/graph/philox.h"

namespace alknet::graph {
namespace {

struct Form {
  std::string_view name;
  Initializer::Kind kind;
  std::string_view first, second;  ///< Members; empty where there are none.
  double first_default, second_default;
};
constexpr Form kForms[] = {
    {"zeros", Initializer::Kind::kFull, "", "", 0, 0},
    {"ones", Initializer::Kind::kFull, "", "", 1, 0},
    {"full", Initializer::Kind::kFull, "value", "", 0, 0},
    {"uniform", Initializer::Kind::kUniform, "low", "high", 0, 1},
    {"normal", Initializer::Kind::kNormal, "mean", "std", 0, 1},
    {"rng", Initializer::Kind::kRng, "", "", 0, 0},
};

double number_or(const JsonReader& json, std::string_view member, double otherwise) {
  const auto found = member.empty() ? std::nullopt : json.find(member);
  if (!found) return otherwise;
  if (!found->value().is_number()) found->fail("must be a number");
  return found->value().to_number<double>();
}

template <typename T>
void put(std::vector<std::byte>& bytes, T value) {
  const auto view = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), view.begin(), view.end());
}

void put_number(std::vector<std::byte>& bytes, Dtype dtype, double value) {
  switch (dtype) {
    case Dtype::kBool: put(bytes, static_cast<std::uint8_t>(value != 0)); break;
    case Dtype::kI8: put(bytes, static_cast<std::int8_t>(value)); break;
    case Dtype::kU8: put(bytes, static_cast<std::uint8_t>(value)); break;
    case Dtype::kI32: put(bytes, static_cast<std::int32_t>(value)); break;
    case Dtype::kU32: put(bytes, static_cast<std::uint32_t>(value)); break;
    case Dtype::kI64: put(bytes, static_cast<std::int64_t>(value)); break;
    case Dtype::kF16: put(bytes, to_half(to_float_for_rounding(value))); break;
    case Dtype::kBF16: put(bytes, to_bfloat16(to_float_for_rounding(value))); break;
    case Dtype::kF32: put(bytes, static_cast<float>(value)); break;
    case Dtype::kF64: put(bytes, value); break;
  }
}

}  // namespace

Initializer Initializer::parse(const Json& init) {
  if (init.is_number()) return {Kind::kFull, init.to_number<double>(), 0};
  const JsonReader json(init, GraphError::kGraphInvalid, "init");
  const JsonReader named = init.is_string() ? json : json.at("name");
  for (const Form& form : kForms) {
    if (form.name != named.string()) continue;
    if (init.is_string()) return {form.kind, form.first_default, form.second_default};
    for (const auto& [member, value] : json.members()) {
      if (member != "name" && (member.empty() || (member != form.first && member != form.second))) {
        value.fail(fmt::format("is no member of the initialiser \"{}\"", form.name));
      }
    }
    return {form.kind, number_or(json, form.first, form.first_default),
            number_or(json, form.second, form.second_default)};
  }
  named.fail("is no initialiser; there are zeros, ones, full, uniform, normal and rng");
}

std::vector<std::byte> initial_elements(const Initializer& initializer, Dtype dtype, const Shape& shape,
                                        std::uint64_t seed, std::uint32_t stream) {
  using Kind = Initializer::Kind;
  const auto refuse = [&](std::string_view why) {
    throw Error(GraphError::kDtypeMismatch,
                fmt::format("an initial value of {} {}: {}", dtype_name(dtype), shape_text(shape), why));
  };
  const bool random = initializer.kind == Kind::kUniform || initializer.kind == Kind::kNormal;
  if (random && !is_float(dtype)) refuse("uniform and normal make floats");
  if (initializer.kind == Kind::kFull && !holds(dtype, initializer.first)) refuse("the number does not fit");
  const auto count = static_cast<std::uint64_t>(element_count(shape));
  std::vector<std::byte> bytes;
  try {
    if (count * dtype_bytes(dtype) > machine_memory()) throw std::bad_alloc();
    bytes.reserve(count * dtype_bytes(dtype));
  } catch (const std::bad_alloc&) {
    throw Error(BaseError::kOutOfMemory, fmt::format("the initial value of {} {} needs {} bytes: use a smaller state",
                                                     dtype_name(dtype), shape_text(shape), count * dtype_bytes(dtype)));
  }
  if (initializer.kind == Kind::kRng) {
    if (dtype != Dtype::kU32 || shape != Shape{4}) refuse("\"rng\" is u32 [4]");
    for (const std::uint64_t word : {seed & 0xffffffffU, seed >> 32, std::uint64_t{0}, std::uint64_t{0}}) {
      put(bytes, static_cast<std::uint32_t>(word));
    }
    return bytes;
  }
  for (std::uint64_t block = 0; block < (count + 3) / 4; ++block) {
    std::array<double, 4> values;
    values.fill(initializer.first);
    if (random) {
      const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
      const auto words = philox4x32({low(block), 0, stream, 0}, {low(seed), low(seed >> 32)});
      for (std::size_t k = 0; k < 4; ++k) {
        const double spread = initializer.second - initializer.first;
        values[k] =
            initializer.kind == Kind::kUniform
                ? initializer.first + spread * unit_uniform(words[k])
                : initializer.first + initializer.second * unit_normals(words[k / 2 * 2], words[k / 2 * 2 + 1])[k % 2];
      }
    }
    for (std::uint64_t k = 0; k < std::min<std::uint64_t>(4, count - 4 * block); ++k) {
      put_number(bytes, dtype, values[k]);
    }
  }
  return bytes;
}

void check_initializers(const Graph& graph, std::vector<Problem>& problems) {
  for (const State& state : graph.states) {
    if (state.init.is_null()) continue;
    try {
      // An empty shape of the right rank finds what the dtype cannot hold without making the elements.
      const Initializer initializer = Initializer::parse(state.init);
      initial_elements(initializer, state.dtype, initializer.kind == Initializer::Kind::kRng ? Shape{4} : Shape{0}, 0,
                       0);
    } catch (const Error& error) {
      report(problems, "state " + state.name, error);
    }
  }
}

}  // namespace alknet::graph
