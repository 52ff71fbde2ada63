#include "alknet/compute/data/digits.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "alknet/base/error.h"
#include "alknet/tensor/column.h"
#include "alknet/tensor/record_writer.h"

namespace alknet::compute {
namespace {

constexpr std::size_t kPixels = 64;
constexpr int kMaxPixel = 16;
constexpr int kDigits = 10;

constexpr std::string_view kDigitsSchema = R"json({
  "title": "Handwritten digits",
  "TypeDef:Struct": {"order": ["digits"]}, "required": ["digits"],
  "properties": {"digits": {"TypeDef:Tensor": {"shape": [-1], "dtype": {
    "TypeDef:Struct": {"order": ["image", "label"]}, "required": ["image", "label"],
    "properties": {
      "image": {"description": "8 rows of 8 pixels, from 0 (paper) to 16 (ink)",
                           "TypeDef:Array" : true, "minItems" : 8, "maxItems" : 8, "items" : {
  "TypeDef:Array" : true, "minItems" : 8, "maxItems" : 8, "items" : { "TypeDef:Uint8" : true, "maximum" : 16 }
}
}
, "label" : { "description" : "the digit that was written", "TypeDef:Uint8" : true, "maximum" : 9 }
}
}
}
}
}
})json";

[[noreturn]] void refuse_line(std::size_t line, std::string_view why) {
  throw Error(BaseError::kInvalidArgument, fmt::format("digits: line {}: {}", line, why));
}

/// 65 integers with commas between them; some releases write them as 5.0.
std::array<std::byte, kPixels + 1> parse_digits_line(std::string_view text, std::size_t line) {
  std::array<std::byte, kPixels + 1> record{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i <= kPixels; ++i) {
    int value = -1;
    const auto [stop, error] = std::from_chars(at, end, value);
    at = stop;
    if (error != std::errc() || value < 0 || value > (i == kPixels ? kDigits - 1 : kMaxPixel)) {
      refuse_line(line, fmt::format("number {} must be an integer from 0 to {}", i + 1,
                                    i == kPixels ? kDigits - 1 : kMaxPixel));
    }
    if (std::string_view(at, static_cast<std::size_t>(end - at)).starts_with(".0")) at += 2;
    if (i < kPixels ? at == end || *at != ',' : at != end) refuse_line(line, "must be 65 numbers with commas between");
    if (i < kPixels) ++at;
    record[i] = static_cast<std::byte>(value);
  }
  return record;
}

}  // namespace

void write_digits(const std::string& path, std::string_view csv) {
  tensor::Writer writer(path, {.schema = schema::Schema::parse(kDigitsSchema), .checksums = true});
  tensor::RecordWriter records(writer, kDigitsEntry);
  writer.start();
  for (std::size_t line = 1; !csv.empty(); ++line) {
    const std::size_t end = std::min(csv.find('\n'), csv.size());
    std::string_view text = csv.substr(0, end);
    csv.remove_prefix(std::min(end + 1, csv.size()));
    if (text.ends_with('\r')) text.remove_suffix(1);
    records.append(std::span<const std::byte>(parse_digits_line(text, line)));
  }
  if (records.count() == 0) throw Error(BaseError::kInvalidArgument, "digits: the text is empty");
  writer.close();
}

Dataset digits_dataset(const tensor::File& file) {
  return {file.records(kDigitsEntry), {{"image", graph::Dtype::kF32, 1.0 / kMaxPixel}, {"label", graph::Dtype::kI64}}};
}

std::vector<std::int64_t> digits_labels(const tensor::File& file) {
  const auto column = file.records(kDigitsEntry).column<std::uint8_t>("label");
  return {column.begin(), column.end()};
}

}  // namespace alknet::compute
