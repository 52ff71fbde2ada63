#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <set>
#include <utility>

#include "alknet/graph/expr/lexer.h"
#include "alknet/graph/expr/program.h"
#include "alknet/graph/expr/type.h"

namespace alknet::graph::expr {
namespace {

constexpr std::size_t kMaxSource = 65536;
/// Nesting of parentheses, calls, unary operators and `?:`; bounds the parser's recursion.
constexpr std::size_t kMaxDepth = 200;

struct BinaryOperator {
  std::string_view spelling;
  Opcode opcode;
  int precedence;  ///< As in C: higher binds tighter.
};
constexpr std::array<BinaryOperator, 18> kBinary = {{
    {"||", Opcode::kOr, 1},
    {"&&", Opcode::kAnd, 2},
    {"|", Opcode::kBitOr, 3},
    {"^", Opcode::kBitXor, 4},
    {"&", Opcode::kBitAnd, 5},
    {"==", Opcode::kEqual, 6},
    {"!=", Opcode::kNotEqual, 6},
    {"<", Opcode::kLess, 7},
    {"<=", Opcode::kLessEqual, 7},
    {">", Opcode::kGreater, 7},
    {">=", Opcode::kGreaterEqual, 7},
    {"<<", Opcode::kShiftLeft, 8},
    {">>", Opcode::kShiftRight, 8},
    {"+", Opcode::kAdd, 9},
    {"-", Opcode::kSubtract, 9},
    {"*", Opcode::kMultiply, 10},
    {"/", Opcode::kDivide, 10},
    {"%", Opcode::kRemainder, 10},
}};

constexpr std::array<std::string_view, 8> kReserved = {"var", "true", "false", "inf", "nan", "pi", "highest", "lowest"};

bool reserved(std::string_view name) { return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end(); }

/// The largest finite number of a float dtype, as it is stored.
double highest_finite(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF16: return 65504;
    case Dtype::kBF16: return 0x1.FEp127;
    case Dtype::kF64: return std::numeric_limits<double>::max();
    default: return static_cast<double>(std::numeric_limits<float>::max());
  }
}

const OpcodeInfo* find_function(std::string_view name) {
  for (const auto& info : opcode_table()) {
    if (info.function && !info.spelling.empty() && info.spelling == name) return &info;
  }
  return nullptr;
}

/// Recursive descent that types while it parses, so no tree is built.
class Parser {
 public:
  Parser(std::string_view source, std::span<const Variable> variables, std::span<const std::string> outputs,
         Dtype literal_dtype)
      : lexer_(source),
        typer_(variables, literal_dtype),
        outputs_(outputs),
        highest_(highest_finite(literal_dtype)),
        output_dtype_(compute_dtype(literal_dtype)) {
    for (std::size_t i = 0; i < variables.size(); ++i) {
      if (reserved(variables[i].name)) fail({}, fmt::format("a variable may not be called \"{}\"", variables[i].name));
      values_[variables[i].name] = typer_.variable(i);
    }
    token_ = lexer_.next();
  }

  Program run() && {
    while (token_.kind != Token::Kind::kEnd) statement();
    for (const auto& name : outputs_) {
      if (!assigned_.contains(name)) fail(token_.position, fmt::format("\"{}\" is never assigned", name));
      typer_.output(name, values_.find(name)->second, token_.position);
    }
    return std::move(typer_).finish();
  }

 private:
  /// Counts nesting while it lives.
  class Nested {
   public:
    explicit Nested(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMaxDepth) {
        fail(parser_.token_.position, fmt::format("nested deeper than {}; use var to split the expression", kMaxDepth));
      }
    }
    ~Nested() { --parser_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Parser& parser_;
  };

  Token advance() { return std::exchange(token_, lexer_.next()); }
  bool at_symbol(std::string_view symbol) const { return token_.kind == Token::Kind::kSymbol && token_.text == symbol; }
  bool accept(std::string_view symbol) {
    if (!at_symbol(symbol)) return false;
    advance();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!accept(symbol)) fail(token_.position, fmt::format("expected '{}' but found {}", symbol, found()));
  }
  std::string found() const { return token_.kind == Token::Kind::kEnd ? "the end" : fmt::format("'{}'", token_.text); }
  Token expect_name(std::string_view what) {
    if (token_.kind != Token::Kind::kName)
      fail(token_.position, fmt::format("expected {} but found {}", what, found()));
    return advance();
  }

  void statement() {
    if (accept(";")) return;
    Token name = expect_name("a statement (var x = ...; or name = ...;)");
    if (name.text == "var") {
      name = expect_name("a name after var");
      declare(name);
    } else {
      check_assignable(name);
    }
    expect("=");
    const Operand value = expression();
    values_.insert_or_assign(std::string(name.text), value);
    assigned_.emplace(name.text);
    if (token_.kind != Token::Kind::kEnd) expect(";");
  }

  void declare(const Token& name) {
    if (reserved(name.text)) fail(name.position, fmt::format("\"{}\" is a reserved word", name.text));
    if (values_.contains(name.text) || is_output(name.text)) {
      fail(name.position, fmt::format("\"{}\" exists already; leave out var or choose another name", name.text));
    }
    locals_.emplace(name.text);
  }

