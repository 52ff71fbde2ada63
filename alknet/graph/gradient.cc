#include "alknet/graph/gradient.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "alknet/base/near_names.h"
#include "alknet/graph/analysis.h"
#include "alknet/graph/backward_graph.h"
#include "alknet/graph/composite.h"
#include "alknet/graph/node_writer.h"

namespace alknet::graph {
namespace {

class GradientWalk {
 public:
  GradientWalk(const Graph& graph, const GradientRequest& request, const OpTable& ops)
      : request_(request),
        ops_(ops),
        expanded_(expand_composites(insert_casts(graph, ops), ops, true)),
        graph_(std::move(expanded_.graph)),
        typed_(infer(graph_, ops)),
        sources_(value_sources(graph_)),
        writer_(graph_, ops, typed_.types) {}

  Graph run() && {
    for (const auto& name : request_.wrt) add_wrt(name);
    find_active();
    for (std::size_t i = 0; i < request_.outputs.size(); ++i) seed(i);
    for (std::size_t i = typed_.order.size(); i-- > 0;) pass(typed_.order[i]);
    writer_.set_path({});
    std::vector<GraphOutput> added;
    for (const Ref& ref : wrt_) added.push_back({{}, gradient_of(ref)});
    for (std::size_t i = 0; i < added.size(); ++i) {
      added[i].name = output_name(wrt_names_[i]);
      graph_.outputs.push_back(std::move(added[i]));
    }
    return std::move(graph_);
  }

 private:
  /// The sum of what a value has gained so far; nothing for 0.
  using Gained = std::optional<Ref>;

  [[noreturn]] static void refuse(const std::string& value, const std::string& message) {
    throw Error(GraphError::kNotDifferentiable, message, JsonObject{{"value", value}});
  }

  void add_wrt(const std::string& name) {
    const Ref ref = expanded_.current(Ref::parse(name));
    const auto found = typed_.types.find(ref.text());
    if (found == typed_.types.end()) {
      std::vector<std::string_view> names;
      for (const auto& [known, type] : typed_.types) names.push_back(known);
      throw Error(GraphError::kUnknownRef,
                  fmt::format("there is no value \"{}\" to differentiate by{}", name, did_you_mean(name, names)));
    }
    if (!is_float(found->second.dtype)) {
      refuse(name, fmt::format("\"{}\" is {}; only floats have gradients", name, dtype_name(found->second.dtype)));
    }
    wrt_.push_back(ref);
    wrt_names_.push_back(Ref::parse(name).text());
    active_.insert(ref.text());
  }

  /// Values that depend on `wrt` in a differentiable way.
  void find_active() {
    for (const std::size_t index : typed_.order) {
      const Node& node = graph_.nodes[index];
      const OpSpec& op = ops_.at(node.op);
      if (node.no_grad) continue;
      bool depends = false;
      for (std::size_t i = 0; i < node.inputs.size(); ++i) depends = depends || input_active(op, node.inputs[i], i);
      for (std::size_t k = 0; depends && k < op.outputs.size(); ++k) {
        const std::string name = Ref{node.id, k, std::nullopt}.text();
        if (is_float(typed_.types.find(name)->second.dtype)) active_.insert(name);
      }
    }
  }

  bool input_active(const OpSpec& op, const std::vector<Ref>& refs, std::size_t input) const {
    return op.inputs[input].differentiable && std::any_of(refs.begin(), refs.end(), [&](const Ref& ref) {
             return !ref.scalar && active_.contains(ref.text());
           });
  }

  void seed(std::size_t index) {
    const std::string& name = request_.outputs[index];
    const auto output = std::find_if(graph_.outputs.begin(), graph_.outputs.end(),
                                     [&](const GraphOutput& candidate) { return candidate.name == name; });
    if (output == graph_.outputs.end()) {
      std::vector<std::string_view> names;
      for (const auto& known : graph_.outputs) names.push_back(known.name);
      throw Error(GraphError::kUnknownRef,
                  fmt::format("the graph has no output \"{}\" to differentiate{}", name, did_you_mean(name, names)));
    }
    const ValueType type = writer_.type(output->value);
    if (!is_float(type.dtype)) {
      refuse(name, fmt::format("the output \"{}\" is {}; only floats have gradients", name, dtype_name(type.dtype)));
    }
    const std::string seed = index < request_.seeds.size() ? request_.seeds[index] : std::string();
    if (seed.empty() && element_count(type.shape) != Dim(1)) {
      throw Error(GraphError::kMissingInput,
                  fmt::format("the output \"{}\" has the shape {}: give a seed, its gradient, or differentiate its sum",
                              name, shape_text(type.shape)),
                  JsonObject{{"output", name}});
    }
    if (!seed.empty()) check_seed(name, seed, type);
    if (active_.contains(output->value.text()))
      gain(output->value, seed.empty() ? writer_.ones(type) : expanded_.current(Ref::parse(seed)));
  }

  void check_seed(const std::string& output, const std::string& seed, const ValueType& type) const {
    const auto found = typed_.types.find(expanded_.current(Ref::parse(seed)).text());
    if (found == typed_.types.end()) {
      throw Error(GraphError::kUnknownRef,
                  fmt::format("there is no value \"{}\" to be the seed of \"{}\"", seed, output));
    }
    const auto& [dtype, shape] = found->second;
    if (dtype != type.dtype || shape != type.shape) {
      throw Error(
          dtype != type.dtype ? GraphError::kDtypeMismatch : GraphError::kShapeMismatch,
          fmt::format("the output \"{}\" is {} {}, but its seed \"{}\" is {} {}", output, dtype_name(type.dtype),
                      shape_text(type.shape), seed, dtype_name(dtype), shape_text(shape)));
    }
  }

