#include "alknet/platform/webgpu/generate/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>
#include <string_view>

#include "alknet/base/error.h"

namespace alknet::platform::webgpu {
namespace {

constexpr std::string_view kHead = R"(// Made by alknet-webidlgen from webgpu.idl; not to be edited.
#include "alknet/platform/webgpu/own_structs.h"
#include "alknet/platform/webgpu/tables.h"

namespace alknet::platform::webgpu {
namespace {

)";

// Dictionaries whose C structure is not called as they are, with a W in front.
const std::map<std::string, std::string, std::less<>> kStructNames = {
    {"GPUColorDict", "WGPUColor"},
    {"GPUOrigin2DDict", "WGPUOrigin3D"},
    {"GPUOrigin3DDict", "WGPUOrigin3D"},
    {"GPUExtent3DDict", "WGPUExtent3D"},
    {"GPUProgrammableStage", "WGPUComputeState"},
    {"GPUComputePassTimestampWrites", "WGPUPassTimestampWrites"},
    {"GPURenderPassTimestampWrites", "WGPUPassTimestampWrites"},
    {"GPUExternalTextureBindingLayout", ""},
};

// Methods whose C function takes other arguments, or that do more than call it.
const std::set<std::string, std::less<>> kByHand = {
    "GPUDevice.createShaderModule",
    "GPUDevice.importExternalTexture",
    "GPUDevice.pushErrorScope",
    "GPUDevice.destroy",
    "GPUBuffer.getMappedRange",
    "GPUCommandEncoder.copyBufferToBuffer",
    "GPUQueue.writeBuffer",
    "GPUQueue.writeTexture",
    "GPUComputePassEncoder.setImmediates",
    "GPURenderPassEncoder.setImmediates",
    "GPURenderBundleEncoder.setImmediates",
};

std::string plain_name(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c != '-' && c != '_') result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

std::string without_w(std::string_view name) { return std::string(name.starts_with("GPU") ? name.substr(3) : name); }

class Emitter {
 public:
  Emitter(const IdlDocument& document, const CHeader& header) : document_(document), header_(header) {}

  std::string emit() {
    number_definitions();
    for (const IdlDefinition& definition : document_.definitions) emit_definition(definition);
    std::string text(kHead);
    text += initials_;
    for (const auto& [name, type] : kTables) {
      text += fmt::format("constexpr {} k{}Rows[] = {{\n{}}};\n", type, name, tables_[name]);
    }
    text += "\n}  // namespace\n\n";
    for (const auto& [name, type] : kTables)
      text += fmt::format("const std::span<const {0}> k{1}(k{1}Rows);\n", type, name);
    return text + "\n}  // namespace alknet::platform::webgpu\n";
  }

 private:
  using Kind = IdlDefinition::Kind;

  static inline const std::vector<std::pair<std::string, std::string>> kTables = {
      {"Types", "TypeRow"},           {"Enums", "EnumRow"},
      {"EnumValues", "EnumValue"},    {"Dictionaries", "DictionaryRow"},
      {"Fields", "FieldRow"},         {"Interfaces", "InterfaceRow"},
      {"Attributes", "AttributeRow"}, {"Methods", "MethodRow"},
      {"Arguments", "ArgumentRow"},   {"Namespaces", "NamespaceRow"},
      {"Constants", "ConstantRow"}};

  void number_definitions() {
    std::map<Kind, std::size_t> next;
    for (const IdlDefinition& definition : document_.definitions) numbers_[definition.name] = next[definition.kind]++;
  }

  void add(const std::string& table, const std::string& row) {
    tables_[table] += "    {" + row + "},\n";
    ++counts_[table];
  }
  std::string range(const std::string& table, std::size_t first) {
    return fmt::format("{{{}, {}}}", first, counts_[table] - first);
  }

  // --- Types -----------------------------------------------------------------------------------------------------

  struct KindAndTarget {
    std::string kind;
    std::size_t target = 0;
  };

