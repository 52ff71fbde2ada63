// F1 to F4: the file layer. The inputs come from inputs.py.
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/tensor/blobs.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/records.h"
#include "alknet/tensor/writer.h"
#include "bench/cases.h"
#include "bench/random_index.h"

namespace alknet::bench {
namespace {

std::string text(const Json& parameters, std::string_view key) { return std::string(parameters.at(key).as_string()); }

/// F1: open a file of F32 entries, take a typed view of each and read its first element. Typed views check the schema,
/// where the file has one.
Case touch_views(const Json& parameters) {
  return [path = text(parameters, "file")] {
    float sum = 0;
    const auto file = tensor::File::open(path);
    for (const auto& entry : file.entries()) sum += file.tensor(entry).as<float>().front();
    keep(sum);
  };
}

/// F2: open a file and read all its bytes once, as 64-bit words.
Case read_file(const Json& parameters) {
  return [path = text(parameters, "file")] {
    std::uint64_t sum = 0;
    const auto file = tensor::File::open(path, {.advice = tensor::Advice::kPopulate});
    for (const auto& entry : file.entries()) {
      const auto view = file.tensor(entry);
      const auto bytes = view.data();
      std::size_t i = 0;
      for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + i, sizeof word);
        sum += word;
      }
      for (; i < bytes.size(); ++i) sum += static_cast<std::uint64_t>(bytes[i]);
    }
    keep(sum);
  };
}

/// F3: write `count` U8 entries of `bytes` each, synced and renamed. All hold the same bytes, which are in memory.
Case write_file(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::size_t>();
  const auto bytes = parameters.at("bytes").to_number<std::size_t>();
  auto content = std::make_shared<std::vector<std::uint8_t>>(bytes);
  for (std::size_t i = 0; i < bytes; ++i) (*content)[i] = static_cast<std::uint8_t>(i * 31);
  return [path = text(parameters, "file"), count, content] {
    tensor::Writer writer(path);
    std::vector<tensor::Writer::Id> ids;
    for (std::size_t i = 0; i < count; ++i) {
      ids.push_back(writer.declare({.name = "entry." + std::to_string(i),
                                    .dtype = schema::FileDtype::kU8,
                                    .shape = {static_cast<std::int64_t>(content->size())}}));
    }
    writer.start();
    for (const auto id : ids) writer.write(id, std::span<const std::uint8_t>(*content));
    writer.close();
  };
}

/// A record as `alknet schema codegen` writes it.
struct Row {
  std::int64_t id, time;
  double x, y, z;
  float score;
  std::uint16_t label;
  std::uint8_t ok;
};
static_assert(sizeof(Row) == 48);

/// F4: `count` random records, every field of each.
Case read_records(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::uint64_t>();
  const auto file = tensor::File::open(text(parameters, "file"));
  const auto records = std::make_shared<tensor::RecordsView>(file.records("records"));
  if (records->stride() != sizeof(Row)) throw std::runtime_error("the records are not those of inputs.py");
  return [records, count] {
    double sum = 0;
    RandomIndex random(records->count());
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto row = load_le<Row>(records->record(random.next()).data());
      sum += static_cast<double>(row.id ^ row.time) + row.x + row.y + row.z + row.score + row.label + row.ok;
    }
    keep(sum);
  };
}

/// F4: `count` random strings, a hash of each.
Case read_strings(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::uint64_t>();
  const auto strings =
      std::make_shared<tensor::BlobView>(tensor::File::open(text(parameters, "file")).blobs("strings"));
  return [strings, count] {
    std::uint64_t sum = 0;
    RandomIndex random(strings->count());
    for (std::uint64_t i = 0; i < count; ++i) {
      sum += std::hash<std::string_view>()(strings->text(random.next()));
    }
    keep(sum);
  };
}

/// F4: the same strings, by a list of their indices.
Case visit_strings(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::uint64_t>();
  const auto strings =
      std::make_shared<tensor::BlobView>(tensor::File::open(text(parameters, "file")).blobs("strings"));
  RandomIndex random(strings->count());
  std::vector<std::uint64_t> indices(count);
  for (auto& index : indices) index = random.next();
  return [strings, indices] {
    std::uint64_t sum = 0;
    strings->visit_texts(indices, [&](std::string_view text) { sum += std::hash<std::string_view>()(text); });
    keep(sum);
  };
}

}  // namespace

Cases file_cases() {
  return {{"touch_views", touch_views},   {"read_file", read_file},       {"write_file", write_file},
          {"read_records", read_records}, {"read_strings", read_strings}, {"visit_strings", visit_strings}};
}

}  // namespace alknet::bench
