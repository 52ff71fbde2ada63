// F1 to F4: the file layer. The inputs come from inputs.py.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

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
    const auto file = tensor::File::open(path);
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

/// F4: `count` random records, every field of each.
Case read_records(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::uint64_t>();
  const auto file = tensor::File::open(text(parameters, "file"));
  const auto records = std::make_shared<tensor::RecordsView>(file.records("records"));
  return [records, count, id = records->field("id"), x = records->field("x"), y = records->field("y"),
          label = records->field("label"), ok = records->field("ok")] {
    double sum = 0;
    RandomIndex random(records->count());
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t at = random.next();
      sum += static_cast<double>(*records->get<std::int64_t>(at, id)) + *records->get<float>(at, x) +
             *records->get<float>(at, y) + *records->get<std::uint16_t>(at, label) + *records->get<bool>(at, ok);
    }
    keep(sum);
  };
}

/// F4: `count` random strings, the length and the first byte of each.
Case read_strings(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::uint64_t>();
  const auto strings =
      std::make_shared<tensor::BlobView>(tensor::File::open(text(parameters, "file")).blobs("strings"));
  return [strings, count] {
    std::uint64_t sum = 0;
    RandomIndex random(strings->count());
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string_view found = strings->text(random.next());
      sum += found.size() + static_cast<unsigned char>(found.front());
    }
    keep(sum);
  };
}

}  // namespace

Cases file_cases() {
  return {{"touch_views", touch_views},
          {"read_file", read_file},
          {"write_file", write_file},
          {"read_records", read_records},
          {"read_strings", read_strings}};
}

}  // namespace alknet::bench
