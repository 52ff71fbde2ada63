#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::platform::webgpu {

/// A type as Web IDL writes it.
struct IdlType {
  enum class Form { kNamed, kSequence, kRecord, kPromise, kFrozenArray, kUnion };
  Form form = Form::kNamed;
  std::string name = {};            ///< Of a named type: "unsigned long", "GPUBuffer".
  std::vector<IdlType> inner = {};  ///< Element; key and value of a record; members of a union.
  bool nullable = false;
  bool enforce_range = false;  ///< [EnforceRange], which typedefs hand on.
  bool clamp = false;          ///< [Clamp].
};

struct IdlArgument {
  std::string name;
  IdlType type;
  bool optional = false;
  std::string default_value = {};  ///< As written: `0`, `"all"`, `[]`, `{}`; empty when there is none.
};

/// An attribute, operation, constant or constructor of an interface or namespace, or a member of a dictionary.
struct IdlMember {
  enum class Kind { kAttribute, kOperation, kConstant, kConstructor, kSetlike, kField };
  Kind kind = Kind::kField;
  std::string name = {};
  IdlType type = {};
  std::vector<IdlArgument> arguments = {};
  bool readonly = false;
  bool required = false;
  std::string default_value = {};  ///< Of a field, and the value of a constant.
};

struct IdlDefinition {
  enum class Kind { kInterface, kMixin, kNamespace, kDictionary, kEnum };
  Kind kind = Kind::kInterface;
  std::string name = {};
  std::string parent = {};
  std::vector<IdlMember> members = {};
  std::vector<std::string> values = {};  ///< Of an enum.
};

/// A Web IDL document: definitions in order, partial interfaces and mixins merged into the interfaces they belong to,
/// typedefs resolved in every type.
struct IdlDocument {
  std::vector<IdlDefinition> definitions;

  const IdlDefinition* find(std::string_view name) const;
};

/// Parses the part of Web IDL that WebGPU is written in. Throws `alknet::Error` with the line of what it does not know.
IdlDocument parse_idl(std::string_view text);

}  // namespace alknet::platform::webgpu
