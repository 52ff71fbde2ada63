#include "alknet/bindings/schema.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alknet/runtime/convert.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/error.h"
#include "alknet/schema/kind.h"
#include "alknet/schema/layout.h"
#include "alknet/schema/schema.h"

namespace alknet::bindings {
namespace {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

schema::LayoutMode mode_of(const Value& value) {
  const std::string mode = value.to_string();
  if (mode == "aligned") return schema::LayoutMode::kAligned;
  if (mode == "packed") return schema::LayoutMode::kPacked;
  throw value.realm().type_error("[schema] the mode is \"packed\" or \"aligned\", not \"" + mode + "\"");
}

Value optional_number(Realm realm, const std::optional<std::uint64_t>& number) {
  return number ? realm.number(static_cast<double>(*number)) : realm.null();
}

/// A schema compiled for one layout mode.
class SchemaCodec final : public runtime::NativeObject {
 public:
  SchemaCodec(Json document, schema::LayoutMode mode)
      : schema_(schema::Schema::from_json(std::move(document))), layout_(schema::layout(schema_, mode)) {}

  static SchemaCodec& of(const Value& self) { return runtime::native_this<SchemaCodec>(self, "SchemaCodec"); }

  static Value construct(Realm realm, const Value& self, Arguments arguments) {
    const Json document = runtime::to_plain_json(arguments[0]);
    if (!document.is_object() && !document.is_bool()) throw realm.type_error("[schema] a schema is an object");
    return runtime::make_object(self, std::make_unique<SchemaCodec>(document, mode_of(arguments[1])));
  }

  static Value layout(Realm realm, const Value& self, Arguments) {
    const schema::Layout& layout = of(self).layout_;
    std::vector<Value> rows;
    for (const schema::LayoutField& field : layout.fields()) {
      const Value row = realm.object();
      row.define("path", realm.string(field.path));
      row.define("kind", realm.string(schema::name(field.kind)));
      row.define("offset", optional_number(realm, field.offset));
      row.define("bytes", optional_number(realm, field.bytes));
      row.define("align", realm.number(field.align));
      row.define("nullable", realm.boolean(field.nullable));
      rows.push_back(row);
    }
    Value object = realm.object();
    object.define("mode", realm.string(layout.mode() == schema::LayoutMode::kAligned ? "aligned" : "packed"));
    object.define("size", optional_number(realm, layout.size()));
    object.define("align", realm.number(layout.align()));
    object.define("fields", realm.array(rows));
    return object;
  }

  static Value encode(Realm realm, const Value& self, Arguments arguments) {
    const schema::Layout layout = of(self).layout_;
    const Json value = runtime::to_plain_json(arguments[0]);
    schema::EncodeOptions options;
    if (const Value writer = arguments[1]; writer.is_function()) {
      options.blobs = [realm, writer](std::span<const std::byte> bytes, std::uint64_t alignment) {
        const std::array given{realm.typed_array(runtime::TypedArray::kUint8, bytes),
                               realm.number(static_cast<double>(alignment))};
        const Value range = writer.call(given);
        return schema::BlobRange{size_member(range, "offset"), size_member(range, "bytes")};
      };
    }
    return realm.typed_array(runtime::TypedArray::kUint8, schema::encode(layout, value, options));
  }

  static Value decode(Realm realm, const Value& self, Arguments arguments) {
    const schema::Layout layout = of(self).layout_;
    const SharedBytes bytes = runtime::copy_bytes(arguments[0]);
    schema::BlobReader reader;
    std::vector<SharedBytes> read;  // what the spans refer to
    if (const Value function = arguments[1]; function.is_function()) {
      reader = [realm, function, &read](schema::BlobRange range) {
        const std::array given{realm.number(static_cast<double>(range.offset)),
                               realm.number(static_cast<double>(range.bytes))};
        read.push_back(runtime::copy_bytes(function.call(given)));
        return read.back().span();
      };
    }
    return runtime::from_json(realm, schema::decode(layout, bytes.span(), reader));
  }

  static Value check(Realm, const Value& self, Arguments arguments) {
    const schema::Layout layout = of(self).layout_;
    const SharedBytes bytes = runtime::copy_bytes(arguments[0]);
    schema::check_value(layout, bytes.span());
    return {};
  }

 private:
  static std::uint64_t size_member(const Value& range, std::string_view name) {
    const std::int64_t size = range.get(name).to_integer("[encode] what the blob writer gave");
    if (size < 0) throw range.realm().range_error("[encode] the blob writer gave a negative number");
    return static_cast<std::uint64_t>(size);
  }

  schema::Schema schema_;
  schema::Layout layout_;
};

Value validate(Realm realm, const Value&, Arguments arguments) {
  const auto compiled = schema::Schema::from_json(runtime::to_plain_json(arguments[0]));
  std::vector<Value> reasons;
  for (const schema::ValidationError& error : compiled.validate(runtime::to_plain_json(arguments[1]))) {
    const Value reason = realm.object();
    reason.define("instancePath", realm.string(error.instance_path));
    reason.define("schemaPath", realm.string(error.schema_path));
    reason.define("message", realm.string(error.message));
    reasons.push_back(reason);
  }
  return realm.array(reasons);
}

constexpr runtime::MethodSpec kCodecMethods[] = {
    {"encode", 2, SchemaCodec::encode}, {"decode", 2, SchemaCodec::decode}, {"check", 1, SchemaCodec::check}};
constexpr runtime::AttributeSpec kCodecAttributes[] = {{"layout", SchemaCodec::layout}};

}  // namespace

runtime::NativeModule schema_module() {
  runtime::NativeModule module;
  module.name = "alknet:schema";
  module.exports = {"SchemaCodec", "validate"};
  module.evaluate = [](Realm realm) {
    runtime::ClassSpec spec;
    spec.name = "SchemaCodec";
    spec.construct = SchemaCodec::construct;
    spec.length = 2;
    spec.methods = kCodecMethods;
    spec.attributes = kCodecAttributes;
    return std::vector<Value>{runtime::define_class(realm, spec), realm.function("validate", 2, validate)};
  };
  return module;
}

}  // namespace alknet::bindings