  KindAndTarget named_kind(const IdlType& type) const {
    static const std::map<std::string, std::string, std::less<>> kPlain = {{"undefined", "kUndefined"},
                                                                           {"boolean", "kBoolean"},
                                                                           {"unsigned short", "kUnsignedShort"},
                                                                           {"unsigned long", "kUnsignedLong"},
                                                                           {"unsigned long long", "kUnsignedLongLong"},
                                                                           {"long", "kLong"},
                                                                           {"float", "kFloat"},
                                                                           {"double", "kDouble"},
                                                                           {"USVString", "kString"},
                                                                           {"DOMString", "kString"},
                                                                           {"AllowSharedBufferSource", "kBufferSource"},
                                                                           {"ArrayBuffer", "kObject"},
                                                                           {"Uint32Array", "kBufferSource"},
                                                                           {"EventHandler", "kObject"}};
    static const std::map<Kind, std::string> kDefined = {
        {Kind::kEnum, "kEnum"}, {Kind::kInterface, "kInterface"}, {Kind::kDictionary, "kDictionary"}};
    if (const auto plain = kPlain.find(type.name); plain != kPlain.end()) return {plain->second};
    const IdlDefinition* definition = document_.find(type.name);
    if (definition == nullptr) throw Error(BaseError::kInvalidArgument, "webgpu.idl: unknown type " + type.name);
    return {kDefined.at(definition->kind), numbers_.at(type.name)};
  }

  KindAndTarget union_kind(const IdlType& type) {
    const auto has = [&type](std::string_view name) {
      return std::ranges::any_of(type.inner, [&](const IdlType& one) { return one.name == name; });
    };
    for (const IdlType& one : type.inner) {
      const IdlDefinition* definition = document_.find(one.name);
      if (definition != nullptr && definition->kind == Kind::kDictionary &&
          type.inner.front().form == IdlType::Form::kSequence) {
        return {"kSequenceOrDictionary", numbers_.at(one.name)};
      }
    }
    if (has("GPUAutoLayoutMode")) return {"kLayoutOrAuto", numbers_.at("GPUPipelineLayout")};
    if (has("GPUBufferBinding")) return {"kBindingResource"};
    if (has("GPUTextureView")) return {"kTextureOrView", numbers_.at("GPUTextureView")};
    if (has("undefined")) return named_kind(type.inner.front());
    return {"kObject"};
  }

  std::size_t type_index(const IdlType& type) {
    KindAndTarget result;
    switch (type.form) {
      case IdlType::Form::kNamed: result = named_kind(type); break;
      case IdlType::Form::kUnion: result = union_kind(type); break;
      case IdlType::Form::kSequence: result = {"kSequence", type_index(type.inner[0])}; break;
      case IdlType::Form::kRecord: result = {"kRecord", type_index(type.inner[1])}; break;
      case IdlType::Form::kFrozenArray: result = {"kObject"}; break;
      case IdlType::Form::kPromise: result = {"kPromise"}; break;
    }
    const bool or_undefined =
        type.form == IdlType::Form::kUnion &&
        std::ranges::any_of(type.inner, [](const IdlType& one) { return one.name == "undefined"; });
    const bool enforce = type.enforce_range || (or_undefined && type.inner.front().enforce_range);
    const std::string row =
        fmt::format("Kind::{}, {}, {}, {}", result.kind, type.nullable || or_undefined, enforce, result.target);
    const auto [at, is_new] = types_.emplace(row, types_.size());
    if (is_new) add("Types", row);
    return at->second;
  }

  // --- Values ----------------------------------------------------------------------------------------------------

  static std::string absent(const std::string& written) {
    if (written.empty()) return "{DefaultKind::kNone, 0, {}}";
    if (written == "[]" || written == "{}") return "{DefaultKind::kEmpty, 0, {}}";
    if (written[0] == '"') return fmt::format("{{DefaultKind::kText, 0, {}}}", written);
    if (written == "true" || written == "false") {
      return fmt::format("{{DefaultKind::kNumber, {}, {{}}}}", written == "true" ? 1 : 0);
    }
    return fmt::format("{{DefaultKind::kNumber, {}, {{}}}}", written);
  }

  void emit_enum(const IdlDefinition& definition) {
    const std::size_t first = counts_["EnumValues"];
    const auto numbers = header_.enums.find("WGPU" + without_w(definition.name));
    for (const std::string& value : definition.values) {
      std::string number = "kNoNumber";
      if (numbers != header_.enums.end()) {
        for (const auto& [name, digits] : numbers->second) {
          if (plain_name(name.substr(name.find('_') + 1)) == plain_name(value)) number = name;
        }
      }
      add("EnumValues", fmt::format("\"{}\", {}", value, number));
    }
    add("Enums", fmt::format("\"{}\", {}", definition.name, range("EnumValues", first)));
  }

  void emit_namespace(const IdlDefinition& definition) {
    const std::size_t first = counts_["Constants"];
    for (const IdlMember& member : definition.members) {
      add("Constants", fmt::format("\"{}\", {}", member.name, member.default_value));
    }
    add("Namespaces", fmt::format("\"{}\", {}", definition.name, range("Constants", first)));
  }

