#include "alknet/platform/webgpu/generate/idl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "alknet/base/error.h"

namespace alknet::platform::webgpu {
namespace {

struct Token {
  enum class Kind { kName, kNumber, kString, kMark, kEnd };
  Kind kind = Kind::kEnd;
  std::string text = {};
  int line = 0;
};

bool is_name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> result;
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '\n') ++line;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at;
    } else if (text.substr(at, 2) == "//") {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '"') {
      const std::size_t end = std::min(text.find('"', at + 1), text.size() - 1);
      result.push_back({Token::Kind::kString, std::string(text.substr(at, end + 1 - at)), line});
      at = end + 1;
    } else if (is_name_char(c) || (c == '-' && at + 1 < text.size() && is_name_char(text[at + 1]))) {
      std::size_t end = at + 1;
      while (end < text.size() && (is_name_char(text[end]) || text[end] == '.')) ++end;
      const bool number = c == '-' || std::isdigit(static_cast<unsigned char>(c)) != 0;
      result.push_back(
          {number ? Token::Kind::kNumber : Token::Kind::kName, std::string(text.substr(at, end - at)), line});
      at = end;
    } else {
      result.push_back({Token::Kind::kMark, std::string(1, c), line});
      ++at;
    }
  }
  result.push_back({Token::Kind::kEnd, {}, line});
  return result;
}

struct Attributes {
  bool enforce_range = false;
  bool clamp = false;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(tokens_of(text)) {}

  IdlDocument parse() {
    while (peek().kind != Token::Kind::kEnd) parse_definition();
    merge();
    for (IdlDefinition& definition : definitions_) {
      for (IdlMember& member : definition.members) {
        resolve(member.type);
        for (IdlArgument& argument : member.arguments) resolve(argument.type);
      }
    }
    std::erase_if(definitions_, [](const auto& entry) { return entry.kind == IdlDefinition::Kind::kMixin; });
    return {std::move(definitions_)};
  }

