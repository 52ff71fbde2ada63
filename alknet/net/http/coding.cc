#include "alknet/net/http/coding.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "alknet/base/json.h"
#include "alknet/net/error.h"
#include "alknet/net/http/headers.h"

namespace alknet::net {

namespace {

constexpr std::size_t kPiece = 64U << 10U;
constexpr std::uint64_t kRatioFrom = 8U << 20U;
constexpr int kWindowLog = 23;
constexpr int kGzipLevel = 5;
constexpr int kZstdLevel = 3;
constexpr int kGzipWindow = 15 + 16;

struct CodingName {
  std::string_view name;
  Coding coding;
};
constexpr std::array kCodings{CodingName{"gzip", Coding::kGzip}, CodingName{"x-gzip", Coding::kGzip},
                              CodingName{"deflate", Coding::kDeflate}, CodingName{"zstd", Coding::kZstd},
                              CodingName{"identity", Coding::kIdentity}};

Error damaged(std::string_view why) {
  return {NetError::kDecodingFailed, fmt::format("[decode] the compressed body is damaged: {}", why)};
}

/// The weight of `name` in an Accept-Encoding list: its own, that of "*", or nothing.
std::optional<double> weight_of(std::string_view accepted, std::string_view name) {
  std::optional<double> any;
  while (!accepted.empty()) {
    const std::string_view item = accepted.substr(0, accepted.find(','));
    accepted = item.size() == accepted.size() ? std::string_view() : accepted.substr(item.size() + 1);
    const auto semicolon = item.find(';');
    const std::string_view coding = trim(item.substr(0, semicolon));
    double weight = 1;
    if (semicolon != std::string_view::npos) {
      const std::string_view parameter = trim(item.substr(semicolon + 1));
      if (parameter.starts_with("q=")) weight = std::strtod(std::string(parameter.substr(2)).c_str(), nullptr);
    }
    if (equal_ignoring_case(coding, name)) return weight;
    if (coding == "*") any = weight;
  }
  return any;
}

}  // namespace

std::string_view coding_name(Coding coding) {
  if (coding == Coding::kIdentity) return {};
  return std::find_if(kCodings.begin(), kCodings.end(), [&](const CodingName& c) { return c.coding == coding; })->name;
}

std::optional<Coding> parse_coding(std::string_view name) {
  name = trim(name);
  if (name.empty()) return Coding::kIdentity;
  for (const auto& [known, coding] : kCodings) {
    if (equal_ignoring_case(known, name)) return coding;
  }
  return std::nullopt;
}

Coding choose_coding(std::string_view accepted) {
  const double zstd = weight_of(accepted, "zstd").value_or(0);
  const double gzip = weight_of(accepted, "gzip").value_or(0);
  if (zstd <= 0 && gzip <= 0) return Coding::kIdentity;
  return zstd >= gzip ? Coding::kZstd : Coding::kGzip;
}

/// One decompression algorithm.
class BodyDecoder::Engine {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
  };
  virtual ~Engine() = default;
  virtual Step run(std::span<const std::byte> in, std::span<std::byte> out) = 0;
  virtual bool at_end() const = 0;
};

namespace {

class PlainEngine final : public BodyDecoder::Engine {
 public:
  Step run(std::span<const std::byte> in, std::span<std::byte> out) override {
    const std::size_t size = std::min(in.size(), out.size());
    std::copy_n(in.begin(), size, out.begin());
    return {size, size};
  }
  bool at_end() const override { return true; }
};

class ZlibEngine final : public BodyDecoder::Engine {
 public:
  explicit ZlibEngine(bool gzip) : gzip_(gzip) {}
  ~ZlibEngine() override {
    if (begun_) inflateEnd(&stream_);
  }

