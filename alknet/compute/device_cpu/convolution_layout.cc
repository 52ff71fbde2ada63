#include "alknet/compute/device_cpu/convolution_layout.h"

#include <algorithm>
#include <type_traits>

#include "alknet/compute/device_cpu/convert.h"
#include "alknet/compute/device_cpu/walk.h"

namespace alknet::compute {

ImageLayout image_layout(const Strided& layout, std::size_t spatial) {
  ImageLayout images;
  const std::size_t first = layout.shape.size() - spatial;
  if (first == 2) {
    images.batch = layout.shape[0];
    images.batch_stride = layout.strides[0];
  }
  images.channels = layout.shape[first - 1];
  images.channel_stride = layout.strides[first - 1];
  for (std::size_t d = 0; d < spatial; ++d) {
    images.sizes[3 - spatial + d] = layout.shape[first + d];
    images.strides[3 - spatial + d] = layout.strides[first + d];
  }
  return images;
}

std::vector<GatherDim> gather_dims(const graph::WindowDim& dim, bool backward) {
  std::vector<GatherDim> dims;
  const std::int64_t source = backward ? dim.output : dim.input;
  const std::int64_t result = backward ? dim.input : dim.output;
  for (std::int64_t first = 0; first < (backward ? std::min(dim.stride, result) : 1); ++first) {
    GatherDim gather;
    gather.first = first;
    gather.step = backward ? dim.stride : 1;
    gather.source_step = backward ? 1 : dim.stride;
    gather.count = (result - first + gather.step - 1) / gather.step;
    for (std::int64_t k = 0; k < dim.kernel && gather.count > 0; ++k) {
      std::int64_t offset = k * dim.dilation - dim.padding;
      if (backward) {
        if ((first - offset) % dim.stride != 0) continue;
        offset = (first - offset) / dim.stride;
      }
      if (offset < source && offset + (gather.count - 1) * gather.source_step >= 0) gather.taps.push_back({k, offset});
    }
    dims.push_back(std::move(gather));
  }
  return dims;
}

GatherBorder gather_border(const std::vector<GatherDim>& dims, std::int64_t source) {
  std::int64_t before = 0, behind = 0;
  for (const GatherDim& dim : dims) {
    for (const auto& tap : dim.taps) {
      before = std::max(before, -tap.offset);
      behind = std::max(behind, tap.offset + (dim.count - 1) * dim.source_step - (source - 1));
    }
  }
  return {before, before + source + behind};
}

template <typename T>
PaddedImages<T>::PaddedImages(const Operand& operand, std::size_t spatial, const std::array<GatherBorder, 3>& borders)
    : operand_(operand), layout_(image_layout(operand.layout, spatial)), borders_(borders) {
  std::int64_t step = 1;
  dense_ = operand.dtype == (std::is_same_v<T, float> ? Dtype::kF32 : Dtype::kF64);
  for (std::size_t d = 3; d-- > 0;) {
    sizes_[d] = borders[d].size;
    dense_ = dense_ && sizes_[d] == layout_.sizes[d] && (sizes_[d] == 1 || layout_.strides[d] == step);
    step *= sizes_[d];
  }
}

template <typename T>
std::size_t PaddedImages<T>::bytes(std::int64_t images, std::int64_t channels) const {
  return to_size(images * channels * plane()) * sizeof(T) + kCopySlack;
}

template <typename T>
void PaddedImages<T>::clear(T* to, std::int64_t images, std::int64_t channels) const {
  std::fill_n(to, images * channels * plane() + to_signed(kCopySlack / sizeof(T)), T{0});
}

template <typename T>
void PaddedImages<T>::fill(Slots slots, std::int64_t image, std::int64_t images, std::int64_t channel,
                           std::int64_t channels, T* to) const {
  const std::size_t bytes = graph::dtype_bytes(operand_.dtype);
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t c = 0; c < channels; ++c, to += plane()) {
      const std::int64_t at =
          operand_.layout.offset + (image + n) * layout_.batch_stride + (channel + c) * layout_.channel_stride;
      copy_plane(address(slots, operand_.slot, at, bytes), to);
    }
  }
}

template <typename T>
void PaddedImages<T>::copy_plane(const std::byte* from, T* to) const {
  const bool same = operand_.dtype == (std::is_same_v<T, float> ? Dtype::kF32 : Dtype::kF64);
  const ConvertFunction load = load_function(operand_.dtype);
  const std::size_t bytes = graph::dtype_bytes(operand_.dtype);
  to += (borders_[0].before * sizes_[1] + borders_[1].before) * sizes_[2] + borders_[2].before;
  for (std::int64_t z = 0; z < layout_.sizes[0]; ++z) {
    for (std::int64_t y = 0; y < layout_.sizes[1]; ++y) {
      const std::byte* row = from + (z * layout_.strides[0] + y * layout_.strides[1]) * to_signed(bytes);
      T* target = to + (z * sizes_[1] + y) * sizes_[2];
      if (same && layout_.strides[2] == 1) {
        const T* source = reinterpret_cast<const T*>(row);
        for (std::int64_t x = 0; x < layout_.sizes[2]; ++x) target[x] = source[x];
      } else {
        load(row, layout_.strides[2], target, to_size(layout_.sizes[2]));
      }
    }
  }
}

template <typename T>
const T* PaddedImages<T>::plane_of(Slots slots, std::int64_t image, std::int64_t channel, T* buffer) const {
  if (dense_) {
    const std::int64_t at = operand_.layout.offset + image * layout_.batch_stride + channel * layout_.channel_stride;
    return reinterpret_cast<const T*>(address(slots, operand_.slot, at, sizeof(T)));
  }
  fill(slots, image, 1, channel, 1, buffer);
  return buffer;
}

template class PaddedImages<float>;
template class PaddedImages<double>;

template <typename T>
const T* dense_elements(Slots slots, const Operand& operand, T* buffer) {
  const Dtype own = std::is_same_v<T, float> ? Dtype::kF32 : Dtype::kF64;
  const std::size_t bytes = graph::dtype_bytes(operand.dtype);
  const std::int64_t count = graph::element_count(operand.layout.shape);
  if (operand.dtype == own && graph::is_contiguous(operand.layout)) {
    return reinterpret_cast<const T*>(address(slots, operand.slot, operand.layout.offset, bytes));
  }
  const Walk walk = make_walk(operand.layout.shape, std::span(&operand.layout, 1));
  const ConvertFunction load = load_function(operand.dtype);
  T* to = buffer;
  for_each_run(walk, 0, 0, count, [&](std::int64_t offset, std::int64_t length) {
    load(address(slots, operand.slot, operand.layout.offset + offset, bytes), walk.inner_stride(0), to,
         to_size(length));
    to += length;
  });
  return buffer;
}

template const float* dense_elements(Slots, const Operand&, float*);
template const double* dense_elements(Slots, const Operand&, double*);

}  // namespace alknet::compute