  // --- Dictionaries ----------------------------------------------------------------------------------------------

  std::string struct_name(const std::string& dictionary) const {
    if (const auto given = kStructNames.find(dictionary); given != kStructNames.end()) return given->second;
    for (const std::string& name : {"Own" + without_w(dictionary), "W" + dictionary}) {
      if (header_.structs.contains(name)) return name;
    }
    return {};
  }

  struct Place {
    std::string name;
    std::string member;  // as offsetof takes it
    std::string type;
  };

  const Place* find_place(const std::vector<Place>& places, const std::string& name) const {
    const auto found = std::ranges::find(places, name, &Place::name);
    return found == places.end() ? nullptr : &*found;
  }

  // The members of a structure, and of those inside it that stand for a dictionary's parent.
  std::vector<Place> places_of(const std::string& name) const {
    std::vector<Place> result;
    const auto found = header_.structs.find(name);
    if (found == header_.structs.end()) return result;
    for (const CField& field : found->second.fields) {
      if (field.name != "base" && field.type != "WGPUTexelCopyBufferLayout") {
        result.push_back({field.name, field.name, field.type});
        continue;
      }
      for (const CField& inner : header_.structs.find(field.type)->second.fields) {
        result.push_back({inner.name, field.name + "." + inner.name, inner.type});
      }
    }
    return result;
  }

  static std::string count_name(std::string name) {
    if (name.ends_with("ies")) return name.replace(name.size() - 3, 3, "yCount");
    return name.replace(name.size() - 1, 1, "Count");
  }

  std::string store_of(const std::string& type, const std::string& where) const {
    static const std::map<std::string, std::string, std::less<>> kPlain = {{"uint16_t", "kU16"},
                                                                           {"uint32_t", "kU32"},
                                                                           {"uint64_t", "kU64"},
                                                                           {"size_t", "kU64"},
                                                                           {"int32_t", "kI32"},
                                                                           {"float", "kF32"},
                                                                           {"double", "kF64"},
                                                                           {"WGPUBool", "kU32"},
                                                                           {"WGPUStringView", "kString"},
                                                                           {"ScriptValue const*", "kValue"}};
    if (const auto plain = kPlain.find(type); plain != kPlain.end()) return plain->second;
    if (header_.flags.contains(type)) return "kU64";
    if (header_.enums.contains(type)) return "kU32";
    if (header_.handles.contains(type)) return "kHandle";
    if (header_.structs.contains(type)) return "kStruct";
    if (type.ends_with("*")) return "kPointer";
    throw Error(BaseError::kInvalidArgument, where + ": cannot store a C member of type " + type);
  }

  void emit_field(const IdlMember& member, const std::string& structure, const std::vector<Place>& places) {
    std::string store = "kNone";
    std::string offset = "0";
    std::string count = "0";
    const Place* place = find_place(places, member.name);
    const bool list = member.type.form == IdlType::Form::kSequence || member.type.form == IdlType::Form::kRecord;
    if (structure == "WGPUBindGroupEntry" && member.name == "resource") {
      store = "kPlace";
    } else if (place != nullptr) {
      store = list ? "kArray" : store_of(place->type, structure + "." + member.name);
      offset = fmt::format("offsetof({}, {})", structure, place->member);
      if (list) {
        count = fmt::format("offsetof({}, {})", structure, find_place(places, count_name(member.name))->member);
      }
    }
    add("Fields", fmt::format("\"{}\", {}, {}, Store::{}, {}, {}, {}", member.name, type_index(member.type),
                              member.required, store, offset, count, absent(member.default_value)));
  }

  void emit_fields(const IdlDefinition& definition, const std::string& structure, const std::vector<Place>& places) {
    if (const IdlDefinition* parent = document_.find(definition.parent)) emit_fields(*parent, structure, places);
    std::vector<IdlMember> members = definition.members;
    std::ranges::sort(members, {}, &IdlMember::name);
    for (const IdlMember& member : members) emit_field(member, structure, places);
  }

