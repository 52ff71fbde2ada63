#include "alknet/schema/validate.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/schema/fail.h"

namespace alknet::schema {
namespace {

constexpr std::size_t kMaxErrorBytes = std::size_t{64} << 20;

}  // namespace

// In the order of Op.
const Evaluation::Check Evaluation::kChecks[] = {
    call<&Evaluation::never>,
    call<&Evaluation::type>,
    call<&Evaluation::enumeration>,
    call<&Evaluation::constant>,
    call<&Evaluation::multiple_of>,
    call<&Evaluation::bound>,
    call<&Evaluation::bound>,
    call<&Evaluation::bound>,
    call<&Evaluation::bound>,
    call<&Evaluation::length>,
    call<&Evaluation::length>,
    call<&Evaluation::pattern>,
    call<&Evaluation::format>,
    call<&Evaluation::item_count>,
    call<&Evaluation::item_count>,
    call<&Evaluation::unique_items>,
    call<&Evaluation::prefix_items>,
    call<&Evaluation::items>,
    call<&Evaluation::contains>,
    call<&Evaluation::property_count>,
    call<&Evaluation::property_count>,
    call<&Evaluation::required>,
    call<&Evaluation::dependent_required>,
    call<&Evaluation::properties>,
    call<&Evaluation::pattern_properties>,
    call<&Evaluation::additional_properties>,
    call<&Evaluation::property_names>,
    call<&Evaluation::dependent_schemas>,
    call<&Evaluation::all_of>,
    call<&Evaluation::any_of>,
    call<&Evaluation::one_of>,
    call<&Evaluation::negation>,
    call<&Evaluation::condition>,
    call<&Evaluation::reference>,
    call<&Evaluation::reference>,
    call<&Evaluation::scalar_kind>,
    call<&Evaluation::text_kind>,
    call<&Evaluation::array_kind>,
    call<&Evaluation::struct_kind>,
    call<&Evaluation::record_kind>,
    call<&Evaluation::union_kind>,
    call<&Evaluation::tensor_kind>,
    call<&Evaluation::blob_kind>,
    call<&Evaluation::object_checks>,
    call<&Evaluation::array_checks>,
    call<&Evaluation::choice>,
    call<&Evaluation::unevaluated_items>,
    call<&Evaluation::unevaluated_properties>,
};

std::string InstancePath::text() const {
  std::vector<const InstancePath*> steps;
  for (const auto* step = this; step->parent != nullptr; step = step->parent) steps.push_back(step);
  std::string out;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    out += '/';
    out += (*step)->index == SIZE_MAX ? escape_pointer_token((*step)->name) : std::to_string((*step)->index);
  }
  return out;
}

Evaluation::Evaluation(const Program& program, const Places& places, bool collect, std::size_t max_errors)
    : program_(program), places_(places), collect_(collect), max_errors_(max_errors), scopes_(program) {
  static_assert(std::size(kChecks) == static_cast<std::size_t>(Op::kCount));
}

bool Evaluation::run(BlockId block, const Json& instance) {
  return evaluate(block, instance, InstancePath{}) && !stopped();
}

std::vector<ValidationError> Evaluation::take_errors() {
  if (stopped()) errors_.push_back(std::move(fault_));
  return std::move(errors_);
}

bool Evaluation::evaluate_in_scope(const Block& block, const Json& instance, const InstancePath& path) {
  const DynamicScope scope(*this, block);
  if (stopped()) return false;
  return collect_ ? report_block(block, instance, path) : decide_block(block, instance, path);
}

bool Evaluation::report_block(const Block& block, const Json& instance, const InstancePath& path) {
  const auto* instruction = program_.instructions.data() + block.first;
  bool valid = true;
  const auto run = [&](const Instruction* end) {
    for (; instruction != end; ++instruction) {
      if (stopped()) return false;
      valid = kChecks[static_cast<std::size_t>(instruction->op)](*this, *instruction, instance, path) && valid;
    }
    return valid;
  };
  const auto* end = instruction + block.count;
  return run(end - block.last) && run(end);
}

bool Evaluation::decide(const Instruction& at, BlockId block, const Json& instance, const InstancePath& path) {
  if (!at.remember) return holds(block, instance, path);
  const Key key{block, &instance, scope_};
  if (const auto known = verdicts_.find(key); known != verdicts_.end()) return known->second == Verdict::kValid;
  const bool valid = holds(block, instance, path);
  if (!stopped()) verdicts_.emplace(key, valid ? Verdict::kValid : Verdict::kInvalid);
  return valid;
}

void Evaluation::enter(std::uint32_t resource) {
  const auto scope = scopes_.enter(scope_, resource);
  if (scope) {
    scope_ = *scope;
  } else if (!stopped()) {
    given_up_ = true;
    fault_ = {"", "", fmt::format("$dynamicRef has more than {} different scopes", DynamicScopes::kMaxScopes)};
  }
}

BlockId Evaluation::referred(const Instruction& at) const {
  const BlockId block = program_.targets[at.first];
  return at.op == Op::kRef ? block : scopes_.find(scope_, at.number, block);
}

void Evaluation::give_up(const Instruction& at, const InstancePath& path, std::string message) {
  if (stopped()) return;
  given_up_ = true;
  fault_ = {path.text(), places_.pointer(at.place, at.keyword), std::move(message)};
}

void Evaluation::record(const Instruction& at, const InstancePath& path, std::string message) {
  if (full_) return;
  ValidationError error{path.text(), places_.pointer(at.place, at.keyword), std::move(message)};
  error_bytes_ += error.instance_path.size() + error.schema_path.size() + error.message.size();
  full_ = errors_.size() >= max_errors_ || error_bytes_ > kMaxErrorBytes;
  if (full_) {
    fault_ = std::move(error);
    fault_.message = "there are more errors, which are left out";
  } else {
    errors_.push_back(std::move(error));
  }
}

bool Evaluation::reference(const Instruction& at, const Json& instance, const InstancePath& path) {
  const BlockId target = referred(at);
  if (depth_ >= kMaxEvaluationDepth) {
    give_up(at, path, fmt::format("the value is inside more than {} references", kMaxEvaluationDepth));
    return false;
  }
  const bool remember = program_.blocks[target].has_reference;
  const Key key{target, &instance, scope_};
  if (remember) {
    if (const auto known = verdicts_.find(key); known != verdicts_.end()) {
      if (known->second == Verdict::kValid) return true;
      if (!collect_) return false;
      if (known->second == Verdict::kInvalidReported) {
        return fail(at, path, [&] { return std::string("does not match the schema that $ref names"); });
      }
    }
  }
  ++depth_;
  const bool valid = evaluate(target, instance, path);
  --depth_;
  if (remember && !stopped()) {
    verdicts_[key] = valid ? Verdict::kValid : collect_ ? Verdict::kInvalidReported : Verdict::kInvalid;
  }
  return valid;
}

}  // namespace alknet::schema
