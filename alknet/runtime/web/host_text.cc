#include "alknet/base/utf8.h"
#include "alknet/runtime/web/host.h"

namespace alknet::runtime::web {
namespace {

Value utf8_encode(Realm realm, const Value&, Arguments arguments) {
  const std::string text = arguments[0].to_string();
  return realm.typed_array(TypedArray::kUint8, std::as_bytes(std::span(text)));
}

/// The bytes at the start of `bytes`, which is not UTF-8 there, that stand for one U+FFFD: the longest start of a
/// sequence that could have gone well, at least one byte (Encoding Standard, section 8.1.1). `cut` when they are the
/// end of the input and might have gone on.
struct Malformed {
  std::size_t size;
  bool cut;
};

Malformed malformed_at(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i <= more; ++i) {
    if (i == bytes.size()) return {i, true};
    if (byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {more + 1, false};
}

/// (bytes, fatal, last): [text, bytes at the end that wait for more], or undefined for malformed bytes when fatal.
Value utf8_decode(Realm realm, const Value&, Arguments arguments) {
  const std::span<const std::byte> bytes = arguments[0].buffer();
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const bool fatal = arguments[1].to_boolean();
  const bool last = arguments[2].to_boolean();
  std::string mended;
  std::size_t waiting = 0;
  bool whole = true;
  while (const auto invalid = find_invalid_utf8(rest)) {
    const Malformed malformed = malformed_at(rest.substr(*invalid));
    if (malformed.cut && !last) {
      waiting = malformed.size;
      rest.remove_suffix(waiting);
      break;
    }
    if (fatal) return {};
    whole = false;
    mended.append(rest.substr(0, *invalid)).append("\xEF\xBF\xBD");
    rest.remove_prefix(*invalid + malformed.size);
  }
  if (!whole) mended.append(rest);
  const std::array<Value, 2> result = {realm.string(whole ? rest : std::string_view(mended)),
                                       realm.number(static_cast<double>(waiting))};
  return realm.array(result);
}

constexpr std::array<MethodSpec, 2> kTextFunctions = {{
    {"utf8Encode", 1, utf8_encode},
    {"utf8Decode", 3, utf8_decode},
}};

}  // namespace

std::span<const MethodSpec> text_functions() { return kTextFunctions; }

}  // namespace alknet::runtime::web
