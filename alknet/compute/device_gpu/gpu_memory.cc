#include "alknet/compute/device_gpu/gpu_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <typeinfo>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

constexpr std::size_t kWord = 4;  // the device copies whole words

void check_range(std::size_t size, std::size_t offset, std::size_t bytes) {
  if (offset > size || bytes > size - offset) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("bytes {} .. {} lie outside a memory of {} bytes", offset, offset + bytes, size));
  }
}

}  // namespace

GpuMemory::GpuMemory(std::shared_ptr<GpuContext> context, std::size_t bytes)
    : context_(std::move(context)),
      bytes_(bytes),
      buffer_(context_->device().create_buffer(bytes)),
      serial_(context_->next_memory_serial()) {
  context_->count_memory(static_cast<std::int64_t>(bytes_));
}

GpuMemory::GpuMemory(std::shared_ptr<GpuContext> context, gpu::Buffer buffer, std::size_t bytes, bool writable)
    : context_(std::move(context)),
      bytes_(bytes),
      buffer_(std::move(buffer)),
      serial_(context_->next_memory_serial()),
      writable_(writable) {
  context_->count_memory(static_cast<std::int64_t>(bytes_));
}

GpuMemory::~GpuMemory() { context_->count_memory(-static_cast<std::int64_t>(bytes_)); }

void GpuMemory::write(std::size_t offset, std::span<const std::byte> bytes) const {
  check_range(bytes_, offset, bytes.size());
  if (bytes.empty()) return;
  if (!writable_) {
    throw Error(ComputeError::kReadOnly, "the tensor lies in a GPUBuffer that was made without COPY_DST");
  }
  const gpu::Device& device = context_->device();
  const std::size_t end = offset + bytes.size();
  const std::size_t head = offset % kWord;
  if (head == 0 && (end % kWord == 0 || end == bytes_)) {
    for (std::size_t done = 0; done < bytes.size(); done += context_->options().upload_chunk) {
      const std::size_t size = std::min(context_->options().upload_chunk, bytes.size() - done);
      device.write_buffer(buffer_, offset + done, bytes.subspan(done, size));
    }
    return;
  }
  // Neighbours in the first and last word are kept: fetch them, and write whole words.
  const std::size_t start = offset - head;
  std::vector<std::byte> words((end - start + kWord - 1) / kWord * kWord);
  device.readback(buffer_, start, std::span(words).first(kWord));
  device.readback(buffer_, start + words.size() - kWord, std::span(words).last(kWord));
  std::copy(bytes.begin(), bytes.end(), words.begin() + static_cast<std::ptrdiff_t>(head));
  device.write_buffer(buffer_, start, words);
}

void GpuMemory::read(std::size_t offset, std::span<std::byte> bytes) const {
  check_range(bytes_, offset, bytes.size());
  if (bytes.empty()) return;
  const std::size_t head = offset % kWord;
  if (head == 0) return context_->device().readback(buffer_, offset, bytes);
  std::vector<std::byte> words(head + bytes.size());
  context_->device().readback(buffer_, offset - head, words);
  std::copy(words.begin() + static_cast<std::ptrdiff_t>(head), words.end(), bytes.begin());
}

const GpuMemory& own_memory(const GpuContext& context, const Memory* memory) {
  // As dynamic_cast, which is slow for what every dispatch does with every operand.
  const bool same_type = memory != nullptr && typeid(*memory) == typeid(GpuMemory);
  const auto* own = same_type ? static_cast<const GpuMemory*>(memory) : nullptr;
  if (!own || own->context() != &context) {
    throw Error(ComputeError::kStaleBuffer,
                fmt::format("a memory of another device was given to {}; copy the tensor with .to('{}')",
                            context.options().id, context.options().id));
  }
  return *own;
}

}  // namespace alknet::compute
