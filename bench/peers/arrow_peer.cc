// Arrow C++ as a peer of F4, from the headers and libraries in the pyarrow wheel: IPC files, mapped.
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "bench/cases.h"
#include "bench/protocol.h"
#include "bench/random_index.h"

namespace alknet::bench {
namespace {

template <typename T>
T checked(arrow::Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return std::move(result).ValueUnsafe();
}

/// The only batch of a file.
std::shared_ptr<arrow::RecordBatch> open_batch(const Json& parameters) {
  const std::string path(parameters.at("file").as_string());
  const auto file = checked(arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ));
  const auto reader = checked(arrow::ipc::RecordBatchFileReader::Open(file));
  if (reader->num_record_batches() != 1) throw std::runtime_error(path + " has more than one batch");
  return checked(reader->ReadRecordBatch(0));
}

template <typename Array>
std::shared_ptr<Array> column(const arrow::RecordBatch& batch, const std::string& name) {
  const auto found = std::dynamic_pointer_cast<Array>(batch.GetColumnByName(name));
  if (!found) throw std::runtime_error("the file has no such column: " + name);
  return found;
}

Case read_records(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::uint64_t>();
  const auto batch = open_batch(parameters);
  return [batch, count, id = column<arrow::Int64Array>(*batch, "id"), time = column<arrow::Int64Array>(*batch, "time"),
          x = column<arrow::DoubleArray>(*batch, "x"), y = column<arrow::DoubleArray>(*batch, "y"),
          z = column<arrow::DoubleArray>(*batch, "z"), score = column<arrow::FloatArray>(*batch, "score"),
          label = column<arrow::UInt16Array>(*batch, "label"), ok = column<arrow::BooleanArray>(*batch, "ok")] {
    double sum = 0;
    RandomIndex random(static_cast<std::uint64_t>(batch->num_rows()));
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::int64_t>(random.next());
      sum += static_cast<double>(id->Value(at) ^ time->Value(at)) + x->Value(at) + y->Value(at) + z->Value(at) +
             score->Value(at) + label->Value(at) + ok->Value(at);
    }
    keep(sum);
  };
}

Case read_strings(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::uint64_t>();
  const auto batch = open_batch(parameters);
  return [batch, count, strings = column<arrow::StringArray>(*batch, "strings")] {
    std::uint64_t sum = 0;
    RandomIndex random(static_cast<std::uint64_t>(batch->num_rows()));
    for (std::uint64_t i = 0; i < count; ++i) {
      sum += std::hash<std::string_view>()(strings->GetView(static_cast<std::int64_t>(random.next())));
    }
    keep(sum);
  };
}

}  // namespace
}  // namespace alknet::bench

int main() {
  using namespace alknet::bench;
  serve({{"read_records", read_records}, {"read_strings", read_strings}}, "Arrow C++ " ARROW_VERSION_STRING);
}
