#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/graph/window.h"

namespace alknet::compute {

/// Images as convolutions on the CPU see them: [batch, channels, depth, height, width], what is missing of size 1.
struct ImageLayout {
  std::int64_t batch = 1, channels = 1;
  std::array<std::int64_t, 3> sizes = {1, 1, 1};
  std::int64_t batch_stride = 0, channel_stride = 0;
  std::array<std::int64_t, 3> strides = {0, 0, 0};

  std::int64_t plane() const { return sizes[0] * sizes[1] * sizes[2]; }
};

/// A layout of rank `spatial` + 2, or + 1 without a batch.
ImageLayout image_layout(const Strided& layout, std::size_t spatial);

/// How one dimension of a result is gathered from a source: places first + step * j of the result, j < count, are sums
/// over taps of the source at j * source_step + offset.
struct GatherDim {
  struct Tap {
    std::int64_t kernel = 0;  ///< Which element of the kernel.
    std::int64_t offset = 0;
  };
  std::int64_t first = 0, step = 1, count = 0, source_step = 1;
  std::vector<Tap> taps;  ///< Those that ever are inside the source.
};

/// A convolution: one GatherDim of all places. Its gradient by the input: one for each remainder of a place by the
/// stride, so that no product with a zero between elements is computed.
std::vector<GatherDim> gather_dims(const graph::WindowDim& dim, bool backward);

/// The zeros that a source needs around it, so that every tap is inside: before and in all.
struct GatherBorder {
  std::int64_t before = 0, size = 0;
};
GatherBorder gather_border(const std::vector<GatherDim>& dims, std::int64_t source);

/// Images as dense planes of T with a border of zeros: where kernels read without asking.
template <typename T>
class PaddedImages {
 public:
  PaddedImages() = default;
  PaddedImages(const Operand& operand, std::size_t spatial, const std::array<GatherBorder, 3>& borders);

  const ImageLayout& layout() const { return layout_; }
  std::int64_t plane() const { return sizes_[0] * sizes_[1] * sizes_[2]; }
  std::int64_t row() const { return sizes_[2]; }
  std::int64_t slice() const { return sizes_[1] * sizes_[2]; }

  /// Bytes for `images` images of `channels` channels. Reading some elements behind the last is allowed.
  std::size_t bytes(std::int64_t images, std::int64_t channels) const;

  /// Writes the border's zeros; the rest is left to `fill`.
  void clear(T* to, std::int64_t images, std::int64_t channels) const;
  void fill(Slots slots, std::int64_t image, std::int64_t images, std::int64_t channel, std::int64_t channels,
            T* to) const;

  /// One plane, where it is if it can be read there, else in `buffer`. For images without a border.
  const T* plane_of(Slots slots, std::int64_t image, std::int64_t channel, T* buffer) const;

 private:
  void copy_plane(const std::byte* from, T* to) const;

  Operand operand_;
  ImageLayout layout_;
  std::array<GatherBorder, 3> borders_;
  std::array<std::int64_t, 3> sizes_ = {0, 0, 0};
  bool dense_ = false;  ///< Planes are T and lie as they are wanted.
};

/// All elements of an operand, row-major, as T: where they are, or in `buffer`.
template <typename T>
const T* dense_elements(Slots slots, const Operand& operand, T* buffer);

/// Writes consecutive elements in blocks of 32 bytes: up to that much behind `count` is overwritten as well.
template <typename T>
inline void copy_blocks(const T* from, T* to, std::int64_t count) {
  constexpr std::int64_t kBlock = 32 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t i = 0; i < count; i += kBlock) std::memcpy(to + i, from + i, 32);
}

/// Room that copy_blocks needs behind a buffer.
inline constexpr std::size_t kCopySlack = 64;

}  // namespace alknet::compute
