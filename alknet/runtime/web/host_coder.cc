#include <zlib.h>

#include "alknet/runtime/web/host.h"

namespace alknet::runtime::web {
namespace {

constexpr std::size_t kOutput = 65536;  // of one push

/// One run of zlib's deflate or inflate.
class Coder final : public NativeObject {
 public:
  Coder(Realm realm, std::string_view format, bool inflate) : inflate_(inflate) {
    // zlib's way to say the format: 15 is the window, 16 means gzip, a negative one no frame.
    const int bits = format == "gzip" ? 15 + 16 : format == "deflate" ? 15 : -15;
    const int result = inflate ? inflateInit2(&stream_, bits)
                               : deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
    if (result != Z_OK) throw realm.error(ErrorType::kError, "[compression] zlib has no memory");
  }
  ~Coder() override {
    if (inflate_) {
      inflateEnd(&stream_);
    } else {
      deflateEnd(&stream_);
    }
  }

  /// (bytes, last): {output, used, more}; call again with what was not used while there is more.
  static Value push(Realm realm, const Value& self, Arguments arguments) {
    return native_this<Coder>(self, "compression coder").run(realm, arguments[0].buffer(), arguments[1].to_boolean());
  }

 private:
  Value run(Realm realm, std::span<const std::byte> input, bool last) {
    if (ended_ && !input.empty())
      throw realm.type_error("[compression] there is more behind the end of the compressed data");
    std::vector<std::byte> output(kOutput);
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
    stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(input.size(), UINT32_MAX));
    stream_.next_out = reinterpret_cast<Bytef*>(output.data());
    stream_.avail_out = kOutput;
    const uInt given = stream_.avail_in;
    if (!ended_) step(realm, last && given == input.size());
    const std::size_t used = given - stream_.avail_in;
    const bool full = stream_.avail_out == 0;
    if (ended_ && used < input.size()) {
      throw realm.type_error("[compression] there is more behind the end of the compressed data");
    }
    if (inflate_ && last && !ended_ && !full && used == input.size()) {
      throw realm.type_error("[compression] the compressed data is cut off");
    }
    output.resize(kOutput - stream_.avail_out);
    Value result = realm.object();
    result.define("output", realm.typed_array(TypedArray::kUint8, output));
    result.define("used", realm.number(static_cast<double>(used)));
    result.define("more", realm.boolean(!ended_ && (full || used < input.size())));
    return result;
  }

  void step(Realm realm, bool finish) {
    const int result = inflate_ ? ::inflate(&stream_, Z_NO_FLUSH) : ::deflate(&stream_, finish ? Z_FINISH : Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      ended_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw realm.type_error(std::string("[compression] the compressed data is not valid: ") +
                             (stream_.msg != nullptr ? stream_.msg : "damaged"));
    }
  }

  z_stream stream_{};
  bool inflate_;
  bool ended_ = false;
};

constexpr std::array<MethodSpec, 1> kCoderMethods = {{{"push", 2, Coder::push}}};

/// (format, inflate): a coder.
Value make_coder(Realm realm, const Value& self, Arguments arguments) {
  WebHost& host = host_of(self);
  if (host.coder_class.is_undefined()) {
    ClassSpec spec;
    spec.name = "Coder";
    spec.methods = kCoderMethods;
    host.coder_class = define_class(realm, spec);
  }
  return make_object(host.coder_class,
                     std::make_unique<Coder>(realm, arguments[0].to_string(), arguments[1].to_boolean()));
}

constexpr std::array<MethodSpec, 1> kCoderFunctions = {{{"makeCoder", 2, make_coder}}};

}  // namespace

std::span<const MethodSpec> coder_functions() { return kCoderFunctions; }

}  // namespace alknet::runtime::web
