#include "alknet/stream/send_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "alknet/call/error.h"
#include "alknet/tensor/fault.h"

namespace alknet::stream {
namespace {

const tensor::Entry& entry_of(const tensor::File& file, std::string_view name) {
  if (const tensor::Entry* entry = file.find(name)) return *entry;
  throw Error(call::CallError::kNotFound,
              fmt::format("[alknet/tensor] {} is no tensor of this model", tensor::quoted(name)));
}

Piece piece_of(const tensor::File& file, const TensorRange& range) {
  const tensor::Entry& entry = entry_of(file, range.name);
  const std::uint64_t end = range.end.value_or(entry.bytes());
  if (range.begin > end || end > entry.bytes()) {
    throw Error(call::CallError::kInvalidInput,
                fmt::format("[alknet/tensor] bytes {} to {} of {} were asked for, which has {}", range.begin, end,
                            tensor::quoted(range.name), entry.bytes()));
  }
  return {static_cast<std::uint32_t>(file.index_of(entry)), range.begin, end};
}

}  // namespace

SendPlan::SendPlan(const tensor::File& file, const Request& request) {
  if (request.tensors) {
    for (const TensorRange& range : *request.tensors) pieces_.push_back(piece_of(file, range));
  } else {
    for (std::uint32_t i = 0; i < file.entries().size(); ++i) pieces_.push_back({i, 0, file.entries()[i].bytes()});
  }
  prioritize(file, request.priority);
}

std::optional<Piece> SendPlan::next() {
  if (pieces_.empty()) return std::nullopt;
  const Piece piece = pieces_.front();
  pieces_.pop_front();
  return piece;
}

void SendPlan::prioritize(const tensor::File& file, std::span<const std::string> names) {
  if (names.empty()) return;
  std::unordered_map<std::uint32_t, std::size_t> rank;
  for (const std::string& name : names) {
    rank.try_emplace(static_cast<std::uint32_t>(file.index_of(entry_of(file, name))), rank.size());
  }
  std::ranges::stable_sort(pieces_, {}, [&](const Piece& piece) {
    const auto found = rank.find(piece.index);
    return found == rank.end() ? std::numeric_limits<std::size_t>::max() : found->second;
  });
}

}  // namespace alknet::stream