  Step run(std::span<const std::byte> in, std::span<std::byte> out) override {
    if (in.empty()) return {};
    if (!begun_) begin(in);
    if (ended_) {  // another gzip member
      if (!gzip_ || inflateReset(&stream_) != Z_OK) throw damaged("bytes follow its end");
      ended_ = false;
    }
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));  // zlib's type; it only reads
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) ended_ = true;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      throw damaged(stream_.msg == nullptr ? "zlib cannot read it" : stream_.msg);
    }
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out};
  }
  bool at_end() const override { return ended_ || !begun_; }

 private:
  void begin(std::span<const std::byte> in) {
    const auto first = std::to_integer<unsigned>(in[0]);
    const bool zlib_header = (first & 0x0FU) == 8 && (first >> 4U) <= 7 &&
                             (in.size() < 2 || (first * 256 + std::to_integer<unsigned>(in[1])) % 31 == 0);
    const int window = gzip_ ? kGzipWindow : (zlib_header ? 15 : -15);
    if (inflateInit2(&stream_, window) != Z_OK) throw damaged("zlib does not start");
    begun_ = true;
  }

  z_stream stream_{};
  bool gzip_;
  bool begun_ = false;
  bool ended_ = false;
};

class ZstdEngine final : public BodyDecoder::Engine {
 public:
  ZstdEngine() : stream_(ZSTD_createDStream()) { ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kWindowLog); }
  ~ZstdEngine() override { ZSTD_freeDStream(stream_); }

  Step run(std::span<const std::byte> in, std::span<std::byte> out) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t result = ZSTD_decompressStream(stream_, &output, &input);
    if (ZSTD_isError(result) != 0) throw damaged(ZSTD_getErrorName(result));
    if (input.pos > 0 || output.pos > 0) at_end_ = result == 0;
    return {input.pos, output.pos};
  }
  bool at_end() const override { return at_end_; }

 private:
  ZSTD_DStream* stream_;
  bool at_end_ = true;
};

std::unique_ptr<BodyDecoder::Engine> make_engine(Coding coding) {
  if (coding == Coding::kIdentity) return std::make_unique<PlainEngine>();
  if (coding == Coding::kZstd) return std::make_unique<ZstdEngine>();
  return std::make_unique<ZlibEngine>(coding == Coding::kGzip);
}

std::vector<std::byte> encode_gzip(std::span<const std::byte> bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Error(BaseError::kOutOfMemory, "[gzip] zlib does not start");
  }
  std::vector<std::byte> out(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));  // zlib's type; it only reads
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw Error(BaseError::kInternal, "[gzip] deflateBound was too small");
  return out;
}

}  // namespace

BodyDecoder::BodyDecoder(Coding coding, const DecodeLimits& limits) : engine_(make_engine(coding)), limits_(limits) {}
BodyDecoder::~BodyDecoder() = default;
BodyDecoder::BodyDecoder(BodyDecoder&&) noexcept = default;

void BodyDecoder::set_input(SharedBytes input) {
  input_ = std::move(input);
  used_ = 0;
}

std::optional<SharedBytes> BodyDecoder::next() {
  std::vector<std::byte> out(kPiece);
  std::size_t filled = 0;
  while (filled < out.size()) {
    const auto step = engine_->run(input_.span().subspan(used_), std::span(out).subspan(filled));
    used_ += step.consumed;
    consumed_ += step.consumed;
    filled += step.produced;
    produced_ += step.produced;
    if (step.consumed == 0 && step.produced == 0) break;
  }
  if (produced_ > limits_.output_bytes) {
    throw Error(NetError::kTooLarge,
                fmt::format("[decode] the body is over the limit of {} bytes", limits_.output_bytes),
                JsonObject{{"limit", limits_.output_bytes}});
  }
  if (produced_ > kRatioFrom && produced_ / limits_.ratio > consumed_) {
    throw Error(
        NetError::kDecodingFailed,
        fmt::format("[decode] {} compressed bytes grew to {}: refused as a decompression bomb", consumed_, produced_),
        JsonObject{{"limit", limits_.ratio}});
  }
  if (filled == 0) return std::nullopt;
  out.resize(filled);
  return SharedBytes::take(std::move(out));
}

void BodyDecoder::finish() {
  if (!engine_->at_end()) throw damaged("it ends too early");
}

std::vector<std::byte> encode_body(Coding coding, std::span<const std::byte> bytes) {
  if (coding == Coding::kGzip) return encode_gzip(bytes);
  if (coding != Coding::kZstd) return {bytes.begin(), bytes.end()};
  std::vector<std::byte> out(ZSTD_compressBound(bytes.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) throw Error(BaseError::kInternal, "[zstd] compressing failed");
  out.resize(size);
  return out;
}

}  // namespace alknet::net