  void check_assignable(const Token& name) const {
    if (is_output(name.text) || locals_.contains(name.text)) return;
    if (values_.contains(name.text)) {
      fail(name.position, fmt::format("\"{}\" is an input and cannot be assigned", name.text));
    }
    fail(name.position,
         fmt::format("\"{}\" is neither an output ({}) nor declared with var", name.text, fmt::join(outputs_, ", ")));
  }

  bool is_output(std::string_view name) const {
    return std::find(outputs_.begin(), outputs_.end(), name) != outputs_.end();
  }

  Operand expression() {
    const Nested nested(*this);
    const Operand condition = binary(1);
    const Position at = token_.position;
    if (!accept("?")) return condition;
    const Operand if_true = expression();
    expect(":");
    const Operand if_false = expression();
    return typer_.step(Opcode::kSelect, std::array{condition, if_true, if_false}, at);
  }

  /// Operators of at least this precedence, left to right (precedence climbing).
  Operand binary(int precedence) {
    Operand left = unary();
    while (const BinaryOperator* op = binary_operator()) {
      if (op->precedence < precedence) break;
      const Position at = advance().position;
      const Operand right = binary(op->precedence + 1);
      left = typer_.step(op->opcode, std::array{left, right}, at);
    }
    return left;
  }

  const BinaryOperator* binary_operator() const {
    if (token_.kind != Token::Kind::kSymbol) return nullptr;
    const auto op = std::find_if(kBinary.begin(), kBinary.end(),
                                 [&](const BinaryOperator& candidate) { return candidate.spelling == token_.text; });
    return op == kBinary.end() ? nullptr : &*op;
  }

  Operand unary() {
    const Nested nested(*this);
    const Position at = token_.position;
    if (accept("-")) return typer_.step(Opcode::kNegate, std::array{unary()}, at);
    if (accept("!")) return typer_.step(Opcode::kNot, std::array{unary()}, at);
    if (accept("~")) return typer_.step(Opcode::kBitNot, std::array{unary()}, at);
    return primary();
  }

  Operand primary() {
    if (token_.kind == Token::Kind::kNumber) {
      const Token number = advance();
      return Typer::literal(number.number, number.integer);
    }
    if (accept("(")) {
      const Operand inner = expression();
      expect(")");
      return inner;
    }
    const Token name = expect_name("a value");
    if (at_symbol("(")) return call(name);
    return value(name);
  }

  Operand value(const Token& name) {
    if (name.text == "true") return typer_.boolean(true);
    if (name.text == "false") return typer_.boolean(false);
    if (name.text == "pi") return Typer::literal(std::numbers::pi, false);
    if (name.text == "inf") return Typer::literal(std::numeric_limits<double>::infinity(), false);
    if (name.text == "nan") return Typer::literal(std::numeric_limits<double>::quiet_NaN(), false);
    if (name.text == "highest") return Typer::literal(highest_, false);
    if (name.text == "lowest") return Typer::literal(-highest_, false);
    const auto known = values_.find(name.text);
    if (known != values_.end()) return known->second;
    if (is_output(name.text)) fail(name.position, fmt::format("\"{}\" is read before it has a value", name.text));
    fail(name.position, fmt::format("nothing is called \"{}\"", name.text));
  }

  Operand call(const Token& name) {
    if (name.text == "index") return coordinate(name);
    expect("(");
    std::vector<Operand> arguments;
    if (!at_symbol(")")) {
      do arguments.push_back(expression());
      while (accept(","));
    }
    expect(")");
    auto dtype = parse_dtype(name.text);
    if (name.text == "as_output") dtype = output_dtype_;
    const OpcodeInfo* function = find_function(name.text);
    if (!dtype && function == nullptr) fail(name.position, fmt::format("there is no function \"{}\"", name.text));
    const std::size_t arity = dtype ? 1 : function->arity;
    if (arguments.size() != arity) {
      fail(name.position, fmt::format("{} takes {} argument(s) but gets {}", name.text, arity, arguments.size()));
    }
    if (dtype) return typer_.cast(*dtype, arguments[0], name.position);
    return typer_.step(function->opcode, arguments, name.position);
  }

  /// index(): the linear index of the element; index(-2): its place in the dimension before the last.
  Operand coordinate(const Token& name) {
    expect("(");
    std::int8_t which = kLinearIndex;
    if (accept("-")) {
      const bool counted = token_.kind == Token::Kind::kNumber && token_.integer && token_.number >= 1 &&
                           token_.number <= kMaxCoordinates;
      if (!counted) fail(name.position, fmt::format("index takes -1 to -{}, or nothing", kMaxCoordinates));
      which = static_cast<std::int8_t>(-advance().number);
    }
    expect(")");
    return typer_.coordinate(which);
  }

  Lexer lexer_;
  Typer typer_;
  std::span<const std::string> outputs_;
  std::map<std::string, Operand, std::less<>> values_;  ///< What each name stands for now.
  std::set<std::string, std::less<>> locals_, assigned_;
  Token token_;
  std::size_t depth_ = 0;
  double highest_;
  Dtype output_dtype_;
};

}  // namespace

Program compile(std::string_view source, std::span<const Variable> variables, std::span<const std::string> outputs,
                Dtype literal_dtype) {
  if (source.size() > kMaxSource) fail({}, fmt::format("the source is longer than {} bytes", kMaxSource));
  return Parser(source, variables, outputs, literal_dtype).run();
}

}  // namespace alknet::graph::expr
