#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/stream/client_core.h"
#include "alknet/tensor/error.h"

// The streams on which tensors come, and what is placed from them.

namespace alknet::stream {
namespace {

constexpr std::size_t kSaveEvery = std::size_t{64} << 20;

}  // namespace

void ClientCore::read_tensor(StreamId stream, TensorStream& tensor, std::span<const std::byte> bytes) {
  if (tensor.waits) {
    tensor.early.insert(tensor.early.end(), bytes.begin(), bytes.end());
    return;
  }
  if (!tensor.header) {
    tensor.header = tensor.reader.read(bytes);
    if (!tensor.header) return;
    if (tensor.header->request >= next_id_) {
      throw protocol_error(fmt::format("a tensor came for request {}, which was not made", tensor.header->request));
    }
    tensor.next = tensor.header->offset;
    const OpenRequest* request = request_by_id(tensor.header->request);
    if (request != nullptr && !request->granted) {
      tensor.waits = true;
      tensor.early.assign(bytes.begin(), bytes.end());
      (*line_)->set_reading(stream, false);
      return;
    }
    if (request == nullptr || cancelled_.contains(tensor.header->index)) {
      (*line_)->stop_sending(stream, TransportCode::kAborted);
      tensors_.erase(stream);
      return;
    }
    if (request->reader.reply().zstd) tensor.decompressor.emplace();
  }
  if (!tensor.decompressor) return place(tensor, bytes);
  tensor.decompressor->decompress(bytes, [&](std::span<const std::byte> more) { place(tensor, more); });
}

void ClientCore::place(TensorStream& tensor, std::span<const std::byte> bytes) {
  const std::uint32_t index = tensor.header->index;
  const std::uint64_t offset = tensor.next;
  tensor.next += bytes.size();
  try {
    assembly_->place(index, offset, bytes);
  } catch (const Error& error) {
    if (error.code() != tensor::TensorError::kChecksumMismatch) throw;
    return fail_entry(index, error);
  }
  unsaved_ += bytes.size();
  if (unsaved_ >= kSaveEvery && !options_.target.empty()) {
    unsaved_ = 0;
    assembly_->save_progress();
  }
  if (options_.on_progress) options_.on_progress(assembly_->placed(), assembly_->total());
  if (assembly_->complete(index)) entry_arrived(index);
}

void ClientCore::end_tensor(StreamId stream, const TensorStream& tensor) {
  if (tensor.decompressor && !tensor.decompressor->ended()) throw protocol_error("a compressed stream ended early");
  tensors_.erase(stream);
}

/// Goes on with streams of a request whose reply came after them.
void ClientCore::resume_early(std::uint32_t request) {
  std::vector<StreamId> streams;
  for (const auto& [stream, tensor] : tensors_) {
    if (tensor.waits && tensor.header->request == request) streams.push_back(stream);
  }
  const OpenRequest* open = request_by_id(request);
  for (const StreamId stream : streams) {
    TensorStream& tensor = tensors_.at(stream);
    tensor.waits = false;
    if (open->reader.reply().zstd) tensor.decompressor.emplace();
    const std::vector<std::byte> early = std::exchange(tensor.early, {});
    read_tensor(stream, tensor, early);
    if (tensor.ended) {
      end_tensor(stream, tensor);
    } else {
      (*line_)->set_reading(stream, true);
    }
  }
}

void ClientCore::entry_arrived(std::uint32_t index) {
  coming_[index] = Coming::kNo;
  if (const auto waiting = waiters_.extract(index)) {
    for (Completion<>& waiter : waiting.mapped()) waiter.set_value();
  }
  finish_all();
}

void ClientCore::fail_entry(std::uint32_t index, const Error& error) {
  coming_[index] = Coming::kNo;
  const auto fail = [&](Completion<>& waiter) { waiter.set_error(std::make_exception_ptr(error)); };
  if (const auto waiting = waiters_.extract(index)) std::ranges::for_each(waiting.mapped(), fail);
  auto all = std::exchange(all_waiters_, {});
  std::ranges::for_each(all, fail);
}

void ClientCore::finish_all() {
  if (!assembly_->complete()) return;
  if (!committed_) {
    assembly_->commit();
    committed_ = true;
  }
  for (Completion<>& waiter : std::exchange(all_waiters_, {})) waiter.set_value();
}

}  // namespace alknet::stream