 private:
  struct Part {
    std::string interface;
    std::string mixin;
  };

  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool is(std::string_view text) const { return peek().text == text; }
  bool accept(std::string_view text) {
    if (!is(text)) return false;
    ++at_;
    return true;
  }
  std::string take() {
    if (peek().kind == Token::Kind::kEnd) fail("unexpected end");
    return tokens_[at_++].text;
  }
  void expect(std::string_view text) {
    if (!accept(text)) fail(fmt::format("expected '{}'", text));
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("Web IDL, line {}, at '{}': {}", peek().line, peek().text, what));
  }

  Attributes parse_attributes() {
    Attributes result;
    if (!accept("[")) return result;
    for (int depth = 1; depth > 0;) {
      if (is("[") || is("(")) ++depth;
      if (is("]") || is(")")) --depth;
      if (is("EnforceRange")) result.enforce_range = true;
      if (is("Clamp")) result.clamp = true;
      take();
    }
    return result;
  }

  IdlType parse_type() {
    static const std::map<std::string, IdlType::Form, std::less<>> kForms = {
        {"sequence", IdlType::Form::kSequence},
        {"record", IdlType::Form::kRecord},
        {"Promise", IdlType::Form::kPromise},
        {"FrozenArray", IdlType::Form::kFrozenArray}};
    const Attributes attributes = parse_attributes();
    IdlType type;
    if (accept("(")) {
      type.form = IdlType::Form::kUnion;
      do type.inner.push_back(parse_type());
      while (accept("or"));
      expect(")");
    } else if (const auto form = kForms.find(peek().text); form != kForms.end()) {
      type.form = form->second;
      take();
      expect("<");
      do type.inner.push_back(parse_type());
      while (accept(","));
      expect(">");
    } else {
      type.name = take();
      while (type.name == "unsigned" || is("long")) type.name += " " + take();
    }
    type.nullable = accept("?");
    type.enforce_range = attributes.enforce_range;
    type.clamp = attributes.clamp;
    return type;
  }

  std::string parse_default() {
    if (!accept("=")) return {};
    std::string text = take();
    if (text == "[" || text == "{") text += take();
    return text;
  }

  std::vector<IdlArgument> parse_arguments() {
    std::vector<IdlArgument> result;
    expect("(");
    while (!accept(")")) {
      IdlArgument argument;
      argument.optional = accept("optional");
      argument.type = parse_type();
      argument.name = take();
      argument.default_value = parse_default();
      result.push_back(std::move(argument));
      accept(",");
    }
    return result;
  }

  IdlMember parse_interface_member() {
    IdlMember member;
    parse_attributes();
    if (accept("constructor")) {
      member.kind = IdlMember::Kind::kConstructor;
      member.name = "constructor";
      member.arguments = parse_arguments();
    } else if (accept("const")) {
      member.kind = IdlMember::Kind::kConstant;
      member.type = parse_type();
      member.name = take();
      member.default_value = parse_default();
    } else {
      member.readonly = accept("readonly");
      if (accept("setlike")) {
        member.kind = IdlMember::Kind::kSetlike;
        member.name = "setlike";
        expect("<");
        member.type = parse_type();
        expect(">");
      } else if (accept("attribute")) {
        member.kind = IdlMember::Kind::kAttribute;
        member.type = parse_type();
        member.name = take();
      } else {
        member.kind = IdlMember::Kind::kOperation;
        member.type = parse_type();
        member.name = take();
        member.arguments = parse_arguments();
      }
    }
    expect(";");
    return member;
  }

  IdlMember parse_field() {
    IdlMember member;
    const Attributes before = parse_attributes();
    member.required = accept("required");
    member.type = parse_type();
    member.type.enforce_range |= before.enforce_range;
    member.type.clamp |= before.clamp;
    member.name = take();
    member.default_value = parse_default();
    expect(";");
    return member;
  }

  void parse_body(IdlDefinition definition) {
    expect("{");
    while (!accept("}")) {
      if (definition.kind == IdlDefinition::Kind::kEnum) {
        const std::string quoted = take();
        definition.values.push_back(quoted.substr(1, quoted.size() - 2));
        accept(",");
      } else {
        const bool is_dictionary = definition.kind == IdlDefinition::Kind::kDictionary;
        definition.members.push_back(is_dictionary ? parse_field() : parse_interface_member());
      }
    }
    expect(";");
    definitions_.push_back(std::move(definition));
  }

  void parse_definition() {
    static const std::map<std::string, IdlDefinition::Kind, std::less<>> kKinds = {
        {"interface", IdlDefinition::Kind::kInterface},
        {"namespace", IdlDefinition::Kind::kNamespace},
        {"dictionary", IdlDefinition::Kind::kDictionary},
        {"enum", IdlDefinition::Kind::kEnum}};
    parse_attributes();
    if (accept("typedef")) {
      IdlType type = parse_type();
      typedefs_[take()] = std::move(type);
      expect(";");
      return;
    }
    if (peek(1).text == "includes") {
      std::string interface = take();
      take();
      parts_.push_back({std::move(interface), take()});
      expect(";");
      return;
    }
    accept("partial");
    const auto kind = kKinds.find(peek().text);
    if (kind == kKinds.end()) fail("expected interface, namespace, dictionary, enum or typedef");
    take();
    IdlDefinition definition;
    definition.kind = accept("mixin") ? IdlDefinition::Kind::kMixin : kind->second;
    definition.name = take();
    if (accept(":")) definition.parent = take();
    parse_body(std::move(definition));
  }

  // Partial interfaces join the first definition of the name; mixins join every interface that includes them.
  void merge() {
    std::vector<IdlDefinition> merged;
    const auto find = [&merged](const std::string& name) {
      return std::ranges::find(merged, name, &IdlDefinition::name);
    };
    for (IdlDefinition& definition : definitions_) {
      const auto first = find(definition.name);
      if (first == merged.end()) {
        merged.push_back(std::move(definition));
      } else {
        first->members.insert(first->members.end(), definition.members.begin(), definition.members.end());
      }
    }
    for (const Part& part : parts_) {
      const auto interface = find(part.interface);
      const auto mixin = find(part.mixin);
      if (interface == merged.end() || mixin == merged.end()) continue;  // Navigator belongs to HTML
      interface->members.insert(interface->members.end(), mixin->members.begin(), mixin->members.end());
    }
    definitions_ = std::move(merged);
  }

  void resolve(IdlType& type) const {
    for (IdlType& inner : type.inner) resolve(inner);
    if (type.form != IdlType::Form::kNamed) return;
    const auto definition = typedefs_.find(type.name);
    if (definition == typedefs_.end()) return;
    IdlType resolved = definition->second;
    resolve(resolved);
    resolved.nullable |= type.nullable;
    resolved.enforce_range |= type.enforce_range;
    resolved.clamp |= type.clamp;
    type = std::move(resolved);
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::vector<IdlDefinition> definitions_;
  std::map<std::string, IdlType, std::less<>> typedefs_;
  std::vector<Part> parts_;
};

}  // namespace

const IdlDefinition* IdlDocument::find(std::string_view name) const {
  const auto found = std::ranges::find(definitions, name, &IdlDefinition::name);
  return found == definitions.end() ? nullptr : &*found;
}

IdlDocument parse_idl(std::string_view text) { return Parser(text).parse(); }

}  // namespace alknet::platform::webgpu