  void gain(const Ref& value, const Gained& gradient) {
    const auto [place, first] = gained_.try_emplace(value.text(), gradient);
    if (first || !gradient) return;
    place->second = place->second ? writer_.node("add", {*place->second, *gradient}) : *gradient;
  }

  /// Hands what the outputs of a node gained to its inputs.
  void pass(std::size_t index) {
    const Node node = graph_.nodes[index];  // a copy: nodes are added below
    const OpSpec& op = ops_.at(node.op);
    if (node.no_grad) return;
    BackwardCall call{op, {}, {}, {}, {}, [this](const Ref& ref) { return kept(ref); }};
    bool any = false;
    bool all_zero = true;
    for (std::size_t k = 0; k < op.outputs.size(); ++k) {
      call.outputs.push_back({node.id, k, std::nullopt});
      const auto found = gained_.find(call.outputs.back().text());
      any = any || found != gained_.end();
      all_zero = all_zero && (found == gained_.end() || !found->second);
    }
    if (!any) return;
    writer_.set_path(node.path);
    for (const Ref& output : call.outputs) {
      if (all_zero) break;
      const auto found = gained_.find(output.text());
      const bool some = found != gained_.end() && found->second;
      call.grad_outputs.push_back(some ? *found->second : writer_.zeros(writer_.type(output)));
    }
    call.attrs = complete_attributes(op, node.attrs);
    for (const auto& refs : node.inputs) call.inputs.push_back(refs.empty() ? Ref{} : refs.front());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!input_active(op, node.inputs[i], i)) continue;
      if (node.inputs[i].size() > 1) {
        throw Error(GraphError::kNotDifferentiable,
                    fmt::format("[{}] has no gradient with respect to the list \"{}\"", op.name, op.inputs[i].name),
                    JsonObject{{"op", op.name}});
      }
      gain(call.inputs[i], all_zero ? Gained() : write_backward(writer_, call, i));
    }
  }

  /// The node that gives a value when it is to be recomputed.
  std::optional<std::size_t> checkpointed(const Ref& ref) const {
    const auto source = sources_.find(ref.name);
    if (source == sources_.end() || source->second.kind != ValueSource::Kind::kNode) return std::nullopt;
    const Node& node = graph_.nodes[source->second.index];
    if (!node.checkpoint || node.op == kAssign) return std::nullopt;  // writing twice is no recomputation
    return source->second.index;
  }

  /// Where the backward pass reads a forward value: repeats the checkpointed nodes behind it, each once.
  Ref kept(const Ref& ref) {
    const auto producer = checkpointed(ref);
    if (!producer) return ref;
    std::vector<std::size_t> waiting = {*producer};
    while (!waiting.empty()) {
      const std::size_t index = waiting.back();
      if (copies_.contains(index)) {
        waiting.pop_back();
        continue;
      }
      const Node node = graph_.nodes[index];
      std::vector<std::vector<Ref>> inputs = node.inputs;
      bool ready = true;
      for (auto& refs : inputs) {
        for (Ref& input : refs) {
          const auto behind = checkpointed(input);
          if (!behind) continue;
          const auto copy = copies_.find(*behind);
          if (copy != copies_.end()) {
            input.name = copy->second;
          } else {
            waiting.push_back(*behind);
            ready = false;
          }
        }
      }
      if (!ready) continue;
      waiting.pop_back();
      copies_.emplace(index, writer_.copy(node, std::move(inputs)));
    }
    return {copies_.at(*producer), ref.output, std::nullopt};
  }

  Ref gradient_of(const Ref& ref) {
    const auto found = gained_.find(ref.text());
    if (found == gained_.end() && !request_.allow_unused) {
      refuse(ref.text(), fmt::format("no gradient reaches \"{}\": the outputs do not depend on it, or only through "
                                     "no_grad nodes or integers; leave it out or allow unused values",
                                     ref.text()));
    }
    if (found == gained_.end() || !found->second) return writer_.zeros(writer_.type(ref));
    return *found->second;
  }

  std::string output_name(const std::string& ref) const {
    std::string name = "grad/" + ref;
    std::replace(name.begin(), name.end(), ':', '.');
    const auto taken = [&] {
      return std::any_of(graph_.outputs.begin(), graph_.outputs.end(),
                         [&](const GraphOutput& output) { return output.name == name; });
    };
    while (taken()) name.insert(0, "grad/");
    return name;
  }

  const GradientRequest& request_;
  const OpTable& ops_;
  Expansion expanded_;
  Graph graph_;
  TypedGraph typed_;
  ValueSources sources_;
  NodeWriter writer_;
  std::vector<Ref> wrt_;
  std::vector<std::string> wrt_names_;  ///< As the request has them.
  std::set<std::string, std::less<>> active_;
  std::map<std::string, Gained, std::less<>> gained_;
  std::map<std::size_t, std::string> copies_;  ///< Of checkpointed nodes, by index.
};

}  // namespace

Graph grad(const Graph& graph, const GradientRequest& request, const OpTable& ops) {
  return GradientWalk(graph, request, ops).run();
}

}  // namespace alknet::graph