  void emit_dictionary(const IdlDefinition& definition) {
    const std::string structure = struct_name(definition.name);
    const std::vector<Place> places = places_of(structure);
    const std::size_t first = counts_["Fields"];
    emit_fields(definition, structure, places);
    std::string initial = "nullptr";
    std::string label = "kNoLabel";
    if (!structure.empty()) {
      const CStruct& own = header_.structs.find(structure)->second;
      const bool based = !own.fields.empty() && own.fields[0].name == "base";
      const std::string macro = based ? header_.structs.find(own.fields[0].type)->second.initializer : own.initializer;
      if (!macro.empty() && initial_names_.insert(structure).second) {
        initials_ += based
                         ? fmt::format("const {0} kInitial{0} = [] {{ {0} all{{}}; all.base = {1}; return all; }}();\n",
                                       structure, macro)
                         : fmt::format("const {0} kInitial{0} = {1};\n", structure, macro);
      }
      if (!macro.empty()) initial = "&kInitial" + structure;
      if (const Place* place = find_place(places, "label"))
        label = fmt::format("offsetof({}, {})", structure, place->member);
    }
    add("Dictionaries", fmt::format("\"{}\", {}, {}, {}, {}", definition.name, range("Fields", first),
                                    structure.empty() ? "0" : "sizeof(" + structure + ")", initial, label));
  }

  // --- Interfaces ------------------------------------------------------------------------------------------------

  std::string function_or_null(const std::string& name) const {
    return header_.functions.contains(name) ? "\"" + name + "\"" : "nullptr";
  }

  void emit_method(const IdlDefinition& definition, const IdlMember& member) {
    const std::size_t first = counts_["Arguments"];
    std::size_t least = 0;
    for (const IdlArgument& argument : member.arguments) {
      if (!argument.optional) ++least;
      add("Arguments", fmt::format("\"{}\", {}, {}, {}", argument.name, type_index(argument.type), argument.optional,
                                   absent(argument.default_value)));
    }
    const bool promise = member.type.form == IdlType::Form::kPromise;
    const bool by_script_array =
        std::ranges::any_of(member.arguments, [](const IdlArgument& one) { return one.type.name == "Uint32Array"; });
    std::string upper = member.name;
    upper[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(upper[0])));
    const std::string symbol = "wgpu" + without_w(definition.name) + upper;
    const bool direct = !promise && !by_script_array && header_.functions.contains(symbol) &&
                        !kByHand.contains(definition.name + "." + member.name);
    add("Methods", fmt::format("\"{}\", {}, {}, {}, {}, {}, {}", member.name, range("Arguments", first), least, promise,
                               type_index(member.type), direct ? "\"" + symbol + "\"" : "nullptr",
                               direct ? fmt::format("Invoke<decltype(&{})>::call", symbol) : "nullptr"));
  }

  void emit_interface(const IdlDefinition& definition) {
    const std::size_t first_attribute = counts_["Attributes"];
    const std::size_t first_method = counts_["Methods"];
    bool constructible = false;
    bool setlike = false;
    std::vector<IdlMember> members = definition.members;
    // Overloads follow each other.
    std::ranges::stable_sort(members, {}, &IdlMember::name);
    for (const IdlMember& member : members) {
      constructible |= member.kind == IdlMember::Kind::kConstructor;
      setlike |= member.kind == IdlMember::Kind::kSetlike;
      if (member.kind == IdlMember::Kind::kOperation) emit_method(definition, member);
    }
    for (const IdlMember& member : definition.members) {
      if (member.kind != IdlMember::Kind::kAttribute) continue;
      IdlType type = member.type;
      if (type.form == IdlType::Form::kUnion) type = IdlType{.name = "ArrayBuffer"};  // made by us, never converted
      add("Attributes", fmt::format("\"{}\", {}, {}", member.name, member.readonly, type_index(type)));
    }
    const std::string own = "wgpu" + without_w(definition.name);
    add("Interfaces", fmt::format("\"{}\", \"{}\", {}, {}, {}, {}, {}, {}", definition.name, definition.parent,
                                  range("Attributes", first_attribute), range("Methods", first_method), constructible,
                                  setlike, function_or_null(own + "Release"), function_or_null(own + "SetLabel")));
  }

  void emit_definition(const IdlDefinition& definition) {
    switch (definition.kind) {
      case Kind::kEnum: return emit_enum(definition);
      case Kind::kNamespace: return emit_namespace(definition);
      case Kind::kDictionary: return emit_dictionary(definition);
      case Kind::kInterface: return emit_interface(definition);
      case Kind::kMixin: return;
    }
  }

  const IdlDocument& document_;
  const CHeader& header_;
  std::map<std::string, std::size_t, std::less<>> numbers_;
  std::map<std::string, std::string> tables_;
  std::map<std::string, std::size_t> counts_;
  std::map<std::string, std::size_t> types_;
  std::string initials_;
  std::set<std::string> initial_names_;
};

}  // namespace

std::string emit_tables(const IdlDocument& document, const CHeader& header) { return Emitter(document, header).emit(); }

}  // namespace alknet::platform::webgpu
