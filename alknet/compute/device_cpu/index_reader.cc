#include "alknet/compute/device_cpu/index_reader.h"

#include <fmt/format.h>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {

IndexReader::IndexReader(const Operand& indices, std::int64_t size, std::string op)
    : indices_(indices), size_(size), op_(std::move(op)), wide_(indices.dtype == Dtype::kI64) {}

void IndexReader::fail(std::int64_t index) const {
  throw Error(ComputeError::kIndexOutOfRange,
              fmt::format("[{}] index {} is outside 0 .. {}; check the indices before the call", op_, index, size_ - 1),
              JsonObject{{"op", op_}, {"index", index}, {"size", size_}});
}

}  // namespace alknet::compute
